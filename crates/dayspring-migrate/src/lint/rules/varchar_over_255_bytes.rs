//! MY008: a VARCHAR grows over 255 bytes.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY008",
    name: "varchar-over-255-bytes",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "a VARCHAR grows over 255 bytes, which copies the table",
    why: "Up to 255 bytes a VARCHAR keeps its length in one byte, beyond in two. Growing within either range only changes \
          the definition; growing from one into the other writes every row anew. With utf8mb4 the border is between 63 \
          and 64 characters.",
    safe_way: "make it larger than 255 bytes from the beginning; to get over the border now, add a new column and copy in pieces",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, title VARCHAR(50) NOT NULL);",
        bad: "ALTER TABLE post <|MODIFY title VARCHAR(100) NOT NULL|>;",
        good: "ALTER TABLE post MODIFY title VARCHAR(63) NOT NULL, ALGORITHM=INPLACE, LOCK=NONE;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Some(alter) = site.alter_of_large() else {
        return;
    };
    for (clause, change) in type_changes(site) {
        let class = site.clause_effect(alter, clause).class;
        if let TypeChange::VarcharCrosses255 { before, after } = change.kind
            && class == AlgorithmClass::Copy
        {
            let message = format!(
                "`{}` grows from {before} to {after} bytes, over the border at 255",
                change.before.name.text
            );
            found.push(Report::new(clause.span.clone(), message).note(site.class_note(class)));
        }
    }
}
