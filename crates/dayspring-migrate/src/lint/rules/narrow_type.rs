//! MY006: a column's type becomes narrower.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY006",
    name: "narrow-type",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a column's type loses room for values",
    why: "In strict mode the statement fails at the first value that has no place in the new type, after it has copied all \
          rows before it; otherwise the value is cut. Nobody writes to the table meanwhile.",
    safe_way: "add a column of the new type, copy what fits, move the code over, and drop the old one in a contract script",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, title VARCHAR(200) NOT NULL);",
        bad: "ALTER TABLE post <|MODIFY title VARCHAR(50) NOT NULL|>;",
        good: "ALTER TABLE post ADD COLUMN short_title VARCHAR(50), ALGORITHM=INSTANT;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    for (clause, change) in type_changes(site) {
        if change.kind == TypeChange::Narrows {
            let message = format!(
                "values of `{}` that fit {} may not fit {}",
                change.before.name.text,
                shown(&change.before.data_type),
                shown(&change.after.data_type)
            );
            found.push(
                Report::new(clause.span.clone(), message)
                    .note(site.class_note(AlgorithmClass::Copy)),
            );
        }
    }
}
