//! `NoEcho`: the values of parameters that nothing may show, wherever they got to.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::stack::Parameter;

/// What stands in the place of a value that is not to be seen.
pub(super) const MASK: &str = "****";

/// Values shorter than this are masked only where they stand alone: within a text they would mask what is none.
const PART_CHARACTERS_MIN: usize = 4;

/// The values that are not to be seen. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Hidden(Arc<[String]>);

impl Hidden {
    pub(super) fn of<'p>(parameters: impl IntoIterator<Item = &'p Parameter>) -> Self {
        let values = parameters
            .into_iter()
            .filter(|parameter| parameter.no_echo && !parameter.value.is_empty())
            .map(|parameter| parameter.value.clone());
        Self(values.collect())
    }

    /// The text without them.
    pub(super) fn text(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for value in self.0.iter() {
            if shown == *value {
                return MASK.to_owned();
            }
            if value.chars().count() >= PART_CHARACTERS_MIN {
                shown = shown.replace(value, MASK);
            }
        }
        shown
    }

    /// The members without them.
    pub(super) fn members(&self, members: &Map<String, Value>) -> Map<String, Value> {
        members
            .iter()
            .map(|(name, value)| (name.clone(), self.value(value)))
            .collect()
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => Value::Object(self.members(members)),
            other => other.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_hidden_value_is_masked_alone_and_within_a_text() {
        let parameter = |value: &str, no_echo| Parameter {
            key: "P".to_owned(),
            value: value.to_owned(),
            resolved: None,
            no_echo,
        };
        let parameters = [
            parameter("psst", true),
            parameter("ab", true),
            parameter("open", false),
        ];
        let hidden = Hidden::of(&parameters);
        let members = json!({"A": ["psst", {"B": "x-psst-open"}], "C": "ab", "D": "about", "E": 3});
        assert_eq!(
            Value::Object(hidden.members(members.as_object().unwrap())),
            json!({"A": ["****", {"B": "x-****-open"}], "C": "****", "D": "about", "E": 3})
        );
    }
}
