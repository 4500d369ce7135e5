//! MY011: a column is added that every row has to be written for.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY011",
    name: "add-column-copies",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a column is added whose value has to be computed for every row",
    why: "A default in parentheses, a STORED column, an AUTO_INCREMENT or a CHECK in the definition needs a pass over all \
          rows, during which nobody writes to the table. A default that is another for each row, as `(uuid())`, is refused \
          besides where the server keeps a binary log: error 1674.",
    safe_way: "add it without the default and NULL, fill it in pieces, and set the default then; make a generated column VIRTUAL",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, title VARCHAR(50));",
        bad: "ALTER TABLE post ADD COLUMN <|code CHAR(36) DEFAULT (uuid())|>;",
        good: "ALTER TABLE post ADD COLUMN code CHAR(36), ALGORITHM=INSTANT;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Some(alter) = site.alter_of_large() else {
        return;
    };
    for clause in &alter.clauses {
        let ClauseKind::AddColumn { column, .. } = &clause.kind else {
            continue;
        };
        let effect = site.clause_effect(alter, clause);
        let Some(cause) = cause(column).filter(|_| !effect.lets_write) else {
            continue;
        };
        let message = format!(
            "{cause} of `{}` is computed for every row, and nobody writes to the table meanwhile",
            column.name.text
        );
        found.push(Report::new(column.span.clone(), message).note(site.class_note(effect.class)));
    }
}

/// What of a column has to be computed for every row.
pub(super) fn cause(column: &Column) -> Option<&'static str> {
    let computed = column
        .default
        .as_ref()
        .is_some_and(|default| matches!(default.kind, DefaultKind::Expression | DefaultKind::Call));
    if computed {
        Some("the default")
    } else if column
        .generated
        .as_ref()
        .is_some_and(|generated| generated.stored)
    {
        Some("the stored value")
    } else if column.auto_increment {
        Some("the number")
    } else {
        None
    }
}
