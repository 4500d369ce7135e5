//! MY037: a script that handles transactions.

use super::prelude::*;
use crate::statement::Class;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY037",
    name: "transaction-control",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a script begins or ends a transaction",
    why: "The engine commits consecutive data statements together with their journal rows. A COMMIT of the script's own would \
          part them, and a crash there would run a statement twice. `up` refuses it in the same words.",
    safe_way: "remove it from the script",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY);",
        bad: "<|START TRANSACTION|>;\nINSERT INTO post VALUES (1);",
        good: "INSERT INTO post VALUES (1);\nINSERT INTO post VALUES (2);",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    if let Class::Refused(why) = site.statement.analysis.class
        && is_transaction(site)
    {
        found.push(refused(site, why));
    }
}

/// Whether the statement is one of those that begin or end transactions.
pub(super) fn is_transaction(site: &Site<'_>) -> bool {
    let Some(first) = site.tokens.first() else {
        return false;
    };
    first.is_any(&[
        "BEGIN",
        "START",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT",
        "RELEASE",
        "XA",
    ]) || first.is("SET") && site.tokens.iter().any(|token| token.is("AUTOCOMMIT"))
}
