//! What a stack is to become: a template with its parameters and conditions, checked before anything is touched.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::graph::Edges;
use super::intrinsics::{Scope, Secrets, Unresolved, evaluate_conditions};
use super::nearest::nearest;
use super::provider::Provider;
use super::stack::{Parameter, Resource};
use super::template::{ParameterDefinition, Template, invalid, join, scalar_text};
use crate::error::AwsError;
use crate::identity::Identity;

/// A template, its parameters and what follows from them.
#[derive(Debug, Clone)]
pub(super) struct Goal {
    pub(super) text: String,
    pub(super) template: Template,
    pub(super) parameters: Vec<Parameter>,
    pub(super) values: BTreeMap<String, Value>,
    pub(super) conditions: BTreeMap<String, bool>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) capabilities: Vec<String>,
    pub(super) role_arn: Option<String>,
    /// The names of the exports that it imports.
    pub(super) imports: BTreeSet<String>,
}

/// What the functions of every template of this cloud look up outside the template.
#[derive(Debug, Clone)]
pub(super) struct Surroundings {
    pub(super) identity: Identity,
    /// `AWS::URLSuffix`: the host and port under which deployed stages answer.
    pub(super) url_suffix: String,
    pub(super) secrets: std::sync::Arc<dyn Secrets>,
}

/// A parameter as the caller gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) key: String,
    pub(super) value: Option<String>,
    pub(super) use_previous: bool,
}

/// What a caller asks a stack to become.
#[derive(Debug, Clone, Default)]
pub(super) struct Wish {
    pub(super) text: String,
    pub(super) given: Vec<Given>,
    pub(super) previous: Vec<Parameter>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) capabilities: Vec<String>,
    pub(super) role_arn: Option<String>,
}

impl Goal {
    pub(super) fn new<P: Provider>(
        wish: Wish,
        surroundings: &Surroundings,
        provider: &P,
        exports: &BTreeMap<String, (String, String)>,
    ) -> Result<Self, AwsError> {
        let template = Template::parse(&wish.text)?;
        check_types(&template, provider)?;
        check_capabilities(&template, &wish.capabilities)?;
        let (parameters, values) = read_parameters(&template, &wish, surroundings)?;
        let mut goal = Self {
            text: wish.text,
            template,
            parameters,
            values,
            conditions: BTreeMap::new(),
            tags: wish.tags,
            capabilities: wish.capabilities,
            role_arn: wish.role_arn,
            imports: BTreeSet::new(),
        };
        let nothing = Nothing::default();
        let scope = goal.scope(
            surroundings,
            ("", ""),
            &nothing.resources,
            exports,
            &nothing.names,
            &nothing.names,
        );
        let conditions = evaluate_conditions(&scope, &goal.template.conditions).map_err(invalid)?;
        goal.conditions = conditions;
        let scope = goal.scope(
            surroundings,
            ("", ""),
            &nothing.resources,
            exports,
            &nothing.names,
            &nothing.names,
        );
        check_rules(&goal.template.rules, &scope)?;
        let mut imports = BTreeSet::new();
        for resource in goal.active().map(|id| &goal.template.resources[id]) {
            collect_imports(&resource.properties, &scope, &mut imports);
        }
        for (_, output) in &goal.template.outputs {
            collect_imports(
                &Map::from_iter([("Value".to_owned(), output.value.clone())]),
                &scope,
                &mut imports,
            );
        }
        goal.imports = imports;
        Ok(goal)
    }

    /// The scope in which this goal's values are resolved, for the stack of this name and id.
    pub(super) fn scope<'a>(
        &'a self,
        surroundings: &'a Surroundings,
        (stack_name, stack_id): (&'a str, &'a str),
        resources: &'a BTreeMap<String, Resource>,
        exports: &'a BTreeMap<String, (String, String)>,
        unknown: &'a BTreeSet<String>,
        unknown_attributes: &'a BTreeSet<String>,
    ) -> Scope<'a> {
        Scope {
            identity: &surroundings.identity,
            stack_name,
            stack_id,
            url_suffix: &surroundings.url_suffix,
            parameters: &self.values,
            mappings: &self.template.mappings,
            conditions: &self.conditions,
            resources,
            unknown,
            unknown_attributes,
            exports,
            secrets: Some(surroundings.secrets.as_ref()),
        }
    }

    /// The resources whose condition holds.
    pub(super) fn active(&self) -> impl Iterator<Item = &String> {
        self.template
            .resources
            .iter()
            .filter(|(_, resource)| {
                resource
                    .condition
                    .as_ref()
                    .is_none_or(|condition| self.conditions.get(condition) == Some(&true))
            })
            .map(|(id, _)| id)
    }

    /// What each of them depends on.
    pub(super) fn edges(&self) -> Edges {
        let active: BTreeSet<&String> = self.active().collect();
        active
            .iter()
            .map(|id| {
                let needs = self.template.resources[*id].depends_on.iter();
                (
                    (*id).clone(),
                    needs
                        .filter(|need| active.contains(need))
                        .cloned()
                        .collect(),
                )
            })
            .collect()
    }
}

#[derive(Default)]
struct Nothing {
    resources: BTreeMap<String, Resource>,
    names: BTreeSet<String>,
}

/// Refuses what this cloud does not know, by its name: a type, a property, an attribute.
fn check_types<P: Provider>(template: &Template, provider: &P) -> Result<(), AwsError> {
    let mut unknown = BTreeSet::new();
    for (id, resource) in &template.resources {
        let Some(schema) = provider.schema(&resource.type_name) else {
            let names = provider.type_names().iter().copied();
            let hint = nearest(&resource.type_name, names)
                .map(|name| format!(", did you mean {name}?"))
                .unwrap_or_default();
            unknown.insert(format!("{} (resource {id}{hint})", resource.type_name));
            continue;
        };
        for property in resource.properties.keys() {
            if schema.change(property).is_none() {
                let hint = nearest(property, schema.property_names())
                    .map(|name| format!("; did you mean {name}?"))
                    .unwrap_or_default();
                return Err(invalid(format!(
                    "Properties validation failed for resource {id} of type {} with message: #: extraneous key [{property}] is not permitted (this cloud does not know this property{hint})",
                    resource.type_name
                )));
            }
        }
        if let Some(reason) = provider.unsupported(&resource.type_name, &resource.properties) {
            return Err(invalid(format!(
                "Properties validation failed for resource {id} of type {} with message: {reason}",
                resource.type_name
            )));
        }
        check_attributes(
            template,
            provider,
            &Value::Object(resource.properties.clone()),
        )?;
    }
    if !unknown.is_empty() {
        return Err(invalid(format!(
            "Template format error: Unrecognized resource types: [{}]",
            join(&unknown)
        )));
    }
    for (_, output) in &template.outputs {
        check_attributes(template, provider, &output.value)?;
    }
    Ok(())
}

/// Every `Fn::GetAtt` names an attribute that the type has.
fn check_attributes<P: Provider>(
    template: &Template,
    provider: &P,
    value: &Value,
) -> Result<(), AwsError> {
    let check = |path: &str| {
        let (name, attribute) = path.split_once('.').unwrap_or((path, ""));
        let resource = template.resources.get(name);
        let schema = resource.and_then(|resource| provider.schema(&resource.type_name));
        match (resource, schema) {
            (Some(resource), Some(schema)) if !schema.has_attribute(attribute) => {
                Err(invalid(format!(
                    "Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt (type {})",
                    resource.type_name
                )))
            }
            _ => Ok(()),
        }
    };
    match value {
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| check_attributes(template, provider, item)),
        Value::Object(members) => {
            match members.get("Fn::GetAtt") {
                Some(Value::String(path)) => check(path)?,
                Some(Value::Array(path)) => {
                    let path: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
                    if path.len() == 2 {
                        check(&path.join("."))?;
                    }
                }
                _ => {}
            }
            members
                .values()
                .try_for_each(|member| check_attributes(template, provider, member))
        }
        _ => Ok(()),
    }
}

fn check_capabilities(template: &Template, given: &[String]) -> Result<(), AwsError> {
    let missing = template.capabilities().into_iter().find(|needed| {
        !given
            .iter()
            .any(|capability| capability == needed || capability == "CAPABILITY_NAMED_IAM")
    });
    missing.map_or(Ok(()), |needed| {
        Err(AwsError::bad_request(
            "InsufficientCapabilitiesException",
            format!("Requires capabilities : [{needed}]"),
        ))
    })
}

fn read_parameters(
    template: &Template,
    wish: &Wish,
    surroundings: &Surroundings,
) -> Result<(Vec<Parameter>, BTreeMap<String, Value>), AwsError> {
    let unknown: BTreeSet<String> = wish
        .given
        .iter()
        .map(|given| given.key.clone())
        .filter(|key| !template.parameters.contains_key(key))
        .collect();
    if !unknown.is_empty() {
        return Err(invalid(format!(
            "Parameters: [{}] do not exist in the template",
            join(&unknown)
        )));
    }
    let mut missing = BTreeSet::new();
    let mut parameters = Vec::new();
    let mut values = BTreeMap::new();
    for (key, definition) in &template.parameters {
        let given = wish.given.iter().find(|given| given.key == *key);
        let previous = wish.previous.iter().find(|previous| previous.key == *key);
        let value = match given {
            Some(given) if given.use_previous => previous.map(|previous| previous.value.clone()),
            Some(given) => given.value.clone(),
            None => definition.default.clone(),
        };
        let Some(value) = value else {
            missing.insert(key.clone());
            continue;
        };
        check_parameter(key, definition, &value)?;
        let resolved = if definition.kind.starts_with("AWS::SSM::Parameter::Value") {
            Some(surroundings.secrets.resolve("ssm", &value).ok_or_else(|| {
                invalid(format!(
                    "Unable to fetch parameters [{value}] from parameter store for this account."
                ))
            })?)
        } else {
            None
        };
        let text = resolved.as_deref().unwrap_or(&value);
        let is_list = definition.kind.contains("List<") || definition.kind == "CommaDelimitedList";
        values.insert(
            key.clone(),
            if is_list {
                text.split(',')
                    .map(|item| Value::from(item.trim()))
                    .collect()
            } else {
                Value::from(text)
            },
        );
        parameters.push(Parameter {
            key: key.clone(),
            value,
            resolved,
            no_echo: definition.no_echo,
        });
    }
    if missing.is_empty() {
        Ok((parameters, values))
    } else {
        Err(invalid(format!(
            "Parameters: [{}] must have values",
            join(&missing)
        )))
    }
}

/// The constraints of a parameter, in the words of AWS.
fn check_parameter(
    key: &str,
    definition: &ParameterDefinition,
    value: &str,
) -> Result<(), AwsError> {
    let refuse = |what: String| {
        let explanation = definition.constraint.as_ref().map_or(what, |text| {
            format!("Parameter {key} failed to satisfy constraint: {text}")
        });
        Err(invalid(explanation))
    };
    // Of a list each item is held to them.
    let is_list = definition.kind == "CommaDelimitedList" || definition.kind == "List<Number>";
    let items: Vec<&str> = if is_list {
        value.split(',').map(str::trim).collect()
    } else {
        vec![value]
    };
    let is_allowed = |item: &&str| definition.allowed_values.iter().any(|known| known == item);
    if !definition.allowed_values.is_empty() && !items.iter().all(is_allowed) {
        return refuse(format!("Parameter '{key}' must be one of AllowedValues"));
    }
    if let Some(pattern) = &definition.allowed_pattern {
        // AWS matches the whole value, with Java's expressions; one that is not read here holds nothing up.
        let whole = regex_lite::Regex::new(&format!("^(?:{pattern})$"));
        if whole.is_ok_and(|whole| !items.iter().all(|item| whole.is_match(item))) {
            return refuse(format!("Parameter '{key}' must match pattern {pattern}"));
        }
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "a parameter has 4096 bytes at most"
    )]
    let length = value.chars().count() as f64;
    if let Some(min) = definition.length.0.filter(|min| length < *min) {
        return refuse(format!(
            "Parameter '{key}' must contain at least {min} characters"
        ));
    }
    if let Some(max) = definition.length.1.filter(|max| length > *max) {
        return refuse(format!(
            "Parameter '{key}' must contain at most {max} characters"
        ));
    }
    if !matches!(definition.kind.as_str(), "Number" | "List<Number>") {
        return Ok(());
    }
    for item in items {
        let Ok(number) = item.parse::<f64>() else {
            return refuse(format!("Parameter '{key}' must be a number."));
        };
        if let Some(min) = definition.range.0.filter(|min| number < *min) {
            return refuse(format!(
                "Parameter '{key}' must be a number not less than {min}"
            ));
        }
        if let Some(max) = definition.range.1.filter(|max| number > *max) {
            return refuse(format!(
                "Parameter '{key}' must be a number not greater than {max}"
            ));
        }
    }
    Ok(())
}

fn check_rules(rules: &Map<String, Value>, scope: &Scope<'_>) -> Result<(), AwsError> {
    let holds = |condition: &Value| match scope.condition(condition, &mut |_| None) {
        Ok(holds) => Ok(holds),
        Err(Unresolved::Wrong(reason)) => Err(invalid(reason)),
        Err(Unresolved::Unknown) => Err(invalid("Template error: a rule hangs on a resource")),
    };
    for (name, rule) in rules {
        if let Some(condition) = rule.get("RuleCondition")
            && !holds(condition)?
        {
            continue;
        }
        for assertion in rule
            .get("Assertions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if !holds(&assertion["Assert"])? {
                let description = assertion
                    .get("AssertDescription")
                    .map(scalar_text)
                    .unwrap_or_default();
                return Err(invalid(format!(
                    "Rules [{name}] failed validation: {description}"
                )));
            }
        }
    }
    Ok(())
}

fn collect_imports(
    members: &Map<String, Value>,
    scope: &Scope<'_>,
    imports: &mut BTreeSet<String>,
) {
    for (name, value) in members {
        if name == "Fn::ImportValue" {
            imports.extend(scope.text(value).ok());
        }
        match value {
            Value::Object(members) => collect_imports(members, scope, imports),
            Value::Array(items) => {
                for item in items {
                    collect_imports(
                        &Map::from_iter([(String::new(), item.clone())]),
                        scope,
                        imports,
                    );
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_held_to_its_constraints_in_the_words_of_aws() {
        let refused = |definition: &str, value: &str| {
            let text = format!(
                r#"{{"Parameters": {{"P": {definition}}}, "Resources": {{"A": {{"Type": "T"}}}}}}"#
            );
            let template = Template::parse(&text).unwrap();
            check_parameter("P", &template.parameters["P"], value)
                .err()
                .map_or_else(|| "accepted".to_owned(), |error| error.message)
        };
        let allowed = r#"{"Type": "String", "AllowedValues": ["dev", "prod"]}"#;
        assert_eq!(refused(allowed, "dev"), "accepted");
        insta::assert_snapshot!(refused(allowed, "test"), @"Parameter 'P' must be one of AllowedValues");
        let pattern =
            r#"{"Type": "String", "AllowedPattern": "[a-z]+", "MinLength": "2", "MaxLength": 4}"#;
        assert_eq!(refused(pattern, "abc"), "accepted");
        insta::assert_snapshot!(refused(pattern, "abc1"), @"Parameter 'P' must match pattern [a-z]+");
        insta::assert_snapshot!(refused(pattern, "a"), @"Parameter 'P' must contain at least 2 characters");
        insta::assert_snapshot!(refused(pattern, "abcde"), @"Parameter 'P' must contain at most 4 characters");
        let number = r#"{"Type": "Number", "MinValue": 1, "MaxValue": "5"}"#;
        assert_eq!(refused(number, "1.5"), "accepted");
        insta::assert_snapshot!(refused(number, "x"), @"Parameter 'P' must be a number.");
        insta::assert_snapshot!(refused(number, "0"), @"Parameter 'P' must be a number not less than 1");
        insta::assert_snapshot!(refused(number, "6"), @"Parameter 'P' must be a number not greater than 5");
        let list =
            r#"{"Type": "List<Number>", "ConstraintDescription": "small numbers", "MaxValue": 9}"#;
        assert_eq!(refused(list, "1, 2"), "accepted");
        insta::assert_snapshot!(refused(list, "1,10"), @"Parameter P failed to satisfy constraint: small numbers");
    }
}
