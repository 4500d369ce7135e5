//! Decides what still has to run: scripts and journal in, steps out. Asks nobody and changes nothing.

use crate::journal::{Journal, ScriptRecord, State};
use crate::refusal::Refusal;
use crate::script::{Phase, Script, ScriptId, Scripts, Statement, Version};
use crate::statement::{Class, Recovery, uses_user_variable};

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
    check_statements(scripts, &plan)?;
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
            recorded: recorded.text.clone(),
        }
    }
}

/// Refuses statements that are to run and cannot.
fn check_statements(scripts: &Scripts, plan: &Plan) -> Result<(), Refusal> {
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
        if uses_lost_variable(script, statement) {
            return Err(Refusal::VariableAcrossSchema { place: place() });
        }
    }
    Ok(())
}

/// Whether a statement uses a variable that was filled from the data before a schema statement: a run that resumes
/// after that statement could not fill it again.
fn uses_lost_variable(script: &Script, statement: &Statement) -> bool {
    let before = &script.statements[..statement.number - 1];
    let filled = before.iter().position(|earlier| {
        earlier.analysis.class
            == Class::Session {
                depends_on_data: true,
            }
    });
    filled.is_some_and(|filled| {
        before[filled..]
            .iter()
            .any(|earlier| matches!(earlier.analysis.class, Class::Schema(_)))
            && uses_user_variable(script.text_of(statement))
    })
}
