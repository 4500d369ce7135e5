//! MY014: the algorithm is left to the server.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY014",
    name: "no-algorithm",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "the server may fall back to copying the table without a word",
    why: "What runs instantly on the developer's table can copy the one in production: for its version, its FULLTEXT index, \
          its row format. With ALGORITHM in the statement it fails at once instead, and nothing has happened.",
    safe_way: "say what is expected, `ALGORITHM=INSTANT` or `ALGORITHM=INPLACE, LOCK=NONE`; the statement then fails at once \
               where it cannot be so",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY);",
        bad: "<|ALTER TABLE post|> ADD COLUMN views BIGINT;",
        good: "ALTER TABLE post ADD COLUMN views BIGINT, ALGORITHM=INSTANT;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Some(alter) = site.alter_of_large() else {
        return;
    };
    let only_renames = alter
        .clauses
        .iter()
        .all(|clause| matches!(clause.kind, ClauseKind::RenameTable(_)));
    // No algorithm can stand behind a change of partitions.
    let of_partitions = alter
        .clauses
        .iter()
        .any(|clause| matches!(clause.kind, ClauseKind::Partitions(_)));
    if alter.algorithm.is_some() || only_renames || of_partitions {
        return;
    }
    let effect = site.effect(alter);
    let words: &[&str] = match effect.class {
        AlgorithmClass::Instant => &["ALGORITHM=INSTANT"],
        AlgorithmClass::Inplace if alter.lock.is_some() => &["ALGORITHM=INPLACE"],
        AlgorithmClass::Inplace if effect.lets_write => &["ALGORITHM=INPLACE", "LOCK=NONE"],
        AlgorithmClass::Inplace => &["ALGORITHM=INPLACE", "LOCK=SHARED"],
        // Other rules speak of these.
        AlgorithmClass::Copy | AlgorithmClass::Unknown => return,
    };
    let message = format!(
        "if `{}` cannot be changed in place, the server copies it without a word",
        alter.table.text()
    );
    let mut report = Report::new(
        site.statement.span.start..alter.table.name.span.end,
        message,
    )
    .note(site.class_note(effect.class));
    if alter.end == site.statement.span.end {
        let words = algorithm_words(alter.form, words);
        let title = format!("append `{}`", words.trim_start_matches([',', ' ']));
        report = report.fix(Fix::insert(title, alter.end, words));
    }
    found.push(report);
}
