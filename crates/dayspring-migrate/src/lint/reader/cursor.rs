//! The tokens of a statement with their bytes in the file, and a walk over them that never fails.

use std::ops::Range;

use crate::lexer::{self, TokenKind};

/// Tokens of a statement that are read; a dump's INSERT has a million of them, and none of the later ones matters.
const TOKENS_MAX: usize = 20_000;

/// A token and where it stands in its file.
#[derive(Debug, Clone, Copy)]
pub(in crate::lint) struct Token<'a> {
    inner: lexer::Token<'a>,
    pub(in crate::lint) start: usize,
    /// Whether it stands in `/*M! */`, which only MariaDB reads.
    pub(in crate::lint) mariadb_only: bool,
}

impl<'a> Token<'a> {
    pub(in crate::lint) fn is(&self, keyword: &str) -> bool {
        self.inner.is(keyword)
    }

    pub(in crate::lint) fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    pub(in crate::lint) fn is_mark(&self, mark: char) -> bool {
        self.inner.is_mark(mark)
    }

    pub(in crate::lint) fn is_word(&self) -> bool {
        self.inner.kind == TokenKind::Word
    }

    pub(in crate::lint) fn is_text(&self) -> bool {
        self.inner.kind == TokenKind::Text
    }

    pub(in crate::lint) fn text(&self) -> &'a str {
        self.inner.text
    }

    pub(in crate::lint) fn end(&self) -> usize {
        self.start + self.inner.text.len()
    }

    pub(in crate::lint) fn span(&self) -> Range<usize> {
        self.start..self.end()
    }

    pub(in crate::lint) fn name(&self) -> Option<Name> {
        Some(Name {
            text: self.inner.name()?,
            span: self.span(),
            quoted: !self.is_word(),
        })
    }

    /// What stands between the quotes of a literal.
    pub(in crate::lint) fn literal(&self) -> Option<&'a str> {
        let text = self.inner.text;
        let quote = text
            .chars()
            .next()
            .filter(|quote| matches!(quote, '\'' | '"'))?;
        let inner = &text[1..];
        Some(inner.strip_suffix(quote).unwrap_or(inner))
    }
}

/// A name as it was written. Two names are one if they differ only in case.
#[derive(Debug, Clone)]
pub(in crate::lint) struct Name {
    pub(in crate::lint) text: String,
    pub(in crate::lint) span: Range<usize>,
    pub(in crate::lint) quoted: bool,
}

impl Name {
    pub(in crate::lint) fn key(&self) -> String {
        self.text.to_lowercase()
    }

    pub(in crate::lint) fn is(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

/// The tokens that a MySQL or MariaDB server executes; executable comments are opened. `start` is where the statement
/// stands in its file.
pub(in crate::lint) fn read_tokens(sql: &str, start: usize) -> Vec<Token<'_>> {
    let base = sql.as_ptr().addr();
    let mut mariadb_only = false;
    let mut found = Vec::new();
    for inner in lexer::significant(sql).take(TOKENS_MAX) {
        match inner.kind {
            TokenKind::ExecutableOpen => mariadb_only = inner.text.starts_with("/*M!"),
            TokenKind::ExecutableClose => mariadb_only = false,
            TokenKind::Word
            | TokenKind::Name
            | TokenKind::Text
            | TokenKind::Punctuation
            | TokenKind::Comment => found.push(Token {
                inner,
                start: start + (inner.text.as_ptr().addr() - base),
                mariadb_only,
            }),
        }
    }
    found
}

/// A walk over tokens. Whatever it is asked, it stays within them.
#[derive(Debug, Clone, Copy)]
pub(in crate::lint) struct Cursor<'t, 'a> {
    tokens: &'t [Token<'a>],
    at: usize,
}

impl<'t, 'a> Cursor<'t, 'a> {
    pub(in crate::lint) fn new(tokens: &'t [Token<'a>]) -> Self {
        Self { tokens, at: 0 }
    }

    pub(in crate::lint) fn rest(&self) -> &'t [Token<'a>] {
        &self.tokens[self.at..]
    }

    /// All tokens, the passed ones too.
    pub(in crate::lint) fn all(&self) -> &'t [Token<'a>] {
        self.tokens
    }

    pub(in crate::lint) fn peek(&self) -> Option<&'t Token<'a>> {
        self.tokens.get(self.at)
    }

    pub(in crate::lint) fn next(&mut self) -> Option<&'t Token<'a>> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    pub(in crate::lint) fn is(&self, keyword: &str) -> bool {
        self.peek().is_some_and(|token| token.is(keyword))
    }

    pub(in crate::lint) fn take(&mut self, keyword: &str) -> bool {
        let found = self.is(keyword);
        self.at += usize::from(found);
        found
    }

    pub(in crate::lint) fn take_any(&mut self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.take(keyword))
    }

    pub(in crate::lint) fn take_all(&mut self, keywords: &[&str]) -> bool {
        let rest = self.rest();
        let found = keywords.len() <= rest.len()
            && keywords
                .iter()
                .zip(rest)
                .all(|(keyword, token)| token.is(keyword));
        if found {
            self.at += keywords.len();
        }
        found
    }

    pub(in crate::lint) fn take_mark(&mut self, mark: char) -> bool {
        let found = self.peek().is_some_and(|token| token.is_mark(mark));
        self.at += usize::from(found);
        found
    }

    /// The words `IF EXISTS` or `IF NOT EXISTS`, and where they stand.
    pub(in crate::lint) fn take_condition(&mut self) -> Option<Range<usize>> {
        let start = self.peek()?.start;
        let found = self.take_all(&["IF", "NOT", "EXISTS"]) || self.take_all(&["IF", "EXISTS"]);
        found.then(|| start..self.end_of_last())
    }

    pub(in crate::lint) fn name(&mut self) -> Option<Name> {
        let name = self.peek()?.name()?;
        self.at += 1;
        Some(name)
    }

    /// The value of an option: a name, or the same in quotes.
    pub(in crate::lint) fn value(&mut self) -> Option<Name> {
        self.take_mark('=');
        let token = self.peek()?;
        let name = token.name().or_else(|| {
            Some(Name {
                text: token.literal()?.to_owned(),
                span: token.span(),
                quoted: true,
            })
        })?;
        self.at += 1;
        Some(name)
    }

    /// `name` or `schema.name`.
    pub(in crate::lint) fn table_name(&mut self) -> Option<TableName> {
        let first = self.name()?;
        if self.take_mark('.') {
            let name = self.name()?;
            return Some(TableName {
                schema: Some(first.text),
                name,
            });
        }
        Some(TableName {
            schema: None,
            name: first,
        })
    }

    /// The tokens between the parenthesis that stands here and its partner.
    pub(in crate::lint) fn parens(&mut self) -> Option<&'t [Token<'a>]> {
        if !self.take_mark('(') {
            return None;
        }
        let first = self.at;
        let mut depth = 1_usize;
        while let Some(token) = self.next() {
            if token.is_mark('(') {
                depth += 1;
            } else if token.is_mark(')') {
                depth -= 1;
                if depth == 0 {
                    return Some(&self.tokens[first..self.at - 1]);
                }
            }
        }
        Some(&self.tokens[first..])
    }

    /// One past the last byte that was passed.
    pub(in crate::lint) fn end_of_last(&self) -> usize {
        self.at
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last))
            .map_or(0, Token::end)
    }
}

/// A table's name as it was written.
#[derive(Debug, Clone)]
pub(in crate::lint) struct TableName {
    pub(in crate::lint) schema: Option<String>,
    pub(in crate::lint) name: Name,
}

impl TableName {
    pub(in crate::lint) fn text(&self) -> &str {
        &self.name.text
    }

    /// What names the table among all tables.
    pub(in crate::lint) fn key(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", schema.to_lowercase(), self.name.key()),
            None => self.name.key(),
        }
    }
}

/// The parts of a list, cut at its commas outside parentheses.
pub(in crate::lint) fn cut_at_commas<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let mut depth = 0_usize;
    tokens
        .split(|token| {
            if token.is_mark('(') {
                depth += 1;
            } else if token.is_mark(')') {
                depth = depth.saturating_sub(1);
            }
            depth == 0 && token.is_mark(',')
        })
        .collect()
}

/// The tokens that stand outside all parentheses.
pub(in crate::lint) fn outside_parens<'t, 'a>(
    tokens: &'t [Token<'a>],
) -> impl Iterator<Item = &'t Token<'a>> {
    let mut depth = 0_usize;
    tokens.iter().filter(move |token| {
        if token.is_mark('(') {
            depth += 1;
        } else if token.is_mark(')') {
            depth = depth.saturating_sub(1);
        }
        depth == 0
    })
}

/// From the first byte of some tokens to their last.
pub(in crate::lint) fn span_of(tokens: &[Token<'_>]) -> Option<Range<usize>> {
    Some(tokens.first()?.start..tokens.last()?.end())
}
