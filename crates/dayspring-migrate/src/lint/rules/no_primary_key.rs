//! MY024: a table without a primary key.

use super::prelude::*;
use crate::lint::schema::table_of;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY024",
    name: "no-primary-key",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a table has no primary key",
    why: "InnoDB then orders the rows by a hidden number under a lock that all such tables share. Replication looks through \
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
    if let Read::CreateTable(create) = site.read {
        let table = table_of(create, true);
        if table.is_complete && !table.has_primary_key() && !table.columns.is_empty() {
            let message = format!("no row of `{}` can be named", create.table.text());
            found.push(Report::new(create.table.name.span.clone(), message));
        }
    }
}
