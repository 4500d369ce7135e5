//! CloudFormation's own shapes: a template of resources and outputs, written in the order in which it was made.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::logical_id::LogicalId;

/// What happens to a resource that leaves the stack, or is replaced in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// It is deleted.
    Delete,
    /// It stays, and nothing manages it any more.
    Retain,
    /// A last snapshot is taken, then it is deleted.
    Snapshot,
}

impl DeletionPolicy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "Delete",
            Self::Retain => "Retain",
            Self::Snapshot => "Snapshot",
        }
    }
}

/// A resource of a template.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    kind: &'static str,
    properties: Map<String, Value>,
    depends_on: BTreeSet<LogicalId>,
    deletion: Option<DeletionPolicy>,
}

impl Resource {
    /// A resource of type `kind`; `properties` must be an object.
    pub(crate) fn new(kind: &'static str, properties: Value) -> Self {
        let Value::Object(properties) = properties else {
            unreachable!("properties are written as an object: {properties}");
        };
        Self {
            kind,
            properties,
            depends_on: BTreeSet::new(),
            deletion: None,
        }
    }

    /// With one more property, if there is a value.
    pub(crate) fn with(mut self, name: &str, value: Option<Value>) -> Self {
        if let Some(value) = value {
            self.properties.insert(name.to_owned(), value);
        }
        self
    }

    /// Made after `others`, beside those that its properties name.
    pub(crate) fn after(mut self, others: impl IntoIterator<Item = LogicalId>) -> Self {
        self.depends_on.extend(others);
        self
    }

    /// With `policy` for both its deletion and its replacement.
    pub(crate) fn on_deletion(mut self, policy: DeletionPolicy) -> Self {
        self.deletion = Some(policy);
        self
    }

    /// `AWS::RDS::DBCluster` and the like.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.kind
    }

    /// The properties, intrinsic functions unresolved.
    #[must_use]
    pub fn properties(&self) -> &Map<String, Value> {
        &self.properties
    }

    /// The resources named in `DependsOn`.
    #[must_use]
    pub fn depends_on(&self) -> &BTreeSet<LogicalId> {
        &self.depends_on
    }

    /// `DeletionPolicy`, which is also `UpdateReplacePolicy`.
    #[must_use]
    pub fn deletion_policy(&self) -> Option<DeletionPolicy> {
        self.deletion
    }

    pub(crate) fn to_value(&self) -> Value {
        let mut value = Map::new();
        value.insert("Type".to_owned(), self.kind.into());
        if !self.depends_on.is_empty() {
            let names: Vec<&str> = self.depends_on.iter().map(LogicalId::as_str).collect();
            value.insert("DependsOn".to_owned(), names.into());
        }
        if let Some(policy) = self.deletion {
            value.insert("DeletionPolicy".to_owned(), policy.as_str().into());
            value.insert("UpdateReplacePolicy".to_owned(), policy.as_str().into());
        }
        if !self.properties.is_empty() {
            value.insert("Properties".to_owned(), self.properties.clone().into());
        }
        Value::Object(value)
    }
}

/// An output of a template.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// What it is, for people.
    pub description: &'static str,
    /// The value, intrinsic functions unresolved.
    pub value: Value,
}

/// A resource with its name.
pub(crate) type Named = (LogicalId, Resource);

/// A CloudFormation template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    description: String,
    resources: Vec<Named>,
    outputs: Vec<(LogicalId, Output)>,
}

impl Template {
    pub(crate) fn new(
        description: String,
        resources: Vec<Named>,
        outputs: Vec<(LogicalId, Output)>,
    ) -> Self {
        Self {
            description,
            resources,
            outputs,
        }
    }

    /// The resources in the order of the template.
    #[must_use]
    pub fn resources(&self) -> &[(LogicalId, Resource)] {
        &self.resources
    }

    /// The outputs in the order of the template.
    #[must_use]
    pub fn outputs(&self) -> &[(LogicalId, Output)] {
        &self.outputs
    }

    /// The template as a JSON value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let resources: Map<String, Value> = self
            .resources
            .iter()
            .map(|(id, resource)| (id.to_string(), resource.to_value()))
            .collect();
        let outputs: Map<String, Value> = self
            .outputs
            .iter()
            .map(|(id, output)| {
                (
                    id.to_string(),
                    json!({ "Description": output.description, "Value": output.value }),
                )
            })
            .collect();
        json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": self.description,
            "Resources": resources,
            "Outputs": outputs,
        })
    }

    /// The template as indented JSON with a line end behind it.
    #[must_use]
    pub fn to_json(&self) -> String {
        format!("{:#}\n", self.to_value())
    }
}

/// `Ref`
pub(crate) fn reference(id: &LogicalId) -> Value {
    json!({ "Ref": id.as_str() })
}

/// `Fn::GetAtt`
pub(crate) fn attribute(id: &LogicalId, name: &str) -> Value {
    json!({ "Fn::GetAtt": [id.as_str(), name] })
}

/// `Fn::Sub`
pub(crate) fn substitute(text: &str) -> Value {
    json!({ "Fn::Sub": text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_written_as_cloudformation_has_it() {
        let resource = Resource::new("AWS::Logs::LogGroup", json!({ "LogGroupName": "a" }))
            .with("RetentionInDays", Some(7.into()))
            .with("KmsKeyId", None)
            .after([LogicalId::fixed("B"), LogicalId::fixed("A")])
            .on_deletion(DeletionPolicy::Delete);
        let expected = json!({
            "Type": "AWS::Logs::LogGroup",
            "DependsOn": ["A", "B"],
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": { "LogGroupName": "a", "RetentionInDays": 7 },
        });
        assert_eq!(resource.to_value().to_string(), expected.to_string());
    }
}
