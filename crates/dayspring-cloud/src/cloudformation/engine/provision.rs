//! One resource, forward: made, changed, replaced or left alone.

use serde_json::{Map, Value};

use super::Run;
use crate::cloudformation::goal::Goal;
use crate::cloudformation::intrinsics::Unresolved;
use crate::cloudformation::policy::Action;
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Provider, Provisioned, Request,
};
use crate::cloudformation::stack::Resource;
use crate::cloudformation::template::ResourceDefinition;

/// What AWS's event says while a replacement is made.
const REPLACING: &str =
    "Requested update requires the creation of a new physical resource; hence creating one.";

impl<P: Provider> Run<P> {
    pub(super) async fn provision(&self, goal: &Goal, id: &str) -> Result<(), ()> {
        if self.ear.heard().is_some() {
            return Err(());
        }
        let definition = &goal.template.resources[id];
        let existing = self.resources().remove(id);
        let properties = match self.resolve(goal, definition) {
            Ok(properties) => properties,
            Err(reason) => {
                let verb = if existing
                    .as_ref()
                    .is_some_and(|resource| resource.physical_id.is_some())
                {
                    "UPDATE"
                } else {
                    "CREATE"
                };
                let mut resource =
                    existing.unwrap_or_else(|| self.resource(id, definition, Map::new()));
                resource.status = format!("{verb}_FAILED");
                resource.status_reason = Some(reason);
                self.record(resource);
                return Err(());
            }
        };
        match existing {
            Some(existing)
                if existing.physical_id.is_some()
                    && !existing.status.starts_with("CREATE_FAILED") =>
            {
                self.update_resource(definition, existing, properties).await
            }
            other => {
                // What a failed creation left behind is deleted with the rest, and made anew.
                if let Some(leftover) = other.filter(|resource| resource.physical_id.is_some()) {
                    self.put_aside(leftover);
                }
                let resource = self.resource(id, definition, properties);
                self.make(resource, "CREATE", None).await
            }
        }
    }

    async fn update_resource(
        &self,
        definition: &ResourceDefinition,
        existing: Resource,
        properties: Map<String, Value>,
    ) -> Result<(), ()> {
        let Some(schema) = self.engine.provider.schema(&existing.type_name) else {
            return Ok(());
        };
        let (changed, replaces) = schema.compare(&existing.properties, &properties);
        let failed_before = existing.status.ends_with("_FAILED");
        let mut resource = Resource {
            depends_on: definition.depends_on.clone(),
            deletion_policy: definition.deletion_policy,
            update_replace_policy: definition.update_replace_policy,
            ..existing.clone()
        };
        if changed.is_empty() && !failed_before {
            if resource != existing {
                self.engine.ledger.stack(&self.stack_id, |stack| {
                    stack
                        .resources
                        .insert(resource.logical_id.clone(), resource);
                });
            }
            return Ok(());
        }
        resource.properties = properties;
        let action = if replaces {
            Action::Replace
        } else {
            Action::Modify
        };
        let policy = self.policy.as_ref();
        if let Some(Err(reason)) =
            policy.map(|policy| policy.check(action, &resource.logical_id, &resource.type_name))
        {
            self.fail(existing, "UPDATE", Failure::new(reason));
            return Err(());
        }
        if replaces {
            resource.physical_id = None;
            return self.make(resource, "UPDATE", Some(existing)).await;
        }
        self.change_in_place(resource, &existing).await
    }

    /// Makes a resource that is not there, or one in the place of another.
    async fn make(
        &self,
        mut resource: Resource,
        verb: &str,
        replaced: Option<Resource>,
    ) -> Result<(), ()> {
        resource.attributes.clear();
        resource.changed = self.engine.ledger.world.now_millis();
        resource.status = format!("{verb}_IN_PROGRESS");
        resource.status_reason = replaced.is_some().then(|| REPLACING.to_owned());
        if let Some(replaced) = &replaced {
            // Until the new one is there the old one is the resource: a process that ends now has lost nothing.
            let mut shown = replaced.clone();
            shown.status.clone_from(&resource.status);
            shown.status_reason.clone_from(&resource.status_reason);
            self.record(shown);
        } else {
            self.note(resource.clone());
        }
        let creation = self.engine.provider.create(self.request(&resource));
        let result = self
            .unless_interrupted(&resource, "creation", creation)
            .await;
        resource.changed = self.engine.ledger.world.now_millis();
        match result {
            Ok(provisioned) => {
                if let Some(replaced) = replaced {
                    self.put_aside(replaced);
                }
                self.take(&mut resource, provisioned);
                self.tell_initiated(&resource, verb);
                self.complete(resource, verb);
                Ok(())
            }
            Err(failure) => {
                if let Some(replaced) = replaced {
                    // What the failed replacement left behind goes with the cleanup; the old resource stays.
                    if failure.physical_id.is_some() {
                        self.put_aside(Resource {
                            physical_id: failure.physical_id.clone(),
                            ..resource
                        });
                    }
                    self.fail(replaced, verb, Failure::new(failure.reason));
                } else {
                    self.fail(resource, verb, failure);
                }
                Err(())
            }
        }
    }

    /// Changes a resource from what is recorded of it to the properties that it is to have.
    pub(super) async fn change_in_place(
        &self,
        mut resource: Resource,
        existing: &Resource,
    ) -> Result<(), ()> {
        resource.changed = self.engine.ledger.world.now_millis();
        "UPDATE_IN_PROGRESS".clone_into(&mut resource.status);
        resource.status_reason = None;
        // Until it is done, the properties on record are those of before; the status says that they may not hold.
        self.record(Resource {
            properties: existing.properties.clone(),
            ..resource.clone()
        });
        let before = Existing {
            physical_id: existing.physical_id.clone().unwrap_or_default(),
            properties: existing.properties.clone(),
            attributes: existing.attributes.clone(),
        };
        let update = self.engine.provider.update(self.request(&resource), before);
        let result = self.unless_interrupted(&resource, "update", update).await;
        resource.changed = self.engine.ledger.world.now_millis();
        match result {
            Ok(provisioned) => {
                if existing.physical_id.as_ref() != Some(&provisioned.physical_id) {
                    self.put_aside(existing.clone());
                }
                self.take(&mut resource, provisioned);
                self.complete(resource, "UPDATE");
                Ok(())
            }
            Err(failure) => {
                self.fail(resource, "UPDATE", Failure::new(failure.reason));
                Err(())
            }
        }
    }

    /// What a custom resource's function answers, unless the operation is interrupted before that: its answer may be long in
    /// coming. Everything else is done in a moment, and left to be done.
    async fn unless_interrupted(
        &self,
        resource: &Resource,
        what: &str,
        work: impl Future<Output = Result<Provisioned, Failure>>,
    ) -> Result<Provisioned, Failure> {
        let schema = self.engine.provider.schema(&resource.type_name);
        let is_custom = schema.is_some_and(|schema| matches!(schema.attributes, Attributes::Any));
        if !is_custom || self.ear.heard().is_some() {
            return work.await;
        }
        tokio::select! {
            result = work => result,
            () = self.ear.clone().hear() => {
                Err(Failure::new(format!("Resource {what} cancelled")))
            }
        }
    }

    fn take(&self, resource: &mut Resource, provisioned: Provisioned) {
        resource.physical_id = Some(provisioned.physical_id);
        resource.attributes = provisioned.attributes;
        resource.no_echo = provisioned.no_echo;
    }

    fn tell_initiated(&self, resource: &Resource, verb: &str) {
        let mut shown = resource.clone();
        shown.status = format!("{verb}_IN_PROGRESS");
        shown.status_reason = Some("Resource creation Initiated".to_owned());
        self.engine
            .ledger
            .tell(&self.stack_id, &self.resource_news(&shown));
    }

    fn complete(&self, mut resource: Resource, verb: &str) {
        resource.status = format!("{verb}_COMPLETE");
        resource.status_reason = None;
        self.record(resource);
    }

    fn fail(&self, mut resource: Resource, verb: &str, failure: Failure) {
        resource.status = format!("{verb}_FAILED");
        resource.status_reason = Some(failure.reason);
        if failure.physical_id.is_some() {
            resource.physical_id = failure.physical_id;
        }
        self.record(resource);
    }

    pub(super) fn request(&self, resource: &Resource) -> Request {
        Request {
            stack_id: self.stack_id.clone(),
            stack_name: self.stack_name.clone(),
            logical_id: resource.logical_id.clone(),
            type_name: resource.type_name.clone(),
            properties: resource.properties.clone(),
        }
    }

    fn resource(
        &self,
        id: &str,
        definition: &ResourceDefinition,
        properties: Map<String, Value>,
    ) -> Resource {
        Resource {
            logical_id: id.to_owned(),
            type_name: definition.type_name.clone(),
            physical_id: None,
            status: "CREATE_IN_PROGRESS".to_owned(),
            status_reason: None,
            changed: self.engine.ledger.world.now_millis(),
            properties,
            attributes: std::collections::BTreeMap::new(),
            no_echo: false,
            depends_on: definition.depends_on.clone(),
            deletion_policy: definition.deletion_policy,
            update_replace_policy: definition.update_replace_policy,
        }
    }

    fn resolve(
        &self,
        goal: &Goal,
        definition: &ResourceDefinition,
    ) -> Result<Map<String, Value>, String> {
        self.engine.ledger.read(|stacks| {
            let exports = stacks.exports();
            let nothing = std::collections::BTreeSet::new();
            let empty = std::collections::BTreeMap::new();
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
            scope
                .resolve_members(&definition.properties)
                .map_err(|error| match error {
                    Unresolved::Wrong(reason) => reason,
                    Unresolved::Unknown => "it refers to a resource that was not made".to_owned(),
                })
        })
    }
}
