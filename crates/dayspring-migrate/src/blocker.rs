//! Who has the lock that a statement waits for.
//!
//! 1. MySQL says it where its performance schema watches metadata locks, which is the default since 8.0
//!    (<https://dev.mysql.com/doc/refman/8.0/en/performance-schema-metadata-locks-table.html>, read 2026-11-23); FLUSH
//!    TABLES WITH READ LOCK is there the shared lock on everything.
//! 2. MariaDB says it where its plugin `metadata_lock_info` is installed
//!    (<https://mariadb.com/docs/server/reference/plugins/other-plugins/metadata-lock-info-plugin>, read 2026-11-23).
//! 3. Elsewhere InnoDB's open transactions are named, the oldest first: a table's lock is held to the end of one.
//! 4. Where none is open in the statement's database, it may be LOCK TABLES or a transaction that has asked InnoDB for no
//!    row; then the connections of the database are named, the longest idle one first, before transactions of others.

use std::fmt;

use crate::connection::{IS_BUSY, process_list, sees_all};
use crate::session::{Row, Session, Value};
use crate::statement::Touched;

/// How many are named.
const NAMED_MAX: usize = 3;

/// How much of a statement is shown.
const STATEMENT_CHARACTERS_MAX: usize = 120;

/// A connection that has, or may have, the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// The server's number for it.
    pub connection: u64,
    /// Whose it is: `user@host`.
    pub account: String,
    /// For how many seconds its transaction is open; without one, for how many it has been idle or at its statement.
    pub age_seconds: u64,
    /// Whether InnoDB knows a transaction of it.
    pub is_in_transaction: bool,
    /// What it runs; nothing where it is idle between two statements.
    pub statement: Option<String>,
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            connection,
            account,
            age_seconds,
            is_in_transaction,
            statement,
        } = self;
        write!(f, "connection {connection} of {account}, ")?;
        match (is_in_transaction, statement) {
            (true, Some(statement)) => {
                write!(f, "in a transaction for {age_seconds} s, runs {statement}")
            }
            (true, None) => write!(f, "in a transaction for {age_seconds} s, idle"),
            (false, Some(statement)) => write!(f, "runs for {age_seconds} s {statement}"),
            (false, None) => write!(f, "idle for {age_seconds} s"),
        }
    }
}

/// What could be found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blockers {
    /// These have the lock.
    Known(Vec<Blocker>),
    /// These have transactions open, the oldest first: in the statement's database, or in others where there is none.
    Possible(Vec<Blocker>),
    /// Nobody has a transaction open in the statement's database; these are connected to it, or have one elsewhere.
    Connected(Vec<Blocker>),
    /// This account is not shown the transactions of others.
    Hidden,
}

impl Blockers {
    /// Those that are named.
    #[must_use]
    pub fn named(&self) -> &[Blocker] {
        match self {
            Self::Known(named) | Self::Possible(named) | Self::Connected(named) => named,
            Self::Hidden => &[],
        }
    }
}

const COLUMNS: &str = "CAST(p.id AS SIGNED), CAST(p.user AS CHAR), CAST(p.host AS CHAR), \
    CAST(COALESCE(TIMESTAMPDIFF(SECOND, x.trx_started, NOW()), p.time) AS SIGNED), CAST(p.info AS CHAR), \
    x.trx_started IS NOT NULL";

/// Where each server shows who has the lock on a table, the better known first.
const LOCK_TABLES: [&str; 2] = [
    "performance_schema.metadata_locks l \
     JOIN performance_schema.threads t ON t.thread_id = l.owner_thread_id \
     JOIN information_schema.processlist p ON p.id = t.processlist_id \
     LEFT JOIN information_schema.innodb_trx x ON x.trx_mysql_thread_id = p.id \
     WHERE l.lock_status = 'GRANTED' AND (l.object_schema = :schema AND l.object_name = :name \
     OR l.object_type = 'GLOBAL' AND l.lock_type = 'SHARED')",
    "information_schema.metadata_lock_info l JOIN information_schema.processlist p ON p.id = l.thread_id \
     LEFT JOIN information_schema.innodb_trx x ON x.trx_mysql_thread_id = p.id \
     WHERE l.table_schema = :schema AND l.table_name = :name",
];

/// Looks for those that keep a statement waiting that touches these objects; `waiting` is its connection where that is
/// not the session's own.
pub(crate) async fn find<S: Session>(
    session: &mut S,
    schema: &str,
    touched: &[Touched],
    waiting: Option<i64>,
) -> Blockers {
    let waiting = waiting.unwrap_or(0);
    let others = format!(
        "p.id <> CONNECTION_ID() AND p.id <> {waiting} AND COALESCE(p.state, '') NOT LIKE 'Waiting for % lock'"
    );
    let mut known = Vec::new();
    for touched in touched {
        let schema = touched.object.schema.as_deref().unwrap_or(schema);
        let parameters = [
            ("schema", Value::Text(schema.to_owned())),
            ("name", Value::Text(touched.object.name.clone())),
        ];
        for tables in LOCK_TABLES {
            let sql = format!(
                "SELECT DISTINCT {COLUMNS}, {IS_BUSY} FROM {tables} AND {others} LIMIT {NAMED_MAX}"
            );
            // Where the server has no such table there is an error or no row, and the transactions are asked for.
            if let Ok(rows) = process_list(session, &sql, &parameters).await {
                known.extend(rows.iter().filter_map(read));
            }
        }
    }
    if !known.is_empty() {
        known.truncate(NAMED_MAX);
        return Blockers::Known(known);
    }
    // Without the right MySQL gives an error or an empty answer, depending on the table that it reads first.
    match sees_all(session).await {
        Ok(true) => {}
        Ok(false) => return Blockers::Hidden,
        Err(_) => return Blockers::Possible(Vec::new()),
    }
    let connected = format!(
        "SELECT {COLUMNS}, {IS_BUSY} FROM information_schema.processlist p \
         LEFT JOIN information_schema.innodb_trx x ON x.trx_mysql_thread_id = p.id \
         WHERE {others} AND (p.db = :schema OR x.trx_started IS NOT NULL OR {IS_BUSY}) \
         ORDER BY COALESCE(p.db = :schema, 0) DESC, p.time DESC LIMIT {NAMED_MAX}"
    );
    let transactions = |place: &str| {
        format!(
            "SELECT {COLUMNS}, {IS_BUSY} FROM information_schema.innodb_trx x \
             JOIN information_schema.processlist p ON p.id = x.trx_mysql_thread_id \
             WHERE {others} AND COALESCE({place}, 1) ORDER BY x.trx_started LIMIT {NAMED_MAX}"
        )
    };
    // Rows are locked by transactions only; and who works in this database is the likelier one.
    let (elsewhere, named): (String, fn(Vec<Blocker>) -> Blockers) = if touched.is_empty() {
        (transactions("p.db <> :schema"), Blockers::Possible)
    } else {
        (connected, Blockers::Connected)
    };
    let parameters = [("schema", Value::Text(schema.to_owned()))];
    for (sql, named) in [
        (
            transactions("p.db = :schema"),
            Blockers::Possible as fn(_) -> _,
        ),
        (elsewhere, named),
    ] {
        match process_list(session, &sql, &parameters).await {
            Ok(rows) if rows.is_empty() => {}
            Ok(rows) => return named(rows.iter().filter_map(read).collect()),
            Err(_) => break,
        }
    }
    Blockers::Possible(Vec::new())
}

fn read(row: &Row) -> Option<Blocker> {
    let [
        Value::Long(connection),
        Value::Text(user),
        Value::Text(host),
        Value::Long(age),
        statement,
        is_in_transaction,
    ] = row.as_slice()
    else {
        return None;
    };
    let host = host
        .rsplit_once(':')
        .map_or(host.as_str(), |(host, _)| host);
    let statement = match statement {
        Value::Text(text) if !text.trim().is_empty() => {
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            Some(line.chars().take(STATEMENT_CHARACTERS_MAX).collect())
        }
        Value::Text(_) | Value::Long(_) | Value::Null => None,
    };
    Some(Blocker {
        connection: u64::try_from(*connection).ok()?,
        account: format!("{user}@{host}"),
        age_seconds: u64::try_from(*age).unwrap_or(0),
        is_in_transaction: *is_in_transaction == Value::Long(1),
        statement,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocker_is_named_by_what_it_is_and_does() {
        let row = |info: Value, is_in_transaction: i64| {
            let text = |text: &str| Value::Text(text.to_owned());
            let row = vec![
                Value::Long(17),
                text("app"),
                text("10.0.0.7:4711"),
                Value::Long(42),
                info,
                Value::Long(is_in_transaction),
            ];
            read(&row).unwrap().to_string()
        };
        let statement = || Value::Text("SELECT *\n  FROM post".to_owned());
        insta::assert_snapshot!(
            row(Value::Null, 1),
            @"connection 17 of app@10.0.0.7, in a transaction for 42 s, idle"
        );
        insta::assert_snapshot!(
            row(statement(), 1),
            @"connection 17 of app@10.0.0.7, in a transaction for 42 s, runs SELECT * FROM post"
        );
        insta::assert_snapshot!(
            row(Value::Null, 0),
            @"connection 17 of app@10.0.0.7, idle for 42 s"
        );
        insta::assert_snapshot!(
            row(statement(), 0),
            @"connection 17 of app@10.0.0.7, runs for 42 s SELECT * FROM post"
        );
    }
}
