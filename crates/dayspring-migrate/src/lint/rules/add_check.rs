//! MY019: a check on a table in use.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY019",
    name: "add-check",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "a check is added to a table in use",
    why: "MySQL checks every row with ALGORITHM=COPY, and nobody writes to the table meanwhile. The first row that does not \
          pass fails the statement.",
    safe_way: "add it `NOT ENFORCED`, mend the rows, and enforce it when the table may wait: `ALTER TABLE ... ALTER CHECK name ENFORCED`",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, views BIGINT NOT NULL);",
        bad: "ALTER TABLE post <|ADD CONSTRAINT some_views CHECK (views >= 0)|>;",
        good: "ALTER TABLE post ADD CONSTRAINT some_views CHECK (views >= 0) NOT ENFORCED, ALGORITHM=INPLACE, LOCK=NONE;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Some(alter) = site.alter_of_large() else {
        return;
    };
    for clause in &alter.clauses {
        let checks = match &clause.kind {
            ClauseKind::AddCheck(check) => check.enforced,
            ClauseKind::EnforceCheck { enforced } => *enforced,
            ClauseKind::AddColumn { column, .. } => {
                column.check.as_ref().is_some_and(|check| check.enforced)
            }
            _ => false,
        };
        let class = site.clause_effect(alter, clause).class;
        if checks && class == AlgorithmClass::Copy {
            let message = format!(
                "every row of `{}` is checked, and nobody writes to it meanwhile",
                alter.table.text()
            );
            found.push(Report::new(clause.span.clone(), message).note(site.class_note(class)));
        }
    }
}
