//! Indexes: within a table's definition, and by themselves.

use std::ops::Range;

use super::column::Column;
use super::cursor::{Cursor, Name, Token, cut_at_commas};

/// What an index is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lint) enum IndexKind {
    /// To find rows.
    Plain,
    /// So that no two rows are alike.
    Unique,
    /// The rows' order.
    Primary,
    /// Words in texts.
    Fulltext,
    /// Places.
    Spatial,
}

/// An index.
#[derive(Debug, Clone)]
pub(in crate::lint) struct Index {
    pub(in crate::lint) kind: IndexKind,
    pub(in crate::lint) name: Option<Name>,
    pub(in crate::lint) parts: Vec<KeyPart>,
    /// The words IGNORED or NOT IGNORED.
    pub(in crate::lint) ignored: Option<Range<usize>>,
    pub(in crate::lint) invisible: bool,
    /// From its first word to its last.
    pub(in crate::lint) span: Range<usize>,
    /// Where a name can be put.
    pub(in crate::lint) name_at: usize,
}

impl Index {
    pub(in crate::lint) fn is_unique(&self) -> bool {
        matches!(self.kind, IndexKind::Unique | IndexKind::Primary)
    }

    /// Whether a column is one of its parts.
    pub(in crate::lint) fn has(&self, column: &Column) -> bool {
        self.parts.iter().any(|part| part.is(column))
    }

    /// The columns in order; nothing for an index over an expression.
    pub(in crate::lint) fn columns(&self) -> Option<Vec<(String, Option<u64>)>> {
        self.parts
            .iter()
            .map(|part| Some((part.column.as_ref()?.key(), part.prefix)))
            .collect()
    }
}

/// One of the columns or expressions of an index.
#[derive(Debug, Clone)]
pub(in crate::lint) struct KeyPart {
    /// The column; none for an expression.
    pub(in crate::lint) column: Option<Name>,
    /// The N of `column(N)`.
    pub(in crate::lint) prefix: Option<u64>,
}

impl KeyPart {
    pub(in crate::lint) fn is(&self, column: &Column) -> bool {
        let name = self.column.as_ref();
        name.is_some_and(|name| name.is(&column.name))
    }
}

pub(super) fn read_key_parts(tokens: &[Token<'_>]) -> Vec<KeyPart> {
    cut_at_commas(tokens)
        .into_iter()
        .map(|part| {
            let mut cursor = Cursor::new(part);
            let column = cursor.name();
            let prefix = cursor
                .parens()
                .and_then(|inner| inner.first()?.text().parse().ok());
            KeyPart { column, prefix }
        })
        .collect()
}

/// Reads `[name] [USING x] (parts) options`, whose kind was read before.
pub(super) fn read_index(
    cursor: &mut Cursor<'_, '_>,
    kind: IndexKind,
    symbol: Option<Name>,
    start: usize,
) -> Option<Index> {
    cursor.take_condition();
    let name_at = cursor.end_of_last();
    let is_named = cursor
        .peek()
        .is_some_and(|token| !token.is_mark('(') && !token.is("USING"));
    let name = if is_named { cursor.name() } else { None };
    if cursor.take("USING") {
        cursor.next();
    }
    read_parts_and_options(cursor, kind, name.or(symbol), start, name_at)
}

/// Reads `(parts) options`.
pub(super) fn read_parts_and_options(
    cursor: &mut Cursor<'_, '_>,
    kind: IndexKind,
    name: Option<Name>,
    start: usize,
    name_at: usize,
) -> Option<Index> {
    let parts = read_key_parts(cursor.parens()?);
    let mut index = Index {
        kind,
        name,
        parts,
        ignored: None,
        invisible: false,
        span: start..cursor.end_of_last(),
        name_at,
    };
    while let Some(token) = cursor.peek() {
        let at = token.start;
        if token.is_any(&["ALGORITHM", "LOCK"]) {
            break;
        }
        cursor.next();
        if token.is("INVISIBLE") {
            index.invisible = true;
        } else if token.is("IGNORED") || token.is("NOT") && cursor.take("IGNORED") {
            index.ignored = Some(at..cursor.end_of_last());
        }
        index.span.end = cursor.end_of_last();
    }
    Some(index)
}
