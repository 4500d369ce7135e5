//! `dayspring migrate lint`: for terminals, for machines, for GitHub. Needs no database.

use std::path::Path;
use std::process::{Command, Output};

fn lint(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dayspring"))
        .args(["migrate", "lint"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}

#[test]
fn lint_fails_where_a_finding_is_an_error_and_looks_at_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let schema = folder.path().join("scripts/schema");
    std::fs::create_dir_all(&schema).unwrap();
    let table = "CREATE TABLE post (id BIGINT NOT NULL PRIMARY KEY, body TEXT) ENGINE = InnoDB;\n";
    std::fs::write(schema.join("v1.sql"), table).unwrap();
    let clean = lint(folder.path(), &[]);
    assert_eq!(clean.status.code(), Some(0), "{clean:?}");
    assert!(clean.stdout.is_empty(), "{clean:?}");

    std::fs::write(schema.join("v2.sql"), "DROP TABLE post;\n").unwrap();
    let dropped = lint(folder.path(), &[]);
    assert_eq!(dropped.status.code(), Some(1));
    let shown = text(&dropped.stdout);
    assert!(shown.starts_with("error[drop-table]: "), "{shown}");
    assert!(shown.contains("--> scripts/schema/v2.sql:1:1"), "{shown}");
    insta::assert_snapshot!(text(&dropped.stderr), @r"
    error: lint finds 1 error in the scripts
     help: each finding says a way out; --explain RULE says why the rule is there
    ");

    let json = lint(folder.path(), &["--scripts", "scripts/schema", "--json"]);
    assert_eq!(json.status.code(), Some(1));
    let findings: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(findings[0]["rule"], "drop-table");
    assert_eq!(findings[0]["path"], "scripts/schema/v2.sql");
    let github = text(&lint(folder.path(), &["--github"]).stdout);
    assert!(
        github.starts_with("::error file=scripts/schema/v2.sql,line=1,col=1"),
        "{github}"
    );

    // With nothing applied the table is new, and dropping it loses nothing.
    assert_eq!(lint(folder.path(), &["--all"]).status.code(), Some(0));
    let allowed = "-- dayspring: allow drop-table nobody reads it\nDROP TABLE post;\n";
    std::fs::write(schema.join("v2.sql"), allowed).unwrap();
    assert_eq!(lint(folder.path(), &[]).status.code(), Some(0));
}

#[test]
fn a_lint_rule_is_explained_by_its_name_or_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let by_name = lint(folder.path(), &["--explain", "drop-table"]);
    assert_eq!(by_name.status.code(), Some(0), "{by_name:?}");
    let explained = text(&by_name.stdout);
    assert!(explained.contains("MY001"), "{explained}");
    assert_eq!(
        explained,
        text(&lint(folder.path(), &["--explain", "MY001"]).stdout)
    );
    let unknown = lint(folder.path(), &["--explain", "drop-tabel"]);
    assert_eq!(unknown.status.code(), Some(1));
    insta::assert_snapshot!(text(&unknown.stderr), @"
    error: lint has no rule `drop-tabel`
     help: the nearest is `drop-table`
    ");
}

#[test]
fn a_project_says_what_it_makes_of_a_rule() {
    let folder = tempfile::tempdir().unwrap();
    let schema = folder.path().join("scripts/schema");
    std::fs::create_dir_all(&schema).unwrap();
    std::fs::create_dir(folder.path().join("functions")).unwrap();
    std::fs::write(folder.path().join("functions/get.rs"), "").unwrap();
    std::fs::write(
        schema.join("v1.sql"),
        "CREATE TABLE post (id BIGINT PRIMARY KEY);\n",
    )
    .unwrap();
    std::fs::write(
        schema.join("v2.sql"),
        "DROP TABLE post;\nDELETE FROM tag;\n",
    )
    .unwrap();
    let with = |settings: &str| {
        let project = format!(
            "name = \"blog\"\n\n[lint]\n{settings}\n\n[routes]\nposts = [{{ method = \"GET\", function = \"get\" }}]\n"
        );
        std::fs::write(folder.path().join("dayspring.toml"), project).unwrap();
        lint(folder.path(), &["--no-scratch"])
    };
    let found = |output: &Output| -> Vec<String> {
        let text = text(&output.stdout);
        let heads = text.lines().filter(|line| line.contains("]: "));
        heads
            .map(|line| line.split(':').next().unwrap().to_owned())
            .collect()
    };
    let output = with("warn = [\"drop-table\"]\nallow = [\"mixed-script\"]\ndeny = [\"MY031\"]");
    assert_eq!(
        found(&output),
        ["warning[drop-table]", "error[unbounded-rows]"]
    );
    assert_eq!(output.status.code(), Some(1));
    let output = with("allow = [\"drop-table\", \"mixed-script\", \"unbounded-rows\"]");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let output = with("allow = [\"drop-tabel\"]\ndeny = [\"truncate\"]\nwarn = [\"truncate\"]");
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(text(&output.stderr), @r#"
    error: `drop-tabel` is not a valid `lint.allow`
     --> dayspring.toml:4:10
      |
    4 | allow = ["drop-tabel"]
      |          ^^^^^^^^^^^^ expected one of lint's 69 rules (docs/lint/README.md)
     help: did you mean `drop-table`?

    error: `truncate` is not a valid `lint.deny`
     --> dayspring.toml:5:9
      |
    5 | deny = ["truncate"]
      |         ^^^^^^^^^^ expected a rule that no other list has
    "#);
}
