//! The server connection over which a migrator works: the sign of its life, and what can be ended in its place.
//!
//! A server gives a connection's number once between two of its starts, so number and start name a connection for
//! ever. Who may see and end a connection is the server's to say: an account sees and ends its own, the rights PROCESS
//! and CONNECTION_ADMIN (MariaDB: CONNECTION ADMIN) those of others.

use std::fmt;
use std::time::Duration;

use crate::session::{Row, Session, SessionError, Value};

/// How far apart two readings of one server's start may be, in seconds: each is the difference of two whole seconds
/// that are not read at the same time.
const START_TOLERANCE_SECONDS: i64 = 3;

/// How long a reading of the server's start may take for that, and how often it is tried.
const READING_SECONDS_MAX: i64 = 1;
const READINGS_MAX: u32 = 10;

/// ER_NO_SUCH_THREAD: the server has no connection of that number.
const NO_SUCH_THREAD: u16 = 1094;

/// ER_KILL_DENIED_ERROR: it has one, and it is another account's.
const KILL_DENIED: u16 = 1095;

/// A server connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connection {
    /// The server's number for it.
    pub(crate) id: u64,
    /// When the server was started, in seconds since 1970 on its own clock.
    server_started: i64,
    /// The account.
    account: String,
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            server_started,
            account,
        } = self;
        write!(f, "{id} {server_started} {account}")
    }
}

impl Connection {
    /// Reads what [`Display`](fmt::Display) wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (id, rest) = text.split_once(' ')?;
        let (server_started, account) = rest.split_once(' ')?;
        Some(Self {
            id: id.parse().ok()?,
            server_started: server_started.parse().ok()?,
            account: account.to_owned(),
        })
    }

    /// Names the session's connection of that number.
    pub(crate) async fn of_session<S: Session>(
        session: &mut S,
        id: u64,
    ) -> Result<Self, SessionError> {
        let (mut before, account) = time_and_account(session).await?;
        let mut attempt = 1;
        // Else a process or a server that stands still between two answers moves the start by as long.
        loop {
            let uptime = session
                .query("SHOW GLOBAL STATUS LIKE 'Uptime'", &[])
                .await?;
            let uptime = uptime.first().and_then(|row| row.get(1)).and_then(whole);
            let uptime = uptime.ok_or_else(start_unknown)?;
            let (after, _) = time_and_account(session).await?;
            if after - before <= READING_SECONDS_MAX || attempt == READINGS_MAX {
                return Ok(Self {
                    id,
                    server_started: after - uptime,
                    account,
                });
            }
            before = after;
            attempt += 1;
        }
    }

    /// Whether the server was started again since, so that it has ended and its number may be another's.
    pub(crate) fn is_of_another_start(&self, own: &Self) -> bool {
        (self.server_started - own.server_started).abs() > START_TOLERANCE_SECONDS
    }

    /// What becomes of it, seen from `own`.
    pub(crate) async fn look<S: Session>(
        &self,
        session: &mut S,
        own: &Self,
    ) -> Result<Life, SessionError> {
        if self.is_of_another_start(own) {
            return Ok(Life::Gone);
        }
        let sql = format!(
            "SELECT CAST(command AS CHAR), CAST(time AS SIGNED), CAST(state AS CHAR) \
             FROM information_schema.processlist WHERE id = {}",
            self.id
        );
        let rows = session.query(&sql, &[]).await?;
        if let Some([Value::Text(command), seconds, state]) = rows.first().map(Vec::as_slice) {
            let seconds = whole(seconds).unwrap_or_default();
            return Ok(match command.as_str() {
                "Sleep" => Life::Idle { seconds },
                "Killed" => Life::Idle { seconds: i64::MAX },
                _ => Life::Working {
                    waits_for_lock: matches!(state, Value::Text(state) if is_lock_wait(state)),
                    seconds,
                },
            });
        }
        if self.account == own.account || sees_all(session).await? {
            Ok(Life::Gone)
        } else {
            Ok(Life::Hidden)
        }
    }

    /// Ends it, as far as the server allows; to be said again until it is [`Ended::Gone`].
    pub(crate) async fn end<S: Session>(&self, session: &mut S) -> Result<Ended, SessionError> {
        match session.execute(&format!("KILL {}", self.id), &[]).await {
            Ok(_) => Ok(Ended::Ending),
            Err(SessionError::Refused { code, .. }) if code == NO_SUCH_THREAD => Ok(Ended::Gone),
            Err(SessionError::Refused { code, .. }) if code == KILL_DENIED => Ok(Ended::Denied),
            Err(error) => Err(error),
        }
    }
}

/// The server's clock, in seconds since 1970, and the session's account.
async fn time_and_account<S: Session>(session: &mut S) -> Result<(i64, String), SessionError> {
    let rows = session
        .query("SELECT UNIX_TIMESTAMP(), CURRENT_USER()", &[])
        .await?;
    match rows.first().map(Vec::as_slice) {
        Some([now, Value::Text(account)]) => {
            Ok((whole(now).ok_or_else(start_unknown)?, account.clone()))
        }
        _ => Err(start_unknown()),
    }
}

fn start_unknown() -> SessionError {
    SessionError::NotStarted {
        message: "the server does not say since when it runs".to_owned(),
    }
}

/// A column of the process list `p` that is asked last: whether the row says nothing of its connection. MariaDB leaves the
/// database and the statement out and says `Busy` where another thread has the connection's data locked in that moment
/// (`trylock_short` in its `sql_show.cc`, read 2026-11-23).
pub(crate) const IS_BUSY: &str = "p.command = 'Busy'";

/// ER_CANNOT_CONVERT_STRING: MySQL 9 gives this instead of any row of the process list while a connection runs a statement
/// with binary data in it, whatever the columns that were asked for (seen with 9.7.4; with 9.4 in
/// <https://github.com/mysql-net/MySqlConnector/issues/1603>, read 2026-11-23).
const CANNOT_CONVERT: u16 = 3854;

/// How often the process list is asked until no row is busy and it is shown.
const LOOKS_MAX: u32 = 50;

/// The pause after an answer that another's statement took the place of: such statements are short as a rule.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// Asks for rows of the process list whose last column is [`IS_BUSY`], which the answer does not have: a row that says
/// nothing is asked for again, and a list that cannot be shown.
pub(crate) async fn process_list<S: Session>(
    session: &mut S,
    sql: &str,
    parameters: &[(&str, Value)],
) -> Result<Vec<Row>, SessionError> {
    let is_busy = |row: &Row| row.last().and_then(whole) == Some(1);
    let mut looks = 1;
    loop {
        let mut rows = match session.query(sql, parameters).await {
            Err(SessionError::Refused { code, .. })
                if code == CANNOT_CONVERT && looks < LOOKS_MAX =>
            {
                looks += 1;
                session.pause(LOOK_PAUSE).await;
                continue;
            }
            answer => answer?,
        };
        if looks == LOOKS_MAX || !rows.iter().any(is_busy) {
            rows.retain(|row| !is_busy(row));
            for row in &mut rows {
                row.pop();
            }
            return Ok(rows);
        }
        looks += 1;
    }
}

/// What a connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// It has ended, and with it whatever was running or could still have been sent over it.
    Gone,
    /// It waits for its client's next word.
    Idle { seconds: i64 },
    /// It runs a statement.
    Working {
        /// Whether the statement does nothing but wait for a lock on a table.
        waits_for_lock: bool,
        seconds: i64,
    },
    /// The server does not show it to this account, whether or not it lives.
    Hidden,
}

/// What came of ending a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The server does not know it any longer.
    Gone,
    /// It is about to end: what it ran is being rolled back.
    Ending,
    /// It lives, and this account may not end it.
    Denied,
}

/// The server's words for a statement that waits for a metadata lock, by the kind of object
/// (<https://dev.mysql.com/doc/refman/8.0/en/general-thread-states.html>, read 2026-11-23).
pub(crate) fn is_lock_wait(state: &str) -> bool {
    state.starts_with("Waiting for") && state.ends_with("lock")
}

/// Whether this account sees everyone's connections: what shows transactions wants the same right.
pub(crate) async fn sees_all<S: Session>(session: &mut S) -> Result<bool, SessionError> {
    match session
        .query("SELECT 1 FROM information_schema.innodb_trx LIMIT 1", &[])
        .await
    {
        Ok(_) => Ok(true),
        Err(SessionError::Refused { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A number that a server may give as text.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Long(number) => Some(*number),
        Value::Text(text) => text.parse().ok(),
        Value::Null => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A session whose answers are there at once, in this order.
    struct Answers(Vec<Result<Vec<Row>, SessionError>>);

    impl Session for Answers {
        async fn query(&mut self, _: &str, _: &[(&str, Value)]) -> Result<Vec<Row>, SessionError> {
            self.0.remove(0)
        }

        async fn execute(&mut self, _: &str, _: &[(&str, Value)]) -> Result<u64, SessionError> {
            Ok(0)
        }

        async fn run(&mut self, _: &str) -> Result<u64, SessionError> {
            Ok(0)
        }

        async fn begin(&mut self) -> Result<(), SessionError> {
            Ok(())
        }

        async fn commit(&mut self) -> Result<(), SessionError> {
            Ok(())
        }

        async fn rollback(&mut self) -> Result<(), SessionError> {
            Ok(())
        }

        async fn pause(&mut self, _: Duration) {}

        fn remaining(&self) -> Option<Duration> {
            None
        }
    }

    fn at_once<T>(future: impl Future<Output = T>) -> T {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::pin!(future).poll(&mut context) {
            std::task::Poll::Ready(value) => value,
            std::task::Poll::Pending => panic!("it waits"),
        }
    }

    #[test]
    fn a_row_of_the_process_list_that_says_nothing_is_asked_for_again() {
        let row = |id, busy| vec![Value::Long(id), Value::Long(busy)];
        let mut session = Answers(vec![
            Ok(vec![row(7, 1)]),
            Ok(vec![row(7, 0), row(8, 1)]),
            Ok(vec![row(7, 0)]),
        ]);
        let rows = at_once(process_list(&mut session, "", &[])).unwrap();
        assert_eq!(rows, [[Value::Long(7)]]);
    }

    #[test]
    fn a_process_list_that_a_statement_of_another_hides_is_asked_for_again() {
        let refused = |code| {
            Err(SessionError::Refused {
                code,
                sql_state: "HY000".to_owned(),
                message: "Cannot convert string '\\xB1\\xAF...' from utf8mb4 to utf8mb3".to_owned(),
            })
        };
        let row = vec![Value::Long(7), Value::Long(0)];
        let mut session = Answers(vec![refused(3854), refused(3854), Ok(vec![row])]);
        let rows = at_once(process_list(&mut session, "", &[])).unwrap();
        assert_eq!(rows, [[Value::Long(7)]]);

        let mut always = Answers((0..60).map(|_| refused(3854)).collect());
        assert!(at_once(process_list(&mut always, "", &[])).is_err());
        assert_eq!(always.0.len(), 10, "it was asked fifty times");

        let mut denied = Answers(vec![refused(1045), Ok(Vec::new())]);
        assert!(at_once(process_list(&mut denied, "", &[])).is_err());
    }

    #[test]
    fn a_start_that_was_read_while_time_passed_is_read_again() {
        let now = |seconds| {
            Ok(vec![vec![
                Value::Long(seconds),
                Value::Text("root@%".to_owned()),
            ]])
        };
        let uptime = |seconds: i64| {
            let name = Value::Text("Uptime".to_owned());
            Ok(vec![vec![name, Value::Text(seconds.to_string())]])
        };
        let mut session = Answers(vec![
            now(1000),
            uptime(100),
            now(1009),
            uptime(110),
            now(1010),
        ]);
        let read = at_once(Connection::of_session(&mut session, 7)).unwrap();
        assert_eq!(read.to_string(), "7 900 root@%");
    }

    #[test]
    fn a_connection_reads_back_what_it_writes() {
        let connection = Connection {
            id: 17,
            server_started: 1_763_859_704,
            account: "ann of x@%".to_owned(),
        };
        assert_eq!(Connection::parse(&connection.to_string()), Some(connection));
        assert_eq!(Connection::parse(""), None);
        assert_eq!(Connection::parse("17 x y"), None);
    }

    #[test]
    fn waits_for_locks_are_told_from_other_waits() {
        assert!(is_lock_wait("Waiting for table metadata lock"));
        assert!(is_lock_wait("Waiting for global read lock"));
        assert!(!is_lock_wait("Waiting for handler commit"));
        assert!(!is_lock_wait("copy to tmp table"));
    }
}
