//! What the platform writes into a function's log: as text, or as JSON where its `LogFormat` says so.
//!
//! The objects are those of the Telemetry API, and the level of each is from AWS's table:
//! <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html> (read 2026-11-23). Their members
//! are those of logs recorded on AWS in 2024-05 (the start of a process), 2026-07 (a timeout) and 2026-10.

use std::time::Duration;

use serde_json::{Value, json};

use super::date::Utc;
use super::logging::{LogFormat, SystemLevel};
use super::report::{
    InitPhase, Report, ReportStatus, end_line, exit_line, init_report_line, start_line,
    timeout_line,
};
use super::session::{Event, Exit};

/// Whose lines they are.
#[derive(Debug, Clone)]
pub(super) struct Platform {
    pub(super) format: LogFormat,
    pub(super) function: String,
    /// `$LATEST` or a number.
    pub(super) version: String,
    pub(super) log_stream: String,
    pub(super) memory_mib: u32,
    /// When the process is started.
    pub(super) phase: InitPhase,
}

impl Platform {
    /// A process is started. AWS names the version of its runtime here, which a process of this machine has not; the
    /// level of the line is then `DEBUG`.
    pub(super) fn init_start(&self, unix_millis: u64) -> Option<String> {
        let (day, instance) = self
            .log_stream
            .rsplit_once('/')
            .unwrap_or(("", &self.log_stream));
        self.object(
            unix_millis,
            SystemLevel::Debug,
            "platform.initStart",
            || {
                json!({
                    "initializationType": "on-demand",
                    "phase": self.phase.name(),
                    "functionName": self.function,
                    "functionVersion": self.version,
                    "instanceId": format!("{day}/{}{instance}", self.function),
                    "instanceMaxMemory": u64::from(self.memory_mib) * 1024 * 1024,
                })
            },
        )
    }

    /// A process has asked for its first event, or it never will.
    pub(super) fn init_end(
        &self,
        took: Duration,
        status: &ReportStatus,
        unix_millis: u64,
    ) -> Vec<String> {
        let LogFormat::Json { .. } = self.format else {
            // Of a start that went well the first REPORT tells.
            return match status {
                ReportStatus::Success => Vec::new(),
                ReportStatus::Timeout | ReportStatus::Error(_) => {
                    vec![init_report_line(took, self.phase, status)]
                }
            };
        };
        let level = level_of(status, SystemLevel::Debug);
        let record = || {
            let mut record = json!({
                "initializationType": "on-demand",
                "phase": self.phase.name(),
            });
            set_status(&mut record, status);
            record
        };
        let done = self.object(unix_millis, level, "platform.initRuntimeDone", record);
        let report = self.object(unix_millis, level, "platform.initReport", || {
            let mut record = record();
            record["metrics"] = json!({"durationMs": millis(took)});
            record
        });
        done.into_iter().chain(report).collect()
    }

    /// A request begins.
    pub(super) fn start(&self, event: &Event, unix_millis: u64) -> Option<String> {
        match self.format {
            LogFormat::Text => Some(start_line(&event.request_id, &self.version)),
            LogFormat::Json { .. } => {
                self.object(unix_millis, SystemLevel::Info, "platform.start", || {
                    json!({
                        "requestId": event.request_id,
                        "functionArn": event.function_arn,
                        "version": self.version,
                    })
                })
            }
        }
    }

    /// Why a process ended with its request. In JSON the kind of the error is in the report, and its reason nowhere
    /// else.
    pub(super) fn exited(&self, request_id: &str, exit: Exit) -> Vec<String> {
        let reason = exit_line(request_id, exit);
        match self.format {
            LogFormat::Text => vec![reason, "Runtime.ExitError".to_owned()],
            LogFormat::Json { .. } => vec![reason],
        }
    }

    /// The request's time was over. In JSON the report says so.
    pub(super) fn timed_out(
        &self,
        request_id: &str,
        timeout: Duration,
        unix_millis: u64,
    ) -> Vec<String> {
        match self.format {
            LogFormat::Text => vec![timeout_line(request_id, timeout, unix_millis)],
            LogFormat::Json { .. } => Vec::new(),
        }
    }

    /// A request is over.
    pub(super) fn end(
        &self,
        report: &Report<'_>,
        produced_bytes: usize,
        unix_millis: u64,
    ) -> Vec<String> {
        let LogFormat::Json { .. } = self.format else {
            return vec![end_line(report.request_id), report.line()];
        };
        let level = level_of(&report.status, SystemLevel::Debug);
        let done = self.object(unix_millis, level, "platform.runtimeDone", || {
            let mut record = json!({"requestId": report.request_id});
            set_status(&mut record, &report.status);
            record["metrics"] = json!({
                "durationMs": millis(report.duration),
                "producedBytes": produced_bytes,
            });
            record
        });
        let level = level_of(&report.status, SystemLevel::Info);
        let report = self.object(unix_millis, level, "platform.report", || {
            let mut metrics = json!({
                "durationMs": millis(report.duration),
                "billedDurationMs": report.billed_millis(),
                "memorySizeMB": report.memory_mib,
            });
            if let Some(used) = report.memory_used_mib {
                metrics["maxMemoryUsedMB"] = used.into();
            }
            if let Some(init) = report.init {
                metrics["initDurationMs"] = millis(init).into();
            }
            let mut record = json!({"requestId": report.request_id, "metrics": metrics});
            set_status(&mut record, &report.status);
            record
        });
        done.into_iter().chain(report).collect()
    }

    /// A line in JSON, where it is written.
    fn object(
        &self,
        unix_millis: u64,
        level: SystemLevel,
        kind: &str,
        record: impl FnOnce() -> Value,
    ) -> Option<String> {
        match self.format {
            LogFormat::Json { system, .. } if level >= system => Some(
                json!({
                    "time": format!("{}Z", Utc::from_unix_millis(unix_millis).iso_millis()),
                    "type": kind,
                    "record": record(),
                })
                .to_string(),
            ),
            LogFormat::Json { .. } | LogFormat::Text => None,
        }
    }
}

fn level_of(status: &ReportStatus, of_success: SystemLevel) -> SystemLevel {
    match status {
        ReportStatus::Success => of_success,
        ReportStatus::Timeout | ReportStatus::Error(_) => SystemLevel::Warn,
    }
}

fn set_status(record: &mut Value, status: &ReportStatus) {
    record["status"] = match status {
        ReportStatus::Success => "success",
        ReportStatus::Timeout => "timeout",
        ReportStatus::Error(_) => "error",
    }
    .into();
    if let ReportStatus::Error(kind) = status {
        record["errorType"] = kind.as_ref().into();
    }
}

/// With three places.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::lambda::logging::ApplicationLevel;

    /// 2026-10-08T07:30:29.470Z
    const NOW: u64 = 1_791_444_629_470;

    fn platform(system: SystemLevel) -> Platform {
        Platform {
            format: LogFormat::Json {
                application: ApplicationLevel::Info,
                system,
            },
            function: "f".to_owned(),
            version: "$LATEST".to_owned(),
            log_stream: "2026/10/08/[$LATEST]22be".to_owned(),
            memory_mib: 256,
            phase: InitPhase::Init,
        }
    }

    fn all(system: SystemLevel, status: &ReportStatus) -> String {
        let platform = platform(system);
        let event = Event {
            request_id: "79b5".to_owned(),
            payload: Bytes::new(),
            timeout: Duration::from_secs(3),
            function_arn: "arn:aws:lambda:eu-central-1:000000000000:function:f".to_owned(),
            trace_id: String::new(),
            client_context: None,
        };
        let report = Report {
            request_id: "79b5",
            duration: Duration::from_micros(1_233_960),
            memory_mib: 256,
            memory_used_mib: Some(123),
            init: Some(Duration::from_micros(463_512)),
            status: status.clone(),
        };
        let took = Duration::from_micros(463_512);
        let lines: Vec<String> = platform
            .init_start(NOW)
            .into_iter()
            .chain(platform.init_end(took, &ReportStatus::Success, NOW))
            .chain(platform.start(&event, NOW))
            .chain(platform.end(&report, 42, NOW))
            .collect();
        lines.join("\n")
    }

    #[test]
    fn the_lines_are_those_of_aws_in_json() {
        insta::assert_snapshot!(all(SystemLevel::Info, &ReportStatus::Success), @r#"
        {"time":"2026-10-08T07:30:29.470Z","type":"platform.start","record":{"requestId":"79b5","functionArn":"arn:aws:lambda:eu-central-1:000000000000:function:f","version":"$LATEST"}}
        {"time":"2026-10-08T07:30:29.470Z","type":"platform.report","record":{"requestId":"79b5","metrics":{"durationMs":1233.96,"billedDurationMs":1698,"memorySizeMB":256,"maxMemoryUsedMB":123,"initDurationMs":463.512},"status":"success"}}
        "#);
    }

    #[test]
    fn everything_is_written_from_debug_on() {
        insta::assert_snapshot!(all(SystemLevel::Debug, &ReportStatus::Success), @r#"
        {"time":"2026-10-08T07:30:29.470Z","type":"platform.initStart","record":{"initializationType":"on-demand","phase":"init","functionName":"f","functionVersion":"$LATEST","instanceId":"2026/10/08/f[$LATEST]22be","instanceMaxMemory":268435456}}
        {"time":"2026-10-08T07:30:29.470Z","type":"platform.initRuntimeDone","record":{"initializationType":"on-demand","phase":"init","status":"success"}}
        {"time":"2026-10-08T07:30:29.470Z","type":"platform.initReport","record":{"initializationType":"on-demand","phase":"init","status":"success","metrics":{"durationMs":463.512}}}
        {"time":"2026-10-08T07:30:29.470Z","type":"platform.start","record":{"requestId":"79b5","functionArn":"arn:aws:lambda:eu-central-1:000000000000:function:f","version":"$LATEST"}}
        {"time":"2026-10-08T07:30:29.470Z","type":"platform.runtimeDone","record":{"requestId":"79b5","status":"success","metrics":{"durationMs":1233.96,"producedBytes":42}}}
        {"time":"2026-10-08T07:30:29.470Z","type":"platform.report","record":{"requestId":"79b5","metrics":{"durationMs":1233.96,"billedDurationMs":1698,"memorySizeMB":256,"maxMemoryUsedMB":123,"initDurationMs":463.512},"status":"success"}}
        "#);
    }

    #[test]
    fn only_what_went_wrong_is_written_from_warn_on() {
        assert_eq!(all(SystemLevel::Warn, &ReportStatus::Success), "");
        insta::assert_snapshot!(all(SystemLevel::Warn, &ReportStatus::Timeout), @r#"
        {"time":"2026-10-08T07:30:29.470Z","type":"platform.runtimeDone","record":{"requestId":"79b5","status":"timeout","metrics":{"durationMs":1233.96,"producedBytes":42}}}
        {"time":"2026-10-08T07:30:29.470Z","type":"platform.report","record":{"requestId":"79b5","metrics":{"durationMs":1233.96,"billedDurationMs":1698,"memorySizeMB":256,"maxMemoryUsedMB":123,"initDurationMs":463.512},"status":"timeout"}}
        "#);
        let error = ReportStatus::Error("Runtime.ExitError".into());
        let error = all(SystemLevel::Warn, &error);
        assert!(
            error.ends_with(r#""status":"error","errorType":"Runtime.ExitError"}}"#),
            "{error}"
        );
    }
}
