//! MY028: members of an ENUM go or move.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY028",
    name: "enum-members",
    severity: Severity::Error,
    servers: Servers::All,
    title: "members of an ENUM or SET are removed or change their places",
    why: "The rows hold the member's number. Appending a member changes only the definition; anything else writes every row \
          anew, and a row whose member is gone fails the statement or becomes empty.",
    safe_way: "append members at the end and leave the others where they are",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, state ENUM('draft', 'live'));",
        bad: "ALTER TABLE post <|MODIFY state ENUM('draft', 'review', 'live')|>;",
        good: "ALTER TABLE post MODIFY state ENUM('draft', 'live', 'review'), ALGORITHM=INSTANT;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    for (clause, change) in type_changes(site) {
        if change.kind == TypeChange::EnumChanges {
            let message = format!(
                "members of `{}` that are in use change their numbers or go",
                change.before.name.text
            );
            found.push(
                Report::new(clause.span.clone(), message)
                    .note(site.class_note(AlgorithmClass::Copy)),
            );
        }
    }
}
