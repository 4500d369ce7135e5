//! The names of a result's columns: what a SELECT's item is called that has no alias is its text, and a translation would
//! change it.

use crate::lexer::TokenKind;
use crate::text::{Edit, Text};

/// An alias can have so many characters (MySQL 8.0, "Identifier Length Limits").
const ALIAS_CHARACTERS_MAX: usize = 256;

/// And so many where it names a column of a view or a table: a view's gets a name of the server's then.
const COLUMN_CHARACTERS_MAX: usize = 64;

/// What may stand between `SELECT` and the first item.
const MODIFIERS: [&str; 9] = [
    "ALL",
    "DISTINCT",
    "DISTINCTROW",
    "HIGH_PRIORITY",
    "STRAIGHT_JOIN",
    "SQL_SMALL_RESULT",
    "SQL_BIG_RESULT",
    "SQL_BUFFER_RESULT",
    "SQL_CALC_FOUND_ROWS",
];

/// What ends the list of items.
const ENDS: [&str; 14] = [
    "FROM",
    "INTO",
    "WHERE",
    "GROUP",
    "HAVING",
    "WINDOW",
    "ORDER",
    "LIMIT",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "FOR",
    "LOCK",
    ";",
];

/// Words behind which a word is a part of the expression and not an alias.
const OPERATORS: [&str; 24] = [
    "AND",
    "OR",
    "XOR",
    "NOT",
    "DIV",
    "MOD",
    "LIKE",
    "REGEXP",
    "RLIKE",
    "COLLATE",
    "BETWEEN",
    "IS",
    "IN",
    "OVER",
    "BINARY",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "INTERVAL",
    "SOUNDS",
    "DATE",
    "TIME",
    "TIMESTAMP",
];

/// Words that end an expression and are no alias.
const CONSTANTS: [&str; 5] = ["NULL", "TRUE", "FALSE", "UNKNOWN", "END"];

/// Aliases for the items that the edits change: each keeps the name that it has on Aurora.
pub(crate) fn keep(text: &Text<'_>, edits: &[Edit]) -> Vec<Edit> {
    if edits.is_empty() || !matches!(text.word(0), "SELECT" | "WITH" | "CREATE") {
        return Vec::new();
    }
    items(text)
        .into_iter()
        .filter(|(first, last)| {
            let item = text.range(*first, *last);
            edits
                .iter()
                .any(|edit| item.start <= edit.start() && edit.start() <= item.end)
        })
        .filter(|(first, last)| !has_alias(text, *first, *last))
        .filter_map(|(first, last)| {
            let written = &text.sql[text.range(first, last)];
            let most = match text.word(0) {
                "CREATE" => COLUMN_CHARACTERS_MAX,
                _ => ALIAS_CHARACTERS_MAX,
            };
            let fits = written.chars().count() <= most;
            fits.then(|| text.after(last, format!(" AS `{}`", written.replace('`', "``"))))
        })
        .collect()
}

/// The items of the outermost SELECT by their first and last token.
pub(crate) fn items(text: &Text<'_>) -> Vec<(usize, usize)> {
    let mut depth = 0_usize;
    let mut first = None;
    let mut items = Vec::new();
    for index in 0..=text.len() {
        let word = text.word(index);
        match (word, first) {
            ("SELECT", None) if depth == 0 => first = Some(index + 1),
            (_, Some(start)) if start == index && MODIFIERS.contains(&word) => {
                first = Some(index + 1);
            }
            (_, Some(start)) if depth == 0 => {
                let ends = index == text.len() || ENDS.contains(&word) || word == ")";
                if (ends || word == ",") && index > start {
                    items.push((start, index - 1));
                }
                if ends {
                    return items;
                }
                if word == "," {
                    first = Some(index + 1);
                }
            }
            _ => {}
        }
        match word {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    items
}

/// In doubt it has one: then the name is MariaDB's, and nothing else is wrong.
fn has_alias(text: &Text<'_>, first: usize, last: usize) -> bool {
    if last == first {
        return false;
    }
    let is_name = matches!(text.kind(last), Some(TokenKind::Word | TokenKind::Quoted))
        && !CONSTANTS.contains(&text.word(last));
    let before = last - 1;
    let is_behind_a_value = match text.kind(before) {
        Some(TokenKind::Word) => !OPERATORS.contains(&text.word(before)),
        Some(TokenKind::Quoted | TokenKind::Placeholder) => true,
        _ => matches!(text.word(before), ")" | "?"),
    };
    is_name && is_behind_a_value
}
