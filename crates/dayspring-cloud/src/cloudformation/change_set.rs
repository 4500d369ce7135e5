//! What an update would change, found out before anything is touched.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::goal::{Goal, Surroundings};
use super::graph;
use super::hidden::Hidden;
use super::intrinsics::Unresolved;
use super::provider::{self, Provider};
use super::stack::{Policy, Resource, Stack};
use crate::error::AwsError;

/// What would happen to a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Change {
    pub(super) action: Action,
    pub(super) logical_id: String,
    pub(super) physical_id: Option<String>,
    pub(super) type_name: String,
    pub(super) replacement: Option<Replacement>,
    pub(super) details: Vec<Detail>,
    pub(super) policy: Option<Policy>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Action {
    Add,
    Modify,
    Remove,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Replacement {
    True,
    False,
    /// It hangs on a value that is known only once another resource was changed.
    Conditional,
}

/// A property (or a policy) that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Detail {
    /// `Properties`, `DeletionPolicy` or `UpdateReplacePolicy`.
    pub(super) attribute: String,
    /// The property.
    pub(super) name: Option<String>,
    pub(super) replaces: bool,
    /// The resource whose change causes this one; `None` where the template was edited.
    pub(super) cause: Option<String>,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

impl Change {
    /// Masks what must not be seen.
    pub(super) fn hide(&mut self, hidden: &Hidden) {
        for detail in &mut self.details {
            for text in [&mut detail.before, &mut detail.after]
                .into_iter()
                .flatten()
            {
                *text = hidden.text(text);
            }
        }
    }
}

/// The changes, in the order in which they would be made.
pub(super) fn plan<P: Provider>(
    goal: &Goal,
    stack: &Stack,
    surroundings: &Surroundings,
    provider: &P,
    exports: &BTreeMap<String, (String, String)>,
) -> Result<Vec<Change>, AwsError> {
    let mut changes = Vec::new();
    let mut unknown = BTreeSet::new();
    let mut unknown_attributes = BTreeSet::new();
    for id in graph::order(&goal.edges()) {
        let definition = &goal.template.resources[&id];
        let existing = stack
            .resources
            .get(&id)
            .filter(|resource| resource.physical_id.is_some());
        let scope = goal.scope(
            surroundings,
            (&stack.name, &stack.id),
            &stack.resources,
            exports,
            &unknown,
            &unknown_attributes,
        );
        let mut after = Map::new();
        let mut dynamic = BTreeMap::new();
        for (name, value) in &definition.properties {
            match scope.resolve(value) {
                Ok(Some(value)) => {
                    after.insert(name.clone(), value);
                }
                Ok(None) => {}
                Err(Unresolved::Unknown) => {
                    let cause = graph::references(value)
                        .into_iter()
                        .find(|name| unknown.contains(name) || unknown_attributes.contains(name));
                    dynamic.insert(name.clone(), cause.unwrap_or_default());
                }
                Err(Unresolved::Wrong(reason)) => {
                    return Err(super::template::invalid(format!(
                        "{reason} (resource {id}, property {name})"
                    )));
                }
            }
        }
        let Some(existing) = existing else {
            unknown.insert(id.clone());
            changes.push(Change {
                action: Action::Add,
                logical_id: id.clone(),
                physical_id: None,
                type_name: definition.type_name.clone(),
                replacement: None,
                details: Vec::new(),
                policy: None,
            });
            continue;
        };
        if existing.type_name != definition.type_name {
            return Err(super::template::invalid(format!(
                "Update of resource type is not permitted. The new template modifies resource type of the following resources: [{id}]"
            )));
        }
        let Some(schema) = provider.schema(&definition.type_name) else {
            continue;
        };
        let details = compare(schema, existing, &after, &dynamic, definition);
        if details.is_empty() && !existing.status.ends_with("_FAILED") {
            continue;
        }
        let replacement = replacement(&details);
        match replacement {
            Replacement::True | Replacement::Conditional => {
                unknown.insert(id.clone());
            }
            // What an in-place change does to the attributes only a custom resource's function can say.
            Replacement::False if matches!(schema.attributes, provider::Attributes::Any) => {
                unknown_attributes.insert(id.clone());
            }
            Replacement::False => {}
        }
        changes.push(Change {
            action: Action::Modify,
            logical_id: id.clone(),
            physical_id: existing.physical_id.clone(),
            type_name: definition.type_name.clone(),
            replacement: Some(replacement),
            details,
            policy: None,
        });
    }
    let active: BTreeSet<&String> = goal.active().collect();
    changes.extend(
        stack
            .resources
            .values()
            .filter(|resource| {
                !active.contains(&resource.logical_id) && resource.physical_id.is_some()
            })
            .map(|resource| Change {
                action: Action::Remove,
                logical_id: resource.logical_id.clone(),
                physical_id: resource.physical_id.clone(),
                type_name: resource.type_name.clone(),
                replacement: None,
                details: Vec::new(),
                policy: Some(resource.deletion_policy),
            }),
    );
    Ok(changes)
}

fn compare(
    schema: &provider::Schema,
    existing: &Resource,
    after: &Map<String, Value>,
    dynamic: &BTreeMap<String, String>,
    definition: &super::template::ResourceDefinition,
) -> Vec<Detail> {
    let (changed, _) = schema.compare(&existing.properties, after);
    let mut details: Vec<Detail> = changed
        .into_iter()
        .filter(|name| !dynamic.contains_key(name))
        .map(|name| Detail {
            attribute: "Properties".to_owned(),
            replaces: schema.change(&name) == Some(provider::Change::Replaces),
            cause: None,
            before: existing
                .properties
                .get(&name)
                .map(super::template::scalar_text),
            after: after.get(&name).map(super::template::scalar_text),
            name: Some(name),
        })
        .collect();
    details.extend(dynamic.iter().map(|(name, cause)| {
        Detail {
            attribute: "Properties".to_owned(),
            name: Some(name.clone()),
            replaces: schema.change(name) == Some(provider::Change::Replaces),
            cause: Some(cause.clone()),
            before: existing
                .properties
                .get(name)
                .map(super::template::scalar_text),
            after: None,
        }
    }));
    let policies = [
        (
            "DeletionPolicy",
            existing.deletion_policy,
            definition.deletion_policy,
        ),
        (
            "UpdateReplacePolicy",
            existing.update_replace_policy,
            definition.update_replace_policy,
        ),
    ];
    details.extend(
        policies
            .into_iter()
            .filter(|(_, before, after)| before != after)
            .map(|(attribute, before, after)| Detail {
                attribute: attribute.to_owned(),
                name: None,
                replaces: false,
                cause: None,
                before: Some(format!("{before:?}")),
                after: Some(format!("{after:?}")),
            }),
    );
    details
}

fn replacement(details: &[Detail]) -> Replacement {
    if details
        .iter()
        .any(|detail| detail.replaces && detail.cause.is_none())
    {
        Replacement::True
    } else if details.iter().any(|detail| detail.replaces) {
        Replacement::Conditional
    } else {
        Replacement::False
    }
}
