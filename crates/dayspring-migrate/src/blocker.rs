//! Who has the lock that a statement waits for.
//!
//! MySQL says it where its performance schema watches metadata locks (the default since 8.0). Elsewhere the open
//! transactions are named, the oldest first: a table's lock is held to the end of one.

use std::fmt;

use crate::session::{Row, Session, SessionError, Value};
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
    /// For how many seconds its transaction is open.
    pub age_seconds: u64,
    /// What it runs; nothing where it is idle between two statements.
    pub statement: Option<String>,
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            connection,
            account,
            age_seconds,
            statement,
        } = self;
        write!(
            f,
            "connection {connection} of {account}, in a transaction for {age_seconds} s, "
        )?;
        match statement {
            Some(statement) => write!(f, "runs {statement}"),
            None => f.write_str("idle"),
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
    /// This account is not shown the transactions of others.
    Hidden,
}

impl Blockers {
    /// Those that are named.
    #[must_use]
    pub fn named(&self) -> &[Blocker] {
        match self {
            Self::Known(named) | Self::Possible(named) => named,
            Self::Hidden => &[],
        }
    }
}

const COLUMNS: &str = "CAST(p.id AS SIGNED), CAST(p.user AS CHAR), CAST(p.host AS CHAR), \
    CAST(COALESCE(TIMESTAMPDIFF(SECOND, x.trx_started, NOW()), p.time) AS SIGNED), CAST(p.info AS CHAR)";

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
        let sql = format!(
            "SELECT DISTINCT {COLUMNS} FROM performance_schema.metadata_locks l \
             JOIN performance_schema.threads t ON t.thread_id = l.owner_thread_id \
             JOIN information_schema.processlist p ON p.id = t.processlist_id \
             LEFT JOIN information_schema.innodb_trx x ON x.trx_mysql_thread_id = p.id \
             WHERE l.lock_status = 'GRANTED' AND l.object_schema = :schema AND l.object_name = :name AND {others} \
             LIMIT {NAMED_MAX}"
        );
        let schema = touched.object.schema.as_deref().unwrap_or(schema);
        let parameters = [
            ("schema", Value::Text(schema.to_owned())),
            ("name", Value::Text(touched.object.name.clone())),
        ];
        // Without the performance schema there is an error or no row, and the transactions are asked for.
        if let Ok(rows) = session.query(&sql, &parameters).await {
            known.extend(rows.iter().filter_map(read));
        }
    }
    if !known.is_empty() {
        known.truncate(NAMED_MAX);
        return Blockers::Known(known);
    }
    // Who works in this database is the likelier one.
    for place in ["p.db = :schema", "p.db <> :schema"] {
        let sql = format!(
            "SELECT {COLUMNS} FROM information_schema.innodb_trx x \
             JOIN information_schema.processlist p ON p.id = x.trx_mysql_thread_id \
             WHERE {others} AND COALESCE({place}, 1) ORDER BY x.trx_started LIMIT {NAMED_MAX}"
        );
        let parameters = [("schema", Value::Text(schema.to_owned()))];
        match session.query(&sql, &parameters).await {
            Ok(rows) if rows.is_empty() => {}
            Ok(rows) => return Blockers::Possible(rows.iter().filter_map(read).collect()),
            Err(SessionError::Refused { .. }) => return Blockers::Hidden,
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
        statement,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocker_is_named_by_what_it_is_and_does() {
        let row = |info: Value| {
            let text = |text: &str| Value::Text(text.to_owned());
            let row = vec![
                Value::Long(17),
                text("app"),
                text("10.0.0.7:4711"),
                Value::Long(42),
                info,
            ];
            read(&row).unwrap().to_string()
        };
        insta::assert_snapshot!(
            row(Value::Null),
            @"connection 17 of app@10.0.0.7, in a transaction for 42 s, idle"
        );
        insta::assert_snapshot!(
            row(Value::Text("SELECT *\n  FROM post".to_owned())),
            @"connection 17 of app@10.0.0.7, in a transaction for 42 s, runs SELECT * FROM post"
        );
    }
}
