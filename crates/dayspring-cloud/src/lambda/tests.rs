//! Real processes: the fixture `tests/fixtures/bootstrap.rs` behind the Runtime API.

mod api;
mod json_logs;
mod rough;
mod runtimes;
mod sandboxes;
mod versions;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::http::{Request, StatusCode};
use base64::Engine;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::world::World;

pub(crate) fn logs(folder: &Path) -> Logs {
    Logs::open(folder.join("logs"), Identity::default(), World::real()).unwrap()
}

pub(crate) fn spec(name: &str, handler: &str) -> FunctionSpec {
    FunctionSpec {
        name: name.to_owned(),
        handler: handler.to_owned(),
        runtime: "provided.al2023".to_owned(),
        layers: Vec::new(),
        environment: BTreeMap::new(),
        timeout_seconds: 30,
        memory_mib: 128,
        tmp_mib: FunctionSpec::TMP_MIB_DEFAULT,
        role: "arn:aws:iam::000000000000:role/r".to_owned(),
        log_group: format!("/aws/lambda/{name}"),
        log_format: LogFormat::default(),
        reserved_concurrency: None,
        architectures: vec!["x86_64".to_owned()],
        description: String::new(),
    }
}

/// A zip of `(name, mode, text)`.
pub(crate) fn zip(entries: &[(&str, u32, &str)]) -> Bytes {
    let entries: Vec<(&str, u32, &[u8])> = entries
        .iter()
        .map(|(name, mode, text)| (*name, *mode, text.as_bytes()))
        .collect();
    zip_of(&entries)
}

pub(super) fn zip_of(entries: &[(&str, u32, &[u8])]) -> Bytes {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, mode, text) in entries {
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored)
            .unix_permissions(*mode);
        writer.start_file(*name, options).unwrap();
        writer.write_all(text).unwrap();
    }
    writer.finish().unwrap().into_inner().into()
}

/// The zip of the fixture.
pub(crate) fn fixture() -> Bytes {
    zip_of(&[("bootstrap", 0o755, &fixture_binary())])
}

/// The fixture, which cargo builds with the tests.
pub(super) fn fixture_binary() -> Vec<u8> {
    let tests = std::env::current_exe().unwrap();
    let path: PathBuf = tests
        .parent()
        .and_then(Path::parent)
        .unwrap()
        .join("examples/fixture-bootstrap");
    std::fs::read(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `cargo test -p dayspring-cloud` builds it",
            path.display()
        )
    })
}

pub(crate) struct Fixture {
    pub(crate) lambda: Lambda,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) lines: mpsc::Receiver<FunctionLine>,
}

pub(crate) fn open() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let (lambda, lines) = open_in(folder.path().to_owned(), IDLE_MAX_DEFAULT);
    Fixture {
        lambda,
        folder,
        lines,
    }
}

fn open_in(folder: PathBuf, idle_max: Duration) -> (Lambda, mpsc::Receiver<FunctionLine>) {
    let interpreters = Interpreters::from_environment(folder.join("clients"));
    open_with(folder, idle_max, interpreters)
}

pub(super) fn open_with(
    folder: PathBuf,
    idle_max: Duration,
    interpreters: Interpreters,
) -> (Lambda, mpsc::Receiver<FunctionLine>) {
    let (sender, lines) = mpsc::channel(1000);
    let logs = logs(&folder);
    let config = LambdaConfig {
        identity: Identity::default(),
        folder,
        endpoint_url: "http://127.0.0.1:4566".to_owned(),
        idle_max,
        lines: Some(sender),
        notices: Notices::new().0,
        objects: None,
        interpreters,
    };
    (Lambda::open(config, logs).unwrap(), lines)
}

impl Fixture {
    pub(crate) async fn put(&self, spec: FunctionSpec) {
        self.lambda.put_function(spec, fixture()).await.unwrap();
    }

    async fn invoke(&self, name: &str, payload: &'static str) -> Invocation {
        self.lambda
            .invoke(
                name,
                InvocationType::RequestResponse,
                Bytes::from_static(payload.as_bytes()),
            )
            .await
            .unwrap()
    }

    /// Waits until so many processes wait for an event, as an answer does not: a process asks for more after it.
    async fn asking(&self, count: usize) {
        while self.lambda.service.asking() != count {
            tokio::task::yield_now().await;
        }
    }

    /// What comes after this in the next line that begins with it.
    async fn printed(&mut self, prefix: &str) -> String {
        loop {
            let line = self.lines.recv().await.unwrap().line;
            if let Some(rest) = line.strip_prefix(prefix) {
                return rest.to_owned();
            }
        }
    }

    /// Runs a function that names its child and then hangs. The clock stands still from then on and jumps to the end of
    /// its time.
    async fn time_out_with_a_child(&mut self, handler: &str) -> (Invocation, String) {
        self.put(spec("f", handler)).await;
        let lambda = self.lambda.clone();
        let running = tokio::spawn(async move {
            lambda
                .invoke(
                    "f",
                    InvocationType::RequestResponse,
                    Bytes::from_static(b"{}"),
                )
                .await
        });
        let child = self.printed("child ").await;
        tokio::time::pause();
        let invocation = running.await.unwrap().unwrap();
        tokio::time::resume();
        (invocation, child)
    }

    /// Puts a function of this handler and gives its answer, with ids and figures made equal.
    async fn answer_of(&self, handler: &str, environment: &[(&str, &str)]) -> String {
        let mut spec = spec("f", handler);
        if handler == "hang.handler" {
            spec.timeout_seconds = 1;
        }
        for (name, value) in environment {
            spec.environment
                .insert((*name).to_owned(), (*value).to_owned());
        }
        self.put(spec).await;
        let invocation = self.invoke("f", "{\"a\":1}").await;
        text(&invocation.payload).replace(&invocation.request_id, "ID")
    }
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(bytes: &Bytes) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Ends when the process is gone; the system forgets it as soon as it is waited for.
async fn gone(pid: &str) {
    while Path::new(&format!("/proc/{pid}")).exists()
        && !std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| stat.contains(") Z "))
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_function_answers_and_its_process_is_used_again() {
    let cloud = open();
    cloud.put(spec("f", "count.handler")).await;
    let first = cloud.invoke("f", "{}").await;
    cloud.asking(1).await;
    let answers = [first, cloud.invoke("f", "{}").await];
    let [one, two] = answers.map(|invocation| json(&invocation.payload));
    assert_eq!((&one["count"], &two["count"]), (&1.into(), &2.into()));
    assert_eq!(one["pid"], two["pid"]);
    cloud.lambda.shut_down().await;
    gone(&one["pid"].to_string()).await;
    assert_eq!(cloud.lambda.service.processes(), 0);
}

#[tokio::test]
async fn a_function_sees_what_aws_gives_and_nothing_of_this_machine() {
    let cloud = open();
    let layer = cloud
        .lambda
        .publish_layer_version("scripts", zip(&[("scripts/schema/v1.sql", 0o644, "")]))
        .unwrap();
    assert_eq!(
        layer,
        "arn:aws:lambda:us-east-1:000000000000:layer:scripts:1"
    );
    let mut spec = spec("f", "env.handler");
    spec.layers = vec![layer];
    spec.environment = variables(&[("TABLE", "posts")]);
    cloud.put(spec).await;
    let seen = json(&cloud.invoke("f", "{}").await.payload);
    match seen["DAYSPRING_LAYER_ROOT"].as_str() {
        Some(root) => {
            let script = Path::new(root).join("scripts/schema/v1.sql");
            assert!(script.is_file());
        }
        // It is at `/opt`, where this process does not see it.
        None => assert_eq!(seen["opt"], "scripts"),
    }
    assert_eq!(seen["cwd"], seen["LAMBDA_TASK_ROOT"]);
    assert_eq!(seen["TABLE"], "posts");
    assert_eq!(seen["PATH"], "/usr/local/bin:/usr/bin/:/bin:/opt/bin");
    let strange: Vec<&String> = seen
        .as_object()
        .unwrap()
        .keys()
        .filter(|name| ["HOME", "USER", "CARGO", "SHELL"].contains(&name.as_str()))
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn an_event_comes_with_the_headers_of_the_runtime_api() {
    let cloud = open();
    let before = date::unix_millis_now();
    let mut spec = spec("f", "headers.handler");
    spec.timeout_seconds = 7;
    cloud.put(spec).await;
    let head = json(&cloud.invoke("f", "{}").await.payload);
    let head = head.as_str().unwrap();
    let header = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
            .unwrap()
    };
    let deadline: u64 = header("lambda-runtime-deadline-ms").parse().unwrap();
    assert!(deadline >= before + 7000 && deadline <= date::unix_millis_now() + 7000);
    assert_eq!(
        header("lambda-runtime-invoked-function-arn"),
        "arn:aws:lambda:us-east-1:000000000000:function:f"
    );
    assert!(header("lambda-runtime-trace-id").starts_with("Root=1-"));
    assert_eq!(header("content-type"), "application/json");
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn every_failure_has_the_payload_of_aws_and_the_next_request_is_served() {
    let cloud = open();
    for (handler, environment, expected) in [
        (
            "error.handler",
            &[][..],
            r#"{"errorType":"Refused","errorMessage":"not today"}"#,
        ),
        (
            "exit.handler",
            &[("CODE", "0")][..],
            r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited without providing a reason"}"#,
        ),
        (
            "exit.handler",
            &[("CODE", "127")][..],
            r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 127"}"#,
        ),
        (
            "abort.handler",
            &[][..],
            r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: signal: aborted"}"#,
        ),
        (
            "hang.handler",
            &[][..],
            r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 1.00 seconds"}"#,
        ),
        (
            "big.handler",
            &[][..],
            r#"{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}"#,
        ),
        (
            "init.exit",
            &[][..],
            r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 3"}"#,
        ),
        (
            "init.error",
            &[][..],
            r#"{"errorMessage":"no database","errorType":"Runtime.Unknown"}"#,
        ),
        ("echo.handler", &[][..], r#"{"a":1}"#),
    ] {
        assert_eq!(cloud.answer_of(handler, environment).await, expected);
    }
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn wrong_calls_of_a_runtime_are_answered_as_aws_answers_them() {
    let mut cloud = open();
    cloud.put(spec("f", "wrong.handler")).await;
    let seen = json(&cloud.invoke("f", "{\"a\":1}").await.payload);
    insta::assert_snapshot!(seen.as_str().unwrap().trim_end(), @r#"
    again 200 {"a":1}
    stranger 400 {"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}
    init 403 {"errorMessage":"State transition from Running to InitError failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}
    method 405 
    path 404 404 page not found
    ping 200 pong
    "#);
    let mut printed = Vec::new();
    while printed.len() < 2 {
        let line = cloud.lines.recv().await.unwrap().line;
        if line.starts_with("first") || line.starts_with("second") {
            printed.push(line);
        }
    }
    insta::assert_snapshot!(printed.join("\n"), @r#"
    first 202 {"status":"OK"}
    second 403 {"errorMessage":"State transition from RuntimeResponseSentState to InvocationResponse failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}
    "#);
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn a_log_has_the_lines_of_the_platform_around_those_of_the_function() {
    let cloud = open();
    cloud.put(spec("f", "log.handler")).await;
    let invocation = cloud.invoke("f", "{}").await;
    let id = &invocation.request_id;
    let tail = text(&invocation.log_tail);
    let lines: Vec<&str> = tail.lines().collect();
    let [start, out, error, end, report] = lines.as_slice() else {
        panic!("{tail}");
    };
    assert_eq!(*start, format!("START RequestId: {id} Version: $LATEST"));
    assert_eq!((*out, *error), ("to standard output", "to standard error"));
    assert_eq!(*end, format!("END RequestId: {id}"));
    assert!(report.starts_with(&format!("REPORT RequestId: {id}\tDuration: ")));
    assert!(report.contains("\tMemory Size: 128 MB\t"));
    assert!(report.contains("\tInit Duration: "));
    cloud.asking(1).await;
    let warm = cloud.invoke("f", "{}").await;
    assert!(!text(&warm.log_tail).contains("Init Duration"));
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn a_process_that_ends_with_its_request_says_so_in_the_log() {
    let cloud = open();
    let mut spec = spec("f", "exit.handler");
    spec.environment = variables(&[("CODE", "7")]);
    cloud.put(spec).await;
    let invocation = cloud.invoke("f", "{}").await;
    let tail = text(&invocation.log_tail).replace(&invocation.request_id, "ID");
    let (lines, report) = tail.split_once("REPORT ").unwrap();
    insta::assert_snapshot!(lines, @r"
    START RequestId: ID Version: $LATEST
    RequestId: ID Error: Runtime exited with error: exit status 7
    Runtime.ExitError
    END RequestId: ID
    ");
    assert!(report.ends_with("Status: error\tError Type: Runtime.ExitError\n"));
    cloud.lambda.shut_down().await;
}

/// The clock stands still and jumps when all wait, so that ten seconds take none.
#[tokio::test(start_paused = true)]
async fn a_start_has_ten_seconds_and_then_the_time_of_the_function() {
    let mut cloud = open();
    cloud.put(spec("f", "init.hang")).await;
    let invocation = cloud.invoke("f", "{}").await;
    assert_eq!(
        text(&invocation.payload).replace(&invocation.request_id, "ID"),
        r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 30.00 seconds"}"#
    );
    let first = cloud.lines.recv().await.unwrap().line;
    assert!(first.starts_with("INIT_REPORT Init Duration: "), "{first}");
    assert!(first.ends_with("Phase: init\tStatus: timeout"), "{first}");
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn a_call_that_comes_too_early_is_refused_and_the_start_goes_on() {
    let mut cloud = open();
    cloud.put(spec("f", "init.wrong")).await;
    assert_eq!(cloud.invoke("f", "7").await.payload, "7");
    let first = cloud.lines.recv().await.unwrap().line;
    assert_eq!(
        first,
        r#"early 400 {"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}"#
    );
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn a_timeout_ends_what_the_function_started_too() {
    let mut cloud = open();
    let (invocation, child) = cloud.time_out_with_a_child("fork.handler").await;
    assert!(text(&invocation.log_tail).contains("\tStatus: timeout"));
    gone(&child).await;
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn as_many_processes_run_as_there_are_requests_and_one_more_than_reserved_is_refused() {
    let gate = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = gate.local_addr().unwrap().to_string();
    let cloud = open();
    let mut spec = spec("f", "gate.handler");
    spec.environment = variables(&[("GATE", &address), ("VERSION", "1")]);
    spec.reserved_concurrency = Some(3);
    cloud.put(spec).await;
    let mut running = tokio::task::JoinSet::new();
    let mut open_gates = Vec::new();
    for _ in 0..3 {
        let lambda = cloud.lambda.clone();
        running.spawn(async move {
            lambda
                .invoke("f", InvocationType::RequestResponse, Bytes::new())
                .await
        });
        let (mut stream, _) = gate.accept().await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'!');
        open_gates.push(stream);
    }
    let refused = api::call(
        &cloud.lambda,
        "POST",
        "/2015-03-31/functions/f/invocations",
        &[],
        "{}",
    )
    .await;
    assert_eq!(
        refused,
        "429 TooManyRequestsException {\"Reason\":\"ReservedFunctionConcurrentInvocationLimitExceeded\",\"Type\":\"User\",\"message\":\"Rate Exceeded.\"}"
    );
    assert_eq!(cloud.lambda.service.processes(), 3);
    for stream in &mut open_gates {
        stream.write_all(b"!").await.unwrap();
    }
    while let Some(answer) = running.join_next().await {
        assert_eq!(answer.unwrap().unwrap().payload, "\"1\"");
    }
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn replaced_code_finishes_its_request_and_answers_no_later_one() {
    let gate = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = gate.local_addr().unwrap().to_string();
    let cloud = open();
    let version = |version: &str| FunctionSpec {
        environment: variables(&[("GATE", &address), ("VERSION", version)]),
        ..spec("f", "gate.handler")
    };
    let invoke = || {
        let lambda = cloud.lambda.clone();
        tokio::spawn(async move {
            let invocation = lambda
                .invoke("f", InvocationType::RequestResponse, Bytes::new())
                .await;
            text(&invocation.unwrap().payload)
        })
    };
    cloud.put(version("1")).await;
    let old = invoke();
    let (mut old_gate, _) = gate.accept().await.unwrap();
    cloud.put(version("2")).await;
    let new = invoke();
    let (mut new_gate, _) = gate.accept().await.unwrap();
    new_gate.write_all(b"!").await.unwrap();
    assert_eq!(new.await.unwrap(), "\"2\"");
    old_gate.write_all(b"!").await.unwrap();
    assert_eq!(old.await.unwrap(), "\"1\"");
    // The old process ends by itself.
    while cloud.lambda.service.processes() > 1 {
        tokio::task::yield_now().await;
    }
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_end_the_function() {
    let gate = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = gate.local_addr().unwrap().to_string();
    let mut cloud = open();
    let mut spec = spec("f", "gate.handler");
    spec.environment = variables(&[("GATE", &address), ("VERSION", "1")]);
    cloud.put(spec).await;
    let lambda = cloud.lambda.clone();
    let caller = tokio::spawn(async move {
        lambda
            .invoke("f", InvocationType::RequestResponse, Bytes::new())
            .await
    });
    let (mut stream, _) = gate.accept().await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    stream.write_all(b"!").await.unwrap();
    while !cloud.lines.recv().await.unwrap().line.starts_with("REPORT") {}
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn idle_processes_end_after_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let (lambda, lines) = open_in(folder.path().to_owned(), Duration::from_millis(1));
    let cloud = Fixture {
        lambda,
        folder,
        lines,
    };
    cloud.put(spec("f", "echo.handler")).await;
    cloud.invoke("f", "{}").await;
    while cloud.lambda.service.processes() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(cloud.invoke("f", "7").await.payload, "7");
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn functions_and_layers_are_there_again_after_a_restart() {
    let cloud = open();
    let layer = cloud
        .lambda
        .publish_layer_version("l", zip(&[("x", 0o644, "")]))
        .unwrap();
    let mut spec = spec("f", "echo.handler");
    spec.layers = vec![layer];
    cloud.put(spec).await;
    cloud.lambda.shut_down().await;
    let (lambda, lines) = open_in(cloud.folder.path().to_owned(), IDLE_MAX_DEFAULT);
    let cloud = Fixture {
        lambda,
        folder: cloud.folder,
        lines,
    };
    assert_eq!(cloud.invoke("f", "1").await.payload, "1");
    let next = cloud
        .lambda
        .publish_layer_version("l", zip(&[("y", 0o644, "")]));
    assert_eq!(
        next.unwrap(),
        "arn:aws:lambda:us-east-1:000000000000:layer:l:2"
    );
    cloud.lambda.delete_function("f").await.unwrap();
    let gone = cloud
        .lambda
        .invoke("f", InvocationType::RequestResponse, Bytes::new())
        .await;
    assert_eq!(
        gone.unwrap_err().message,
        "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST"
    );
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn code_that_was_replaced_often_is_removed() {
    let cloud = open();
    for version in 0..20 {
        let zip = zip(&[("bootstrap", 0o755, &format!("#!/bin/false {version}"))]);
        let put = cloud.lambda.put_function(spec("f", "x.handler"), zip);
        put.await.unwrap();
    }
    let kept = std::fs::read_dir(cloud.folder.path().join("code")).unwrap();
    assert_eq!(kept.count(), 8);
}

#[tokio::test]
async fn code_without_a_bootstrap_is_an_invalid_entrypoint() {
    let cloud = open();
    cloud
        .lambda
        .put_function(spec("f", "x.handler"), zip(&[("readme", 0o644, "")]))
        .await
        .unwrap();
    let invocation = cloud.invoke("f", "{}").await;
    assert_eq!(
        text(&invocation.payload).replace(&invocation.request_id, "ID"),
        "{\"errorType\":\"Runtime.InvalidEntrypoint\",\"errorMessage\":\"RequestId: ID Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]\"}"
    );
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn an_event_that_nobody_waits_for_is_run() {
    let mut cloud = open();
    cloud.put(spec("f", "log.handler")).await;
    let accepted = cloud
        .lambda
        .invoke("f", InvocationType::Event, Bytes::new())
        .await
        .unwrap();
    assert_eq!(accepted.payload, "");
    while cloud.lines.recv().await.unwrap().line != "to standard output" {}
    cloud.lambda.shut_down().await;
}
