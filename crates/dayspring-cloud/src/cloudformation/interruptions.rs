//! Operations on a stack whose last operation runs or was left as it failed: deletion, cancelling, and going back.

use super::Service;
use super::engine::Interruption;
use super::operations::{in_state, not_found, push_stack_event};
use super::policy::StackPolicy;
use super::provider::Provider;
use super::stack::{Policy, Stack, StackStatus};
use super::template::invalid;
use crate::error::AwsError;

/// What a stack's deletion leaves.
#[derive(Debug, Default)]
pub(super) struct Deletion {
    /// The logical ids of what is not to be deleted.
    pub(super) retained: Vec<String>,
    /// What cannot be deleted is left and forgotten (`FORCE_DELETE_STACK`).
    pub(super) forced: bool,
}

impl<P: Provider> Service<P> {
    /// Starts deleting a stack. One that is not there is no error, as in AWS.
    pub(super) fn delete_stack(&self, name: &str, deletion: &Deletion) -> Result<(), AwsError> {
        let world = self.engine.ledger.world;
        let run = self.engine.ledger.change(|stacks| {
            let Some(stack) = stacks.find(name) else {
                return Ok(None);
            };
            if matches!(
                stack.status,
                StackStatus::DeleteComplete | StackStatus::DeleteInProgress
            ) {
                return Ok(None);
            }
            if stack.termination_protection {
                return Err(invalid(format!(
                    "Stack [{}] cannot be deleted while TerminationProtection is enabled",
                    stack.name
                )));
            }
            let is_made = stack.status == StackStatus::CreateInProgress;
            if stack.status.after_cut().is_some() && !is_made {
                return Err(invalid(format!(
                    "Stack [{}] cannot be deleted while in status {}",
                    stack.id,
                    stack.status.name()
                )));
            }
            if !deletion.retained.is_empty() && stack.status != StackStatus::DeleteFailed {
                return Err(invalid(format!(
                    "Stack [{}] is in {} state: resources can be retained only once a deletion has failed (DELETE_FAILED)",
                    stack.id,
                    stack.status.name()
                )));
            }
            let in_use = stack.outputs.iter().find_map(|output| {
                let export = output.export.as_deref()?;
                stacks.importer(export).map(|user| {
                    format!("Export {export} cannot be deleted as it is in use by {user}")
                })
            });
            if let Some(reason) = in_use {
                return Err(invalid(reason));
            }
            let id = stack.id.clone();
            let Some(stack) = stacks.by_id.get_mut(&id) else {
                return Ok(None);
            };
            stack.status = StackStatus::DeleteInProgress;
            stack.status_reason = Some("User Initiated".to_owned());
            for id in &deletion.retained {
                if let Some(resource) = stack.resources.get_mut(id) {
                    resource.deletion_policy = Policy::Retain;
                }
            }
            push_stack_event(stack, world, Some("User Initiated"));
            if is_made {
                // The operation that makes it sees this, and deletes what it has made.
                self.engine.running.interrupt(&id, Interruption::Delete);
                return Ok(None);
            }
            Ok(Some(self.run(stack)))
        })??;
        if let Some(run) = run {
            let forced = deletion.forced;
            self.spawn(async move {
                run.delete().await;
                if forced {
                    run.forget_undeletable();
                }
            });
            self.forget_old_stacks()?;
        }
        Ok(())
    }

    /// Has an update that is under way go back.
    pub(super) fn cancel_update(&self, name: &str) -> Result<(), AwsError> {
        let stack = self.find_stack(name)?;
        if stack.status != StackStatus::UpdateInProgress {
            return Err(invalid(
                "CancelUpdateStack cannot be called from current stack status",
            ));
        }
        self.engine
            .running
            .interrupt(&stack.id, Interruption::Cancel);
        Ok(())
    }

    /// Tries a rollback again that failed, without the resources that are to be skipped.
    pub(super) fn continue_rollback(&self, name: &str, skipped: &[String]) -> Result<(), AwsError> {
        self.go_back(name, skipped, |stack| {
            let unknown: Vec<&String> = skipped
                .iter()
                .filter(|id| {
                    stack
                        .resources
                        .get(*id)
                        .is_none_or(|resource| resource.status != "UPDATE_FAILED")
                })
                .collect();
            if stack.status != StackStatus::UpdateRollbackFailed {
                return Err(cannot_roll_back(stack));
            }
            match unknown.first() {
                None => Ok(()),
                Some(id) => Err(invalid(format!(
                    "ResourcesToSkip: [{id}] is not a resource of the stack in the state UPDATE_FAILED"
                ))),
            }
        })
        .map(|_| ())
    }

    /// Goes back from an operation that was left as it failed. Gives the stack's id.
    pub(super) fn roll_back_stack(&self, name: &str) -> Result<String, AwsError> {
        self.go_back(name, &[], |stack| match stack.status {
            StackStatus::CreateFailed => Ok(()),
            StackStatus::UpdateFailed if stack.before_update.is_some() => Ok(()),
            _ => Err(cannot_roll_back(stack)),
        })
    }

    fn go_back(
        &self,
        name: &str,
        skipped: &[String],
        check: impl FnOnce(&Stack) -> Result<(), AwsError>,
    ) -> Result<String, AwsError> {
        let world = self.engine.ledger.world;
        let (run, before) = self.engine.ledger.change(|stacks| {
            let stack = stacks.find_mut(name).ok_or_else(|| not_found(name))?;
            check(stack)?;
            let before = stack.before_update.take();
            stack.status = if before.is_some() {
                StackStatus::UpdateRollbackInProgress
            } else {
                StackStatus::RollbackInProgress
            };
            stack.status_reason = Some("User Initiated".to_owned());
            push_stack_event(stack, world, Some("User Initiated"));
            Ok::<_, AwsError>((self.run(stack), before))
        })??;
        let id = run.stack_id.clone();
        let skipped = skipped.to_vec();
        self.spawn(async move {
            match before {
                Some(before) => run.roll_back(before, &skipped).await,
                None => run.roll_back_creation().await,
            }
        });
        Ok(id)
    }

    /// Sets the policy that updates are held to.
    pub(super) fn set_policy(&self, name: &str, policy: Option<String>) -> Result<(), AwsError> {
        policy.as_deref().map(StackPolicy::parse).transpose()?;
        self.engine.ledger.change(|stacks| {
            let stack = stacks.find_mut(name).ok_or_else(|| not_found(name))?;
            stack.policy = policy;
            Ok(())
        })?
    }
}

fn cannot_roll_back(stack: &Stack) -> AwsError {
    let AwsError { message, .. } = in_state(stack);
    invalid(message.replace("can not be updated", "can not be rolled back"))
}
