//! The life of a statement, as one total transition function.

use serde::{Deserialize, Serialize};

use crate::fingerprint::Fingerprint;

/// What is known of a statement's effect.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    /// Nothing was tried.
    #[default]
    Pending,
    /// It was about to be sent. Whether it took effect has to be asked of the database.
    Started {
        /// What it touches, before it; nothing where other evidence decides.
        before: Option<Fingerprint>,
    },
    /// It took effect, once.
    Applied,
    /// The database refused it: it has no effect, and may be corrected.
    Failed {
        /// The database's words.
        error: String,
    },
    /// It was about to be sent, and the database is neither as before nor as after.
    InDoubt {
        /// As in [`State::Started`], so that it can be asked again.
        before: Option<Fingerprint>,
        /// What was found.
        evidence: String,
    },
}

/// What may happen to a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It is about to be sent.
    Start {
        /// What it touches.
        before: Option<Fingerprint>,
    },
    /// It took effect: the database said so, or shows it.
    Succeed,
    /// The database refused it.
    Fail {
        /// Its words.
        error: String,
    },
    /// The database shows that it did not take effect.
    FindAbsent,
    /// The database shows neither.
    Doubt {
        /// What it shows.
        evidence: String,
    },
}

/// A step that a state does not allow: a bug of the engine or a journal that someone edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a statement that is {state} cannot {step}")]
pub struct IllegalTransition {
    state: &'static str,
    step: &'static str,
}

impl State {
    /// The state after a step.
    ///
    /// # Errors
    /// A step that would forget what is known, such as starting what is applied.
    pub fn next(self, step: Step) -> Result<Self, IllegalTransition> {
        let illegal = IllegalTransition {
            state: self.name(),
            step: step.name(),
        };
        match (self, step) {
            (Self::Pending | Self::Failed { .. }, Step::Start { before }) => {
                Ok(Self::Started { before })
            }
            (Self::Applied | Self::Started { .. } | Self::InDoubt { .. }, Step::Start { .. }) => {
                Err(illegal)
            }
            (Self::Applied, _) => Err(illegal),
            (_, Step::Succeed) => Ok(Self::Applied),
            (Self::Pending | Self::Failed { .. } | Self::Started { .. }, Step::Fail { error }) => {
                Ok(Self::Failed { error })
            }
            (Self::InDoubt { .. }, Step::Fail { .. }) => Err(illegal),
            (Self::Started { .. } | Self::InDoubt { .. }, Step::FindAbsent) => Ok(Self::Pending),
            (Self::Started { before } | Self::InDoubt { before, .. }, Step::Doubt { evidence }) => {
                Ok(Self::InDoubt { before, evidence })
            }
            (Self::Pending | Self::Failed { .. }, Step::FindAbsent | Step::Doubt { .. }) => {
                Err(illegal)
            }
        }
    }

    /// The word for it, as the journal and tables for people have it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Started { .. } => "started",
            Self::Applied => "applied",
            Self::Failed { .. } => "failed",
            Self::InDoubt { .. } => "in_doubt",
        }
    }

    /// Whether the database may have been changed by it.
    #[must_use]
    pub fn may_have_effect(&self) -> bool {
        match self {
            Self::Pending | Self::Failed { .. } => false,
            Self::Started { .. } | Self::Applied | Self::InDoubt { .. } => true,
        }
    }

    /// What the journal's `detail` column holds for it.
    pub(crate) fn detail(&self) -> Option<String> {
        let detail = match self {
            Self::Pending | Self::Applied => return None,
            Self::Started { before } => Detail {
                before: before.clone(),
                ..Detail::default()
            },
            Self::Failed { error } => Detail {
                error: Some(error.clone()),
                ..Detail::default()
            },
            Self::InDoubt { before, evidence } => Detail {
                before: before.clone(),
                evidence: Some(evidence.clone()),
                ..Detail::default()
            },
        };
        Some(serde_json::to_string(&detail).expect("text and lists always become JSON"))
    }

    /// Reads what the journal holds.
    pub(crate) fn parse(name: &str, detail: Option<&str>) -> Option<Self> {
        let detail: Detail = match detail {
            Some(detail) => serde_json::from_str(detail).ok()?,
            None => Detail::default(),
        };
        Some(match name {
            "pending" => Self::Pending,
            "started" => Self::Started {
                before: detail.before,
            },
            "applied" => Self::Applied,
            "failed" => Self::Failed {
                error: detail.error.unwrap_or_default(),
            },
            "in_doubt" => Self::InDoubt {
                before: detail.before,
                evidence: detail.evidence.unwrap_or_default(),
            },
            _ => return None,
        })
    }
}

impl Step {
    fn name(&self) -> &'static str {
        match self {
            Self::Start { .. } => "start",
            Self::Succeed => "succeed",
            Self::Fail { .. } => "fail",
            Self::FindAbsent => "be found absent",
            Self::Doubt { .. } => "be doubted",
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Detail {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Fingerprint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states() -> Vec<State> {
        let before = Some(Fingerprint::default());
        vec![
            State::Pending,
            State::Started {
                before: before.clone(),
            },
            State::Applied,
            State::Failed {
                error: "no".to_owned(),
            },
            State::InDoubt {
                before,
                evidence: "odd".to_owned(),
            },
        ]
    }

    fn steps() -> Vec<Step> {
        vec![
            Step::Start { before: None },
            Step::Succeed,
            Step::Fail {
                error: "x".to_owned(),
            },
            Step::FindAbsent,
            Step::Doubt {
                evidence: "y".to_owned(),
            },
        ]
    }

    #[test]
    fn every_state_answers_every_step() {
        let table: Vec<String> = states()
            .iter()
            .map(|state| {
                let after: Vec<&str> = steps()
                    .into_iter()
                    .map(|step| state.clone().next(step).map_or("-", |state| state.name()))
                    .collect();
                format!("{:8} {}", state.name(), after.join(" "))
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"), @r"
        pending  started applied failed - -
        started  - applied failed pending in_doubt
        applied  - - - - -
        failed   started applied failed - -
        in_doubt - applied - pending in_doubt
        ");
    }

    #[test]
    fn a_state_reads_back_what_the_journal_holds() {
        for state in states() {
            assert_eq!(
                State::parse(state.name(), state.detail().as_deref()),
                Some(state)
            );
        }
        assert_eq!(State::parse("sideways", None), None);
    }
}
