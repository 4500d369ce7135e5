//! MY012: a column is put between others.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY012",
    name: "column-position",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "a column is put between others",
    why: "A column that moves rebuilds the table. A new one with FIRST or AFTER does so too before MySQL 8.0.29; later it is \
          instant. The order of columns matters only to `SELECT *` and to INSERTs that name no columns.",
    safe_way: "leave the columns where they are, and let new ones come last",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, title VARCHAR(50), body TEXT);",
        bad: "ALTER TABLE post MODIFY body TEXT <|AFTER id|>, ALGORITHM=INPLACE, LOCK=NONE;",
        good: "ALTER TABLE post ADD COLUMN slug VARCHAR(50), ALGORITHM=INSTANT;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Some(alter) = site.alter_of_large() else {
        return;
    };
    for clause in &alter.clauses {
        let position = match &clause.kind {
            ClauseKind::AddColumn { position, .. } if site.context.target.is_before(8, 0, 29) => {
                position
            }
            ClauseKind::ChangeColumn { position, .. } => position,
            _ => continue,
        };
        if let Some(position) = position {
            let message = format!(
                "the place of the column costs a rebuild of `{}`",
                alter.table.text()
            );
            let note = format!("from the manual, for {}", site.context.target);
            found.push(Report::new(position.span.clone(), message).note(note));
        }
    }
}
