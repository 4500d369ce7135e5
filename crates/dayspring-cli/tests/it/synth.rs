//! `dayspring synth` and `dayspring migrate split`: what needs no cloud.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;

use crate::support::Project;

#[test]
fn the_same_project_gives_the_same_template() {
    let project = Project::blog();
    project.write("bootstrap", "stands for a binary");
    let synth = || {
        let output = project.run(&[
            "synth",
            "--stage",
            "dev",
            "--bootstrap",
            "bootstrap",
            "--out",
            "out",
        ]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    };
    let first = synth();
    assert_eq!(first, synth());
    let template: serde_json::Value = serde_json::from_slice(&first).unwrap();
    assert!(
        template["Resources"]
            .as_object()
            .unwrap()
            .values()
            .any(|resource| resource["Type"] == "AWS::RDS::DBCluster")
    );
    let manifest: serde_json::Value =
        serde_json::from_str(&project.read("out/manifest.json")).unwrap();
    assert_eq!(
        manifest["artifacts"]["blog-dev"]["type"],
        "aws:cloudformation:stack"
    );
}

#[test]
fn a_binary_is_packed_once() {
    let project = Project::blog();
    let synth = |binary: &str| -> BTreeSet<(String, u64)> {
        project.write("bootstrap", binary);
        let arguments = ["synth", "--bootstrap", "bootstrap", "--out", "out"];
        let output = project.run(&arguments);
        let problem = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{problem}");
        let files = std::fs::read_dir(project.folder().join("out")).unwrap();
        let archives = files.map(Result::unwrap).filter_map(|file| {
            let name = file.file_name().into_string().unwrap();
            // One that is written anew is another file.
            let archive = (name.clone(), file.metadata().unwrap().ino());
            name.starts_with("asset.").then_some(archive)
        });
        archives.collect()
    };
    let first = synth("stands for a binary");
    assert_eq!(first.len(), 2, "the code and the scripts");
    assert_eq!(synth("stands for a binary"), first);
    let changed = synth("stands for another");
    assert!(changed.is_superset(&first));
    assert_eq!(changed.len(), 3, "{changed:?}");
}

#[test]
fn a_mistake_in_the_project_file_is_shown_in_its_place() {
    let project = Project::blog();
    let text = project
        .read("dayspring.toml")
        .replacen("method = \"GET\"", "method = \"GTE\"", 1);
    project.write("dayspring.toml", &text);
    let output = project.run(&["synth", "--bootstrap", "dayspring.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8(output.stderr).unwrap();
    assert!(printed.contains("--> dayspring.toml:"), "{printed}");
    assert!(
        printed.contains("GTE") && printed.contains("`GET`"),
        "{printed}"
    );
}

#[test]
fn split_prints_the_statements_with_their_places() {
    let project = Project::blog();
    project.write(
        "a.sql",
        "SELECT 1;\n-- a comment; with a semicolon\nSELECT ';' ;\n",
    );
    let output = project.run(&["migrate", "split", "a.sql", "--json"]);
    let statements: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(statements.as_array().unwrap().len(), 2);
    assert_eq!(
        statements[0],
        serde_json::json!({ "start": 0, "end": 8, "line": 1, "text": "SELECT 1" })
    );
    assert_eq!(statements[1]["line"], 3);
    assert_eq!(statements[1]["text"], "SELECT ';'");
}
