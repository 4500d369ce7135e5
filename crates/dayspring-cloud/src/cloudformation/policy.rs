//! Stack policies: which resources an update may touch
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html>).

use serde_json::Value;

use super::template::invalid;
use crate::error::AwsError;

/// A policy that was read.
#[derive(Debug, Clone)]
pub(super) struct StackPolicy {
    statements: Vec<Statement>,
}

#[derive(Debug, Clone)]
struct Statement {
    allows: bool,
    actions: Pattern,
    resources: Pattern,
    /// `ResourceType` must be like one of these, where the statement has a condition.
    types: Option<Vec<String>>,
}

/// What a statement names, or all but that.
#[derive(Debug, Clone)]
struct Pattern {
    words: Vec<String>,
    inverted: bool,
}

/// What an update does to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Modify,
    Replace,
    Delete,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Modify => "Update:Modify",
            Self::Replace => "Update:Replace",
            Self::Delete => "Update:Delete",
        }
    }
}

impl StackPolicy {
    pub(super) fn parse(text: &str) -> Result<Self, AwsError> {
        let wrong = |why: String| invalid(format!("Error validating stack policy: {why}"));
        let root: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let statements = root
            .get("Statement")
            .and_then(Value::as_array)
            .ok_or_else(|| wrong("it has no list of statements".to_owned()))?;
        let statements: Result<Vec<Statement>, String> =
            statements.iter().map(Statement::read).collect();
        Ok(Self {
            statements: statements.map_err(wrong)?,
        })
    }

    /// Whether the policy lets an update do this; else why not. What no statement allows is denied.
    pub(super) fn check(&self, action: Action, id: &str, type_name: &str) -> Result<(), String> {
        let resource = format!("LogicalResourceId/{id}");
        let applies = |statement: &&Statement| {
            statement.actions.holds(action.name())
                && statement.resources.holds(&resource)
                && statement
                    .types
                    .as_ref()
                    .is_none_or(|types| types.iter().any(|pattern| is_like(pattern, type_name)))
        };
        let denied = self
            .statements
            .iter()
            .position(|statement| !statement.allows && applies(&statement));
        if let Some(index) = denied {
            return Err(format!(
                "Action denied by stack policy: Statement [#{}] does not allow [{}] for resource [{resource}]",
                index + 1,
                action.name()
            ));
        }
        if self.statements.iter().any(|statement| applies(&statement)) {
            return Ok(());
        }
        Err(format!(
            "Action not allowed by stack policy: no statement allows [{}] for resource [{resource}]",
            action.name()
        ))
    }
}

impl Statement {
    fn read(value: &Value) -> Result<Self, String> {
        let allows = match value.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err("every statement needs the Effect Allow or Deny".to_owned()),
        };
        if !value.as_object().is_some_and(|members| {
            members.contains_key("Principal") || members.contains_key("NotPrincipal")
        }) {
            return Err("every statement needs a Principal, which is *".to_owned());
        }
        let types = value.get("Condition").map(|condition| {
            ["StringEquals", "StringLike"]
                .iter()
                .filter_map(|operator| condition.get(*operator)?.get("ResourceType"))
                .flat_map(words)
                .collect()
        });
        Ok(Self {
            allows,
            actions: Pattern::read(value, "Action", "NotAction")?,
            resources: Pattern::read(value, "Resource", "NotResource")?,
            types,
        })
    }
}

impl Pattern {
    fn read(statement: &Value, plain: &str, inverted: &str) -> Result<Self, String> {
        let (value, is_inverted) = match (statement.get(plain), statement.get(inverted)) {
            (Some(value), None) => (value, false),
            (None, Some(value)) => (value, true),
            _ => {
                return Err(format!(
                    "every statement needs one of {plain} and {inverted}"
                ));
            }
        };
        Ok(Self {
            words: words(value),
            inverted: is_inverted,
        })
    }

    fn holds(&self, text: &str) -> bool {
        self.words.iter().any(|pattern| is_like(pattern, text)) != self.inverted
    }
}

fn words(value: &Value) -> Vec<String> {
    match value {
        Value::String(word) => vec![word.clone()],
        Value::Array(words) => words
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether a text is like a pattern, in which `*` stands for anything.
fn is_like(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(start) else {
        return false;
    };
    (0..=text.len())
        .filter(|at| text.is_char_boundary(*at))
        .any(|at| is_like(rest, &text[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"{"Statement": [
        {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": ["Update:Replace", "Update:Delete"], "Principal": "*", "Resource": "*",
         "Condition": {"StringLike": {"ResourceType": ["AWS::RDS::*"]}}},
        {"Effect": "Deny", "NotAction": "Update:Modify", "Principal": "*", "Resource": "LogicalResourceId/Key*"}
    ]}"#;

    #[test]
    fn what_a_statement_denies_is_denied_with_its_number() {
        let policy = StackPolicy::parse(POLICY).unwrap();
        let denied = |action, id, kind| policy.check(action, id, kind).unwrap_err();
        assert_eq!(
            policy.check(Action::Modify, "Db", "AWS::RDS::DBCluster"),
            Ok(())
        );
        assert_eq!(policy.check(Action::Delete, "Vpc", "AWS::EC2::VPC"), Ok(()));
        insta::assert_snapshot!(denied(Action::Replace, "Db", "AWS::RDS::DBCluster"), @"Action denied by stack policy: Statement [#2] does not allow [Update:Replace] for resource [LogicalResourceId/Db]");
        insta::assert_snapshot!(denied(Action::Delete, "Key1", "AWS::KMS::Key"), @"Action denied by stack policy: Statement [#3] does not allow [Update:Delete] for resource [LogicalResourceId/Key1]");
    }

    #[test]
    fn what_no_statement_allows_is_denied() {
        let policy = StackPolicy::parse(r#"{"Statement": [{"Effect": "Allow", "Action": "Update:Modify", "Principal": "*", "NotResource": "LogicalResourceId/A"}]}"#).unwrap();
        assert_eq!(policy.check(Action::Modify, "B", "T"), Ok(()));
        insta::assert_snapshot!(policy.check(Action::Modify, "A", "T").unwrap_err(), @"Action not allowed by stack policy: no statement allows [Update:Modify] for resource [LogicalResourceId/A]");
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        let refused = |text| StackPolicy::parse(text).unwrap_err().message;
        insta::assert_snapshot!(refused("{}"), @"Error validating stack policy: it has no list of statements");
        insta::assert_snapshot!(refused(r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Resource": "*"}]}"#), @"Error validating stack policy: every statement needs one of Action and NotAction");
    }
}
