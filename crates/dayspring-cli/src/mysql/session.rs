//! The session itself.

use std::future::Future;
use std::time::{Duration, Instant};

use dayspring_migrate::{Ran, Recorded, Row, Session, SessionError, Value, Write, write_then_run};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, DriverError, Error as Driver, Opts};
use tokio::time::{sleep, timeout};

use super::failure::{self, Connection};
use super::packet::Reached;
use super::row::engine_row;
use super::{DatabaseUrl, literal, packet};
use crate::error::Error;

/// How long a connection may take to be made. A statement may take as long as it likes.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// How often, and how long between, to look whether the server has ended a lost connection: half a minute, in which a
/// rollback of rows may well be done. What then still runs, the engine meets as a lock or in the process list.
const END_LOOKS_MAX: u32 = 600;
const END_POLL: Duration = Duration::from_millis(50);

/// MariaDB's word for a foreign key that does not fit, whose reason it only notes.
const CANNOT_CREATE_TABLE: u16 = 1005;

/// Data statements of one transaction: many packets' worth, and few enough to be said again after a deadlock.
const TRANSACTION_STATEMENTS_MAX: usize = 5000;

/// The server's number for a statement that it cannot parse.
const PARSE_ERROR: u16 = 1064;

/// ER_NET_PACKET_TOO_LARGE: the server's number for a statement that is longer than it takes.
const PACKET_TOO_LARGE: u16 = 1153;

/// A session over one connection.
#[derive(Debug)]
pub(crate) struct MySqlSession {
    url: DatabaseUrl,
    /// The ways to connect, in the order in which to try them; one that the server does not know is forgotten.
    ways: Vec<Opts>,
    /// Taken out for a call, so that a call that is given up leaves none behind.
    connection: Option<Conn>,
    transaction: Transaction,
    /// The server's number for the connection.
    id: u64,
    /// When it was made.
    since: Instant,
    /// The longest packet that the server takes.
    packet_bytes_max: usize,
    /// A connection that was lost and that the server may still have.
    lost: Option<LostConnection>,
    /// Whether a script has said something that may have changed the connection's settings.
    altered: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LostConnection {
    id: u64,
    in_transaction: bool,
    /// When it was made.
    since: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    Open,
    /// Its connection is gone, and what it did with it.
    Lost,
}

impl MySqlSession {
    /// Connects. A statement waits `lock_wait` for each lock, in whole seconds.
    ///
    /// # Errors
    /// [`Error::Connect`].
    pub(crate) async fn connect(url: DatabaseUrl, lock_wait: Duration) -> Result<Self, Error> {
        url.check_authorities()?;
        let mut session = Self {
            ways: url.options(lock_wait),
            url,
            connection: None,
            transaction: Transaction::None,
            id: 0,
            since: Instant::now(),
            packet_bytes_max: usize::MAX,
            lost: None,
            altered: false,
        };
        let connection = session.reopen().await.map_err(|error| Error::Connect {
            place: session.url.to_string(),
            message: failure::describe(&error),
            help: failure::connect_help(&error).to_owned(),
        })?;
        session.connection = Some(connection);
        Ok(session)
    }

    async fn open(&mut self) -> Result<Conn, Driver> {
        loop {
            let Some(way) = self.ways.first() else {
                return Err(DriverError::ConnectionClosed.into());
            };
            let connected = timeout(CONNECT_TIME_MAX, Conn::new(way.clone())).await;
            match connected {
                Ok(Err(Driver::Driver(DriverError::NoClientSslFlagFromServer)))
                    if self.ways.len() > 1 =>
                {
                    self.ways.remove(0);
                }
                Ok(Err(error)) if self.ways.len() > 1 && failure::is_of_name(&error) => {
                    self.ways.remove(0);
                }
                Ok(connected) => return connected,
                Err(_) => {
                    let late = std::io::Error::other(format!(
                        "the server did not answer in {} s",
                        CONNECT_TIME_MAX.as_secs()
                    ));
                    return Err(Driver::Io(late.into()));
                }
            }
        }
    }

    /// The connection for a call: that of the open transaction, or one on which no script has left anything.
    async fn take(&mut self) -> Result<Conn, SessionError> {
        match self.transaction {
            Transaction::Lost => {
                return Err(SessionError::NotStarted {
                    message: "the transaction ended when its connection was lost".to_owned(),
                });
            }
            Transaction::Open => {
                if let Some(connection) = self.connection.take() {
                    return Ok(connection);
                }
                self.transaction = Transaction::Lost;
                return Err(SessionError::NotStarted {
                    message: "the transaction ended with its connection".to_owned(),
                });
            }
            Transaction::None => {}
        }
        if let Some(connection) = self.connection.take() {
            if !self.altered {
                return Ok(connection);
            }
            if let Some(connection) = self.restored(connection).await {
                self.altered = false;
                return Ok(connection);
            }
        }
        let connection = self.reopen().await;
        let connection = connection.map_err(|error| SessionError::NotStarted {
            message: format!(
                "cannot connect to {}: {}",
                self.url,
                failure::describe(&error)
            ),
        })?;
        self.altered = false;
        Ok(connection)
    }

    /// Opens the session's own connection, and ends what is left of the one before it.
    async fn reopen(&mut self) -> Result<Conn, Driver> {
        let since = Instant::now();
        let mut connection = self.open().await?;
        // Behind a proxy the number of the greeting may be the proxy's.
        let found: Option<(u64, usize)> = connection
            .query_first("SELECT CONNECTION_ID(), @@max_allowed_packet")
            .await?;
        (self.id, self.packet_bytes_max) = found.unwrap_or((0, usize::MAX));
        self.since = since;
        if let Some(lost) = self.lost {
            end(&mut connection, lost).await?;
            self.lost = None;
        }
        Ok(connection)
    }

    /// The connection as it was when it was made, or nothing where the server cannot do that.
    async fn restored(&self, mut connection: Conn) -> Option<Conn> {
        if !connection.reset().await.ok()? {
            return None;
        }
        if let Some(database) = self.url.database() {
            let sql = format!("USE `{}`", database.replace('`', "``"));
            connection.query_drop(sql).await.ok()?;
        }
        Some(connection)
    }

    /// Puts the connection back after a call, and gives the call's answer in the engine's words.
    fn give_back<T>(
        &mut self,
        connection: Conn,
        answer: Result<T, Driver>,
    ) -> Result<T, SessionError> {
        let (answer, left) = match answer {
            Ok(answer) => (Ok(answer), Connection::Usable),
            Err(error) => {
                let failure = failure::of_call(error);
                (Err(failure.error), failure.connection)
            }
        };
        match left {
            Connection::Usable => self.connection = Some(connection),
            Connection::Lost => {
                drop(connection);
                self.lost = Some(LostConnection {
                    id: self.id,
                    in_transaction: self.transaction == Transaction::Open,
                    since: self.since,
                });
                if self.transaction == Transaction::Open {
                    self.transaction = Transaction::Lost;
                }
            }
        }
        answer
    }

    async fn say(&mut self, sql: &str) -> Result<u64, SessionError> {
        let mut connection = self.take().await?;
        let answer = connection.query_drop(sql).await;
        let affected = connection.affected_rows();
        self.give_back(connection, answer).map(|()| affected)
    }

    /// Says several statements in one packet, and gives their answers up to the first failure.
    async fn say_several(&mut self, sql: &str) -> (Vec<Answered>, Result<(), SessionError>) {
        let mut connection = match self.take().await {
            Ok(connection) => connection,
            Err(error) => return (Vec::new(), Err(error)),
        };
        let mut answered = Vec::new();
        let answer = read_answers(&mut connection, sql, &mut answered).await;
        (answered, self.give_back(connection, answer))
    }

    /// Says writes in as few packets as they fit in.
    async fn write_several(&mut self, statements: Vec<String>) -> Result<Vec<u64>, SessionError> {
        let mut matched = Vec::with_capacity(statements.len());
        for packet in packet::packets(statements) {
            let (of_packet, answer) = self.say_several(&packet::join(&packet)).await;
            answer?;
            matched.extend(of_packet.iter().map(|answered| answered.matched));
        }
        Ok(matched)
    }

    /// Says writes as a transaction of their own.
    async fn write_in_transaction(
        &mut self,
        mut statements: Vec<String>,
    ) -> Result<Vec<u64>, SessionError> {
        let connection = self.take().await?;
        self.connection = Some(connection);
        statements.insert(0, "START TRANSACTION".to_owned());
        statements.push("COMMIT".to_owned());
        // So that, when the connection is lost, the server ends what may be left of it.
        self.transaction = Transaction::Open;
        let answer = self.write_several(statements).await;
        if matches!(answer, Err(SessionError::Refused { .. })) {
            drop(self.rollback().await);
        }
        self.transaction = Transaction::None;
        let mut matched = answer?;
        matched.pop();
        matched.drain(..1);
        Ok(matched)
    }

    /// Over another connection a script's statement would not go over the one that the lease names.
    fn check_connected(&self) -> Result<(), SessionError> {
        match self.connection {
            Some(_) => Ok(()),
            None => Err(SessionError::NotStarted {
                message: "the connection was lost".to_owned(),
            }),
        }
    }

    /// The failure of a statement that others followed in its packet. The server quotes what follows it: alone it is
    /// quoted to its end, and refused for the same.
    async fn refusal_of(
        &mut self,
        sql: &str,
        error: SessionError,
        is_followed: bool,
    ) -> Result<(), SessionError> {
        let is_unparsed = matches!(
            error,
            SessionError::Refused {
                code: PARSE_ERROR,
                ..
            }
        );
        if is_followed && is_unparsed {
            return self.run(sql).await.map(drop);
        }
        Err(self.explained(error).await)
    }

    /// Refuses what the server would not take. The driver finds it too, and loses the connection with it, transaction and
    /// all.
    fn check_length(&self, sql: &str) -> Result<(), SessionError> {
        // The command's byte is of the packet.
        if sql.len() < self.packet_bytes_max {
            return Ok(());
        }
        Err(SessionError::Refused {
            code: PACKET_TOO_LARGE,
            sql_state: "08S01".to_owned(),
            message: format!(
                "the statement has {} bytes, and the server's `max_allowed_packet` is {}",
                sql.len(),
                self.packet_bytes_max
            ),
        })
    }

    /// Adds what only the connection that saw the error can ask: which of a foreign key's columns does not match.
    async fn explained(&mut self, error: SessionError) -> SessionError {
        let SessionError::Refused {
            code,
            sql_state,
            message,
        } = &error
        else {
            return error;
        };
        let more = match (*code, &mut self.connection) {
            (CANNOT_CREATE_TABLE, Some(connection)) => warning(connection).await,
            _ => None,
        };
        match more {
            Some(more) => SessionError::Refused {
                code: *code,
                sql_state: sql_state.clone(),
                message: format!("{message}; {more}"),
            },
            None => error,
        }
    }
}

/// Has the server end a connection that it does not know to be lost, and waits until it has.
async fn end(connection: &mut Conn, lost: LostConnection) -> Result<(), Driver> {
    let id = lost.id;
    let uptime: Option<(String, u64)> = connection
        .query_first("SHOW GLOBAL STATUS LIKE 'Uptime'")
        .await?;
    if uptime.is_some_and(|(_, seconds)| was_started_since(seconds, lost.since.elapsed())) {
        return Ok(());
    }
    let sql = format!(
        "SELECT CAST(command AS CHAR) FROM information_schema.processlist WHERE id = {id} AND id <> CONNECTION_ID()"
    );
    for _ in 0..END_LOOKS_MAX {
        let Some(command): Option<String> = connection.query_first(&sql).await? else {
            return Ok(());
        };
        // In this moment MariaDB does not show what it does.
        if command == "Busy" {
            sleep(END_POLL).await;
            continue;
        }
        if command == "Query" && !lost.in_transaction {
            return Ok(());
        }
        match connection.query_drop(format!("KILL {id}")).await {
            // It ended by itself meanwhile.
            Ok(()) | Err(Driver::Server(_)) => {}
            Err(error) => return Err(error),
        }
        sleep(END_POLL).await;
    }
    Ok(())
}

/// Whether a server that has run for so many seconds was started after a connection of this age was made: then that has
/// ended, and its number may be another client's.
fn was_started_since(uptime_seconds: u64, age: Duration) -> bool {
    // The server counts whole seconds.
    uptime_seconds + 1 < age.as_secs()
}

/// The first thing that the server notes beside the error itself.
async fn warning(connection: &mut Conn) -> Option<String> {
    let rows: Vec<(String, u16, String)> = connection.query("SHOW WARNINGS").await.ok()?;
    rows.into_iter()
        .find(|(level, _, _)| level == "Warning")
        .map(|(_, _, message)| message.trim().to_owned())
}

/// What the server answered to one statement of a packet.
#[derive(Debug)]
struct Answered {
    /// The rows that it matched, if it wrote.
    matched: u64,
    /// The rows that it gave.
    rows: Vec<mysql_async::Row>,
}

/// Sends a packet of statements and adds their answers, until all are answered or one fails.
async fn read_answers(
    connection: &mut Conn,
    sql: &str,
    answered: &mut Vec<Answered>,
) -> Result<(), Driver> {
    let mut answers = connection.query_iter(sql).await?;
    while answers.columns().is_some() {
        answered.push(Answered {
            matched: answers.affected_rows(),
            rows: Vec::new(),
        });
        // The end of its rows reads on to the next statement's answer.
        while let Some(row) = answers.next().await? {
            if let Some(last) = answered.last_mut() {
                last.rows.push(row);
            }
        }
    }
    // Where there is no next answer, the failure of the next statement may be kept for this call.
    answers.next().await.map(drop)
}

/// Under a DELIMITER a script can hold several statements as one. The driver always asks for the protocol's multi
/// statements, so the server would run them all; a failure of the second would then leave the effect of the first.
fn refuse_several(sql: &str) -> Result<(), SessionError> {
    let inner = sql.trim_end().trim_end_matches(';');
    if !inner.contains(';') || dayspring_migrate::split(sql).is_ok_and(|spans| spans.len() < 2) {
        return Ok(());
    }
    Err(SessionError::Refused {
        code: PARSE_ERROR,
        sql_state: "42000".to_owned(),
        message: "these are several statements in one; write the DELIMITER after each".to_owned(),
    })
}

impl Session for MySqlSession {
    async fn query(
        &mut self,
        sql: &str,
        parameters: &[(&str, Value)],
    ) -> Result<Vec<Row>, SessionError> {
        let sql = literal::bind(sql, parameters);
        let mut connection = self.take().await?;
        let answer: Result<Vec<mysql_async::Row>, Driver> = connection.query(sql).await;
        let rows = self.give_back(connection, answer)?;
        Ok(rows.into_iter().map(engine_row).collect())
    }

    async fn execute(
        &mut self,
        sql: &str,
        parameters: &[(&str, Value)],
    ) -> Result<u64, SessionError> {
        self.say(&literal::bind(sql, parameters)).await
    }

    async fn execute_all(&mut self, writes: &[Write]) -> Result<Vec<u64>, SessionError> {
        let statements: Vec<String> = writes
            .iter()
            .map(|write| literal::bind(&write.sql, &write.parameters()))
            .collect();
        match (self.transaction, statements.as_slice()) {
            (_, []) => Ok(Vec::new()),
            // It is one by itself.
            (Transaction::None, [alone]) => self.say(alone).await.map(|matched| vec![matched]),
            (Transaction::None, _) => self.write_in_transaction(statements).await,
            (Transaction::Open | Transaction::Lost, _) => self.write_several(statements).await,
        }
    }

    async fn run(&mut self, sql: &str) -> Result<u64, SessionError> {
        refuse_several(sql)?;
        self.check_connected()?;
        self.check_length(sql)?;
        let mut connection = self.take().await?;
        self.altered |= !packet::leaves_connection(sql);
        let answer = connection.query_drop(sql).await;
        let affected = connection.affected_rows();
        match self.give_back(connection, answer) {
            Ok(()) => Ok(affected),
            Err(error) => Err(self.explained(error).await),
        }
    }

    async fn write_and_run(&mut self, writes: &[Write], sql: &str, look: Option<&str>) -> Recorded {
        let Some(packet) = packet::Recording::new(writes, sql, look) else {
            return write_then_run(self, writes, sql).await;
        };
        // Over another connection the statement would not go over the one that the lease names.
        if let Err(error) = self.check_connected() {
            return Recorded::Unwritten(error);
        }
        let (mut answered, answer) = self.say_several(packet.text()).await;
        let error = match (answer, packet.reached(answered.len())) {
            (Ok(()), Reached::End) => {
                let seen = look.and_then(|_| answered.pop());
                return Recorded::Ran {
                    answer: Ok(()),
                    seen: seen.map(|seen| Ok(seen.rows.into_iter().map(engine_row).collect())),
                };
            }
            (Ok(()), _) => SessionError::Unknown {
                message: format!("the server took {} statements of a packet", answered.len()),
            },
            (Err(error), _) => error,
        };
        let code = match &error {
            SessionError::Refused { code, .. } => Some(*code),
            SessionError::NotStarted { .. }
            | SessionError::Unknown { .. }
            | SessionError::StillRunning { .. } => None,
        };
        match packet.reached(answered.len()) {
            reached @ (Reached::Writes | Reached::Guard) if code.is_some() => {
                // The server stopped in the middle of the transaction.
                self.transaction = Transaction::Open;
                drop(self.rollback().await);
                if reached == Reached::Guard && code == Some(packet::OUT_OF_RANGE) {
                    Recorded::Untouched
                } else {
                    Recorded::Unwritten(error)
                }
            }
            Reached::Writes | Reached::Guard => match error {
                SessionError::NotStarted { .. } => Recorded::Unwritten(error),
                error => Recorded::Unknown(error),
            },
            Reached::Statement => Recorded::Ran {
                answer: self.refusal_of(sql, error, look.is_some()).await,
                seen: None,
            },
            Reached::Look | Reached::End => Recorded::Ran {
                answer: Ok(()),
                seen: code.is_some().then_some(Err(error)),
            },
        }
    }

    async fn run_some(&mut self, statements: &[&str]) -> Ran {
        let together = &statements[..packet::together(statements)];
        if let [alone] = together {
            return match self.run(alone).await {
                Ok(_) => ran(1, None),
                Err(error) => ran(0, Some(error)),
            };
        }
        if let Err(error) = self.check_connected() {
            return ran(0, Some(error));
        }
        self.altered = true;
        let (answered, answer) = self.say_several(&packet::join(together)).await;
        let done = answered.len();
        match answer {
            Ok(()) if done == together.len() => ran(done, None),
            // The transaction is rolled back for this.
            Ok(()) => ran(
                0,
                Some(SessionError::NotStarted {
                    message: format!("the server took {} statements for {}", together.len(), done),
                }),
            ),
            // The server quotes what follows, which here is the next statement: alone it quotes this one to its end.
            Err(SessionError::Refused {
                code: PARSE_ERROR, ..
            }) if done < together.len() => match self.run(together[done]).await {
                Ok(_) => ran(done + 1, None),
                Err(error) => ran(done, Some(error)),
            },
            Err(error) => ran(done, Some(self.explained(error).await)),
        }
    }

    fn transaction_statements_max(&self) -> usize {
        TRANSACTION_STATEMENTS_MAX
    }

    async fn begin(&mut self) -> Result<(), SessionError> {
        // An earlier one that nobody ended is over: transactions do not nest.
        if self.transaction != Transaction::None {
            drop(self.rollback().await);
        }
        self.say("START TRANSACTION").await?;
        self.transaction = Transaction::Open;
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), SessionError> {
        let answer = self.say("COMMIT").await;
        // A refused commit leaves the transaction to the rollback that follows.
        if !matches!(answer, Err(SessionError::Refused { .. })) {
            self.transaction = Transaction::None;
        }
        answer.map(drop)
    }

    async fn rollback(&mut self) -> Result<(), SessionError> {
        let answer = match self.transaction {
            Transaction::Open => self.say("ROLLBACK").await.map(drop),
            Transaction::Lost | Transaction::None => Ok(()),
        };
        if answer.is_err() {
            // Its end ends the transaction, whatever was answered.
            self.connection = None;
        }
        self.transaction = Transaction::None;
        answer
    }

    async fn connection(&mut self) -> Result<Option<u64>, SessionError> {
        let connection = self.take().await?;
        self.connection = Some(connection);
        Ok(Some(self.id))
    }

    fn pause(&mut self, duration: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(duration)
    }

    fn remaining(&self) -> Option<Duration> {
        None
    }
}

fn ran(done: usize, error: Option<SessionError>) -> Ran {
    Ran { done, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_s_number_is_another_s_once_the_server_was_started_again() {
        let age = Duration::from_secs(60);
        assert!(was_started_since(3, age));
        assert!(!was_started_since(59, age) && !was_started_since(86_400, age));
        assert!(!was_started_since(0, Duration::from_millis(1900)));
    }

    #[test]
    fn several_statements_in_one_are_not_sent() {
        for one in [
            "SELECT 1",
            "SELECT 1;",
            "INSERT INTO t VALUES ('a;b');\n",
            "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END",
            "/* tag; */ CREATE TABLE t (id INT)",
        ] {
            assert_eq!(refuse_several(one), Ok(()), "{one}");
        }
        for several in [
            "SELECT 1; SELECT 2",
            "CREATE TABLE a (b INT); DROP TABLE c;",
        ] {
            assert!(refuse_several(several).is_err(), "{several}");
        }
    }
}
