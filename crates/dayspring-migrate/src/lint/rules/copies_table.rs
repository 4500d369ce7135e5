//! MY050: a change that copies the table where nobody expects it.

use super::add_column_copies;
use super::drop_constraint::adds_primary_key;
use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY050",
    name: "copies-table",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "a change copies the whole table",
    why: "Every row is written anew, and nobody writes to the table until it is done. A table with a FULLTEXT index is \
          rebuilt in no other way, so that a new column copies it; so do a unique index over an expression, the loss of a \
          primary key's column, and virtual columns that come or go together with others.",
    safe_way: "do it when writers may wait, and say so with `ALGORITHM=COPY`, or for partitions with \
               `-- dayspring: allow copies-table REASON`; parts of the statement may do better by themselves",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, body TEXT, FULLTEXT INDEX by_words (body));",
        bad: "ALTER TABLE <|post|> ADD COLUMN views BIGINT;",
        good: "ALTER TABLE post ADD COLUMN views BIGINT, ALGORITHM=COPY;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Some(alter) = site.alter_of_large() else {
        return;
    };
    let class = site.effect(alter).class;
    let is_said = alter
        .clauses
        .iter()
        .any(|clause| is_said(site, alter, clause));
    if class != AlgorithmClass::Copy || alter.algorithm.is_some() || is_said {
        return;
    }
    let message = format!(
        "every row of `{}` is copied, and nobody writes to it meanwhile",
        alter.table.text()
    );
    found.push(Report::new(alter.table.name.span.clone(), message).note(site.class_note(class)));
}

/// Whether another rule says of a clause that it copies the table.
fn is_said(site: &Site<'_>, alter: &Alter, clause: &Clause) -> bool {
    match &clause.kind {
        ClauseKind::AddForeignKey(_) | ClauseKind::ConvertCharset { .. } => true,
        ClauseKind::AddCheck(check) => check.enforced,
        ClauseKind::EnforceCheck { enforced } => *enforced,
        ClauseKind::Engine(name) => name.key() != "innodb",
        ClauseKind::AddColumn { column, .. } => {
            let checks = column.check.as_ref().is_some_and(|check| check.enforced);
            checks || add_column_copies::cause(column).is_some()
        }
        ClauseKind::DropPrimaryKey => !site.is_contract() && !adds_primary_key(alter),
        ClauseKind::ChangeColumn { old, column, .. } => {
            type_changes(site).iter().any(|(_, change)| {
                let is_it = change.before.name.is(old) && change.after.name.is(&column.name);
                let adds_numbers = change.before.auto_increment != change.after.auto_increment;
                is_it && (adds_numbers || !matches!(change.kind, TypeChange::None))
            })
        }
        _ => false,
    }
}
