//! A result's column: which member of `Field` its values take, and its `ColumnMetadata`.
//!
//! What AWS does with BIT(n > 1), SET and BIGINT UNSIGNED above 2^63 is not documented; see [`Kind`] for what is chosen.

use mysql_async::Column;
use mysql_async::consts::{ColumnFlags, ColumnType};
use serde::Serialize;

/// The character set number of bytes that are no text.
const BINARY: u16 = 63;

/// Bytes that one character may take in utf8mb4: the server tells lengths in bytes.
const CHARACTER_BYTES: u32 = 4;

/// How a column's values are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// TINYINT(1), BIT(1).
    Boolean,
    /// All whole numbers; unsigned ones above 2^63 go out as text, since `longValue` cannot hold them.
    Long,
    /// BIT(n): as a whole number.
    Bits,
    Float,
    Double,
    /// As text, with its scale.
    Decimal {
        scale: u8,
    },
    /// CHAR, TEXT, ENUM, SET, JSON of a MySQL server.
    Text,
    /// JSON of a MariaDB server, which keeps the text as it was sent.
    Json,
    Blob,
    Date,
    /// With so many digits behind the second, where there is a fraction at all.
    Time {
        digits: u8,
    },
    DateTime {
        digits: u8,
    },
    /// As text.
    Year,
    /// GEOMETRY.
    Unsupported,
}

/// `ColumnMetadata`, in the order of the service's model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ColumnMetadata {
    array_base_column_type: i32,
    is_auto_increment: bool,
    is_case_sensitive: bool,
    is_currency: bool,
    is_signed: bool,
    label: String,
    name: String,
    nullable: i32,
    precision: u32,
    scale: u8,
    schema_name: String,
    table_name: String,
    /// One of `java.sql.Types`.
    r#type: i32,
    type_name: String,
}

pub(super) fn kind(column: &Column) -> Kind {
    use ColumnType::*;
    let digits = if column.decimals() <= 6 {
        column.decimals()
    } else {
        6
    };
    match column.column_type() {
        MYSQL_TYPE_TINY if column.column_length() == 1 => Kind::Boolean,
        MYSQL_TYPE_BIT if column.column_length() == 1 => Kind::Boolean,
        MYSQL_TYPE_TINY | MYSQL_TYPE_SHORT | MYSQL_TYPE_INT24 | MYSQL_TYPE_LONG
        | MYSQL_TYPE_LONGLONG => Kind::Long,
        MYSQL_TYPE_BIT => Kind::Bits,
        MYSQL_TYPE_FLOAT => Kind::Float,
        MYSQL_TYPE_DOUBLE => Kind::Double,
        MYSQL_TYPE_DECIMAL | MYSQL_TYPE_NEWDECIMAL => Kind::Decimal {
            scale: column.decimals(),
        },
        MYSQL_TYPE_DATE | MYSQL_TYPE_NEWDATE => Kind::Date,
        MYSQL_TYPE_TIME | MYSQL_TYPE_TIME2 => Kind::Time { digits },
        MYSQL_TYPE_DATETIME
        | MYSQL_TYPE_DATETIME2
        | MYSQL_TYPE_TIMESTAMP
        | MYSQL_TYPE_TIMESTAMP2 => Kind::DateTime { digits },
        MYSQL_TYPE_YEAR => Kind::Year,
        MYSQL_TYPE_GEOMETRY => Kind::Unsupported,
        _ if is_blob(column) => Kind::Blob,
        _ => Kind::Text,
    }
}

/// ENUM and SET say so by their flag and keep the character set of their column; NULL has none of its own.
fn is_blob(column: &Column) -> bool {
    column.character_set() == BINARY
        && !matches!(
            column.column_type(),
            ColumnType::MYSQL_TYPE_NULL
                | ColumnType::MYSQL_TYPE_JSON
                | ColumnType::MYSQL_TYPE_ENUM
                | ColumnType::MYSQL_TYPE_SET
        )
        && !column
            .flags()
            .intersects(ColumnFlags::ENUM_FLAG | ColumnFlags::SET_FLAG)
}

/// Whether a column could be one that MySQL calls JSON: MariaDB keeps those as LONGTEXT of the collation `utf8mb4_bin` with a
/// check.
pub(super) fn may_be_json(column: &Column) -> bool {
    column.column_type() == ColumnType::MYSQL_TYPE_BLOB
        && column.character_set() != BINARY
        && column.column_length() == u32::MAX
        && column.flags().contains(ColumnFlags::BINARY_FLAG)
        && !column.org_table_ref().is_empty()
}

pub(super) fn metadata(column: &Column, is_json: bool) -> ColumnMetadata {
    let kind = kind(column);
    let is_json = is_json || column.column_type() == ColumnType::MYSQL_TYPE_JSON;
    let (type_name, code) = type_name(column, is_json);
    let flags = column.flags();
    let number = matches!(
        kind,
        Kind::Long | Kind::Bits | Kind::Float | Kind::Double | Kind::Decimal { .. }
    ) || column.column_type() == ColumnType::MYSQL_TYPE_TINY;
    ColumnMetadata {
        array_base_column_type: 0,
        is_auto_increment: flags.contains(ColumnFlags::AUTO_INCREMENT_FLAG),
        // The server says so of a text by its collation; of a date too, where it means nothing.
        is_case_sensitive: is_json
            || kind == Kind::Blob
            || (kind == Kind::Text && flags.contains(ColumnFlags::BINARY_FLAG)),
        is_currency: false,
        is_signed: number && !flags.contains(ColumnFlags::UNSIGNED_FLAG),
        label: column.name_str().into_owned(),
        name: if column.org_name_ref().is_empty() {
            column.name_str().into_owned()
        } else {
            column.org_name_str().into_owned()
        },
        nullable: i32::from(!flags.contains(ColumnFlags::NOT_NULL_FLAG)),
        // The service's model has it as a signed number of 32 bits; LONGTEXT is longer.
        precision: precision(column, kind).min(i32::MAX.unsigned_abs()),
        scale: match kind {
            Kind::Decimal { scale } => scale,
            Kind::Float | Kind::Double if column.decimals() < 31 => column.decimals(),
            Kind::Time { digits } | Kind::DateTime { digits } => digits,
            _ => 0,
        },
        schema_name: String::new(),
        table_name: column.org_table_str().into_owned(),
        r#type: code,
        type_name,
    }
}

/// MySQL's name of the type with its number in `java.sql.Types`, which the service's metadata speaks.
fn type_name(column: &Column, is_json: bool) -> (String, i32) {
    use ColumnType::*;
    let flags = column.flags();
    let binary = is_blob(column);
    let text = |text: &'static str, blob: &'static str| if binary { blob } else { text };
    let (name, code) = match column.column_type() {
        _ if is_json => ("JSON", -1),
        _ if flags.contains(ColumnFlags::ENUM_FLAG) => ("ENUM", 1),
        _ if flags.contains(ColumnFlags::SET_FLAG) => ("SET", 1),
        MYSQL_TYPE_TINY if column.column_length() == 1 => return ("BIT".to_owned(), -7),
        MYSQL_TYPE_BIT => ("BIT", -7),
        MYSQL_TYPE_TINY => ("TINYINT", -6),
        MYSQL_TYPE_SHORT => ("SMALLINT", 5),
        MYSQL_TYPE_INT24 => ("MEDIUMINT", 4),
        MYSQL_TYPE_LONG => ("INT", 4),
        MYSQL_TYPE_LONGLONG => ("BIGINT", -5),
        MYSQL_TYPE_FLOAT => ("FLOAT", 7),
        MYSQL_TYPE_DOUBLE => ("DOUBLE", 8),
        MYSQL_TYPE_DECIMAL | MYSQL_TYPE_NEWDECIMAL => ("DECIMAL", 3),
        MYSQL_TYPE_DATE | MYSQL_TYPE_NEWDATE => ("DATE", 91),
        MYSQL_TYPE_TIME | MYSQL_TYPE_TIME2 => ("TIME", 92),
        MYSQL_TYPE_DATETIME | MYSQL_TYPE_DATETIME2 => ("DATETIME", 93),
        MYSQL_TYPE_TIMESTAMP | MYSQL_TYPE_TIMESTAMP2 => ("TIMESTAMP", 93),
        MYSQL_TYPE_YEAR => return ("YEAR".to_owned(), 91),
        MYSQL_TYPE_JSON => ("JSON", -1),
        MYSQL_TYPE_NULL => ("NULL", 0),
        MYSQL_TYPE_GEOMETRY => ("GEOMETRY", -2),
        MYSQL_TYPE_STRING => (text("CHAR", "BINARY"), if binary { -2 } else { 1 }),
        MYSQL_TYPE_VAR_STRING | MYSQL_TYPE_VARCHAR => {
            (text("VARCHAR", "VARBINARY"), if binary { -3 } else { 12 })
        }
        _ => (long_name(column, binary), if binary { -4 } else { -1 }),
    };
    let unsigned =
        flags.contains(ColumnFlags::UNSIGNED_FLAG) && matches!(code, -6 | 5 | 4 | -5 | 7 | 8 | 3);
    let name = if unsigned {
        format!("{name} UNSIGNED")
    } else {
        name.to_owned()
    };
    (name, code)
}

/// The server names all TEXT and BLOB types alike and tells them apart by length.
fn long_name(column: &Column, binary: bool) -> &'static str {
    match (characters(column, binary), binary) {
        (0..=0xff, false) => "TINYTEXT",
        (0..=0xff, true) => "TINYBLOB",
        (0..=0xffff, false) => "TEXT",
        (0..=0xffff, true) => "BLOB",
        (0..=0xff_ffff, false) => "MEDIUMTEXT",
        (0..=0xff_ffff, true) => "MEDIUMBLOB",
        (_, false) => "LONGTEXT",
        (_, true) => "LONGBLOB",
    }
}

fn characters(column: &Column, binary: bool) -> u32 {
    if binary || column.column_length() == u32::MAX {
        column.column_length()
    } else {
        column.column_length() / CHARACTER_BYTES
    }
}

fn precision(column: &Column, kind: Kind) -> u32 {
    use ColumnType::*;
    let unsigned = column.flags().contains(ColumnFlags::UNSIGNED_FLAG);
    let fraction = |digits: u8| {
        if digits == 0 {
            0
        } else {
            1 + u32::from(digits)
        }
    };
    match (column.column_type(), kind) {
        (_, Kind::Boolean) => 1,
        (MYSQL_TYPE_TINY, _) => 3,
        (MYSQL_TYPE_SHORT, _) => 5,
        (MYSQL_TYPE_INT24, _) => 7 + u32::from(unsigned),
        (MYSQL_TYPE_LONG, _) => 10,
        (MYSQL_TYPE_LONGLONG, _) => 19 + u32::from(unsigned),
        (_, Kind::Float) => 12,
        (_, Kind::Double) => 22,
        (_, Kind::Decimal { scale }) => column
            .column_length()
            .saturating_sub(u32::from(scale > 0) + u32::from(!unsigned)),
        (_, Kind::Date) => 10,
        (_, Kind::Year) => 4,
        (_, Kind::Time { digits }) => 8 + fraction(digits),
        (_, Kind::DateTime { digits }) => 19 + fraction(digits),
        (_, Kind::Text | Kind::Json) => characters(column, false),
        (_, Kind::Long | Kind::Bits | Kind::Blob | Kind::Unsupported) => column.column_length(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(column_type: ColumnType, length: u32) -> Column {
        Column::new(column_type)
            .with_column_length(length)
            .with_character_set(45)
            .with_name(b"label")
            .with_org_name(b"name")
            .with_org_table(b"table")
    }

    #[test]
    fn metadata_is_as_the_service_shows_a_key() {
        let column = column(ColumnType::MYSQL_TYPE_LONG, 10).with_flags(
            ColumnFlags::UNSIGNED_FLAG
                | ColumnFlags::NOT_NULL_FLAG
                | ColumnFlags::AUTO_INCREMENT_FLAG,
        );
        insta::assert_snapshot!(
            serde_json::to_string(&metadata(&column, false)).unwrap(),
            @r#"{"arrayBaseColumnType":0,"isAutoIncrement":true,"isCaseSensitive":false,"isCurrency":false,"isSigned":false,"label":"label","name":"name","nullable":0,"precision":10,"scale":0,"schemaName":"","tableName":"table","type":4,"typeName":"INT UNSIGNED"}"#
        );
    }

    #[test]
    fn lengths_are_characters_and_tell_the_long_types_apart() {
        let name = |column_type, length| {
            let metadata = metadata(&column(column_type, length), false);
            (metadata.type_name, metadata.precision)
        };
        use ColumnType::*;
        assert_eq!(name(MYSQL_TYPE_VAR_STRING, 400), ("VARCHAR".into(), 100));
        assert_eq!(name(MYSQL_TYPE_BLOB, 1020), ("TINYTEXT".into(), 255));
        assert_eq!(name(MYSQL_TYPE_BLOB, 262_140), ("TEXT".into(), 65_535));
        assert_eq!(
            name(MYSQL_TYPE_BLOB, u32::MAX),
            ("LONGTEXT".into(), 2_147_483_647)
        );
    }

    #[test]
    fn a_boolean_is_a_tinyint_of_one_digit() {
        assert_eq!(kind(&column(ColumnType::MYSQL_TYPE_TINY, 1)), Kind::Boolean);
        assert_eq!(kind(&column(ColumnType::MYSQL_TYPE_TINY, 4)), Kind::Long);
        assert_eq!(kind(&column(ColumnType::MYSQL_TYPE_LONG, 1)), Kind::Long);
    }
}
