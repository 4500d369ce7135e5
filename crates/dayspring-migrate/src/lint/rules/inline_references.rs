//! MY020: a foreign key that is none.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY020",
    name: "inline-references",
    severity: Severity::Error,
    servers: Servers::MySql,
    title: "REFERENCES in a column's definition makes no foreign key",
    why: "MySQL before 9.0 reads it and forgets it: there is no constraint and no error. MariaDB makes one, so a test on \
          MariaDB does not show it.",
    safe_way: "write it by itself: `CONSTRAINT name FOREIGN KEY (column) REFERENCES table (column)`",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY);",
        bad: "CREATE TABLE remark (id BIGINT PRIMARY KEY, post_id BIGINT NOT NULL <|REFERENCES post (id)|>);",
        good: "CREATE TABLE remark (\n  id BIGINT PRIMARY KEY,\n  post_id BIGINT NOT NULL,\n  \
               CONSTRAINT remark_post FOREIGN KEY (post_id) REFERENCES post (id)\n);",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    if !site.context.target.is_before(9, 0, 0) {
        return;
    }
    for column in columns_defined(site) {
        if let Some(span) = &column.references {
            let message = format!(
                "MySQL forgets this: `{}` gets no foreign key",
                column.name.text
            );
            found.push(Report::new(span.clone(), message));
        }
    }
}
