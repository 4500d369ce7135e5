//! MY202: a rule that is none is silenced.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY202",
    name: "unknown-rule",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a comment silences a rule that there is not",
    why: "It silences nothing, and its author thinks that it does.",
    safe_way: "name a rule of docs/lint/README.md, by its name or its code",
    example: Example {
        applied: "CREATE TABLE draft (id BIGINT PRIMARY KEY);",
        bad: "-- dayspring: allow <|drop-tabel|> nobody reads it since v1\nSELECT 1 FROM draft;",
        good: "-- dayspring: allow drop-table nobody reads it since v1\nDROP TABLE draft;",
    },
    check: None,
};
