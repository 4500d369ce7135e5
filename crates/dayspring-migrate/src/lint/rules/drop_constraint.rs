//! MY018: a constraint goes.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY018",
    name: "drop-constraint",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "a foreign key, a unique index, a check or the primary key is dropped",
    why: "From then on rows come in that the constraint would have refused, and it can be put back only after they are found \
          and mended. Dropping the primary key copies the table.",
    safe_way: "drop it in a contract script, when the new code keeps the rule itself or no longer needs it",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, slug VARCHAR(50), UNIQUE INDEX by_slug (slug));",
        bad: "ALTER TABLE post <|DROP INDEX by_slug|>, ALGORITHM=INPLACE, LOCK=NONE;",
        good: "-- file: v2.contract.sql\nALTER TABLE post DROP INDEX by_slug, ALGORITHM=INPLACE, LOCK=NONE;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Some(alter) = site.alter_in_use().filter(|_| !site.is_contract()) else {
        return;
    };
    let adds_key = adds_primary_key(alter);
    for clause in &alter.clauses {
        let what = match &clause.kind {
            ClauseKind::DropForeignKey(name) => format!("the foreign key `{}`", name.text),
            ClauseKind::DropConstraint(name) => format!("the constraint `{}`", name.text),
            ClauseKind::DropPrimaryKey if !adds_key => "the primary key".to_owned(),
            ClauseKind::DropIndex(name)
                if is_unique(site, alter, name) && !is_replaced(site, alter, name) =>
            {
                format!("the unique index `{}`", name.text)
            }
            _ => continue,
        };
        let message = format!("rows that {what} refused come in from now on");
        found.push(Report::new(clause.span.clone(), message));
    }
}

/// Whether a statement makes a new primary key.
pub(super) fn adds_primary_key(alter: &Alter) -> bool {
    alter.clauses.iter().any(|clause| match &clause.kind {
        ClauseKind::AddIndex(index) => index.kind == IndexKind::Primary,
        ClauseKind::AddColumn { column, .. } => column.key == Some(InlineKey::Primary),
        _ => false,
    })
}

/// Whether the same statement adds a unique index that refuses the same rows.
fn is_replaced(site: &Site<'_>, alter: &Alter, name: &Name) -> bool {
    let Some(table) = site.table(&alter.table) else {
        return false;
    };
    let before = match table.index(&name.text) {
        Some(index) => index.columns(),
        None => Some(vec![(name.key(), None)]),
    };
    alter.clauses.iter().any(|clause| match &clause.kind {
        ClauseKind::AddIndex(index) if index.is_unique() => {
            let after = index.columns();
            matches!((&before, after), (Some(before), Some(after)) if implies(&after, before))
        }
        _ => false,
    })
}

/// Whether an index is known to be a unique one.
pub(super) fn is_unique(site: &Site<'_>, alter: &Alter, name: &Name) -> bool {
    let Some(table) = site.table(&alter.table) else {
        return false;
    };
    let inline = table
        .column(&name.text)
        .is_some_and(|column| column.key == Some(InlineKey::Unique));
    inline
        || table
            .index(&name.text)
            .is_some_and(|index| index.is_unique())
}
