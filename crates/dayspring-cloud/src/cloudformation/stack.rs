//! What is known of a stack: its template, its resources as they were last provisioned, its events and change sets.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How many events a stack keeps: the oldest go first.
const EVENTS_MAX: usize = 2000;

/// All stacks, by id, those that were deleted included.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Stacks {
    pub(super) by_id: BTreeMap<String, Stack>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stack {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) status: StackStatus,
    pub(super) status_reason: Option<String>,
    /// Milliseconds since 1970, as every time here.
    pub(super) created: u64,
    pub(super) updated: Option<u64>,
    pub(super) deleted: Option<u64>,
    /// The text of the template that the stack was last completely brought to.
    pub(super) template: String,
    pub(super) parameters: Vec<Parameter>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) capabilities: Vec<String>,
    pub(super) role_arn: Option<String>,
    /// The names of the exports that its template imports.
    pub(super) imports: BTreeSet<String>,
    pub(super) outputs: Vec<Output>,
    /// By logical id: what exists.
    pub(super) resources: BTreeMap<String, Resource>,
    /// What an update replaced or removed and what is still to be deleted.
    pub(super) leftovers: Vec<Resource>,
    /// Newest last.
    pub(super) events: VecDeque<Event>,
    pub(super) change_sets: Vec<ChangeSet>,
    /// The change set that was executed last.
    pub(super) change_set_id: Option<String>,
    pub(super) termination_protection: bool,
    pub(super) disable_rollback: bool,
    /// The stack policy, as it was given.
    #[serde(default)]
    pub(super) policy: Option<String>,
    /// The resources before an update that was left as it failed.
    #[serde(default)]
    pub(super) before_update: Option<BTreeMap<String, Resource>>,
}

/// A parameter as it was given, and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Parameter {
    pub(super) key: String,
    /// As given, or the default.
    pub(super) value: String,
    /// What a parameter of an SSM type was resolved to.
    pub(super) resolved: Option<String>,
    pub(super) no_echo: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Output {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) description: Option<String>,
    pub(super) export: Option<String>,
}

/// A resource as it was last provisioned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Resource {
    pub(super) logical_id: String,
    pub(super) type_name: String,
    pub(super) physical_id: Option<String>,
    pub(super) status: String,
    pub(super) status_reason: Option<String>,
    pub(super) changed: u64,
    /// With every intrinsic function resolved.
    pub(super) properties: Map<String, Value>,
    /// What `Fn::GetAtt` gives.
    pub(super) attributes: BTreeMap<String, Value>,
    /// The attributes hold secrets (`NoEcho` of a custom resource).
    pub(super) no_echo: bool,
    pub(super) depends_on: BTreeSet<String>,
    pub(super) deletion_policy: Policy,
    pub(super) update_replace_policy: Policy,
}

/// `DeletionPolicy` and `UpdateReplacePolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) enum Policy {
    #[default]
    Delete,
    Retain,
    Snapshot,
    RetainExceptOnCreate,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) at: u64,
    pub(super) logical_id: String,
    pub(super) physical_id: Option<String>,
    pub(super) type_name: String,
    pub(super) status: String,
    pub(super) reason: Option<String>,
    pub(super) properties: Option<String>,
    pub(super) token: Option<String>,
}

/// Where a stack is. The names are those of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum StackStatus {
    ReviewInProgress,
    CreateInProgress,
    CreateComplete,
    CreateFailed,
    RollbackInProgress,
    RollbackComplete,
    RollbackFailed,
    UpdateInProgress,
    UpdateCompleteCleanupInProgress,
    UpdateComplete,
    UpdateFailed,
    UpdateRollbackInProgress,
    UpdateRollbackCompleteCleanupInProgress,
    UpdateRollbackComplete,
    UpdateRollbackFailed,
    DeleteInProgress,
    DeleteComplete,
    DeleteFailed,
}

impl StackStatus {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ReviewInProgress => "REVIEW_IN_PROGRESS",
            Self::CreateInProgress => "CREATE_IN_PROGRESS",
            Self::CreateComplete => "CREATE_COMPLETE",
            Self::CreateFailed => "CREATE_FAILED",
            Self::RollbackInProgress => "ROLLBACK_IN_PROGRESS",
            Self::RollbackComplete => "ROLLBACK_COMPLETE",
            Self::RollbackFailed => "ROLLBACK_FAILED",
            Self::UpdateInProgress => "UPDATE_IN_PROGRESS",
            Self::UpdateCompleteCleanupInProgress => "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            Self::UpdateComplete => "UPDATE_COMPLETE",
            Self::UpdateFailed => "UPDATE_FAILED",
            Self::UpdateRollbackInProgress => "UPDATE_ROLLBACK_IN_PROGRESS",
            Self::UpdateRollbackCompleteCleanupInProgress => {
                "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
            }
            Self::UpdateRollbackComplete => "UPDATE_ROLLBACK_COMPLETE",
            Self::UpdateRollbackFailed => "UPDATE_ROLLBACK_FAILED",
            Self::DeleteInProgress => "DELETE_IN_PROGRESS",
            Self::DeleteComplete => "DELETE_COMPLETE",
            Self::DeleteFailed => "DELETE_FAILED",
        }
    }

    /// What a stack comes back as whose operation was cut by the end of the process; `None` where none was under way.
    pub(super) fn after_cut(self) -> Option<Self> {
        match self {
            Self::CreateInProgress => Some(Self::CreateFailed),
            Self::RollbackInProgress => Some(Self::RollbackFailed),
            // Nothing that was provisioned is unknown, so an update may go on from either side.
            Self::UpdateInProgress | Self::UpdateRollbackInProgress => Some(Self::UpdateFailed),
            // What is left over is deleted by the next cleanup.
            Self::UpdateCompleteCleanupInProgress => Some(Self::UpdateComplete),
            Self::UpdateRollbackCompleteCleanupInProgress => Some(Self::UpdateRollbackComplete),
            Self::DeleteInProgress => Some(Self::DeleteFailed),
            Self::ReviewInProgress
            | Self::CreateComplete
            | Self::CreateFailed
            | Self::RollbackComplete
            | Self::RollbackFailed
            | Self::UpdateComplete
            | Self::UpdateFailed
            | Self::UpdateRollbackComplete
            | Self::UpdateRollbackFailed
            | Self::DeleteComplete
            | Self::DeleteFailed => None,
        }
    }

    /// Whether an update may start from here.
    pub(super) fn is_updatable(self) -> bool {
        matches!(
            self,
            Self::CreateComplete
                | Self::CreateFailed
                | Self::UpdateComplete
                | Self::UpdateFailed
                | Self::UpdateRollbackComplete
        )
    }

    /// Whether the stack stands as its template says.
    pub(super) fn is_settled(self) -> bool {
        matches!(
            self,
            Self::CreateComplete | Self::UpdateComplete | Self::UpdateRollbackComplete
        )
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ChangeSet {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) created: u64,
    pub(super) kind: ChangeSetKind,
    /// `None` where it can be executed.
    pub(super) failure: Option<String>,
    #[serde(default)]
    pub(super) execution: Execution,
    pub(super) template: String,
    pub(super) parameters: Vec<Parameter>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) capabilities: Vec<String>,
    pub(super) role_arn: Option<String>,
    /// `OnStackFailure`, where it was given.
    pub(super) on_failure: Option<String>,
    pub(super) include_values: bool,
    pub(super) changes: Vec<super::change_set::Change>,
}

/// How far the execution of a change set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) enum Execution {
    #[default]
    Available,
    InProgress,
    Complete,
    Failed,
    /// The stack was updated otherwise since it was made.
    Obsolete,
}

impl Execution {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Available => "AVAILABLE",
            Self::InProgress => "EXECUTE_IN_PROGRESS",
            Self::Complete => "EXECUTE_COMPLETE",
            Self::Failed => "EXECUTE_FAILED",
            Self::Obsolete => "OBSOLETE",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ChangeSetKind {
    Create,
    Update,
}

impl Stacks {
    /// The stack of this name that is not deleted, or the one of this id.
    pub(super) fn find(&self, name_or_id: &str) -> Option<&Stack> {
        self.by_id.get(name_or_id).or_else(|| self.live(name_or_id))
    }

    pub(super) fn find_mut(&mut self, name_or_id: &str) -> Option<&mut Stack> {
        let id = self.find(name_or_id)?.id.clone();
        self.by_id.get_mut(&id)
    }

    /// The stack of this name that is not deleted.
    pub(super) fn live(&self, name: &str) -> Option<&Stack> {
        self.by_id
            .values()
            .find(|stack| stack.name == name && stack.status != StackStatus::DeleteComplete)
    }

    /// Every export: its name to its value and the stack that exports it.
    pub(super) fn exports(&self) -> BTreeMap<String, (String, String)> {
        self.by_id
            .values()
            .flat_map(|stack| {
                stack.outputs.iter().filter_map(|output| {
                    let export = output.export.clone()?;
                    Some((export, (output.value.clone(), stack.id.clone())))
                })
            })
            .collect()
    }

    /// The name of a stack that imports this export.
    pub(super) fn importer(&self, export: &str) -> Option<&str> {
        self.by_id
            .values()
            .find(|stack| stack.imports.contains(export))
            .map(|stack| stack.name.as_str())
    }
}

impl Stack {
    pub(super) fn push_event(&mut self, event: Event) {
        if self.events.len() == EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// Says of the change set under execution how that went.
    pub(super) fn close_change_set(&mut self) {
        let execution = if matches!(
            self.status,
            StackStatus::CreateComplete | StackStatus::UpdateComplete
        ) {
            Execution::Complete
        } else {
            Execution::Failed
        };
        for set in &mut self.change_sets {
            if set.execution == Execution::InProgress {
                set.execution = execution;
            }
        }
    }

    pub(super) fn change_set(&self, name_or_id: &str) -> Option<&ChangeSet> {
        self.change_sets
            .iter()
            .find(|set| set.name == name_or_id || set.id == name_or_id)
    }
}

impl Policy {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "Delete" => Some(Self::Delete),
            "Retain" => Some(Self::Retain),
            "Snapshot" => Some(Self::Snapshot),
            "RetainExceptOnCreate" => Some(Self::RetainExceptOnCreate),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_operation_leaves_a_state_that_can_be_updated_or_deleted() {
        assert!(
            StackStatus::CreateInProgress
                .after_cut()
                .unwrap()
                .is_updatable()
        );
        assert!(
            StackStatus::UpdateInProgress
                .after_cut()
                .unwrap()
                .is_updatable()
        );
        assert!(
            StackStatus::UpdateRollbackInProgress
                .after_cut()
                .unwrap()
                .is_updatable()
        );
        assert_eq!(StackStatus::UpdateComplete.after_cut(), None);
    }

    #[test]
    fn a_status_is_stored_under_the_name_that_aws_gives_it() {
        let status = StackStatus::UpdateRollbackCompleteCleanupInProgress;
        assert_eq!(serde_json::to_value(status).unwrap(), status.name());
    }
}
