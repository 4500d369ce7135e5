//! MY034: a column is dropped and added again.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY034",
    name: "drop-and-add-column",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a column is dropped and added again in one statement",
    why: "Its values are gone and its definition looks as before, so nobody notices; and after a crash nothing shows whether \
          it happened.",
    safe_way: "use MODIFY or CHANGE, which keep the values, or another name for the new column",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, views INT);",
        bad: "-- file: v2.contract.sql\nALTER TABLE post DROP COLUMN views, <|ADD COLUMN views BIGINT|>, ALGORITHM=INSTANT;",
        good: "ALTER TABLE post ADD COLUMN views_total BIGINT, ALGORITHM=INSTANT;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    if let Some((clause, name)) = dropped_and_added(site) {
        let message = format!(
            "the values of `{}` are lost, and its definition does not show it",
            name.text
        );
        found.push(Report::new(clause.span.clone(), message));
    }
}

/// The clause that adds a column which the same statement drops.
pub(super) fn dropped_and_added<'a>(site: &Site<'a>) -> Option<(&'a Clause, &'a Name)> {
    let alter = site.alter_in_use()?;
    let is_dropped = |name: &Name| {
        alter.clauses.iter().any(
            |clause| matches!(&clause.kind, ClauseKind::DropColumn(dropped) if dropped.is(name)),
        )
    };
    alter.clauses.iter().find_map(|clause| match &clause.kind {
        ClauseKind::AddColumn { column, .. } if is_dropped(&column.name) => {
            Some((clause, &column.name))
        }
        _ => None,
    })
}
