//! What can be asked of texts, lists, maps and numbers: Java's methods that templates use.

use std::rc::Rc;

use regex_lite::Regex;

use super::Failure;
use super::budget::Budget;
use super::value::{Entries, List, Round, Value, value_of};

/// Every method that some value has. Any other is refused when the template is read.
pub(super) const METHODS: [&str; 40] = [
    "add",
    "charAt",
    "concat",
    "contains",
    "containsKey",
    "containsValue",
    "endsWith",
    "entrySet",
    "equals",
    "equalsIgnoreCase",
    "get",
    "getKey",
    "getValue",
    "hasNext",
    "indexOf",
    "intValue",
    "isEmpty",
    "keySet",
    "lastIndexOf",
    "length",
    "matches",
    "put",
    "remove",
    "replace",
    "replaceAll",
    "replaceFirst",
    "set",
    "size",
    "split",
    "startsWith",
    "subList",
    "substring",
    "toLowerCase",
    "toString",
    "toUpperCase",
    "trim",
    "values",
    "index",
    "count",
    "doubleValue",
];

/// How long a text may become where each of its letters is replaced.
const REPLACED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What a method gives; nothing where the value has no such method, as in Velocity.
pub(super) fn call(
    value: &Value,
    method: &str,
    arguments: &[Value],
    budget: &Budget,
) -> Result<Value, Failure> {
    match (method, arguments) {
        ("toString", []) if value.is_true() || matches!(value, Value::Bool(_)) => {
            return Ok(Value::text(&value.render(budget)?));
        }
        ("equals", [other]) => return Ok(Value::Bool(value.equals(other, budget)?)),
        _ => {}
    }
    match value {
        Value::Text(text) => of_text(text, method, arguments, budget),
        Value::List(list) => of_list(list, method, arguments, budget),
        Value::Map(entries) => of_map(entries, method, arguments, budget),
        Value::Entry(map, key) => Ok(match method {
            "getKey" => Value::Text(Rc::clone(key)),
            "getValue" => value_of(map, key),
            _ => Value::Null,
        }),
        Value::Integer(_) | Value::Float(_) => Ok(of_number(value, method)),
        Value::Round(round) => Ok(of_round(*round, method)),
        Value::Null | Value::Bool(_) | Value::Input | Value::Util | Value::Context(_) => {
            Ok(Value::Null)
        }
    }
}

/// `.name`: a map's value, or what the name stands for.
pub(super) fn property(value: &Value, name: &str) -> Value {
    match (value, name) {
        (Value::Map(entries), name) => value_of(entries, name),
        (Value::Entry(_, key), "key") => Value::Text(Rc::clone(key)),
        (Value::Entry(map, key), "value") => value_of(map, key),
        (Value::Round(round), name) => of_round(*round, name),
        (Value::List(list), "empty") => Value::Bool(list.items.borrow().is_empty()),
        (Value::Text(text), "empty") => Value::Bool(text.is_empty()),
        _ => Value::Null,
    }
}

/// `[index]`
pub(super) fn index(value: &Value, index: &Value, budget: &Budget) -> Result<Value, Failure> {
    match value {
        Value::List(_) => call(value, "get", std::slice::from_ref(index), budget),
        Value::Map(entries) => Ok(value_of(entries, &index.render(budget)?)),
        _ => Ok(Value::Null),
    }
}

/// `#set($value.name = ...)` and `#set($value[index] = ...)`.
pub(super) fn put(value: &Value, key: &Value, new: Value, budget: &Budget) -> Result<(), Failure> {
    match value {
        Value::Map(_) => call(value, "put", &[key.clone(), new], budget).map(drop),
        Value::List(_) => call(value, "set", &[key.clone(), new], budget).map(drop),
        _ => Ok(()),
    }
}

fn of_text(
    text: &Rc<str>,
    method: &str,
    arguments: &[Value],
    budget: &Budget,
) -> Result<Value, Failure> {
    let texts: Vec<String> = arguments
        .iter()
        .map(|argument| argument.render(budget))
        .collect::<Result<_, _>>()?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    if matches!(method, "matches" | "replaceAll" | "replaceFirst" | "split") {
        // Each letter is held against each of the pattern's, one by one.
        let pattern = texts.first().map_or(0, |pattern| pattern.len());
        budget.spend(text.len().saturating_mul(pattern).saturating_mul(8))?;
    }
    let place = |found: Option<usize>| {
        let before = found.and_then(|found| text.get(..found));
        Value::Integer(before.map_or(-1, |before| to_integer(before.chars().count())))
    };
    Ok(match (method, texts.as_slice()) {
        ("length", []) => Value::Integer(to_integer(text.chars().count())),
        ("isEmpty", []) => Value::Bool(text.is_empty()),
        ("contains", [part]) => Value::Bool(text.contains(part)),
        ("startsWith", [part]) => Value::Bool(text.starts_with(part)),
        ("endsWith", [part]) => Value::Bool(text.ends_with(part)),
        ("equalsIgnoreCase", [other]) => Value::Bool(text.to_lowercase() == other.to_lowercase()),
        ("indexOf", [part]) => place(text.find(part)),
        ("lastIndexOf", [part]) => place(text.rfind(part)),
        ("toLowerCase", []) => Value::text(&text.to_lowercase()),
        ("toUpperCase", []) => Value::text(&text.to_uppercase()),
        ("trim", []) => Value::text(text.trim_matches(|letter: char| letter <= ' ')),
        ("concat", [other]) => Value::text(&format!("{text}{other}")),
        ("replace" | "replaceAll" | "replaceFirst", [from, to]) => {
            if text.len().saturating_mul(to.len() + 1) > REPLACED_BYTES_MAX {
                return Err(Failure::Template(format!(
                    "`{method}` makes too long a text"
                )));
            }
            Value::text(&match method {
                "replace" => text.replace(from, to).into(),
                "replaceAll" => regex(from)?.replace_all(text, java_replacement(to)),
                _ => regex(from)?.replace(text, java_replacement(to)),
            })
        }
        ("matches", [pattern]) => Value::Bool(regex(&format!("^(?:{pattern})$"))?.is_match(text)),
        ("split", [pattern]) => {
            let mut parts: Vec<Value> = regex(pattern)?.split(text).map(Value::text).collect();
            // Java leaves empty texts at the end out.
            while parts.len() > 1
                && matches!(parts.last(), Some(Value::Text(last)) if last.is_empty())
            {
                parts.pop();
            }
            Value::list(parts)
        }
        ("substring" | "charAt", [_, ..]) => {
            let from = arguments.first().and_then(Value::as_index);
            let to = match (method, arguments.get(1)) {
                ("charAt", _) => from.map(|from| from + 1),
                (_, Some(to)) => to.as_index(),
                (_, None) => Some(text.chars().count()),
            };
            let part = from
                .zip(to)
                .filter(|(from, to)| from <= to && *to <= text.chars().count());
            let (from, to) = part.ok_or_else(|| outside(method, text))?;
            let part: String = text.chars().skip(from).take(to - from).collect();
            Value::text(&part)
        }
        _ => Value::Null,
    })
}

fn of_list(
    list: &List,
    method: &str,
    arguments: &[Value],
    budget: &Budget,
) -> Result<Value, Failure> {
    let items = &list.items;
    let at = arguments.first().and_then(Value::as_index);
    let position = |wanted: &Value| -> Result<Option<usize>, Failure> {
        for (index, item) in items.borrow().iter().enumerate() {
            if item.equals(wanted, budget)? {
                return Ok(Some(index));
            }
        }
        Ok(None)
    };
    Ok(match (method, arguments) {
        ("size", []) => Value::Integer(to_integer(items.borrow().len())),
        ("isEmpty", []) => Value::Bool(items.borrow().is_empty()),
        ("contains", [wanted]) => Value::Bool(position(wanted)?.is_some()),
        ("indexOf", [wanted]) => Value::Integer(position(wanted)?.map_or(-1, to_integer)),
        ("add", [item]) => {
            items.borrow_mut().push(item.clone());
            Value::Bool(true)
        }
        ("get", [index]) => {
            let items = items.borrow();
            let item = at.and_then(|at| items.get(at)).cloned();
            item.ok_or_else(|| outside("get", &index.render(budget).unwrap_or_default()))?
        }
        ("set" | "remove", [index, ..]) => {
            let mut items = items.borrow_mut();
            let at = at.filter(|at| *at < items.len());
            let at =
                at.ok_or_else(|| outside(method, &index.render(budget).unwrap_or_default()))?;
            match (method, arguments.get(1)) {
                ("remove", None) => items.remove(at),
                ("set", Some(new)) => std::mem::replace(
                    items
                        .get_mut(at)
                        .expect("the index was held against the length"),
                    new.clone(),
                ),
                _ => Value::Null,
            }
        }
        ("subList", [_, to]) => {
            let items = items.borrow();
            let range = at.zip(to.as_index());
            let part = range.and_then(|(from, to)| items.get(from..to));
            Value::list(part.ok_or_else(|| outside(method, ""))?.to_vec())
        }
        _ => Value::Null,
    })
}

fn of_map(
    entries: &Entries,
    method: &str,
    arguments: &[Value],
    budget: &Budget,
) -> Result<Value, Failure> {
    let key = arguments
        .first()
        .map(|argument| argument.render(budget))
        .transpose()?
        .unwrap_or_default();
    Ok(match (method, arguments) {
        ("get", [_]) => value_of(entries, &key),
        ("containsKey", [_]) => {
            Value::Bool(entries.borrow().iter().any(|(name, _)| **name == *key))
        }
        ("containsValue", [wanted]) => {
            let mut found = false;
            for (_, value) in entries.borrow().iter() {
                found = found || value.equals(wanted, budget)?;
            }
            Value::Bool(found)
        }
        ("size", []) => Value::Integer(to_integer(entries.borrow().len())),
        ("isEmpty", []) => Value::Bool(entries.borrow().is_empty()),
        ("keySet", []) => {
            let entries = entries.borrow();
            Value::list(
                entries
                    .iter()
                    .map(|(name, _)| Value::Text(Rc::clone(name)))
                    .collect(),
            )
        }
        ("values", []) => Value::list(
            entries
                .borrow()
                .iter()
                .map(|(_, value)| value.clone())
                .collect(),
        ),
        ("entrySet", []) => {
            let entry =
                |(name, _): &(Rc<str>, Value)| Value::Entry(Rc::clone(entries), Rc::clone(name));
            Value::list(entries.borrow().iter().map(entry).collect())
        }
        ("put", [_, new]) => {
            let mut entries = entries.borrow_mut();
            match entries.iter_mut().find(|(name, _)| **name == *key) {
                Some((_, value)) => std::mem::replace(value, new.clone()),
                None => {
                    entries.push((key.into(), new.clone()));
                    Value::Null
                }
            }
        }
        ("remove", [_]) => {
            let mut entries = entries.borrow_mut();
            let found = entries.iter().position(|(name, _)| **name == *key);
            found.map_or(Value::Null, |index| entries.remove(index).1)
        }
        _ => Value::Null,
    })
}

fn of_number(value: &Value, method: &str) -> Value {
    match (value, method) {
        (Value::Integer(_), "intValue") | (Value::Float(_), "doubleValue") => value.clone(),
        (Value::Integer(_), "doubleValue") => value.as_float().map_or(Value::Null, Value::Float),
        (Value::Float(number), "intValue") => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "it is cut at the point and ends at the bounds, as in Java"
            )]
            let whole = *number as i64;
            Value::Integer(whole)
        }
        _ => Value::Null,
    }
}

fn of_round(round: Round, name: &str) -> Value {
    match name {
        "index" => Value::Integer(to_integer(round.index)),
        "count" => Value::Integer(to_integer(round.index + 1)),
        "hasNext" => Value::Bool(round.has_next),
        "first" => Value::Bool(round.index == 0),
        "last" => Value::Bool(!round.has_next),
        _ => Value::Null,
    }
}

fn regex(pattern: &str) -> Result<Regex, Failure> {
    Regex::new(pattern).map_err(|_| {
        Failure::Template(format!(
            "this cloud cannot read the regular expression `{pattern}`"
        ))
    })
}

/// Java's `$1` ends after the digits, and `\x` is `x`.
fn java_replacement(text: &str) -> String {
    let mut replacement = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('$') => replacement.push_str("$$"),
                Some(other) => replacement.push(other),
                None => {}
            },
            '$' => {
                let mut group = String::new();
                while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                    group.push(digit);
                }
                replacement.push_str(&if group.is_empty() {
                    "$$".to_owned()
                } else {
                    format!("${{{group}}}")
                });
            }
            other => replacement.push(other),
        }
    }
    replacement
}

fn outside(method: &str, what: &str) -> Failure {
    Failure::Template(format!(
        "`{method}` is asked for what is not there ({what})"
    ))
}

pub(super) fn to_integer(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
