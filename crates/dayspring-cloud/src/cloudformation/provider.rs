//! What the engine asks of the resource types.

use std::collections::BTreeMap;
use std::future::Future;

use serde_json::{Map, Value};

/// The resource types of a cloud: what they are like, and how one is made, changed and deleted.
pub(crate) trait Provider: Send + Sync + 'static {
    /// The names of the types that the cloud has.
    fn type_names(&self) -> &'static [&'static str];

    /// What is known of a type, or `None` where the cloud does not have it.
    fn schema(&self, type_name: &str) -> Option<&'static Schema>;

    /// Why a resource with these properties, as a template has them, cannot be had here.
    fn unsupported(&self, _type_name: &str, _properties: &Map<String, Value>) -> Option<String> {
        None
    }

    fn create(&self, request: Request)
    -> impl Future<Output = Result<Provisioned, Failure>> + Send;

    /// Changes a resource in place. A physical id other than the one before says that it was replaced instead; the
    /// engine deletes the one before later.
    fn update(
        &self,
        request: Request,
        before: Existing,
    ) -> impl Future<Output = Result<Provisioned, Failure>> + Send;

    /// Deletes a resource. `snapshot` asks for its data to be kept. Deleting what is not there is no error.
    fn delete(
        &self,
        request: Request,
        before: Existing,
        snapshot: bool,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// A resource as it is to be.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) stack_id: String,
    pub(crate) stack_name: String,
    pub(crate) logical_id: String,
    pub(crate) type_name: String,
    /// With every intrinsic function resolved.
    pub(crate) properties: Map<String, Value>,
}

/// A resource as it is.
#[derive(Debug, Clone)]
pub(crate) struct Existing {
    pub(crate) physical_id: String,
    pub(crate) properties: Map<String, Value>,
    pub(crate) attributes: BTreeMap<String, Value>,
}

/// What provisioning came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Provisioned {
    /// What `Ref` gives.
    pub(crate) physical_id: String,
    /// What `Fn::GetAtt` gives.
    pub(crate) attributes: BTreeMap<String, Value>,
    pub(crate) no_echo: bool,
}

/// Why provisioning failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) reason: String,
    /// What exists in spite of the failure and is to be deleted when the stack rolls back.
    pub(crate) physical_id: Option<String>,
}

impl Failure {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            physical_id: None,
        }
    }
}

impl From<crate::error::AwsError> for Failure {
    fn from(error: crate::error::AwsError) -> Self {
        Self::new(format!(
            "{} (Service: Local, Status Code: {}, Error: {})",
            error.message,
            error.status.as_u16(),
            error.kind
        ))
    }
}

/// What is known of a resource type.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) properties: Properties,
    pub(crate) attributes: Attributes,
}

/// The properties that a type takes.
#[derive(Debug)]
pub(crate) enum Properties {
    /// These and no others, each with what a change of it does.
    Known(&'static [(&'static str, Change)]),
    /// Any: a custom resource hands them to its function.
    Any,
}

/// The attributes that a type has.
#[derive(Debug)]
pub(crate) enum Attributes {
    Known(&'static [&'static str]),
    Any,
}

/// What a change of a property does to the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    InPlace,
    /// Makes a new resource and deletes the old one afterwards.
    Replaces,
}

impl Schema {
    /// What a change of this property does, or `None` where the type has no such property.
    pub(crate) fn change(&self, property: &str) -> Option<Change> {
        match self.properties {
            Properties::Any => Some(Change::InPlace),
            Properties::Known(known) => known
                .iter()
                .find(|(name, _)| *name == property)
                .map(|(_, change)| *change),
        }
    }

    /// The names of the properties, where they are known.
    pub(crate) fn property_names(&self) -> impl Iterator<Item = &'static str> {
        let known = match self.properties {
            Properties::Any => &[],
            Properties::Known(known) => known,
        };
        known.iter().map(|(name, _)| *name)
    }

    pub(crate) fn has_attribute(&self, attribute: &str) -> bool {
        match self.attributes {
            Attributes::Any => true,
            Attributes::Known(known) => known.contains(&attribute),
        }
    }

    /// The names of the properties that differ, and whether one of them replaces the resource.
    pub(crate) fn compare(
        &self,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
    ) -> (Vec<String>, bool) {
        let names: std::collections::BTreeSet<&String> =
            before.keys().chain(after.keys()).collect();
        let changed: Vec<String> = names
            .into_iter()
            .filter(|name| before.get(*name) != after.get(*name))
            .cloned()
            .collect();
        let replaces = changed
            .iter()
            .any(|name| self.change(name) == Some(Change::Replaces));
        (changed, replaces)
    }
}
