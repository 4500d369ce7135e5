//! A template: JSON text to its parts, with AWS's words for what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::graph;
use super::{stack::Policy, yaml};
use crate::error::AwsError;

/// A template whose structure was checked: every reference leads somewhere, nothing refers to itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Template {
    pub(super) description: Option<String>,
    pub(super) metadata: Option<Value>,
    pub(super) parameters: BTreeMap<String, ParameterDefinition>,
    pub(super) mappings: Map<String, Value>,
    pub(super) conditions: Map<String, Value>,
    pub(super) rules: Map<String, Value>,
    pub(super) resources: BTreeMap<String, ResourceDefinition>,
    /// In the order of the text.
    pub(super) outputs: Vec<(String, OutputDefinition)>,
}

#[derive(Debug, Clone)]
pub(super) struct ParameterDefinition {
    pub(super) kind: String,
    pub(super) default: Option<String>,
    pub(super) allowed_values: Vec<String>,
    pub(super) allowed_pattern: Option<String>,
    pub(super) no_echo: bool,
    pub(super) description: Option<String>,
    pub(super) constraint: Option<String>,
    pub(super) length: (Option<f64>, Option<f64>),
    pub(super) range: (Option<f64>, Option<f64>),
}

#[derive(Debug, Clone)]
pub(super) struct ResourceDefinition {
    pub(super) type_name: String,
    pub(super) properties: Map<String, Value>,
    /// From `DependsOn` and from every reference in the properties.
    pub(super) depends_on: BTreeSet<String>,
    pub(super) condition: Option<String>,
    pub(super) deletion_policy: Policy,
    pub(super) update_replace_policy: Policy,
}

#[derive(Debug, Clone)]
pub(super) struct OutputDefinition {
    pub(super) value: Value,
    pub(super) description: Option<String>,
    pub(super) export: Option<Value>,
    pub(super) condition: Option<String>,
}

/// How long a template's text may be (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>).
const BYTES_MAX: usize = 1024 * 1024;

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, AwsError> {
        if text.len() > BYTES_MAX {
            return Err(invalid(format!(
                "Template may not exceed {BYTES_MAX} bytes in size."
            )));
        }
        let root: Value = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).or_else(|error| {
                // Braces and brackets are YAML too: a flow mapping may have comments and bare words.
                yaml::parse(text).map_err(|_| {
                    invalid(format!(
                        "Template format error: JSON not well-formed. ({error})"
                    ))
                })
            })?
        } else {
            yaml::parse(text)?
        };
        check_nulls(&root, "")?;
        let Value::Object(root) = root else {
            return Err(invalid("Template format error: unsupported structure."));
        };
        let mut template = Self::default();
        for (name, section) in &root {
            template.read_section(name, section)?;
        }
        if template.resources.is_empty() {
            return Err(invalid("At least one Resources member must be defined."));
        }
        template.check_references()?;
        Ok(template)
    }

    fn read_section(&mut self, name: &str, section: &Value) -> Result<(), AwsError> {
        match name {
            "AWSTemplateFormatVersion" => {
                if section != "2010-09-09" {
                    return Err(invalid(
                        "Template format error: unsupported value for AWSTemplateFormatVersion.",
                    ));
                }
            }
            "Description" => self.description = section.as_str().map(str::to_owned),
            "Metadata" => self.metadata = Some(section.clone()),
            "Parameters" => {
                for (name, body) in object(section, "Parameters")? {
                    self.parameters
                        .insert(name.clone(), read_parameter(name, body)?);
                }
            }
            "Mappings" => self.mappings = object(section, "Mappings")?.clone(),
            "Conditions" => self.conditions = object(section, "Conditions")?.clone(),
            "Rules" => self.rules = object(section, "Rules")?.clone(),
            "Resources" => {
                for (id, body) in object(section, "Resources")? {
                    self.resources.insert(id.clone(), read_resource(id, body)?);
                }
            }
            "Outputs" => {
                for (key, body) in object(section, "Outputs")? {
                    self.outputs.push((key.clone(), read_output(key, body)?));
                }
            }
            "Transform" => {
                return Err(invalid(format!(
                    "Template format error: this cloud has no transforms (macros), and the template names {} in `Transform`",
                    scalar_text(section)
                )));
            }
            other => {
                return Err(invalid(format!(
                    "Invalid template property or properties [{other}]"
                )));
            }
        }
        Ok(())
    }

    /// Every name that a reference uses is there, and no resource depends on itself.
    fn check_references(&self) -> Result<(), AwsError> {
        let mut missing = BTreeSet::new();
        for (id, resource) in &self.resources {
            check_functions(&Value::Object(resource.properties.clone()), id)?;
            let mut references = graph::references(&Value::Object(resource.properties.clone()));
            references.extend(resource.depends_on.iter().cloned());
            missing.extend(references.into_iter().filter(|name| !self.is_name(name)));
            if let Some(condition) = &resource.condition {
                self.require_condition(condition)?;
            }
            for condition in graph::conditions(&Value::Object(resource.properties.clone())) {
                self.require_condition(&condition)?;
            }
            for dependency in &resource.depends_on {
                if dependency == id {
                    return Err(invalid(format!(
                        "Circular dependency between resources: [{id}]"
                    )));
                }
            }
        }
        if !missing.is_empty() {
            return Err(invalid(format!(
                "Template format error: Unresolved resource dependencies [{}] in the Resources block of the template",
                join(&missing)
            )));
        }
        for (key, output) in &self.outputs {
            check_functions(&output.value, key)?;
            missing.extend(
                graph::references(&output.value)
                    .into_iter()
                    .filter(|name| !self.is_name(name)),
            );
            if let Some(condition) = &output.condition {
                self.require_condition(condition)?;
            }
        }
        if !missing.is_empty() {
            return Err(invalid(format!(
                "Template format error: Unresolved resource dependencies [{}] in the Outputs block of the template",
                join(&missing)
            )));
        }
        let edges = self
            .resources
            .iter()
            .map(|(id, resource)| (id.clone(), resource.depends_on.clone()))
            .collect();
        if let Some(cycle) = graph::cycle(&edges) {
            return Err(invalid(format!(
                "Circular dependency between resources: [{}]",
                cycle.join(", ")
            )));
        }
        Ok(())
    }

    fn is_name(&self, name: &str) -> bool {
        name.starts_with("AWS::")
            || self.parameters.contains_key(name)
            || self.resources.contains_key(name)
    }

    fn require_condition(&self, name: &str) -> Result<(), AwsError> {
        if self.conditions.contains_key(name) {
            return Ok(());
        }
        Err(invalid(format!(
            "Template format error: Unresolved condition dependency {name} in the Resources block of the template"
        )))
    }

    /// The capabilities that the caller has to acknowledge.
    pub(super) fn capabilities(&self) -> Vec<&'static str> {
        let mut iam = self
            .resources
            .values()
            .filter(|resource| resource.type_name.starts_with("AWS::IAM::"))
            .peekable();
        if iam.peek().is_none() {
            return Vec::new();
        }
        let named = iam.any(|resource| {
            [
                "RoleName",
                "UserName",
                "GroupName",
                "ManagedPolicyName",
                "InstanceProfileName",
            ]
            .iter()
            .any(|name| resource.properties.contains_key(*name))
        });
        vec![if named {
            "CAPABILITY_NAMED_IAM"
        } else {
            "CAPABILITY_IAM"
        }]
    }
}

/// Refuses `null` outside of what CloudFormation only keeps (`Metadata`), with its path.
fn check_nulls(value: &Value, path: &str) -> Result<(), AwsError> {
    match value {
        Value::Null => Err(invalid(format!(
            "Template format error: [{path}] 'null' values are not allowed in templates"
        ))),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| check_nulls(item, &format!("{path}/{index}"))),
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| *name != "Metadata")
            .try_for_each(|(name, member)| check_nulls(member, &format!("{path}/{name}"))),
        _ => Ok(()),
    }
}

fn read_parameter(name: &str, body: &Value) -> Result<ParameterDefinition, AwsError> {
    let body = object(body, &format!("Parameters/{name}"))?;
    let kind = body.get("Type").and_then(Value::as_str).ok_or_else(|| {
        invalid(format!(
            "Template format error: Every Parameters object must contain a Type member: {name}"
        ))
    })?;
    let number = |name: &str| {
        body.get(name).and_then(|value| match value {
            Value::String(text) => text.parse().ok(),
            other => other.as_f64(),
        })
    };
    Ok(ParameterDefinition {
        kind: kind.to_owned(),
        default: body.get("Default").map(scalar_text),
        allowed_values: body
            .get("AllowedValues")
            .and_then(Value::as_array)
            .map(|values| values.iter().map(scalar_text).collect())
            .unwrap_or_default(),
        allowed_pattern: body.get("AllowedPattern").map(scalar_text),
        no_echo: body
            .get("NoEcho")
            .is_some_and(|value| scalar_text(value) == "true"),
        description: body.get("Description").map(scalar_text),
        constraint: body.get("ConstraintDescription").map(scalar_text),
        length: (number("MinLength"), number("MaxLength")),
        range: (number("MinValue"), number("MaxValue")),
    })
}

/// The functions that this cloud carries out in resources and outputs.
const FUNCTIONS: [&str; 16] = [
    "Fn::And",
    "Fn::Base64",
    "Fn::Cidr",
    "Fn::Contains",
    "Fn::Equals",
    "Fn::FindInMap",
    "Fn::GetAZs",
    "Fn::GetAtt",
    "Fn::If",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Not",
    "Fn::Or",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
];

/// Refuses a function that is none of those, before anything is made.
fn check_functions(value: &Value, place: &str) -> Result<(), AwsError> {
    match value {
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| check_functions(item, place)),
        Value::Object(members) => members.iter().try_for_each(|(name, member)| {
            if name.starts_with("Fn::") && !FUNCTIONS.contains(&name.as_str()) {
                return Err(no_function(name, place));
            }
            check_functions(member, place)
        }),
        _ => Ok(()),
    }
}

fn no_function(name: &str, place: &str) -> AwsError {
    invalid(format!(
        "Template error: this cloud does not have the function {name} (in {place})"
    ))
}

fn read_resource(id: &str, body: &Value) -> Result<ResourceDefinition, AwsError> {
    if id.starts_with("Fn::") {
        return Err(no_function(id, "Resources"));
    }
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(invalid(format!(
            "Template format error: Resource name {id} is non alphanumeric."
        )));
    }
    let body = object(body, &format!("Resources/{id}"))?;
    let mut resource = ResourceDefinition {
        type_name: String::new(),
        properties: Map::new(),
        depends_on: BTreeSet::new(),
        condition: None,
        deletion_policy: Policy::Delete,
        update_replace_policy: Policy::Delete,
    };
    for (name, value) in body {
        match name.as_str() {
            "Type" => value
                .as_str()
                .unwrap_or_default()
                .clone_into(&mut resource.type_name),
            "Properties" => {
                resource.properties = object(value, &format!("Resources/{id}/Properties"))?.clone()
            }
            "DependsOn" => match value {
                Value::String(name) => {
                    resource.depends_on.insert(name.clone());
                }
                Value::Array(names) => resource
                    .depends_on
                    .extend(names.iter().filter_map(Value::as_str).map(str::to_owned)),
                _ => {
                    return Err(invalid(format!(
                        "Template format error: DependsOn must be a string or list of strings: {id}"
                    )));
                }
            },
            "Condition" => resource.condition = value.as_str().map(str::to_owned),
            "DeletionPolicy" => resource.deletion_policy = policy(id, name, value)?,
            "UpdateReplacePolicy" => resource.update_replace_policy = policy(id, name, value)?,
            "Metadata" => {}
            other => {
                return Err(invalid(format!(
                    "Invalid template resource property '{other}' (resource {id})"
                )));
            }
        }
    }
    if resource.type_name.is_empty() {
        return Err(invalid(format!(
            "Template format error: [/Resources/{id}] Every Resources object must contain a Type member."
        )));
    }
    if resource.type_name == "AWS::RDS::DBCluster" && !body.contains_key("DeletionPolicy") {
        // https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html:
        // the default of a cluster is Snapshot.
        resource.deletion_policy = Policy::Snapshot;
    }
    resource.depends_on.extend(graph::references(&Value::Object(
        resource.properties.clone(),
    )));
    resource
        .depends_on
        .retain(|name| !name.starts_with("AWS::"));
    Ok(resource)
}

fn read_output(key: &str, body: &Value) -> Result<OutputDefinition, AwsError> {
    let body = object(body, &format!("Outputs/{key}"))?;
    Ok(OutputDefinition {
        value: body.get("Value").cloned().ok_or_else(|| {
            invalid(format!(
                "Template format error: Every Outputs member must contain a Value object: {key}"
            ))
        })?,
        description: body.get("Description").map(scalar_text),
        export: body
            .get("Export")
            .and_then(|export| export.get("Name"))
            .cloned(),
        condition: body
            .get("Condition")
            .and_then(Value::as_str)
            .map(str::to_owned),
    })
}

fn policy(id: &str, name: &str, value: &Value) -> Result<Policy, AwsError> {
    value.as_str().and_then(Policy::parse).ok_or_else(|| {
        invalid(format!(
            "Template format error: Unrecognized {name} {value} for resource {id}"
        ))
    })
}

fn object<'a>(value: &'a Value, place: &str) -> Result<&'a Map<String, Value>, AwsError> {
    value.as_object().ok_or_else(|| {
        invalid(format!(
            "Template format error: [/{place}] Every member must be an object."
        ))
    })
}

/// A scalar as text: `true`, `3`, or the string itself.
pub(super) fn scalar_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

pub(super) fn join(names: &BTreeSet<String>) -> String {
    names
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

pub(super) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::validation("ValidationError", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str) -> String {
        Template::parse(text).unwrap_err().message
    }

    #[test]
    fn what_is_wrong_with_a_template_is_said_in_the_words_of_aws() {
        insta::assert_snapshot!(refused("Resources:\n  A: {}"), @"Template format error: [/Resources/A] Every Resources object must contain a Type member.");
        insta::assert_snapshot!(refused(r#"{"Resources": {"A": {"Type": "T", "Properties": {"P": [null]}}}}"#), @"Template format error: [/Resources/A/Properties/P/0] 'null' values are not allowed in templates");
        insta::assert_snapshot!(refused(r#"{"Resources": "#), @"Template format error: JSON not well-formed. (EOF while parsing a value at line 1 column 14)");
        insta::assert_snapshot!(refused("{}"), @"At least one Resources member must be defined.");
        insta::assert_snapshot!(refused(r#"{"Resources":{"A":{"Properties":{}}}}"#), @"Template format error: [/Resources/A] Every Resources object must contain a Type member.");
        insta::assert_snapshot!(refused(r#"{"Resources":{"A":{"Type":"T","Properties":{"P":{"Fn::Sub":"${B.Arn} ${!C} ${AWS::Region}"}}}}}"#), @"Template format error: Unresolved resource dependencies [B] in the Resources block of the template");
        insta::assert_snapshot!(refused(r#"{"Resources":{"A":{"Type":"T"}},"Outputs":{"O":{"Value":{"Ref":"Z"}}}}"#), @"Template format error: Unresolved resource dependencies [Z] in the Outputs block of the template");
        insta::assert_snapshot!(refused(r#"{"Resources":{"A":{"Type":"T","DependsOn":"B"},"B":{"Type":"T","Properties":{"P":{"Ref":"C"}}},"C":{"Type":"T","DependsOn":["A"]}}}"#), @"Circular dependency between resources: [A, B, C]");
        insta::assert_snapshot!(refused(r#"{"Resources":{"A":{"Type":"T","Condition":"Missing"}}}"#), @"Template format error: Unresolved condition dependency Missing in the Resources block of the template");
        insta::assert_snapshot!(refused(r#"{"Transform":["AWS::LanguageExtensions"],"Resources":{"A":{"Type":"T"}}}"#), @r#"Template format error: this cloud has no transforms (macros), and the template names ["AWS::LanguageExtensions"] in `Transform`"#);
        insta::assert_snapshot!(refused(r#"{"Resources":{"Fn::ForEach::Many":["X",["a"],{}]}}"#), @"Template error: this cloud does not have the function Fn::ForEach::Many (in Resources)");
        insta::assert_snapshot!(refused(r#"{"Resources":{"A":{"Type":"T","Properties":{"P":[{"Fn::Transform":{"Name":"m"}}]}}}}"#), @"Template error: this cloud does not have the function Fn::Transform (in A)");
        insta::assert_snapshot!(refused(r#"{"Resources":{"A":{"Type":"T"}},"Outputs":{"O":{"Value":{"Fn::Length":["x"]}}}}"#), @"Template error: this cloud does not have the function Fn::Length (in O)");
        insta::assert_snapshot!(refused(r#"{"Foo":{},"Resources":{"A":{"Type":"T"}}}"#), @"Invalid template property or properties [Foo]");
        insta::assert_snapshot!(refused(r#"{"Resources":{"A":{"Type":"T","Property":{}}}}"#), @"Invalid template resource property 'Property' (resource A)");
    }

    #[test]
    fn a_cluster_is_snapshot_on_delete_unless_it_says_otherwise() {
        let template = Template::parse(r#"{"Resources":{"C":{"Type":"AWS::RDS::DBCluster"},"D":{"Type":"AWS::RDS::DBCluster","DeletionPolicy":"Delete"}}}"#).unwrap();
        assert_eq!(template.resources["C"].deletion_policy, Policy::Snapshot);
        assert_eq!(template.resources["D"].deletion_policy, Policy::Delete);
    }

    #[test]
    fn roles_need_a_capability_and_named_ones_another() {
        let capabilities = |role: &str| {
            let text = format!(
                r#"{{"Resources":{{"R":{{"Type":"AWS::IAM::Role","Properties":{role}}}}}}}"#
            );
            Template::parse(&text).unwrap().capabilities()
        };
        assert_eq!(capabilities("{}"), ["CAPABILITY_IAM"]);
        assert_eq!(
            capabilities(r#"{"RoleName":"r"}"#),
            ["CAPABILITY_NAMED_IAM"]
        );
    }
}
