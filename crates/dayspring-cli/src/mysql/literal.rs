//! Values as SQL. A prepared statement would take a round trip more for each statement, because the journal's statements
//! are seldom the same twice, and its texts would be read in whatever character set a script has SET.

use dayspring_migrate::Value;

/// A statement with its named parameters (`:name`) replaced by literals. Names in quotes stay as they are.
pub(super) fn bind(sql: &str, parameters: &[(&str, Value)]) -> String {
    if parameters.is_empty() {
        return sql.to_owned();
    }
    let mut bound = String::with_capacity(sql.len());
    let mut rest = sql;
    // Parameters mostly stand in the order in which they are given: looking for each from the first would take the square
    // of their number.
    let mut next = 0;
    while let Some(at) = rest.find(['\'', '"', '`', ':']) {
        bound.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = if rest.starts_with(':') {
            push_parameter(&mut bound, rest, parameters, &mut next)
        } else {
            let quoted = quoted_length(rest);
            bound.push_str(&rest[..quoted]);
            quoted
        };
        rest = &rest[taken..];
    }
    bound.push_str(rest);
    bound
}

/// The length of the quoted text that `text` begins with; a doubled quote reads as two texts side by side.
fn quoted_length(text: &str) -> usize {
    let quote = &text[..1];
    text[1..].find(quote).map_or(text.len(), |end| end + 2)
}

/// Writes the value of the parameter that `text` begins with, and gives the length of its name with the colon. A colon
/// without a known name stays.
fn push_parameter(
    bound: &mut String,
    text: &str,
    parameters: &[(&str, Value)],
    next: &mut usize,
) -> usize {
    let length = text[1..]
        .find(|char: char| !char.is_ascii_alphanumeric() && char != '_')
        .unwrap_or(text.len() - 1);
    let name = &text[1..=length];
    let is_named = |(known, _): &&(&str, Value)| *known == name;
    let found = parameters
        .get(*next)
        .filter(is_named)
        .or_else(|| parameters.iter().find(is_named));
    match found {
        Some((_, value)) => {
            *next += 1;
            push_literal(bound, value);
            1 + length
        }
        None => {
            bound.push(':');
            1
        }
    }
}

fn push_literal(bound: &mut String, value: &Value) {
    match value {
        Value::Null => bound.push_str("NULL"),
        Value::Long(number) => bound.push_str(&number.to_string()),
        // Every client character set of MySQL reads ASCII as ASCII, and a doubled quote is one in every `sql_mode`.
        Value::Text(text) if text.is_ascii() && !text.contains(['\\', '\0']) => {
            bound.push_str("_utf8mb4'");
            bound.push_str(&text.replace('\'', "''"));
            bound.push('\'');
        }
        Value::Text(text) => {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            bound.push_str("_utf8mb4 X'");
            for byte in text.bytes() {
                bound.push(char::from(DIGITS[usize::from(byte >> 4)]));
                bound.push(char::from(DIGITS[usize::from(byte & 15)]));
            }
            bound.push('\'');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: &str) {
        let text = |text: &str| Value::Text(text.to_owned());
        let parameters = [
            ("n", Value::Long(-7)),
            ("null", Value::Null),
            ("text", text("it's")),
            ("text1", text("a\\é")),
        ];
        assert_eq!(bind(sql, &parameters), expected);
    }

    #[test]
    fn parameters_become_literals_that_no_setting_changes() {
        check("SELECT :n, :null", "SELECT -7, NULL");
        check("a = :text)", "a = _utf8mb4'it''s')");
        check("(:text1, :text)", "(_utf8mb4 X'615CC3A9', _utf8mb4'it''s')");
    }

    #[test]
    fn what_is_no_parameter_stays() {
        check("SELECT ':n', `a:n`, \":n\"", "SELECT ':n', `a:n`, \":n\"");
        check("SELECT 'it''s :n', :n", "SELECT 'it''s :n', -7");
        check("SELECT @a := :other, ':n", "SELECT @a := :other, ':n");
        assert_eq!(bind("SHOW `a:b`", &[]), "SHOW `a:b`");
    }
}
