//! MY003: a table is emptied.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY003",
    name: "truncate",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a table in use is emptied",
    why: "TRUNCATE deletes every row, commits by itself, and cannot be rolled back.",
    safe_way: "delete the rows that are meant with DELETE and a WHERE, or swap an empty table in with RENAME TABLE",
    example: Example {
        applied: "CREATE TABLE visit (id BIGINT PRIMARY KEY, at DATETIME NOT NULL);",
        bad: "-- dayspring: idempotent\nTRUNCATE TABLE <|visit|>;",
        good: "DELETE FROM visit WHERE at < '2020-01-01';",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    if let Read::Truncate(table) = site.read
        && site.is_in_use(table)
    {
        let message = format!(
            "every row of `{}` is deleted, and no rollback brings them back",
            table.text()
        );
        found.push(Report::new(table.name.span.clone(), message));
    }
}
