//! MY004: a database is dropped.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY004",
    name: "drop-database",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a database is dropped",
    why: "Everything in it is gone, the journal of the migrations too if it is this one, and the last step of it is not \
          atomic: a crash can leave files behind.",
    safe_way: "leave the database to the stack, which makes and removes it",
    example: Example {
        applied: "SELECT 1;",
        bad: "DROP DATABASE <|blog|>;",
        good: "CREATE TABLE post (id BIGINT PRIMARY KEY);",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    if let Read::DropDatabase(name) = site.read {
        let message = format!("the database `{}` goes with all that it holds", name.text);
        found.push(Report::new(name.span.clone(), message));
    }
}
