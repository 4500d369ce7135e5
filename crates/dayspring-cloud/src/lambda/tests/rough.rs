//! Functions that do what no function should: the cloud and the next request are none the worse.

use super::*;

impl Fixture {
    /// The fixture behind a shell script.
    async fn behind(&self, spec: FunctionSpec, script: &str) {
        let zip = zip_of(&[
            ("bootstrap", 0o755, script.as_bytes()),
            ("fixture", 0o755, &fixture_binary()),
        ]);
        self.lambda.put_function(spec, zip).await.unwrap();
    }
}

fn error_type(invocation: &Invocation) -> String {
    json(&invocation.payload)["errorType"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn a_function_that_takes_more_memory_than_it_has_is_ended() {
    if !Path::new("/proc/self/statm").exists() {
        return;
    }
    let cloud = open();
    cloud.put(spec("f", "memory.handler")).await;
    let invocation = cloud.invoke("f", "{}").await;
    assert_eq!(
        text(&invocation.payload).replace(&invocation.request_id, "ID"),
        r#"{"errorType":"Runtime.OutOfMemory","errorMessage":"RequestId: ID Error: Runtime exited with error: signal: killed"}"#
    );
    let tail = text(&invocation.log_tail).replace(&invocation.request_id, "ID");
    assert!(tail.contains("RequestId: ID Error: Runtime exited with error: signal: killed\n"));
    let report = tail.lines().last().unwrap();
    assert!(
        report.ends_with("\tStatus: error\tError Type: Runtime.OutOfMemory"),
        "{report}"
    );
    cloud.put(spec("f", "echo.handler")).await;
    assert_eq!(cloud.invoke("f", "1").await.payload, "1");
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn a_child_that_nobody_waited_for_does_not_hide_the_memory_of_its_function() {
    if !Path::new("/proc/self/statm").exists() {
        return;
    }
    let cloud = open();
    cloud.put(spec("f", "memory.zombie")).await;
    let invocation = cloud.invoke("f", "{}").await;
    assert_eq!(error_type(&invocation), "Runtime.OutOfMemory");
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn a_process_that_left_its_group_ends_with_its_function() {
    let mut cloud = open();
    let (invocation, child) = cloud.time_out_with_a_child("daemon.handler").await;
    assert_eq!(error_type(&invocation), "Sandbox.Timedout");
    gone(&child).await;
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn a_child_does_not_outlive_a_function_that_exits() {
    let mut cloud = open();
    cloud.put(spec("f", "orphan.handler")).await;
    let invocation = cloud.invoke("f", "{}").await;
    assert_eq!(error_type(&invocation), "Runtime.ExitError");
    let child = cloud.printed("child ").await;
    gone(&child).await;
    cloud.lambda.shut_down().await;
}

/// Sixteen MiB in lines, and in one line that does not end.
#[tokio::test]
async fn a_flood_of_output_fills_neither_memory_nor_disk() {
    let cloud = open();
    for chunk in ["\n", "x"] {
        let mut spec = spec("f", "flood.handler");
        spec.timeout_seconds = 600;
        spec.environment = variables(&[("CHUNK", chunk)]);
        spec.timeout_seconds = 900;
        cloud.put(spec).await;
        let invocation = cloud.invoke("f", "{}").await;
        assert_eq!(invocation.payload, "null");
        assert!(invocation.log_tail.len() <= 4096);
    }
    let logs = cloud.folder.path().join("logs");
    let on_disk: u64 = std::fs::read_dir(logs)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(on_disk < 24 * 1024 * 1024, "{on_disk}");
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn bytes_that_are_no_text_are_logged_as_text() {
    let cloud = open();
    cloud.put(spec("f", "garbage.handler")).await;
    let invocation = cloud.invoke("f", "{}").await;
    assert_eq!(invocation.payload, "null");
    let tail = text(&invocation.log_tail);
    assert!(
        tail.contains("ABCDEFG") && tail.contains('\u{fffd}'),
        "{tail}"
    );
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn a_process_that_ignores_signals_is_ended_at_its_timeout() {
    let cloud = open();
    let script = "#!/bin/sh\ntrap '' TERM INT HUP\nexec \"$LAMBDA_TASK_ROOT/fixture\"\n";
    let mut spec = spec("f", "hang.handler");
    spec.timeout_seconds = 1;
    cloud.behind(spec, script).await;
    let invocation = cloud.invoke("f", "{}").await;
    assert_eq!(error_type(&invocation), "Sandbox.Timedout");
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn a_process_that_closed_its_output_answers() {
    let cloud = open();
    let script = "#!/bin/sh\nexec \"$LAMBDA_TASK_ROOT/fixture\" >&- 2>&-\n";
    cloud.behind(spec("f", "echo.handler"), script).await;
    for _ in 0..2 {
        let invocation = cloud.invoke("f", "7").await;
        assert_eq!(invocation.payload, "7");
        assert!(text(&invocation.log_tail).contains("REPORT"));
    }
    cloud.lambda.shut_down().await;
}

/// The answer has begun when the request's time is over, and ends afterwards.
#[tokio::test]
async fn an_answer_after_the_deadline_reaches_nobody() {
    let mut cloud = open();
    cloud.put(spec("f", "late.handler")).await;
    let lambda = cloud.lambda.clone();
    let running = tokio::spawn(async move {
        let payload = Bytes::from_static(b"{}");
        lambda
            .invoke("f", InvocationType::RequestResponse, payload)
            .await
    });
    let printed = cloud.printed("late ").await;
    let (address, id) = printed.split_once(' ').unwrap();
    let mut runtime = tokio::net::TcpStream::connect(address).await.unwrap();
    let begin = format!(
        "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n"
    );
    runtime.write_all(begin.as_bytes()).await.unwrap();
    let mut begun = [0; 25];
    runtime.read_exact(&mut begun).await.unwrap();
    assert_eq!(begun, *b"HTTP/1.1 100 Continue\r\n\r\n");
    // The clock jumps to the end of its time.
    tokio::time::pause();
    let invocation = running.await.unwrap().unwrap();
    tokio::time::resume();
    assert_eq!(error_type(&invocation), "Sandbox.Timedout");
    assert_eq!(invocation.request_id, id);
    // The process is being ended: its connections may be gone with it.
    let mut answer = String::new();
    drop(runtime.write_all(b"\"late\"").await);
    drop(runtime.read_to_string(&mut answer).await);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400 "),
        "{answer}"
    );
    cloud.put(spec("f", "echo.handler")).await;
    assert_eq!(cloud.invoke("f", "7").await.payload, "7");
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn half_an_answer_is_none() {
    let cloud = open();
    cloud.put(spec("f", "half.handler")).await;
    assert_eq!(cloud.invoke("f", "{}").await.payload, "\"whole\"");
    cloud.put(spec("f", "half.exit")).await;
    let invocation = cloud.invoke("f", "{}").await;
    assert_eq!(error_type(&invocation), "Runtime.ExitError");
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn an_answer_in_pieces_is_delivered_whole() {
    let mut cloud = open();
    cloud.put(spec("f", "stream.handler")).await;
    let invocation = cloud.invoke("f", "{}").await;
    assert_eq!(invocation.payload, "\"one two\"");
    assert_eq!(invocation.function_error, None);
    assert_eq!(cloud.printed("streamed ").await, "HTTP/1.1 202 Accepted");
    cloud.put(spec("f", "stream.error")).await;
    let invocation = cloud.invoke("f", "{}").await;
    assert_eq!(invocation.payload, r#"{"errorType":"Late"}"#);
    assert_eq!(invocation.function_error.as_deref(), Some("Unhandled"));
    cloud.lambda.shut_down().await;
}

fn with_warnings(folder: &Path) -> (Lambda, tokio::sync::mpsc::Receiver<String>) {
    let (notices, warnings) = Notices::new();
    let config = LambdaConfig {
        identity: Identity::default(),
        folder: folder.to_owned(),
        endpoint_url: "http://127.0.0.1:4566".to_owned(),
        idle_max: IDLE_MAX_DEFAULT,
        lines: None,
        notices,
        objects: None,
        interpreters: Interpreters::default(),
    };
    (Lambda::open(config, logs(folder)).unwrap(), warnings)
}

#[tokio::test]
async fn the_extensions_api_is_not_there_and_somebody_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (lambda, mut warnings) = with_warnings(folder.path());
    lambda
        .put_function(spec("f", "extension.handler"), fixture())
        .await
        .unwrap();
    let answer = lambda
        .invoke("f", InvocationType::RequestResponse, Bytes::new())
        .await
        .unwrap();
    assert_eq!(answer.payload, "\"HTTP/1.1 404 Not Found\"");
    let warning = warnings.try_recv().unwrap();
    assert!(
        warning.starts_with("the function f (Lambda): "),
        "{warning}"
    );
    lambda.shut_down().await;
}

#[tokio::test]
async fn an_extension_in_a_layer_is_not_started_and_somebody_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (lambda, mut warnings) = with_warnings(folder.path());
    let agent = zip(&[("extensions/agent", 0o755, "#!/bin/sh\n")]);
    let layer = lambda.publish_layer_version("agent", agent).unwrap();
    let mut spec = spec("f", "echo.handler");
    spec.layers = vec![layer];
    lambda.put_function(spec, fixture()).await.unwrap();
    for _ in 0..2 {
        let answer = lambda
            .invoke(
                "f",
                InvocationType::RequestResponse,
                Bytes::from_static(b"7"),
            )
            .await
            .unwrap();
        assert_eq!(answer.payload, "7");
    }
    let warning = warnings.try_recv().unwrap();
    assert!(
        warning.starts_with("a layer of the function f (Lambda): there is no Extensions API"),
        "{warning}"
    );
    assert!(warnings.try_recv().is_err(), "it is told once");
    lambda.shut_down().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_function_may_open_as_many_files_and_start_as_many_processes_as_on_aws() {
    let cloud = open();
    for limit in ["Max open files", "Max processes"] {
        let mut spec = spec("f", "limits.handler");
        spec.environment = variables(&[("LIMIT", limit)]);
        cloud.put(spec).await;
        let line = json(&cloud.invoke("f", "{}").await.payload);
        let line = line.as_str().unwrap();
        // `Max open files SOFT HARD files`. A machine whose own limit is lower keeps that.
        let numbers = line.strip_prefix(limit).unwrap().split_whitespace();
        let numbers: Vec<u64> = numbers.filter_map(|text| text.parse().ok()).collect();
        let is_limited = numbers.len() == 2 && numbers.iter().all(|number| *number <= 1024);
        let view = cloud.lambda.service.has_views();
        assert!(is_limited || (limit == "Max processes" && !view), "{line}");
    }
    cloud.lambda.shut_down().await;
}

/// A GiB takes minutes without optimisation; `SLOW_TESTS=1` runs it.
#[tokio::test]
async fn a_gibibyte_of_lines_fills_neither_memory_nor_disk() {
    if std::env::var_os("SLOW_TESTS").is_none() {
        return;
    }
    let cloud = open();
    let line = format!("{}\n", "x".repeat(63));
    let mut spec = spec("f", "flood.handler");
    spec.environment = variables(&[("CHUNK", &line)]);
    spec.timeout_seconds = 900;
    cloud.put(spec).await;
    let invocation = cloud.invoke("f", "{}").await;
    assert_eq!(invocation.payload, "null");
    assert!(invocation.log_tail.len() <= 4096);
    let logs = cloud.folder.path().join("logs");
    let on_disk: u64 = std::fs::read_dir(logs)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(on_disk < 24 * 1024 * 1024, "{on_disk}");
    cloud.lambda.shut_down().await;
}
