//! The engine: brings a stack from where it is to what it is to become, and back where that fails.
//!
//! What it does is decided by what is recorded of each resource, never by the template that the stack had before:
//!
//! 1. Forward: every resource of the goal, each after what it depends on. Its properties are resolved when its turn
//!    comes and compared with those that it was last provisioned with: equal means nothing to do; a property that
//!    replaces means that a new resource is made and the old one put aside; anything else is changed in place.
//! 2. Cleanup: what was put aside, and what the goal no longer has, is deleted, each before what it depends on.
//! 3. Where a step of 1 failed while creating: everything is deleted. While updating: each resource that was touched is
//!    brought back to the properties it had, in the same order as in 1, and what was made new is deleted.
//!
//! A step is recorded before the next one starts, so a process that ends in the midst leaves a stack that can be
//! updated again or deleted.

mod interruption;
mod provision;
mod removal;
mod rollback;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::goal::{Goal, Surroundings};
use super::graph;
use super::hidden::Hidden;
use super::intrinsics::Unresolved;
use super::ledger::{self, Ledger, News, STACK_TYPE};
use super::policy::{Action, StackPolicy};
use super::provider::Provider;
use super::stack::{Output, Resource, Stack, StackStatus};
pub(super) use interruption::{Ear, Interruption, Running};

#[derive(Debug)]
pub(super) struct Engine<P> {
    pub(super) provider: P,
    pub(super) ledger: Ledger,
    pub(super) surroundings: Surroundings,
    pub(super) running: Running,
}

/// What becomes of a stack whose creation failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnFailure {
    Rollback,
    DoNothing,
    Delete,
}

/// An operation on one stack.
pub(super) struct Run<P> {
    pub(super) engine: Arc<Engine<P>>,
    pub(super) stack_id: String,
    pub(super) stack_name: String,
    /// What the update may touch.
    pub(super) policy: Option<Arc<StackPolicy>>,
    /// What its events must not show.
    pub(super) hidden: Hidden,
    pub(super) ear: Ear,
}

impl<P> Clone for Run<P> {
    fn clone(&self) -> Self {
        Self {
            engine: Arc::clone(&self.engine),
            stack_id: self.stack_id.clone(),
            stack_name: self.stack_name.clone(),
            policy: self.policy.clone(),
            hidden: self.hidden.clone(),
            ear: self.ear.clone(),
        }
    }
}

impl<P: Provider> Run<P> {
    /// Makes everything of a stack whose record is there and is `CREATE_IN_PROGRESS`.
    pub(super) async fn create(&self, goal: Goal, on_failure: OnFailure) {
        let goal = Arc::new(goal);
        let reason = match self.forward(&goal).await {
            Ok(()) => match self.outputs(&goal) {
                Ok(outputs) => {
                    if !self.finish(&goal, outputs, StackStatus::CreateComplete) {
                        self.delete().await;
                    }
                    return;
                }
                Err(reason) => reason,
            },
            Err(failed) => format!(
                "The following resource(s) failed to create: [{}]. ",
                failed.join(", ")
            ),
        };
        let (next, reason) = match on_failure {
            OnFailure::DoNothing => (StackStatus::CreateFailed, reason.trim_end().to_owned()),
            OnFailure::Rollback => (
                StackStatus::RollbackInProgress,
                format!("{reason}Rollback requested by user."),
            ),
            OnFailure::Delete => (
                StackStatus::DeleteInProgress,
                format!("{reason}Delete requested by user."),
            ),
        };
        if !self.status_unless_deleted(next, Some(&reason)) {
            return self.delete().await;
        }
        match on_failure {
            OnFailure::DoNothing => {}
            OnFailure::Rollback => self.roll_back_creation().await,
            OnFailure::Delete => {
                let (complete, failed) = (StackStatus::DeleteComplete, StackStatus::DeleteFailed);
                self.delete_everything(removal::Cause::CreateRollback, complete, failed)
                    .await;
            }
        }
    }

    /// Deletes what a creation made, of a stack whose record is `ROLLBACK_IN_PROGRESS`.
    pub(super) async fn roll_back_creation(&self) {
        let (complete, failed) = (StackStatus::RollbackComplete, StackStatus::RollbackFailed);
        self.delete_everything(removal::Cause::CreateRollback, complete, failed)
            .await;
    }

    /// Brings a stack whose record is `UPDATE_IN_PROGRESS` to the goal, or back.
    pub(super) async fn update(&self, goal: Goal, disable_rollback: bool) {
        let goal = Arc::new(goal);
        // Where the last update was left as it failed, there is only one way back: to before that one.
        let kept = self
            .engine
            .ledger
            .stack(&self.stack_id, |stack| stack.before_update.take());
        let before = kept.flatten().unwrap_or_else(|| self.resources());
        let result = match self.check_removals(&goal) {
            Ok(()) => self.forward(&goal).await,
            Err(denied) => Err(denied),
        };
        let reason = match result {
            Ok(()) if self.ear.heard().is_some() => "User Initiated".to_owned(),
            Ok(()) => match self.outputs(&goal) {
                Ok(outputs) => {
                    self.put_aside_removed(&goal);
                    self.finish(&goal, outputs, StackStatus::UpdateCompleteCleanupInProgress);
                    self.clean_up().await;
                    self.status(StackStatus::UpdateComplete, None);
                    return;
                }
                Err(reason) => reason,
            },
            Err(_) if self.ear.heard().is_some() => "User Initiated".to_owned(),
            Err(failed) => {
                let resources = self.resources();
                let (created, updated): (Vec<String>, Vec<String>) =
                    failed.into_iter().partition(|id| {
                        resources
                            .get(id)
                            .is_some_and(|resource| resource.status.starts_with("CREATE"))
                    });
                let mut reason = String::new();
                for (ids, verb) in [(created, "create"), (updated, "update")] {
                    if !ids.is_empty() {
                        reason.push_str(&format!(
                            "The following resource(s) failed to {verb}: [{}]. ",
                            ids.join(", ")
                        ));
                    }
                }
                reason
            }
        };
        if disable_rollback {
            self.keep_before_update(before);
            self.status(StackStatus::UpdateFailed, Some(reason.trim_end()));
            return;
        }
        self.status(
            StackStatus::UpdateRollbackInProgress,
            Some(reason.trim_end()),
        );
        self.roll_back(before, &[]).await;
    }

    /// Keeps what the stack was before an update that was left as it failed, for whoever goes back to it.
    fn keep_before_update(&self, before: BTreeMap<String, Resource>) {
        self.engine
            .ledger
            .stack(&self.stack_id, |stack| stack.before_update = Some(before));
    }

    /// Whether the policy lets the update delete what the goal no longer has. Gives what it does not.
    fn check_removals(&self, goal: &Goal) -> Result<(), Vec<String>> {
        let Some(policy) = &self.policy else {
            return Ok(());
        };
        let active: std::collections::BTreeSet<&String> = goal.active().collect();
        let mut denied = Vec::new();
        for (id, mut resource) in self.resources() {
            if active.contains(&id) || resource.physical_id.is_none() {
                continue;
            }
            if let Err(reason) = policy.check(Action::Delete, &id, &resource.type_name) {
                "UPDATE_FAILED".clone_into(&mut resource.status);
                resource.status_reason = Some(reason);
                self.record(resource);
                denied.push(id);
            }
        }
        if denied.is_empty() {
            Ok(())
        } else {
            Err(denied)
        }
    }

    /// Says of the executed change set how that went.
    pub(super) fn close_change_set(&self) {
        self.engine
            .ledger
            .stack(&self.stack_id, Stack::close_change_set);
    }

    /// Deletes everything of a stack whose record is `DELETE_IN_PROGRESS`.
    pub(super) async fn delete(&self) {
        let (complete, failed) = (StackStatus::DeleteComplete, StackStatus::DeleteFailed);
        self.delete_everything(removal::Cause::StackDeletion, complete, failed)
            .await;
    }

    /// Provisions every resource of the goal. Gives the ids of those that failed.
    async fn forward(&self, goal: &Arc<Goal>) -> Result<(), Vec<String>> {
        graph::walk(&goal.edges(), |id| {
            let (run, goal) = (self.clone(), Arc::clone(goal));
            async move { run.provision(&goal, &id).await }
        })
        .await
    }

    /// The outputs' values, once every resource is there.
    fn outputs(&self, goal: &Goal) -> Result<Vec<Output>, String> {
        self.engine.ledger.read(|stacks| {
            let exports = stacks.exports();
            let nothing = std::collections::BTreeSet::new();
            let empty = BTreeMap::new();
            let resources = stacks
                .by_id
                .get(&self.stack_id)
                .map_or(&empty, |stack| &stack.resources);
            let scope = goal.scope(
                &self.engine.surroundings,
                (&self.stack_name, &self.stack_id),
                resources,
                &exports,
                &nothing,
                &nothing,
            );
            let mut outputs = Vec::new();
            for (key, definition) in &goal.template.outputs {
                let holds = |condition| goal.conditions.get(condition) == Some(&true);
                if definition
                    .condition
                    .as_ref()
                    .is_some_and(|condition| !holds(condition))
                {
                    continue;
                }
                let text = |value| {
                    scope.text(value).map_err(|error| match error {
                        Unresolved::Wrong(reason) => format!("Output {key}: {reason}"),
                        Unresolved::Unknown => {
                            format!("Output {key} hangs on a resource that was not made")
                        }
                    })
                };
                let export = definition.export.as_ref().map(text).transpose()?;
                if let Some((name, owner)) = export
                    .as_ref()
                    .and_then(|name| exports.get(name).map(|(_, owner)| (name, owner)))
                    .filter(|(_, owner)| **owner != self.stack_id)
                {
                    let owner = stacks
                        .by_id
                        .get(owner)
                        .map_or(owner.as_str(), |stack| &stack.name);
                    return Err(format!(
                        "Export with name {name} is already exported by stack {owner}. "
                    ));
                }
                outputs.push(Output {
                    key: key.clone(),
                    value: text(&definition.value)?,
                    description: definition.description.clone(),
                    export,
                });
            }
            let before = stacks
                .by_id
                .get(&self.stack_id)
                .map_or(&[][..], |stack| &stack.outputs);
            for output in before {
                let Some(export) = &output.export else {
                    continue;
                };
                let same = outputs.iter().any(|after| {
                    after.export.as_ref() == Some(export) && after.value == output.value
                });
                if same {
                    continue;
                }
                if let Some(user) = stacks.importer(export) {
                    return Err(format!(
                        "Export {export} cannot be updated as it is in use by {user}. "
                    ));
                }
            }
            Ok(outputs)
        })
    }

    /// Records that the stack stands as the goal says, unless its deletion was asked for meanwhile. Gives whether it did.
    fn finish(&self, goal: &Goal, outputs: Vec<Output>, status: StackStatus) -> bool {
        let world = self.engine.ledger.world;
        let finished = self.engine.ledger.stack(&self.stack_id, |stack| {
            if stack.status == StackStatus::DeleteInProgress {
                return false;
            }
            stack.template.clone_from(&goal.text);
            stack.description.clone_from(&goal.template.description);
            stack.parameters.clone_from(&goal.parameters);
            stack.tags.clone_from(&goal.tags);
            stack.capabilities.clone_from(&goal.capabilities);
            stack.role_arn.clone_from(&goal.role_arn);
            stack.imports.clone_from(&goal.imports);
            stack.outputs = outputs;
            stack.status = status;
            stack.status_reason = None;
            ledger::push(stack, world, &self.news(status, None));
            true
        });
        finished.unwrap_or_default()
    }

    /// Moves the stack to a status, unless its deletion was asked for meanwhile. Gives whether it did.
    fn status_unless_deleted(&self, status: StackStatus, reason: Option<&str>) -> bool {
        let world = self.engine.ledger.world;
        let moved = self.engine.ledger.stack(&self.stack_id, |stack| {
            if stack.status == StackStatus::DeleteInProgress {
                return false;
            }
            stack.status = status;
            stack.status_reason = reason.map(str::to_owned);
            ledger::push(stack, world, &self.news(status, reason));
            true
        });
        moved.unwrap_or_default()
    }

    /// Moves the stack to a status, with its event.
    fn status(&self, status: StackStatus, reason: Option<&str>) {
        let world = self.engine.ledger.world;
        self.engine.ledger.stack(&self.stack_id, |stack| {
            stack.status = status;
            stack.status_reason = reason.map(str::to_owned);
            if status == StackStatus::DeleteComplete {
                stack.deleted = Some(world.now_millis());
                stack.outputs.clear();
                stack.imports.clear();
                stack.change_sets.clear();
            }
            ledger::push(stack, world, &self.news(status, reason));
        });
    }

    fn news<'a>(&'a self, status: StackStatus, reason: Option<&'a str>) -> News<'a> {
        News {
            logical_id: &self.stack_name,
            type_name: STACK_TYPE,
            physical_id: Some(&self.stack_id),
            status: status.name(),
            reason,
            properties: None,
        }
    }

    fn resources(&self) -> BTreeMap<String, Resource> {
        self.engine
            .ledger
            .read(|stacks| {
                stacks
                    .by_id
                    .get(&self.stack_id)
                    .map(|stack| stack.resources.clone())
            })
            .unwrap_or_default()
    }

    /// Records a resource and tells what happened to it.
    fn record(&self, resource: Resource) {
        let world = self.engine.ledger.world;
        self.engine.ledger.stack(&self.stack_id, |stack| {
            ledger::push(stack, world, &self.resource_news(&resource));
            stack
                .resources
                .insert(resource.logical_id.clone(), resource);
        });
    }

    /// As [`Self::record`], for a resource that is about to be made: there is nothing yet that a process that ends now
    /// would lose, so it reaches the file with what comes next.
    fn note(&self, resource: Resource) {
        let world = self.engine.ledger.world;
        self.engine.ledger.stack_in_memory(&self.stack_id, |stack| {
            ledger::push(stack, world, &self.resource_news(&resource));
            stack
                .resources
                .insert(resource.logical_id.clone(), resource);
        });
    }

    fn resource_news<'a>(&self, resource: &'a Resource) -> News<'a> {
        News {
            logical_id: &resource.logical_id,
            type_name: &resource.type_name,
            physical_id: resource.physical_id.as_deref(),
            status: &resource.status,
            reason: resource.status_reason.as_deref(),
            // Once per step: what completes has the properties with which it began.
            properties: (!resource.status.ends_with("_COMPLETE"))
                .then(|| serde_json::to_string(&self.hidden.members(&resource.properties)).ok())
                .flatten(),
        }
    }
}
