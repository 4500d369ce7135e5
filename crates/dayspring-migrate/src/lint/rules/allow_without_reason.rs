//! MY201: a rule is silenced without a reason.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY201",
    name: "allow-without-reason",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a comment silences a rule and does not say why",
    why: "Whoever reads the script later cannot know whether somebody thought about it.",
    safe_way: "write the reason behind the rule: `-- dayspring: allow drop-table nobody reads it since v12`",
    example: Example {
        applied: "CREATE TABLE draft (id BIGINT PRIMARY KEY);",
        bad: "<|-- dayspring: allow drop-table|>\nDROP TABLE draft;",
        good: "-- dayspring: allow drop-table nobody reads it since v1\nDROP TABLE draft;",
    },
    check: None,
};
