//! What a template asks for that is not there: found when the template is read, because Velocity itself passes over it
//! in silence.

use std::collections::BTreeSet;

use super::json_path::JsonPath;
use super::methods::METHODS;
use super::syntax::{Expression, Node, Reference, Step, Unreadable};
use super::util;

const INPUT_FUNCTIONS: [&str; 3] = ["json", "params", "path"];

/// These are there without being set.
const GIVEN: [&str; 4] = ["context", "input", "stageVariables", "util"];

pub(super) fn check(nodes: &[Node]) -> Result<(), Unreadable> {
    let mut names = BTreeSet::from(GIVEN.map(str::to_owned));
    collect_names(nodes, &mut names);
    Checker { names }.block(nodes)
}

/// The names that are set anywhere.
fn collect_names(nodes: &[Node], names: &mut BTreeSet<String>) {
    for node in nodes {
        match node {
            Node::Set { target, .. } => {
                names.insert(target.name.clone());
            }
            Node::If {
                branches,
                otherwise,
            } => {
                for (_, nodes) in branches {
                    collect_names(nodes, names);
                }
                collect_names(otherwise, names);
            }
            Node::Foreach { name, body, .. } => {
                names.extend([
                    name.clone(),
                    "foreach".to_owned(),
                    "velocityCount".to_owned(),
                ]);
                collect_names(body, names);
            }
            Node::Text(_) | Node::Reference(_) | Node::Break | Node::Stop => {}
        }
    }
}

struct Checker {
    names: BTreeSet<String>,
}

impl Checker {
    fn block(&self, nodes: &[Node]) -> Result<(), Unreadable> {
        nodes.iter().try_for_each(|node| self.node(node))
    }

    fn node(&self, node: &Node) -> Result<(), Unreadable> {
        match node {
            Node::Text(_) | Node::Break | Node::Stop => Ok(()),
            Node::Reference(reference) => {
                if !reference.quiet && !self.names.contains(&reference.name) {
                    return Err(Unreadable {
                        at: reference.at,
                        reason: format!(
                            "`${name}` is set nowhere in the template; write `$!{name}` for nothing, or `#[[${name}]]#` for the text",
                            name = reference.name
                        ),
                    });
                }
                self.reference(reference)
            }
            Node::Set { target, value } => {
                self.target(target)?;
                self.expression(value)
            }
            Node::If {
                branches,
                otherwise,
            } => {
                for (condition, nodes) in branches {
                    self.expression(condition)?;
                    self.block(nodes)?;
                }
                self.block(otherwise)
            }
            Node::Foreach { list, body, .. } => {
                self.expression(list)?;
                self.block(body)
            }
        }
    }

    fn target(&self, target: &Reference) -> Result<(), Unreadable> {
        let refused = |what: String| Unreadable {
            at: target.at,
            reason: what,
        };
        let first = target.steps.first();
        let overrides = matches!(first, Some(Step::Property(name)) if name == "requestOverride" || name == "responseOverride");
        match target.name.as_str() {
            "context" if !overrides => Err(refused(
                "of `$context` only `requestOverride` and `responseOverride` can be set".to_owned(),
            )),
            name if name != "context" && GIVEN.contains(&name) => {
                Err(refused(format!("`${name}` cannot be set")))
            }
            _ => self.reference(target),
        }
    }

    fn reference(&self, reference: &Reference) -> Result<(), Unreadable> {
        for (index, step) in reference.steps.iter().enumerate() {
            match step {
                Step::Property(name) => {
                    let is_unknown = match reference.name.as_str() {
                        "input" => index == 0 && name != "body",
                        "util" => index == 0,
                        _ => name == "class",
                    };
                    if is_unknown {
                        return Err(unknown(reference, reference.at, name));
                    }
                }
                Step::Index(index) => self.expression(index)?,
                Step::Call {
                    method,
                    arguments,
                    at,
                } => {
                    let known: &[&str] = match (reference.name.as_str(), index) {
                        ("input", 0) => &INPUT_FUNCTIONS,
                        ("util", 0) => &util::FUNCTIONS,
                        _ => &METHODS,
                    };
                    if !known.contains(&method.as_str()) {
                        return Err(unknown(reference, *at, method));
                    }
                    if reference.name == "input" && index == 0 && method != "params" {
                        check_path(arguments, *at)?;
                    }
                    arguments
                        .iter()
                        .try_for_each(|argument| self.expression(argument))?;
                }
            }
        }
        Ok(())
    }

    fn expression(&self, expression: &Expression) -> Result<(), Unreadable> {
        match expression {
            Expression::Bool(_)
            | Expression::Integer(_)
            | Expression::Float(_)
            | Expression::Text(_) => Ok(()),
            Expression::Template(nodes) => self.block(nodes),
            Expression::List(items) => items.iter().try_for_each(|item| self.expression(item)),
            Expression::Map(entries) => entries.iter().try_for_each(|(key, value)| {
                self.expression(key)?;
                self.expression(value)
            }),
            // Nothing is a value: `#if($x != $null)`.
            Expression::Reference(reference) => self.reference(reference),
            Expression::Not(denied) => self.expression(denied),
            Expression::Range(one, other) => {
                self.expression(one)?;
                self.expression(other)
            }
            Expression::Chain(first, rest) => {
                self.expression(first)?;
                rest.iter().try_for_each(|(_, part)| self.expression(part))
            }
            Expression::All(parts) | Expression::Any(parts) => {
                parts.iter().try_for_each(|part| self.expression(part))
            }
        }
    }
}

/// A path that is written out is read here already.
fn check_path(arguments: &[Expression], at: usize) -> Result<(), Unreadable> {
    match arguments {
        [Expression::Text(path)] => JsonPath::parse(path)
            .map(drop)
            .map_err(|reason| Unreadable { at, reason }),
        _ => Ok(()),
    }
}

fn unknown(reference: &Reference, at: usize, name: &str) -> Unreadable {
    Unreadable {
        at,
        reason: format!(
            "this cloud does not have `{name}` of `${}` in templates",
            reference.name
        ),
    }
}
