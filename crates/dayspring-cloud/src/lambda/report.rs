//! The platform's lines in a function's log, and the error objects that the platform answers with.
//!
//! Recorded against AWS in 2025-11.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::json;

use super::date::Utc;
use super::runtime_api::RESPONSE_BYTES_MAX;
use super::session::Exit;

/// How an invocation ended, as far as the platform's lines say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReportStatus {
    Success,
    Timeout,
    /// With the error's kind.
    Error(Cow<'static, str>),
}

/// The figures of a REPORT line.
#[derive(Debug, Clone)]
pub(super) struct Report<'a> {
    pub(super) request_id: &'a str,
    pub(super) duration: Duration,
    pub(super) memory_mib: u32,
    /// Unknown where the system does not tell.
    pub(super) memory_used_mib: Option<u64>,
    /// Of a process's first invocation.
    pub(super) init: Option<Duration>,
    pub(super) status: ReportStatus,
}

pub(super) fn start_line(request_id: &str, version: &str) -> String {
    format!("START RequestId: {request_id} Version: {version}")
}

pub(super) fn end_line(request_id: &str) -> String {
    format!("END RequestId: {request_id}")
}

impl Report<'_> {
    /// In whole milliseconds. The initialisation of a `provided` runtime is billed too.
    pub(super) fn billed_millis(&self) -> u64 {
        let billed = self.duration + self.init.unwrap_or_default();
        u64::try_from(billed.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }

    pub(super) fn line(&self) -> String {
        use std::fmt::Write;
        let mut line = format!(
            "REPORT RequestId: {}\tDuration: {} ms\tBilled Duration: {} ms\tMemory Size: {} MB\t",
            self.request_id,
            millis(self.duration),
            self.billed_millis(),
            self.memory_mib
        );
        let mut write = |part: std::fmt::Arguments<'_>| {
            line.write_fmt(part)
                .expect("a String takes what is written to it");
        };
        if let Some(used) = self.memory_used_mib {
            write(format_args!("Max Memory Used: {used} MB\t"));
        }
        if let Some(init) = self.init {
            write(format_args!("Init Duration: {} ms\t", millis(init)));
        }
        match &self.status {
            ReportStatus::Success => {}
            ReportStatus::Timeout => write(format_args!("Status: timeout")),
            ReportStatus::Error(kind) => {
                write(format_args!("Status: error\tError Type: {kind}"));
            }
        }
        line
    }
}

/// When a process was started: ahead of its first request, or again within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InitPhase {
    Init,
    Invoke,
}

impl InitPhase {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Invoke => "invoke",
        }
    }
}

/// The line of a start that failed.
pub(super) fn init_report_line(took: Duration, phase: InitPhase, status: &ReportStatus) -> String {
    let line = format!(
        "INIT_REPORT Init Duration: {} ms\tPhase: {}",
        millis(took),
        phase.name()
    );
    match status {
        ReportStatus::Success => line,
        ReportStatus::Timeout => format!("{line}\tStatus: timeout"),
        ReportStatus::Error(kind) => format!("{line}\tStatus: error\tError Type: {kind}"),
    }
}

/// `Task timed out after 3.00 seconds`.
pub(super) fn timeout_payload(request_id: &str, timeout: Duration) -> String {
    json!({
        "errorType": "Sandbox.Timedout",
        "errorMessage": format!(
            "RequestId: {request_id} Error: Task timed out after {:.2} seconds",
            timeout.as_secs_f64()
        ),
    })
    .to_string()
}

pub(super) fn exit_payload(request_id: &str, exit: Exit) -> String {
    json!({
        "errorType": exit_kind(exit),
        "errorMessage": exit_line(request_id, exit),
    })
    .to_string()
}

/// The error's kind, which the REPORT line has too.
pub(super) fn exit_kind(exit: Exit) -> &'static str {
    match exit {
        Exit::Code(_) | Exit::Signal(_) => "Runtime.ExitError",
        Exit::OutOfMemory => "Runtime.OutOfMemory",
    }
}

/// What the log says when a process ended with a request.
pub(super) fn exit_line(request_id: &str, exit: Exit) -> String {
    let reason = match exit {
        Exit::Code(0) => "Runtime exited without providing a reason".to_owned(),
        Exit::Code(code) => format!("Runtime exited with error: exit status {code}"),
        Exit::OutOfMemory => "Runtime exited with error: signal: killed".to_owned(),
        Exit::Signal(signal) => {
            format!("Runtime exited with error: signal: {}", signal_name(signal))
        }
    };
    format!("RequestId: {request_id} Error: {reason}")
}

/// What the log says when a request's time was over.
pub(super) fn timeout_line(request_id: &str, timeout: Duration, unix_millis: u64) -> String {
    format!(
        "{}Z {request_id} Task timed out after {:.2} seconds",
        Utc::from_unix_millis(unix_millis).iso_millis(),
        timeout.as_secs_f64()
    )
}

pub(super) fn entrypoint_payload(request_id: &str, reason: &str) -> String {
    json!({
        "errorType": "Runtime.InvalidEntrypoint",
        "errorMessage": format!("RequestId: {request_id} Error: {reason}"),
    })
    .to_string()
}

pub(super) fn too_large_payload() -> String {
    json!({
        "errorMessage": format!(
            "Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes)."
        ),
        "errorType": "Function.ResponseSizeTooLarge",
    })
    .to_string()
}

/// Milliseconds with two digits after the point.
fn millis(duration: Duration) -> String {
    let hundredths = (duration.as_nanos() + 5_000) / 10_000;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// As Go's `syscall.Signal` says it, which is what reaches the caller on AWS. The numbers that Linux and macOS share.
fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "hangup",
        2 => "interrupt",
        3 => "quit",
        4 => "illegal instruction",
        5 => "trace/breakpoint trap",
        6 => "aborted",
        8 => "floating point exception",
        9 => "killed",
        11 => "segmentation fault",
        13 => "broken pipe",
        14 => "alarm clock",
        15 => "terminated",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(init: Option<Duration>, status: ReportStatus) -> String {
        Report {
            request_id: "ID",
            duration: Duration::from_micros(1230),
            memory_mib: 128,
            memory_used_mib: Some(30),
            init,
            status,
        }
        .line()
    }

    #[test]
    fn a_report_has_the_figures_as_aws_writes_them() {
        assert_eq!(
            line(None, ReportStatus::Success),
            "REPORT RequestId: ID\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t"
        );
        assert_eq!(
            line(Some(Duration::from_micros(20_100)), ReportStatus::Success),
            "REPORT RequestId: ID\tDuration: 1.23 ms\tBilled Duration: 22 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tInit Duration: 20.10 ms\t"
        );
        assert!(line(None, ReportStatus::Timeout).ends_with("30 MB\tStatus: timeout"));
    }

    #[test]
    fn failures_have_the_payloads_of_aws() {
        assert_eq!(
            timeout_payload("ID", Duration::from_secs(1)),
            r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 1.00 seconds"}"#
        );
        assert_eq!(
            exit_payload("ID", Exit::Code(0)),
            r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited without providing a reason"}"#
        );
        assert_eq!(
            exit_payload("ID", Exit::Code(127)),
            r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 127"}"#
        );
        assert_eq!(
            exit_payload("ID", Exit::Signal(9)),
            r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: signal: killed"}"#
        );
        assert_eq!(
            exit_payload("ID", Exit::OutOfMemory),
            r#"{"errorType":"Runtime.OutOfMemory","errorMessage":"RequestId: ID Error: Runtime exited with error: signal: killed"}"#
        );
        assert_eq!(
            too_large_payload(),
            r#"{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}"#
        );
    }
}
