//! MY035: a setting of the whole server.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY035",
    name: "server-setting",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "a script sets what belongs to the whole server",
    why: "Aurora grants nobody SET GLOBAL for most variables and SET PERSIST for none, and what is set is lost at the next \
          failover.",
    safe_way: "set it in the cluster's parameter group",
    example: Example {
        applied: "SELECT 1;",
        bad: "SET <|GLOBAL|> max_connections = 100;",
        good: "SET SESSION sort_buffer_size = 1048576;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    if !site.tokens.first().is_some_and(|token| token.is("SET")) {
        return;
    }
    let word = site
        .tokens
        .iter()
        .find(|token| token.is_any(&["GLOBAL", "PERSIST", "PERSIST_ONLY"]));
    if let Some(word) = word {
        let message = "this is the server's setting, and a failover forgets it";
        found.push(Report::new(word.span(), message));
    }
}
