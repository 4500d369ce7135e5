//! MY203: a comment that silences nothing.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY203",
    name: "unused-allow",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "a comment silences a rule that finds nothing",
    why: "The statement has changed, or the comment stands elsewhere than its author thought: it is about the statement after \
          it. Left there, it would silence what comes later.",
    safe_way: "remove it, or put it on a line above the statement that it is about",
    example: Example {
        applied: "CREATE TABLE draft (id BIGINT PRIMARY KEY);",
        bad: "-- dayspring: allow <|drop-table|> nobody reads it since v1\nSELECT 1 FROM draft;",
        good: "-- dayspring: allow drop-table nobody reads it since v1\nDROP TABLE draft;",
    },
    check: None,
};
