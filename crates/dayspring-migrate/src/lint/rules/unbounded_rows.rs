//! MY031: a change of all rows.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY031",
    name: "unbounded-rows",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "every row of a table in use is changed in one statement",
    why: "The rows are locked until all are done; over the Data API a statement in a transaction ends after 45 seconds and is \
          rolled back, which takes as long again.",
    safe_way: "bound it by a WHERE over the primary key or a LIMIT, in as many statements as it takes",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, views BIGINT);",
        bad: "<|UPDATE post|> SET views = 0;",
        good: "UPDATE post SET views = 0 WHERE id BETWEEN 1 AND 10000 AND views IS NULL;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Read::Rows(rows) = site.read else { return };
    let Some(table) = &rows.table else { return };
    if !rows.is_bounded && site.is_in_use(table) && !site.is_small(table) {
        let message = format!(
            "this {} locks every row of `{}` until it is done",
            rows.verb.name(),
            table.text()
        );
        found.push(Report::new(
            site.statement.span.start..table.name.span.end,
            message,
        ));
    }
}
