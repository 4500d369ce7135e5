//! MY114: blocks outside programs.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY114",
    name: "mariadb-compound",
    severity: Severity::Error,
    servers: Servers::MySql,
    title: "BEGIN NOT ATOMIC is MariaDB's",
    why: "MySQL runs IF, loops and blocks only within stored programs.",
    safe_way: "write the statements one by one, or create a procedure, call it and drop it",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY);",
        bad: "<|BEGIN NOT ATOMIC|> DELETE FROM post WHERE id < 0; END;",
        good: "DELETE FROM post WHERE id < 0;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    if is_compound(site) {
        found.push(Report::new(
            site.first_words(3),
            "MySQL runs blocks only within stored programs",
        ));
    }
}

/// Whether the statement is a block by itself.
pub(super) fn is_compound(site: &Site<'_>) -> bool {
    matches!(site.tokens, [begin, not, atomic, ..] if begin.is("BEGIN") && not.is("NOT") && atomic.is("ATOMIC"))
}
