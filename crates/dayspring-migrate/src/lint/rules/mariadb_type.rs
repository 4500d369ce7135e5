//! MY105: types that only MariaDB has.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY105",
    name: "mariadb-type",
    severity: Severity::Error,
    servers: Servers::MySql,
    title: "UUID, INET4 and INET6 are MariaDB's types",
    why: "MySQL refuses them with a syntax error.",
    safe_way: "use BINARY(16) with UUID_TO_BIN, or CHAR(36), for a UUID; VARBINARY(16) with INET6_ATON for an address",
    example: Example {
        applied: "SELECT 1;",
        bad: "CREATE TABLE post (id <|UUID|> PRIMARY KEY);",
        good: "CREATE TABLE post (id BINARY(16) PRIMARY KEY);",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    for column in columns_defined(site) {
        let data_type = &column.data_type;
        if data_type.is_any(&["UUID", "INET4", "INET6", "XMLTYPE"]) {
            found.push(Report::new(
                data_type.span.clone(),
                format!("MySQL has no type {}", data_type.name),
            ));
        }
    }
}
