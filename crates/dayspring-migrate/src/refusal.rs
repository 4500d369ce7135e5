//! Why a set of scripts does not fit a journal.

use crate::place::Place;
use crate::script::{ScriptId, Version};

/// Why nothing was run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// An applied statement has another text.
    #[error("statement {number} is applied already, with another text")]
    Edited {
        /// The statement as it is now.
        place: Box<Place>,
        /// Its number in its script.
        number: usize,
        /// Its text now.
        now: String,
        /// Its text when it ran, if the journal could give it.
        recorded: Option<String>,
    },
    /// A statement stands before one that is applied already.
    #[error("statement {number} is new, and stands before statements that are applied already")]
    Inserted {
        /// The new statement.
        place: Box<Place>,
        /// Its number in its script.
        number: usize,
    },
    /// An applied statement is no longer in its script.
    #[error("statement {number} of `{path}` is applied already, and is no longer there")]
    Removed {
        /// The script.
        path: String,
        /// Its number when it ran.
        number: usize,
        /// Its text when it ran, if the journal could give it.
        recorded: Option<String>,
    },
    /// An applied script is missing, and later ones are not.
    #[error("`{name}` is applied already, and is missing among the scripts")]
    Missing {
        /// The script's path when it ran.
        name: String,
        /// What names it in the journal.
        id: ScriptId,
        /// How many of its statements are applied.
        applied: usize,
    },
    /// A new script stands before the newest applied one.
    #[error("`{path}` is new, but {newest} is applied already")]
    Late {
        /// The new script.
        path: String,
        /// The newest applied one.
        newest: Version,
    },
    /// A statement was appended to a script that is not the newest applied one.
    #[error("statement {number} is new, but {newest} is applied already")]
    AppendedToOlder {
        /// The new statement.
        place: Box<Place>,
        /// Its number in its script.
        number: usize,
        /// The newest applied script.
        newest: Version,
    },
    /// After a crash nothing would show whether the statement took effect.
    #[error("a crash during this statement could not be sorted out: {why}")]
    Undecidable {
        /// The statement.
        place: Box<Place>,
        /// Why.
        why: &'static str,
    },
    /// A data statement writes a table whose rows no transaction holds, so its journal row cannot commit with them.
    #[error(
        "a crash during this statement could not be sorted out: `{table}` is a table of {engine}, and no transaction holds its rows"
    )]
    NotTransactional {
        /// The statement.
        place: Box<Place>,
        /// A table that it writes, perhaps by a trigger, a view or a function.
        table: String,
        /// The table's engine.
        engine: String,
    },
    /// The server reads a backslash otherwise than the statement was cut out of its script.
    #[error(
        "the server's sql_mode has NO_BACKSLASH_ESCAPES or ANSI_QUOTES, and it would read the backslash in this statement otherwise"
    )]
    Backslash {
        /// The statement.
        place: Box<Place>,
    },
    /// A statement that a migration cannot hold.
    #[error("this statement cannot be part of a migration: {why}")]
    Forbidden {
        /// The statement.
        place: Box<Place>,
        /// Why.
        why: &'static str,
    },
    /// A statement is longer than what is between here and the database takes.
    #[error("this statement has {characters} characters, and {characters_max} can be sent")]
    TooLong {
        /// The statement.
        place: Box<Place>,
        /// How long it is.
        characters: usize,
        /// How long it may be.
        characters_max: usize,
    },
    /// A value that comes from the data (a variable, the last id) is used after a statement that commits by itself, or by
    /// a statement that was appended later.
    #[error("the value of a variable that this statement uses would be lost in a crash")]
    VariableAcrossSchema {
        /// The statement that uses it.
        place: Box<Place>,
    },
}

impl Refusal {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Edited { .. } => "restore its text, and write the change as a new statement in a new script".to_owned(),
            Self::Inserted { .. } => "move it to the end of the newest script, or into a new one".to_owned(),
            Self::Removed { .. } => "restore it; to undo what it did, write a new script".to_owned(),
            Self::Missing { id, .. } => format!(
                "restore the file as it was, from version control or from the journal: SELECT text FROM dayspring_statement \
                 WHERE version = {} AND phase = '{}' ORDER BY position; to undo what it did, write a new script",
                id.version.number(),
                id.phase.name()
            ),
            Self::Late { newest, .. } => format!("give it a number greater than {}", newest.number()),
            Self::AppendedToOlder { newest, .. } => {
                format!("move it to the end of {newest}, or into a script with a greater number")
            }
            Self::Undecidable { .. } => "write `-- dayspring: verify SELECT ...` above it with a query that is true if it took \
                 effect, or `-- dayspring: idempotent` if running it twice does no harm"
                .to_owned(),
            Self::NotTransactional { .. } => "make the table InnoDB; or write `-- dayspring: verify SELECT ...` above the \
                 statement with a query that is true if it took effect, or `-- dayspring: idempotent` if running it twice \
                 does no harm"
                .to_owned(),
            Self::Backslash { .. } => {
                "say `SET sql_mode = '...'` above it, with the mode that it is written for".to_owned()
            }
            Self::Forbidden { .. } => "remove it from the script".to_owned(),
            Self::TooLong { .. } => {
                "cut it into shorter ones, such as an INSERT of fewer rows: they commit together all the same".to_owned()
            }
            Self::VariableAcrossSchema { .. } => {
                "compute the value in the statement itself, or move the schema statements between into another script"
                    .to_owned()
            }
        }
    }

    /// Where it is, if it is at a place in a script.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Edited { place, .. }
            | Self::Inserted { place, .. }
            | Self::AppendedToOlder { place, .. }
            | Self::Undecidable { place, .. }
            | Self::NotTransactional { place, .. }
            | Self::Backslash { place }
            | Self::Forbidden { place, .. }
            | Self::TooLong { place, .. }
            | Self::VariableAcrossSchema { place } => Some(place),
            Self::Removed { .. } | Self::Missing { .. } | Self::Late { .. } => None,
        }
    }

    /// The text that the journal holds, to be shown beside the present one.
    #[must_use]
    pub fn recorded(&self) -> Option<&str> {
        match self {
            Self::Edited { recorded, .. } | Self::Removed { recorded, .. } => recorded.as_deref(),
            Self::Inserted { .. }
            | Self::Missing { .. }
            | Self::Late { .. }
            | Self::AppendedToOlder { .. }
            | Self::Undecidable { .. }
            | Self::NotTransactional { .. }
            | Self::Backslash { .. }
            | Self::Forbidden { .. }
            | Self::TooLong { .. }
            | Self::VariableAcrossSchema { .. } => None,
        }
    }

    /// Whether rebuilding the database from the scripts would cure it.
    pub(crate) fn cured_by_rebuild(&self) -> bool {
        match self {
            Self::Edited { .. }
            | Self::Inserted { .. }
            | Self::Removed { .. }
            | Self::Missing { .. }
            | Self::Late { .. } => true,
            Self::AppendedToOlder { .. }
            | Self::Undecidable { .. }
            | Self::NotTransactional { .. }
            | Self::Backslash { .. }
            | Self::Forbidden { .. }
            | Self::TooLong { .. }
            | Self::VariableAcrossSchema { .. } => false,
        }
    }
}
