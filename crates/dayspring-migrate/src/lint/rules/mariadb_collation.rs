//! MY113: collations that only MariaDB has.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY113",
    name: "mariadb-collation",
    severity: Severity::Error,
    servers: Servers::MySql,
    title: "the uca1400 and nopad collations are MariaDB's",
    why: "MySQL does not know them: error 1273. Its own are those with 0900 in their names, which compare alike.",
    safe_way: "use utf8mb4_0900_ai_ci (the default) or utf8mb4_0900_as_cs",
    example: Example {
        applied: "SELECT 1;",
        bad: "CREATE TABLE post (id BIGINT PRIMARY KEY) COLLATE <|utf8mb4_uca1400_ai_ci|>;",
        good: "CREATE TABLE post (id BIGINT PRIMARY KEY) COLLATE utf8mb4_0900_ai_ci;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let collations = site
        .tokens
        .windows(3)
        .filter(|words| words[0].is("COLLATE"))
        .map(|words| {
            if words[1].is_mark('=') {
                &words[2]
            } else {
                &words[1]
            }
        });
    let last = match site.tokens {
        [.., before, last] if before.is("COLLATE") => Some(last),
        _ => None,
    };
    for token in collations.chain(last) {
        let name = token.text().to_ascii_lowercase();
        if name.contains("uca1400") || name.contains("_nopad_") {
            found.push(Report::new(
                token.span(),
                format!("MySQL has no collation `{}`", token.text()),
            ));
        }
    }
}
