//! What is applied, script by script, for people and tables.

use std::collections::BTreeSet;

use crate::journal::{Journal, State};
use crate::script::{ScriptId, Scripts};

/// How a script stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// None of its statements ran.
    Pending,
    /// Some of its statements are applied, and none failed.
    Partial,
    /// All of its statements are applied.
    Applied,
    /// A statement failed; those before it are applied.
    Failed {
        /// Its number.
        number: usize,
        /// The database's words.
        error: String,
    },
    /// A run ended while a statement was under way; the next run finds out what became of it.
    Interrupted {
        /// Its number.
        number: usize,
    },
    /// It cannot be told whether a statement took effect.
    InDoubt {
        /// Its number.
        number: usize,
        /// What the database shows.
        evidence: String,
    },
    /// It is applied, and its file is not among the scripts.
    Gone,
}

/// A script and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptStatus {
    /// The script.
    pub id: ScriptId,
    /// Its file, now or when it ran.
    pub path: String,
    /// How many statements it has.
    pub statements: usize,
    /// How many of them are applied.
    pub applied: usize,
    /// How it stands.
    pub standing: Standing,
}

/// Compares scripts with a journal, in the order in which scripts run. Whether the past was edited is for
/// [`plan`](crate::plan()) to say.
#[must_use]
pub fn status(scripts: &Scripts, journal: &Journal) -> Vec<ScriptStatus> {
    let recorded = journal
        .scripts
        .iter()
        .filter(|(_, record)| !record.statements.is_empty())
        .map(|(&id, _)| id);
    let ids: BTreeSet<ScriptId> = scripts
        .iter()
        .map(|script| script.id)
        .chain(recorded)
        .collect();
    ids.into_iter()
        .map(|id| status_of(id, scripts, journal))
        .collect()
}

fn status_of(id: ScriptId, scripts: &Scripts, journal: &Journal) -> ScriptStatus {
    let script = scripts.get(id);
    let record = journal.scripts.get(&id);
    let states = || {
        record
            .into_iter()
            .flat_map(|record| record.statements.values())
    };
    let applied = states()
        .filter(|record| record.state == State::Applied)
        .count();
    let statements = script.map_or(states().count(), |script| script.statements.len());
    let stopped = states()
        .filter(|record| record.number <= statements)
        .find_map(|record| match &record.state {
            State::Pending | State::Applied => None,
            State::Started { .. } => Some(Standing::Interrupted {
                number: record.number,
            }),
            State::Failed { error } => Some(Standing::Failed {
                number: record.number,
                error: error.clone(),
            }),
            State::InDoubt { evidence, .. } => Some(Standing::InDoubt {
                number: record.number,
                evidence: evidence.clone(),
            }),
        });
    let standing = match (script, stopped) {
        (None, _) => Standing::Gone,
        (Some(_), Some(stopped)) => stopped,
        (Some(_), None) if applied == 0 => Standing::Pending,
        (Some(_), None) if applied < statements => Standing::Partial,
        (Some(_), None) => Standing::Applied,
    };
    let recorded_path = record
        .map(|record| record.name.clone())
        .filter(|name| !name.is_empty());
    let path = script
        .map(|script| script.path.clone())
        .or(recorded_path)
        .unwrap_or_else(|| id.to_string());
    ScriptStatus {
        id,
        path,
        statements,
        applied,
        standing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Digest;
    use crate::journal::{ScriptRecord, StatementRecord};

    fn record(states: Vec<State>) -> ScriptRecord {
        let records = states.into_iter().enumerate().map(|(index, state)| {
            let number = index + 1;
            (
                number,
                StatementRecord {
                    number,
                    digest: Digest::of_bytes(b""),
                    text: None,
                    state,
                },
            )
        });
        ScriptRecord {
            name: "old.sql".to_owned(),
            statements: records.collect(),
        }
    }

    #[test]
    fn every_script_stands_somewhere() {
        let two = "SELECT 1; SELECT 2";
        let files = ["v1.sql", "v2.sql", "v3.sql", "v4.sql"].map(|name| (name, two));
        let scripts = Scripts::parse("s", files).unwrap();
        let mut journal = Journal::default();
        for (name, states) in [
            ("v1.sql", vec![State::Applied, State::Applied]),
            (
                "v2.sql",
                vec![
                    State::Applied,
                    State::Failed {
                        error: "no".to_owned(),
                    },
                ],
            ),
            ("v3.sql", vec![State::Applied]),
            ("v5.sql", vec![State::Applied]),
        ] {
            journal
                .scripts
                .insert(ScriptId::parse(name).unwrap(), record(states));
        }
        let shown: Vec<String> = status(&scripts, &journal)
            .iter()
            .map(|status| {
                format!(
                    "{} {}/{} {:?}",
                    status.path, status.applied, status.statements, status.standing
                )
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        s/v1.sql 2/2 Applied
        s/v2.sql 1/2 Failed { number: 2, error: "no" }
        s/v3.sql 1/2 Partial
        s/v4.sql 0/2 Pending
        old.sql 1/1 Gone
        "#);
    }
}
