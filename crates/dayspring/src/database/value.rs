//! Values that a statement's parameters are bound to.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::wire::{Field, SqlParameter};

/// A value for a named parameter. Made by `into()` from Rust's own types, so a call of `bind` rarely names it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// SQL's NULL; `None` of any option.
    Null,
    /// `BOOLEAN`, which is `TINYINT(1)`.
    Bool(bool),
    /// Any whole number that fits 64 bits with a sign.
    Long(i64),
    /// `FLOAT` and `DOUBLE`.
    Double(f64),
    /// Text, and everything that MySQL reads from text: `DECIMAL`, `DATE`, `TIME`, `DATETIME`, `ENUM`.
    Text(String),
    /// `BINARY`, `VARBINARY`, `BLOB`.
    Bytes(Vec<u8>),
    /// A `JSON` document.
    Json(serde_json::Value),
}

impl Value {
    pub(crate) fn into_parameter(self, name: &str) -> SqlParameter {
        let (value, type_hint) = match self {
            Self::Null => (Field::IsNull(true), None),
            Self::Bool(value) => (Field::BooleanValue(value), None),
            Self::Long(value) => (Field::LongValue(value), None),
            Self::Double(value) => (Field::DoubleValue(value), None),
            Self::Text(value) => (Field::StringValue(value), None),
            Self::Bytes(value) => (Field::BlobValue(STANDARD.encode(value)), None),
            Self::Json(value) => (Field::StringValue(value.to_string()), Some("JSON")),
        };
        SqlParameter {
            name: name.to_owned(),
            value,
            type_hint,
        }
    }
}

macro_rules! long_from {
    ($($number:ty),+) => {$(
        impl From<$number> for Value {
            fn from(value: $number) -> Self {
                Self::Long(i64::from(value))
            }
        }
    )+};
}

long_from!(i8, i16, i32, i64, u8, u16, u32);

impl From<u64> for Value {
    /// A number above `i64::MAX` travels as text, which MySQL compares and stores as the number.
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or_else(|_| Self::Text(value.to_string()), Self::Long)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::from(value as u64)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f32> for Value {
    fn from(value: f32) -> Self {
        Self::Double(f64::from(value))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        Self::Json(value)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<&Option<String>> for Value {
    fn from(value: &Option<String>) -> Self {
        value.as_deref().map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: impl Into<Value>, expected: &str) {
        let parameter = value.into().into_parameter("p");
        assert_eq!(serde_json::to_string(&parameter).unwrap(), expected);
    }

    #[test]
    fn each_rust_type_becomes_its_member_of_the_union() {
        check(7_u8, r#"{"name":"p","value":{"longValue":7}}"#);
        check(true, r#"{"name":"p","value":{"booleanValue":true}}"#);
        check(1.5, r#"{"name":"p","value":{"doubleValue":1.5}}"#);
        check("a:b", r#"{"name":"p","value":{"stringValue":"a:b"}}"#);
        check(
            vec![0_u8, 255],
            r#"{"name":"p","value":{"blobValue":"AP8="}}"#,
        );
        check(None::<i64>, r#"{"name":"p","value":{"isNull":true}}"#);
        check(Some("x"), r#"{"name":"p","value":{"stringValue":"x"}}"#);
        check(
            serde_json::json!({"a": 1}),
            r#"{"name":"p","value":{"stringValue":"{\"a\":1}"},"typeHint":"JSON"}"#,
        );
    }

    #[test]
    fn a_number_above_i64_never_wraps() {
        check(
            u64::MAX,
            r#"{"name":"p","value":{"stringValue":"18446744073709551615"}}"#,
        );
    }
}
