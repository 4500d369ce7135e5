//! Why a database is not adopted, or cannot be compared.

use crate::place::Place;
use crate::session::SessionError;

/// What stands against a baseline or a comparison. Nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Objection {
    /// The script that is to be the last does not exist.
    #[error("there is no script `{wanted}`")]
    NoScript {
        /// Which.
        wanted: String,
        /// The newest that there is.
        newest: Option<String>,
    },
    /// The journal has more than is to be recorded.
    #[error("the journal has `{name}` already, which is not among the scripts up to {at}")]
    HasMore {
        /// The script that it has.
        name: String,
        /// The last that is to be recorded.
        at: String,
    },
    /// An applied statement is another one now.
    #[error("statement {number} is applied, and was edited since")]
    Edited {
        /// The statement.
        place: Box<Place>,
        /// Its number.
        number: usize,
    },
    /// A run was interrupted, and what became of a statement is not settled.
    #[error("statement {number} was begun by a run that did not end")]
    Unsettled {
        /// The statement.
        place: Box<Place>,
        /// Its number.
        number: usize,
    },
    /// The database has what the scripts do not have.
    #[error("the database is ahead of the scripts: it has `{name}`")]
    Ahead {
        /// The script.
        name: String,
    },
    /// A statement that was applied does not run on the scratch server.
    #[error("the scratch server refuses statement {number} of {total}: {error}")]
    Replay {
        /// The statement.
        place: Box<Place>,
        /// Its number.
        number: usize,
        /// How many its script has.
        total: usize,
        /// The server's words.
        error: SessionError,
    },
    /// The other tool has no history here.
    #[error("there is no history of {tool}: the table `{table}` {problem}")]
    NoHistory {
        /// The tool.
        tool: &'static str,
        /// Its table.
        table: &'static str,
        /// What is wrong with the table.
        problem: &'static str,
    },
    /// The other tool's history has a migration that did not end well.
    #[error("{tool} says that a migration {problem}: {row}")]
    NotClean {
        /// The tool.
        tool: &'static str,
        /// What it says of the row.
        problem: &'static str,
        /// The row.
        row: String,
    },
    /// A migration of the history is no script.
    #[error("no script is {tool}'s migration {entry}")]
    Unmatched {
        /// The tool.
        tool: &'static str,
        /// The migration.
        entry: String,
    },
    /// A script in the middle is not in the history.
    #[error("the history of {tool} has no `{path}`, and has later ones")]
    Hole {
        /// The tool.
        tool: &'static str,
        /// The script.
        path: String,
    },
}

impl Objection {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NoScript { newest: Some(newest), .. } => format!("the newest is `{newest}`"),
            Self::NoScript { newest: None, .. } => {
                "write the scripts that made this database first".to_owned()
            }
            Self::HasMore { .. } => {
                "a baseline is for a database that Dayspring does not know yet; `migrate status` shows what it has".to_owned()
            }
            Self::Edited { .. } => "bring the statement's text back".to_owned(),
            Self::Unsettled { .. } => "run `migrate up`, which finds out what became of it".to_owned(),
            Self::Ahead { .. } => "take the newest version of the scripts".to_owned(),
            Self::Replay { .. } => "the scripts up to here must run on an empty database; if the live server is of another kind \
                 or version, name a server like it with --scratch-url"
                .to_owned(),
            Self::NoHistory { .. } => {
                "check the database's name and the tool; without a history, say --at vN instead".to_owned()
            }
            Self::NotClean { tool, .. } => {
                format!("bring the migration to its end with {tool} first, or undo it; then try again")
            }
            Self::Unmatched { .. } => "name the script as the migration is numbered or called (`v3_create_users.sql`), or say with \
                 --at vN up to which script the database is"
                .to_owned(),
            Self::Hole { .. } => "apply it with the old tool first, give it a number after the others, or say with --at vN up to \
                 which script the database is"
                .to_owned(),
        }
    }

    /// Where it is, if it is at a place in a script.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Edited { place, .. }
            | Self::Unsettled { place, .. }
            | Self::Replay { place, .. } => Some(place),
            Self::NoScript { .. }
            | Self::HasMore { .. }
            | Self::Ahead { .. }
            | Self::NoHistory { .. }
            | Self::NotClean { .. }
            | Self::Unmatched { .. }
            | Self::Hole { .. } => None,
        }
    }
}
