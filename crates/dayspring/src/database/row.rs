//! A result row into a Rust value, by serde.
//!
//! | asked for | given |
//! | --- | --- |
//! | a struct or a map | the columns by their labels (`AS`), in any order |
//! | a tuple | the columns by position |
//! | anything else | the only column of the row |
//!
//! A field converts only where nothing is lost: `TINYINT(1)` (which the Data API gives as a boolean) into a number and a
//! number 0 or 1 into a `bool`; whole numbers that MySQL gives as text (`SUM`, `YEAR`) into an integer; `DECIMAL` stays
//! text unless a float is asked for. A text column is read as JSON when a struct, a map or a list is asked for, or when
//! the column's type is `JSON` and any value is.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};

use super::wire::{ColumnMetadata, Field};

/// Reads one row.
pub(crate) fn from_row<T: DeserializeOwned>(
    columns: &[ColumnMetadata],
    fields: Vec<Field>,
) -> Result<T, RowError> {
    if columns.len() != fields.len() {
        return Err(RowError(format!(
            "the answer describes {} columns and has {} values",
            columns.len(),
            fields.len()
        )));
    }
    T::deserialize(Row { columns, fields })
}

/// What does not fit, with the column's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowError(String);

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RowError {}

impl de::Error for RowError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl RowError {
    fn in_column(self, column: &ColumnMetadata) -> Self {
        Self(format!("column `{}`: {}", column.label, self.0))
    }
}

struct Row<'a> {
    columns: &'a [ColumnMetadata],
    fields: Vec<Field>,
}

impl<'a> Row<'a> {
    fn cells(self) -> Cells<'a> {
        Cells {
            columns: self.columns.iter(),
            fields: self.fields.into_iter(),
            value: None,
        }
    }

    /// The only column's value, for a scalar.
    fn only(mut self) -> Result<Cell<'a>, RowError> {
        match (self.columns, self.fields.pop()) {
            ([column], Some(field)) => Ok(Cell { column, field }),
            (columns, _) => Err(RowError(format!(
                "{} columns ({}) for a single value",
                columns.len(),
                labels(columns)
            ))),
        }
    }
}

fn labels(columns: &[ColumnMetadata]) -> String {
    let labels: Vec<&str> = columns.iter().map(|column| column.label.as_str()).collect();
    labels.join(", ")
}

macro_rules! only_column {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
            let cell = self.only()?;
            let column = cell.column;
            cell.$method(visitor).map_err(|error| error.in_column(column))
        }
    )*};
}

impl<'de> Deserializer<'de> for Row<'_> {
    type Error = RowError;

    only_column! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string
        deserialize_bytes deserialize_byte_buf
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        let columns = self.columns;
        visitor.visit_map(self.cells()).map_err(|error| {
            // serde names a missing field and not what there was instead.
            if error.0.starts_with("missing field") {
                RowError(format!("{}; the columns are {}", error.0, labels(columns)))
            } else {
                error
            }
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_seq(self.cells())
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        if self.columns.len() != length {
            return Err(RowError(format!(
                "{} columns ({}) for a tuple of {length}",
                self.columns.len(),
                labels(self.columns)
            )));
        }
        visitor.visit_seq(self.cells())
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self.fields.as_slice() {
            [Field::IsNull(_)] => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        visitor.visit_unit()
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.only()?.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_unit()
    }
}

/// The cells of a row, from left to right.
struct Cells<'a> {
    columns: std::slice::Iter<'a, ColumnMetadata>,
    fields: std::vec::IntoIter<Field>,
    value: Option<Cell<'a>>,
}

impl<'a> Cells<'a> {
    fn next(&mut self) -> Option<Cell<'a>> {
        Some(Cell {
            column: self.columns.next()?,
            field: self.fields.next()?,
        })
    }
}

impl<'de> MapAccess<'de> for Cells<'_> {
    type Error = RowError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, RowError> {
        let Some(cell) = self.next() else {
            return Ok(None);
        };
        let key: StrDeserializer<'_, RowError> = cell.column.label.as_str().into_deserializer();
        self.value = Some(cell);
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, RowError> {
        let cell = self
            .value
            .take()
            .ok_or_else(|| RowError("a value was asked for before its key".to_owned()))?;
        let column = cell.column;
        seed.deserialize(cell)
            .map_err(|error| error.in_column(column))
    }
}

impl<'de> SeqAccess<'de> for Cells<'_> {
    type Error = RowError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, RowError> {
        let Some(cell) = self.next() else {
            return Ok(None);
        };
        let column = cell.column;
        seed.deserialize(cell)
            .map(Some)
            .map_err(|error| error.in_column(column))
    }
}

/// One value of a row and its column.
struct Cell<'a> {
    column: &'a ColumnMetadata,
    field: Field,
}

impl Cell<'_> {
    fn is_json(&self) -> bool {
        self.column.type_name.eq_ignore_ascii_case("JSON")
    }

    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self.field {
            Field::IsNull(_) => visitor.visit_unit(),
            Field::BooleanValue(value) => visitor.visit_bool(value),
            Field::LongValue(value) => visitor.visit_i64(value),
            Field::DoubleValue(value) => visitor.visit_f64(value),
            Field::StringValue(value) => visitor.visit_string(value),
            Field::BlobValue(value) => visitor.visit_byte_buf(decoded(&value)?),
            Field::ArrayValue(_) => Err(RowError("MySQL has no arrays".to_owned())),
        }
    }

    fn visit_integer<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match &self.field {
            Field::BooleanValue(value) => visitor.visit_i64(i64::from(*value)),
            Field::StringValue(text) => match (text.parse::<i64>(), text.parse::<u64>()) {
                (Ok(value), _) => visitor.visit_i64(value),
                (_, Ok(value)) => visitor.visit_u64(value),
                _ => self.visit(visitor),
            },
            _ => self.visit(visitor),
        }
    }

    fn visit_float<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match &self.field {
            Field::StringValue(text) => match text.parse::<f64>() {
                Ok(value) => visitor.visit_f64(value),
                Err(_) => self.visit(visitor),
            },
            _ => self.visit(visitor),
        }
    }
}

macro_rules! visit_by {
    ($by:ident: $($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
            self.$by(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Cell<'_> {
    type Error = RowError;

    visit_by! { visit_integer:
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }
    visit_by! { visit_float: deserialize_f32 deserialize_f64 }
    visit_by! { visit:
        deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_unit deserialize_identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match &self.field {
            Field::StringValue(text) if self.is_json() => {
                json(text)?.deserialize_any(visitor).map_err(not_json)
            }
            _ => self.visit(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self.field {
            Field::LongValue(0) => visitor.visit_bool(false),
            Field::LongValue(1) => visitor.visit_bool(true),
            _ => self.visit(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self.field {
            Field::IsNull(_) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.visit(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match &self.field {
            Field::StringValue(text) => json(text)?.deserialize_seq(visitor).map_err(not_json),
            Field::BlobValue(text) => {
                visitor.visit_seq(de::value::SeqDeserializer::new(decoded(text)?.into_iter()))
            }
            _ => self.visit(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match &self.field {
            Field::StringValue(text) => json(text)?.deserialize_map(visitor).map_err(not_json),
            _ => self.visit(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        match &self.field {
            Field::StringValue(text) if self.is_json() => json(text)?
                .deserialize_enum(name, variants, visitor)
                .map_err(not_json),
            Field::StringValue(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            _ => self.visit(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_unit()
    }
}

/// A document and not a parser, because the text does not live as long as what is made of it may.
fn json(text: &str) -> Result<serde_json::Value, RowError> {
    serde_json::from_str(text).map_err(not_json)
}

fn not_json(error: serde_json::Error) -> RowError {
    RowError(format!("as JSON: {error}"))
}

fn decoded(base64: &str) -> Result<Vec<u8>, RowError> {
    STANDARD
        .decode(base64)
        .map_err(|error| RowError(format!("the bytes are not base64: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    /// `columns` is `label:TYPE, label:TYPE`; `fields` is the record as the Data API writes it.
    #[track_caller]
    fn read<T: DeserializeOwned>(columns: &str, fields: &str) -> Result<T, String> {
        let columns: Vec<ColumnMetadata> = columns
            .split(", ")
            .map(|column| {
                let (label, type_name) = column.split_once(':').unwrap();
                ColumnMetadata {
                    label: label.to_owned(),
                    name: label.to_owned(),
                    type_name: type_name.to_owned(),
                }
            })
            .collect();
        let fields = serde_json::from_str(fields).unwrap();
        from_row(&columns, fields).map_err(|error| error.to_string())
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Post {
        id: u32,
        title: String,
        is_public: bool,
        rating: Option<f64>,
    }

    #[test]
    fn a_struct_takes_columns_by_label_in_any_order() {
        let post: Post = read(
            "title:VARCHAR, more:INT, rating:DOUBLE, id:INT, is_public:BIT",
            r#"[{"stringValue":"t"},{"longValue":1},{"isNull":true},{"longValue":7},{"booleanValue":true}]"#,
        )
        .unwrap();
        let expected = Post {
            id: 7,
            title: "t".to_owned(),
            is_public: true,
            rating: None,
        };
        assert_eq!(post, expected);
    }

    #[test]
    fn a_tuple_takes_columns_by_position() {
        let row: (i64, String) =
            read("a:INT, b:TEXT", r#"[{"longValue":1},{"stringValue":"x"}]"#).unwrap();
        assert_eq!(row, (1, "x".to_owned()));
    }

    #[test]
    fn a_scalar_takes_the_only_column() {
        assert_eq!(read::<i64>("n:BIGINT", r#"[{"longValue":-3}]"#), Ok(-3));
        assert_eq!(
            read::<Option<i64>>("n:BIGINT", r#"[{"isNull":true}]"#),
            Ok(None)
        );
        assert_eq!(
            read::<Option<i64>>("n:BIGINT", r#"[{"longValue":3}]"#),
            Ok(Some(3))
        );
        assert_eq!(
            read::<i64>("a:INT, b:INT", r#"[{"longValue":1},{"longValue":1}]"#),
            Err("2 columns (a, b) for a single value".to_owned())
        );
    }

    #[test]
    fn numbers_and_booleans_convert_where_nothing_is_lost() {
        assert_eq!(read::<u8>("b:TINYINT", r#"[{"booleanValue":true}]"#), Ok(1));
        assert_eq!(read::<bool>("b:BIGINT", r#"[{"longValue":0}]"#), Ok(false));
        assert_eq!(
            read::<i64>("s:DECIMAL", r#"[{"stringValue":"12"}]"#),
            Ok(12)
        );
        assert_eq!(
            read::<u64>("s:BIGINT", r#"[{"stringValue":"18446744073709551615"}]"#),
            Ok(u64::MAX)
        );
        assert_eq!(
            read::<f64>("d:DECIMAL", r#"[{"stringValue":"1.50"}]"#),
            Ok(1.5)
        );
        assert_eq!(read::<f64>("d:INT", r#"[{"longValue":2}]"#), Ok(2.0));
        assert_eq!(
            read::<String>("d:DECIMAL", r#"[{"stringValue":"1.50"}]"#),
            Ok("1.50".to_owned())
        );
    }

    #[test]
    fn what_does_not_fit_is_an_error_that_names_the_column() {
        insta::assert_snapshot!(
            read::<Post>("id:INT, title:VARCHAR, is_public:BIT, rating:DOUBLE",
                r#"[{"longValue":7},{"isNull":true},{"booleanValue":true},{"isNull":true}]"#).unwrap_err(),
            @"column `title`: invalid type: unit value, expected a string"
        );
        insta::assert_snapshot!(
            read::<u8>("n:INT", r#"[{"longValue":300}]"#).unwrap_err(),
            @"column `n`: invalid value: integer `300`, expected u8"
        );
        insta::assert_snapshot!(
            read::<bool>("n:INT", r#"[{"longValue":2}]"#).unwrap_err(),
            @"column `n`: invalid type: integer `2`, expected a boolean"
        );
        insta::assert_snapshot!(
            read::<Post>("id:INT, name:VARCHAR", r#"[{"longValue":7},{"stringValue":"x"}]"#).unwrap_err(),
            @"missing field `title`; the columns are id, name"
        );
    }

    #[test]
    fn bytes_come_out_of_base64() {
        assert_eq!(
            read::<Vec<u8>>(
                "b:BLOB, c:BLOB",
                r#"[{"blobValue":"AP8="},{"isNull":true}]"#
            )
            .ok(),
            None
        );
        let row: (Vec<u8>, Vec<u8>) = read(
            "b:BLOB, c:BLOB",
            r#"[{"blobValue":"AP8="},{"blobValue":""}]"#,
        )
        .unwrap();
        assert_eq!(row, (vec![0, 255], vec![]));
    }

    #[test]
    fn a_json_column_becomes_a_value_or_a_struct_and_stays_text_for_a_string() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Tags {
            tags: Vec<String>,
        }
        let text = r#"{"tags":["a"]}"#;
        let record = format!("[{}]", serde_json::json!({"stringValue": text}));
        let row: BTreeMap<String, serde_json::Value> = read("j:JSON", &record).unwrap();
        assert_eq!(row["j"], serde_json::json!({"tags": ["a"]}));
        let row: BTreeMap<String, serde_json::Value> = read("j:LONGTEXT", &record).unwrap();
        assert_eq!(row["j"], serde_json::json!(text));
        let (tags,): (Tags,) = read("j:JSON", &record).unwrap();
        assert_eq!(tags.tags, ["a"]);
        assert_eq!(read::<String>("j:JSON", &record), Ok(text.to_owned()));
    }

    #[test]
    fn an_enum_is_read_from_its_text() {
        #[derive(Debug, PartialEq, Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum State {
            Draft,
            Public,
        }
        assert_eq!(
            read::<State>("s:ENUM", r#"[{"stringValue":"public"}]"#),
            Ok(State::Public)
        );
        assert_eq!(
            read::<(State,)>("s:ENUM", r#"[{"stringValue":"draft"}]"#),
            Ok((State::Draft,))
        );
    }

    #[test]
    fn a_row_without_a_shape_is_an_object_of_its_columns() {
        let row: serde_json::Value = read(
            "a:INT, b:DECIMAL",
            r#"[{"longValue":1},{"stringValue":"1.10"}]"#,
        )
        .unwrap();
        assert_eq!(row, serde_json::json!({"a": 1, "b": "1.10"}));
    }
}
