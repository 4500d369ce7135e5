//! Who may have kept a statement waiting. The server does not say it with its error, so it is asked for the transactions
//! that were open during the whole wait: a metadata lock and a row lock are both held until the end of one. Those of the
//! same database come first; others are named where there are none.

use std::time::Duration;

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

/// How many are named.
const NAMED_MAX: usize = 3;

/// How much of a statement is shown.
const STATEMENT_CHARS_MAX: usize = 80;

/// ER_SPECIFIC_ACCESS_DENIED_ERROR: the tables of InnoDB's transactions want the right PROCESS.
const NEEDS_PROCESS: u16 = 1227;

type Row = (u64, String, String, String, i64, Option<String>, bool);

/// A clause for the error of the connection `waited`, or nothing where nobody is found. `connection` is another one.
pub(super) async fn describe(
    connection: &mut Conn,
    waited: u64,
    lock_wait: Duration,
) -> Option<String> {
    // InnoDB shows its times in the server's zone.
    connection
        .query_drop("SET time_zone = 'SYSTEM'")
        .await
        .ok()?;
    let sql = format!(
        "SELECT p.id, CAST(p.user AS CHAR), CAST(p.host AS CHAR), CAST(p.command AS CHAR), CAST(p.time AS SIGNED), \
         CAST(p.info AS CHAR), p.db <=> DATABASE() FROM information_schema.innodb_trx t \
         JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id \
         WHERE p.id <> {waited} AND t.trx_started <= NOW() - INTERVAL {} SECOND ORDER BY t.trx_started",
        lock_wait.as_secs()
    );
    let found: Result<Vec<Row>, mysql_async::Error> = connection.query(sql).await;
    match found {
        Ok(rows) => {
            let (here, elsewhere): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.6);
            let rows = if here.is_empty() { elsewhere } else { here };
            let named: Vec<String> = rows.into_iter().take(NAMED_MAX).map(name).collect();
            (!named.is_empty()).then(|| {
                format!(
                    "an open transaction may hold the lock: that of {}",
                    named.join(", or of ")
                )
            })
        }
        Err(mysql_async::Error::Server(error)) if error.code == NEEDS_PROCESS => {
            Some("who holds the lock is shown to users with the right PROCESS".to_owned())
        }
        Err(_) => None,
    }
}

fn name((id, user, host, command, seconds, statement, _): Row) -> String {
    let host = host
        .rsplit_once(':')
        .map_or(host.as_str(), |(host, _)| host);
    let doing = match statement {
        Some(statement) if command != "Sleep" => {
            let line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
            let shown: String = line.chars().take(STATEMENT_CHARS_MAX).collect();
            format!("running `{shown}` for {seconds} s")
        }
        _ => format!("idle for {seconds} s"),
    };
    format!("connection {id} of `{user}` from {host}, {doing}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocker_is_named_by_its_connection_and_what_it_does() {
        let row = |command: &str, info: Option<&str>| {
            name((
                7,
                "app".to_owned(),
                "10.0.0.7:4711".to_owned(),
                command.to_owned(),
                42,
                info.map(str::to_owned),
                true,
            ))
        };
        assert_eq!(
            row("Sleep", None),
            "connection 7 of `app` from 10.0.0.7, idle for 42 s"
        );
        assert_eq!(
            row("Query", Some("SELECT\n  SLEEP(9)")),
            "connection 7 of `app` from 10.0.0.7, running `SELECT SLEEP(9)` for 42 s"
        );
    }
}
