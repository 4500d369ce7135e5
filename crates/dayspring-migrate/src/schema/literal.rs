//! Texts and bytes as literals in one spelling.

/// A text as a literal of one line.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for char in text.chars() {
        match char {
            '\'' => out.push_str("''"),
            '\\' => out.push_str(r"\\"),
            '\0' => out.push_str(r"\0"),
            '\n' => out.push_str(r"\n"),
            '\r' => out.push_str(r"\r"),
            '\t' => out.push_str(r"\t"),
            '\u{1a}' => out.push_str(r"\Z"),
            char => out.push(char),
        }
    }
    out.push('\'');
    out
}

/// What a literal in single quotes stands for, with the escapes of a server without `NO_BACKSLASH_ESCAPES`
/// (<https://dev.mysql.com/doc/refman/8.4/en/string-literals.html>, read 2026-11-23). Nothing where it is none.
pub(super) fn value(literal: &str) -> Option<String> {
    let inner = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        match char {
            '\'' => {
                chars.next().filter(|next| *next == '\'')?;
                out.push('\'');
            }
            '\\' => match chars.next()? {
                '0' => out.push('\0'),
                'b' => out.push('\u{8}'),
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                'Z' => out.push('\u{1a}'),
                // For LIKE, and so two characters.
                pattern @ ('%' | '_') => out.extend(['\\', pattern]),
                other => out.push(other),
            },
            char => out.push(char),
        }
    }
    Some(out)
}

/// An expression as it was before MySQL wrote it down for `information_schema`, which puts backslashes before quotes and
/// backslashes, and tells each byte of a text in UTF-8 as a character of its own (9.7.4; `SHOW CREATE TABLE` does neither).
pub(super) fn expression_of_mysql(told: &str) -> String {
    let mut out = String::with_capacity(told.len());
    let mut chars = told.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => out.extend(chars.next()),
            char => out.push(char),
        }
    }
    let bytes: Result<Vec<u8>, _> = out.chars().map(u8::try_from).collect();
    match bytes.map(String::from_utf8) {
        Ok(Ok(text)) => text,
        _ => out,
    }
}

/// Bytes as MySQL prints them: `0x41FF`.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("0x{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_has_one_spelling() {
        for (written, expected) in [
            (r"'it\'s'", "'it''s'"),
            ("'it''s'", "'it''s'"),
            (r#"'\"'"#, "'\"'"),
            (r"'\\'", r"'\\'"),
            ("'a\nb'", r"'a\nb'"),
            (r"'a\nb'", r"'a\nb'"),
            (r"'\%\_%'", r"'\\%\\_%'"),
            (r"'\\%'", r"'\\%'"),
            (r"'\0\Z\x'", r"'\0\Zx'"),
        ] {
            let value = value(written).unwrap();
            assert_eq!(quoted(&value), expected, "{written}");
        }
        for written in ["'a", "a'", "\"a\"", "'a'b'", r"'\'", ""] {
            assert_eq!(value(written), None, "{written}");
        }
    }

    #[test]
    fn what_mysql_escapes_in_its_information_schema_is_read_as_it_was() {
        for (told, expected) in [
            (r"(`a` <> _utf8mb4\'x\')", "(`a` <> _utf8mb4'x')"),
            (r"_utf8mb4\'it\\\'s\'", r"_utf8mb4'it\'s'"),
            (r"_utf8mb4\'a\\nb\'", r"_utf8mb4'a\nb'"),
            (r"_utf8mb4\'\\\\\'", r"_utf8mb4'\\'"),
            ("_utf8mb4\\'Ã©\\'", "_utf8mb4'é'"),
            ("_utf8mb4\\'â\u{98}\u{83}\\'", "_utf8mb4'☃'"),
            // As a server would tell it that tells it right.
            ("_utf8mb4\\'é\\'", "_utf8mb4'é'"),
            ("_utf8mb4\\'☃\\'", "_utf8mb4'☃'"),
        ] {
            assert_eq!(expression_of_mysql(told), expected);
        }
    }
}
