//! What can go wrong in a function, in the words of the one who wrote it.

use crate::database::{CallError, CallFailure, is_resuming, is_throttled};

/// An error of this crate. [`help`](Self::help) says how it can be put right, where that is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The function's environment lacks something that the template gives it.
    #[error("the environment variable {variable} {problem}")]
    Environment {
        /// The variable's name.
        variable: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// `_HANDLER` names nothing in this binary.
    #[error("this binary has no handler `{handler}`; it has {}", .known.join(", "))]
    UnknownHandler {
        /// What `_HANDLER` said.
        handler: String,
        /// What it could have said.
        known: Vec<String>,
    },
    /// MySQL refused a statement: it had no effect.
    #[error("{message} (MySQL {code}, SQLSTATE {sql_state}) in `{statement}`")]
    Refused {
        /// The statement, shortened.
        statement: String,
        /// MySQL's error number.
        code: u16,
        /// The SQLSTATE.
        sql_state: String,
        /// The server's words.
        message: String,
    },
    /// The Data API refused a call: the statement had no effect.
    #[error("the Data API refused `{statement}`: {message} ({kind})")]
    Service {
        /// The statement, shortened.
        statement: String,
        /// The exception's name, such as `AccessDeniedException`.
        kind: String,
        /// The service's words.
        message: String,
    },
    /// The database was paused and did not resume in the time that the function had: the statement had no effect.
    #[error("the database is still resuming, so `{statement}` was not run")]
    Resuming {
        /// The statement, shortened.
        statement: String,
    },
    /// The Data API was called too often, also after several pauses: the statement had no effect.
    #[error("the Data API was called too often, so `{statement}` was not run: {message}")]
    Throttled {
        /// The statement, shortened.
        statement: String,
        /// The service's words.
        message: String,
    },
    /// No answer could be had, and the statement had no effect: it was not sent, or it only reads.
    #[error("no answer to `{statement}`: {message}")]
    Unreachable {
        /// The statement, shortened.
        statement: String,
        /// What happened.
        message: String,
    },
    /// A statement was sent and its fate is unknown. It was not sent again.
    #[error("`{statement}` may have taken effect or not: {message}")]
    Doubtful {
        /// The statement, shortened; `COMMIT` for the end of a transaction.
        statement: String,
        /// What happened.
        message: String,
    },
    /// [`fetch_one`](crate::Query::fetch_one) found no row.
    #[error("`{statement}` found no row")]
    NoRow {
        /// The statement, shortened.
        statement: String,
    },
    /// One row was asked for and there are more.
    #[error("`{statement}` found {rows} rows where one was asked for")]
    ManyRows {
        /// The statement, shortened.
        statement: String,
        /// How many.
        rows: usize,
    },
    /// A row does not become the type that was asked for.
    #[error("a row of `{statement}` does not become `{wanted}`: {problem}")]
    Row {
        /// The statement, shortened.
        statement: String,
        /// The type's name.
        wanted: &'static str,
        /// What does not fit, and in which column.
        problem: String,
    },
    /// The answer to CloudFormation could not be delivered.
    #[error("CloudFormation did not take the answer: {message}")]
    AnswerNotDelivered {
        /// What happened to the last attempt.
        message: String,
    },
    /// The migrator's event is not a custom resource's.
    #[error("the migrator does not understand this event: {problem}")]
    Event {
        /// What is wrong with it.
        problem: String,
    },
    /// The migration did not finish. The text is for a reader: several lines, with the place.
    #[error("{report}")]
    Migration {
        /// What happened, where, and what to do.
        report: String,
    },
}

impl Error {
    /// The MySQL error number, where the server refused a statement.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// A row with this key exists already (`ER_DUP_ENTRY`).
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self.code(), Some(1062 | 1586))
    }

    /// The statement would break a foreign key: a row refers to what does not exist, or what is referred to would go
    /// (`ER_NO_REFERENCED_ROW`, `ER_ROW_IS_REFERENCED` and their second forms).
    #[must_use]
    pub fn is_foreign_key_violation(&self) -> bool {
        matches!(self.code(), Some(1216 | 1217 | 1451 | 1452))
    }

    /// A CHECK constraint is not met (`ER_CHECK_CONSTRAINT_VIOLATED`; 4025 is MariaDB's number).
    #[must_use]
    pub fn is_check_violation(&self) -> bool {
        matches!(self.code(), Some(3819 | 4025))
    }

    /// MySQL rolled the transaction back because of a deadlock, or a lock was not had in time. Running the whole
    /// transaction again is the way out.
    #[must_use]
    pub fn is_deadlock(&self) -> bool {
        matches!(self.code(), Some(1205 | 1213))
    }

    /// The caller may try the same again a little later: nothing was done.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Resuming { .. } | Self::Throttled { .. } | Self::Unreachable { .. }
        )
    }

    /// How it can be put right, where that is known.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Environment { .. } => Some(
                "the template sets it; a function that was made by hand needs DAYSPRING_CLUSTER_ARN, \
                 DAYSPRING_SECRET_ARN and DAYSPRING_DATABASE",
            ),
            Self::UnknownHandler { .. } => Some(
                "name the function in `dayspring::functions!` and build again, or correct dayspring.toml",
            ),
            Self::Refused { code, .. } => refused_help(*code),
            Self::Service { kind, .. } => service_help(kind),
            Self::Resuming { .. } => Some(
                "a paused cluster takes about 15 s to resume, and longer after a day: give the function a longer timeout, \
                 or the cluster a minimum capacity above 0",
            ),
            Self::Throttled { .. } => Some("call less often, or put several rows into one batch"),
            Self::Doubtful { .. } => Some(
                "read the data before doing it again; a statement that may be repeated needs no such care",
            ),
            Self::NoRow { .. } => Some("use `fetch_optional` where there may be none"),
            Self::ManyRows { .. } => Some("add a condition or `LIMIT 1`, or use `fetch_all`"),
            Self::Row { .. } => Some(
                "name the columns as the fields are named (`AS`), and use `Option` for those that may be NULL",
            ),
            Self::Unreachable { .. }
            | Self::AnswerNotDelivered { .. }
            | Self::Event { .. }
            | Self::Migration { .. } => None,
        }
    }

    /// The error of a call, said of the statement that it carried.
    pub(crate) fn of_call(sql: &str, failure: CallFailure) -> Self {
        let statement = shortened(sql);
        match failure.error {
            CallError::Answered(error) if is_resuming(&error) => Self::Resuming { statement },
            CallError::Answered(error) if is_throttled(&error) => Self::Throttled {
                statement,
                message: error.message,
            },
            CallError::Answered(error) if failure.doubtful => Self::Doubtful {
                statement,
                message: format!("{} ({})", error.message, error.kind),
            },
            CallError::Answered(error) => match MySqlError::parse(&error.message) {
                Some(mysql) => Self::Refused {
                    statement,
                    code: mysql.code,
                    sql_state: mysql.sql_state.to_owned(),
                    message: mysql.message.to_owned(),
                },
                None => Self::Service {
                    statement,
                    kind: error.kind,
                    message: error.message,
                },
            },
            CallError::NotSent(message)
            | CallError::Lost(message)
            | CallError::Unreadable(message) => {
                if failure.doubtful {
                    Self::Doubtful { statement, message }
                } else {
                    Self::Unreachable { statement, message }
                }
            }
        }
    }
}

fn refused_help(code: u16) -> Option<&'static str> {
    match code {
        1146 => Some(
            "the migrations have not made this table: is its script in the scripts' folder and deployed?",
        ),
        1205 | 1213 => Some("run the whole transaction again"),
        _ => None,
    }
}

fn service_help(kind: &str) -> Option<&'static str> {
    match kind {
        "AccessDeniedException" | "ForbiddenException" => Some(
            "the function's role must allow the Data API on the cluster and reading its secret",
        ),
        "HttpEndpointNotEnabledException" => {
            Some("turn the cluster's Data API on, or correct its ARN")
        }
        "TransactionNotFoundException" => Some(
            "a transaction ends after three minutes without a statement: keep slow work out of it",
        ),
        "UnsupportedResultException" => Some(
            "the Data API gives at most 1 MiB of rows at once: select fewer columns or use LIMIT",
        ),
        _ => None,
    }
}

/// What the server said, taken out of the Data API's text `MESSAGE; Error code: 1062; SQLState: 23000` (as
/// aurora-data-api matches it on real clusters; read 2026-11-22).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MySqlError<'a> {
    pub(crate) code: u16,
    pub(crate) sql_state: &'a str,
    pub(crate) message: &'a str,
}

impl<'a> MySqlError<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (rest, sql_state) = text.trim_end().rsplit_once("; SQLState: ")?;
        let (message, code) = rest.rsplit_once("; Error code: ")?;
        Some(Self {
            code: code.parse().ok()?,
            sql_state,
            message,
        })
    }
}

/// A statement in one line of at most 100 characters, for a message.
pub(crate) fn shortened(sql: &str) -> String {
    const CHARACTERS_MAX: usize = 100;
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}...", line[..end].trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::ServiceError;

    fn refused(message: &str) -> Error {
        let error = CallError::Answered(ServiceError {
            status: 400,
            kind: "DatabaseErrorException".to_owned(),
            message: message.to_owned(),
        });
        let failure = CallFailure {
            error,
            doubtful: false,
        };
        Error::of_call("INSERT INTO posts\n  (slug) VALUES (:slug)", failure)
    }

    #[test]
    fn a_refusal_carries_the_servers_code_state_and_words() {
        let error = refused(
            "Duplicate entry 'a; Error code: 7' for key 'slug'; Error code: 1062; SQLState: 23000",
        );
        insta::assert_snapshot!(
            error,
            @"Duplicate entry 'a; Error code: 7' for key 'slug' (MySQL 1062, SQLSTATE 23000) in `INSERT INTO posts (slug) VALUES (:slug)`"
        );
        assert_eq!(error.code(), Some(1062));
        assert!(error.is_unique_violation() && !error.is_foreign_key_violation());
    }

    #[test]
    fn an_error_without_a_code_keeps_the_services_words() {
        insta::assert_snapshot!(
            refused("Transaction is still running a query"),
            @"the Data API refused `INSERT INTO posts (slug) VALUES (:slug)`: Transaction is still running a query (DatabaseErrorException)"
        );
    }

    #[test]
    fn a_long_statement_is_cut_between_characters() {
        let text = shortened(&format!("SELECT '{}'", "ä".repeat(200)));
        assert_eq!(text.chars().count(), 103);
        assert!(text.ends_with("ä..."));
    }

    #[test]
    fn constraint_violations_are_told_apart() {
        let error = |code: u16| refused(&format!("m; Error code: {code}; SQLState: 23000"));
        assert!(error(1451).is_foreign_key_violation());
        assert!(error(1452).is_foreign_key_violation());
        assert!(error(3819).is_check_violation());
        assert!(error(1213).is_deadlock());
        assert!(!error(1064).is_unique_violation());
    }
}
