//! What the engine asks of a database connection. It is all that the engine knows of the world: statements, a
//! transaction, the time that is left, and a way to wait.

use std::future::Future;
use std::time::Duration;

/// A bound value or a value of a result row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// NULL.
    Null,
    /// A whole number.
    Long(i64),
    /// Anything else, as text; bytes that are UTF-8 are text too (`SHOW CREATE` answers in bytes on some servers).
    Text(String),
}

/// One row of a result, in the order of the columns asked for.
pub type Row = Vec<Value>;

/// How a call ended that did not succeed. The variants differ in what is known of the statement's effect, because that
/// decides what may be done next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The server answered with an error: the statement has no effect.
    #[error("{message} (MySQL {code})")]
    Refused {
        /// The server's error number.
        code: u16,
        /// The SQLSTATE, five characters, or empty where it is not known.
        sql_state: String,
        /// The server's words.
        message: String,
    },
    /// The statement never reached the server (no connection, throttled, access denied by AWS, a cluster that did not
    /// resume in time).
    #[error("{message}")]
    NotStarted {
        /// What happened, in the words of the one who saw it.
        message: String,
    },
    /// No answer came: the statement may have taken effect, may be running still, or may never have started.
    #[error("{message}")]
    Unknown {
        /// What happened, in the words of the one who saw it.
        message: String,
    },
    /// The caller's wait ended. Outside a transaction the server goes on with the statement; inside one it stops it, and
    /// the transaction with it.
    #[error("{message}")]
    StillRunning {
        /// What happened, in the words of the one who saw it.
        message: String,
    },
}

/// A statement of the engine's own with its named parameters (`:name`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The statement.
    pub sql: String,
    /// Each parameter's name and value.
    pub parameters: Vec<(String, Value)>,
}

impl Write {
    /// The parameters as calls take them.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&str, Value)> {
        self.parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect()
    }
}

/// How far a call came that was given several statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// How many of them, from the first, were carried out.
    pub done: usize,
    /// What the one after them failed with; without a failure it was not begun.
    pub error: Option<SessionError>,
}

/// How a call ended that was given writes, and a statement to send after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// The writes are committed, and the statement was sent after that.
    Ran {
        /// How it ended.
        answer: Result<(), SessionError>,
        /// What the query after it answered; nothing where it was not asked.
        seen: Option<Result<Vec<Row>, SessionError>>,
    },
    /// A write matched no row, so the statement was not sent.
    Untouched,
    /// A write failed, so the statement was not sent. Any number of the writes may have taken effect, from the first.
    Unwritten(SessionError),
    /// No answer came. What is committed of the writes, and whether the statement was begun after them, is not known.
    Unknown(SessionError),
}

/// Carries writes out in one call and runs a statement in another, as a session does that sends no two things at once.
pub async fn write_then_run<S: Session + ?Sized>(
    session: &mut S,
    writes: &[Write],
    sql: &str,
) -> Recorded {
    match session.execute_all(writes).await {
        Err(error) => Recorded::Unwritten(error),
        Ok(matched) if matched.contains(&0) => Recorded::Untouched,
        Ok(_) => Recorded::Ran {
            answer: session.run(sql).await.map(drop),
            seen: None,
        },
    }
}

/// A connection to one database. Outside a transaction each call may run on another server session (the Data API does
/// so); between [`begin`](Self::begin) and its end all calls run on the same one.
pub trait Session: Send {
    /// Runs a statement of the engine's own with named parameters (`:name`) and gives its rows.
    fn query(
        &mut self,
        sql: &str,
        parameters: &[(&str, Value)],
    ) -> impl Future<Output = Result<Vec<Row>, SessionError>> + Send;

    /// Runs a statement of the engine's own with named parameters (`:name`) and gives the number of rows it matched.
    fn execute(
        &mut self,
        sql: &str,
        parameters: &[(&str, Value)],
    ) -> impl Future<Output = Result<u64, SessionError>> + Send;

    /// Carries several writes out in their order, and gives the number of rows that each matched. A session over a
    /// connection sends them at once, and outside a transaction as one of their own; otherwise each is a call by itself,
    /// as here. So after a failure any number of them may have taken effect, from the first.
    fn execute_all(
        &mut self,
        writes: &[Write],
    ) -> impl Future<Output = Result<Vec<u64>, SessionError>> + Send {
        async move {
            let mut matched = Vec::with_capacity(writes.len());
            for write in writes {
                matched.push(self.execute(&write.sql, &write.parameters()).await?);
            }
            Ok(matched)
        }
    }

    /// Runs a statement of a script exactly as it stands, and gives the number of rows it matched. Outside a
    /// transaction it goes on at the server when the caller's wait ends ([`SessionError::StillRunning`]).
    fn run(&mut self, sql: &str) -> impl Future<Output = Result<u64, SessionError>> + Send;

    /// Carries writes out and, once they are committed, runs a statement of a script as [`run`](Self::run) does. It is
    /// not sent unless the last write matched a row. A session over a connection sends all of that at once, and with it
    /// `look`, a query that is only asked if the statement succeeded; otherwise these are calls by themselves, as here,
    /// and nothing is looked at.
    fn write_and_run(
        &mut self,
        writes: &[Write],
        sql: &str,
        look: Option<&str>,
    ) -> impl Future<Output = Recorded> + Send {
        let _ = look;
        write_then_run(self, writes, sql)
    }

    /// Runs statements of a script inside a transaction, from the first, as many as go well together and at least one;
    /// each exactly as it stands, and none after one that failed. Here it is one.
    fn run_some(&mut self, statements: &[&str]) -> impl Future<Output = Ran> + Send {
        async move {
            let Some(first) = statements.first() else {
                return Ran {
                    done: 0,
                    error: None,
                };
            };
            match self.run(first).await {
                Ok(_) => Ran {
                    done: 1,
                    error: None,
                },
                Err(error) => Ran {
                    done: 0,
                    error: Some(error),
                },
            }
        }
    }

    /// How many data statements a transaction may have. Where each is a call by itself more save little, and cost more
    /// when the transaction has to be repeated.
    fn transaction_statements_max(&self) -> usize {
        500
    }

    /// Starts a transaction. Transactions do not nest. It begins with the session settings of a new connection: what a
    /// script SET in an earlier transaction is said again where it is needed, and must not reach another script.
    fn begin(&mut self) -> impl Future<Output = Result<(), SessionError>> + Send;

    /// Commits the open transaction. `Unknown` means that it may have been committed.
    fn commit(&mut self) -> impl Future<Output = Result<(), SessionError>> + Send;

    /// Rolls the open transaction back. After it no transaction is open, whatever it answers. It may be called where
    /// none is open, as after a commit or a beginning that failed, and does nothing then.
    fn rollback(&mut self) -> impl Future<Output = Result<(), SessionError>> + Send;

    /// The server's number for the connection over which the next [`run`](Self::run) or
    /// [`write_and_run`](Self::write_and_run), or the next transaction to its end, goes or does not go at all; `None` where calls have no connection of their own (the Data API). A session that
    /// makes a new connection when it has lost one makes it here at the latest: a `run` that finds the connection lost
    /// answers [`SessionError::NotStarted`] or [`SessionError::Unknown`], and is not sent over another one.
    ///
    /// The connection is the holder's sign of life, and what a successor ends before it takes over.
    fn connection(&mut self) -> impl Future<Output = Result<Option<u64>, SessionError>> + Send {
        async { Ok(None) }
    }

    /// The most characters that one statement may have; `None` where only the server's `max_allowed_packet` bounds it.
    fn statement_characters_max(&self) -> Option<usize> {
        None
    }

    /// Waits.
    fn pause(&mut self, duration: Duration) -> impl Future<Output = ()> + Send;

    /// How long this process may still work (a Lambda's remaining time), or `None` where nothing ends it.
    fn remaining(&self) -> Option<Duration>;
}
