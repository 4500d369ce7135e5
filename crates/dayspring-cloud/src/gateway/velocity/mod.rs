//! Mapping templates: the Velocity Template Language 1.7 with API Gateway's `$input`, `$util`, `$context` and
//! `$stageVariables`, as far as mock integrations use it.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html>. What is not
//! had here is refused when the template is read, with its name and place: nothing is passed over. Where Velocity writes a
//! reference without a value as it stands, API Gateway writes nothing, and so does this.
//!
//! Pure: a template, and what is known of a request, give a text or a failure.

mod arithmetic;
mod budget;
mod check;
mod evaluate;
mod expression;
mod json_path;
mod methods;
mod parse;
mod syntax;
#[cfg(test)]
mod tests;
mod util;
mod value;

use std::collections::BTreeMap;

use evaluate::Machine;
use syntax::{Node, Unreadable};

/// How long a template may be:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>.
const BYTES_MAX: usize = 300 * 1024;

/// A template, read once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template {
    nodes: Vec<Node>,
}

/// What a template can see of a request.
pub(super) struct Scope<'a> {
    pub(super) body: &'a str,
    /// Asked for where a template asks for it.
    pub(super) parameters: &'a dyn Fn() -> Parameters,
    /// The variable of this name, or nothing.
    pub(super) context: &'a dyn Fn(&str) -> Option<String>,
    pub(super) stage_variables: &'a BTreeMap<String, String>,
}

/// Names and values, in the request's order.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    pub(super) path: Vec<(String, String)>,
    pub(super) querystring: Vec<(String, String)>,
    pub(super) header: Vec<(String, String)>,
}

/// What templates have set below `$context.requestOverride` and `$context.responseOverride`, by those names.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    values: BTreeMap<String, String>,
}

/// Why a template gives no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The body is asked for as JSON, and is none.
    Body,
    Template(String),
}

impl Template {
    /// What is no template here is refused with its place.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > BYTES_MAX {
            return Err(format!("the template is longer than {BYTES_MAX} bytes"));
        }
        let nodes = parse::parse(text).and_then(|nodes| {
            check::check(&nodes)?;
            Ok(nodes)
        });
        match nodes {
            Ok(nodes) => Ok(Self { nodes }),
            Err(Unreadable { at, reason }) => {
                let (line, column) = place(text, at);
                Err(format!("{reason} (line {line}, column {column})"))
            }
        }
    }

    /// The text, where it is the same for every request.
    pub(super) fn literal(&self) -> Option<&str> {
        match self.nodes.as_slice() {
            [] => Some(""),
            [Node::Text(text)] => Some(text),
            _ => None,
        }
    }

    pub(super) fn render(
        &self,
        scope: &Scope<'_>,
        overrides: &mut Overrides,
    ) -> Result<String, Failure> {
        Machine::new(scope, overrides).run(&self.nodes)
    }
}

impl Overrides {
    /// The status that a template gave the answer.
    pub(super) fn status(&self) -> Option<&str> {
        self.values
            .get("responseOverride.status")
            .map(String::as_str)
    }

    /// The headers that a template gave the answer.
    pub(super) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().filter_map(|(name, value)| {
            Some((
                name.strip_prefix("responseOverride.header.")?,
                value.as_str(),
            ))
        })
    }
}

/// Line and column, counted from one.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    (line, column)
}
