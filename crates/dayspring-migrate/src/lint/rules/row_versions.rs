//! MY013: too many instant changes.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY013",
    name: "row-versions",
    severity: Severity::Warning,
    servers: Servers::MySql,
    title: "a table's columns change instantly more often than MySQL can remember",
    why: "MySQL keeps a version of the row format for every instant ADD or DROP COLUMN, at most 64 of them (255 from 9.1); \
          the next one fails with error 4092 if it asks for ALGORITHM=INSTANT, and rebuilds the table if not. A rebuild \
          starts the count anew.",
    safe_way: "look at TOTAL_ROW_VERSIONS in information_schema.INNODB_TABLES, and rebuild the table when nobody waits for \
               it: `ALTER TABLE ... FORCE, ALGORITHM=INPLACE, LOCK=NONE`",
    example: Example {
        applied: concat!(
            "CREATE TABLE post (id BIGINT PRIMARY KEY);\n",
            thirty_two!(),
            thirty_two!()
        ),
        bad: "ALTER TABLE post <|ADD COLUMN last INT|>, ALGORITHM=INSTANT;",
        good: "ALTER TABLE post FORCE, ALGORITHM=INPLACE, LOCK=NONE;\nALTER TABLE post ADD COLUMN last INT, ALGORITHM=INSTANT;",
    },
    check: Some(check),
};

macro_rules! thirty_two {
    () => {
        concat!(eight!(), eight!(), eight!(), eight!())
    };
}
macro_rules! eight {
    () => {
        concat!(two!(), two!(), two!(), two!())
    };
}
macro_rules! two {
    () => {
        "ALTER TABLE post ADD COLUMN c INT, ALGORITHM=INSTANT;\nALTER TABLE post DROP COLUMN c, ALGORITHM=INSTANT;\n"
    };
}
use {eight, thirty_two, two};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Some(alter) = site.alter_in_use() else {
        return;
    };
    let versions_max = if site.context.target.is_before(9, 1, 0) {
        64
    } else {
        255
    };
    let versions = site
        .table(&alter.table)
        .map_or(0, |table| table.row_versions);
    let changes = alter.clauses.iter().find(|clause| {
        matches!(
            clause.kind,
            ClauseKind::AddColumn { .. } | ClauseKind::DropColumn(_)
        )
    });
    if let Some(clause) = changes.filter(|_| versions >= versions_max) {
        let message = format!(
            "the scripts have changed the columns of `{}` instantly {versions} times, and MySQL remembers {versions_max}",
            alter.table.text()
        );
        found.push(Report::new(clause.span.clone(), message));
    }
}
