//! docs/security.md holds what the templates allow, and what independent judges say about them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The Python that has checkov and cdk-nag, the executable of cfn-guard, and the folder of its rules.
const JUDGES: [&str; 3] = [
    "DAYSPRING_SECURITY_PYTHON",
    "DAYSPRING_CFN_GUARD",
    "DAYSPRING_CFN_GUARD_RULES",
];

/// A stage outside of development with one route, and the development stage of the example.
const PRODUCTION: &str = "guarded";
const DEVELOPMENT: &str = "blog";

fn manifest(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn template(example: &str) -> PathBuf {
    manifest("tests/templates")
        .join(example)
        .join("template.json")
}

fn page() -> String {
    std::fs::read_to_string(manifest("../../docs/security.md")).unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "what a test run is asked to do besides"
)]
fn setting(variable: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(variable)
}

/// The texts under every `key` in a value.
fn texts_of<'v>(value: &'v Value, key: &str, texts: &mut BTreeSet<&'v str>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                match inner {
                    Value::String(text) if name == key => {
                        texts.insert(text);
                    }
                    Value::Array(items) if name == key => {
                        texts.extend(items.iter().filter_map(Value::as_str));
                    }
                    _ => texts_of(inner, key, texts),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                texts_of(item, key, texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_action_that_a_role_or_a_key_allows_is_on_the_page() {
    let page = page();
    for example in [PRODUCTION, DEVELOPMENT] {
        let text = std::fs::read_to_string(template(example)).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        let mut actions = BTreeSet::new();
        for (name, resource) in value["Resources"].as_object().unwrap() {
            // A trust policy says who takes the role, not what it may do.
            let mut properties = resource["Properties"].clone();
            if let Some(members) = properties.as_object_mut() {
                members.remove("AssumeRolePolicyDocument");
            }
            let mut found = BTreeSet::new();
            if resource["Type"] != "AWS::Lambda::Permission" {
                texts_of(&properties, "Action", &mut found);
            }
            actions.extend(
                found
                    .into_iter()
                    .map(|action| (name.clone(), action.to_owned())),
            );
        }
        assert!(actions.len() > 10, "actions were found");
        for (resource, action) in actions {
            assert!(
                page.contains(&format!("`{action}`")),
                "docs/security.md does not say why {resource} allows {action}"
            );
        }
    }
}

#[test]
fn functions_may_read_no_secret_but_their_own() {
    let text = std::fs::read_to_string(template(PRODUCTION)).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    for (name, resource) in value["Resources"].as_object().unwrap() {
        let mentions_master = resource.to_string().contains("MasterUserSecret");
        let is_migrators = ["Migrator", "MigratorRole"].contains(&name.as_str());
        assert_eq!(mentions_master, is_migrators, "{name}");
    }
}

/// The findings of the page: each rule with the stages that have it.
fn findings_of_the_page() -> BTreeMap<String, String> {
    let page = page();
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let rule = cells.next()?.trim_end_matches('`');
        let is_rule = ["CKV_", "CT.", "AwsSolutions-"]
            .iter()
            .any(|prefix| rule.starts_with(prefix));
        is_rule.then(|| (rule.to_owned(), cells.next().unwrap_or_default().to_owned()))
    });
    rows.collect()
}

#[test]
fn every_finding_of_a_judge_is_on_the_page_and_no_other() {
    let settings: Vec<_> = JUDGES.iter().filter_map(|name| setting(name)).collect();
    let [python, guard, rules] = settings.as_slice() else {
        println!("not judged: {} do not name the judges", JUDGES.join(", "));
        return;
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "the judges are programs of other projects"
    )]
    let output = std::process::Command::new(python)
        .arg(manifest("tests/judges/security.py"))
        .args([guard, rules])
        .args([template(PRODUCTION), template(DEVELOPMENT)])
        .output()
        .unwrap();
    let found: BTreeMap<PathBuf, BTreeMap<String, Vec<String>>> =
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let production = &found[&template(PRODUCTION)];
    let development = &found[&template(DEVELOPMENT)];
    let judged: BTreeMap<String, String> = production
        .keys()
        .chain(development.keys())
        .map(|rule| {
            let stages = match (
                production.contains_key(rule),
                development.contains_key(rule),
            ) {
                (true, true) => "every",
                (true, false) => "outside of development",
                (false, _) => "development",
            };
            (rule.clone(), stages.to_owned())
        })
        .collect();
    assert_eq!(judged, findings_of_the_page());

    // As many as the table of the page says, of the template that is compared with the CDK's.
    let count = |prefix: &str| -> usize {
        let of_judge = production
            .iter()
            .filter(|(rule, _)| rule.starts_with(prefix));
        match prefix {
            "CKV" => of_judge.map(|(_, resources)| resources.len()).sum(),
            // cdk-nag counts each managed policy as a finding of its own, and each rule once otherwise.
            "Aws" => of_judge
                .map(|(rule, resources)| {
                    if rule.ends_with("IAM4") {
                        resources.len()
                    } else {
                        1
                    }
                })
                .sum(),
            _ => of_judge.count(),
        }
    };
    assert_eq!((count("CKV"), count("Aws") - 1, count("CT")), (7, 6, 7));
}
