//! The parameters of a request: checked, and turned into the server's values.

use base64::Engine as _;
use mysql_async::Value;
use serde::Deserialize;

use super::fault::Fault;

/// `SqlParameter`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SqlParameter {
    pub(super) name: Option<String>,
    pub(super) value: Option<FieldInput>,
    pub(super) type_hint: Option<String>,
}

/// `Field` as a client sends it: a union, of which exactly one member is set.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FieldInput {
    pub(super) is_null: Option<bool>,
    pub(super) boolean_value: Option<bool>,
    pub(super) long_value: Option<i64>,
    pub(super) double_value: Option<f64>,
    pub(super) string_value: Option<String>,
    pub(super) blob_value: Option<String>,
    pub(super) array_value: Option<serde_json::Value>,
}

/// The value for each placeholder, in order. Parameters that no placeholder names are ignored.
///
/// # Errors
///
/// A placeholder without a parameter, a parameter without a value or of a form that its hint forbids.
pub(super) fn bind(names: &[String], parameters: &[SqlParameter]) -> Result<Vec<Value>, Fault> {
    names
        .iter()
        .map(|name| {
            parameters
                .iter()
                .find(|parameter| parameter.name.as_deref() == Some(name))
                .ok_or_else(|| Fault::validation(format!("Cannot find parameter: {name}")))
                .and_then(|parameter| value(name, parameter))
        })
        .collect()
}

fn value(name: &str, parameter: &SqlParameter) -> Result<Value, Fault> {
    let nothing = || Fault::validation(format!("Parameter \"{name}\" has value with no field set"));
    let field = parameter.value.as_ref().ok_or_else(nothing)?;
    if let Some(hint) = &parameter.type_hint {
        check_hint(name, hint, field)?;
    }
    let values = [
        field.is_null.filter(|null| *null).map(|_| Value::NULL),
        field.boolean_value.map(|value| Value::Int(value.into())),
        field.long_value.map(Value::Int),
        field.double_value.map(Value::Double),
        field
            .string_value
            .as_ref()
            .map(|text| Value::Bytes(text.clone().into_bytes())),
        field
            .blob_value
            .as_ref()
            .map(|text| blob(name, text))
            .transpose()?,
    ];
    if field.array_value.is_some() {
        return Err(Fault::validation("Array parameters are not supported."));
    }
    let mut values = values.into_iter().flatten();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        (Some(_), Some(_)) => Err(Fault::validation(format!(
            "Parameter \"{name}\" has value with more than one field set"
        ))),
        (None, _) => Err(nothing()),
    }
}

fn blob(name: &str, text: &str) -> Result<Value, Fault> {
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .map(Value::Bytes)
        .map_err(|_| {
            Fault::serialization(format!(
                "Parameter \"{name}\" has a blobValue that is not base64"
            ))
        })
}

/// <https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_SqlParameter.html>
fn check_hint(name: &str, hint: &str, field: &FieldInput) -> Result<(), Fault> {
    if !matches!(
        hint,
        "JSON" | "UUID" | "TIMESTAMP" | "DATE" | "TIME" | "DECIMAL"
    ) {
        return Err(Fault::not_in_enum(
            "parameters.member.typeHint",
            hint,
            "DATE, DECIMAL, JSON, TIME, TIMESTAMP, UUID",
        ));
    }
    if hint == "UUID" {
        return Err(Fault::validation("MySQL doesn't support UUID typeHint"));
    }
    let Some(text) = &field.string_value else {
        return Ok(());
    };
    let fits = match hint {
        "DATE" => is_date(text),
        "TIME" => is_time(text),
        "TIMESTAMP" => text
            .split_once(' ')
            .is_some_and(|(date, time)| is_date(date) && is_time(time)),
        "DECIMAL" => is_decimal(text),
        _ => serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok(),
    };
    if fits {
        Ok(())
    } else {
        Err(Fault::validation(format!(
            "Parameter \"{name}\" is not a valid {hint} value: {text}"
        )))
    }
}

/// `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    shape(text, "0000-00-00")
}

/// `HH:MM:SS[.FFFFFF]`.
fn is_time(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    shape(whole, "00:00:00")
        && (1..=6).contains(&fraction.len())
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    !(whole.is_empty() && fraction.is_empty())
        && whole
            .bytes()
            .chain(fraction.bytes())
            .all(|byte| byte.is_ascii_digit())
}

fn shape(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(byte, wanted)| {
            if wanted == b'0' {
                byte.is_ascii_digit()
            } else {
                byte == wanted
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(parameters: &str, expected: &str) {
        let parameters: Vec<SqlParameter> = serde_json::from_str(parameters).unwrap();
        let shown = match bind(&["a".to_owned()], &parameters) {
            Ok(values) => values
                .iter()
                .map(|value| value.as_sql(false))
                .collect::<Vec<_>>()
                .join(", "),
            Err(fault) => format!("{}: {}", fault.error.kind, fault.error.message),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn every_member_of_the_union_becomes_a_value() {
        check(r#"[{"name":"a","value":{"isNull":true}}]"#, "NULL");
        check(r#"[{"name":"a","value":{"booleanValue":true}}]"#, "1");
        check(r#"[{"name":"a","value":{"longValue":-5}}]"#, "-5");
        check(r#"[{"name":"a","value":{"doubleValue":0.5}}]"#, "0.5");
        check(
            r#"[{"name":"b"},{"name":"a","value":{"stringValue":"x"}}]"#,
            "'x'",
        );
        check(r#"[{"name":"a","value":{"blobValue":"AP8="}}]"#, "0x00FF");
    }

    #[test]
    fn what_cannot_be_bound_is_a_validation_error() {
        check(r#"[]"#, "ValidationException: Cannot find parameter: a");
        let nothing = "ValidationException: Parameter \"a\" has value with no field set";
        check(r#"[{"name":"a"}]"#, nothing);
        check(r#"[{"name":"a","value":{}}]"#, nothing);
        check(r#"[{"name":"a","value":{"isNull":false}}]"#, nothing);
        check(
            r#"[{"name":"a","value":{"arrayValue":{"longValues":[1]}}}]"#,
            "ValidationException: Array parameters are not supported.",
        );
        check(
            r#"[{"name":"a","value":{"longValue":1,"stringValue":"1"}}]"#,
            "ValidationException: Parameter \"a\" has value with more than one field set",
        );
    }

    #[test]
    fn a_hint_asks_for_its_form() {
        let hinted = |hint: &str, text: &str| {
            let field = FieldInput {
                string_value: Some(text.to_owned()),
                ..FieldInput::default()
            };
            check_hint("a", hint, &field).is_ok()
        };
        assert!(hinted("DATE", "2024-02-29") && !hinted("DATE", "29.2.2024"));
        assert!(
            hinted("TIME", "10:00:00")
                && hinted("TIME", "10:00:00.123")
                && !hinted("TIME", "10:00")
        );
        assert!(
            hinted("TIMESTAMP", "2024-02-29 10:00:00.5")
                && !hinted("TIMESTAMP", "2024-02-29T10:00:00")
        );
        assert!(hinted("DECIMAL", "-1.50") && !hinted("DECIMAL", "1e5"));
        assert!(hinted("JSON", "{\"a\":[1]}") && !hinted("JSON", "{"));
        assert!(!hinted("UUID", "a") && !hinted("NUMBER", "1"));
    }
}
