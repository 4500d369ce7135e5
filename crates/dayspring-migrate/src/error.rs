//! What can go wrong, where, and what to do about it.

use std::fmt;

use crate::baseline::Objection;
use crate::blocker::Blockers;
use crate::journal::IllegalTransition;
use crate::place::Place;
use crate::refusal::Refusal;
use crate::script::{ScriptError, ScriptId};
use crate::session::SessionError;

/// Whose mistake an error is; a command turns it into its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The scripts are wrong.
    User,
    /// The database or the way to it failed.
    World,
    /// The engine is wrong.
    Ours,
}

/// How its user has a migration go on, for what a message advises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// By another deployment.
    Deploy,
    /// By another run of a command.
    Run,
}

impl fmt::Display for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deploy => "deploy again",
            Self::Run => "run it again",
        })
    }
}

/// Why a migration did not end well. Whatever it is, a later run carries on from what the journal says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file is no script.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The scripts do not fit what is applied. No statement of them ran.
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    /// A database is not adopted, or cannot be compared with the scripts.
    #[error(transparent)]
    Baseline(#[from] Box<Objection>),
    /// The database refused a statement.
    #[error("statement {} of {} failed: {}", .0.number, .0.total, .0.error)]
    Failed(Box<StatementFailure>),
    /// It cannot be told whether a statement took effect.
    #[error("it cannot be told whether statement {number} of {total} took effect")]
    InDoubt {
        /// The statement.
        place: Box<Place>,
        /// Its number in its script.
        number: usize,
        /// How many the script has.
        total: usize,
        /// What the database shows.
        evidence: String,
    },
    /// A statement waited for a lock as long as it may, and was cancelled. It has no effect.
    #[error("statement {} of {} waited too long for a lock, and was cancelled", .0.number, .0.total)]
    LockWait(Box<LockWait>),
    /// Another migrator was stopped in the middle of its work, and this account may not end its connection.
    #[error(
        "`{owner}` was stopped while it migrated this database, and this account may not end its connection"
    )]
    HolderStopped {
        /// Who.
        owner: String,
        /// The server's number for its connection.
        connection: u64,
    },
    /// Another migrator is at work.
    #[error("`{owner}` is migrating this database")]
    LeaseHeld {
        /// Who.
        owner: String,
        /// For how many seconds its lease holds still, if it does not renew it.
        expires_in_seconds: i64,
    },
    /// Nobody migrates, and the lease cannot be taken all the same: a backup or a transaction of others locks it.
    #[error("nobody migrates this database, and the journal's lease is locked all the same")]
    LeaseLocked {
        /// Who has the lock.
        blockers: Blockers,
    },
    /// Another migrator has taken over.
    #[error("`{owner}` has taken this migration over")]
    LeaseLost {
        /// Who has the lease now, as far as it could be asked.
        owner: String,
    },
    /// The journal cannot be understood.
    #[error("the journal cannot be used: {message}")]
    Journal {
        /// Why.
        message: String,
    },
    /// A statement's state in the journal does not allow what happened: a bug, or a journal that someone edited.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// The connection has no database selected.
    #[error("no database is selected")]
    NoDatabase,
    /// The database could not be asked.
    #[error("{doing} failed: {source}")]
    Session {
        /// What was being done.
        doing: String,
        /// Why it failed.
        source: SessionError,
    },
}

/// A statement that the database refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementFailure {
    /// The script.
    pub script: ScriptId,
    /// The statement.
    pub place: Place,
    /// Its number in its script.
    pub number: usize,
    /// How many the script has.
    pub total: usize,
    /// The number at which the next run begins.
    pub resumes_at: usize,
    /// The database's words.
    pub error: SessionError,
}

/// A statement that was cancelled because others have a lock that it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockWait {
    /// The statement.
    pub place: Place,
    /// Its number in its script.
    pub number: usize,
    /// How many the script has.
    pub total: usize,
    /// The number at which the next run begins.
    pub resumes_at: usize,
    /// Who has the lock.
    pub blockers: Blockers,
}

impl Error {
    pub(crate) fn session(doing: impl Into<String>, source: SessionError) -> Self {
        Self::Session {
            doing: doing.into(),
            source,
        }
    }

    pub(crate) fn journal(message: impl Into<String>) -> Self {
        Self::Journal {
            message: message.into(),
        }
    }

    /// Whose mistake it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Script(_)
            | Self::Refused(_)
            | Self::Baseline(_)
            | Self::Failed(_)
            | Self::InDoubt { .. }
            | Self::NoDatabase => Kind::User,
            Self::LockWait(_)
            | Self::HolderStopped { .. }
            | Self::LeaseHeld { .. }
            | Self::LeaseLocked { .. }
            | Self::LeaseLost { .. }
            | Self::Journal { .. }
            | Self::Session { .. } => Kind::World,
            Self::Illegal(_) => Kind::Ours,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self, again: Again) -> String {
        match self {
            Self::Script(error) => error.help(),
            Self::Refused(refusal) => refusal.help(),
            Self::Baseline(objection) => objection.help(),
            Self::Failed(failure) => failure.help(again),
            Self::LockWait(wait) => wait.help(again),
            Self::HolderStopped { connection, .. } => format!(
                "say `KILL {connection}` with an account that may, or migrate with the account that it used"
            ),
            Self::InDoubt { .. } => format!(
                "look at the evidence; write `-- dayspring: verify SELECT ...` above the statement \
                 with a query that is true if it took effect, or `-- dayspring: idempotent`, and {again}"
            ),
            Self::LeaseHeld { expires_in_seconds, .. } => format!(
                "wait until it is done, and {again}; if it is dead, its lease ends by itself in {expires_in_seconds} s at most"
            ),
            Self::LeaseLocked { blockers } => match (blockers.named(), blockers) {
                ([first, ..], _) => format!(
                    "wait for it or end it (`KILL {}`), and {again}: nothing was run",
                    first.connection
                ),
                ([], Blockers::Hidden) => format!(
                    "grant this account PROCESS to have them named; {again} when they are done: nothing was run"
                ),
                ([], _) => format!("{again}: nothing was run"),
            },
            Self::LeaseLost { .. } => "let it finish; nothing was lost, and nothing ran twice".to_owned(),
            Self::Journal { .. } => {
                "use the version of dayspring that wrote it, and leave the tables `dayspring_...` to it".to_owned()
            }
            Self::Illegal(_) => "tell us, with the rows of `dayspring_statement`; nothing more was run".to_owned(),
            Self::NoDatabase => "name the database in the connection".to_owned(),
            Self::Session { source: SessionError::Refused { code: 1290 | 1836, .. }, .. } => {
                format!("the server takes no writes: name the primary and not a replica, and {again}; after a failover its name may lead to the old one for a while")
            }
            Self::Session { source: SessionError::Refused { .. }, .. } => {
                "check the rights of the database user on this database".to_owned()
            }
            Self::Session { .. } => format!("{again}: it carries on from what the journal says"),
        }
    }

    /// Where it is, if it is at a place in a script.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Script(error) => error.place(),
            Self::Refused(refusal) => refusal.place(),
            Self::Baseline(objection) => objection.place(),
            Self::Failed(failure) => Some(&failure.place),
            Self::InDoubt { place, .. } => Some(place),
            Self::LockWait(wait) => Some(&wait.place),
            Self::HolderStopped { .. }
            | Self::LeaseHeld { .. }
            | Self::LeaseLocked { .. }
            | Self::LeaseLost { .. }
            | Self::Journal { .. }
            | Self::Illegal(_)
            | Self::NoDatabase
            | Self::Session { .. } => None,
        }
    }
}

impl LockWait {
    fn help(&self, again: Again) -> String {
        let resumes_at = self.resumes_at;
        match (self.blockers.named(), &self.blockers) {
            ([], Blockers::Hidden) => format!(
                "grant this account PROCESS to have them named; {again} when they are done: it resumes at {resumes_at}"
            ),
            ([], _) => format!("{again}: it resumes at {resumes_at}"),
            ([first, ..], _) => format!(
                "wait for it or end it (`KILL {}`), and {again}: it resumes at {resumes_at}",
                first.connection
            ),
        }
    }
}

impl StatementFailure {
    fn help(&self, again: Again) -> String {
        let stay = match self.resumes_at {
            0 | 1 => "nothing of this script is applied".to_owned(),
            2 => "statement 1 stays applied".to_owned(),
            3 => "statements 1 and 2 stay applied".to_owned(),
            next => format!("statements 1 to {} stay applied", next - 1),
        };
        let next = if self.resumes_at < 2 {
            "starts at 1".to_owned()
        } else {
            format!("resumes at {}", self.resumes_at)
        };
        format!("{stay}; correct this one and {again}, it {next}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_takes_no_writes_is_told_from_one_that_refuses_the_account() {
        let help = |code| {
            let source = SessionError::Refused {
                code,
                sql_state: "HY000".to_owned(),
                message: "no".to_owned(),
            };
            Error::session("taking the lease", source).help(Again::Run)
        };
        insta::assert_snapshot!(help(1290), @"the server takes no writes: name the primary and not a replica, and run it again; after a failover its name may lead to the old one for a while");
        assert_eq!(help(1290), help(1836));
        insta::assert_snapshot!(help(1142), @"check the rights of the database user on this database");
    }
}
