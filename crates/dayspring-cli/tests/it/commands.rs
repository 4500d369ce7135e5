//! The commands that look at what is deployed, on a project that `dayspring new` wrote and `dayspring dev` serves.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

use crate::support::{Project, Server};

#[test]
fn a_new_project_is_a_project_and_its_folder_is_written_once() {
    let project = Project::written_by_new("shop");
    project.write("bootstrap", "stands for a binary");
    let template = succeed(&project, &["synth", "--bootstrap", "bootstrap"]);
    let template: serde_json::Value = serde_json::from_str(&template).unwrap();
    assert!(template["Resources"]["DatabaseCluster"].is_object());
    // Nothing in it is against the rules.
    succeed(&project, &["migrate", "lint", "--all"]);

    let parent = project.folder().parent().unwrap();
    let new = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        command.current_dir(parent).output().unwrap()
    };
    let again = new(&["new", "shop"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).starts_with("error: cannot write shop\n"));
    let name = new(&["new", "../shop"]);
    assert_eq!(name.status.code(), Some(1));
    insta::assert_snapshot!(stderr(&name), @"error: `../shop` cannot name a project: expected lower-case letters, digits and single dashes between them, beginning with a letter, at most 30 characters");
    let library = new(&["new", "other", "--dayspring-path", "shop"]);
    assert_eq!(library.status.code(), Some(1));
    insta::assert_snapshot!(stderr(&library), @r"
    error: the `dayspring` crate is not in shop
     help: no crate is published yet: name a checkout of Dayspring with --dayspring-path
    ");
    assert!(!parent.join("other").exists());
}

#[test]
fn a_port_in_use_is_said_with_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().to_str().unwrap();
    let start = |ports: [&str; 4]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dayspring"));
        let output = command
            .args(["cloud", "--state", state])
            .args(ports)
            .output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(1));
        stderr(&output).replace(&port, "PORT")
    };
    let aws = start(["--port", &port, "--api-port", "0"]);
    let api = start(["--port", "0", "--api-port", &port]);
    assert!(
        aws.starts_with("error: cannot listen on 127.0.0.1:PORT\n"),
        "{aws}"
    );
    assert!(
        aws.contains(
            " help: another program listens there: end it, or take another port with --port"
        ),
        "{aws}"
    );
    assert!(api.contains("take another port with --api-port"), "{api}");
}

#[test]
fn a_new_project_is_served_looked_at_and_destroyed() {
    let project = Project::written_by_new("shop");
    let dev = project.dev();
    let posts = dev.get("/posts");
    assert_eq!(posts.status, 200, "{posts:?}");
    assert_eq!(posts.json()["items"][0]["title"], "The first post");

    outputs_are_shown(&project, &dev);
    a_function_is_invoked(&project);
    logs_are_shown_and_followed(&project);
    let same = succeed(&project, &["diff"]);
    assert_eq!(same, "nothing to deploy: shop-dev is as the project says\n");
    a_stage_is_destroyed_once_its_name_is_typed(&project, &dev);
    everything_is_new_to_a_stack_that_is_not_there(&project);
    dev.stop();
}

fn outputs_are_shown(project: &Project, dev: &Server) {
    let table = succeed(project, &["outputs"]);
    assert!(
        table.contains("\nMigrationReport  2 statements applied, schema at v1\n"),
        "{table}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&succeed(project, &["outputs", "--json"])).unwrap();
    assert_eq!(json["Database"], "shop");
    let url = json["Url"].as_str().unwrap();
    assert!(
        url.starts_with("http://") && url.ends_with("/prod"),
        "{url} {}",
        dev.url
    );
}

fn a_function_is_invoked(project: &Project) {
    let answer = succeed(project, &["invoke", "get_posts"]);
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["statusCode"], 200);
    let body = answer["body"].as_str().unwrap();
    assert!(body.contains("The first post"), "{body}");

    // Beside the project: `dev` deploys again when a file in it changes.
    project.write("../event.json", "{}");
    let failed = project.run(&["invoke", "get_posts", "--payload", "../event.json"]);
    assert_eq!(failed.status.code(), Some(2));
    let error: serde_json::Value = serde_json::from_slice(&failed.stdout).unwrap();
    assert!(error["errorMessage"].is_string(), "{error}");
    let said = stderr(&failed);
    assert!(said.contains("get_posts: ERROR "), "{said}");
    assert!(
        said.ends_with("error: the function `get_posts` failed (Unhandled)"),
        "{said}"
    );

    let unknown = project.run(&["invoke", "get_post"]);
    assert_eq!(unknown.status.code(), Some(1));
    insta::assert_snapshot!(stderr(&unknown), @r"
    error: there is no function `get_post` in this stage
     help: it has get_posts
    ");
}

fn logs_are_shown_and_followed(project: &Project) {
    let text = succeed(project, &["logs", "--since", "1h"]);
    assert!(
        text.contains("scripts/schema/v1.sql:2 (statement 1 of 2)\n"),
        "{text}"
    );
    assert!(text.contains("\nget_posts: ERROR "), "{text}");
    let lines = succeed(project, &["logs", "get_posts", "--json", "--since", "1h"]);
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.iter().all(|line| line["function"] == "get_posts"));
    let started = |line: &serde_json::Value| {
        let message = line["message"].as_str().unwrap();
        message.contains(r#""type":"platform.start""#)
    };
    // A request through the API, and two calls.
    assert_eq!(
        lines.iter().filter(|line| started(line)).count(),
        3,
        "{lines:?}"
    );

    let mut follow = project.command(&["logs", "-f", "get_posts", "--since", "1h"]);
    let mut following = follow
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut printed = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut next = || printed.next().unwrap().unwrap();
    let before = next();
    assert!(before.starts_with("get_posts: ERROR "), "{before}");
    project.run(&["invoke", "get_posts", "--payload", "../event.json"]);
    let new = next();
    assert!(new.starts_with("get_posts: ERROR "), "{new}");
    following.kill().unwrap();
    following.wait().unwrap();
}

fn a_stage_is_destroyed_once_its_name_is_typed(project: &Project, dev: &Server) {
    let refused = project.run(&["destroy"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = stderr(&refused);
    assert!(
        said.contains("and its database, of which nothing is kept"),
        "{said}"
    );
    assert!(
        said.contains("error: `shop-dev` was not destroyed: its name was not typed"),
        "{said}"
    );
    assert_eq!(dev.get("/posts").status, 200);

    let mut destroy = project.command(&["destroy"]);
    let mut destroy = destroy
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    destroy
        .stdin
        .take()
        .unwrap()
        .write_all(b"shop-dev\n")
        .unwrap();
    let destroyed = destroy.wait_with_output().unwrap();
    let said = stderr(&destroyed);
    assert!(destroyed.status.success(), "{said}");
    assert!(
        said.contains("DELETE_COMPLETE DatabaseCluster (AWS::RDS::DBCluster)"),
        "{said}"
    );
    assert!(said.contains("Destroyed shop-dev in "), "{said}");
    assert_ne!(dev.get("/posts").status, 200);

    let gone = project.run(&["destroy", "--yes"]);
    assert_eq!(gone.status.code(), Some(2));
    insta::assert_snapshot!(stderr(&gone), @r"
    error: there is no stack `shop-dev`
     help: deploy it first, or say where it is with --stage, --endpoint-url or --region
    ");
}

fn everything_is_new_to_a_stack_that_is_not_there(project: &Project) {
    let text = succeed(project, &["diff"]);
    assert!(
        text.contains("+ DatabaseCluster (AWS::RDS::DBCluster)\n"),
        "{text}"
    );
    assert!(text.contains("secretsmanager:GetSecretValue"), "{text}");
    assert!(
        text.contains("scripts/schema/v1.sql\n  1     2  schema   CREATE TABLE posts"),
        "{text}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&succeed(project, &["diff", "--json"])).unwrap();
    assert_eq!(json["sql"]["statements"][0]["class"], "schema");
    assert_eq!(json["resources"][0]["action"], "added");
}

/// What the command prints on standard output.
#[track_caller]
fn succeed(project: &Project, arguments: &[&str]) -> String {
    let output = project.run(arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        stderr(&output)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr)
        .trim_end()
        .to_owned()
}
