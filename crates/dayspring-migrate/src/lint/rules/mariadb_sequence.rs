//! MY102: sequences.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY102",
    name: "mariadb-sequence",
    severity: Severity::Error,
    servers: Servers::MySql,
    title: "sequences are MariaDB's",
    why: "MySQL has no CREATE SEQUENCE and no NEXT VALUE FOR.",
    safe_way: "use AUTO_INCREMENT, or a table with one row that is counted up",
    example: Example {
        applied: "SELECT 1;",
        bad: "CREATE <|SEQUENCE|> numbers;",
        good: "CREATE TABLE numbers (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY);",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let defines = site
        .tokens
        .first()
        .is_some_and(|token| token.is_any(&["CREATE", "ALTER", "DROP"]));
    let word = site
        .tokens
        .iter()
        .take(4)
        .find(|token| token.is("SEQUENCE"))
        .filter(|_| defines);
    let next = || {
        let at = site
            .tokens
            .windows(3)
            .position(|words| words[0].is("NEXT") && words[1].is("VALUE") && words[2].is("FOR"))?;
        site.tokens.get(at)
    };
    if let Some(word) = word.or_else(next) {
        found.push(Report::new(word.span(), "MySQL has no sequences"));
    }
}
