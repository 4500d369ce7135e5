//! MY010: a column is added NOT NULL without a default.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY010",
    name: "not-null-without-default",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "a column is added NOT NULL and without a default",
    why: "The rows that are there get a value that nobody chose: 0, an empty text, the first member of an ENUM; for a date \
          the statement fails in strict mode. And the INSERTs of the old code, which name no value for it, fail.",
    safe_way: "give it a DEFAULT, or let it be NULL until it is filled",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY);",
        bad: "ALTER TABLE post ADD COLUMN <|views BIGINT NOT NULL|>, ALGORITHM=INSTANT;",
        good: "ALTER TABLE post ADD COLUMN views BIGINT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    for clause in site.clauses_in_use() {
        if let ClauseKind::AddColumn { column, .. } = &clause.kind
            && column.not_null
            && column.default.is_none()
            && !column.auto_increment
            && column.generated.is_none()
        {
            let message = format!(
                "the rows that are there get a `{}` that nobody chose, and the old code's INSERTs fail",
                column.name.text
            );
            found.push(Report::new(column.span.clone(), message));
        }
    }
}
