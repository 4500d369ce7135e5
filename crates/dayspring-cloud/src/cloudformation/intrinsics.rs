//! Intrinsic functions: a value of a template to the value that a resource is provisioned with.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::graph;
use super::stack::Resource;
use super::template::scalar_text;
use crate::identity::Identity;

/// What the functions look things up in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) identity: &'a Identity,
    pub(super) stack_name: &'a str,
    pub(super) stack_id: &'a str,
    /// `AWS::URLSuffix`.
    pub(super) url_suffix: &'a str,
    pub(super) parameters: &'a BTreeMap<String, Value>,
    pub(super) mappings: &'a Map<String, Value>,
    pub(super) conditions: &'a BTreeMap<String, bool>,
    pub(super) resources: &'a BTreeMap<String, Resource>,
    /// Resources of which nothing is known before they are provisioned.
    pub(super) unknown: &'a BTreeSet<String>,
    /// Resources whose attributes are not known before they are provisioned.
    pub(super) unknown_attributes: &'a BTreeSet<String>,
    pub(super) exports: &'a BTreeMap<String, (String, String)>,
    pub(super) secrets: Option<&'a dyn Secrets>,
}

/// Where `{{resolve:SERVICE:KEY}}` is looked up.
pub(super) trait Secrets: Send + Sync + std::fmt::Debug {
    fn resolve(&self, service: &str, key: &str) -> Option<String>;
}

/// Why a value has none yet, or never will have one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unresolved {
    /// It hangs on a resource that is not provisioned yet.
    Unknown,
    /// The template is wrong; the text is the reason.
    Wrong(String),
}

type Resolved<T> = Result<T, Unresolved>;

impl Scope<'_> {
    /// The value with all its functions carried out; `None` for `AWS::NoValue`.
    pub(super) fn resolve(&self, value: &Value) -> Resolved<Option<Value>> {
        match value {
            Value::String(text) => self.dynamic(text).map(|text| Some(Value::String(text))),
            Value::Array(items) => {
                let mut resolved = Vec::with_capacity(items.len());
                for item in items {
                    resolved.extend(self.resolve(item)?);
                }
                Ok(Some(Value::Array(resolved)))
            }
            Value::Object(members) => {
                if members.len() == 1 {
                    let (name, argument) = members.iter().next().expect("there is one member");
                    if name == "Ref" || name.starts_with("Fn::") {
                        return self.call(name, argument);
                    }
                }
                self.resolve_members(members)
                    .map(|members| Some(Value::Object(members)))
            }
            other => Ok(Some(other.clone())),
        }
    }

    /// Every member resolved, without those that are `AWS::NoValue`.
    pub(super) fn resolve_members(
        &self,
        members: &Map<String, Value>,
    ) -> Resolved<Map<String, Value>> {
        let mut resolved = Map::new();
        for (name, member) in members {
            if let Some(member) = self.resolve(member)? {
                resolved.insert(name.clone(), member);
            }
        }
        Ok(resolved)
    }

    /// A value that has to be a text (an output, an export's name).
    pub(super) fn text(&self, value: &Value) -> Resolved<String> {
        match self.resolve(value)? {
            Some(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_))) => {
                Ok(scalar_text(&value))
            }
            Some(other) => Err(wrong(format!("expected a text, found {other}"))),
            None => Err(wrong("expected a text, found AWS::NoValue")),
        }
    }

    fn call(&self, name: &str, argument: &Value) -> Resolved<Option<Value>> {
        match name {
            "Ref" => self.reference(argument.as_str().ok_or_else(|| wrong("Ref takes a name"))?),
            "Fn::GetAtt" => self.attribute_of(argument).map(Some),
            "Fn::Sub" => self.substitute(argument).map(Some),
            "Fn::Join" => {
                let [separator, parts] = self.arguments(name, argument)?;
                let separator = text_of(name, &separator)?;
                let parts: Vec<String> = list_of(name, &parts)?.iter().map(scalar_text).collect();
                Ok(Some(Value::String(parts.join(&separator))))
            }
            "Fn::Select" => {
                let [index, list] = self.arguments(name, argument)?;
                let list = list_of(name, &list)?;
                let index: usize = scalar_text(&index).parse().map_err(|_| {
                    wrong(format!(
                        "Template error: Fn::Select requires an index, found {index}"
                    ))
                })?;
                list.get(index).cloned().map(Some).ok_or_else(|| {
                    wrong(format!(
                        "Template error: Fn::Select cannot select nonexistent value at index {index}"
                    ))
                })
            }
            "Fn::Split" => {
                let [separator, text] = self.arguments(name, argument)?;
                let (separator, text) = (text_of(name, &separator)?, text_of(name, &text)?);
                let parts = text.split(separator.as_str()).map(Value::from).collect();
                Ok(Some(Value::Array(parts)))
            }
            "Fn::GetAZs" => {
                let region = self.resolve(argument)?;
                let region = region
                    .as_ref()
                    .and_then(Value::as_str)
                    .filter(|region| !region.is_empty());
                let region = region.unwrap_or(&self.identity.region);
                Ok(Some(
                    ["a", "b", "c"]
                        .iter()
                        .map(|zone| Value::from(format!("{region}{zone}")))
                        .collect(),
                ))
            }
            "Fn::If" => {
                let Some([condition, then, otherwise]) = argument.as_array().map(Vec::as_slice)
                else {
                    return Err(wrong(
                        "Template error: Fn::If requires a list argument with three elements",
                    ));
                };
                let condition = condition.as_str().unwrap_or_default();
                let holds = self.conditions.get(condition).ok_or_else(|| {
                    wrong(format!(
                        "Template error: Unresolved condition dependency {condition}"
                    ))
                })?;
                self.resolve(if *holds { then } else { otherwise })
            }
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" | "Fn::Contains" => {
                let value = Value::Object(Map::from_iter([(name.to_owned(), argument.clone())]));
                self.condition(&value, &mut |_| None)
                    .map(|holds| Some(Value::Bool(holds)))
            }
            "Fn::ImportValue" => {
                let export = self.text(argument)?;
                self.exports
                    .get(&export)
                    .map(|(value, _)| Some(Value::String(value.clone())))
                    .ok_or_else(|| wrong(format!("No export named {export} found.")))
            }
            "Fn::FindInMap" => self.find_in_map(argument).map(Some),
            "Fn::Base64" => {
                use base64::Engine as _;
                let text = self.text(argument)?;
                Ok(Some(Value::String(
                    base64::engine::general_purpose::STANDARD.encode(text),
                )))
            }
            "Fn::Cidr" => self.cidr(argument).map(Some),
            other => Err(wrong(format!(
                "Template error: this cloud does not have the function {other}"
            ))),
        }
    }

    fn reference(&self, name: &str) -> Resolved<Option<Value>> {
        let pseudo = match name {
            "AWS::AccountId" => self.identity.account.as_str(),
            "AWS::Region" => self.identity.region.as_str(),
            "AWS::Partition" => "aws",
            "AWS::URLSuffix" => self.url_suffix,
            "AWS::StackName" => self.stack_name,
            "AWS::StackId" => self.stack_id,
            "AWS::NotificationARNs" => return Ok(Some(Value::Array(Vec::new()))),
            "AWS::NoValue" => return Ok(None),
            _ => {
                if let Some(value) = self.parameters.get(name) {
                    return Ok(Some(value.clone()));
                }
                let physical_id = self.known(name)?.physical_id.clone();
                return physical_id
                    .map(|id| Some(Value::String(id)))
                    .ok_or(Unresolved::Unknown);
            }
        };
        Ok(Some(Value::from(pseudo)))
    }

    fn attribute_of(&self, argument: &Value) -> Resolved<Value> {
        let (name, attribute) = match argument {
            Value::String(path) => path
                .split_once('.')
                .map(|(name, attribute)| (name.to_owned(), attribute.to_owned())),
            Value::Array(path) => match path.as_slice() {
                [Value::String(name), attribute] => Some((name.clone(), self.text(attribute)?)),
                _ => None,
            },
            _ => None,
        }
        .ok_or_else(|| wrong(format!("Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute; found {argument}")))?;
        self.attribute(&name, &attribute)
    }

    fn attribute(&self, name: &str, attribute: &str) -> Resolved<Value> {
        let resource = self.known(name)?;
        if self.unknown_attributes.contains(name) {
            return Err(Unresolved::Unknown);
        }
        resource.attributes.get(attribute).cloned().ok_or_else(|| {
            wrong(format!(
                "Attribute '{attribute}' does not exist (resource {name}, type {})",
                resource.type_name
            ))
        })
    }

    fn known(&self, name: &str) -> Resolved<&Resource> {
        if self.unknown.contains(name) {
            return Err(Unresolved::Unknown);
        }
        self.resources.get(name).ok_or_else(|| {
            wrong(format!("Template error: the resource {name} is referred to, and its condition keeps it from being made"))
        })
    }

    fn substitute(&self, argument: &Value) -> Resolved<Value> {
        let (text, own) = match argument {
            Value::String(text) => (text.as_str(), None),
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(text), Value::Object(own)] => (text.as_str(), Some(own)),
                _ => {
                    return Err(wrong(
                        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments",
                    ));
                }
            },
            _ => {
                return Err(wrong(
                    "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments",
                ));
            }
        };
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            result.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                rest = after;
                result.push_str("${");
                continue;
            };
            rest = after;
            let name = name.trim();
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str("${");
                result.push_str(literal);
                result.push('}');
                continue;
            }
            let value = match own.and_then(|own| own.get(name)) {
                Some(value) => self.resolve(value)?,
                None => match name.split_once('.') {
                    Some((name, attribute)) => Some(self.attribute(name, attribute)?),
                    None => self.reference(name)?,
                },
            };
            match value {
                Some(Value::Array(_) | Value::Object(_)) | None => {
                    return Err(wrong(format!(
                        "Template error: Fn::Sub expects a text for ${{{name}}}"
                    )));
                }
                Some(value) => result.push_str(&scalar_text(&value)),
            }
        }
        result.push_str(rest);
        self.dynamic(&result).map(Value::String)
    }

    fn find_in_map(&self, argument: &Value) -> Resolved<Value> {
        let parts = argument.as_array().map_or(&[][..], Vec::as_slice);
        let [map, first, second, rest @ ..] = parts else {
            return Err(wrong(
                "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value",
            ));
        };
        let (map, first, second) = (self.text(map)?, self.text(first)?, self.text(second)?);
        let found = self
            .mappings
            .get(&map)
            .and_then(|map| map.get(&first))
            .and_then(|entry| entry.get(&second));
        match (
            found,
            rest.first().and_then(|rest| rest.get("DefaultValue")),
        ) {
            (Some(value), _) => Ok(value.clone()),
            (None, Some(default)) => Ok(self.resolve(default)?.unwrap_or(Value::Null)),
            (None, None) => Err(wrong(format!(
                "Template error: Unable to get mapping for {map}::{first}::{second}"
            ))),
        }
    }

    /// `[block, count, bits]`: the first `count` blocks of 2^bits addresses.
    fn cidr(&self, argument: &Value) -> Resolved<Value> {
        let bad = || {
            wrong(format!(
                "Template error: Fn::Cidr cannot make the blocks of {argument}"
            ))
        };
        let Some(Value::Array(parts)) = self.resolve(argument)? else {
            return Err(bad());
        };
        let block = parts.first().map(scalar_text).ok_or_else(bad)?;
        let count: u32 = parts
            .get(1)
            .and_then(|count| scalar_text(count).parse().ok())
            .ok_or_else(bad)?;
        let bits: u32 = parts
            .get(2)
            .map_or(Some(8), |bits| scalar_text(bits).parse().ok())
            .ok_or_else(bad)?;
        let (address, prefix) = block.split_once('/').ok_or_else(bad)?;
        let address: std::net::Ipv4Addr = address.parse().map_err(|_| bad())?;
        let prefix: u32 = prefix
            .parse()
            .ok()
            .filter(|prefix| *prefix <= 32)
            .ok_or_else(bad)?;
        if bits > 32 - prefix
            || count == 0
            || count > 256
            || u64::from(count) << bits > 1 << (32 - prefix)
        {
            return Err(bad());
        }
        let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
        let first = address.to_bits() & mask;
        let blocks = (0..count).map(|index| {
            let start = std::net::Ipv4Addr::from_bits(first + index.checked_shl(bits).unwrap_or(0));
            Value::from(format!("{start}/{}", 32 - bits))
        });
        Ok(Value::Array(blocks.collect()))
    }

    /// The two arguments of a function that takes a list of two.
    fn arguments(&self, name: &str, argument: &Value) -> Resolved<[Value; 2]> {
        let Value::Array(parts) = argument else {
            return Err(wrong(format!(
                "Template error: {name} requires a list argument with two elements"
            )));
        };
        match parts.as_slice() {
            [first, second] => Ok([
                self.resolve(first)?.unwrap_or(Value::Null),
                self.resolve(second)?.unwrap_or(Value::Null),
            ]),
            _ => Err(wrong(format!(
                "Template error: {name} requires a list argument with two elements"
            ))),
        }
    }

    /// Whether a condition holds. `named` gives the value of another condition by its name.
    pub(super) fn condition(
        &self,
        value: &Value,
        named: &mut dyn FnMut(&str) -> Option<Resolved<bool>>,
    ) -> Resolved<bool> {
        let malformed = || wrong(format!("Template error: malformed condition {value}"));
        let (function, argument) = value
            .as_object()
            .filter(|members| members.len() == 1)
            .and_then(|members| members.iter().next())
            .ok_or_else(malformed)?;
        let parts = argument.as_array().map_or(&[][..], Vec::as_slice);
        match (function.as_str(), parts) {
            ("Condition", _) => {
                let name = argument.as_str().ok_or_else(malformed)?;
                match self.conditions.get(name) {
                    Some(holds) => Ok(*holds),
                    None => named(name).unwrap_or_else(|| {
                        Err(wrong(format!(
                            "Template format error: Unresolved condition dependency {name}"
                        )))
                    }),
                }
            }
            ("Fn::Equals", [left, right]) => {
                let (left, right) = (self.resolve(left)?, self.resolve(right)?);
                Ok(left.as_ref().map(scalar_text) == right.as_ref().map(scalar_text))
            }
            ("Fn::Not", [inner]) => self.condition(inner, named).map(|holds| !holds),
            ("Fn::And", [_, _, ..]) => {
                let mut all = true;
                for part in parts {
                    all &= self.condition(part, named)?;
                }
                Ok(all)
            }
            ("Fn::Or", [_, _, ..]) => {
                let mut any = false;
                for part in parts {
                    any |= self.condition(part, named)?;
                }
                Ok(any)
            }
            ("Fn::Contains", [list, value]) => {
                let value = self.text(value)?;
                let list = self.resolve(list)?.unwrap_or(Value::Null);
                Ok(list_of(function, &list)?
                    .iter()
                    .any(|item| scalar_text(item) == value))
            }
            _ => Err(malformed()),
        }
    }

    /// Carries out the `{{resolve:...}}` in a text.
    fn dynamic(&self, text: &str) -> Resolved<String> {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{resolve:") {
            let Some((reference, after)) = after.split_once("}}") else {
                break;
            };
            let (service, key) = reference.split_once(':').unwrap_or((reference, ""));
            let value = self
                .secrets
                .and_then(|secrets| secrets.resolve(service, key))
                .ok_or_else(|| {
                    wrong(format!(
                        "Could not resolve the dynamic reference {{{{resolve:{reference}}}}}"
                    ))
                })?;
            result.push_str(before);
            result.push_str(&value);
            rest = after;
        }
        result.push_str(rest);
        Ok(result)
    }
}

/// Every condition of a template, those that name others after them.
pub(super) fn evaluate_conditions(
    scope: &Scope<'_>,
    definitions: &Map<String, Value>,
) -> Result<BTreeMap<String, bool>, String> {
    fn evaluate(
        scope: &Scope<'_>,
        definitions: &Map<String, Value>,
        name: &str,
        path: &mut Vec<String>,
    ) -> Resolved<bool> {
        let Some(definition) = definitions.get(name) else {
            return Err(wrong(format!(
                "Template format error: Unresolved dependencies [{name}]. Cannot reference resources in the Conditions block of the template"
            )));
        };
        if path.iter().any(|entry| entry == name) {
            return Err(wrong(format!(
                "Template format error: Circular dependency between conditions: [{}]",
                path.join(", ")
            )));
        }
        path.push(name.to_owned());
        let holds = scope.condition(definition, &mut |other| {
            Some(evaluate(scope, definitions, other, path))
        })?;
        path.pop();
        Ok(holds)
    }
    let mut values = BTreeMap::new();
    for (name, definition) in definitions {
        for reference in graph::references(definition) {
            if !reference.starts_with("AWS::") && !scope.parameters.contains_key(&reference) {
                return Err(format!(
                    "Template format error: Unresolved dependencies [{reference}]. Cannot reference resources in the Conditions block of the template"
                ));
            }
        }
        let holds =
            evaluate(scope, definitions, name, &mut Vec::new()).map_err(|error| match error {
                Unresolved::Wrong(reason) => reason,
                Unresolved::Unknown => {
                    format!("Template error: the condition {name} hangs on a resource")
                }
            })?;
        values.insert(name.clone(), holds);
    }
    Ok(values)
}

fn text_of(function: &str, value: &Value) -> Resolved<String> {
    match value {
        Value::Array(_) | Value::Object(_) | Value::Null => Err(wrong(format!(
            "Template error: {function} expects a text, found {value}"
        ))),
        scalar => Ok(scalar_text(scalar)),
    }
}

fn list_of<'a>(function: &str, value: &'a Value) -> Resolved<&'a [Value]> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| {
        wrong(format!(
            "Template error: {function} expects a list, found {value}"
        ))
    })
}

fn wrong(reason: impl Into<String>) -> Unresolved {
    Unresolved::Wrong(reason.into())
}
