//! MY001: a table is dropped.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY001",
    name: "drop-table",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a table is dropped with its rows",
    why: "Its rows are gone, no later script brings them back, and code that is still running fails at once. A table that \
          was renamed first shows within a day who still needs it, and comes back by renaming it again.",
    safe_way: "rename it to `_old_NAME` in a contract script (`vN.contract.sql`), and drop that one in a later script",
    example: Example {
        applied: "CREATE TABLE draft (id BIGINT PRIMARY KEY);",
        bad: "DROP TABLE <|draft|>;",
        good: "-- file: v2.contract.sql\nRENAME TABLE draft TO _old_draft;\n-- file: v3.sql\nDROP TABLE _old_draft;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Read::DropTable(tables) = site.read else {
        return;
    };
    for table in tables {
        let guards = site.says_if_exists() && site.is_absent(table);
        if site.is_in_use(table) && !is_retired(table.text()) && !guards {
            let message = format!("the rows of `{}` are lost for good", table.text());
            found.push(Report::new(table.name.span.clone(), message));
        }
    }
}

/// Whether a table's name says that it waits to be dropped.
pub(super) fn is_retired(name: &str) -> bool {
    name.starts_with("_old_")
}
