//! Decides what still has to run: scripts and journal in, steps out. Asks nobody and changes nothing.

use crate::journal::{Journal, ScriptRecord, State};
use crate::memory;
use crate::refusal::Refusal;
use crate::script::{Phase, Script, ScriptId, Scripts, Statement, Version};
use crate::split::Reading;
use crate::statement::{After, Analysis, Class, ObjectKind, Recovery};

/// How strictly the past is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// What is applied does not change; statements are appended to the newest script or come in new ones.
    Strict,
    /// Statements may be appended to any script, and a changed past asks for a rebuild of the database.
    Development,
}

/// What is to be done with one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It runs.
    Run,
    /// It was about to be sent when a run ended: whether it took effect is asked first, and it runs if not.
    Settle,
}

/// A statement that is not applied yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedStep {
    /// Its script.
    pub script: ScriptId,
    /// Its number in its script. A statement that is to be settled may be gone from the script.
    pub number: usize,
    /// What is to be done with it.
    pub action: Action,
}

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The scripts that it is about.
    pub phase: Phase,
    /// What is to be done, in order.
    pub steps: Vec<PlannedStep>,
    /// How many statements of the scripts are applied already.
    pub applied: usize,
    /// Whether the journal has more than the scripts, as after a rollback of the code.
    pub ahead: bool,
    /// The newest applied script.
    pub version: Option<Version>,
    /// The newest of the scripts.
    pub newest_script: Option<Version>,
}

/// What to do about scripts and a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Carry the plan out; it may be empty.
    Carry(Plan),
    /// Rebuild the database from the scripts ([`Mode::Development`] only): the past has changed, and this is how.
    Rebuild(Box<Refusal>),
}

/// What the engine's tag before a statement takes at most.
const TAG_CHARACTERS_MAX: usize = 256;

impl Plan {
    /// Refuses a statement that is to run and is longer than a session can send
    /// ([`Session::statement_characters_max`](crate::Session::statement_characters_max)).
    ///
    /// # Errors
    /// The first of them.
    pub fn check_lengths(
        &self,
        scripts: &Scripts,
        characters_max: usize,
    ) -> Result<(), Box<Refusal>> {
        let characters_max = characters_max.saturating_sub(TAG_CHARACTERS_MAX);
        for step in &self.steps {
            let script = scripts.get(step.script);
            let Some((script, statement)) =
                script.and_then(|script| Some((script, script.statements.get(step.number - 1)?)))
            else {
                continue;
            };
            let text = script.text_of(statement);
            // Characters are fewer than bytes, and counting bytes is free.
            let characters = match text.len() {
                bytes if bytes <= characters_max => continue,
                _ => text.chars().count(),
            };
            if characters > characters_max {
                return Err(Box::new(Refusal::TooLong {
                    place: Box::new(script.place_of(statement)),
                    characters,
                    characters_max,
                }));
            }
        }
        Ok(())
    }
}

/// Decides.
///
/// # Errors
/// The first thing that does not fit, in the order of the scripts.
pub fn plan(
    scripts: &Scripts,
    journal: &Journal,
    phase: Phase,
    mode: Mode,
) -> Result<Decision, Box<Refusal>> {
    match plan_strictly(scripts, journal, phase, mode) {
        Ok(plan) => Ok(Decision::Carry(plan)),
        Err(refusal) if mode == Mode::Development && refusal.cured_by_rebuild() => {
            Ok(Decision::Rebuild(Box::new(refusal)))
        }
        Err(refusal) => Err(Box::new(refusal)),
    }
}

fn plan_strictly(
    scripts: &Scripts,
    journal: &Journal,
    phase: Phase,
    mode: Mode,
) -> Result<Plan, Refusal> {
    let recorded: Vec<(ScriptId, &ScriptRecord)> = journal
        .scripts
        .iter()
        .filter(|(id, record)| id.phase == phase && record.may_have_effect())
        .map(|(id, record)| (*id, record))
        .collect();
    let newest_recorded = recorded.last().map(|(id, _)| id.version);
    let newest_script = scripts
        .of_phase(phase)
        .next_back()
        .map(|script| script.id.version);
    let mut plan = Plan {
        phase,
        steps: Vec::new(),
        applied: 0,
        ahead: false,
        version: journal.version(phase),
        newest_script,
    };
    for &(id, record) in &recorded {
        if scripts.get(id).is_some() {
            continue;
        }
        if Some(id.version) < newest_script {
            return Err(Refusal::Missing {
                name: named(id, record),
                id,
                applied: record
                    .statements
                    .values()
                    .filter(|statement| statement.state == State::Applied)
                    .count(),
            });
        }
        plan.ahead = true;
    }
    for script in scripts.of_phase(phase) {
        let record = journal
            .scripts
            .get(&script.id)
            .filter(|record| record.may_have_effect());
        let is_older = newest_recorded.is_some_and(|newest| script.id.version < newest);
        match (record, newest_recorded) {
            (None, Some(newest)) if is_older => {
                return Err(Refusal::Late {
                    path: script.path.clone(),
                    newest,
                });
            }
            (None, _) => plan.steps.extend(
                script
                    .statements
                    .iter()
                    .map(|statement| run(script, statement.number)),
            ),
            (Some(record), newest) => {
                let is_last = Some(script.id.version) == newest_script;
                let begun = plan.steps.len();
                plan_script(script, record, is_last, &mut plan)?;
                let first = plan
                    .steps
                    .get(begun)
                    .and_then(|step| script.statements.get(step.number - 1));
                if let (Some(newest), Some(first), true, Mode::Strict) =
                    (newest, first, is_older, mode)
                {
                    return Err(Refusal::AppendedToOlder {
                        place: Box::new(script.place_of(first)),
                        number: first.number,
                        newest,
                    });
                }
            }
        }
    }
    check_statements(scripts, &plan, journal)?;
    Ok(plan)
}

fn named(id: ScriptId, record: &ScriptRecord) -> String {
    if record.name.is_empty() {
        id.to_string()
    } else {
        record.name.clone()
    }
}

fn run(script: &Script, number: usize) -> PlannedStep {
    PlannedStep {
        script: script.id,
        number,
        action: Action::Run,
    }
}

/// Compares a script with its record, up to the first statement that is not applied.
fn plan_script(
    script: &Script,
    record: &ScriptRecord,
    is_last: bool,
    plan: &mut Plan,
) -> Result<(), Refusal> {
    let highest = record.statements.keys().next_back().copied().unwrap_or(0);
    for number in 1..=highest.max(script.statements.len()) {
        let state = record
            .statements
            .get(&number)
            .map_or(&State::Pending, |record| &record.state);
        let statement = script.statements.get(number - 1);
        match (state, statement) {
            (State::Applied, Some(statement)) => {
                if record.statements[&number].digest != statement.digest {
                    return Err(changed(script, record, statement));
                }
                plan.applied += 1;
            }
            // The code was rolled back to before the statement was appended.
            (State::Applied, None) if is_last => plan.ahead = true,
            (State::Applied, None) => {
                return Err(Refusal::Removed {
                    path: script.path.clone(),
                    number,
                    recorded: record.statements[&number].text.clone(),
                });
            }
            // A statement that is gone and did take effect is told by the run that settles it.
            (State::Started { .. } | State::InDoubt { .. }, _) => {
                plan.steps.push(PlannedStep {
                    script: script.id,
                    number,
                    action: Action::Settle,
                });
                let rest = script
                    .statements
                    .iter()
                    .filter(|statement| statement.number > number);
                plan.steps
                    .extend(rest.map(|statement| run(script, statement.number)));
                return Ok(());
            }
            (State::Pending | State::Failed { .. }, Some(_)) => {
                let rest = script
                    .statements
                    .iter()
                    .filter(|statement| statement.number >= number);
                plan.steps
                    .extend(rest.map(|statement| run(script, statement.number)));
                return Ok(());
            }
            (State::Pending | State::Failed { .. }, None) => {}
        }
    }
    Ok(())
}

/// Tells an insertion and a removal from an edit by the neighbours.
fn changed(script: &Script, record: &ScriptRecord, statement: &Statement) -> Refusal {
    let number = statement.number;
    let recorded = &record.statements[&number];
    let now_next = script.statements.get(number).map(|next| next.digest);
    let then_next = record.statements.get(&(number + 1)).map(|next| next.digest);
    if now_next == Some(recorded.digest) {
        Refusal::Inserted {
            place: Box::new(script.place_of(statement)),
            number,
        }
    } else if then_next == Some(statement.digest) {
        Refusal::Removed {
            path: script.path.clone(),
            number,
            recorded: recorded.text.clone(),
        }
    } else {
        Refusal::Edited {
            place: Box::new(script.place_of(statement)),
            number,
            now: script.text_of(statement).to_owned(),
            recorded: recorded.text.clone(),
        }
    }
}

/// Refuses statements that are to run and cannot.
fn check_statements(scripts: &Scripts, plan: &Plan, journal: &Journal) -> Result<(), Refusal> {
    let mut begun = None;
    for step in &plan.steps {
        let script = scripts.get(step.script);
        let Some((script, statement)) =
            script.and_then(|script| Some((script, script.statements.get(step.number - 1)?)))
        else {
            continue;
        };
        let place = || Box::new(script.place_of(statement));
        match &statement.analysis.class {
            Class::Refused(why) => {
                return Err(Refusal::Forbidden {
                    place: place(),
                    why,
                });
            }
            Class::Schema(Recovery::Undecidable(why)) if step.action == Action::Run => {
                return Err(Refusal::Undecidable {
                    place: place(),
                    why,
                });
            }
            Class::Schema(_) | Class::Data | Class::Session { .. } => {}
        }
        if journal.reads_unusually
            && statement.reading == Reading::OfServer
            && script.text_of(statement).contains('\\')
        {
            return Err(Refusal::Backslash { place: place() });
        }
        if drops(&statement.analysis, &journal.database) {
            return Err(Refusal::Forbidden {
                place: place(),
                why: "the journal is in the database that it drops",
            });
        }
        if begun.replace(step.script) != Some(step.script)
            && let Some(lost) = memory::first_that_lost(script, step.number)
        {
            let place = Box::new(script.place_of(lost));
            return Err(Refusal::VariableAcrossSchema { place });
        }
    }
    Ok(())
}

fn drops(analysis: &Analysis, database: &str) -> bool {
    analysis.touched.iter().any(|touched| {
        let object = &touched.object;
        object.kind == ObjectKind::Database
            && object.name == database
            && touched.after == After::Dropped
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::StatementRecord;

    fn scripts(files: &[(&str, &str)]) -> Scripts {
        Scripts::parse("", files.iter().copied()).unwrap()
    }

    /// A journal in which each statement has the state of its letter: a(pplied), s(tarted), f(ailed).
    fn journal(files: &[(&str, &str, &str)]) -> Journal {
        let mut journal = Journal::default();
        for (name, sql, states) in files {
            let scripts = scripts(&[(name, sql)]);
            let script = scripts.iter().next().unwrap();
            let record = journal.scripts.entry(script.id).or_default();
            record.name.clone_from(&script.path);
            for (statement, state) in script.statements.iter().zip(states.chars()) {
                let state = match state {
                    'a' => State::Applied,
                    's' => State::Started { before: None },
                    _ => State::Failed {
                        error: "no".to_owned(),
                    },
                };
                let text = Some(script.text_of(statement).to_owned());
                let statement = StatementRecord {
                    number: statement.number,
                    digest: statement.digest,
                    text,
                    state,
                };
                record.statements.insert(statement.number, statement);
            }
        }
        journal
    }

    #[track_caller]
    fn check_in(
        mode: Mode,
        recorded: &[(&str, &str, &str)],
        files: &[(&str, &str)],
        expected: &str,
    ) {
        let found = match plan(&scripts(files), &journal(recorded), Phase::Expand, mode) {
            Err(refusal) => refusal.to_string(),
            Ok(Decision::Rebuild(refusal)) => format!("rebuild: {refusal}"),
            Ok(Decision::Carry(plan)) => {
                let steps = plan.steps.iter().map(|step| {
                    let action = if step.action == Action::Settle {
                        "?"
                    } else {
                        ""
                    };
                    format!("{}.{}{action}", step.script, step.number)
                });
                let ahead = plan.ahead.then(|| "ahead".to_owned());
                steps.chain(ahead).collect::<Vec<_>>().join(" ")
            }
        };
        assert_eq!(found, expected);
    }

    #[track_caller]
    fn check(recorded: &[(&str, &str, &str)], files: &[(&str, &str)], expected: &str) {
        check_in(Mode::Strict, recorded, files, expected);
    }

    const TWO: &str = "SELECT 1; SELECT 2;";

    #[test]
    fn what_is_not_recorded_runs_in_the_order_of_the_numbers() {
        check(
            &[],
            &[("v10.sql", TWO), ("v2.sql", TWO)],
            "v2.1 v2.2 v10.1 v10.2",
        );
        check(&[("v1.sql", TWO, "aa")], &[("v1.sql", TWO)], "");
        check(
            &[("v1.sql", TWO, "aa")],
            &[("v1.sql", TWO), ("v2.sql", "SELECT 3")],
            "v2.1",
        );
        check(&[], &[("v1.contract.sql", TWO)], "");
    }

    #[test]
    fn a_failed_statement_and_those_after_it_may_be_edited_freely() {
        check(&[("v1.sql", TWO, "af")], &[("v1.sql", TWO)], "v1.2");
        check(
            &[("v1.sql", TWO, "af")],
            &[("v1.sql", "SELECT 1; SELECT 'b'; SELECT 'c'")],
            "v1.2 v1.3",
        );
        check(
            &[("v1.sql", TWO, "af")],
            &[("v1.sql", "SELECT 1"), ("v2.sql", TWO)],
            "v2.1 v2.2",
        );
        check(&[("v1.sql", TWO, "f")], &[("v2.sql", TWO)], "v2.1 v2.2");
    }

    #[test]
    fn what_was_begun_is_settled_first() {
        check(&[("v1.sql", TWO, "as")], &[("v1.sql", TWO)], "v1.2?");
        check(
            &[("v1.sql", TWO, "s")],
            &[("v1.sql", TWO), ("v2.sql", TWO)],
            "v1.1? v1.2 v2.1 v2.2",
        );
        check(&[("v1.sql", TWO, "as")], &[("v1.sql", "SELECT 1")], "v1.2?");
    }

    #[test]
    fn a_changed_past_is_refused_and_rebuilt_in_development() {
        let past = [("v1.sql", TWO, "aa"), ("v2.sql", TWO, "aa")];
        for (files, expected) in [
            (
                vec![("v1.sql", "SELECT 1; SELECT 'b'"), ("v2.sql", TWO)],
                "statement 2 is applied already, with another text",
            ),
            (
                vec![("v1.sql", "SELECT 0; SELECT 1; SELECT 2"), ("v2.sql", TWO)],
                "statement 1 is new, and stands before statements that are applied already",
            ),
            (
                vec![("v1.sql", "SELECT 2"), ("v2.sql", TWO)],
                "statement 1 of `v1.sql` is applied already, and is no longer there",
            ),
            (
                vec![("v1.sql", "SELECT 1"), ("v2.sql", TWO)],
                "statement 2 of `v1.sql` is applied already, and is no longer there",
            ),
            (
                vec![("v2.sql", TWO)],
                "`v1.sql` is applied already, and is missing among the scripts",
            ),
            (
                vec![("v0.sql", TWO), ("v1.sql", TWO), ("v2.sql", TWO)],
                "`v0.sql` is new, but v2 is applied already",
            ),
        ] {
            check(&past, &files, expected);
            check_in(
                Mode::Development,
                &past,
                &files,
                &format!("rebuild: {expected}"),
            );
        }
    }

    #[test]
    fn statements_are_appended_to_the_newest_script_and_in_development_to_any() {
        let past = [("v1.sql", TWO, "aa"), ("v2.sql", TWO, "aa")];
        let more = "SELECT 1; SELECT 2; SELECT 3";
        check(&past, &[("v1.sql", TWO), ("v2.sql", more)], "v2.3");
        check(
            &past,
            &[("v1.sql", more), ("v2.sql", TWO)],
            "statement 3 is new, but v2 is applied already",
        );
        check_in(
            Mode::Development,
            &past,
            &[("v1.sql", more), ("v2.sql", TWO)],
            "v1.3",
        );
        check(
            &past[..1],
            &[("v1.sql", more), ("v2.sql", TWO)],
            "v1.3 v2.1 v2.2",
        );
    }

    #[test]
    fn older_scripts_than_the_journal_are_no_error() {
        let past = [("v1.sql", TWO, "aa"), ("v2.sql", TWO, "a")];
        check(&past, &[("v1.sql", TWO)], "ahead");
        check(&past, &[("v1.sql", "SELECT 1")], "ahead");
        check(&past, &[], "ahead");
    }

    #[test]
    fn statements_that_cannot_run_are_refused_before_any_runs() {
        check(
            &[],
            &[("v1.sql", "SELECT 1; COMMIT")],
            "this statement cannot be part of a migration: transactions are the engine's: consecutive data statements commit together",
        );
        check(
            &[],
            &[("v1.sql", "CALL p()")],
            "a crash during this statement could not be sorted out: what it does is decided only when it runs",
        );
        check(
            &[],
            &[("v1.sql", "-- dayspring: idempotent\nCALL p()")],
            "v1.1",
        );
        check(
            &[("v1.sql", "CALL p()", "a")],
            &[("v1.sql", "CALL p()")],
            "",
        );
        check(
            &[],
            &[(
                "v1.sql",
                "SET @a = NOW(); CREATE TABLE t (a INT); INSERT INTO t VALUES (@a)",
            )],
            "the value of a variable that this statement uses would be lost in a crash",
        );
        check(
            &[],
            &[(
                "v1.sql",
                "SET @a = 1; CREATE TABLE t (a INT); INSERT INTO t VALUES (@a)",
            )],
            "v1.1 v1.2 v1.3",
        );
    }
}
