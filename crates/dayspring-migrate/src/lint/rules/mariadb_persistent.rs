//! MY115: PERSISTENT columns.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY115",
    name: "mariadb-persistent",
    severity: Severity::Error,
    servers: Servers::MySql,
    title: "PERSISTENT is MariaDB's word for a STORED column",
    why: "MySQL refuses it with a syntax error; both servers understand STORED.",
    safe_way: "write STORED",
    example: Example {
        applied: "SELECT 1;",
        bad: "CREATE TABLE post (id BIGINT PRIMARY KEY, twice BIGINT AS (id * 2) <|PERSISTENT|>);",
        good: "CREATE TABLE post (id BIGINT PRIMARY KEY, twice BIGINT AS (id * 2) STORED);",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    for column in columns_defined(site) {
        let word = column
            .generated
            .as_ref()
            .and_then(|generated| generated.persistent.clone());
        if let Some(span) = word {
            let fix = Fix::replace("write STORED", span.clone(), "STORED");
            found.push(Report::new(span, "MySQL says STORED").fix(fix));
        }
    }
}
