//! MY116: what the table of `dayspring-dialect` warns of and no rule of its own looks for.

use dayspring_dialect::Treatment;

use super::prelude::*;

const NAME: &str = "mariadb-only";

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY116",
    name: NAME,
    severity: Severity::Error,
    servers: Servers::MySql,
    title: "functions and clauses that only MariaDB has",
    why: "MariaDB runs them, so they work on the local cloud; MySQL refuses them with a syntax error or knows no such function. \
          docs/mysql8.md lists them.",
    safe_way: "write what both know: COALESCE for NVL, JSON_EXTRACT for JSON_QUERY, LIMIT for FETCH FIRST",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, views INT);",
        bad: "UPDATE post SET views = <|NVL|>(views, 0) WHERE id = 1;",
        good: "UPDATE post SET views = COALESCE(views, 0) WHERE id = 1;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let start = site.statement.span.start;
    let text = site.text(site.statement.span.clone());
    for one in dayspring_dialect::read(text).found {
        if matches!(
            one.construct.treatment,
            Treatment::Warned { lint: NAME, .. }
        ) {
            let construct = one.construct;
            found.push(
                Report::new(
                    start + one.range.start..start + one.range.end,
                    format!("MySQL: {}", construct.aurora),
                )
                .note(format!("MariaDB: {}", construct.mariadb)),
            );
        }
    }
}
