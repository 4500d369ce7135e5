//! Rows of the server as rows of the engine.

use dayspring_migrate::{Row, Value};
use mysql_async::consts::ColumnType;

/// A row as the engine knows values: the text protocol gives every value as text, and the column says what it is.
pub(super) fn engine_row(row: mysql_async::Row) -> Row {
    let columns = row.columns();
    row.unwrap_raw()
        .into_iter()
        .zip(columns.iter())
        .map(|(value, column)| engine_value(value, column.column_type()))
        .collect()
}

fn engine_value(value: Option<mysql_async::Value>, column_type: ColumnType) -> Value {
    match value {
        None | Some(mysql_async::Value::NULL) => Value::Null,
        Some(mysql_async::Value::Bytes(bytes)) => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            match text.parse() {
                Ok(number) if is_whole_number(column_type) => Value::Long(number),
                _ => Value::Text(text),
            }
        }
        Some(mysql_async::Value::Int(number)) => Value::Long(number),
        Some(other) => Value::Text(other.as_sql(true)),
    }
}

fn is_whole_number(column_type: ColumnType) -> bool {
    matches!(
        column_type,
        ColumnType::MYSQL_TYPE_TINY
            | ColumnType::MYSQL_TYPE_SHORT
            | ColumnType::MYSQL_TYPE_INT24
            | ColumnType::MYSQL_TYPE_LONG
            | ColumnType::MYSQL_TYPE_LONGLONG
            | ColumnType::MYSQL_TYPE_YEAR
    )
}
