//! MY112: tables that remember.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY112",
    name: "mariadb-versioning",
    severity: Severity::Error,
    servers: Servers::MySql,
    title: "system-versioned tables and periods are MariaDB's",
    why: "MySQL refuses SYSTEM VERSIONING and PERIOD FOR with a syntax error.",
    safe_way: "keep the history in a table of its own, filled by triggers or by the code",
    example: Example {
        applied: "SELECT 1;",
        bad: "CREATE TABLE post (id BIGINT PRIMARY KEY) WITH <|SYSTEM VERSIONING|>;",
        good: "CREATE TABLE post_history (id BIGINT, at DATETIME(6), PRIMARY KEY (id, at));",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    if !matches!(site.read, Read::CreateTable(_) | Read::Alter(_)) {
        return;
    }
    let pair = site.tokens.windows(2).find(|pair| {
        pair[0].is("SYSTEM") && pair[1].is("VERSIONING")
            || pair[0].is("PERIOD") && pair[1].is("FOR")
    });
    if let Some([first, second]) = pair {
        found.push(Report::new(
            first.start..second.end(),
            "MySQL keeps no versions of rows",
        ));
    }
}
