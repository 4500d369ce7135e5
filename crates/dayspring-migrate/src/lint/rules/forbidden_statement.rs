//! MY043: what a migration cannot hold.

use super::prelude::*;
use super::{session_state, transaction_control};
use crate::statement::Class;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY043",
    name: "forbidden-statement",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a statement acts on the server or its files",
    why: "It cannot be part of a migration, and `up` refuses it in the same words.",
    safe_way: "remove it from the script",
    example: Example {
        applied: "SELECT 1;",
        bad: "<|KILL 7|>;",
        good: "CREATE TABLE post (id BIGINT PRIMARY KEY);",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    if let Class::Refused(why) = site.statement.analysis.class
        && !session_state::is_of_session(site)
        && !transaction_control::is_transaction(site)
    {
        found.push(refused(site, why));
    }
}
