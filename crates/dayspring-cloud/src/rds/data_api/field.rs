//! A value of the database as the Data API answers it: a member of the union `Field`, or a value in a JSON text.

use std::fmt::Write as _;

use base64::Engine as _;
use mysql_async::Value;
use serde::Deserialize;

use super::column::Kind;
use super::fault::Fault;
use super::json_text::in_mysql_s_form;

/// `ResultSetOptions` as a client sends it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ResultSetOptionsInput {
    decimal_return_type: Option<String>,
    long_return_type: Option<String>,
}

impl ResultSetOptionsInput {
    /// # Errors
    ///
    /// A value that there is not.
    pub(super) fn check(&self) -> Result<ResultSetOptions, Fault> {
        Ok(ResultSetOptions {
            decimal_return_type: match self.decimal_return_type.as_deref() {
                None | Some("STRING") => DecimalReturnType::String,
                Some("DOUBLE_OR_LONG") => DecimalReturnType::DoubleOrLong,
                Some(other) => {
                    return Err(Fault::not_in_enum(
                        "resultSetOptions.decimalReturnType",
                        other,
                        "DOUBLE_OR_LONG, STRING",
                    ));
                }
            },
            long_return_type: match self.long_return_type.as_deref() {
                None | Some("LONG") => LongReturnType::Long,
                Some("STRING") => LongReturnType::String,
                Some(other) => {
                    return Err(Fault::not_in_enum(
                        "resultSetOptions.longReturnType",
                        other,
                        "LONG, STRING",
                    ));
                }
            },
        })
    }
}

/// `ResultSetOptions`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ResultSetOptions {
    pub(super) decimal_return_type: DecimalReturnType,
    pub(super) long_return_type: LongReturnType,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum DecimalReturnType {
    #[default]
    String,
    DoubleOrLong,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum LongReturnType {
    #[default]
    Long,
    String,
}

/// The members of `Field` that a result can have.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field {
    Null,
    Boolean(bool),
    Long(i64),
    Double(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// The field of a value in a column of the kind.
pub(super) fn field(kind: Kind, options: ResultSetOptions, value: Value) -> Field {
    match (kind, value) {
        (_, Value::NULL) => Field::Null,
        (Kind::Boolean, Value::Int(value)) => Field::Boolean(value != 0),
        (Kind::Boolean, Value::UInt(value)) => Field::Boolean(value != 0),
        // BIT(1) is one byte; a TINYINT(1) of the text protocol a digit.
        (Kind::Boolean, Value::Bytes(bytes)) => {
            Field::Boolean(!matches!(bytes.as_slice(), [0] | [b'0']))
        }
        (Kind::Year, Value::Int(value)) => Field::Text(format!("{value:04}")),
        (Kind::Year, Value::UInt(value)) => Field::Text(format!("{value:04}")),
        (Kind::Bits, Value::Bytes(bytes)) => bits(options, &bytes),
        // A number of the text protocol.
        (Kind::Long, Value::Bytes(bytes)) => match number(&bytes) {
            Some(value) => long(options, value),
            None => Field::Text(text(bytes)),
        },
        (_, Value::Int(value)) => long(options, value),
        (_, Value::UInt(value)) => match i64::try_from(value) {
            Ok(value) => long(options, value),
            Err(_) => Field::Text(value.to_string()),
        },
        // The shortest decimal that is this float, not the double next to it.
        (_, Value::Float(value)) => {
            Field::Double(value.to_string().parse().unwrap_or(f64::from(value)))
        }
        (_, Value::Double(value)) => Field::Double(value),
        (Kind::Float | Kind::Double, Value::Bytes(bytes)) => match number(&bytes) {
            Some(value) => Field::Double(value),
            None => Field::Text(text(bytes)),
        },
        (Kind::Decimal { scale }, Value::Bytes(bytes)) => decimal(options, scale, text(bytes)),
        (Kind::Blob | Kind::Unsupported, Value::Bytes(bytes)) => Field::Blob(bytes),
        (Kind::Time { .. } | Kind::DateTime { .. }, Value::Bytes(bytes)) => {
            Field::Text(without_zero_fraction(text(bytes)))
        }
        (Kind::Json, Value::Bytes(bytes)) => {
            Field::Text(in_mysql_s_form(&bytes).unwrap_or_else(|| text(bytes)))
        }
        (_, Value::Bytes(bytes)) => Field::Text(text(bytes)),
        (kind, Value::Date(year, month, day, hour, minute, second, micros)) => {
            let mut text = format!("{year:04}-{month:02}-{day:02}");
            if let Kind::DateTime { digits } | Kind::Time { digits } = kind {
                push(
                    &mut text,
                    format_args!(" {hour:02}:{minute:02}:{second:02}"),
                );
                push_fraction(&mut text, digits, micros);
            }
            Field::Text(text)
        }
        (kind, Value::Time(negative, days, hours, minutes, seconds, micros)) => {
            let mut text = String::new();
            if negative {
                text.push('-');
            }
            let hours = u64::from(days) * 24 + u64::from(hours);
            push(
                &mut text,
                format_args!("{hours:02}:{minutes:02}:{seconds:02}"),
            );
            let digits = match kind {
                Kind::Time { digits } | Kind::DateTime { digits } => digits,
                _ => 6,
            };
            push_fraction(&mut text, digits, micros);
            Field::Text(text)
        }
    }
}

fn long(options: ResultSetOptions, value: i64) -> Field {
    match options.long_return_type {
        LongReturnType::Long => Field::Long(value),
        LongReturnType::String => Field::Text(value.to_string()),
    }
}

/// BIT(n): a whole number in big-endian bytes.
fn bits(options: ResultSetOptions, bytes: &[u8]) -> Field {
    let value = bytes
        .iter()
        .fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    match i64::try_from(value) {
        Ok(value) => long(options, value),
        Err(_) => Field::Text(value.to_string()),
    }
}

fn decimal(options: ResultSetOptions, scale: u8, text: String) -> Field {
    match options.decimal_return_type {
        DecimalReturnType::String => Field::Text(text),
        DecimalReturnType::DoubleOrLong => {
            let long = if scale == 0 {
                text.parse().ok().map(Field::Long)
            } else {
                None
            };
            long.or_else(|| text.parse().ok().map(Field::Double))
                .unwrap_or(Field::Text(text))
        }
    }
}

fn number<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Text comes in utf8mb4 from the server; whatever else it sends is shown as far as it can be.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments)
        .expect("writing to a string cannot fail");
}

fn push_fraction(text: &mut String, digits: u8, micros: u32) {
    if micros != 0 && digits > 0 {
        let fraction = format!("{micros:06}");
        text.push('.');
        text.push_str(&fraction[..usize::from(digits.min(6))]);
    }
}

fn without_zero_fraction(text: String) -> String {
    match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|byte| byte == b'0') => whole.to_owned(),
        _ => text,
    }
}

impl Field {
    /// `{"stringValue":"..."}`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend(b"{\"isNull\":true}"),
            Self::Boolean(_) => self.write_member(out, "booleanValue"),
            Self::Long(_) => self.write_member(out, "longValue"),
            Self::Double(_) => self.write_member(out, "doubleValue"),
            Self::Text(_) => self.write_member(out, "stringValue"),
            Self::Blob(_) => self.write_member(out, "blobValue"),
        }
    }

    fn write_member(&self, out: &mut Vec<u8>, name: &str) {
        out.extend(b"{\"");
        out.extend(name.as_bytes());
        out.extend(b"\":");
        self.write_plain(out);
        out.push(b'}');
    }

    /// The value alone.
    pub(super) fn write_plain(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend(b"null"),
            Self::Boolean(value) => out.extend(value.to_string().bytes()),
            Self::Long(value) => out.extend(value.to_string().bytes()),
            Self::Double(value) => write_json(out, value),
            Self::Text(text) => write_json(out, text),
            Self::Blob(bytes) => {
                write_json(
                    out,
                    &base64::engine::general_purpose::STANDARD.encode(bytes),
                );
            }
        }
    }
}

pub(super) fn write_json<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("a plain value has a JSON form and memory takes it");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: Kind, value: Value, expected: &str) {
        check_with(ResultSetOptions::default(), kind, value, expected);
    }

    #[track_caller]
    fn check_with(options: ResultSetOptions, kind: Kind, value: Value, expected: &str) {
        let mut out = Vec::new();
        field(kind, options, value).write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn every_kind_has_its_member() {
        check(Kind::Text, Value::NULL, r#"{"isNull":true}"#);
        check(Kind::Boolean, Value::Int(2), r#"{"booleanValue":true}"#);
        check(
            Kind::Boolean,
            Value::Bytes(vec![0]),
            r#"{"booleanValue":false}"#,
        );
        check(
            Kind::Boolean,
            Value::Bytes(vec![1]),
            r#"{"booleanValue":true}"#,
        );
        check(Kind::Long, Value::Int(-1), r#"{"longValue":-1}"#);
        check(Kind::Bits, Value::Bytes(vec![1, 0]), r#"{"longValue":256}"#);
        // Bytes that are digits in ASCII are bits all the same.
        check(
            Kind::Bits,
            Value::Bytes(b"1".to_vec()),
            r#"{"longValue":49}"#,
        );
        check(
            Kind::Long,
            Value::Bytes(b"-7".to_vec()),
            r#"{"longValue":-7}"#,
        );
        check(Kind::Float, Value::Float(1.1), r#"{"doubleValue":1.1}"#);
        check(Kind::Double, Value::Double(10.0), r#"{"doubleValue":10.0}"#);
        check(
            Kind::Decimal { scale: 4 },
            Value::Bytes(b"123456.7890".to_vec()),
            r#"{"stringValue":"123456.7890"}"#,
        );
        check(
            Kind::Text,
            Value::Bytes("é\"".into()),
            "{\"stringValue\":\"é\\\"\"}",
        );
        check(Kind::Blob, Value::Bytes(vec![]), r#"{"blobValue":""}"#);
        check(Kind::Year, Value::UInt(2024), r#"{"stringValue":"2024"}"#);
    }

    #[test]
    fn an_unsigned_number_never_turns_negative() {
        check(
            Kind::Long,
            Value::UInt(u64::MAX),
            r#"{"stringValue":"18446744073709551615"}"#,
        );
        check(Kind::Long, Value::UInt(7), r#"{"longValue":7}"#);
    }

    #[test]
    fn times_show_a_fraction_only_where_there_is_one() {
        let at = |micros| Value::Date(2024, 2, 9, 1, 2, 3, micros);
        check(Kind::Date, at(0), r#"{"stringValue":"2024-02-09"}"#);
        check(
            Kind::DateTime { digits: 0 },
            at(0),
            r#"{"stringValue":"2024-02-09 01:02:03"}"#,
        );
        check(
            Kind::DateTime { digits: 6 },
            at(0),
            r#"{"stringValue":"2024-02-09 01:02:03"}"#,
        );
        check(
            Kind::DateTime { digits: 3 },
            at(120_000),
            r#"{"stringValue":"2024-02-09 01:02:03.120"}"#,
        );
        check(
            Kind::Time { digits: 6 },
            Value::Time(true, 1, 2, 3, 4, 5),
            r#"{"stringValue":"-26:03:04.000005"}"#,
        );
        check(
            Kind::DateTime { digits: 3 },
            Value::Bytes(b"2024-02-09 01:02:03.000".to_vec()),
            r#"{"stringValue":"2024-02-09 01:02:03"}"#,
        );
    }

    #[test]
    fn result_set_options_choose_the_member() {
        let input: ResultSetOptionsInput = serde_json::from_str(
            r#"{"decimalReturnType":"DOUBLE_OR_LONG","longReturnType":"STRING"}"#,
        )
        .unwrap();
        let options = input.check().unwrap();
        let decimal = |text: &str| Value::Bytes(text.into());
        check_with(
            options,
            Kind::Decimal { scale: 0 },
            decimal("12"),
            r#"{"longValue":12}"#,
        );
        check_with(
            options,
            Kind::Decimal { scale: 2 },
            decimal("1.50"),
            r#"{"doubleValue":1.5}"#,
        );
        check_with(options, Kind::Long, Value::Int(5), r#"{"stringValue":"5"}"#);
    }
}
