//! MY036: a date that is none.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY036",
    name: "zero-date",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "the zero date is used",
    why: "MySQL 8.0's default sql_mode refuses '0000-00-00' (NO_ZERO_DATE, NO_ZERO_IN_DATE); MariaDB's takes it. Most \
          languages have no such date either.",
    safe_way: "use NULL",
    example: Example {
        applied: "SELECT 1;",
        bad: "CREATE TABLE post (id BIGINT PRIMARY KEY, at DATE NOT NULL DEFAULT <|'0000-00-00'|>);",
        good: "CREATE TABLE post (id BIGINT PRIMARY KEY, at DATE);",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    // Texts of programs and comments are not dates of this statement.
    if matches!(site.read, Read::Other) {
        return;
    }
    let zero = site.tokens.iter().find(|token| {
        token
            .literal()
            .is_some_and(|text| text.starts_with("0000-00-00"))
    });
    if let Some(zero) = zero {
        found.push(Report::new(
            zero.span(),
            "MySQL refuses the zero date in its default sql_mode",
        ));
    }
}
