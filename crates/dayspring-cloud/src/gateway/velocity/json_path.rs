//! JSONPath, as far as API Gateway's users write it: members, indexes, `*`, slices and `..`. Filters and functions are
//! refused.

use super::Failure;
use super::budget::{Budget, VALUE_BYTES};
use super::value::{List, Value};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JsonPath {
    steps: Vec<PathStep>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PathStep {
    Member(String),
    /// From the end, where it is negative.
    Index(i64),
    Every,
    Slice(Option<i64>, Option<i64>),
    /// Everything below, and what is asked for there.
    Below,
}

/// How many values `..` looks at.
const BELOW_MAX: usize = 100_000;

impl JsonPath {
    /// `$.a[0]['b c']..d[*]`. The dollar sign may be missing, as in `$input.json('a')`.
    pub(super) fn parse(path: &str) -> Result<Self, String> {
        let refused = || format!("this cloud cannot read the JSONPath `{path}`");
        let mut rest = path.trim();
        let mut steps = Vec::new();
        match rest.strip_prefix('$') {
            Some(after) => rest = after,
            None if rest.starts_with(['.', '[']) => return Err(refused()),
            None => {
                let (name, after) = member(rest);
                if name.is_empty() {
                    return Err(refused());
                }
                steps.push(PathStep::Member(name.to_owned()));
                rest = after;
            }
        }
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('[') {
                let (inside, after) = bracket(after).ok_or_else(refused)?;
                steps.push(in_brackets(inside).ok_or_else(refused)?);
                rest = after;
                continue;
            }
            let after = rest.strip_prefix('.').ok_or_else(refused)?;
            let after = match after.strip_prefix('.') {
                Some(after) => {
                    steps.push(PathStep::Below);
                    after
                }
                None => after,
            };
            rest = match after.strip_prefix('*') {
                Some(after) => {
                    steps.push(PathStep::Every);
                    after
                }
                None if after.starts_with('[') && steps.last() == Some(&PathStep::Below) => after,
                None => {
                    let (name, after) = member(after);
                    if name.is_empty() || after.starts_with('(') {
                        return Err(refused());
                    }
                    steps.push(PathStep::Member(name.to_owned()));
                    after
                }
            };
        }
        Ok(Self { steps })
    }

    /// One value where the path can name one only, else a list of all that it names.
    pub(super) fn find(&self, root: &Value, budget: &Budget) -> Result<Option<Value>, Failure> {
        let names_one = |step: &PathStep| matches!(step, PathStep::Member(_) | PathStep::Index(_));
        let is_definite = self.steps.iter().all(names_one);
        let mut found = vec![root.clone()];
        for step in &self.steps {
            let mut below = Vec::new();
            for value in &found {
                budget.spend(value.bytes())?;
                let reached = step.from(value);
                budget.spend(reached.len() * VALUE_BYTES)?;
                below.extend(reached);
            }
            found = below;
        }
        if is_definite {
            return Ok(found.pop());
        }
        let Value::List(list) = Value::list(found) else {
            return Ok(None);
        };
        Ok(Some(Value::List(List {
            is_json: true,
            ..list
        })))
    }
}

impl PathStep {
    fn from(&self, value: &Value) -> Vec<Value> {
        match (self, value) {
            (Self::Member(name), Value::Map(entries)) => {
                let entries = entries.borrow();
                let found = entries.iter().find(|(known, _)| **known == **name);
                found.map(|(_, value)| value.clone()).into_iter().collect()
            }
            (Self::Index(index), Value::List(list)) => {
                let items = list.items.borrow();
                let index = from_end(*index, items.len());
                items.get(index).cloned().into_iter().collect()
            }
            (Self::Slice(from, to), Value::List(list)) => {
                let items = list.items.borrow();
                let from = from.map_or(0, |from| from_end(from, items.len()));
                let to = to.map_or(items.len(), |to| from_end(to, items.len()));
                items
                    .get(from..to.min(items.len()))
                    .unwrap_or_default()
                    .to_vec()
            }
            (Self::Every, _) => children(value),
            (Self::Below, _) => {
                let mut all = vec![value.clone()];
                let mut next = 0;
                // Not for ever: a template may have put a value into itself.
                while let Some(value) = all.get(next).cloned().filter(|_| next < BELOW_MAX) {
                    all.extend(children(&value));
                    next += 1;
                }
                all
            }
            _ => Vec::new(),
        }
    }
}

fn children(value: &Value) -> Vec<Value> {
    match value {
        Value::List(list) => list.items.borrow().clone(),
        Value::Map(entries) => {
            let entries = entries.borrow();
            entries.iter().map(|(_, value)| value.clone()).collect()
        }
        _ => Vec::new(),
    }
}

fn from_end(index: i64, length: usize) -> usize {
    usize::try_from(index).unwrap_or_else(|_| {
        let back = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
        length.saturating_sub(back)
    })
}

/// A name without brackets, and what follows it.
fn member(text: &str) -> (&str, &str) {
    let end = text.find(['.', '[', '(', ' ']).unwrap_or(text.len());
    text.split_at(end)
}

/// What is between the brackets, quotes taken care of, and what follows.
fn bracket(text: &str) -> Option<(&str, &str)> {
    let quote = text
        .chars()
        .next()
        .filter(|first| matches!(first, '\'' | '"'));
    let end = match quote {
        Some(quote) => text.find(&format!("{quote}]"))? + 1,
        None => text.find(']')?,
    };
    let (inside, after) = text.split_at(end);
    Some((inside, after.strip_prefix(']')?))
}

fn in_brackets(inside: &str) -> Option<PathStep> {
    for quote in ['\'', '"'] {
        let quoted = inside.strip_prefix(quote);
        if let Some(name) = quoted.and_then(|name| name.strip_suffix(quote)) {
            let is_one = !name.is_empty() && !name.contains(quote);
            return is_one.then(|| PathStep::Member(name.to_owned()));
        }
    }
    if inside == "*" {
        return Some(PathStep::Every);
    }
    let number = |text: &str| text.trim().parse::<i64>().ok();
    let Some((from, to)) = inside.split_once(':') else {
        return number(inside).map(PathStep::Index);
    };
    let bound = |text: &str| match text.trim() {
        "" => Some(None),
        text => number(text).map(Some),
    };
    Some(PathStep::Slice(bound(from)?, bound(to)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &str) {
        let root = r#"{"a":{"b c":1,"d":[{"e":1},{"e":2},{"e":3}]},"e":0,"n":null}"#;
        let root = Value::from_json(serde_json::from_str(root).unwrap());
        let found = JsonPath::parse(path)
            .unwrap()
            .find(&root, &Budget::default())
            .unwrap();
        let text = found.map_or("-".to_owned(), |value| {
            value.to_json(&Budget::default()).unwrap().to_string()
        });
        assert_eq!(text, expected, "{path}");
    }

    #[test]
    fn a_path_that_names_one_value_gives_it() {
        check("$.a['b c']", "1");
        check("$.a.d[0]", r#"{"e":1}"#);
        check("$['a'][\"d\"][-1].e", "3");
        check("e", "0");
        check("$.n", "null");
        check("$.a.x", "-");
        check("$.a.d[7].e", "-");
    }

    #[test]
    fn a_path_that_may_name_more_gives_a_list() {
        check("$.a.d[*].e", "[1,2,3]");
        check("$.a.d[0:2].e", "[1,2]");
        check("$.a.d[-1:].e", "[3]");
        check("$..e", "[0,1,2,3]");
        check("$.a.d.*", r#"[{"e":1},{"e":2},{"e":3}]"#);
        check("$.x[*]", "[]");
    }

    #[test]
    fn what_is_no_path_here_is_refused() {
        for path in [
            "",
            ".a",
            "$a",
            "$.",
            "$.a[",
            "$.a[?(@.b)]",
            "$.a.length()",
            "$['a','b']",
            "$.a[x]",
        ] {
            assert!(JsonPath::parse(path).is_err(), "{path}");
        }
    }
}
