//! MY027: an index that another one holds.

use super::prelude::*;
use crate::lint::schema::table_of;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY027",
    name: "redundant-index",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "an index is the beginning of another one",
    why: "An index over (a, b) finds everything that one over (a) finds. The shorter one costs room, and time at every write.",
    safe_way: "leave the shorter one out",
    example: Example {
        applied: "SELECT 1;",
        bad: "CREATE TABLE post (\n  id BIGINT PRIMARY KEY,\n  author BIGINT,\n  at DATETIME,\n  \
              <|INDEX by_author (author)|>,\n  INDEX by_author_at (author, at)\n);",
        good: "CREATE TABLE post (\n  id BIGINT PRIMARY KEY,\n  author BIGINT,\n  at DATETIME,\n  \
               INDEX by_author_at (author, at)\n);",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    // The indexes in the order in which they come to be, and how many of them were there before.
    let (table, before): (Table, usize) = match site.read {
        Read::CreateTable(create) => (table_of(create, true), 0),
        Read::Alter(alter) => {
            let Some(table) = site.table(&alter.table) else {
                return;
            };
            let mut table = table.clone();
            table.indexes.retain(|index| {
                !alter.clauses.iter().any(|clause| matches!((&clause.kind, &index.name), (ClauseKind::DropIndex(name), Some(own)) if own.is(name)))
            });
            let before = table.indexes.len();
            let added = alter
                .clauses
                .iter()
                .filter_map(|clause| match &clause.kind {
                    ClauseKind::AddIndex(index) => Some(index.clone()),
                    _ => None,
                });
            table.indexes.extend(added);
            (table, before)
        }
        _ => return,
    };
    for (at, index) in table.indexes.iter().enumerate().skip(before) {
        if let Some(larger) = larger_than(index, at, &table) {
            let message = format!("{larger} finds all that this index finds");
            found.push(Report::new(index.span.clone(), message));
        }
    }
}

fn larger_than(index: &Index, at: usize, table: &Table) -> Option<String> {
    if index.kind != IndexKind::Plain {
        return None;
    }
    let columns = index.columns()?;
    let inline = table
        .columns
        .iter()
        .find(|column| column.key.is_some() && columns == [(column.name.key(), None)]);
    if let Some(column) = inline {
        return Some(format!("the key of `{}`", column.name.text));
    }
    let mut others = table.indexes.iter().enumerate();
    others.find_map(|(other_at, other)| {
        let holds = matches!(
            other.kind,
            IndexKind::Plain | IndexKind::Unique | IndexKind::Primary
        );
        let others = other.columns().filter(|_| holds && !other.invisible)?;
        // Of two that are alike, the later one is too much.
        let is_larger = others.len() > columns.len() || other_at < at || other.is_unique();
        let name = match (&other.name, other.kind) {
            (_, IndexKind::Primary) => "the primary key".to_owned(),
            (Some(name), _) => format!("`{}`", name.text),
            (None, _) => "another index".to_owned(),
        };
        (other_at != at && is_larger && others.starts_with(&columns)).then_some(name)
    })
}
