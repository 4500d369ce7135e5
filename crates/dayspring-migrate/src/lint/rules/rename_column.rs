//! MY039: a column gets another name.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY039",
    name: "rename-column",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a column gets another name while code uses the old one",
    why: "The code that runs uses the old name and the new code the new one, and there is no moment at which both are right.",
    safe_way: "add the new column, write both, copy the old values, and drop the old one in a contract script",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, title VARCHAR(50));",
        bad: "ALTER TABLE post <|RENAME COLUMN title TO headline|>, ALGORITHM=INSTANT;",
        good: "ALTER TABLE post ADD COLUMN headline VARCHAR(50), ALGORITHM=INSTANT;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    for clause in site.clauses_in_use() {
        let renamed = match &clause.kind {
            ClauseKind::RenameColumn { old, new } => Some((old, new)),
            ClauseKind::ChangeColumn { old, column, .. } => Some((old, &column.name)),
            _ => None,
        };
        if let Some((old, new)) = renamed.filter(|(old, new)| !old.is(new)) {
            let message = format!(
                "code that uses `{}` fails when it is `{}`",
                old.text, new.text
            );
            found.push(Report::new(clause.span.clone(), message));
        }
    }
}
