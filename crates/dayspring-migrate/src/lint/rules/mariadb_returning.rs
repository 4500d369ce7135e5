//! MY101: RETURNING.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY101",
    name: "mariadb-returning",
    severity: Severity::Error,
    servers: Servers::MySql,
    title: "RETURNING is MariaDB's",
    why: "MariaDB returns rows from INSERT, REPLACE and DELETE; MySQL refuses the word with a syntax error.",
    safe_way: "leave it out; a migration uses no result",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY);",
        bad: "INSERT INTO post VALUES (1) <|RETURNING|> id;",
        good: "INSERT INTO post VALUES (1);",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    if let Read::Rows(rows) = site.read
        && let Some(span) = &rows.returning
    {
        found.push(Report::new(span.clone(), "MySQL has no RETURNING"));
    }
}
