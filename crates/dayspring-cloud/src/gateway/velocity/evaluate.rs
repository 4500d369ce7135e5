//! A template at work.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::arithmetic::compute;
use super::budget::Budget;
use super::json_path::JsonPath;
use super::syntax::{Expression, Node, Reference, Step};
use super::value::{Kept, Round, Value};
use super::{Failure, Overrides, Parameters, Scope, methods, util};

/// What a template may do before it is taken for one that does not end.
const STEPS_MAX: usize = 1_000_000;

/// What API Gateway lets a loop go round:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>.
const ROUNDS_MAX: usize = 1_000;

/// A payload's length on AWS.
const OUTPUT_BYTES_MAX: usize = 10_485_760;

/// What follows a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Stop,
}

pub(super) struct Machine<'a> {
    scope: &'a Scope<'a>,
    overrides: &'a mut Overrides,
    variables: HashMap<String, Value>,
    /// The body as JSON, once somebody asks for it.
    body: OnceCell<Value>,
    parameters: OnceCell<Value>,
    steps: usize,
    budget: Budget,
    kept: Kept,
}

impl<'a> Machine<'a> {
    pub(super) fn new(scope: &'a Scope<'a>, overrides: &'a mut Overrides) -> Self {
        Self {
            scope,
            overrides,
            variables: HashMap::new(),
            body: OnceCell::new(),
            parameters: OnceCell::new(),
            steps: 0,
            budget: Budget::default(),
            kept: Kept::default(),
        }
    }

    pub(super) fn run(&mut self, nodes: &[Node]) -> Result<String, Failure> {
        let mut output = String::new();
        self.block(nodes, &mut output)?;
        Ok(output)
    }

    fn block(&mut self, nodes: &[Node], output: &mut String) -> Result<Flow, Failure> {
        for node in nodes {
            let flow = self.node(node, output)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, node: &Node, output: &mut String) -> Result<Flow, Failure> {
        self.count(output.len())?;
        match node {
            Node::Text(text) => output.push_str(text),
            Node::Reference(reference) => {
                let value = self.reference(reference)?;
                if !matches!(value, Value::Null) {
                    output.push_str(&value.render(&self.budget)?);
                }
            }
            Node::Set { target, value } => {
                let value = self.expression(value)?;
                // Nothing is not set, as in Velocity.
                if !matches!(value, Value::Null) {
                    self.set(target, value)?;
                }
            }
            Node::If {
                branches,
                otherwise,
            } => {
                for (condition, nodes) in branches {
                    if self.is_true(condition)? {
                        return self.block(nodes, output);
                    }
                }
                return self.block(otherwise, output);
            }
            Node::Foreach { name, list, body } => return self.foreach(name, list, body, output),
            Node::Break => return Ok(Flow::Break),
            Node::Stop => return Ok(Flow::Stop),
        }
        Ok(Flow::On)
    }

    fn count(&mut self, output_bytes: usize) -> Result<(), Failure> {
        self.count_steps(1, output_bytes)
    }

    fn count_steps(&mut self, steps: usize, output_bytes: usize) -> Result<(), Failure> {
        self.steps += steps;
        if self.steps > STEPS_MAX || output_bytes > OUTPUT_BYTES_MAX {
            return Err(Failure::Template(
                "the template does not come to an end".to_owned(),
            ));
        }
        Ok(())
    }

    fn foreach(
        &mut self,
        name: &str,
        list: &Expression,
        body: &[Node],
        output: &mut String,
    ) -> Result<Flow, Failure> {
        let items = match self.expression(list)? {
            Value::List(list) => list.items.borrow().clone(),
            // A map gives its values.
            Value::Map(entries) => {
                let entries = entries.borrow();
                entries.iter().map(|(_, value)| value.clone()).collect()
            }
            _ => Vec::new(),
        };
        let hidden =
            [name, "foreach", "velocityCount"].map(|name| (name, self.variables.remove(name)));
        let length = items.len();
        self.count_steps(length, output.len())?;
        let mut flow = Flow::On;
        for (index, item) in items.into_iter().take(ROUNDS_MAX).enumerate() {
            let round = Round {
                index,
                has_next: index + 1 < length,
            };
            let count = Value::Integer(methods::to_integer(index + 1));
            self.variables.insert(name.to_owned(), item);
            self.variables
                .insert("foreach".to_owned(), Value::Round(round));
            self.variables.insert("velocityCount".to_owned(), count);
            flow = self.block(body, output)?;
            if flow != Flow::On {
                break;
            }
        }
        for (name, value) in hidden {
            match value {
                Some(value) => self.variables.insert(name.to_owned(), value),
                None => self.variables.remove(name),
            };
        }
        Ok(if flow == Flow::Stop { flow } else { Flow::On })
    }

    fn set(&mut self, target: &Reference, value: Value) -> Result<(), Failure> {
        if let Value::Text(text) = &value {
            self.count(text.len())?;
        }
        let Some((last, before)) = target.steps.split_last() else {
            self.variables.insert(target.name.clone(), value);
            return Ok(());
        };
        let mut holder = self.root(&target.name)?;
        for step in before {
            holder = self.step(&holder, step)?;
        }
        let key = match last {
            Step::Property(name) => Value::text(name),
            Step::Index(index) => self.expression(index)?,
            Step::Call { .. } => return Ok(()),
        };
        if let Value::Context(names) = &holder {
            let name = format!("{names}.{}", key.render(&self.budget)?);
            self.overrides
                .values
                .insert(name, value.render(&self.budget)?);
            return Ok(());
        }
        self.budget.spend(holder.bytes())?;
        methods::put(&holder, &key, value, &self.budget)
    }

    fn reference(&mut self, reference: &Reference) -> Result<Value, Failure> {
        let mut value = self.root(&reference.name)?;
        for step in &reference.steps {
            if matches!(value, Value::Null) {
                return Ok(value);
            }
            value = self.step(&value, step)?;
        }
        Ok(match value {
            Value::Context(names) => self.context(&names),
            other => other,
        })
    }

    fn root(&mut self, name: &str) -> Result<Value, Failure> {
        if let Some(value) = self.variables.get(name) {
            return Ok(value.clone());
        }
        Ok(match name {
            "input" => Value::Input,
            "util" => Value::Util,
            "context" => Value::Context("".into()),
            "stageVariables" => {
                let variables = self.scope.stage_variables.iter();
                let entry =
                    |(name, value): (&String, &String)| (name.as_str().into(), Value::text(value));
                let map = Value::map(variables.map(entry).collect());
                self.kept.keep(map)
            }
            _ => Value::Null,
        })
    }

    fn step(&mut self, value: &Value, step: &Step) -> Result<Value, Failure> {
        self.count(0)?;
        self.budget.spend(value.bytes())?;
        let given = self.taken(value, step)?;
        self.budget.spend(given.bytes())?;
        Ok(given)
    }

    fn taken(&mut self, value: &Value, step: &Step) -> Result<Value, Failure> {
        match step {
            Step::Property(name) => self.property(value, name),
            Step::Index(index) => {
                let index = self.expression(index)?;
                match value {
                    Value::Context(_) => {
                        let name = index.render(&self.budget)?;
                        self.property(value, &name)
                    }
                    _ => methods::index(value, &index, &self.budget),
                }
            }
            Step::Call {
                method, arguments, ..
            } => {
                let arguments: Vec<Value> = arguments
                    .iter()
                    .map(|argument| self.expression(argument))
                    .collect::<Result<_, _>>()?;
                let given = match value {
                    Value::Input => return self.input(method, &arguments),
                    Value::Util => {
                        let given = util::call(method, &arguments, &self.budget)?;
                        return Ok(self.kept.keep_all(given));
                    }
                    Value::Context(names) if method == "get" => {
                        let name = arguments
                            .first()
                            .map(|argument| argument.render(&self.budget))
                            .transpose()?;
                        let names = Value::Context(Rc::clone(names));
                        return self.property(&names, &name.unwrap_or_default());
                    }
                    Value::Context(names) => {
                        methods::call(&self.context(names), method, &arguments, &self.budget)
                    }
                    _ => methods::call(value, method, &arguments, &self.budget),
                };
                Ok(self.kept.keep(given?))
            }
        }
    }

    fn property(&mut self, value: &Value, name: &str) -> Result<Value, Failure> {
        Ok(match value {
            Value::Context(names) if names.is_empty() => Value::Context(name.into()),
            Value::Context(names) => Value::Context(format!("{names}.{name}").into()),
            Value::Input if name == "body" => Value::text(self.body_text()),
            _ => methods::property(value, name),
        })
    }

    /// A variable of the context, or nothing.
    fn context(&self, names: &str) -> Value {
        let overridden = self
            .overrides
            .values
            .get(names)
            .map(|value| Value::text(value));
        overridden
            .or_else(|| (self.scope.context)(names).map(|value| Value::text(&value)))
            .unwrap_or(Value::Null)
    }

    /// An empty body is an empty object.
    fn body_text(&self) -> &'a str {
        let body = self.scope.body;
        if body.trim().is_empty() { "{}" } else { body }
    }

    fn input(&mut self, function: &str, arguments: &[Value]) -> Result<Value, Failure> {
        let argument = arguments
            .first()
            .map(|argument| argument.render(&self.budget))
            .transpose()?;
        match (function, argument) {
            ("params", None) => Ok(self.parameters()),
            ("params", Some(name)) => Ok(self.parameter(&name)),
            ("path", Some(path)) => Ok(self.find(&path)?.unwrap_or(Value::Null)),
            ("json", Some(path)) => {
                let found = self.find(&path)?;
                let json =
                    found.map_or_else(|| Ok("".into()), |value| value.to_json(&self.budget))?;
                Ok(Value::text(&json.to_string()))
            }
            _ => Ok(Value::Null),
        }
    }

    fn find(&mut self, path: &str) -> Result<Option<Value>, Failure> {
        let path = JsonPath::parse(path).map_err(Failure::Template)?;
        if self.body.get().is_none() {
            let json = serde_json::from_str(self.body_text()).map_err(|_| Failure::Body)?;
            let body = self.kept.keep_all(Value::from_json(json));
            self.body.get_or_init(|| body);
        }
        let found = match self.body.get() {
            Some(body) => path.find(body, &self.budget)?,
            None => None,
        };
        Ok(found.map(|value| self.kept.keep(value)))
    }

    /// By kind: what the request has in its path, its query and its headers.
    fn parameters(&mut self) -> Value {
        if let Some(known) = self.parameters.get() {
            return known.clone();
        }
        let map = |entries: Vec<(String, String)>| {
            let entries = entries.into_iter();
            Value::map(
                entries
                    .map(|(name, value)| (name.into(), Value::text(&value)))
                    .collect(),
            )
        };
        let Parameters {
            path,
            querystring,
            header,
        } = (self.scope.parameters)();
        let parameters = self.kept.keep_all(Value::map(vec![
            ("path".into(), map(path)),
            ("querystring".into(), map(querystring)),
            ("header".into(), map(header)),
        ]));
        self.parameters.get_or_init(|| parameters).clone()
    }

    /// From the path, the query or the headers, in this order.
    fn parameter(&mut self, name: &str) -> Value {
        let parameters = self.parameters();
        let found = ["path", "querystring", "header"]
            .into_iter()
            .map(|kind| methods::property(&methods::property(&parameters, kind), name))
            .find(|value| !matches!(value, Value::Null));
        found.unwrap_or_else(|| Value::text(""))
    }

    fn expression(&mut self, expression: &Expression) -> Result<Value, Failure> {
        self.count(0)?;
        Ok(match expression {
            Expression::Bool(value) => Value::Bool(*value),
            Expression::Integer(number) => Value::Integer(*number),
            Expression::Float(number) => Value::Float(*number),
            Expression::Text(text) => Value::text(text),
            Expression::Template(nodes) => {
                let mut text = String::new();
                self.block(nodes, &mut text)?;
                self.budget.spend(text.len())?;
                Value::text(&text)
            }
            Expression::List(items) => {
                let items = items.iter().map(|item| self.expression(item));
                let list = Value::list(items.collect::<Result<_, _>>()?);
                self.kept.keep(list)
            }
            Expression::Range(first, last) => self.range(first, last)?,
            Expression::Map(entries) => {
                let map = self.kept.keep(Value::map(Vec::new()));
                for (key, value) in entries {
                    let (key, value) = (self.expression(key)?, self.expression(value)?);
                    self.budget.spend(map.bytes())?;
                    methods::put(&map, &key, value, &self.budget)?;
                }
                map
            }
            Expression::Reference(reference) => self.reference(reference)?,
            Expression::Not(_) | Expression::All(_) | Expression::Any(_) => {
                Value::Bool(self.is_true(expression)?)
            }
            Expression::Chain(first, rest) => {
                let mut value = self.expression(first)?;
                for (operator, other) in rest {
                    let other = self.expression(other)?;
                    value = compute(*operator, &value, &other, &self.budget)?;
                    self.budget.spend(value.bytes())?;
                }
                value
            }
        })
    }

    /// As the engine has it: texts, numbers, lists and maps that are written out are not true.
    fn is_true(&mut self, expression: &Expression) -> Result<bool, Failure> {
        Ok(match expression {
            Expression::Bool(value) => *value,
            Expression::Reference(reference) => self.reference(reference)?.is_true(),
            Expression::Not(denied) => !self.is_true(denied)?,
            Expression::All(parts) => {
                for part in parts {
                    if !self.is_true(part)? {
                        return Ok(false);
                    }
                }
                true
            }
            Expression::Any(parts) => {
                for part in parts {
                    if self.is_true(part)? {
                        return Ok(true);
                    }
                }
                false
            }
            Expression::Chain(..) => matches!(self.expression(expression)?, Value::Bool(true)),
            _ => false,
        })
    }

    fn range(&mut self, first: &Expression, last: &Expression) -> Result<Value, Failure> {
        let (first, last) = (self.expression(first)?, self.expression(last)?);
        let (Value::Integer(first), Value::Integer(last)) = (first, last) else {
            return Ok(Value::Null);
        };
        let length = usize::try_from(first.abs_diff(last)).unwrap_or(usize::MAX);
        self.count_steps(length.min(STEPS_MAX), 0)?;
        let numbers: Vec<Value> = if first <= last {
            (first..=last).map(Value::Integer).collect()
        } else {
            (last..=first)
                .rev()
                .take(STEPS_MAX)
                .map(Value::Integer)
                .collect()
        };
        Ok(self.kept.keep(Value::list(numbers)))
    }
}
