//! What becomes of a column's type when a column is defined anew.

use super::reader::{Column, DataType};
use super::schema::Table;

/// What becomes of a column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TypeChange {
    None,
    VarcharGrows,
    /// Its longest value took one byte for its length, and takes two.
    VarcharCrosses255 {
        before: u64,
        after: u64,
    },
    /// Some values of the old type have no place in the new one.
    Narrows,
    /// Members are appended.
    EnumGrows,
    /// Members are appended, and there are so many now that each value takes more bytes.
    EnumWidens,
    /// Members go, or change their places.
    EnumChanges,
    Collation,
    Charset,
    /// From utf8mb3 to utf8mb4, whose texts of three bytes are the same.
    CharsetGrows,
    Other,
}

/// Compares two definitions of a column.
pub(super) fn compare_types(table: &Table, before: &Column, after: &Column) -> TypeChange {
    let (old, new) = (&before.data_type, &after.data_type);
    if old.is_any(&["ENUM", "SET"]) && old.name == new.name {
        return if new.arguments == old.arguments {
            TypeChange::None
        } else if new.arguments.starts_with(&old.arguments) && member_bytes(new) > member_bytes(old)
        {
            TypeChange::EnumWidens
        } else if new.arguments.starts_with(&old.arguments) {
            TypeChange::EnumGrows
        } else {
            TypeChange::EnumChanges
        };
    }
    if narrows(old, new) {
        return TypeChange::Narrows;
    }
    if old.name != new.name || old.unsigned != new.unsigned || old.srid != new.srid {
        return TypeChange::Other;
    }
    let of_length = if old.is_any(&["VARCHAR", "VARBINARY"]) {
        varchar(table, before, after)
    } else if old.integer_bytes().is_some() || arguments(old) == arguments(new) {
        // Display widths of integers are only shown.
        TypeChange::None
    } else {
        TypeChange::Other
    };
    match of_length {
        TypeChange::None | TypeChange::VarcharGrows if new.holds_text() => {
            texts(table, before, after).unwrap_or(of_length)
        }
        // The growing texts are told by their character sets, where these change too.
        TypeChange::VarcharCrosses255 { .. } | TypeChange::Other if new.holds_text() => {
            match texts(table, before, after) {
                Some(TypeChange::Charset | TypeChange::CharsetGrows) => TypeChange::Charset,
                _ => of_length,
            }
        }
        _ => of_length,
    }
}

/// What becomes of a text's character set and collation, if anything does. A definition that no longer says them gives the
/// column the table's.
fn texts(table: &Table, before: &Column, after: &Column) -> Option<TypeChange> {
    let charsets = (table.charset_of(before), table.charset_of(after));
    match charsets {
        (Some(one), Some(other)) if same_charset(&one, &other) => {}
        (Some(one), Some(other)) => {
            let bytes = |column: &Column| {
                let length = column.data_type.length().unwrap_or(1);
                length.saturating_mul(table.bytes_per_character(column))
            };
            let crosses = keeps_length(after) && bytes(before) <= 255 && bytes(after) > 255;
            let grows = same_charset(&one, "utf8mb3") && other == "utf8mb4" && !crosses;
            return Some(if grows {
                TypeChange::CharsetGrows
            } else {
                TypeChange::Charset
            });
        }
        // Only the database knows.
        _ => {}
    }
    (table.collation_of(before) != table.collation_of(after)).then_some(TypeChange::Collation)
}

/// Whether a text keeps its length in bytes, which is one byte up to 255.
fn keeps_length(column: &Column) -> bool {
    column.data_type.is_any(&["CHAR", "VARCHAR"])
}

/// Whether two names of character sets are one: `utf8` is utf8mb3.
pub(super) fn same_charset(one: &str, other: &str) -> bool {
    let name = |charset| match charset {
        "utf8" => "utf8mb3",
        other => other,
    };
    name(one) == name(other)
}

/// The arguments of a type, those that it has without saying so too.
fn arguments(data_type: &DataType) -> Vec<&str> {
    let mut said: Vec<&str> = data_type.arguments.iter().map(String::as_str).collect();
    let implied: &[&str] = match data_type.name.as_str() {
        "DECIMAL" => &["10", "0"],
        "DATETIME" | "TIMESTAMP" | "TIME" => &["0"],
        "CHAR" | "BINARY" | "BIT" => &["1"],
        _ => &[],
    };
    said.extend(implied.iter().skip(said.len()));
    said
}

/// The bytes of one value of an ENUM or SET (dev.mysql.com/doc/refman/8.0/en/storage-requirements.html).
fn member_bytes(data_type: &DataType) -> usize {
    let members = data_type.arguments.len();
    match data_type.name.as_str() {
        "ENUM" if members <= 255 => 1,
        "ENUM" => 2,
        _ if members <= 32 => members.div_ceil(8).max(1),
        _ => 8,
    }
}

fn varchar(table: &Table, before: &Column, after: &Column) -> TypeChange {
    let (Some(old), Some(new)) = (before.data_type.length(), after.data_type.length()) else {
        return TypeChange::Other;
    };
    let old_bytes = old.saturating_mul(table.bytes_per_character(before));
    let new_bytes = new.saturating_mul(table.bytes_per_character(after));
    if old == new {
        TypeChange::None
    } else if old_bytes <= 255 && new_bytes > 255 {
        TypeChange::VarcharCrosses255 {
            before: old_bytes,
            after: new_bytes,
        }
    } else {
        TypeChange::VarcharGrows
    }
}

fn narrows(old: &DataType, new: &DataType) -> bool {
    if let (Some(one), Some(other)) = (old.integer_bytes(), new.integer_bytes()) {
        return other < one
            || !old.unsigned && new.unsigned
            || old.unsigned && !new.unsigned && other == one;
    }
    if let (Some((_, one)), Some((_, other))) = (old.blob_bytes(), new.blob_bytes()) {
        return other < one;
    }
    if old.blob_bytes().is_some() {
        return new.is_any(&["VARCHAR", "CHAR", "VARBINARY", "BINARY", "ENUM", "SET"]);
    }
    if old.name == "DOUBLE" && new.name == "FLOAT" || old.name == "DATETIME" && new.name == "DATE" {
        return true;
    }
    if old.name == "DECIMAL" && new.name == "DECIMAL" {
        let digits = |data_type: &DataType| -> (u64, u64) {
            let at = |index: usize| {
                data_type
                    .arguments
                    .get(index)
                    .and_then(|text| text.parse().ok())
            };
            let scale: u64 = at(1).unwrap_or(0);
            (at(0).unwrap_or(10_u64).saturating_sub(scale), scale)
        };
        let (one, other) = (digits(old), digits(new));
        return other.0 < one.0 || other.1 < one.1;
    }
    let sized = ["VARCHAR", "CHAR", "VARBINARY", "BINARY", "BIT"];
    if old.is_any(&sized) && new.is_any(&sized) {
        return new.length().unwrap_or(1) < old.length().unwrap_or(1);
    }
    false
}
