//! Who may have kept a statement waiting. The server does not say it with its error, so the open transactions are asked
//! for, the oldest first: a metadata lock and a row lock are both held until the end of one.

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

/// How many are named.
const NAMED_MAX: usize = 3;

/// How much of a statement is shown.
const STATEMENT_CHARS_MAX: usize = 80;

/// ER_SPECIFIC_ACCESS_DENIED_ERROR: the tables of InnoDB's transactions want the right PROCESS.
const NEEDS_PROCESS: u16 = 1227;

type Row = (u64, String, String, String, i64, Option<String>);

/// A clause for the error of a lock wait, or nothing where nobody is found.
pub(super) async fn describe(connection: &mut Conn) -> Option<String> {
    let sql = format!(
        "SELECT p.id, CAST(p.user AS CHAR), CAST(p.host AS CHAR), CAST(p.command AS CHAR), CAST(p.time AS SIGNED), \
         CAST(p.info AS CHAR) FROM information_schema.innodb_trx t \
         JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id \
         WHERE p.id <> CONNECTION_ID() ORDER BY t.trx_started LIMIT {NAMED_MAX}"
    );
    let found: Result<Vec<Row>, mysql_async::Error> = connection.query(sql).await;
    match found {
        Ok(rows) if rows.is_empty() => None,
        Ok(rows) => {
            let named: Vec<String> = rows.into_iter().map(name).collect();
            Some(format!(
                "the lock is held by a transaction that is open: {}",
                named.join("; or ")
            ))
        }
        Err(mysql_async::Error::Server(error)) if error.code == NEEDS_PROCESS => {
            Some("who holds the lock is shown to users with the right PROCESS".to_owned())
        }
        Err(_) => None,
    }
}

fn name((id, user, host, command, seconds, statement): Row) -> String {
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
