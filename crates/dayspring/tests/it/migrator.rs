use std::time::{Duration, SystemTime};

use dayspring::migrator::{Migrator, handle};
use dayspring::{Context, Error};
use serde_json::{Value, json};

use crate::server::{Call, Reply, Server};

/// CloudFormation's request, to be answered at the server's `/answer`.
fn event(server: &Server, request_type: &str) -> Value {
    let mut event = json!({
        "RequestType": request_type,
        "ServiceToken": "arn:aws:lambda:eu-central-1:123456789012:function:blog-dev-migrator",
        "ResponseURL": format!("{}/answer?X-Amz-Signature=5e", server.url()),
        "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/blog-dev/6c1d7c50",
        "RequestId": "0b1c",
        "LogicalResourceId": "Migration",
        "ResourceType": "Custom::DayspringMigration",
        "ResourceProperties": {
            "ServiceToken": "arn:aws:lambda:eu-central-1:123456789012:function:blog-dev-migrator",
            "ServiceTimeout": "960",
            "ScriptsDigest": "9f86d081",
            "Database": "blog",
        },
    });
    if request_type != "Create" {
        event["PhysicalResourceId"] = "dayspring-migration-blog".into();
    }
    event
}

/// A folder that is a layer's root, with one script.
fn layer(script: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("scripts/schema");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("v1.sql"), script).unwrap();
    root
}

fn migrator(server: &Server, layer: &tempfile::TempDir) -> Migrator {
    Migrator::from_variables(|name| match name {
        "DAYSPRING_LAYER_ROOT" => Some(layer.path().display().to_string()),
        "DAYSPRING_SCRIPTS" => Some("scripts/schema".to_owned()),
        name => server.variable(name),
    })
    .unwrap()
}

fn answers(server: &Server) -> Vec<Call> {
    server
        .calls()
        .into_iter()
        .filter(|call| call.path.starts_with("/answer"))
        .collect()
}

fn ends_in(time: Duration) -> Context {
    let end = SystemTime::now() + time;
    let since = end.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let mut context = Context::default();
    context.deadline = u64::try_from(since.as_millis()).unwrap();
    context
}

#[tokio::test]
async fn a_delete_is_a_success_without_asking_the_database() {
    let server = Server::start(|_, _| Reply::Ok(json!({}))).await;
    let layer = layer("CREATE TABLE a (b INT);");
    let migrator = migrator(&server, &layer);
    handle(Ok(&migrator), event(&server, "Delete"), &Context::default())
        .await
        .unwrap();
    let calls = server.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].method, "PUT");
    assert_eq!(calls[0].path, "/answer?X-Amz-Signature=5e");
    assert_eq!(calls[0].header("content-type"), Some(""));
    assert_eq!(calls[0].header("authorization"), None);
    assert_eq!(calls[0].body["Status"], "SUCCESS");
    assert_eq!(
        calls[0].body["PhysicalResourceId"],
        "dayspring-migration-blog"
    );
}

#[tokio::test]
async fn a_broken_environment_is_answered_and_does_not_stop_a_delete() {
    let server = Server::start(|_, _| Reply::Ok(json!({}))).await;
    let error = Migrator::from_variables(|name| match name {
        "DAYSPRING_SCRIPTS" => Some("scripts/schema".to_owned()),
        _ => None,
    })
    .unwrap_err();
    for request_type in ["Create", "Delete"] {
        let event = event(&server, request_type);
        handle(Err(&error), event, &Context::default())
            .await
            .unwrap();
    }
    let answers = answers(&server);
    assert_eq!(answers[0].body["Status"], "FAILED");
    insta::assert_snapshot!(answers[0].body["Reason"].as_str().unwrap(), @r"
    error: the environment variable AWS_REGION is not set
     help: the template sets it; a function that was made by hand needs DAYSPRING_CLUSTER_ARN, DAYSPRING_SECRET_ARN and DAYSPRING_DATABASE
    ");
    assert_eq!(answers[1].body["Status"], "SUCCESS");
}

#[tokio::test]
async fn a_failure_is_an_answer_and_the_invocation_succeeds() {
    let server = Server::start(|call, _| {
        if call.path.starts_with("/answer") {
            Reply::Ok(json!({}))
        } else {
            Reply::Error(403, "AccessDeniedException", "not authorized".to_owned())
        }
    })
    .await;
    let layer = layer("CREATE TABLE a (b INT);");
    let migrator = migrator(&server, &layer);
    handle(Ok(&migrator), event(&server, "Create"), &Context::default())
        .await
        .unwrap();
    let answers = answers(&server);
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].body["Status"], "FAILED");
    let reason = answers[0].body["Reason"].as_str().unwrap();
    assert!(reason.starts_with("error: "), "{reason}");
    assert!(reason.contains("not authorized"), "{reason}");
}

#[tokio::test]
async fn a_mistake_in_a_script_is_answered_with_its_place() {
    let server = Server::start(|_, _| Reply::Ok(json!({}))).await;
    let layer = layer("CREATE TABLE a (b INT);\nSELECT 'open");
    let migrator = migrator(&server, &layer);
    handle(Ok(&migrator), event(&server, "Update"), &Context::default())
        .await
        .unwrap();
    let answers = answers(&server);
    let reason = answers[0].body["Reason"].as_str().unwrap();
    assert!(reason.contains("--> scripts/schema/v1.sql:2:8"), "{reason}");
}

#[tokio::test]
async fn an_answer_goes_out_though_the_data_api_is_silent() {
    let server = Server::start(|call, _| {
        if call.path.starts_with("/answer") {
            Reply::Ok(json!({}))
        } else {
            Reply::Silence
        }
    })
    .await;
    let layer = layer("CREATE TABLE a (b INT);");
    let migrator = migrator(&server, &layer);
    // Without its end the call to the silent Data API would wait for a minute, twice.
    let context = ends_in(Duration::from_secs(2));
    handle(Ok(&migrator), event(&server, "Create"), &context)
        .await
        .unwrap();
    assert_eq!(answers(&server)[0].body["Status"], "FAILED");
}

#[tokio::test]
async fn an_answer_that_is_not_taken_is_sent_again() {
    let server = Server::start(|_, number| match number {
        1 => Reply::HangUp,
        2 => Reply::Error(503, "SlowDown", "m".to_owned()),
        _ => Reply::Ok(json!({})),
    })
    .await;
    let layer = layer("SELECT 1;");
    let migrator = migrator(&server, &layer);
    handle(Ok(&migrator), event(&server, "Delete"), &Context::default())
        .await
        .unwrap();
    assert_eq!(answers(&server).len(), 3);
}

#[tokio::test]
async fn a_direct_call_gets_its_failure_as_the_invocations_error() {
    let server = Server::start(|_, _| {
        Reply::Error(403, "AccessDeniedException", "not authorized".to_owned())
    })
    .await;
    let layer = layer("CREATE TABLE a (b INT);");
    let migrator = migrator(&server, &layer);
    let error = handle(Ok(&migrator), json!({}), &Context::default())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Migration { report } if report.contains("not authorized")),
        "{error:?}"
    );
}
