//! MY026: an index goes while queries use it.

use super::drop_constraint::is_unique;
use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY026",
    name: "drop-index",
    severity: Severity::Warning,
    servers: Servers::MySql,
    title: "an index is dropped that was not made invisible first",
    why: "A query that used it reads the whole table from that moment on, and building the index again takes its time. An \
          invisible index is kept up to date and not used, so that it comes back at once.",
    safe_way: "make it INVISIBLE in one deploy (`ALTER TABLE ... ALTER INDEX name INVISIBLE`), and drop it in a later one",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, title VARCHAR(50), INDEX by_title (title));",
        bad: "ALTER TABLE post <|DROP INDEX by_title|>, ALGORITHM=INPLACE, LOCK=NONE;",
        good: "ALTER TABLE post ALTER INDEX by_title INVISIBLE, ALGORITHM=INPLACE, LOCK=NONE;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Some(alter) = site.alter_of_large() else {
        return;
    };
    let index = |name: &Name| {
        site.table(&alter.table)
            .and_then(|table| table.index(&name.text))
    };
    for clause in &alter.clauses {
        let ClauseKind::DropIndex(name) = &clause.kind else {
            continue;
        };
        let is_invisible = index(name).is_some_and(|index| index.invisible);
        // Another index of the same statement takes its place.
        let replaced = alter
            .clauses
            .iter()
            .any(|other| match (&other.kind, index(name)) {
                (ClauseKind::AddIndex(new), Some(old)) => new
                    .columns()
                    .zip(old.columns())
                    .is_some_and(|(new, old)| new.starts_with(&old)),
                _ => false,
            });
        if !is_invisible && !replaced && !is_unique(site, alter, name) {
            let message = format!(
                "queries that use `{}` read the whole table from now on",
                name.text
            );
            found.push(Report::new(clause.span.clone(), message));
        }
    }
}
