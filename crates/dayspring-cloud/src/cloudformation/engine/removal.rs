//! Deleting: what an update left over, and whole stacks.

use std::collections::BTreeSet;

use super::Run;
use crate::cloudformation::goal::Goal;
use crate::cloudformation::ledger;
use crate::cloudformation::provider::{Existing, Provider};
use crate::cloudformation::stack::{Policy, Resource, StackStatus};

/// Why a stack's resources are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    StackDeletion,
    /// The operation that made them failed.
    CreateRollback,
}

impl<P: Provider> Run<P> {
    /// Sets a resource aside that the cleanup is to delete.
    pub(super) fn put_aside(&self, resource: Resource) {
        self.engine
            .ledger
            .stack(&self.stack_id, |stack| stack.leftovers.push(resource));
    }

    /// Sets aside what the goal no longer has.
    pub(super) fn put_aside_removed(&self, goal: &Goal) {
        let active: BTreeSet<&String> = goal.active().collect();
        self.engine.ledger.stack(&self.stack_id, |stack| {
            let removed: Vec<String> = stack
                .resources
                .keys()
                .filter(|id| !active.contains(id))
                .cloned()
                .collect();
            for mut resource in removed.iter().filter_map(|id| stack.resources.remove(id)) {
                if resource.physical_id.is_some() {
                    // It leaves the stack, so its deletion policy decides, not the one for replacements.
                    resource.update_replace_policy = resource.deletion_policy;
                    stack.leftovers.push(resource);
                }
            }
        });
    }

    /// Deletes what was set aside. What cannot be deleted is told and left, as AWS leaves it.
    pub(super) async fn clean_up(&self) {
        let leftovers = self
            .engine
            .ledger
            .read(|stacks| {
                stacks
                    .by_id
                    .get(&self.stack_id)
                    .map(|stack| stack.leftovers.clone())
            })
            .unwrap_or_default();
        let mut failed: Vec<Resource> = Vec::new();
        for resource in deletion_order(leftovers) {
            if !is_needed(&resource, &failed) {
                let policy = resource.update_replace_policy;
                if self.remove(&resource, policy).await.is_err() {
                    failed.push(resource.clone());
                }
            }
            self.engine.ledger.stack(&self.stack_id, |stack| {
                stack.leftovers.retain(|leftover| *leftover != resource);
            });
        }
    }

    /// Deletes everything, each before what it depends on, and ends in one of the two states.
    pub(super) async fn delete_everything(
        &self,
        cause: Cause,
        complete: StackStatus,
        incomplete: StackStatus,
    ) {
        self.clean_up().await;
        let resources: Vec<Resource> = self.resources().into_values().collect();
        let mut failed: Vec<Resource> = Vec::new();
        for resource in deletion_order(resources) {
            if is_needed(&resource, &failed) {
                continue;
            }
            let policy = match (resource.deletion_policy, cause) {
                (Policy::RetainExceptOnCreate, Cause::CreateRollback) => Policy::Delete,
                (policy, _) => policy,
            };
            match self.remove(&resource, policy).await {
                Ok(()) => {
                    self.engine.ledger.stack(&self.stack_id, |stack| {
                        stack.resources.remove(&resource.logical_id);
                    });
                }
                Err(reason) => {
                    let mut kept = resource.clone();
                    "DELETE_FAILED".clone_into(&mut kept.status);
                    kept.status_reason = Some(reason);
                    self.engine.ledger.stack(&self.stack_id, |stack| {
                        stack.resources.insert(kept.logical_id.clone(), kept);
                    });
                    failed.push(resource);
                }
            }
        }
        if failed.is_empty() {
            self.status(complete, None);
        } else {
            let ids: Vec<&str> = failed
                .iter()
                .map(|resource| resource.logical_id.as_str())
                .collect();
            let reason = format!(
                "The following resource(s) failed to delete: [{}]. ",
                ids.join(", ")
            );
            self.status(incomplete, Some(&reason));
        }
    }

    /// Forgets what could not be deleted, so that the stack is gone.
    pub(in crate::cloudformation) fn forget_undeletable(&self) {
        let failed = self.resources();
        if failed.is_empty() {
            return;
        }
        self.engine
            .ledger
            .stack(&self.stack_id, |stack| stack.resources.clear());
        self.status(StackStatus::DeleteComplete, None);
    }

    /// Deletes one resource as its policy says. Gives the reason where it cannot be.
    async fn remove(&self, resource: &Resource, policy: Policy) -> Result<(), String> {
        let Some(physical_id) = resource.physical_id.clone() else {
            // It never came to be.
            return Ok(());
        };
        if matches!(policy, Policy::Retain | Policy::RetainExceptOnCreate) {
            self.tell_removal(resource, "DELETE_SKIPPED", None);
            return Ok(());
        }
        self.tell_removal(resource, "DELETE_IN_PROGRESS", None);
        let before = Existing {
            physical_id,
            properties: resource.properties.clone(),
            attributes: resource.attributes.clone(),
        };
        let snapshot = policy == Policy::Snapshot;
        match self
            .engine
            .provider
            .delete(self.request(resource), before, snapshot)
            .await
        {
            Ok(()) => {
                self.tell_removal(resource, "DELETE_COMPLETE", None);
                Ok(())
            }
            Err(failure) => {
                self.tell_removal(resource, "DELETE_FAILED", Some(&failure.reason));
                Err(failure.reason)
            }
        }
    }

    fn tell_removal(&self, resource: &Resource, status: &str, reason: Option<&str>) {
        let mut shown = resource.clone();
        status.clone_into(&mut shown.status);
        shown.status_reason = reason.map(str::to_owned);
        let world = self.engine.ledger.world;
        self.engine.ledger.stack(&self.stack_id, |stack| {
            ledger::push(stack, world, &self.resource_news(&shown));
            // The record of a resource that is still in the stack shows what happens to it.
            if let Some(known) = stack.resources.get_mut(&resource.logical_id)
                && known.physical_id == resource.physical_id
            {
                known.status = shown.status;
                known.status_reason = shown.status_reason;
            }
        });
    }
}

/// Whether something that could not be deleted still depends on it.
fn is_needed(resource: &Resource, failed: &[Resource]) -> bool {
    failed.iter().any(|other| {
        other.depends_on.contains(&resource.logical_id) && other.logical_id != resource.logical_id
    })
}

/// Each before what it depends on. Two generations of resources may point at each other in a circle; then their order
/// does not matter.
fn deletion_order(resources: Vec<Resource>) -> Vec<Resource> {
    let mut rest = resources;
    let mut order = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let free = rest
            .iter()
            .position(|candidate| {
                !rest.iter().any(|other| {
                    other.logical_id != candidate.logical_id
                        && other.depends_on.contains(&candidate.logical_id)
                })
            })
            .unwrap_or(0);
        order.push(rest.remove(free));
    }
    order
}
