//! The tokens of one statement, as MySQL's own lexer would see them. It never fails: text that does not close runs to
//! the end, and the server will say what is wrong with it.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A keyword, an unquoted name or a number.
    Word,
    /// A name in backticks.
    Name,
    /// A literal in single or double quotes.
    Text,
    /// One character of anything else.
    Punctuation,
    /// `/*!`, `/*!50003` or `/*M!100100`: what follows is SQL.
    ExecutableOpen,
    /// The `*/` that ends an executable comment.
    ExecutableClose,
    /// A comment of any form, an optimizer hint excepted.
    Comment,
}

/// A piece of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'a> {
    pub(crate) kind: TokenKind,
    pub(crate) text: &'a str,
}

impl<'a> Token<'a> {
    /// Whether this is the keyword, in any case.
    pub(crate) fn is(&self, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    /// Whether this is that one character.
    pub(crate) fn is_mark(&self, mark: char) -> bool {
        self.kind == TokenKind::Punctuation && self.text.starts_with(mark)
    }

    /// Whether `next`, a token of the same text, begins where this one ends.
    pub(crate) fn touches(&self, next: &Self) -> bool {
        self.text.as_ptr().addr() + self.text.len() == next.text.as_ptr().addr()
    }

    /// The name that this token stands for, its quotes removed.
    pub(crate) fn name(&self) -> Option<String> {
        match self.kind {
            TokenKind::Word => Some(self.text.to_owned()),
            TokenKind::Name => Some(unquote(self.text, '`')),
            // With ANSI_QUOTES a name; else MySQL refuses it as one, so reading it so harms nothing.
            TokenKind::Text if self.text.starts_with('"') => Some(unquote(self.text, '"')),
            TokenKind::Text
            | TokenKind::Punctuation
            | TokenKind::ExecutableOpen
            | TokenKind::ExecutableClose
            | TokenKind::Comment => None,
        }
    }
}

fn unquote(text: &str, quote: char) -> String {
    let inner = text.strip_prefix(quote).unwrap_or(text);
    let inner = inner.strip_suffix(quote).unwrap_or(inner);
    let doubled: String = [quote, quote].iter().collect();
    inner.replace(&doubled, quote.encode_utf8(&mut [0; 4]))
}

/// The tokens that carry meaning: no comments.
pub(crate) fn significant(sql: &str) -> impl Iterator<Item = Token<'_>> {
    tokens(sql).filter(|token| token.kind != TokenKind::Comment)
}

/// The tokens that the server executes: no comments, and executable comments opened.
pub(crate) fn executed(sql: &str) -> impl Iterator<Item = Token<'_>> {
    significant(sql).filter(|token| {
        !matches!(
            token.kind,
            TokenKind::ExecutableOpen | TokenKind::ExecutableClose
        )
    })
}

/// All tokens; white space is left out.
pub(crate) fn tokens(sql: &str) -> Tokens<'_> {
    Tokens {
        sql,
        at: 0,
        executable: false,
    }
}

#[derive(Debug)]
pub(crate) struct Tokens<'a> {
    sql: &'a str,
    at: usize,
    executable: bool,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let bytes = self.sql.as_bytes();
        while bytes.get(self.at).copied().is_some_and(is_space) {
            self.at += 1;
        }
        let rest = &bytes[self.at..];
        let &first = rest.first()?;
        let (kind, length) = match first {
            b'\'' | b'"' => (TokenKind::Text, quoted_length(rest, first, true)),
            b'`' => (TokenKind::Name, quoted_length(rest, first, false)),
            b'#' => (TokenKind::Comment, line_length(rest)),
            b'-' if is_dash_comment(rest) => (TokenKind::Comment, line_length(rest)),
            b'/' if rest.get(1) == Some(&b'*') => self.slash_star(rest),
            b'*' if self.executable && rest.get(1) == Some(&b'/') => {
                self.executable = false;
                (TokenKind::ExecutableClose, 2)
            }
            byte if is_word(byte) => (
                TokenKind::Word,
                rest.iter().take_while(|&&byte| is_word(byte)).count(),
            ),
            _ => (TokenKind::Punctuation, 1),
        };
        let text = &self.sql[self.at..self.at + length];
        self.at += length;
        Some(Token { kind, text })
    }
}

impl Tokens<'_> {
    fn slash_star(&mut self, rest: &[u8]) -> (TokenKind, usize) {
        if let Some(opener) = executable_opener_length(rest) {
            self.executable = true;
            let digits = rest[opener..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            return (TokenKind::ExecutableOpen, opener + digits);
        }
        let length = block_comment_length(rest).unwrap_or(rest.len());
        if rest.get(2) == Some(&b'+') {
            // An optimizer hint changes how a statement runs, so it is part of it.
            return (TokenKind::Text, length);
        }
        (TokenKind::Comment, length)
    }
}

/// White space as the client's `my_isspace` sees it.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// The bytes without the white space at both ends; unlike `trim_ascii`, this takes a vertical tab for one.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|&byte| !is_space(byte));
    let end = bytes.iter().rposition(|&byte| !is_space(byte));
    match (start, end) {
        (Some(start), Some(end)) => &bytes[start..=end],
        _ => &[],
    }
}

/// A byte of an unquoted name, a keyword or a number. Everything beyond ASCII belongs to names.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// Whether `--` begins a comment here: only before white space or the end.
pub(crate) fn is_dash_comment(rest: &[u8]) -> bool {
    rest.get(1) == Some(&b'-') && rest.get(2).is_none_or(|&byte| is_space(byte))
}

/// The length of the rest of the line, its line feed not counted.
pub(crate) fn line_length(rest: &[u8]) -> usize {
    memchr::memchr(b'\n', rest).unwrap_or(rest.len())
}

/// The length of `/*!` or `/*M!`, if it stands here.
pub(crate) fn executable_opener_length(rest: &[u8]) -> Option<usize> {
    if rest.starts_with(b"/*!") {
        Some(3)
    } else if rest.starts_with(b"/*M!") {
        Some(4)
    } else {
        None
    }
}

/// The length of the comment that begins here, or `None` when it does not end. Comments do not nest.
pub(crate) fn block_comment_length(rest: &[u8]) -> Option<usize> {
    let body = rest.get(2..)?;
    memchr::memmem::find(body, b"*/").map(|at| at + 4)
}

/// The length of the quoted text that begins here, both quotes included; a doubled quote does not end it. What does
/// not close runs to the end.
fn quoted_length(rest: &[u8], quote: u8, backslash_escapes: bool) -> usize {
    let mut at = 1;
    while let Some(&byte) = rest.get(at) {
        if byte == b'\\' && backslash_escapes {
            at += 2;
        } else if byte == quote {
            if rest.get(at + 1) != Some(&quote) {
                return at + 1;
            }
            at += 2;
        } else {
            at += 1;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: &[&str]) {
        let found: Vec<&str> = significant(sql).map(|token| token.text).collect();
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn two_dashes_are_a_comment_only_before_white_space() {
        check("SELECT 5--1", &["SELECT", "5", "-", "-", "1"]);
        check("SELECT 5-- 1", &["SELECT", "5"]);
        check("SELECT 5--", &["SELECT", "5"]);
    }

    #[test]
    fn comments_do_not_nest_and_conditional_ones_are_kept() {
        check("/* a /* b */ SELECT 1", &["SELECT", "1"]);
        check("/*!50003 CREATE*/ x", &["/*!50003", "CREATE", "*/", "x"]);
        check("/*M!100100 y*/", &["/*M!100100", "y", "*/"]);
        check(
            "SELECT /*+ NO_INDEX(t) */ 1",
            &["SELECT", "/*+ NO_INDEX(t) */", "1"],
        );
    }

    #[test]
    fn quotes_keep_their_escapes() {
        check(
            r"SELECT 'it''s', 'it\'s', `a``b`, `\`",
            &[
                "SELECT", "'it''s'", ",", r"'it\'s'", ",", "`a``b`", ",", r"`\`",
            ],
        );
        check("SELECT 'open", &["SELECT", "'open"]);
        check("SELECT 'é\\", &["SELECT", "'é\\"]);
    }

    #[test]
    fn names_lose_their_quotes() {
        let names: Vec<_> = significant("a `b``c` \"d\" 'e'")
            .filter_map(|token| token.name())
            .collect();
        assert_eq!(names, ["a", "b`c", "d"]);
    }
}
