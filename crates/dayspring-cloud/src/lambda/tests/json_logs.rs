//! Logs of functions whose `LogFormat` is JSON.

use super::*;
use crate::lambda::LogFormatInput;

fn json_spec(handler: &str, application: &str, system: &str) -> FunctionSpec {
    let format = LogFormatInput {
        log_format: Some("JSON"),
        application_log_level: Some(application),
        system_log_level: Some(system),
    };
    FunctionSpec {
        log_format: LogFormat::Text.with(format).unwrap(),
        ..spec("f", handler)
    }
}

/// The types of the platform's lines, and the function's own lines.
fn outline(invocation: &Invocation) -> Vec<String> {
    text(&invocation.log_tail)
        .lines()
        .map(|line| match serde_json::from_str::<Value>(line) {
            Ok(line) if line["type"].is_string() => {
                assert_eq!(line["record"]["requestId"], *invocation.request_id);
                let status = line["record"]["status"].as_str().unwrap_or_default();
                format!("{} {status}", line["type"].as_str().unwrap())
                    .trim_end()
                    .to_owned()
            }
            _ => line.replace(&invocation.request_id, "ID"),
        })
        .collect()
}

#[tokio::test]
async fn the_platform_writes_json_and_what_is_below_the_level_is_dropped() {
    let cloud = open();
    cloud.put(json_spec("levels.handler", "INFO", "INFO")).await;
    let cold = cloud.invoke("f", "{}").await;
    insta::assert_snapshot!(outline(&cold).join("\n"), @r#"
    platform.start
    {"timestamp":"2026-11-23T07:00:00Z","level":"INFO","message":"shown"}
    plain text
    platform.report success
    "#);
    assert_eq!(cold.payload, "\"JSON INFO\"");
    let report = |invocation: &Invocation| {
        json(&Bytes::from(
            text(&invocation.log_tail)
                .lines()
                .last()
                .unwrap()
                .to_owned(),
        ))
    };
    assert!(report(&cold)["record"]["metrics"]["initDurationMs"].is_f64());
    cloud.asking(1).await;
    let warm = report(&cloud.invoke("f", "{}").await);
    assert_eq!(warm["record"]["metrics"]["initDurationMs"], Value::Null);
    assert_eq!(warm["record"]["metrics"]["memorySizeMB"], 128);

    cloud
        .put(json_spec("levels.handler", "DEBUG", "WARN"))
        .await;
    let invocation = cloud.invoke("f", "{}").await;
    insta::assert_snapshot!(outline(&invocation).join("\n"), @r#"
    {"timestamp":"2026-11-23T07:00:00Z","level":"DEBUG","message":"hidden"}
    {"timestamp":"2026-11-23T07:00:00Z","level":"INFO","message":"shown"}
    plain text
    "#);
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn the_start_of_a_process_is_told_from_debug_on() {
    let mut cloud = open();
    cloud.put(json_spec("echo.handler", "INFO", "DEBUG")).await;
    let invocation = cloud.invoke("f", "{}").await;
    assert_eq!(
        outline(&invocation),
        [
            "platform.start",
            "platform.runtimeDone success",
            "platform.report success"
        ]
    );
    let mut kinds = Vec::new();
    for _ in 0..4 {
        let line = cloud.lines.recv().await.unwrap().line;
        let line: Value = serde_json::from_str(&line).unwrap();
        kinds.push(line["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(
        kinds,
        [
            "platform.initStart",
            "platform.initRuntimeDone",
            "platform.initReport",
            "platform.start"
        ]
    );
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn every_failure_is_in_the_report_in_json() {
    let mut cloud = open();
    let mut exit = json_spec("exit.handler", "INFO", "WARN");
    exit.environment = variables(&[("CODE", "7")]);
    cloud.put(exit).await;
    let invocation = cloud.invoke("f", "{}").await;
    insta::assert_snapshot!(outline(&invocation).join("\n"), @r"
    RequestId: ID Error: Runtime exited with error: exit status 7
    platform.runtimeDone error
    platform.report error
    ");
    let hang = FunctionSpec {
        timeout_seconds: 1,
        ..json_spec("hang.handler", "INFO", "WARN")
    };
    cloud.put(hang).await;
    let invocation = cloud.invoke("f", "{}").await;
    insta::assert_snapshot!(outline(&invocation).join("\n"), @r"
    platform.runtimeDone timeout
    platform.report timeout
    ");
    while cloud.lines.try_recv().is_ok() {}
    cloud.put(json_spec("init.exit", "INFO", "WARN")).await;
    cloud.invoke("f", "{}").await;
    assert_eq!(cloud.lines.recv().await.unwrap().line, "cannot start");
    let done = cloud.lines.recv().await.unwrap().line;
    assert!(done.contains(r#""type":"platform.initRuntimeDone","record":{"initializationType":"on-demand","phase":"init","status":"error","errorType":"Runtime.ExitError"}"#), "{done}");
    cloud.lambda.shut_down().await;
}
