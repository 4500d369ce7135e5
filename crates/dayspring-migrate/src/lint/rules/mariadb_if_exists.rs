//! MY104: IF EXISTS where MySQL does not take it.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY104",
    name: "mariadb-if-exists",
    severity: Severity::Error,
    servers: Servers::MySql,
    title: "IF [NOT] EXISTS for columns, indexes and constraints is MariaDB's",
    why: "MySQL takes it for tables, views and programs, and has a syntax error for it within ALTER TABLE and for indexes. \
          The engine runs each statement exactly once, so there is nothing to guard against.",
    safe_way: "leave it out",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY);",
        bad: "ALTER TABLE post ADD COLUMN <|IF NOT EXISTS|> views BIGINT, ALGORITHM=INSTANT;",
        good: "ALTER TABLE post ADD COLUMN views BIGINT, ALGORITHM=INSTANT;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Read::Alter(alter) = site.read else {
        return;
    };
    let conditions = alter.clauses.iter().map(|clause| &clause.condition);
    let mut last = None;
    for span in conditions.chain([&alter.condition]).flatten() {
        // `ADD COLUMN IF NOT EXISTS (a INT, b INT)` says it once for two columns.
        if last.replace(span.start) == Some(span.start) {
            continue;
        }
        let words = site.text(span.clone()).to_ascii_uppercase();
        let end = if site.text(span.end..span.end + 1) == " " {
            span.end + 1
        } else {
            span.end
        };
        let fix = Fix::replace(format!("leave `{words}` out"), span.start..end, "");
        found.push(Report::new(span.clone(), format!("MySQL has no {words} here")).fix(fix));
    }
}
