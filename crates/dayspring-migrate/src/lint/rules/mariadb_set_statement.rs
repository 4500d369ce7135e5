//! MY108: SET STATEMENT ... FOR.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY108",
    name: "mariadb-set-statement",
    severity: Severity::Error,
    servers: Servers::MySql,
    title: "SET STATEMENT ... FOR is MariaDB's",
    why: "MySQL refuses it with a syntax error.",
    safe_way: "use a SET_VAR hint (`SELECT /*+ SET_VAR(name = value) */ ...`), or SET SESSION before the statement",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY);",
        bad: "<|SET STATEMENT|> max_statement_time = 10 FOR DELETE FROM post WHERE id < 0;",
        good: "DELETE /*+ SET_VAR(sort_buffer_size = 1048576) */ FROM post WHERE id < 0;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    if let [set, statement, ..] = site.tokens
        && set.is("SET")
        && statement.is("STATEMENT")
    {
        found.push(Report::new(
            set.start..statement.end(),
            "MySQL has no SET STATEMENT",
        ));
    }
}
