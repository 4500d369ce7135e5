//! MY107: IGNORED indexes.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY107",
    name: "mariadb-ignored-index",
    severity: Severity::Error,
    servers: Servers::MySql,
    title: "IGNORED is MariaDB's word for an invisible index",
    why: "MySQL says INVISIBLE and VISIBLE, and refuses IGNORED with a syntax error.",
    safe_way: "write INVISIBLE for IGNORED, and VISIBLE for NOT IGNORED",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, title VARCHAR(50), INDEX by_title (title));",
        bad: "ALTER TABLE post ALTER INDEX by_title <|IGNORED|>, ALGORITHM=INPLACE, LOCK=NONE;",
        good: "ALTER TABLE post ALTER INDEX by_title INVISIBLE, ALGORITHM=INPLACE, LOCK=NONE;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let spans: Vec<&Range<usize>> = match site.read {
        Read::CreateTable(create) => create
            .elements
            .iter()
            .filter_map(|element| match element {
                Element::Index(index) => index.ignored.as_ref(),
                _ => None,
            })
            .collect(),
        Read::Alter(alter) => alter
            .clauses
            .iter()
            .filter_map(|clause| match &clause.kind {
                ClauseKind::AddIndex(index) => index.ignored.as_ref(),
                ClauseKind::IndexVisibility { ignored, .. } => ignored.as_ref(),
                _ => None,
            })
            .collect(),
        _ => return,
    };
    for span in spans {
        let is_negated = site.text(span.clone()).split_whitespace().count() > 1;
        let word = if is_negated { "VISIBLE" } else { "INVISIBLE" };
        let fix = Fix::replace(format!("write {word}"), span.clone(), word);
        found.push(Report::new(span.clone(), format!("MySQL says {word}")).fix(fix));
    }
}
