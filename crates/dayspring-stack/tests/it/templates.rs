use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dayspring_stack::{Assets, Digest, Overrides, Project, Stage, Template, synthesize};
use serde_json::Value;

/// Set to write the templates instead of comparing them.
const UPDATE: &str = "DAYSPRING_UPDATE_TEMPLATES";
/// The executable of cfn-lint; without it the templates are not linted.
const LINT: &str = "DAYSPRING_CFN_LINT";

const EXAMPLES: [&str; 4] = ["blog", "guarded", "minimal", "production"];

fn folder(example: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/templates")
        .join(example)
}

/// The stage of an example: that of its first line, or `dev`.
fn stage(example: &str) -> Stage {
    let text = std::fs::read_to_string(folder(example).join("dayspring.toml")).unwrap();
    let name = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("# stage: "))
        .unwrap_or("dev");
    project(&text).stage(name, &Overrides::default()).unwrap()
}

fn project(text: &str) -> Project {
    let functions = [
        "main",
        "create_posts",
        "files",
        "get_orders",
        "get_post",
        "get_posts",
        "index",
        "nightly",
    ];
    Project::parse("dayspring.toml", text, &functions)
        .unwrap_or_else(|errors| panic!("{}", errors.render()))
}

/// The largest example has scripts that run when the new code is live.
fn assets(example: &str) -> Assets {
    Assets {
        code: Digest::of(b"code"),
        scripts: Digest::of(b"scripts"),
        contract: example == "production",
    }
}

fn template(example: &str) -> Template {
    synthesize(&stage(example), &assets(example))
}

#[expect(
    clippy::disallowed_methods,
    reason = "what a test run is asked to do besides"
)]
fn setting(variable: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(variable)
}

#[test]
fn templates_are_those_on_the_disk() {
    for example in EXAMPLES {
        let path = folder(example).join("template.json");
        let made = template(example).to_json();
        if setting(UPDATE).is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            made == kept,
            "{} differs; set {UPDATE}=1 to write it, then read the change",
            path.display()
        );
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for example in EXAMPLES {
        assert_eq!(template(example).to_json(), template(example).to_json());
    }
}

#[test]
fn every_name_in_a_template_is_a_resource() {
    for example in EXAMPLES {
        let template = template(example);
        let resources: BTreeSet<String> = template
            .resources()
            .iter()
            .map(|(id, _)| id.to_string())
            .collect();
        assert_eq!(
            resources.len(),
            template.resources().len(),
            "two resources share a logical id"
        );
        let mut names = Vec::new();
        collect_names(&template.to_value(), &mut names);
        assert!(names.len() > resources.len(), "names were found");
        for name in names {
            assert!(
                name.starts_with("AWS::") || resources.contains(&name),
                "{example}: nothing is called {name}"
            );
        }
    }
}

/// The names in `Ref`, `Fn::GetAtt`, `Fn::Sub` and `DependsOn`.
fn collect_names(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            for (key, inner) in entries {
                match (key.as_str(), inner) {
                    ("Ref", Value::String(name)) => names.push(name.clone()),
                    ("Fn::GetAtt", Value::Array(parts)) => {
                        names.push(parts[0].as_str().unwrap().to_owned())
                    }
                    ("Fn::Sub", Value::String(text)) => {
                        let inserted = text
                            .split("${")
                            .skip(1)
                            .map(|rest| rest.split('}').next().unwrap());
                        names.extend(
                            inserted.map(|name| name.split('.').next().unwrap().to_owned()),
                        );
                    }
                    ("DependsOn", Value::Array(ids)) => {
                        names.extend(ids.iter().map(|id| id.as_str().unwrap().to_owned()));
                    }
                    _ => collect_names(inner, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_names(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn cfn_lint_finds_nothing_to_say() {
    let Some(lint) = setting(LINT) else {
        println!("not linted: {LINT} does not name the cfn-lint executable");
        return;
    };
    let templates = EXAMPLES.map(|example| folder(example).join("template.json"));
    #[expect(
        clippy::disallowed_methods,
        reason = "the judge is a program of another project"
    )]
    let output = std::process::Command::new(lint)
        .arg("-t")
        .args(templates)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[track_caller]
fn ids_of(text: &str, kind: &str) -> Vec<String> {
    let stage = project(text).stage("dev", &Overrides::default()).unwrap();
    let template = synthesize(&stage, &assets("blog"));
    let of_kind = template
        .resources()
        .iter()
        .filter(|(_, resource)| resource.kind() == kind);
    of_kind.map(|(id, _)| id.to_string()).collect()
}

const ONE: &str = r#"{ method = "GET", function = "get_posts" }"#;
const TWO: &str = r#"{ method = "POST", function = "create_posts" }"#;

#[test]
fn another_route_is_another_deployment_and_another_order_is_not() {
    let deployment = |routes: &str| {
        ids_of(
            &format!("name = 'a'\n[routes]\n{routes}"),
            "AWS::ApiGateway::Deployment",
        )
    };
    let both = deployment(&format!("posts = [{ONE}, {TWO}]"));
    assert_eq!(both, deployment(&format!("posts = [{TWO}, {ONE}]")));
    assert_ne!(both, deployment(&format!("posts = [{ONE}]")));
    assert_ne!(
        both,
        deployment(&format!("posts = [{ONE}, {TWO}]\n[api]\ncors = false"))
    );
}

#[test]
fn a_route_more_renames_nothing_else() {
    let kinds = [
        "AWS::ApiGateway::Method",
        "AWS::ApiGateway::Resource",
        "AWS::Lambda::Function",
        "AWS::IAM::Role",
    ];
    for kind in kinds {
        let few = ids_of(&format!("name = 'a'\n[routes]\nposts = [{ONE}]"), kind);
        let more = ids_of(
            &format!("name = 'a'\n[routes]\nposts = [{ONE}, {TWO}]\n'posts/{{id}}' = [{ONE}]"),
            kind,
        );
        assert!(
            few.iter().all(|id| more.contains(id)),
            "{kind}: {few:?} {more:?}"
        );
    }
}

#[test]
fn the_file_order_of_routes_is_kept_for_people() {
    let project = project(&format!(
        "name = 'a'\n[routes]\nz = [{ONE}]\na = [{TWO}, {ONE}]"
    ));
    let routes: Vec<String> = project
        .routes()
        .iter()
        .map(|route| format!("{} {} {}", route.method, route.path, route.function))
        .collect();
    assert_eq!(
        routes,
        ["GET z get_posts", "POST a create_posts", "GET a get_posts"]
    );
}

#[test]
fn development_deletes_the_database_and_everything_else_protects_it() {
    let text = "name = 'a'\n[routes]\na = [{ method = 'GET', function = 'index' }]\n[stages.production]\n[stages.anna]\ndevelopment = true";
    let cluster = |name: &str| {
        let stage = project(text).stage(name, &Overrides::default()).unwrap();
        let value = synthesize(&stage, &assets("blog")).to_value();
        let cluster = &value["Resources"]["DatabaseCluster"];
        (
            cluster["DeletionPolicy"].as_str().unwrap().to_owned(),
            cluster["UpdateReplacePolicy"].as_str().unwrap().to_owned(),
            cluster["Properties"]["DeletionProtection"]
                .as_bool()
                .unwrap(),
        )
    };
    assert_eq!(
        cluster("dev"),
        ("Delete".to_owned(), "Delete".to_owned(), false)
    );
    assert_eq!(
        cluster("anna"),
        ("Delete".to_owned(), "Delete".to_owned(), false)
    );
    assert_eq!(
        cluster("production"),
        ("Snapshot".to_owned(), "Snapshot".to_owned(), true)
    );
}

#[test]
fn the_caller_decides_the_architecture_before_the_file_and_its_machine_after_it() {
    use dayspring_stack::Architecture::{Arm64, X86_64};
    let architecture = |file: &str, architecture, usual_architecture| {
        let overrides = Overrides {
            architecture,
            usual_architecture,
            ..Overrides::default()
        };
        let text = format!("name = 'a'\n{file}\n[routes]\na = [{ONE}]");
        let stage = project(&text).stage("dev", &overrides).unwrap();
        assert!(
            synthesize(&stage, &assets("blog"))
                .to_json()
                .contains(stage.architecture().as_str())
        );
        stage.architecture()
    };
    let stated = "architecture = 'arm64'";
    assert_eq!(architecture(stated, Some(X86_64), None), X86_64);
    assert_eq!(architecture(stated, None, Some(X86_64)), Arm64);
    assert_eq!(architecture("", None, Some(X86_64)), X86_64);
    assert_eq!(architecture("", None, None), Arm64);
}

#[test]
fn functions_are_told_that_credentials_are_allowed_across_origins() {
    let environment = |cors: &str| {
        let text = format!(
            "name = 'a'\n[api.cors]\norigin = 'https://a.example'\n{cors}\n[routes]\na = [{ONE}]"
        );
        let stage = project(&text).stage("dev", &Overrides::default()).unwrap();
        synthesize(&stage, &assets("blog")).to_json()
    };
    assert!(environment("credentials = true").contains("\"DAYSPRING_CORS_CREDENTIALS\": \"true\""));
    assert!(!environment("").contains("DAYSPRING_CORS_CREDENTIALS"));
}
