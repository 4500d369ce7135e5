//! What Aurora MySQL 3 and MariaDB understand differently, as one table, and a statement of the one in words of the other.
//!
//! Knows neither a server, nor a file, nor a wire: text goes in, and text and findings come out.
//!
//! ```
//! let reading = dayspring_dialect::read("SELECT data->>'$.name' FROM post FOR SHARE");
//! assert_eq!(
//!     reading.sql,
//!     "SELECT JSON_UNQUOTE(JSON_EXTRACT(data, '$.name')) AS `data->>'$.name'` FROM post LOCK IN SHARE MODE"
//! );
//! let ids: Vec<_> = reading.found.iter().map(|found| found.construct.id).collect();
//! assert_eq!(ids, ["json-arrow", "for-share"]);
//! ```

#![warn(missing_docs)]

mod columns;
mod constructs;
mod docs;
mod errors;
mod labels;
pub mod lexer;
mod text;

use std::borrow::Cow;
use std::ops::Range;

pub use docs::render_page;
pub use errors::{ServerError, aurora_error};
use text::{Edit, Match, Text};

/// What is done about a construct that the two servers do not understand alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// Aurora takes it and MariaDB does not: the local cloud sends MariaDB what means the same.
    Translated {
        /// What the row's example becomes.
        to: &'static str,
    },
    /// MariaDB takes it and Aurora refuses it or answers differently: the local cloud warns, lint finds it.
    Warned {
        /// The name of the lint rule.
        lint: &'static str,
        /// What MySQL answers to the row's example. None: it takes it, and means something else.
        error: Option<u16>,
    },
    /// Aurora takes it, and nothing of MariaDB's means the same: the local cloud passes MariaDB's refusal on and says why.
    Refused,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Construct {
    /// Its name, which never changes.
    pub id: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What MariaDB (10.11) does with it.
    pub mariadb: &'static str,
    /// What Aurora MySQL 3 (MySQL 8.0) does with it.
    pub aurora: &'static str,
    /// What is done about it.
    pub treatment: Treatment,
    /// Statements that have to run before the example, each ended by a semicolon.
    pub before: &'static str,
    /// A statement with it.
    pub example: &'static str,
    /// Words of which a statement has to have one, in capitals: a quick look before the close one. None: any statement.
    words: &'static [&'static str],
    find: fn(&Text<'_>) -> Vec<Match>,
}

impl PartialEq for Construct {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Construct {}

/// A construct in a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub construct: &'static Construct,
    /// Where, in bytes.
    pub range: Range<usize>,
}

/// A statement that was looked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading<'a> {
    /// In MariaDB's words.
    pub sql: Cow<'a, str>,
    /// By their places.
    pub found: Vec<Found>,
}

/// The table.
pub fn constructs() -> impl Iterator<Item = &'static Construct> {
    constructs::ALL.iter().flat_map(|part| part.iter())
}

/// Looks a statement of MySQL's through and puts it in MariaDB's words where the meaning is the same. Strings and comments
/// are left alone. What is translated in the list of a SELECT keeps its name in the result.
#[must_use]
pub fn read(sql: &str) -> Reading<'_> {
    let text = Text::new(sql);
    let mut found = Vec::new();
    let mut edits: Vec<Edit> = Vec::new();
    let vocabulary = text.vocabulary();
    let may_be_in = |construct: &&Construct| {
        let words = construct.words;
        words.is_empty() || words.iter().any(|word| vocabulary.contains(word))
    };
    for construct in constructs().filter(may_be_in) {
        for one in (construct.find)(&text) {
            found.push(Found {
                construct,
                range: one.range,
            });
            edits.extend(one.edits);
        }
    }
    edits.extend(labels::keep(&text, &edits));
    found.sort_by_key(|found| (found.range.start, found.range.end));
    Reading {
        sql: text::apply(sql, edits),
        found,
    }
}

#[cfg(test)]
mod tests;
