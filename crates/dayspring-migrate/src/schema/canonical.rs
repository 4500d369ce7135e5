//! One spelling for what servers spell in several ways.

use super::expression::{is_reserved, query_with_needed_parentheses, with_needed_parentheses};
use super::literal;
use crate::lexer::{self, Token, TokenKind};

/// Which family a server is of, as far as its `information_schema` differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Family {
    #[default]
    MySql,
    MariaDb,
}

/// A column's type in capitals, without a display width: MySQL 8.0.19 shows none, MariaDB always does. `TINYINT(1)` and
/// ZEROFILL keep theirs, as on MySQL, which shows that of `TINYINT(1) UNSIGNED` no more.
pub(super) fn column_type(text: &str) -> String {
    const WIDTHS: [&str; 6] = ["TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "YEAR"];
    let text = upper_outside_quotes(text);
    if text == "GEOMCOLLECTION" {
        return "GEOMETRYCOLLECTION".to_owned();
    }
    let Some((name, rest)) = text.split_once('(') else {
        return text;
    };
    match rest.split_once(')') {
        Some((width, rest))
            if WIDTHS.contains(&name)
                && !rest.contains("ZEROFILL")
                && !(name == "TINYINT" && width == "1" && rest.is_empty()) =>
        {
            format!("{name}{rest}")
        }
        _ => text,
    }
}

fn upper_outside_quotes(text: &str) -> String {
    let mut quoted = false;
    text.chars()
        .map(|char| {
            quoted ^= char == '\'';
            if quoted {
                char
            } else {
                char.to_ascii_uppercase()
            }
        })
        .collect()
}

/// A column's default as it would be written, or nothing for none: NULL is what a column has that names none.
/// MariaDB tells an expression in SQL; MySQL tells a literal's value, and of an expression that it is one.
pub(super) fn default(
    family: Family,
    told: Option<&str>,
    extra: &str,
    column_type: &str,
) -> Option<String> {
    let told = told?;
    let is_of = |types: &[&str]| types.iter().any(|of| column_type.starts_with(of));
    let is_bytes = is_of(&["BINARY", "VARBINARY"]);
    let text = match family {
        Family::MariaDb => expression(told, ""),
        Family::MySql if extra.contains("DEFAULT_GENERATED") => {
            expression(&literal::expression_of_mysql(told), "")
        }
        // As 5.7 tells it, without saying that it is an expression.
        Family::MySql
            if is_of(&["BIT"]) && told.starts_with("b'")
                || is_of(&["TIMESTAMP", "DATETIME"]) && told.starts_with("CURRENT_TIMESTAMP") =>
        {
            expression(told, "")
        }
        Family::MySql if is_bytes && told.starts_with("0x") => told.to_owned(),
        Family::MySql => literal::quoted(told),
    };
    if text.eq_ignore_ascii_case("NULL") {
        return None;
    }
    let value = literal::value(&text);
    Some(match value {
        Some(value) if is_bytes => bytes(&value, column_type),
        Some(value) if is_number(column_type) => value,
        _ => timestamp(&text),
    })
}

fn is_number(column_type: &str) -> bool {
    const NUMBERS: [&str; 9] = [
        "TINYINT",
        "SMALLINT",
        "MEDIUMINT",
        "INT",
        "BIGINT",
        "DECIMAL",
        "FLOAT",
        "DOUBLE",
        "YEAR",
    ];
    NUMBERS.iter().any(|name| column_type.starts_with(name))
}

/// The default of a column of bytes, of which MariaDB tells a text, filled up with zeros where the column has a fixed length,
/// and MySQL the bytes up to the first zero.
fn bytes(text: &str, column_type: &str) -> String {
    let is_fixed = column_type.starts_with("BINARY");
    let bytes = text.as_bytes();
    let end = bytes.iter().position(|&byte| byte == 0 && is_fixed);
    literal::hex(&bytes[..end.unwrap_or(bytes.len())])
}

/// `current_timestamp()`, `now()` and `CURRENT_TIMESTAMP` are one function.
fn timestamp(text: &str) -> String {
    let upper = text.to_ascii_uppercase();
    let Some(rest) = upper
        .strip_prefix("CURRENT_TIMESTAMP")
        .or_else(|| upper.strip_prefix("NOW"))
    else {
        return text.to_owned();
    };
    match rest {
        "" | "()" | "(0)" => "CURRENT_TIMESTAMP".to_owned(),
        rest if rest.starts_with('(') => format!("CURRENT_TIMESTAMP{rest}"),
        _ => text.to_owned(),
    }
}

/// What a column is besides: `AUTO_INCREMENT`, `ON UPDATE CURRENT_TIMESTAMP`, `INVISIBLE`. That it is generated is told
/// with its expression.
pub(super) fn extra(text: &str) -> String {
    let upper = text.to_ascii_uppercase().replace(',', " ");
    let upper = upper
        .replace("DEFAULT_GENERATED", "")
        .replace("VIRTUAL GENERATED", "")
        .replace("STORED GENERATED", "")
        .replace("PERSISTENT", "")
        .replace("()", "");
    upper.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An expression in one spelling: as [`body`], with the parentheses that it needs, where it is understood. Where it is not,
/// only those around the whole are removed.
pub(super) fn expression(text: &str, database: &str) -> String {
    let body = body(text, database);
    if let Some(expression) = with_needed_parentheses(&body) {
        return expression;
    }
    let mut inner = body.as_str();
    while let Some(next) = without_parentheses(inner) {
        inner = next;
    }
    inner.to_owned()
}

/// A view's query, as [`expression`].
pub(super) fn query(text: &str, database: &str, columns: &[String]) -> String {
    let body = body(text, database);
    let columns = columns.iter().map(|column| name(column)).collect();
    query_with_needed_parentheses(&body, columns).unwrap_or(body)
}

/// A name as [`body`] writes it.
fn name(name: &str) -> String {
    if is_simple(name) {
        name.to_owned()
    } else {
        format!("`{}`", name.replace('`', "``"))
    }
}

/// What a routine, trigger or event does, as it was written: one space between tokens, no comments, names without backticks
/// where they need none, without the database before a name and without `_utf8mb4` before a text.
pub(super) fn body(text: &str, database: &str) -> String {
    let mut tokens: Vec<Token<'_>> = lexer::significant(text).collect();
    // MySQL keeps the semicolon of a statement that was sent with others behind it.
    while tokens.last().is_some_and(|token| token.is_mark(';')) {
        tokens.pop();
    }
    let mut out = String::with_capacity(text.len());
    let mut previous: Option<Token<'_>> = None;
    let mut index = 0;
    while let Some(&token) = tokens.get(index) {
        let next = tokens.get(index + 1);
        index += 1;
        let is_introducer = token.kind == TokenKind::Word
            && ["_utf8mb4", "_utf8mb3", "_utf8", "_latin1"]
                .iter()
                .any(|charset| token.is(charset))
            && next.is_some_and(|next| next.kind == TokenKind::Text);
        if is_introducer {
            continue;
        }
        if !database.is_empty()
            && token.kind == TokenKind::Name
            && token.name().as_deref() == Some(database)
            && next.is_some_and(|next| next.is_mark('.'))
        {
            index += 1;
            continue;
        }
        if needs_space(previous, token) {
            out.push(' ');
        }
        match token.name() {
            Some(name) if token.kind == TokenKind::Name && is_simple(&name) => out.push_str(&name),
            _ => match literal::value(token.text) {
                Some(value) if token.kind == TokenKind::Text => {
                    out.push_str(&literal::quoted(&value));
                }
                _ => out.push_str(token.text),
            },
        }
        previous = Some(token);
    }
    out
}

pub(super) fn needs_space(previous: Option<Token<'_>>, token: Token<'_>) -> bool {
    let Some(previous) = previous else {
        return false;
    };
    let is_one_of = |token: Token<'_>, marks: &str| {
        token.kind == TokenKind::Punctuation && token.text.chars().all(|mark| marks.contains(mark))
    };
    let operator = "<>=!|&:";
    !(is_one_of(previous, "(.@")
        || is_one_of(token, "(),.;")
        || is_one_of(previous, operator) && is_one_of(token, operator))
}

fn is_simple(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !is_reserved(name)
}

/// The text between two parentheses that belong together and enclose everything.
fn without_parentheses(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    let mut depth = 0_i64;
    for token in lexer::significant(inner) {
        if token.is_mark('(') {
            depth += 1;
        } else if token.is_mark(')') {
            depth -= 1;
        }
        if depth < 0 {
            return None;
        }
    }
    Some(inner.trim())
}

/// A rule of a foreign key, or nothing where it is the usual one: InnoDB does the same for NO ACTION and RESTRICT, and
/// servers name the usual one differently.
pub(super) fn rule(on: &str, rule: &str) -> String {
    match rule.to_ascii_uppercase().as_str() {
        "NO ACTION" | "RESTRICT" | "" => String::new(),
        rule => format!(" ON {on} {rule}"),
    }
}

/// A table's options beside its engine, collation and comment.
pub(super) fn options(text: &str) -> String {
    let upper = text.to_ascii_uppercase();
    let mut words: Vec<&str> = upper
        .split_whitespace()
        // What every table has, and what is told in full elsewhere.
        .filter(|word| !matches!(*word, "PARTITIONED" | "ROW_FORMAT=DYNAMIC"))
        .collect();
    words.sort_unstable();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_widths_are_dropped_where_mysql_shows_none() {
        let shown = [
            "int(11)",
            "int",
            "bigint(20) unsigned",
            "tinyint(1)",
            "int(5) unsigned zerofill",
            "year(4)",
            "enum('a','B(')",
            "varchar(254)",
            "decimal(10,2)",
        ];
        assert_eq!(
            shown.map(column_type),
            [
                "INT",
                "INT",
                "BIGINT UNSIGNED",
                "TINYINT(1)",
                "INT(5) UNSIGNED ZEROFILL",
                "YEAR",
                "ENUM('a','B(')",
                "VARCHAR(254)",
                "DECIMAL(10,2)"
            ]
        );
    }

    #[test]
    fn defaults_of_both_families_are_spelled_alike() {
        let maria = |told, of| default(Family::MariaDb, Some(told), "", of);
        let mysql = |told, extra, of| default(Family::MySql, Some(told), extra, of);
        assert_eq!(maria("NULL", "INT"), None);
        assert_eq!(default(Family::MySql, None, "", "INT"), None);
        assert_eq!(maria("0", "INT"), mysql("0", "", "INT"));
        assert_eq!(
            maria("'it''s'", "VARCHAR(9)"),
            mysql("it's", "", "VARCHAR(9)")
        );
        assert_eq!(maria("'0'", "VARCHAR(9)").as_deref(), Some("'0'"));
        assert_eq!(
            maria("current_timestamp(6)", "DATETIME(6)"),
            mysql("CURRENT_TIMESTAMP(6)", "DEFAULT_GENERATED", "DATETIME(6)")
        );
        assert_eq!(
            maria("current_timestamp()", "TIMESTAMP"),
            mysql("CURRENT_TIMESTAMP", "DEFAULT_GENERATED", "TIMESTAMP")
        );
        assert_eq!(
            maria("uuid()", "CHAR(36)"),
            mysql("uuid()", "DEFAULT_GENERATED", "CHAR(36)")
        );
        assert_eq!(maria("b'1'", "BIT(1)"), mysql("b'1'", "", "BIT(1)"));
    }

    #[test]
    fn expressions_are_spelled_alike() {
        assert_eq!(expression("(`price` > 0)", ""), "price > 0");
        assert_eq!(expression("`price`>=0", ""), "price >= 0");
        assert_eq!(body("RETURN x * 2; /* dayspring */", ""), "RETURN x * 2");
        assert_eq!(expression("(`a` > 0) and (`b` > 0)", ""), "a > 0 and b > 0");
        assert_eq!(
            body(
                "select `blog`.`users`.`id` AS `id` from `blog`.`users` /* x */",
                "blog"
            ),
            "select users.id AS id from users"
        );
        assert_eq!(
            expression("concat(_utf8mb4'a', `my name`)", ""),
            "concat('a', `my name`)"
        );
        assert_eq!(
            extra("DEFAULT_GENERATED on update CURRENT_TIMESTAMP"),
            extra("on update current_timestamp()")
        );
        assert_eq!(rule("DELETE", "RESTRICT"), rule("DELETE", "NO ACTION"));
    }
}
