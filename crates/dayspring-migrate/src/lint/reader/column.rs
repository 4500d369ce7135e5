//! Column definitions.

use std::ops::Range;

use super::cursor::{Cursor, Name, TableName, Token, cut_at_commas};
use super::index::{KeyPart, read_key_parts};

/// A column, as a CREATE or ALTER TABLE defines it.
#[derive(Debug, Clone)]
pub(in crate::lint) struct Column {
    pub(in crate::lint) name: Name,
    pub(in crate::lint) data_type: DataType,
    /// `NOT NULL`, said or meant by a primary key.
    pub(in crate::lint) not_null: bool,
    /// `NULL`, said.
    pub(in crate::lint) says_null: bool,
    pub(in crate::lint) default: Option<Default>,
    pub(in crate::lint) auto_increment: bool,
    pub(in crate::lint) generated: Option<Generated>,
    pub(in crate::lint) key: Option<InlineKey>,
    pub(in crate::lint) references: Option<Range<usize>>,
    pub(in crate::lint) check: Option<InlineCheck>,
    pub(in crate::lint) comment: bool,
    pub(in crate::lint) on_update: bool,
    pub(in crate::lint) span: Range<usize>,
}

/// A column's type, under the name that SHOW CREATE TABLE gives it.
#[derive(Debug, Clone)]
pub(in crate::lint) struct DataType {
    pub(in crate::lint) name: String,
    pub(in crate::lint) arguments: Vec<String>,
    /// The parenthesis with the arguments.
    pub(in crate::lint) arguments_span: Option<Range<usize>>,
    pub(in crate::lint) unsigned: bool,
    pub(in crate::lint) zerofill: bool,
    pub(in crate::lint) charset: Option<Name>,
    pub(in crate::lint) collation: Option<Name>,
    /// The N of `SRID N`.
    pub(in crate::lint) srid: Option<String>,
    pub(in crate::lint) span: Range<usize>,
}

impl DataType {
    /// The first argument as a number: the N of VARCHAR(N).
    pub(in crate::lint) fn length(&self) -> Option<u64> {
        self.arguments.first()?.parse().ok()
    }

    pub(in crate::lint) fn is_any(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }

    /// The bytes of an integer type.
    pub(in crate::lint) fn integer_bytes(&self) -> Option<u32> {
        Some(match self.name.as_str() {
            "TINYINT" => 1,
            "SMALLINT" => 2,
            "MEDIUMINT" => 3,
            "INT" => 4,
            "BIGINT" => 8,
            _ => return None,
        })
    }

    /// The power of 256 that the length of a TEXT or BLOB fits in.
    pub(in crate::lint) fn blob_bytes(&self) -> Option<(bool, u32)> {
        Some(match self.name.as_str() {
            "TINYTEXT" => (true, 1),
            "TEXT" => (true, 2),
            "MEDIUMTEXT" => (true, 3),
            "LONGTEXT" => (true, 4),
            "TINYBLOB" => (false, 1),
            "BLOB" => (false, 2),
            "MEDIUMBLOB" => (false, 3),
            "LONGBLOB" => (false, 4),
            _ => return None,
        })
    }

    pub(in crate::lint) fn holds_text(&self) -> bool {
        self.is_any(&["CHAR", "VARCHAR", "ENUM", "SET"])
            || self.blob_bytes().is_some_and(|(is_text, _)| is_text)
    }
}

/// What a column has when an INSERT names no value.
#[derive(Debug, Clone)]
pub(in crate::lint) struct Default {
    pub(in crate::lint) kind: DefaultKind,
    /// The value.
    pub(in crate::lint) span: Range<usize>,
}

/// The form of a DEFAULT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lint) enum DefaultKind {
    /// `DEFAULT NULL`.
    Null,
    /// A number, a text, TRUE or FALSE.
    Literal,
    /// CURRENT_TIMESTAMP and its other names.
    Now,
    /// An expression in parentheses.
    Expression,
    /// A function that is called without parentheses around the call.
    Call,
}

/// `AS (...)`.
#[derive(Debug, Clone)]
pub(in crate::lint) struct Generated {
    pub(in crate::lint) stored: bool,
    /// The word PERSISTENT, MariaDB's for STORED.
    pub(in crate::lint) persistent: Option<Range<usize>>,
}

/// A key that is part of the column's definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lint) enum InlineKey {
    /// `PRIMARY KEY`.
    Primary,
    /// `UNIQUE`.
    Unique,
}

/// A check that is part of the column's definition.
#[derive(Debug, Clone)]
pub(in crate::lint) struct InlineCheck {
    pub(in crate::lint) name: Option<Name>,
    pub(in crate::lint) span: Range<usize>,
    pub(in crate::lint) enforced: bool,
}

/// FIRST or AFTER.
#[derive(Debug, Clone)]
pub(in crate::lint) struct Position {
    pub(in crate::lint) span: Range<usize>,
}

/// Reads `name type attributes ...`; the position is what ALTER TABLE may say at its end.
pub(super) fn read_column(tokens: &[Token<'_>]) -> Option<(Column, Option<Position>)> {
    let mut cursor = Cursor::new(tokens);
    let name = cursor.name()?;
    let data_type = read_type(&mut cursor)?;
    let serial = tokens.get(1).is_some_and(|token| token.is("SERIAL"));
    let start = name.span.start;
    let mut column = Column {
        name,
        data_type,
        not_null: serial,
        says_null: false,
        default: None,
        auto_increment: serial,
        generated: None,
        key: serial.then_some(InlineKey::Unique),
        references: None,
        check: None,
        comment: false,
        on_update: false,
        span: start..cursor.end_of_last(),
    };
    let mut position = None;
    while let Some(token) = cursor.peek() {
        let at = token.start;
        if token.is_any(&["FIRST", "AFTER"]) {
            cursor.next();
            if token.is("AFTER") {
                cursor.name();
            }
            position = Some(Position {
                span: at..cursor.end_of_last(),
            });
            continue;
        }
        read_attribute(&mut cursor, &mut column);
        column.span.end = cursor.end_of_last();
    }
    Some((column, position))
}

/// Reads one attribute, or passes one token.
fn read_attribute(cursor: &mut Cursor<'_, '_>, column: &mut Column) {
    let Some(token) = cursor.next() else { return };
    let start = token.start;
    if token.is("NOT") && cursor.take("NULL") {
        column.not_null = true;
    } else if token.is("NULL") {
        column.says_null = true;
    } else if token.is("DEFAULT") {
        column.default = read_default(cursor);
    } else if token.is("AUTO_INCREMENT") {
        column.auto_increment = true;
    } else if token.is("UNIQUE") {
        cursor.take("KEY");
        column.key = column.key.or(Some(InlineKey::Unique));
    } else if token.is_any(&["PRIMARY", "KEY"]) {
        cursor.take("KEY");
        column.key = Some(InlineKey::Primary);
        column.not_null = true;
    } else if token.is("COMMENT") {
        cursor.next();
        column.comment = true;
    } else if token.is("COLLATE") {
        cursor.take_mark('=');
        column.data_type.collation = cursor.name();
    } else if token.is("CHARSET") || token.is("CHARACTER") && cursor.take("SET") {
        column.data_type.charset = cursor.name();
    } else if token.is("SRID") {
        column.data_type.srid = cursor.next().map(|token| token.text().to_owned());
    } else if token.is("REFERENCES") {
        cursor.table_name();
        cursor.parens();
        column.references = Some(start..cursor.end_of_last());
    } else if token.is("CONSTRAINT") || token.is("CHECK") {
        let name = if token.is("CONSTRAINT") && !cursor.is("CHECK") {
            cursor.name()
        } else {
            None
        };
        if token.is("CHECK") || cursor.take("CHECK") {
            cursor.parens();
            let enforced = !cursor.take_all(&["NOT", "ENFORCED"]);
            column.check = Some(InlineCheck {
                name,
                span: start..cursor.end_of_last(),
                enforced,
            });
        }
    } else if token.is("AS") {
        cursor.parens();
        let word = cursor.peek().map(Token::span);
        let persistent = word.filter(|_| cursor.take("PERSISTENT"));
        column.generated = Some(Generated {
            stored: persistent.is_some() || cursor.take("STORED"),
            persistent,
        });
    } else if token.is("ON") && cursor.take("UPDATE") {
        cursor.next();
        cursor.parens();
        column.on_update = true;
    } else if token.is_mark('(') {
        // Something unknown with an argument of its own.
        let mut depth = 1_usize;
        while let Some(token) = cursor.next() {
            if token.is_mark('(') {
                depth += 1;
            } else if token.is_mark(')') {
                depth -= 1;
            }
            if depth == 0 {
                break;
            }
        }
    }
}

fn read_type(cursor: &mut Cursor<'_, '_>) -> Option<DataType> {
    let first = cursor.next().filter(|token| token.is_word())?;
    let written = first.text().to_ascii_uppercase();
    let mut arguments = Vec::new();
    let (name, mut unsigned) = match written.as_str() {
        "INTEGER" | "INT4" => ("INT", false),
        "INT1" => ("TINYINT", false),
        "INT2" => ("SMALLINT", false),
        "INT3" | "MIDDLEINT" => ("MEDIUMINT", false),
        "INT8" => ("BIGINT", false),
        "BOOL" | "BOOLEAN" => {
            arguments.push("1".to_owned());
            ("TINYINT", false)
        }
        "DEC" | "NUMERIC" | "FIXED" => ("DECIMAL", false),
        "REAL" | "FLOAT8" => ("DOUBLE", false),
        "FLOAT4" => ("FLOAT", false),
        "SERIAL" => ("BIGINT", true),
        "DOUBLE" => {
            cursor.take("PRECISION");
            ("DOUBLE", false)
        }
        "NATIONAL" | "NCHAR" | "CHARACTER" | "NVARCHAR" | "CHAR" | "VARCHARACTER" => {
            let varies =
                written.contains("VAR") || cursor.take_any(&["VARCHAR", "VARCHARACTER", "VARYING"]);
            let varies =
                varies || cursor.take_any(&["CHARACTER", "CHAR"]) && cursor.take("VARYING");
            (if varies { "VARCHAR" } else { "CHAR" }, false)
        }
        "LONG" => {
            cursor.take_any(&["VARCHAR", "VARBINARY"]);
            ("MEDIUMTEXT", false)
        }
        other => (other, false),
    };
    let name = name.to_owned();
    let open = cursor.peek().map(|token| token.start);
    let mut arguments_span = None;
    if let Some(inner) = cursor.parens() {
        arguments = cut_at_commas(inner)
            .into_iter()
            .map(|part| part.iter().map(Token::text).collect())
            .collect();
        arguments_span = open.map(|open| open..cursor.end_of_last());
    }
    let mut zerofill = false;
    loop {
        if cursor.take("UNSIGNED") {
            unsigned = true;
        } else if cursor.take("ZEROFILL") {
            unsigned = true;
            zerofill = true;
        } else if !cursor.take("SIGNED") {
            break;
        }
    }
    Some(DataType {
        name,
        arguments,
        arguments_span,
        unsigned,
        zerofill,
        charset: None,
        collation: None,
        srid: None,
        span: first.start..cursor.end_of_last(),
    })
}

/// Reads what follows the word DEFAULT.
pub(super) fn read_default(cursor: &mut Cursor<'_, '_>) -> Option<Default> {
    let first = cursor.peek()?;
    let start = first.start;
    let kind = if first.is_mark('(') {
        cursor.parens();
        DefaultKind::Expression
    } else {
        cursor.next();
        if first.is("NULL") {
            DefaultKind::Null
        } else if first.is_any(&["CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"]) {
            cursor.parens();
            DefaultKind::Now
        } else if first.is_word() && cursor.peek().is_some_and(|next| next.is_mark('(')) {
            cursor.parens();
            DefaultKind::Call
        } else {
            read_rest_of_literal(cursor, first);
            DefaultKind::Literal
        }
    };
    Some(Default {
        kind,
        span: start..cursor.end_of_last(),
    })
}

/// `-1.5`, `b'0'` and `_utf8mb4'x'` are several tokens.
fn read_rest_of_literal(cursor: &mut Cursor<'_, '_>, first: &Token<'_>) {
    let mut last = *first;
    while let Some(&next) = cursor.peek() {
        let goes_on = last.is_mark('-')
            || last.is_mark('+')
            || next.is_mark('.') && last.is_word()
            || last.is_mark('.') && next.is_word()
            || next.is_text() && last.is_word() && next.start == last.end();
        if !goes_on {
            return;
        }
        cursor.next();
        last = next;
    }
}

/// A foreign key.
#[derive(Debug, Clone)]
pub(in crate::lint) struct ForeignKey {
    pub(in crate::lint) name: Option<Name>,
    pub(in crate::lint) columns: Vec<KeyPart>,
    pub(in crate::lint) parent: TableName,
    pub(in crate::lint) parent_columns: Vec<KeyPart>,
    /// Where FOREIGN KEY stands.
    pub(in crate::lint) span: Range<usize>,
}

/// Reads what follows `FOREIGN KEY`.
pub(super) fn read_foreign_key(
    cursor: &mut Cursor<'_, '_>,
    symbol: Option<Name>,
    start: usize,
) -> Option<ForeignKey> {
    cursor.take_condition();
    let index_name = if cursor.peek().is_some_and(|token| token.is_mark('(')) {
        None
    } else {
        cursor.name()
    };
    let columns = read_key_parts(cursor.parens()?);
    if !cursor.take("REFERENCES") {
        return None;
    }
    let parent = cursor.table_name()?;
    let parent_columns = cursor.parens().map(read_key_parts).unwrap_or_default();
    Some(ForeignKey {
        name: symbol.or(index_name),
        columns,
        parent,
        parent_columns,
        span: start..cursor.end_of_last(),
    })
}
