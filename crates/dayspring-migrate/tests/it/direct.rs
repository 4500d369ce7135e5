//! A session over one connection, and one that ends at a chosen call.

use std::time::Duration;

use dayspring_migrate::{Recorded, Row, Session, SessionError, Value, Write, write_then_run};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, Params};
use tokio::sync::mpsc;

use crate::server;

/// The calls of a [`Session`] that go on to its `inner` one as they are: all but `run` and `pause`.
macro_rules! calls_of_inner {
    () => {
        async fn query(
            &mut self,
            sql: &str,
            parameters: &[(&str, dayspring_migrate::Value)],
        ) -> Result<Vec<dayspring_migrate::Row>, dayspring_migrate::SessionError> {
            self.inner.query(sql, parameters).await
        }

        async fn execute(
            &mut self,
            sql: &str,
            parameters: &[(&str, dayspring_migrate::Value)],
        ) -> Result<u64, dayspring_migrate::SessionError> {
            self.inner.execute(sql, parameters).await
        }

        async fn begin(&mut self) -> Result<(), dayspring_migrate::SessionError> {
            self.inner.begin().await
        }

        async fn commit(&mut self) -> Result<(), dayspring_migrate::SessionError> {
            self.inner.commit().await
        }

        async fn rollback(&mut self) -> Result<(), dayspring_migrate::SessionError> {
            self.inner.rollback().await
        }

        async fn connection(&mut self) -> Result<Option<u64>, dayspring_migrate::SessionError> {
            self.inner.connection().await
        }

        fn remaining(&self) -> Option<std::time::Duration> {
            None
        }
    };
}
pub(crate) use calls_of_inner;

/// A session over one connection, and over a new one after it is lost.
pub(crate) struct Direct {
    opts: OptsBuilder,
    /// Nothing after the connection was lost.
    conn: Option<Conn>,
    in_transaction: bool,
    /// Whether each call outside a transaction has a connection of its own, as over the Data API.
    pub(crate) is_pooled: bool,
    pub(crate) remaining: Option<Duration>,
}

impl Direct {
    pub(crate) async fn connect(opts: &OptsBuilder) -> Self {
        Self {
            opts: opts.clone(),
            conn: Some(server::connect(opts).await),
            in_transaction: false,
            is_pooled: false,
            remaining: None,
        }
    }

    pub(crate) async fn disconnect(self) {
        if let Some(conn) = self.conn {
            conn.disconnect().await.unwrap();
        }
    }

    async fn take(&mut self) -> Result<Conn, SessionError> {
        match self.conn.take() {
            Some(conn) if self.is_pooled && !self.in_transaction => {
                drop(conn);
                Ok(server::connect(&self.opts).await)
            }
            Some(conn) => Ok(conn),
            None if self.in_transaction => not_started("the transaction ended with its connection"),
            None => match Conn::new(self.opts.clone()).await {
                Ok(conn) => Ok(conn),
                Err(error) => not_started(&error.to_string()),
            },
        }
    }

    /// Carries writes out as one transaction; false where one of them matched no row, and nothing is written.
    async fn write_in_transaction(&mut self, writes: &[Write]) -> Result<bool, SessionError> {
        self.begin().await?;
        let written = self.execute_all(writes).await;
        match written {
            Ok(matched) if !matched.contains(&0) => {
                self.commit().await?;
                Ok(true)
            }
            other => {
                self.rollback().await?;
                other.map(|_| false)
            }
        }
    }

    fn give_back<T>(
        &mut self,
        conn: Conn,
        answer: Result<T, mysql_async::Error>,
    ) -> Result<T, SessionError> {
        let answer = answer.map_err(session_error);
        match &answer {
            Err(SessionError::Unknown { .. }) => drop(conn),
            Ok(_) | Err(_) => self.conn = Some(conn),
        }
        answer
    }
}

fn not_started<T>(message: &str) -> Result<T, SessionError> {
    Err(SessionError::NotStarted {
        message: message.to_owned(),
    })
}

impl Session for Direct {
    async fn query(
        &mut self,
        sql: &str,
        parameters: &[(&str, Value)],
    ) -> Result<Vec<Row>, SessionError> {
        let mut conn = self.take().await?;
        let answer = conn.exec(sql, params(parameters)).await;
        let rows: Vec<mysql_async::Row> = self.give_back(conn, answer)?;
        Ok(rows
            .into_iter()
            .map(|row| row.unwrap().into_iter().map(value).collect())
            .collect())
    }

    async fn execute(
        &mut self,
        sql: &str,
        parameters: &[(&str, Value)],
    ) -> Result<u64, SessionError> {
        // MySQL prepares no SAVEPOINT.
        if parameters.is_empty() {
            return self.run(sql).await;
        }
        let mut conn = self.take().await?;
        let answer = conn.exec_drop(sql, params(parameters)).await;
        let rows = conn.affected_rows();
        self.give_back(conn, answer).map(|()| rows)
    }

    async fn run(&mut self, sql: &str) -> Result<u64, SessionError> {
        let mut conn = self.take().await?;
        let answer = conn.query_drop(sql).await;
        let rows = conn.affected_rows();
        self.give_back(conn, answer).map(|()| rows)
    }

    async fn begin(&mut self) -> Result<(), SessionError> {
        self.run("START TRANSACTION").await?;
        self.in_transaction = true;
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), SessionError> {
        let answer = self.run("COMMIT").await;
        self.in_transaction = false;
        answer.map(drop)
    }

    async fn rollback(&mut self) -> Result<(), SessionError> {
        if std::mem::take(&mut self.in_transaction) && self.conn.is_some() {
            self.run("ROLLBACK").await?;
        }
        Ok(())
    }

    async fn connection(&mut self) -> Result<Option<u64>, SessionError> {
        if self.is_pooled {
            return Ok(None);
        }
        let conn = self.take().await?;
        let id = u64::from(conn.id());
        self.conn = Some(conn);
        Ok(Some(id))
    }

    async fn pause(&mut self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn remaining(&self) -> Option<Duration> {
        self.remaining
    }
}

fn params(parameters: &[(&str, Value)]) -> Params {
    if parameters.is_empty() {
        return Params::Empty;
    }
    let named = parameters.iter().map(|(name, value)| {
        let value = match value {
            Value::Null => mysql_async::Value::NULL,
            Value::Long(number) => mysql_async::Value::Int(*number),
            Value::Text(text) => mysql_async::Value::Bytes(text.as_bytes().to_vec()),
        };
        (name.as_bytes().to_vec(), value)
    });
    Params::Named(named.collect())
}

fn value(value: mysql_async::Value) -> Value {
    match value {
        mysql_async::Value::NULL => Value::Null,
        mysql_async::Value::Bytes(bytes) => {
            Value::Text(String::from_utf8_lossy(&bytes).into_owned())
        }
        mysql_async::Value::Int(number) => Value::Long(number),
        mysql_async::Value::UInt(number) => Value::Long(i64::try_from(number).unwrap()),
        other => Value::Text(other.as_sql(true)),
    }
}

fn session_error(error: mysql_async::Error) -> SessionError {
    match error {
        // Killed, in MariaDB's and MySQL's numbers, and the server's end.
        mysql_async::Error::Server(error) if matches!(error.code, 1927 | 3169 | 1053) => {
            SessionError::Unknown {
                message: error.message,
            }
        }
        mysql_async::Error::Server(error) => SessionError::Refused {
            code: error.code,
            sql_state: error.state,
            message: error.message,
        },
        other => SessionError::Unknown {
            message: other.to_string(),
        },
    }
}

/// Which side of a call the world ends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
    /// The call takes effect and its answer is lost; the world goes on.
    AnswerLost,
    /// The call never reaches the server and its answer is lost; the world goes on.
    RequestLost,
    /// A call that writes and then runs a statement ends between the two. Only such calls are counted.
    Between,
    /// The same, and only its answer is lost; the world goes on.
    LostBetween,
}

/// A session that ends at its n-th call, from 1. It tells so on a channel and then never answers.
pub(crate) struct Mortal {
    pub(crate) inner: Direct,
    /// Whether writes and the statement after them, and the look after that, are one call.
    pub(crate) sends_together: bool,
    /// Told of each statement of a script that is sent in a call of its own, before that.
    pub(crate) sending: fn(&str),
    pub(crate) calls: u32,
    pub(crate) dies_at: u32,
    pub(crate) side: Side,
    pub(crate) died: mpsc::UnboundedSender<()>,
}

impl Mortal {
    async fn die(&self) -> ! {
        self.died.send(()).unwrap();
        std::future::pending().await
    }

    /// Counts a call; true where it is the chosen one.
    async fn is_last(&mut self) -> bool {
        if matches!(self.side, Side::Between | Side::LostBetween) {
            return false;
        }
        self.is_last_of_counted().await
    }

    async fn is_last_of_counted(&mut self) -> bool {
        self.calls += 1;
        let is_last = self.calls == self.dies_at;
        if is_last && self.side == Side::Before {
            self.die().await
        }
        is_last
    }

    async fn end<T>(
        &mut self,
        is_last: bool,
        answer: Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        match (is_last, self.side) {
            (true, Side::After) => self.die().await,
            (true, Side::AnswerLost | Side::RequestLost) => lost(),
            (true, Side::Before | Side::Between | Side::LostBetween) | (false, _) => answer,
        }
    }

    fn skips(&self, is_last: bool) -> bool {
        is_last && self.side == Side::RequestLost
    }
}

fn unknown() -> Recorded {
    Recorded::Unknown(SessionError::Unknown {
        message: "the answer was lost".to_owned(),
    })
}

fn lost<T>() -> Result<T, SessionError> {
    Err(SessionError::Unknown {
        message: "the answer was lost".to_owned(),
    })
}

impl Session for Mortal {
    async fn query(
        &mut self,
        sql: &str,
        parameters: &[(&str, Value)],
    ) -> Result<Vec<Row>, SessionError> {
        let is_last = self.is_last().await;
        let answer = if self.skips(is_last) {
            lost()
        } else {
            self.inner.query(sql, parameters).await
        };
        self.end(is_last, answer).await
    }

    async fn execute(
        &mut self,
        sql: &str,
        parameters: &[(&str, Value)],
    ) -> Result<u64, SessionError> {
        let is_last = self.is_last().await;
        let answer = if self.skips(is_last) {
            lost()
        } else {
            self.inner.execute(sql, parameters).await
        };
        self.end(is_last, answer).await
    }

    async fn run(&mut self, sql: &str) -> Result<u64, SessionError> {
        (self.sending)(sql);
        let is_last = self.is_last().await;
        let answer = if self.skips(is_last) {
            lost()
        } else {
            self.inner.run(sql).await
        };
        self.end(is_last, answer).await
    }

    async fn write_and_run(&mut self, writes: &[Write], sql: &str, look: Option<&str>) -> Recorded {
        if !self.sends_together {
            return write_then_run(self, writes, sql).await;
        }
        let is_last = self.is_last_of_counted().await;
        if self.skips(is_last) {
            return unknown();
        }
        let written = self.inner.write_in_transaction(writes).await;
        match (is_last, self.side, written) {
            (true, Side::Between, _) => self.die().await,
            (true, Side::LostBetween, _) => return unknown(),
            (_, _, Err(error)) => return Recorded::Unwritten(error),
            (_, _, Ok(false)) => return Recorded::Untouched,
            (_, _, Ok(true)) => {}
        }
        let answer = self.inner.run(sql).await.map(drop);
        let seen = match (&answer, look) {
            (Ok(()), Some(look)) => Some(self.inner.query(look, &[]).await),
            _ => None,
        };
        match (is_last, self.side) {
            (true, Side::After) => self.die().await,
            (true, Side::AnswerLost) => unknown(),
            _ => Recorded::Ran { answer, seen },
        }
    }

    async fn begin(&mut self) -> Result<(), SessionError> {
        let is_last = self.is_last().await;
        let answer = if self.skips(is_last) {
            lost()
        } else {
            self.inner.begin().await
        };
        self.end(is_last, answer).await
    }

    async fn commit(&mut self) -> Result<(), SessionError> {
        let is_last = self.is_last().await;
        let answer = if self.skips(is_last) {
            lost()
        } else {
            self.inner.commit().await
        };
        self.end(is_last, answer).await
    }

    async fn rollback(&mut self) -> Result<(), SessionError> {
        let is_last = self.is_last().await;
        let answer = if self.skips(is_last) {
            lost()
        } else {
            self.inner.rollback().await
        };
        self.end(is_last, answer).await
    }

    async fn connection(&mut self) -> Result<Option<u64>, SessionError> {
        self.inner.connection().await
    }

    async fn pause(&mut self, duration: Duration) {
        self.inner.pause(duration).await;
    }

    fn remaining(&self) -> Option<Duration> {
        self.inner.remaining
    }
}
