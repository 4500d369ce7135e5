//! What MySQL 8.0 accepts and MariaDB does not, put in MariaDB's words where the meaning is the same:
//!
//! 1. collations of Unicode 9.0 (`utf8mb4_0900_ai_ci` and its like), by the nearest of MariaDB's without padding;
//! 2. `column->'$.path'` and `column->>'$.path'`, which MySQL defines as `JSON_EXTRACT` and `JSON_UNQUOTE(JSON_EXTRACT())`;
//! 3. `FOR SHARE`, the newer spelling of `LOCK IN SHARE MODE`.
//!
//! Strings and comments are left alone.

use std::borrow::Cow;

use super::lexer::{Token, TokenKind, tokens};

const COLLATIONS: [(&str, &str); 4] = [
    ("utf8mb4_0900_ai_ci", "utf8mb4_uca1400_nopad_ai_ci"),
    ("utf8mb4_0900_as_ci", "utf8mb4_uca1400_nopad_as_ci"),
    ("utf8mb4_0900_as_cs", "utf8mb4_uca1400_nopad_as_cs"),
    ("utf8mb4_0900_bin", "utf8mb4_nopad_bin"),
];

/// The statement in MariaDB's words.
pub(super) fn translate(sql: &str) -> Cow<'_, str> {
    if may_need(sql) {
        Cow::Owned(rewrite(sql, &tokens(sql)))
    } else {
        Cow::Borrowed(sql)
    }
}

/// Most statements have nothing to translate and are not read twice.
fn may_need(sql: &str) -> bool {
    sql.as_bytes().windows(5).any(|part| {
        part.starts_with(b"->") || part == b"_0900" || part.eq_ignore_ascii_case(b"share")
    })
}

fn rewrite(sql: &str, tokens: &[Token]) -> String {
    let mut out = String::with_capacity(sql.len() + 32);
    // Where in `out` the name begins that an arrow would apply to: `column`, `table.column`, in backticks or not.
    let mut name: Option<usize> = None;
    let mut after_dot = false;
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        let piece = &sql[token.range.clone()];
        index += 1;
        match token.kind {
            TokenKind::Space | TokenKind::Comment => out.push_str(piece),
            TokenKind::Word if is_word(sql, token, "FOR") => {
                name = None;
                match next_solid(tokens, index) {
                    Some(share) if is_word(sql, &tokens[share], "SHARE") => {
                        out.push_str("LOCK IN SHARE MODE");
                        index = share + 1;
                    }
                    _ => out.push_str(piece),
                }
            }
            TokenKind::Word | TokenKind::Quoted if !piece.starts_with(['\'', '"']) => {
                if !after_dot || name.is_none() {
                    name = Some(out.len());
                }
                after_dot = false;
                out.push_str(collation(piece));
            }
            TokenKind::Other if piece == "." && name.is_some() => {
                after_dot = true;
                out.push('.');
            }
            TokenKind::Other if piece == "-" => match (name.take(), arrow(sql, tokens, index)) {
                (Some(start), Some(arrow)) => {
                    let column = out.split_off(start);
                    let column = column.trim_end();
                    let path = &sql[tokens[arrow.path].range.clone()];
                    let extract = format!("JSON_EXTRACT({column}, {path})");
                    if arrow.unquotes {
                        out.push_str(&format!("JSON_UNQUOTE({extract})"));
                    } else {
                        out.push_str(&extract);
                    }
                    index = arrow.path + 1;
                }
                _ => out.push_str(piece),
            },
            _ => {
                name = None;
                after_dot = false;
                out.push_str(piece);
            }
        }
    }
    out
}

/// What follows the dash of an arrow.
struct Arrow {
    unquotes: bool,
    /// The token of the path, a string.
    path: usize,
}

fn arrow(sql: &str, tokens: &[Token], after_dash: usize) -> Option<Arrow> {
    let is_head = |index: usize| {
        tokens
            .get(index)
            .is_some_and(|token| &sql[token.range.clone()] == ">")
    };
    if !is_head(after_dash) {
        return None;
    }
    let unquotes = is_head(after_dash + 1);
    let path = next_solid(tokens, after_dash + 1 + usize::from(unquotes))?;
    sql[tokens[path].range.clone()]
        .starts_with(['\'', '"'])
        .then_some(Arrow { unquotes, path })
}

fn next_solid(tokens: &[Token], from: usize) -> Option<usize> {
    (from..tokens.len())
        .find(|index| !matches!(tokens[*index].kind, TokenKind::Space | TokenKind::Comment))
}

fn is_word(sql: &str, token: &Token, word: &str) -> bool {
    token.kind == TokenKind::Word && sql[token.range.clone()].eq_ignore_ascii_case(word)
}

fn collation(word: &str) -> &str {
    COLLATIONS
        .iter()
        .find(|(mysql, _)| mysql.eq_ignore_ascii_case(word))
        .map_or(word, |(_, mariadb)| mariadb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: &str) {
        assert_eq!(translate(sql), expected);
    }

    #[test]
    fn collations_of_unicode_9_become_mariadb_s() {
        check(
            "create table t (a text) collate = UTF8MB4_0900_AI_CI",
            "create table t (a text) collate = utf8mb4_uca1400_nopad_ai_ci",
        );
        check("select 'utf8mb4_0900_ai_ci'", "select 'utf8mb4_0900_ai_ci'");
    }

    #[test]
    fn arrows_become_functions() {
        check(
            "select t.`a`->>'$.x', b -> \"$.y\" from t",
            "select JSON_UNQUOTE(JSON_EXTRACT(t.`a`, '$.x')), JSON_EXTRACT(b, \"$.y\") from t",
        );
        check(
            "select a->b, 5-a, '->' from t",
            "select a->b, 5-a, '->' from t",
        );
        check("select 'a->\"b\"' -- a->'b'", "select 'a->\"b\"' -- a->'b'");
    }

    #[test]
    fn for_share_is_the_lock_in_share_mode() {
        check(
            "select a from t for share skip locked",
            "select a from t LOCK IN SHARE MODE skip locked",
        );
        check(
            "select share from t for update",
            "select share from t for update",
        );
    }
}
