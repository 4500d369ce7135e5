//! MY002: a column is dropped before the new code is live.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY002",
    name: "drop-column",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a column is dropped while the old code still uses it",
    why: "Scripts run before the new code is live, so for some seconds the old code meets a table without the column, and \
          every statement of it that names the column fails. A contract script runs after the new code is live.",
    safe_way: "stop using it, and drop it in a contract script (`vN.contract.sql`), which runs after the new code is live",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, body TEXT);",
        bad: "ALTER TABLE post <|DROP COLUMN body|>, ALGORITHM=INSTANT;",
        good: "-- file: v2.contract.sql\nALTER TABLE post DROP COLUMN body, ALGORITHM=INSTANT;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    if site.is_contract() {
        return;
    }
    for clause in site.clauses_in_use() {
        if let ClauseKind::DropColumn(name) = &clause.kind {
            let message = format!("the old code still runs when `{}` goes", name.text);
            found.push(Report::new(clause.span.clone(), message));
        }
    }
}
