//! MY024: a table without a primary key.

use super::prelude::*;
use crate::lint::schema::table_of;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY024",
    name: "no-primary-key",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a table has no primary key",
    why: "Without a unique index over columns that are NOT NULL either, InnoDB orders the rows by a hidden number under a lock that all such tables share. Replication looks through \
          the whole table for every changed row, online schema change tools refuse it, and no row can be named.",
    safe_way: "give it one: `id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY`, or the columns that name a row",
    example: Example {
        applied: "SELECT 1;",
        bad: "CREATE TABLE <|post_tag|> (post_id BIGINT NOT NULL, tag_id BIGINT NOT NULL);",
        good: "CREATE TABLE post_tag (post_id BIGINT NOT NULL, tag_id BIGINT NOT NULL, PRIMARY KEY (post_id, tag_id));",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Read::CreateTable(create) = site.read else {
        return;
    };
    let table = table_of(create, true);
    let is_read = !create
        .elements
        .iter()
        .any(|element| matches!(element, Element::Other));
    // A SELECT brings columns and no key.
    let is_known = table.is_complete && !table.columns.is_empty() || create.selects && is_read;
    if is_known && !table.has_primary_key() && !has_key_in_its_place(&table) {
        let message = format!("no row of `{}` can be named", create.table.text());
        found.push(Report::new(create.table.name.span.clone(), message));
    }
}

/// InnoDB orders the rows by the first unique index whose columns are all NOT NULL, where there is no primary key.
fn has_key_in_its_place(table: &Table) -> bool {
    let is_not_null = |name: &str| {
        let column = table.column(name);
        column.is_some_and(|column| column.not_null)
    };
    let inline = |column: &Column| column.key == Some(InlineKey::Unique) && column.not_null;
    let listed = |index: &Index| {
        let columns = index.columns().filter(|_| index.is_unique());
        columns.is_some_and(|columns| {
            columns
                .iter()
                .all(|(name, prefix)| prefix.is_none() && is_not_null(name))
        })
    };
    table.columns.iter().any(inline) || table.indexes.iter().any(listed)
}
