use std::path::Path;

use dayspring_stack::{Error, Project};

/// All tables with settings: how the file names them, and how the reference does.
const TABLES: [(&str, &str); 13] = [
    ("", ""),
    ("build", "build."),
    ("lint", "lint."),
    ("scripts", "scripts."),
    ("functions", "functions."),
    ("functions.index", "functions."),
    ("migrator", "migrator."),
    ("database", "database."),
    ("database.capacity", "database.capacity."),
    ("api", "api."),
    ("api.cors", "api.cors."),
    ("network", "network."),
    ("stages.production", "stages.NAME."),
];

/// Keys with a section instead of a row.
const SECTIONS: [&str; 5] = ["functions", "migrator", "database", "api", "network"];

/// The keys that the parser knows in a table, from what it says about one that it does not.
fn known_keys(table: &str) -> Vec<String> {
    let key = if table.is_empty() {
        "zzzzzzzz".to_owned()
    } else {
        format!("{table}.zzzzzzzz")
    };
    let text = format!(
        "{key} = 1\nname = \"a\"\nroutes.a = [{{ method = \"GET\", function = \"index\" }}]\n"
    );
    let errors = Project::parse("dayspring.toml", &text, &["index"]).unwrap_err();
    let known = errors.errors().iter().find_map(|error| match error {
        Error::UnknownKey { known, .. } => Some(known.clone()),
        _ => None,
    });
    known
        .unwrap()
        .into_iter()
        .filter(|key| key != "index")
        .collect()
}

#[test]
fn the_reference_has_every_key() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let reference = std::fs::read_to_string(path).unwrap();
    for (table, prefix) in TABLES {
        for key in known_keys(table) {
            let sections = if table.is_empty() { &SECTIONS[..] } else { &[] };
            let found = reference.contains(&format!("\n| `{prefix}{key}` |"))
                || (sections.contains(&key.as_str())
                    && reference.contains(&format!("\n## `[{key}]`")))
                || (["build", "lint", "scripts"].contains(&key.as_str()) && table.is_empty());
            assert!(
                found,
                "docs/configuration.md has no row for `{prefix}{key}`"
            );
        }
    }
}

#[test]
fn the_reference_has_no_key_that_the_parser_refuses() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let reference = std::fs::read_to_string(path).unwrap();
    let prefixes = [
        "build.",
        "lint.",
        "scripts.",
        "functions.",
        "migrator.",
        "database.",
        "api.",
        "network.",
        "stages.NAME.",
    ];
    let rows = reference
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let keys: Vec<&str> = rows
        .map(|(key, _)| key)
        .filter(|key| prefixes.iter().any(|prefix| key.starts_with(prefix)))
        .collect();
    assert!(keys.len() > 40, "rows were found");
    for key in keys {
        if key.starts_with("api.throttle.") {
            continue;
        }
        let (table, name) = key.rsplit_once('.').unwrap();
        let table = table.replace("NAME", "production");
        assert!(
            known_keys(&table).iter().any(|known| known == name),
            "nothing reads `{key}`"
        );
    }
}
