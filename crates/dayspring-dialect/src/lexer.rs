//! Cuts SQL text into the pieces that matter for finding parameters and statements' ends: what is quoted, what is a
//! comment, what is a word.

use std::ops::Range;

/// What a piece of SQL is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// White space.
    Space,
    /// `-- ...`, `#...`, `/* ... */`. Not `/*! ... */`, which the server runs: its marks are `Other`.
    Comment,
    /// Between quotes of any of the three kinds.
    Quoted,
    /// A keyword, a name or a number.
    Word,
    /// `:name`.
    Placeholder,
    /// `;`.
    Semicolon,
    /// `@`, which begins a variable's name.
    At,
    /// Any other mark.
    Other,
}

/// A piece and its place in the text. The pieces of a text join to the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it is, in bytes.
    pub range: Range<usize>,
}

/// All pieces, in order.
#[must_use]
pub fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while start < sql.len() {
        let (kind, length) = next(&sql.as_bytes()[start..]);
        tokens.push(Token {
            kind,
            range: start..start + length,
        });
        start += length;
    }
    tokens
}

fn next(text: &[u8]) -> (TokenKind, usize) {
    match text {
        [b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c, ..] => (
            TokenKind::Space,
            length_while(text, |byte| {
                matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c)
            }),
        ),
        [quote @ (b'\'' | b'"' | b'`'), ..] => (TokenKind::Quoted, quoted(text, *quote)),
        [b'#', ..] => (TokenKind::Comment, line(text)),
        // Two dashes begin a comment only before white space, a control character or the end.
        [b'-', b'-'] => (TokenKind::Comment, 2),
        [b'-', b'-', after, ..] if *after <= b' ' => (TokenKind::Comment, line(text)),
        [b'/', b'*', b'!', ..] => (TokenKind::Other, 3),
        [b'/', b'*', b'M', b'!', ..] => (TokenKind::Other, 4),
        [b'/', b'*', ..] => (TokenKind::Comment, block(text)),
        [b'*', b'/', ..] => (TokenKind::Other, 2),
        [b':', b'=' | b':', ..] => (TokenKind::Other, 2),
        // Some clients number their parameters from 0.
        [b':', first, ..] if first.is_ascii_alphanumeric() || *first == b'_' => (
            TokenKind::Placeholder,
            1 + length_while(&text[1..], |byte| {
                byte.is_ascii_alphanumeric() || byte == b'_'
            }),
        ),
        [b';', ..] => (TokenKind::Semicolon, 1),
        [b'@', ..] => (TokenKind::At, 1),
        [first, ..] if is_word(*first) => (TokenKind::Word, length_while(text, is_word)),
        _ => (TokenKind::Other, 1),
    }
}

/// Bytes above ASCII are parts of characters that may stand in names.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

fn length_while(text: &[u8], mut accepted: impl FnMut(u8) -> bool) -> usize {
    text.iter()
        .position(|byte| !accepted(*byte))
        .unwrap_or(text.len())
}

fn line(text: &[u8]) -> usize {
    length_while(text, |byte| byte != b'\n')
}

fn block(text: &[u8]) -> usize {
    text[2..]
        .windows(2)
        .position(|pair| pair == b"*/")
        .map_or(text.len(), |end| end + 4)
}

/// A quote is escaped by doubling it and, in strings, by a backslash. What is not closed goes on to the end.
fn quoted(text: &[u8], quote: u8) -> usize {
    let mut index = 1;
    while index < text.len() {
        if text[index] == b'\\' && quote != b'`' {
            index += 2;
        } else if text[index] != quote {
            index += 1;
        } else if text.get(index + 1) == Some(&quote) {
            index += 2;
        } else {
            return index + 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: &[&str]) {
        let placeholders: Vec<&str> = tokens(sql)
            .into_iter()
            .filter(|token| token.kind == TokenKind::Placeholder)
            .map(|token| &sql[token.range])
            .collect();
        assert_eq!(placeholders, expected, "{sql}");
        let joined: String = tokens(sql)
            .into_iter()
            .map(|token| &sql[token.range])
            .collect();
        assert_eq!(joined, sql);
    }

    #[test]
    fn placeholders_are_found_in_code_and_nowhere_else() {
        check("select :a, :a,:b1 , :_c", &[":a", ":a", ":b1", ":_c"]);
        check("values (:0, :10)", &[":0", ":10"]);
        check("select ':a' \":b\" `:c` :d", &[":d"]);
        check(r"select 'it\':a' , 'it'':b', :c", &[":c"]);
        check("select `a\\`, :b", &[":b"]);
        check("-- :a\n#:b\n/* :c */ :d --:e", &[":d", ":e"]);
        check("select 1 --\n:a", &[":a"]);
        check("select @a:=1, a::b, :c", &[":c"]);
        check("select /*!40000 :a */ :b", &[":a", ":b"]);
        check("select 'é:a', :ä, :b", &[":b"]);
        check("", &[]);
        check("select ':a", &[]);
        check("/* :a", &[]);
        check("'\\", &[]);
        check("/**/ :a", &[":a"]);
    }
}
