//! MY029: what lives in one session only.

use super::prelude::*;
use crate::memory::wants_lost;
use crate::refusal::Refusal;
use crate::statement::Class;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY029",
    name: "session-state",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a statement relies on what lives in one session only",
    why: "A run that is carried on after a crash has another session. SET is said again there, but a variable that was filled \
          from the data cannot be, and neither can a table lock nor a temporary table. `up` refuses it in the same words.",
    safe_way: "compute the value in the statement itself",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY);",
        bad: "SELECT COUNT(*) INTO @posts FROM post;\nCREATE TABLE mark (posts BIGINT PRIMARY KEY);\n\
              <|INSERT INTO mark VALUES (@posts)|>;",
        good: "CREATE TABLE mark (posts BIGINT PRIMARY KEY);\nINSERT INTO mark SELECT COUNT(*) FROM post;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    if let Class::Refused(why) = site.statement.analysis.class
        && is_of_session(site)
    {
        found.push(refused(site, why));
    } else if wants_lost(site.script, site.statement) {
        let refusal = Refusal::VariableAcrossSchema {
            place: Box::new(site.script.place_of(site.statement)),
        };
        found.push(
            Report::new(site.statement.span.clone(), refusal.to_string()).help(refusal.help()),
        );
    }
}

/// LOCK TABLES and CREATE TEMPORARY TABLE.
pub(super) fn is_of_session(site: &Site<'_>) -> bool {
    let words = || site.tokens.iter().take(4);
    words()
        .next()
        .is_some_and(|token| token.is_any(&["LOCK", "UNLOCK"]))
        || words().any(|token| token.is("TEMPORARY"))
}
