//! A statement as the rows of the table look at it: its solid tokens, without white space and comments.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use crate::lexer::{Token, TokenKind, tokens};

/// A place of a construct, and what makes it MariaDB's.
#[derive(Debug)]
pub(crate) struct Match {
    pub(crate) range: Range<usize>,
    pub(crate) edits: Vec<Edit>,
}

/// A part of the text that is replaced. An empty part is an insertion.
#[derive(Debug)]
pub(crate) struct Edit {
    range: Range<usize>,
    text: Cow<'static, str>,
}

impl Edit {
    /// Where it begins, in bytes.
    pub(crate) fn start(&self) -> usize {
        self.range.start
    }
}

/// The text with its solid tokens, which the rows address by their number.
#[derive(Debug)]
pub(crate) struct Text<'a> {
    pub(crate) sql: &'a str,
    solid: Vec<Token>,
    /// Of each solid token: a word in capitals, all else as it is.
    capitals: Vec<Cow<'a, str>>,
}

impl<'a> Text<'a> {
    pub(crate) fn new(sql: &'a str) -> Self {
        let solid: Vec<Token> = tokens(sql)
            .into_iter()
            .filter(|token| !matches!(token.kind, TokenKind::Space | TokenKind::Comment))
            .collect();
        let capitals = solid
            .iter()
            .map(|token| {
                let piece = &sql[token.range.clone()];
                if token.kind == TokenKind::Word && piece.bytes().any(|b| b.is_ascii_lowercase()) {
                    Cow::Owned(piece.to_ascii_uppercase())
                } else {
                    Cow::Borrowed(piece)
                }
            })
            .collect();
        Self {
            sql,
            solid,
            capitals,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.solid.len()
    }

    /// All words and marks that are in it.
    pub(crate) fn vocabulary(&self) -> HashSet<&str> {
        self.capitals.iter().map(|word| &**word).collect()
    }

    /// Whether one of the words or marks is in it.
    pub(crate) fn has_any(&self, words: &[&str]) -> bool {
        self.capitals.iter().any(|word| words.contains(&&**word))
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.has_any(&[word])
    }

    /// The token in capitals; nothing behind the end.
    pub(crate) fn word(&self, index: usize) -> &str {
        self.capitals.get(index).map_or("", |word| word)
    }

    /// The token as it is written.
    pub(crate) fn piece(&self, index: usize) -> &'a str {
        self.solid
            .get(index)
            .map_or("", |token| &self.sql[token.range.clone()])
    }

    pub(crate) fn kind(&self, index: usize) -> Option<TokenKind> {
        self.solid.get(index).map(|token| token.kind)
    }

    /// Whether these words or marks stand from here on.
    pub(crate) fn is(&self, index: usize, words: &[&str]) -> bool {
        words
            .iter()
            .enumerate()
            .all(|(offset, word)| self.word(index + offset) == *word)
    }

    /// Where these words or marks stand, by the number of the first.
    pub(crate) fn all(&self, words: &'static [&'static str]) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(|index| self.is(*index, words))
    }

    /// The calls of a function: its name and the parenthesis behind it.
    pub(crate) fn calls(&self, name: &str) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(move |index| {
            self.word(*index) == name
                && self.word(index + 1) == "("
                && (*index == 0 || self.word(index - 1) != ".")
        })
    }

    /// The parenthesis that closes this one.
    pub(crate) fn close(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for index in open..self.len() {
            match self.word(index) {
                "(" => depth += 1,
                ")" => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(index);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The commas between the arguments of a parenthesis.
    pub(crate) fn commas(&self, open: usize, close: usize) -> Vec<usize> {
        let mut depth = 0_usize;
        let mut commas = Vec::new();
        for index in open + 1..close {
            match self.word(index) {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                "," if depth == 0 => commas.push(index),
                _ => {}
            }
        }
        commas
    }

    /// The first token of the list's item that a token stands in: behind the nearest comma or open parenthesis around it.
    pub(crate) fn item(&self, index: usize) -> usize {
        let mut depth = 0_usize;
        for before in (0..index).rev() {
            match self.word(before) {
                ")" => depth += 1,
                "(" | "," if depth == 0 => return before + 1,
                "(" => depth -= 1,
                _ => {}
            }
        }
        0
    }

    /// How many parentheses are open before a token.
    pub(crate) fn depth(&self, index: usize) -> usize {
        self.capitals
            .iter()
            .take(index)
            .fold(0_usize, |depth, word| match &**word {
                "(" => depth + 1,
                ")" => depth.saturating_sub(1),
                _ => depth,
            })
    }

    /// The tokens from one on that stand in no parenthesis.
    pub(crate) fn outer(&self, from: usize) -> impl Iterator<Item = usize> {
        let mut depth = 0_usize;
        (from..self.len()).filter(move |index| {
            match self.word(*index) {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => return depth == 0,
            }
            false
        })
    }

    /// The bytes from one token to another, both included.
    pub(crate) fn range(&self, first: usize, last: usize) -> Range<usize> {
        let end = |index: usize| {
            self.solid
                .get(index)
                .map_or(self.sql.len(), |token| token.range.end)
        };
        let start = self
            .solid
            .get(first)
            .map_or(self.sql.len(), |token| token.range.start);
        start..end(last).max(start)
    }

    /// A construct that is found and left as it is.
    pub(crate) fn found(&self, first: usize, last: usize) -> Match {
        self.edited(first, last, Vec::new())
    }

    pub(crate) fn edited(&self, first: usize, last: usize, edits: Vec<Edit>) -> Match {
        Match {
            range: self.range(first, last),
            edits,
        }
    }

    pub(crate) fn replace(
        &self,
        first: usize,
        last: usize,
        text: impl Into<Cow<'static, str>>,
    ) -> Edit {
        Edit {
            range: self.range(first, last),
            text: text.into(),
        }
    }

    /// Replaces a part that is not made of whole tokens.
    pub(crate) fn span(&self, range: Range<usize>, text: &'static str) -> Edit {
        Edit {
            range,
            text: Cow::Borrowed(text),
        }
    }

    pub(crate) fn before(&self, index: usize, text: impl Into<Cow<'static, str>>) -> Edit {
        let start = self.range(index, index).start;
        Edit {
            range: start..start,
            text: text.into(),
        }
    }

    pub(crate) fn after(&self, index: usize, text: impl Into<Cow<'static, str>>) -> Edit {
        let end = self.range(index, index).end;
        Edit {
            range: end..end,
            text: text.into(),
        }
    }

    /// Takes tokens out, with the white space before them.
    pub(crate) fn remove(&self, first: usize, last: usize) -> Edit {
        let mut range = self.range(first, last);
        range.start = self.sql[..range.start].trim_end().len();
        Edit {
            range,
            text: Cow::Borrowed(""),
        }
    }
}

/// Carries edits out. Of two that overlap the first is taken.
pub(crate) fn apply(sql: &str, mut edits: Vec<Edit>) -> Cow<'_, str> {
    if edits.is_empty() {
        return Cow::Borrowed(sql);
    }
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut out = String::with_capacity(sql.len() + 64);
    let mut position = 0;
    for edit in edits {
        if edit.range.start < position {
            continue;
        }
        out.push_str(&sql[position..edit.range.start]);
        out.push_str(&edit.text);
        position = edit.range.end;
    }
    out.push_str(&sql[position..]);
    Cow::Owned(out)
}
