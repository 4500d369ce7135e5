//! Reading TOML with its places: every key and value knows where it stands, every mistake is collected, and a key that
//! nobody asked for is a mistake too.

use std::str::FromStr;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use crate::error::{Error, Invalid};
use crate::excerpt::Span;
use crate::nearest::nearest;

/// A value and its place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// A table that is being read. [`Table::finish`] reports the keys that were not asked for.
#[derive(Debug)]
pub(crate) struct Table<'t> {
    /// `database` or `stages.production.api`; empty for the file itself.
    path: String,
    pub(crate) span: Span,
    entries: &'t DeTable<'t>,
    known: Vec<String>,
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(crate) struct Item<'t> {
    /// The key with its tables: `database.capacity`.
    pub(crate) path: String,
    pub(crate) key: &'t str,
    pub(crate) key_span: Span,
    pub(crate) span: Span,
    value: &'t DeValue<'t>,
}

impl<'t> Table<'t> {
    pub(crate) fn root(entries: &'t DeTable<'t>) -> Self {
        Self {
            path: String::new(),
            span: 0..0,
            entries,
            known: Vec::new(),
        }
    }

    /// How a reader would call this table.
    fn title(&self) -> String {
        if self.path.is_empty() {
            "the project".to_owned()
        } else {
            format!("`{}`", self.path)
        }
    }

    pub(crate) fn get(&mut self, key: &str) -> Option<Item<'t>> {
        self.known.push(key.to_owned());
        let (key, value) = self.entries.get_key_value(key)?;
        Some(self.item(key, value))
    }

    /// All entries in the order of the file; for tables whose keys are the user's own.
    pub(crate) fn items(&mut self) -> Vec<Item<'t>> {
        let mut items: Vec<Item<'t>> = self
            .entries
            .iter()
            .map(|(key, value)| self.item(key, value))
            .collect();
        items.sort_by_key(|item| item.key_span.start);
        self.known
            .extend(items.iter().map(|item| item.key.to_owned()));
        items
    }

    /// The entries that nobody asked for so far, in the order of the file.
    pub(crate) fn others(&mut self) -> Vec<Item<'t>> {
        let asked = self.known.clone();
        self.items()
            .into_iter()
            .filter(|item| !asked.iter().any(|known| known == item.key))
            .collect()
    }

    /// The keys that were asked for.
    pub(crate) fn known(&self) -> &[String] {
        &self.known
    }

    pub(crate) fn missing(&self, key: &str, expected: &str) -> Error {
        Error::MissingKey {
            key: key.to_owned(),
            table: self.title(),
            expected: expected.to_owned(),
            span: self.span.clone(),
        }
    }

    pub(crate) fn unknown(&self, item: &Item<'_>, known: Vec<String>) -> Error {
        Error::UnknownKey {
            key: item.key.to_owned(),
            table: self.title(),
            nearest: nearest(item.key, known.iter().map(String::as_str)).map(str::to_owned),
            known,
            span: item.key_span.clone(),
        }
    }

    pub(crate) fn finish(mut self, errors: &mut Vec<Error>) {
        let known = self.known.clone();
        for item in self.others() {
            errors.push(self.unknown(&item, known.clone()));
        }
    }

    fn item(
        &self,
        key: &'t toml::Spanned<toml::de::DeString<'t>>,
        value: &'t toml::Spanned<DeValue<'t>>,
    ) -> Item<'t> {
        let name: &str = key.get_ref();
        let path = if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        };
        Item {
            path,
            key: name,
            key_span: key.span(),
            span: value.span(),
            value: value.get_ref(),
        }
    }
}

impl<'t> Item<'t> {
    pub(crate) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub(crate) fn table(&self, errors: &mut Vec<Error>) -> Option<Table<'t>> {
        let Some(entries) = self.value.as_table() else {
            errors.push(self.wrong_type("a table"));
            return None;
        };
        Some(Table {
            path: self.path.clone(),
            span: self.key_span.clone(),
            entries,
            known: Vec::new(),
        })
    }

    pub(crate) fn array(&self, expected: &str, errors: &mut Vec<Error>) -> Option<Vec<Self>> {
        let Some(array) = self.value.as_array() else {
            errors.push(self.wrong_type(expected));
            return None;
        };
        let items = array.iter().map(|value| Self {
            span: value.span(),
            value: value.get_ref(),
            ..self.clone()
        });
        Some(items.collect())
    }

    pub(crate) fn text(&self, expected: &str, errors: &mut Vec<Error>) -> Option<Located<&'t str>> {
        let Some(text) = self.value.as_str() else {
            errors.push(self.wrong_type(expected));
            return None;
        };
        Some(Located {
            value: text,
            span: self.span.clone(),
        })
    }

    pub(crate) fn boolean(&self, errors: &mut Vec<Error>) -> Option<Located<bool>> {
        let Some(value) = self.value.as_bool() else {
            errors.push(self.wrong_type("`true` or `false`"));
            return None;
        };
        Some(Located {
            value,
            span: self.span.clone(),
        })
    }

    /// The value as `false`, if it is that; for tables that can be switched off.
    pub(crate) fn is_false(&self) -> bool {
        self.value.as_bool() == Some(false)
    }

    /// A string that `T` accepts.
    pub(crate) fn parse<T: FromStr<Err = Invalid>>(
        &self,
        expected: &str,
        errors: &mut Vec<Error>,
    ) -> Option<Located<T>> {
        let text = self.text(expected, errors)?;
        self.checked(text.value, text.value.parse(), errors)
    }

    /// A number, whole or not, as it is written.
    pub(crate) fn number(
        &self,
        expected: &str,
        errors: &mut Vec<Error>,
    ) -> Option<Located<&'t str>> {
        let digits = match self.value {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str(),
            DeValue::Float(float) => float.as_str(),
            DeValue::Integer(_)
            | DeValue::String(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => {
                errors.push(self.wrong_type(expected));
                return None;
            }
        };
        Some(Located {
            value: digits,
            span: self.span.clone(),
        })
    }

    /// A whole number from `min` to `max`.
    pub(crate) fn integer(
        &self,
        min: u32,
        max: u32,
        errors: &mut Vec<Error>,
    ) -> Option<Located<u32>> {
        let expected = format!("a whole number from {min} to {max}");
        let digits = self.number(&expected, errors)?;
        let parsed = digits
            .value
            .parse()
            .ok()
            .filter(|number| (min..=max).contains(number));
        self.checked(
            digits.value,
            parsed.ok_or_else(|| Invalid::expected(expected)),
            errors,
        )
    }

    /// A whole number, or nothing for `false`.
    pub(crate) fn integer_or_false(
        &self,
        min: u32,
        max: u32,
        errors: &mut Vec<Error>,
    ) -> Option<Located<Option<u32>>> {
        if self.is_false() {
            return Some(Located {
                value: None,
                span: self.span.clone(),
            });
        }
        let number = self.integer(min, max, errors)?;
        Some(Located {
            value: Some(number.value),
            span: number.span,
        })
    }

    /// A duration from `min` to `max`.
    pub(crate) fn duration(
        &self,
        min: Duration,
        max: Duration,
        errors: &mut Vec<Error>,
    ) -> Option<Located<Duration>> {
        let text = self.text("a duration such as `\"30s\"`, `\"5m\"` or `\"1h\"`", errors)?;
        let parsed = parse_duration(text.value).and_then(|duration| {
            if (min..=max).contains(&duration) {
                Ok(duration)
            } else {
                Err(Invalid::expected(format!(
                    "a duration from {} to {}",
                    spelled(min),
                    spelled(max)
                )))
            }
        });
        self.checked(text.value, parsed, errors)
    }

    /// A whole number of days from 1 to `max`, spelled `7d`.
    pub(crate) fn days(&self, max: u16, errors: &mut Vec<Error>) -> Option<Located<u16>> {
        let expected = format!("a number of days from `1d` to `{max}d`");
        let text = self.text(&expected, errors)?;
        let days = text
            .value
            .strip_suffix('d')
            .and_then(|days| days.parse().ok());
        let days = days
            .filter(|days| (1..=max).contains(days))
            .ok_or_else(|| Invalid::expected(expected));
        self.checked(text.value, days, errors)
    }

    /// An array of strings that `T` accepts.
    pub(crate) fn parse_all<T: FromStr<Err = Invalid>>(
        &self,
        expected: &str,
        errors: &mut Vec<Error>,
    ) -> Option<Located<Vec<T>>> {
        let items = self.array(expected, errors)?;
        let values = items
            .iter()
            .filter_map(|item| item.parse(expected, errors))
            .map(|located| located.value);
        Some(Located {
            value: values.collect(),
            span: self.span.clone(),
        })
    }

    /// A string, number or boolean as the text that it is to AWS.
    pub(crate) fn scalar(&self, errors: &mut Vec<Error>) -> Option<Located<String>> {
        let text = match self.value {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().to_owned(),
            DeValue::Float(float) => float.as_str().to_owned(),
            DeValue::Boolean(value) => value.to_string(),
            DeValue::Integer(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                errors.push(self.wrong_type("a string, a number or a boolean"));
                return None;
            }
        };
        Some(Located {
            value: text,
            span: self.span.clone(),
        })
    }

    /// The value, or the error that says why it is none.
    pub(crate) fn checked<T>(
        &self,
        written: &str,
        parsed: Result<T, Invalid>,
        errors: &mut Vec<Error>,
    ) -> Option<Located<T>> {
        match parsed {
            Ok(value) => Some(Located {
                value,
                span: self.span.clone(),
            }),
            Err(invalid) => {
                errors.push(self.bad(written, invalid));
                None
            }
        }
    }

    pub(crate) fn bad(&self, written: &str, invalid: Invalid) -> Error {
        Error::BadValue {
            key: self.path.clone(),
            value: written.to_owned(),
            expected: invalid.expected,
            nearest: invalid.nearest,
            span: self.span.clone(),
        }
    }

    /// The same for a key that the user chose.
    pub(crate) fn bad_key(&self, kind: &str, invalid: Invalid) -> Error {
        Error::BadValue {
            key: kind.to_owned(),
            value: self.key.to_owned(),
            expected: invalid.expected,
            nearest: invalid.nearest,
            span: self.key_span.clone(),
        }
    }

    pub(crate) fn wrong_type(&self, expected: &str) -> Error {
        let found = match self.value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a fraction",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        Error::WrongType {
            key: self.path.clone(),
            found: found.to_owned(),
            expected: expected.to_owned(),
            span: self.span.clone(),
        }
    }
}

/// `30s`, `5m`, `1h` or `7d`.
fn parse_duration(text: &str) -> Result<Duration, Invalid> {
    let invalid = || {
        Invalid::expected(
            "a whole number and `s`, `m`, `h` or `d`, such as `30s`, `5m`, `1h` or `7d`",
        )
    };
    let unit = text.chars().next_back().ok_or_else(invalid)?;
    let seconds_per_unit: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(invalid()),
    };
    let digits = &text[..text.len() - unit.len_utf8()];
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid());
    }
    let count: u64 = digits.parse().map_err(|_| invalid())?;
    count
        .checked_mul(seconds_per_unit)
        .map(Duration::from_secs)
        .ok_or_else(invalid)
}

/// A duration as the file would spell it, in its largest whole unit.
pub(crate) fn spelled(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, "d"), (3600, "h"), (60, "m")];
    let unit = units
        .into_iter()
        .find(|(length, _)| seconds >= *length && seconds.is_multiple_of(*length));
    unit.map_or_else(
        || format!("`{seconds}s`"),
        |(length, name)| format!("`{}{name}`", seconds / length),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_whole_number_and_a_unit() {
        assert_eq!(parse_duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(parse_duration("30d"), Ok(Duration::from_secs(30 * 86_400)));
        for wrong in [
            "",
            "5",
            "m",
            "5 m",
            "-5m",
            "+5m",
            "1.5h",
            "5min",
            "5µ",
            "99999999999999999999d",
            "999999999999999999d",
        ] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_duration_is_spelled_in_its_largest_whole_unit() {
        assert_eq!(spelled(Duration::from_secs(90)), "`90s`");
        assert_eq!(spelled(Duration::from_secs(300)), "`5m`");
        assert_eq!(spelled(Duration::from_secs(86_400)), "`1d`");
    }
}
