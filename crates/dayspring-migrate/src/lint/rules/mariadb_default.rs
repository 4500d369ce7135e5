//! MY106: a default without its parentheses.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY106",
    name: "mariadb-default",
    severity: Severity::Error,
    servers: Servers::MySql,
    title: "a computed default, or one of a TEXT, BLOB or JSON column, has no parentheses",
    why: "MySQL takes `DEFAULT uuid()` and `DEFAULT 'x'` of a TEXT column only in parentheses; MariaDB takes both forms.",
    safe_way: "put the value in parentheses",
    example: Example {
        applied: "SELECT 1;",
        bad: "CREATE TABLE post (id BIGINT PRIMARY KEY, code CHAR(36) DEFAULT <|uuid()|>);",
        good: "CREATE TABLE post (id BIGINT PRIMARY KEY, code CHAR(36) DEFAULT (uuid()));",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    for column in columns_defined(site) {
        let Some(default) = &column.default else {
            continue;
        };
        let data_type = &column.data_type;
        let is_blob = data_type.blob_bytes().is_some() || data_type.is_any(&["JSON", "GEOMETRY"]);
        let is_wrong =
            default.kind == DefaultKind::Call || is_blob && default.kind == DefaultKind::Literal;
        if is_wrong {
            let value = site.text(default.span.clone());
            let fix = Fix::replace(
                "put it in parentheses",
                default.span.clone(),
                format!("({value})"),
            );
            let message = format!(
                "MySQL takes this default of `{}` only in parentheses",
                column.name.text
            );
            found.push(Report::new(default.span.clone(), message).fix(fix));
        }
    }
}
