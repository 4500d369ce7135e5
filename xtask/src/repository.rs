//! Rules about the repository, as tests.
#![cfg(test)]

use std::collections::BTreeSet;
use std::process::Command;

use crate::root;

/// Which crate may depend on which of ours. The arrows point one way.
const MAY_USE: [(&str, &[&str]); 8] = [
    ("dayspring-dialect", &[]),
    ("dayspring-migrate", &["dayspring-dialect"]),
    ("dayspring-stack", &[]),
    ("dayspring", &["dayspring-migrate"]),
    ("dayspring-cloud", &["dayspring-dialect"]),
    (
        "dayspring-cli",
        &[
            "dayspring",
            "dayspring-cloud",
            "dayspring-migrate",
            "dayspring-stack",
        ],
    ),
    ("blog", &["dayspring"]),
    ("xtask", &[]),
];

/// What the functional core must never know: a runtime, HTTP, a command line, AWS.
const NOT_IN_THE_CORE: [&str; 6] = ["tokio", "hyper", "http", "clap", "reqwest", "mysql_async"];

/// Per package of the workspace, its name and its normal dependencies' names.
fn packages() -> Vec<(String, BTreeSet<String>)> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .output()
        .expect("cargo runs: it started this test");
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    metadata["packages"]
        .as_array()
        .expect("cargo lists the packages")
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().into_iter().flatten();
            let normal = dependencies.filter(|dependency| dependency["kind"].is_null());
            (
                text(&package["name"]),
                normal.map(|dependency| text(&dependency["name"])).collect(),
            )
        })
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    let packages = packages();
    let ours: BTreeSet<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    for (name, dependencies) in &packages {
        let (_, allowed) = MAY_USE
            .iter()
            .find(|(known, _)| known == name)
            .unwrap_or_else(|| panic!("{name} is new: say here what it may use"));
        for dependency in dependencies
            .iter()
            .filter(|dependency| ours.contains(dependency.as_str()))
        {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{name} must not depend on {dependency}"
            );
        }
    }
}

#[test]
fn the_core_knows_no_runtime_and_no_wire() {
    for (name, dependencies) in packages() {
        if !["dayspring-dialect", "dayspring-migrate", "dayspring-stack"].contains(&name.as_str()) {
            continue;
        }
        for dependency in dependencies {
            let banned =
                NOT_IN_THE_CORE.contains(&dependency.as_str()) || dependency.starts_with("aws-");
            assert!(
                !banned,
                "{name} is of the core and must not depend on {dependency}"
            );
        }
    }
}

#[test]
fn every_path_that_the_map_names_exists() {
    let map =
        std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
    let folders = ["crates", "examples", "xtask", "bench", "docs", ".ci"];
    let mut named = 0;
    for word in map.split('`').skip(1).step_by(2) {
        if !folders.iter().any(|folder| {
            word.strip_prefix(folder)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }) {
            continue;
        }
        named += 1;
        assert!(
            root().join(word).exists(),
            "ARCHITECTURE.md names `{word}`, which is not there"
        );
    }
    assert!(
        named > 10,
        "the map names only {named} paths: is it still read rightly?"
    );
}

#[test]
fn every_crate_says_what_it_is_for_and_what_it_must_not_know() {
    for (name, _) in MAY_USE {
        let Ok(text) = std::fs::read_to_string(root().join("crates").join(name).join("src/lib.rs"))
        else {
            continue;
        };
        let mut lines = text.lines();
        assert!(
            lines.next().is_some_and(|line| line.starts_with("//! ")),
            "{name}: line 1 says what it is for"
        );
        assert_eq!(lines.next(), Some("//!"), "{name}: line 2 is empty");
        let third = lines.next().unwrap_or_default();
        assert!(
            third.starts_with("//! Knows neither"),
            "{name}: line 3 says what it must not know"
        );
    }
}
