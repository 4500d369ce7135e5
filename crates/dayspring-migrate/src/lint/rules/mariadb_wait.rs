//! MY111: WAIT and NOWAIT of a change.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY111",
    name: "mariadb-wait",
    severity: Severity::Error,
    servers: Servers::MySql,
    title: "WAIT n and NOWAIT after a table's name are MariaDB's",
    why: "MySQL refuses them with a syntax error. The engine bounds the wait for a table by itself.",
    safe_way: "leave it out",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY);",
        bad: "ALTER TABLE post <|WAIT 5|> ADD COLUMN views BIGINT, ALGORITHM=INSTANT;",
        good: "ALTER TABLE post ADD COLUMN views BIGINT, ALGORITHM=INSTANT;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    if let Read::Alter(alter) = site.read
        && let Some(span) = &alter.wait
    {
        let end = if site.text(span.end..span.end + 1) == " " {
            span.end + 1
        } else {
            span.end
        };
        let fix = Fix::replace("leave it out", span.start..end, "");
        found.push(Report::new(span.clone(), "MySQL has no such wait").fix(fix));
    }
}
