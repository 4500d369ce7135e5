//! Reading properties: a template may write a number or a truth value as a text, and CloudFormation takes both.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::cloudformation::provider::Failure;
use crate::cloudformation::template::scalar_text;

/// The properties of a resource, or a structure within them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    properties: &'a Map<String, Value>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(properties: &'a Map<String, Value>) -> Self {
        Self { properties }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.properties.get(name)
    }

    /// A text that has to be there.
    pub(super) fn text(&self, name: &str) -> Result<String, Failure> {
        self.optional_text(name)?.ok_or_else(|| {
            Failure::new(format!(
                "Properties validation failed with message: #: required key [{name}] not found"
            ))
        })
    }

    pub(super) fn optional_text(&self, name: &str) -> Result<Option<String>, Failure> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(_) | Value::Object(_)) => {
                Err(expected(name, "String", self.get(name)))
            }
            Some(scalar) => Ok(Some(scalar_text(scalar))),
        }
    }

    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Failure> {
        self.optional_text(name)?
            .map(|text| {
                text.parse()
                    .map_err(|_| expected(name, "Number", self.get(name)))
            })
            .transpose()
    }

    /// `false` where it is not there.
    pub(super) fn boolean(&self, name: &str) -> Result<bool, Failure> {
        match self.optional_text(name)?.as_deref() {
            Some("true") => Ok(true),
            None | Some("false") => Ok(false),
            Some(_) => Err(expected(name, "Boolean", self.get(name))),
        }
    }

    /// An empty list where it is not there.
    pub(super) fn list(&self, name: &str) -> Result<&'a [Value], Failure> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            other => Err(expected(name, "JSONArray", other)),
        }
    }

    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, Failure> {
        Ok(self.list(name)?.iter().map(scalar_text).collect())
    }

    /// A structure, where it is there.
    pub(super) fn structure(&self, name: &str) -> Result<Option<Self>, Failure> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Self::new(members))),
            other => Err(expected(name, "JSONObject", other)),
        }
    }

    /// A list of `Key` and `Value`.
    pub(super) fn tags(&self, name: &str) -> Result<BTreeMap<String, String>, Failure> {
        let mut tags = BTreeMap::new();
        for tag in self.list(name)? {
            let tag = tag.as_object().map(Reader::new);
            let tag = tag.ok_or_else(|| expected(name, "JSONObject", None))?;
            tags.insert(
                tag.text("Key")?,
                tag.optional_text("Value")?.unwrap_or_default(),
            );
        }
        Ok(tags)
    }

    /// A map of texts; an empty one where it is not there.
    pub(super) fn map(&self, name: &str) -> Result<BTreeMap<String, String>, Failure> {
        Ok(self
            .structure(name)?
            .map(|reader| {
                reader
                    .properties
                    .iter()
                    .map(|(name, value)| (name.clone(), scalar_text(value)))
                    .collect()
            })
            .unwrap_or_default())
    }
}

fn expected(name: &str, kind: &str, found: Option<&Value>) -> Failure {
    let found = found.map_or_else(String::new, ToString::to_string);
    Failure::new(format!(
        "Properties validation failed with message: #/{name}: expected type: {kind}, found: {found}"
    ))
}
