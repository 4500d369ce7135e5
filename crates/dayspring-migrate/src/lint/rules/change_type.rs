//! MY007: a column's type changes by copying the table.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY007",
    name: "change-type",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a column's type changes by copying the whole table",
    why: "MySQL changes a type only with ALGORITHM=COPY: every row is written anew, and nobody writes to the table until it \
          is done. So it does with the collation of a column that has an index, and with AUTO_INCREMENT. Tables that are known \
          to be small are exempt.",
    safe_way: "add a column of the new type, copy the values in pieces, move the code over, and drop the old one in a \
               contract script",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, views INT NOT NULL);",
        bad: "ALTER TABLE post <|MODIFY views BIGINT NOT NULL|>;",
        good: "ALTER TABLE post ADD COLUMN views_total BIGINT, ALGORITHM=INSTANT;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Some(alter) = site.alter_of_large() else {
        return;
    };
    for (clause, change) in type_changes(site) {
        let class = site.clause_effect(alter, clause).class;
        if class != AlgorithmClass::Copy {
            continue;
        }
        let what = match change.kind {
            TypeChange::Charset | TypeChange::CharsetGrows => "the character set of".to_owned(),
            TypeChange::Collation => "the collation of the indexed".to_owned(),
            TypeChange::EnumWidens => {
                "the members so that each value takes more bytes in".to_owned()
            }
            TypeChange::Other => format!(
                "{} to {} in",
                shown(&change.before.data_type),
                shown(&change.after.data_type)
            ),
            TypeChange::None if change.before.auto_increment != change.after.auto_increment => {
                "AUTO_INCREMENT of".to_owned()
            }
            // Other rules speak of these.
            TypeChange::None
            | TypeChange::VarcharGrows
            | TypeChange::VarcharCrosses255 { .. }
            | TypeChange::Narrows
            | TypeChange::EnumGrows
            | TypeChange::EnumChanges => continue,
        };
        let message = format!(
            "changing {what} `{}` copies the table, and nobody writes to it meanwhile",
            change.before.name.text
        );
        found.push(Report::new(clause.span.clone(), message).note(site.class_note(class)));
    }
}
