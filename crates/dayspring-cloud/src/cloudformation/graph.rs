//! What refers to what: the references in a value, cycles, and the walk that provisions in dependency order.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use serde_json::Value;
use tokio::task::JoinSet;

/// Each name to the names that it depends on.
pub(super) type Edges = BTreeMap<String, BTreeSet<String>>;

/// How many resources are provisioned at once.
const CONCURRENCY_MAX: usize = 16;

/// The names that a value refers to by `Ref`, `Fn::GetAtt` and `Fn::Sub`: resources, parameters and pseudo parameters.
pub(super) fn references(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect(value, &mut names);
    names
}

fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        Value::Object(members) => {
            if members.len() == 1 {
                let (function, argument) = members.iter().next().expect("there is one member");
                match (function.as_str(), argument) {
                    ("Ref", Value::String(name)) => {
                        names.insert(name.clone());
                        return;
                    }
                    ("Fn::GetAtt", Value::String(path)) => {
                        names.insert(path.split('.').next().unwrap_or_default().to_owned());
                        return;
                    }
                    ("Fn::GetAtt", Value::Array(path)) => {
                        names.extend(path.first().and_then(Value::as_str).map(str::to_owned));
                        path.iter().skip(1).for_each(|part| collect(part, names));
                        return;
                    }
                    ("Fn::Sub", Value::String(text)) => {
                        names.extend(placeholders(text).map(|name| base(name).to_owned()));
                        return;
                    }
                    ("Fn::Sub", Value::Array(parts)) => {
                        let own = parts.get(1).and_then(Value::as_object);
                        let text = parts.first().and_then(Value::as_str).unwrap_or_default();
                        names.extend(
                            placeholders(text)
                                .filter(|name| !own.is_some_and(|own| own.contains_key(*name)))
                                .map(|name| base(name).to_owned()),
                        );
                        parts.iter().skip(1).for_each(|part| collect(part, names));
                        return;
                    }
                    _ => {}
                }
            }
            members.values().for_each(|member| collect(member, names));
        }
        _ => {}
    }
}

/// The conditions that a value names in `Fn::If`.
pub(super) fn conditions(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(conditions).collect(),
        Value::Object(members) => {
            let mut names: BTreeSet<String> = members.values().flat_map(conditions).collect();
            if let Some(Value::Array(parts)) = members.get("Fn::If") {
                names.extend(parts.first().and_then(Value::as_str).map(str::to_owned));
            }
            names
        }
        _ => BTreeSet::new(),
    }
}

/// The names in `${...}`, without those that are escaped as `${!...}`.
pub(super) fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name.trim()))
        .filter(|name| !name.starts_with('!'))
}

/// `Name.Attribute` without its attribute.
fn base(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// The names of one cycle, sorted, if there is one.
pub(super) fn cycle(edges: &Edges) -> Option<Vec<String>> {
    let mut rest: Edges = edges
        .iter()
        .map(|(name, needs)| {
            let needs = needs
                .iter()
                .filter(|need| edges.contains_key(*need))
                .cloned()
                .collect();
            (name.clone(), needs)
        })
        .collect();
    // What needs nothing is no part of a cycle, and neither is what nothing needs.
    loop {
        let needed: BTreeSet<String> = rest.values().flatten().cloned().collect();
        let free: Vec<String> = rest
            .iter()
            .filter(|(name, needs)| needs.is_empty() || !needed.contains(*name))
            .map(|(name, _)| name.clone())
            .collect();
        if free.is_empty() {
            return (!rest.is_empty()).then(|| rest.into_keys().collect());
        }
        for name in &free {
            rest.remove(name);
        }
        for needs in rest.values_mut() {
            needs.retain(|need| !free.contains(need));
        }
    }
}

/// The names in an order in which each comes after what it depends on. Names outside the graph are ignored.
pub(super) fn order(edges: &Edges) -> Vec<String> {
    let mut order: Vec<String> = Vec::with_capacity(edges.len());
    let mut placed = BTreeSet::new();
    while placed.len() < edges.len() {
        let ready: Vec<&String> = edges
            .iter()
            .filter(|(name, needs)| {
                !placed.contains(*name)
                    && needs
                        .iter()
                        .all(|need| placed.contains(need) || !edges.contains_key(need))
            })
            .map(|(name, _)| name)
            .collect();
        if ready.is_empty() {
            // A cycle: a template has none, it was refused when it was parsed.
            break;
        }
        for name in ready {
            placed.insert(name.clone());
            order.push(name.clone());
        }
    }
    order
}

/// Runs `step` for every name once all that it depends on is done, several at a time. After a failure nothing more is
/// started, what runs is waited for, and the names that failed are given in the order in which they did.
pub(super) async fn walk<F, Fut>(edges: &Edges, step: F) -> Result<(), Vec<String>>
where
    F: Fn(String) -> Fut,
    Fut: Future<Output = Result<(), ()>> + Send + 'static,
{
    let mut waiting: Edges = edges
        .iter()
        .map(|(name, needs)| {
            let needs = needs
                .iter()
                .filter(|need| edges.contains_key(*need))
                .cloned()
                .collect();
            (name.clone(), needs)
        })
        .collect();
    let mut running: JoinSet<(String, Result<(), ()>)> = JoinSet::new();
    let mut failed = Vec::new();
    loop {
        if failed.is_empty() {
            let free = CONCURRENCY_MAX.saturating_sub(running.len());
            let ready: Vec<String> = waiting
                .iter()
                .filter(|(_, needs)| needs.is_empty())
                .map(|(name, _)| name.clone())
                .take(free)
                .collect();
            for name in ready {
                waiting.remove(&name);
                let work = step(name.clone());
                running.spawn(async move { (name, work.await) });
            }
        }
        match running.join_next().await {
            None => break,
            Some(Ok((name, Ok(())))) => {
                for needs in waiting.values_mut() {
                    needs.remove(&name);
                }
            }
            Some(Ok((name, Err(())))) => failed.push(name),
            Some(Err(error)) => {
                // A step that panicked takes the operation with it, as any panic of a task would.
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::json;

    use super::*;

    fn edges(text: &str) -> Edges {
        text.split_whitespace()
            .map(|entry| {
                let (name, needs) = entry.split_once(':').unwrap();
                let needs = needs.split(',').filter(|need| !need.is_empty());
                (name.to_owned(), needs.map(str::to_owned).collect())
            })
            .collect()
    }

    #[test]
    fn references_are_found_wherever_they_stand() {
        let value = json!([
            {"Ref": "A"},
            {"x": {"Fn::GetAtt": ["B", "Arn"]}},
            {"Fn::GetAtt": "C.Arn"},
            {"Fn::Sub": ["${D} ${own} ${!literal}", {"own": {"Ref": "E"}}]},
            {"Fn::Join": ["", ["${F}", {"Fn::Sub": "${G.Name}-${AWS::Region}"}]]},
        ]);
        let names: Vec<String> = references(&value).into_iter().collect();
        assert_eq!(names, ["A", "AWS::Region", "B", "C", "D", "E", "G"]);
    }

    #[test]
    fn a_cycle_is_named_without_what_hangs_on_it() {
        assert_eq!(cycle(&edges("a: b:a c:b")), None);
        assert_eq!(
            cycle(&edges("a:c b:a c:b d:a e: f:x")).unwrap(),
            ["a", "b", "c"]
        );
        assert_eq!(cycle(&edges("a:a")).unwrap(), ["a"]);
    }

    #[test]
    fn each_comes_after_what_it_depends_on() {
        assert_eq!(order(&edges("a:c b: c:b,x")), ["b", "c", "a"]);
    }

    #[test]
    fn nothing_starts_after_a_failure_and_what_runs_is_finished() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let done = Arc::new(Mutex::new(Vec::new()));
        let result = runtime.block_on(walk(&edges("a: b: c:a d:b e:d"), |name| {
            let done = Arc::clone(&done);
            async move {
                done.lock().unwrap().push(name.clone());
                if name == "b" { Err(()) } else { Ok(()) }
            }
        }));
        assert_eq!(result, Err(vec!["b".to_owned()]));
        let done = done.lock().unwrap();
        assert!(!done.contains(&"d".to_owned()) && !done.contains(&"e".to_owned()));
    }
}
