//! Whether the migrator that has the lease is still there. A lease must outlast the longest statement, so it says little
//! of a migrator that was killed; its connection says it at once.
//!
//! 1. A run holds a lock of the server (GET_LOCK) on a connection of its own, which does nothing else, and names the lock
//!    in the lease. The server frees the lock when the connection ends, however it ends.
//! 2. Who finds the lease taken looks for the lock. Is it held, the other lives, however long its statement takes, and
//!    is waited for. Is it free, the other is gone, and its lease is ended.
//! 3. A wrong verdict harms nothing: the lease's fencing token still keeps two migrators from writing the journal, and a
//!    statement that still runs is still looked for in the process list.

use std::fmt;

use dayspring_migrate::{Session, SessionError, Value};
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

use super::MySqlSession;

/// MySQL's "table doesn't exist".
const NO_SUCH_TABLE: u16 = 1146;

/// A connection that does nothing must not be ended for that: a day.
const WAIT_SECONDS: u32 = 86_400;

/// What a run is known by: part of its owner's name in the lease, and of its lock's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunId(u64);

impl RunId {
    pub(crate) fn new(random: u64) -> Self {
        Self(random)
    }

    fn of_owner(owner: &str) -> Option<Self> {
        let (_, digits) = owner.rsplit_once("run ")?;
        (digits.len() == 16)
            .then(|| u64::from_str_radix(digits, 16).ok())?
            .map(Self)
    }

    /// Names are at most 64 characters long
    /// (<https://dev.mysql.com/doc/refman/8.4/en/locking-functions.html>, read 2026-11-23).
    fn lock(self) -> String {
        format!("dayspring {self}")
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "run {:016x}", self.0)
    }
}

/// Shows others that a run lives, as long as it is kept.
#[derive(Debug)]
pub(crate) struct SignOfLife {
    _connection: Conn,
}

/// Another migrator, at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Other {
    pub(crate) owner: String,
    pub(crate) expires_in_seconds: i64,
}

impl MySqlSession {
    /// Shows others that this run lives; nothing where the server does not allow it, and then the lease alone counts.
    pub(crate) async fn sign_of_life(&mut self, run: RunId) -> Option<SignOfLife> {
        let mut connection = self.open().await.ok()?;
        let sql = format!("SET SESSION wait_timeout = {WAIT_SECONDS}");
        connection.query_drop(sql).await.ok()?;
        let taken: Option<Option<i64>> = connection
            .query_first(format!("SELECT GET_LOCK('{}', 0)", run.lock()))
            .await
            .ok()?;
        (taken == Some(Some(1))).then_some(SignOfLife {
            _connection: connection,
        })
    }

    /// The migrator that has the lease and is seen to live. The lease of one that is seen to be gone is ended.
    ///
    /// # Errors
    /// What the session says, but for a journal that is not there yet.
    pub(crate) async fn living_other(&mut self) -> Result<Option<Other>, SessionError> {
        let Some(table) = self.lease_table() else {
            return Ok(None);
        };
        let sql = format!(
            "SELECT owner, TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), expires_at) FROM {table} WHERE id = 1"
        );
        let rows = match self.query(&sql, &[]).await {
            Err(SessionError::Refused {
                code: NO_SUCH_TABLE,
                ..
            }) => return Ok(None),
            answer => answer?,
        };
        let Some([Value::Text(owner), Value::Long(seconds)]) = rows.first().map(Vec::as_slice)
        else {
            return Ok(None);
        };
        let Some(run) = RunId::of_owner(owner) else {
            return Ok(None);
        };
        let sql = format!("SELECT IS_USED_LOCK('{}') IS NOT NULL", run.lock());
        let lives = self.query(&sql, &[]).await?;
        if lives.first().and_then(|row| row.first()) == Some(&Value::Long(1)) {
            return Ok(Some(Other {
                owner: owner.clone(),
                expires_in_seconds: (*seconds).max(0),
            }));
        }
        let sql = format!(
            "UPDATE {table} SET expires_at = UTC_TIMESTAMP(6) WHERE id = 1 AND owner = :owner"
        );
        self.execute(&sql, &[("owner", Value::Text(owner.clone()))])
            .await?;
        Ok(None)
    }

    fn lease_table(&self) -> Option<String> {
        let database = self.url.database()?;
        Some(format!("`{}`.dayspring_lease", database.replace('`', "``")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_found_again_in_its_owners_name() {
        let run = RunId::new(0x1f);
        assert_eq!(run.to_string(), "run 000000000000001f");
        assert_eq!(
            RunId::of_owner(&format!("process 7 on here, {run}")),
            Some(run)
        );
        assert_eq!(RunId::of_owner("request 7 of 2026"), None);
        assert_eq!(RunId::of_owner("run 1f"), None);
        assert!(run.lock().len() <= 64);
    }
}
