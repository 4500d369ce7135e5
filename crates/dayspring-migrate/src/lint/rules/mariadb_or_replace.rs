//! MY103: CREATE OR REPLACE of what MySQL does not replace.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY103",
    name: "mariadb-or-replace",
    severity: Severity::Error,
    servers: Servers::MySql,
    title: "CREATE OR REPLACE of anything but a view is MariaDB's",
    why: "MySQL replaces only views (and spatial reference systems) so; for the rest it is a syntax error.",
    safe_way: "write DROP ... IF EXISTS and CREATE as two statements",
    example: Example {
        applied: "SELECT 1;",
        bad: "CREATE <|OR REPLACE|> FUNCTION one() RETURNS INT DETERMINISTIC RETURN 1;",
        good: "DROP FUNCTION IF EXISTS one;\nCREATE FUNCTION one() RETURNS INT DETERMINISTIC RETURN 1;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let [create, or, replace, rest @ ..] = site.tokens else {
        return;
    };
    if !create.is("CREATE") || !or.is("OR") || !replace.is("REPLACE") {
        return;
    }
    let kind = rest.iter().take(16).find(|token| {
        token.is_any(&[
            "VIEW",
            "SPATIAL",
            "TABLE",
            "INDEX",
            "PROCEDURE",
            "FUNCTION",
            "TRIGGER",
            "EVENT",
            "DATABASE",
            "SCHEMA",
            "SEQUENCE",
            "USER",
            "ROLE",
            "SERVER",
        ])
    });
    if let Some(kind) = kind.filter(|kind| !kind.is_any(&["VIEW", "SPATIAL"])) {
        let message = format!(
            "MySQL has no CREATE OR REPLACE {}",
            kind.text().to_ascii_uppercase()
        );
        found.push(Report::new(or.start..replace.end(), message));
    }
}
