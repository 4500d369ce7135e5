//! MY038: a change that takes long.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY038",
    name: "long-change",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "a change reads or writes a table so large that it takes minutes or hours",
    why: "A statement over the Data API goes on alone after 45 seconds, the migrator hands over to a fresh one after 15 minutes \
          at most, and CloudFormation gives up after an hour. Only where the sizes of tables are known.",
    safe_way: "run it when nobody deploys, or write the new rows in pieces",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, title VARCHAR(50));",
        bad: "ALTER TABLE <|post|> ADD INDEX by_title (title), ALGORITHM=INPLACE, LOCK=NONE;",
        good: "ALTER TABLE post ADD COLUMN slug VARCHAR(50), ALGORITHM=INSTANT;",
    },
    check: Some(check),
};

/// How many bytes of a table are rewritten or indexed in a second: the order of magnitude of a small Aurora instance.
const BYTES_PER_SECOND: u64 = 20 * 1024 * 1024;

/// What the Data API waits for a statement.
const CALL_SECONDS: u64 = 45;

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Read::Alter(alter) = site.read else {
        return;
    };
    let Some(size) = site.size_of(&alter.table) else {
        return;
    };
    let adds_index = alter
        .clauses
        .iter()
        .any(|clause| matches!(clause.kind, ClauseKind::AddIndex(_)));
    let effect = site.effect(alter);
    let seconds = size.bytes / BYTES_PER_SECOND;
    if seconds > CALL_SECONDS && (effect.rebuilds || adds_index) {
        let message = format!(
            "`{}` has {}: this takes {}",
            alter.table.text(),
            size.amount(),
            match seconds {
                0..900 => "some minutes",
                900..3600 => "more than 15 minutes",
                _ => "more than an hour, which is more than CloudFormation waits",
            }
        );
        let note = "an estimate, at 20 MiB a second";
        found.push(
            Report::new(alter.table.name.span.clone(), message)
                .note(note)
                .note(site.class_note(effect.class)),
        );
    }
}
