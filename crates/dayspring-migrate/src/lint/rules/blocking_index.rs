//! MY048: an index that is built while nobody writes.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY048",
    name: "blocking-index",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "a FULLTEXT or SPATIAL index is built while nobody writes to the table",
    why: "Unlike other indexes, these are built with LOCK=SHARED at best. The first FULLTEXT index of a table rebuilds it \
          besides, and no column comes or goes instantly after it.",
    safe_way: "make it together with its table, or build it when writers may wait, allowed by \
               `-- dayspring: allow blocking-index REASON`",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, body TEXT);",
        bad: "ALTER TABLE post <|ADD FULLTEXT INDEX by_words (body)|>, ALGORITHM=INPLACE, LOCK=SHARED;",
        good: "CREATE TABLE page (id BIGINT PRIMARY KEY, body TEXT, FULLTEXT INDEX by_words (body));",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Some(alter) = site.alter_of_large() else {
        return;
    };
    for clause in &alter.clauses {
        if let ClauseKind::AddIndex(index) = &clause.kind
            && matches!(index.kind, IndexKind::Fulltext | IndexKind::Spatial)
        {
            let message = format!(
                "nobody writes to `{}` while this is built",
                alter.table.text()
            );
            found.push(Report::new(clause.span.clone(), message));
        }
    }
}
