//! The custom resource as CloudFormation sees it, over a real database: its events and its answers.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use dayspring::Context;
use dayspring::migrator::{Migrator, handle};
use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};

use crate::mariadb::DataApi;
use crate::server::{Call, Reply, Server};

const V1: &str = "CREATE TABLE log (n INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(20));\nINSERT INTO log (what) VALUES ('v1');";
const V2: &str = "INSERT INTO log (what) VALUES ('v2');";

/// A stack's migrator: its database, and the server that is CloudFormation, Lambda and the Data API to it.
struct Stack {
    database: Arc<DataApi>,
    server: Server,
}

impl Stack {
    async fn new() -> Self {
        Self::with_answers(Duration::from_secs(45), |_| Reply::Ok(json!({}))).await
    }

    /// `answer` is asked for what goes neither to the database nor anywhere that a test does not care about.
    async fn with_answers(
        call_time: Duration,
        answer: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let database = Arc::new(DataApi::new(call_time).await);
        let server = Server::start_with(Some(database.clone()), move |call, _| {
            let is_elsewhere = call.path == "/"
                || call.path.starts_with("/answer")
                || call.path.starts_with("/2015-03-31");
            if is_elsewhere {
                answer(call)
            } else {
                Reply::Database
            }
        })
        .await;
        Self { database, server }
    }

    /// CloudFormation's event for these scripts.
    fn event(&self, request_type: &str) -> Value {
        let arn = "arn:aws:lambda:eu-central-1:123456789012:function:blog-dev-migrator";
        let mut event = json!({
            "RequestType": request_type,
            "ServiceToken": arn,
            "ResponseURL": format!("{}/answer?X-Amz-Signature=5e", self.server.url()),
            "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/blog-dev/6c1d7c50",
            "RequestId": "0b1c",
            "LogicalResourceId": "Migration",
            "ResourceType": "Custom::DayspringMigration",
            "ResourceProperties": {
                "ServiceToken": arn,
                "ServiceTimeout": "3600",
                "ScriptsDigest": "9f86d081",
                "Database": "blog",
            },
        });
        if request_type != "Create" {
            event["PhysicalResourceId"] = "dayspring-migration-blog".into();
        }
        if request_type == "Update" {
            event["OldResourceProperties"] = json!({
                "ServiceToken": arn,
                "ServiceTimeout": "3600",
                "ScriptsDigest": "2c26b46b",
                "Database": "blog",
            });
        }
        event
    }

    fn migrator(&self, layer: &tempfile::TempDir) -> Migrator {
        Migrator::from_variables(|name| match name {
            "DAYSPRING_LAYER_ROOT" => Some(layer.path().display().to_string()),
            "DAYSPRING_SCRIPTS" => Some("scripts/schema".to_owned()),
            "AWS_LAMBDA_FUNCTION_NAME" => Some("blog-dev-migrator".to_owned()),
            name => self.server.variable(name),
        })
        .unwrap()
    }

    /// Handles an event, and gives the newest answer.
    async fn handle(&self, scripts: &[(&str, &str)], event: Value) -> Value {
        let layer = layer(scripts);
        let migrator = self.migrator(&layer);
        handle(Ok(&migrator), event, &Context::default())
            .await
            .unwrap();
        self.answers().pop().unwrap().body
    }

    fn calls(&self, path: &str) -> Vec<Call> {
        let mut calls = self.server.calls();
        calls.retain(|call| call.path.starts_with(path));
        calls
    }

    fn answers(&self) -> Vec<Call> {
        self.calls("/answer")
    }

    async fn log(&self) -> Vec<String> {
        self.database.ask("SELECT what FROM log ORDER BY n").await
    }
}

/// A folder that is a layer's root.
fn layer(scripts: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("scripts/schema");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, sql) in scripts {
        std::fs::write(folder.join(name), sql).unwrap();
    }
    root
}

fn ends_in(time: Duration) -> Context {
    let end = SystemTime::now() + time;
    let since = end.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let mut context = Context::default();
    context.deadline = u64::try_from(since.as_millis()).unwrap();
    context
}

#[tokio::test]
async fn a_stacks_life_is_answered_with_one_id_and_repeats_nothing() {
    let stack = Stack::new().await;
    let old = [("v1.sql", V1)];
    let new = [("v1.sql", V1), ("v2.sql", V2)];
    for (request_type, scripts, report, version) in [
        ("Create", &old[..], "2 statements applied, schema at v1", 1),
        ("Update", &new[..], "1 statement applied, schema at v2", 2),
        ("Update", &new[..], "nothing to do, schema at v2", 2),
        // The rollback of a deploy that failed later: the old code with the old scripts.
        (
            "Update",
            &old[..],
            "the schema is ahead of the scripts: schema at v2, the scripts end at v1",
            2,
        ),
        ("Update", &new[..], "nothing to do, schema at v2", 2),
    ] {
        let answer = stack.handle(scripts, stack.event(request_type)).await;
        assert_eq!(answer["Status"], "SUCCESS", "{answer}");
        assert_eq!(answer["Data"]["Report"], report);
        assert_eq!(answer["Data"]["Version"], version);
        assert_eq!(answer["PhysicalResourceId"], "dayspring-migration-blog");
        assert_eq!(answer["RequestId"], "0b1c");
        assert_eq!(answer["LogicalResourceId"], "Migration");
    }
    assert_eq!(stack.log().await, ["v1", "v2"]);
    let calls = stack.server.calls().len();
    let answer = stack.handle(&new, stack.event("Delete")).await;
    assert_eq!(answer["Status"], "SUCCESS");
    assert_eq!(answer["Data"], Value::Null);
    assert_eq!(
        stack.server.calls().len(),
        calls + 1,
        "only the answer is sent"
    );
    assert_eq!(stack.log().await, ["v1", "v2"]);
}

#[tokio::test]
async fn a_replaced_resource_is_created_over_what_is_there_and_its_old_one_deleted() {
    let stack = Stack::new().await;
    let scripts = [("v1.sql", V1)];
    stack.handle(&scripts, stack.event("Create")).await;
    let mut create = stack.event("Create");
    create["LogicalResourceId"] = "Migration2".into();
    create["RequestId"] = "0b1d".into();
    let answer = stack.handle(&scripts, create).await;
    assert_eq!(answer["Status"], "SUCCESS");
    assert_eq!(answer["Data"]["Report"], "nothing to do, schema at v1");
    let answer = stack.handle(&scripts, stack.event("Delete")).await;
    assert_eq!(answer["Status"], "SUCCESS");
    assert_eq!(answer["PhysicalResourceId"], "dayspring-migration-blog");
    assert_eq!(stack.log().await, ["v1"]);
}

#[tokio::test]
async fn contract_scripts_run_by_a_resource_of_their_own() {
    let stack = Stack::new().await;
    let scripts = [
        ("v1.sql", V1),
        (
            "v2.contract.sql",
            "INSERT INTO log (what) VALUES ('contract');",
        ),
    ];
    stack.handle(&scripts, stack.event("Create")).await;
    assert_eq!(stack.log().await, ["v1"]);
    let mut event = stack.event("Create");
    event["LogicalResourceId"] = "ContractMigration".into();
    event["ResourceProperties"]["Phase"] = "contract".into();
    let answer = stack.handle(&scripts, event).await;
    assert_eq!(answer["PhysicalResourceId"], "dayspring-contract-blog");
    assert_eq!(
        answer["Data"]["Report"],
        "1 statement applied, schema at v2"
    );
    assert_eq!(stack.log().await, ["v1", "contract"]);
}

#[tokio::test]
async fn an_event_that_comes_twice_at_once_is_answered_twice_with_success() {
    let stack = Stack::new().await;
    let scripts = [("v1.sql", V1)];
    let (one, two) = tokio::join!(
        stack.handle(&scripts, stack.event("Create")),
        stack.handle(&scripts, stack.event("Create"))
    );
    assert_eq!(
        (&one["Status"], &two["Status"]),
        (&"SUCCESS".into(), &"SUCCESS".into())
    );
    let mut applied: Vec<i64> = stack
        .answers()
        .iter()
        .map(|answer| answer.body["Data"]["Applied"].as_i64().unwrap())
        .collect();
    applied.sort_unstable();
    assert_eq!(applied, [0, 2]);
    assert_eq!(stack.log().await, ["v1"]);
}

#[tokio::test]
async fn a_response_url_that_fails_and_then_works_gets_the_answer_of_one_run() {
    let failures = std::sync::atomic::AtomicU32::new(2);
    let stack = Stack::with_answers(Duration::from_secs(45), move |_| {
        match failures.fetch_update(
            std::sync::atomic::Ordering::Relaxed,
            std::sync::atomic::Ordering::Relaxed,
            |left| left.checked_sub(1),
        ) {
            Ok(2) => Reply::HangUp,
            Ok(_) => Reply::Error(503, "SlowDown", "m".to_owned()),
            Err(_) => Reply::Ok(json!({})),
        }
    })
    .await;
    let answer = stack.handle(&[("v1.sql", V1)], stack.event("Create")).await;
    assert_eq!(answer["Data"]["Applied"], 2);
    assert_eq!(stack.answers().len(), 3);
    assert_eq!(stack.log().await, ["v1"]);
}

#[tokio::test]
async fn properties_that_cannot_be_read_are_answered_and_stop_no_delete() {
    let stack = Stack::new().await;
    let mut event = stack.event("Create");
    event["ResourceProperties"]["Phase"] = json!({ "contract": "true" });
    let answer = stack.handle(&[("v1.sql", V1)], event.clone()).await;
    assert_eq!(answer["Status"], "FAILED");
    insta::assert_snapshot!(answer["Reason"].as_str().unwrap(), @r"
    error: the migrator does not understand the properties of this resource: invalid type: map, expected a string
     note: no script was run
     help: `Database`, `Phase`, `FunctionSecret` and `Rebuild` are texts in the template
    ");
    assert!(stack.database.ask("SHOW TABLES").await.is_empty());
    event["RequestType"] = "Delete".into();
    event["PhysicalResourceId"] = answer["PhysicalResourceId"].clone();
    let answer = stack.handle(&[("v1.sql", V1)], event).await;
    assert_eq!(answer["Status"], "SUCCESS");
}

#[tokio::test]
async fn a_statement_that_the_data_api_does_not_take_is_refused_before_anything_runs() {
    let stack = Stack::new().await;
    let long = format!("INSERT INTO log (what) VALUES ('{}');", "x".repeat(65_500));
    let answer = stack
        .handle(&[("v1.sql", V1), ("v2.sql", &long)], stack.event("Create"))
        .await;
    assert_eq!(answer["Status"], "FAILED");
    let reason = answer["Reason"].as_str().unwrap();
    assert!(
        reason.starts_with(
            "error: this statement has 65534 characters, and 65280 can be sent\n --> scripts/schema/v2.sql:1:1"
        ),
        "{reason}"
    );
    assert!(stack.database.ask("SHOW TABLES").await.is_empty());
}

#[tokio::test]
async fn a_schema_statement_is_signed_so_that_it_cannot_be_taken_late() {
    let stack = Stack::new().await;
    stack.handle(&[("v1.sql", V1)], stack.event("Create")).await;
    let calls = stack.server.calls();
    let date = |call: &Call| call.header("x-amz-date").unwrap().to_owned();
    let schema: Vec<&Call> = calls
        .iter()
        .filter(|call| call.body["continueAfterTimeout"] == true)
        .collect();
    assert_eq!(schema.len(), 1);
    // Three minutes before it was sent: AWS takes it for two more.
    assert!(date(schema[0]) < date(&calls[0]), "{}", date(schema[0]));
    assert!(date(&calls[1]) >= date(&calls[0]));
}

#[tokio::test]
async fn a_mistyped_statement_is_answered_in_the_databases_words() {
    let stack = Stack::new().await;
    let answer = stack
        .handle(
            &[("v1.sql", "ALTER TABEL log ADD x INT;")],
            stack.event("Create"),
        )
        .await;
    let reason = answer["Reason"].as_str().unwrap();
    assert!(reason.contains("near 'TABEL log"), "{reason}");
    assert!(reason.contains("--> scripts/schema/v1.sql:1:1"), "{reason}");
}

#[tokio::test]
async fn a_row_that_another_has_locked_ends_in_an_answer_with_its_place() {
    let stack = Stack::new().await;
    stack.handle(&[("v1.sql", V1)], stack.event("Create")).await;
    let mut other = stack.database.connect().await;
    other.query_drop("START TRANSACTION").await.unwrap();
    other
        .query_drop("UPDATE log SET what = 'mine'")
        .await
        .unwrap();
    // The Data API stops a statement of a transaction after its 45 s, before the server gives up the wait for the row.
    let update = ("UPDATE log", Duration::from_secs(3));
    let set_time = |time| *stack.database.transaction_time.lock().unwrap() = time;
    set_time(Some(update));
    let scripts = [
        ("v1.sql", V1),
        ("v2.sql", "SELECT 1;\nUPDATE log SET what = 'ours';"),
    ];
    let answer = stack.handle(&scripts, stack.event("Update")).await;
    insta::assert_snapshot!(answer["Reason"].as_str().unwrap(), @r"
    error: statement 2 of 2 failed: Database query timed out (StatementTimeoutException)
     --> scripts/schema/v2.sql:2:1
      |
    2 | UPDATE log SET what = 'ours';
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     help: nothing of this script is applied; correct this one and deploy again, it starts at 1
    ");
    other.query_drop("ROLLBACK").await.unwrap();
    set_time(None);
    let answer = stack.handle(&scripts, stack.event("Update")).await;
    assert_eq!(answer["Status"], "SUCCESS", "{answer}");
    assert_eq!(stack.log().await, ["ours"]);
}

/// Handles an event and whatever it is handed over to, each with so much time; gives the answer and the number of
/// invocations.
async fn handle_in_turns(
    stack: &Stack,
    scripts: &[(&str, &str)],
    time: Duration,
) -> (Value, usize) {
    let layer = layer(scripts);
    let mut event = stack.event("Create");
    for number in 1..100 {
        let migrator = stack.migrator(&layer);
        handle(Ok(&migrator), event, &ends_in(time)).await.unwrap();
        if let Some(answer) = stack.answers().pop() {
            return (answer.body, number);
        }
        let invocations = stack.calls("/2015-03-31/functions/blog-dev-migrator/invocations");
        assert_eq!(invocations.len(), number);
        let call = &invocations[number - 1];
        assert_eq!(call.header("x-amz-invocation-type"), Some("Event"));
        let authorization = call.header("authorization").unwrap();
        assert!(
            authorization.contains("/eu-central-1/lambda/aws4_request"),
            "{authorization}"
        );
        assert_eq!(call.body["DayspringHandOver"]["Number"], number);
        assert_eq!(call.body["RequestId"], "0b1c");
        event = call.body.clone();
    }
    panic!("never answered");
}

#[tokio::test]
async fn statements_that_need_longer_than_an_invocation_are_handed_over() {
    let stack = Stack::with_answers(Duration::from_secs(1), |_| Reply::Ok(json!({}))).await;
    // Whether a table was filled to its end is told by the server's age, in whole seconds.
    let status = if crate::program::is_mysql() {
        "performance_schema.global_status"
    } else {
        "information_schema.global_status"
    };
    let grow_older = format!(
        "SELECT SLEEP(GREATEST(0, 4 - variable_value)) FROM {status} WHERE variable_name = 'Uptime'"
    );
    assert_eq!(stack.database.ask(&grow_older).await, ["0"]);
    let slow = "CREATE TABLE a AS SELECT SLEEP(12) AS n;\nALTER TABLE a ADD INDEX (n);\nINSERT INTO a SELECT SLEEP(0.7);\nINSERT INTO a SELECT SLEEP(0.7);\nINSERT INTO a SELECT SLEEP(0.7);";
    let (answer, invocations) =
        handle_in_turns(&stack, &[("v1.sql", slow)], Duration::from_secs(10)).await;
    assert_eq!(answer["Status"], "SUCCESS", "{answer}");
    assert_eq!(answer["Data"]["Version"], 1);
    assert_eq!(
        answer["Data"]["Report"], "5 statements applied, schema at v1",
        "of all invocations"
    );
    assert_eq!(answer["Data"]["Applied"], 5);
    assert!(invocations > 1, "{invocations}");
    assert_eq!(stack.database.ask("SELECT COUNT(*) FROM a").await, ["4"]);
    assert_eq!(
        stack
            .database
            .ask("SELECT index_name FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'a'")
            .await,
        ["n"]
    );
}

#[tokio::test]
async fn a_hand_over_that_is_refused_is_answered_with_why() {
    let stack = Stack::with_answers(Duration::from_secs(1), |call| {
        if call.path.starts_with("/answer") {
            Reply::Ok(json!({}))
        } else {
            Reply::Error(403, "AccessDeniedException", "not authorized".to_owned())
        }
    })
    .await;
    let layer = layer(&[("v1.sql", "CREATE TABLE a AS SELECT SLEEP(600) AS n;")]);
    let migrator = stack.migrator(&layer);
    // A quarter of it is left for the hand-over, and for the answer.
    let context = ends_in(Duration::from_secs(12));
    handle(Ok(&migrator), stack.event("Create"), &context)
        .await
        .unwrap();
    let answer = stack.answers().pop().unwrap().body;
    assert_eq!(answer["Status"], "FAILED");
    insta::assert_snapshot!(answer["Reason"].as_str().unwrap(), @r#"
    error: the migration did not finish in the migrator's time: nothing to do, no scripts applied
     note: it could not be handed over: status 403 Forbidden: {"message":"not authorized"}
     help: deploy again, it carries on where this one stopped
    "#);
}

/// A server whose Secrets Manager has this secret, and nothing else.
async fn stack_with_secret(secret: &'static str) -> Stack {
    Stack::with_answers(Duration::from_secs(45), move |call| {
        if call.header("x-amz-target") != Some("secretsmanager.GetSecretValue") {
            return Reply::Ok(json!({}));
        }
        assert!(
            call.header("authorization")
                .unwrap()
                .contains("/secretsmanager/aws4_request")
        );
        if call.body["SecretId"] == "arn:the-secret" {
            Reply::Ok(json!({ "ARN": "arn:the-secret", "SecretString": secret }))
        } else {
            Reply::Error(400, "ResourceNotFoundException", "not found".to_owned())
        }
    })
    .await
}

#[tokio::test]
async fn the_functions_account_is_there_before_the_first_script_runs() {
    let stack = stack_with_secret(r#"{"username":"my_functions","password":"aB3aB3"}"#).await;
    let mut event = stack.event("Create");
    event["ResourceProperties"]["FunctionSecret"] = "arn:the-secret".into();
    let scripts = [(
        "v1.sql",
        "GRANT CREATE VIEW ON blog.* TO 'my_functions'@'%';",
    )];
    for report in [
        "1 statement applied, schema at v1",
        "nothing to do, schema at v1",
    ] {
        let answer = stack.handle(&scripts, event.clone()).await;
        assert_eq!(answer["Data"]["Report"], report, "{answer}");
    }
    let grants = stack
        .database
        .ask("SHOW GRANTS FOR 'my_functions'@'%'")
        .await;
    assert_eq!(
        grants[1],
        "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW \
         ON `blog`.* TO `my_functions`@`%`"
    );
    assert_eq!(grants.len(), 2);
}

#[tokio::test]
async fn a_functions_account_that_cannot_be_made_stops_the_migration_before_a_script_runs() {
    for (secret, arn, problem) in [
        (
            "{}",
            "arn:another",
            "could not be read: status 400 Bad Request",
        ),
        (
            "secret!",
            "arn:the-secret",
            "must be a JSON object with `username` and `password`",
        ),
        (
            r#"{"username":"a'b","password":"x"}"#,
            "arn:the-secret",
            "must have a `username` of",
        ),
    ] {
        let stack = stack_with_secret(secret).await;
        let mut event = stack.event("Create");
        event["ResourceProperties"]["FunctionSecret"] = arn.into();
        let answer = stack.handle(&[("v1.sql", V1)], event).await;
        assert_eq!(answer["Status"], "FAILED");
        let reason = answer["Reason"].as_str().unwrap();
        assert!(
            reason.starts_with("error: the functions' secret"),
            "{reason}"
        );
        assert!(
            reason.contains(problem) && reason.contains("no script was run"),
            "{reason}"
        );
        assert!(!reason.contains("secret!"), "{reason}");
        assert!(stack.calls("/Execute").is_empty());
    }
}
