//! Back to what the stack was before an update that failed.

use std::collections::BTreeMap;

use super::Run;
use crate::cloudformation::graph;
use crate::cloudformation::provider::Provider;
use crate::cloudformation::stack::{Policy, Resource, StackStatus};

impl<P: Provider> Run<P> {
    /// Brings every resource that was touched back to what it was, but for those that are to be skipped, then deletes what
    /// was made new.
    pub(in crate::cloudformation) async fn roll_back(
        &self,
        before: BTreeMap<String, Resource>,
        skipped: &[String],
    ) {
        let edges = before
            .iter()
            .map(|(id, resource)| (id.clone(), resource.depends_on.clone()))
            .collect();
        let result = graph::walk(&edges, |id| {
            let run = self.clone();
            let before = before.get(&id).cloned();
            let is_skipped = skipped.contains(&id);
            async move {
                match before {
                    Some(_) if is_skipped => {
                        run.skip(&id);
                        Ok(())
                    }
                    Some(before) => run.restore(before).await,
                    None => Ok(()),
                }
            }
        })
        .await;
        if let Err(failed) = result {
            let reason = format!(
                "The following resource(s) failed to update: [{}]. ",
                failed.join(", ")
            );
            self.keep_before_update(before);
            self.status(StackStatus::UpdateRollbackFailed, Some(&reason));
            return;
        }
        self.put_aside_created(&before);
        self.status(StackStatus::UpdateRollbackCompleteCleanupInProgress, None);
        self.clean_up().await;
        self.status(StackStatus::UpdateRollbackComplete, None);
    }

    /// Takes a resource that cannot be brought back as being as it is.
    fn skip(&self, id: &str) {
        if let Some(mut resource) = self.resources().remove(id) {
            "UPDATE_COMPLETE".clone_into(&mut resource.status);
            resource.status_reason = None;
            self.record(resource);
        }
    }

    async fn restore(&self, before: Resource) -> Result<(), ()> {
        let Some(now) = self.resources().remove(&before.logical_id) else {
            return Ok(());
        };
        if now.physical_id != before.physical_id {
            // It was replaced: the old one is still there, so it takes its place again.
            self.take_back(&before);
            if now.physical_id.is_some() {
                self.put_aside(now);
            }
            self.record(Resource {
                status: "UPDATE_COMPLETE".to_owned(),
                status_reason: None,
                ..before
            });
            return Ok(());
        }
        if now.properties == before.properties {
            // Nothing was sent to it with other properties: only its record has to be as before.
            if now != before {
                self.engine.ledger.stack(&self.stack_id, |stack| {
                    stack.resources.insert(before.logical_id.clone(), before);
                });
            }
            return Ok(());
        }
        if now.physical_id.is_none() {
            return Ok(());
        }
        let result = self.change_in_place(before, &now).await;
        if result.is_err() {
            // It is not back: whoever goes on with the rollback must find it different from what it was.
            self.engine.ledger.stack(&self.stack_id, |stack| {
                if let Some(resource) = stack.resources.get_mut(&now.logical_id) {
                    resource.properties.clone_from(&now.properties);
                }
            });
        }
        result
    }

    /// What was made by the update that failed.
    fn put_aside_created(&self, before: &BTreeMap<String, Resource>) {
        self.engine.ledger.stack(&self.stack_id, |stack| {
            let created: Vec<String> = stack
                .resources
                .keys()
                .filter(|id| !before.contains_key(*id))
                .cloned()
                .collect();
            for mut resource in created.iter().filter_map(|id| stack.resources.remove(id)) {
                if resource.physical_id.is_some() {
                    // The operation that made it is undone: RetainExceptOnCreate deletes what Retain keeps.
                    resource.update_replace_policy = match resource.deletion_policy {
                        Policy::RetainExceptOnCreate => Policy::Delete,
                        policy => policy,
                    };
                    stack.leftovers.push(resource);
                }
            }
        });
    }

    fn take_back(&self, resource: &Resource) {
        self.engine.ledger.stack(&self.stack_id, |stack| {
            stack.leftovers.retain(|leftover| {
                leftover.logical_id != resource.logical_id
                    || leftover.physical_id != resource.physical_id
            });
        });
    }
}
