//! The two digests of a statement. The raw one is information; the one of the tokens decides whether two texts are the
//! same statement, so that a formatter, a comment or another line ending changes nothing.
//!
//! Two texts that mean different things must not share it. White space counts where it parts what would be one token
//! without it (`x '41'` is a column and its alias, `x'41'` a literal). Where a script has set a mode under which literals
//! end elsewhere, a text with a backslash is taken as it is. Two things are left alone that can tell texts apart: a line
//! ending inside a literal, which a checkout may change, and the white space before a parenthesis, by which MySQL tells
//! its own function from a stored one of the same name.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::lexer::{self, Token, TokenKind};

/// A SHA-256, shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of bytes as they are.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of a statement's tokens: white space and comments are ignored, `/*! */` is kept, and a line ending
    /// inside a literal counts as `\n` whatever it is in the file.
    #[must_use]
    pub fn of_tokens(sql: &str) -> Self {
        let mut hasher = Sha256::new();
        let mut before: Option<Token<'_>> = None;
        for token in lexer::significant(sql) {
            if before.is_some_and(|before| is_parted(&before, &token)) {
                hasher.update([1]);
            }
            before = Some(token);
            if token.kind == TokenKind::Text && token.text.contains('\r') {
                hasher.update(token.text.replace("\r\n", "\n").as_bytes());
            } else {
                hasher.update(token.text.as_bytes());
            }
            // No token holds a NUL (the splitter refuses it), so the boundary is unambiguous.
            hasher.update([0]);
        }
        Self(hasher.finalize().into())
    }

    /// The digest of a statement that is read under NO_BACKSLASH_ESCAPES or ANSI_QUOTES. Without a backslash its tokens
    /// are the same as ever; with one, only its bytes are certain.
    #[must_use]
    pub(crate) fn of_unusual(sql: &str) -> Self {
        if sql.contains('\\') {
            Self::of_bytes(sql.replace("\r\n", "\n").as_bytes())
        } else {
            Self::of_tokens(sql)
        }
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn parse(hex: &str) -> Option<Self> {
        let bytes = hex.as_bytes();
        if bytes.len() != 64 {
            return None;
        }
        let mut digest = [0; 32];
        for (byte, pair) in digest.iter_mut().zip(bytes.chunks_exact(2)) {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        Some(Self(digest))
    }
}

/// Whether two tokens would be one without the white space or the comment between them.
fn is_parted(before: &Token<'_>, token: &Token<'_>) -> bool {
    if before.kind != TokenKind::Word || before.touches(token) {
        return false;
    }
    let prefixes_text = ["x", "b", "n"]
        .iter()
        .any(|prefix| before.text.eq_ignore_ascii_case(prefix));
    // `1e +5`
    let is_number = before.text.starts_with(|char: char| char.is_ascii_digit())
        && before.text.ends_with(['e', 'E']);
    prefixes_text && token.text.starts_with('\'')
        || is_number && (token.is_mark('+') || token.is_mark('-'))
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        // The journal's rows are mostly digests: formatting byte by byte would take longer than computing them.
        let mut hex = String::with_capacity(64);
        for byte in self.0 {
            hex.push(char::from(DIGITS[usize::from(byte >> 4)]));
            hex.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        f.write_str(&hex)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(one: &str, other: &str, same: bool) {
        assert_eq!(
            Digest::of_tokens(one) == Digest::of_tokens(other),
            same,
            "{one} | {other}"
        );
    }

    #[test]
    fn white_space_comments_and_line_ends_do_not_change_a_statement() {
        check("SELECT a,b FROM t", "SELECT a , b\r\n  FROM t -- c", true);
        check("SELECT /* why */ 1", "SELECT 1", true);
        check("SELECT 'a\r\nb'", "SELECT 'a\nb'", true);
    }

    #[test]
    fn text_case_order_and_conditional_comments_do() {
        check("SELECT 'a  b'", "SELECT 'a b'", false);
        check("SELECT a", "SELECT A", false);
        check("SELECT 'a' 'b'", "SELECT 'a''b'", false);
        check("SELECT 1 /*! + 1 */", "SELECT 1", false);
        check("SELECT 1 /*! + 1 */", "SELECT 1 + 1", false);
    }

    #[test]
    fn white_space_counts_where_it_makes_two_tokens_of_one() {
        check("SELECT x'41'", "SELECT x '41'", false);
        check("SELECT x '41'", "SELECT x /**/ '41'", true);
        check("SELECT B'1'", "SELECT B '1'", false);
        check("SELECT 1e+5", "SELECT 1e + 5", false);
        check("SELECT _utf8mb4'a'", "SELECT _utf8mb4 'a'", true);
        check("SELECT n+5", "SELECT n + 5", true);
    }

    #[test]
    fn a_script_that_sets_another_reading_of_literals_gets_no_two_texts_for_one() {
        let digest = |mode: &str, sql: &str| {
            let script = format!("SET sql_mode = '{mode}';\n{sql};");
            let scripts = crate::Scripts::parse("", [("v1.sql", script)]).unwrap();
            let statements = &scripts.iter().next().unwrap().statements;
            assert_eq!(statements.len(), 2, "{mode} {sql}");
            statements[1].digest
        };
        // To this mode the first literal ends at its backslash, and `-- b` stands in the second.
        let (one, other) = (
            r"INSERT INTO t VALUES ('a\', '-- b')",
            r"INSERT INTO t VALUES ('a\', '-- c')",
        );
        let (spaces, more) = (
            r"INSERT INTO t VALUES ('a\', ' b')",
            r"INSERT INTO t VALUES ('a\', '  b')",
        );
        for (one, other) in [(one, other), (spaces, more)] {
            let mode = "NO_BACKSLASH_ESCAPES";
            assert_ne!(digest(mode, one), digest(mode, other), "{one} | {other}");
        }
        let (one, other) = (r#"SELECT "a\", "  b""#, r#"SELECT "a\", " b""#);
        assert_ne!(digest("ANSI_QUOTES", one), digest("ANSI_QUOTES", other));
        assert_eq!(digest("ANSI", "SELECT  1"), digest("ANSI", "SELECT 1 -- c"));
        assert_eq!(digest("", "SELECT  1"), Digest::of_tokens("SELECT 1"));
    }

    #[test]
    fn a_digest_reads_back_what_it_shows() {
        let digest = Digest::of_bytes(b"x");
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        assert_eq!(Digest::parse("12"), None);
        assert_eq!(Digest::parse(&"é".repeat(32)), None);
    }
}
