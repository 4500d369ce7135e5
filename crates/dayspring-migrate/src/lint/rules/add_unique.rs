//! MY016: a unique index on rows that may not be unique.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY016",
    name: "add-unique",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a unique index is put on rows that may not be unique",
    why: "The statement fails at the first duplicate, after it has read the table, and after the deploy has begun. The old \
          code, which still runs, may not expect its INSERTs to fail.",
    safe_way: "look for duplicates first (`SELECT columns, COUNT(*) ... GROUP BY columns HAVING COUNT(*) > 1`), then allow it \
               with `-- dayspring: allow add-unique no duplicates`",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, slug VARCHAR(50));",
        bad: "ALTER TABLE post <|ADD UNIQUE INDEX by_slug (slug)|>, ALGORITHM=INPLACE, LOCK=NONE;",
        good: "CREATE TABLE tag (id BIGINT PRIMARY KEY, name VARCHAR(50), UNIQUE INDEX by_name (name));",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Some(alter) = site.alter_in_use() else {
        return;
    };
    // A column that is made in the same statement is NULL everywhere, and NULLs are not duplicates.
    let is_added = |name: &str| {
        alter.clauses.iter().any(
            |clause| matches!(&clause.kind, ClauseKind::AddColumn { column, .. } if column.name.key() == name && !is_one_value(column)),
        )
    };
    for clause in &alter.clauses {
        match &clause.kind {
            ClauseKind::AddIndex(index) if index.is_unique() => {
                let all_new = index
                    .columns()
                    .is_some_and(|columns| columns.iter().all(|(name, _)| is_added(name)));
                let is_so_already = index.columns().is_some_and(|columns| {
                    site.table(&alter.table)
                        .is_some_and(|table| table.is_unique_by(&columns))
                });
                if !all_new && !is_so_already {
                    let message = format!(
                        "this fails if two rows of `{}` are alike",
                        alter.table.text()
                    );
                    found.push(Report::new(clause.span.clone(), message));
                }
            }
            ClauseKind::AddColumn { column, .. }
                if column.key == Some(InlineKey::Unique) && is_one_value(column) =>
            {
                let message = format!(
                    "this fails if `{}` has more than one row",
                    alter.table.text()
                );
                found.push(Report::new(column.span.clone(), message));
            }
            ClauseKind::DropColumn(name) => {
                if let Some((index, left)) = shortened(site, alter, name) {
                    let message = format!(
                        "the unique index `{index}` is left with ({left}): this fails if two rows of `{}` are alike in it",
                        alter.table.text()
                    );
                    found.push(Report::new(clause.span.clone(), message).help(
                        "drop the index in the same statement, or put another one in its place",
                    ));
                }
            }
            _ => {}
        }
    }
}

/// Whether all rows that are there get the same value of a new column, which is not NULL.
fn is_one_value(column: &Column) -> bool {
    let kind = column.default.as_ref().map(|default| default.kind);
    match kind {
        _ if column.auto_increment || column.generated.is_some() => false,
        Some(DefaultKind::Literal | DefaultKind::Now) => true,
        Some(DefaultKind::Expression | DefaultKind::Call) => false,
        Some(DefaultKind::Null) | None => column.not_null,
    }
}

/// A unique index that holds a column which goes, and what is left of it. MariaDB refuses such a statement, error 1072.
fn shortened(site: &Site<'_>, alter: &Alter, gone: &Name) -> Option<(String, String)> {
    let table = site.table(&alter.table)?;
    let goes = |name: &Name| {
        alter.clauses.iter().any(|clause| match &clause.kind {
            ClauseKind::DropIndex(dropped) => dropped.is(name),
            _ => false,
        })
    };
    table.indexes.iter().find_map(|index| {
        let name = index.name.as_ref().filter(|name| !goes(name))?;
        let columns = index
            .columns()
            .filter(|_| index.kind == IndexKind::Unique)?;
        let left: Vec<&str> = columns
            .iter()
            .filter(|(column, _)| *column != gone.key())
            .map(|(column, _)| column.as_str())
            .collect();
        let is_shorter = !left.is_empty() && left.len() < columns.len();
        is_shorter.then(|| (name.text.clone(), left.join(", ")))
    })
}
