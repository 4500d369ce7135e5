//! The two digests of a statement. The raw one is information; the one of the tokens decides whether two texts are the
//! same statement, so that a formatter, a comment or another line ending changes nothing.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::lexer::{self, TokenKind};

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
        for token in lexer::significant(sql) {
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

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
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
    fn a_digest_reads_back_what_it_shows() {
        let digest = Digest::of_bytes(b"x");
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        assert_eq!(Digest::parse("12"), None);
        assert_eq!(Digest::parse(&"é".repeat(32)), None);
    }
}
