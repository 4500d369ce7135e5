//! A database that was built otherwise: its scripts are recorded as applied, after it was seen that they are.
//!
//! 1. Which scripts: those up to a number, or those that another tool's history names ([`read_history`], [`match_history`]).
//! 2. Whether it is true: [`replay`] runs them on a scratch server, and [`diff`](crate::schema::diff) compares.
//! 3. [`record_baseline`] writes the journal: all its rows in one transaction under the lease, so that there is a
//!    baseline or none.

mod history;
mod mapping;
mod objection;
mod record;
mod replay;

use crate::journal::{Journal, State};
use crate::script::{ScriptId, Scripts};

pub use history::{Entry, History, Reach, Tool, read_history};
pub use mapping::{Match, end_of_history, match_history};
pub use objection::Objection;
pub use record::record_baseline;
pub use replay::{PassedOver, Sequence, Wording, applied_sequence, replay};

/// Which statements are to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// The last script that is recorded.
    pub at: ScriptId,
    /// The statements that have no record yet: script and number.
    pub statements: Vec<(ScriptId, usize)>,
}

/// Decides what a baseline records: every statement of the scripts up to `at`. A statement that the database refused
/// earlier, or that nobody tried, is recorded; one that is applied already stays.
///
/// # Errors
/// There is no such script, or the journal has what does not fit: other scripts, edited statements, statements in doubt.
pub fn plan_baseline(
    scripts: &Scripts,
    journal: &Journal,
    at: ScriptId,
) -> Result<Baseline, Objection> {
    if scripts.get(at).is_none() {
        return Err(Objection::NoScript {
            wanted: at.to_string(),
            newest: scripts.iter().next_back().map(|script| script.path.clone()),
        });
    }
    for (id, record) in &journal.scripts {
        if record.may_have_effect() && (*id > at || scripts.get(*id).is_none()) {
            return Err(Objection::HasMore {
                name: if record.name.is_empty() {
                    id.to_string()
                } else {
                    record.name.clone()
                },
                at: at.to_string(),
            });
        }
    }
    let mut statements = Vec::new();
    for script in scripts.iter().filter(|script| script.id <= at) {
        for statement in &script.statements {
            let record = journal.record(script.id, statement.number);
            match record.map(|record| (&record.state, record.digest)) {
                None | Some((State::Pending | State::Failed { .. }, _)) => {
                    statements.push((script.id, statement.number));
                }
                Some((State::Applied, digest)) if digest == statement.digest => {}
                Some((State::Applied, _)) => {
                    return Err(Objection::Edited {
                        place: Box::new(script.place_of(statement)),
                        number: statement.number,
                    });
                }
                Some((State::Started { .. } | State::InDoubt { .. }, _)) => {
                    return Err(Objection::Unsettled {
                        place: Box::new(script.place_of(statement)),
                        number: statement.number,
                    });
                }
            }
        }
    }
    Ok(Baseline { at, statements })
}
