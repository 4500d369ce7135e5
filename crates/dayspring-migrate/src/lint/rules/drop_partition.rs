//! MY049: a partition is dropped or emptied.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY049",
    name: "drop-partition",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a partition is dropped or emptied with its rows",
    why: "Every row in it is gone, and no rollback brings it back.",
    safe_way: "swap it into a table of its own first (`EXCHANGE PARTITION`), and drop that one later",
    example: Example {
        applied: "CREATE TABLE visit (id BIGINT PRIMARY KEY)\n  \
                  PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);",
        bad: "ALTER TABLE visit <|DROP PARTITION p0|>;",
        good: "DELETE FROM visit PARTITION (p0) WHERE id < 10 LIMIT 1000;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    for clause in site.clauses_in_use() {
        if matches!(clause.kind, ClauseKind::Partitions(PartitionWork::Empty)) {
            let message = "the rows of the partition are lost for good";
            found.push(Report::new(clause.span.clone(), message));
        }
    }
}
