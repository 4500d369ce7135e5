//! MY025: numbers that run out.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY025",
    name: "small-id",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "an AUTO_INCREMENT column is smaller than BIGINT",
    why: "INT ends at 2,147,483,647, and rolled back and ignored INSERTs use numbers up too. On that day every INSERT fails, \
          and making the column larger copies the table and all that refer to it.",
    safe_way: "make it BIGINT UNSIGNED from the beginning: four more bytes a row",
    example: Example {
        applied: "SELECT 1;",
        bad: "CREATE TABLE post (id <|INT|> AUTO_INCREMENT PRIMARY KEY);",
        good: "CREATE TABLE post (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY);",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    for column in columns_defined(site) {
        let data_type = &column.data_type;
        let bytes = data_type.integer_bytes().filter(|bytes| *bytes < 8);
        if let Some(bytes) = bytes.filter(|_| column.auto_increment) {
            let bits = if data_type.unsigned {
                bytes * 8
            } else {
                bytes * 8 - 1
            };
            let last = (1_u64 << bits) - 1;
            let message = format!(
                "`{}` ends at {last}, and INSERTs fail then",
                column.name.text
            );
            found.push(Report::new(data_type.span.clone(), message));
        }
    }
}
