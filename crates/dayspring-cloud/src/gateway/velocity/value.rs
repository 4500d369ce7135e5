//! What a template computes with: Java's values, as far as they can be seen in a template.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;

use serde_json::{Map, Number, Value as Json};

use super::Failure;
use super::budget::{Budget, VALUE_BYTES};

/// Values within each other. A list may have been put into itself.
const DEPTH_MAX: usize = 128;

#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Rc<str>),
    List(List),
    Map(Entries),
    /// One of a map's `entrySet()`: the map and the key.
    Entry(Entries, Rc<str>),
    /// `$foreach`.
    Round(Round),
    /// `$input`.
    Input,
    /// `$util`.
    Util,
    /// `$context`, or what is below it: the names, with full stops between.
    Context(Rc<str>),
}

#[derive(Debug, Clone)]
pub(super) struct List {
    pub(super) items: Rc<RefCell<Vec<Value>>>,
    /// It was read from JSON, and is written so.
    pub(super) is_json: bool,
}

pub(super) type Entries = Rc<RefCell<Vec<(Rc<str>, Value)>>>;

/// Where a loop is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round {
    pub(super) index: usize,
    pub(super) has_next: bool,
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::List(List {
            items: Rc::new(RefCell::new(items)),
            is_json: false,
        })
    }

    pub(super) fn map(entries: Vec<(Rc<str>, Self)>) -> Self {
        Self::Map(Rc::new(RefCell::new(entries)))
    }

    pub(super) fn from_json(json: Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => number.as_i64().map_or_else(
                || Self::Float(number.as_f64().unwrap_or_default()),
                Self::Integer,
            ),
            Json::String(text) => Self::Text(text.into()),
            Json::Array(items) => Self::List(List {
                items: Rc::new(RefCell::new(
                    items.into_iter().map(Self::from_json).collect(),
                )),
                is_json: true,
            }),
            Json::Object(members) => {
                let entries = members.into_iter();
                Self::map(
                    entries
                        .map(|(name, value)| (name.into(), Self::from_json(value)))
                        .collect(),
                )
            }
        }
    }

    /// As JSON; what JSON has no word for is its text.
    pub(super) fn to_json(&self, budget: &Budget) -> Result<Json, Failure> {
        self.to_json_within(0, budget)
    }

    fn to_json_within(&self, depth: usize, budget: &Budget) -> Result<Json, Failure> {
        check_depth(depth)?;
        budget.spend(self.bytes())?;
        Ok(match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Integer(number) => Json::from(*number),
            Self::Float(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
            Self::Text(text) => Json::from(&**text),
            Self::List(list) => {
                let items = list.items.borrow();
                let items = items
                    .iter()
                    .map(|item| item.to_json_within(depth + 1, budget));
                Json::Array(items.collect::<Result<_, _>>()?)
            }
            Self::Map(entries) => {
                let mut members = Map::new();
                for (name, value) in entries.borrow().iter() {
                    members.insert(name.to_string(), value.to_json_within(depth + 1, budget)?);
                }
                Json::Object(members)
            }
            Self::Entry(..) | Self::Round(_) | Self::Input | Self::Util | Self::Context(_) => {
                Json::from(self.render(budget)?)
            }
        })
    }

    /// As it is written: Java's `toString`. Maps are `{a=1}`, lists that were read from JSON are JSON.
    pub(super) fn render(&self, budget: &Budget) -> Result<String, Failure> {
        let mut text = String::new();
        self.render_to(&mut text, 0, budget)?;
        Ok(text)
    }

    fn render_to(&self, to: &mut String, depth: usize, budget: &Budget) -> Result<(), Failure> {
        check_depth(depth)?;
        budget.spend(self.bytes())?;
        match self {
            Self::Null => to.push_str("null"),
            Self::Bool(value) => write_to(to, value),
            Self::Integer(number) => write_to(to, number),
            Self::Float(number) => to.push_str(&java_float(*number)),
            Self::Text(text) => to.push_str(text),
            Self::List(list) if list.is_json => write_to(to, &self.to_json_within(depth, budget)?),
            Self::List(list) => {
                to.push('[');
                for (index, item) in list.items.borrow().iter().enumerate() {
                    to.push_str(if index == 0 { "" } else { ", " });
                    item.render_to(to, depth + 1, budget)?;
                }
                to.push(']');
            }
            Self::Map(entries) => {
                to.push('{');
                for (index, (name, value)) in entries.borrow().iter().enumerate() {
                    to.push_str(if index == 0 { "" } else { ", " });
                    to.push_str(name);
                    to.push('=');
                    value.render_to(to, depth + 1, budget)?;
                }
                to.push('}');
            }
            Self::Entry(map, key) => {
                to.push_str(key);
                to.push('=');
                value_of(map, key).render_to(to, depth + 1, budget)?;
            }
            Self::Round(_) | Self::Input | Self::Util | Self::Context(_) => {}
        }
        Ok(())
    }

    /// What it takes by itself, roughly.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => VALUE_BYTES + text.len(),
            Self::List(list) => VALUE_BYTES * (1 + list.items.borrow().len()),
            Self::Map(entries) | Self::Entry(entries, _) => {
                VALUE_BYTES * (1 + entries.borrow().len())
            }
            _ => VALUE_BYTES,
        }
    }

    /// Only nothing and `false` are not.
    pub(super) fn is_true(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }

    pub(super) fn as_float(&self) -> Option<f64> {
        match self {
            #[expect(
                clippy::cast_precision_loss,
                reason = "what is compared with a fraction is a small number"
            )]
            Self::Integer(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// An index into a list or a text.
    pub(super) fn as_index(&self) -> Option<usize> {
        match self {
            Self::Integer(number) => usize::try_from(*number).ok(),
            _ => None,
        }
    }

    /// What is of one kind is compared by its value, numbers of both kinds by theirs, all else by what is written.
    pub(super) fn equals(&self, other: &Self, budget: &Budget) -> Result<bool, Failure> {
        Ok(match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Null, _) | (_, Self::Null) => false,
            (Self::Integer(one), Self::Integer(other)) => one == other,
            _ => match (self.as_float(), other.as_float()) {
                (Some(one), Some(other)) => one.total_cmp(&other).is_eq(),
                _ => self.render(budget)? == other.render(budget)?,
            },
        })
    }
}

/// The value of this name, or nothing.
pub(super) fn value_of(map: &Entries, name: &str) -> Value {
    let entries = map.borrow();
    let found = entries.iter().find(|(known, _)| **known == *name);
    found.map_or(Value::Null, |(_, value)| value.clone())
}

/// The lists and maps of a template at work. It empties them at the end, one by one: a chain of a million lists would be
/// more than the stack holds if each dropped the next, and a list within itself would stay for ever.
#[derive(Debug, Default)]
pub(super) struct Kept(Vec<Value>);

impl Kept {
    /// With all that is in it.
    pub(super) fn keep_all(&mut self, value: Value) -> Value {
        let mut next = self.0.len();
        self.keep(value.clone());
        while let Some(container) = self.0.get(next) {
            let inside: Vec<Value> = match container {
                Value::List(list) => list.items.borrow().clone(),
                Value::Map(entries) => entries
                    .borrow()
                    .iter()
                    .map(|(_, value)| value.clone())
                    .collect(),
                _ => Vec::new(),
            };
            for value in inside {
                self.keep(value);
            }
            next += 1;
        }
        value
    }

    /// Without what is in it: that is kept already.
    pub(super) fn keep(&mut self, value: Value) -> Value {
        if matches!(value, Value::List(_) | Value::Map(_)) {
            self.0.push(value.clone());
        }
        value
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        for value in &self.0 {
            match value {
                Value::List(list) => list.items.borrow_mut().clear(),
                Value::Map(entries) => entries.borrow_mut().clear(),
                _ => {}
            }
        }
    }
}

fn check_depth(depth: usize) -> Result<(), Failure> {
    if depth > DEPTH_MAX {
        return Err(Failure::Template("values are nested too deeply".to_owned()));
    }
    Ok(())
}

fn write_to(to: &mut String, value: &impl std::fmt::Display) {
    write!(to, "{value}").expect("a String takes what is written to it");
}

/// `1.0`, `2.5`, `1.0E10`: `Double.toString`.
fn java_float(number: f64) -> String {
    if number == 0.0 || (1e-3..1e7).contains(&number.abs()) {
        return format!("{number:?}");
    }
    let text = format!("{number:E}");
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text,
    }
}
