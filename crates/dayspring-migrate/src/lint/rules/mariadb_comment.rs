//! MY110: comments that only MariaDB executes.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY110",
    name: "mariadb-comment",
    severity: Severity::Warning,
    servers: Servers::MySql,
    title: "MySQL does not execute what stands in `/*M! */`",
    why: "MariaDB executes it, MySQL takes it for a comment, so the two make different schemas.",
    safe_way: "write what both understand, or `/*!80000 ... */` for what only MySQL should do",
    example: Example {
        applied: "SELECT 1;",
        bad: "CREATE TABLE post (id BIGINT PRIMARY KEY) /*M!100600 <|COMMENT|> 'posts' */;",
        good: "CREATE TABLE post (id BIGINT PRIMARY KEY) COMMENT 'posts';",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    if let Some(token) = site.tokens.iter().find(|token| token.mariadb_only) {
        found.push(Report::new(token.span(), "MySQL does not execute this"));
    }
}
