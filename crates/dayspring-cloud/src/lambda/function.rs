//! A function as it is now: its configuration, where its code lies, and its processes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::FunctionSpec;
use super::date::{Utc, unix_millis_now};
use super::environment::{CannotStart, Environment, Launch, Register};
use super::package::PackageDigest;
use super::platform::Platform;
use super::pool::Pool;
use super::process_log::{FunctionLine, LogTarget};
use super::report::InitPhase;
use super::runtimes::Runtime;
use crate::error::AwsError;
use crate::logs::Logs;

/// What is kept of a function between runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptFunction {
    pub(super) spec: FunctionSpec,
    pub(super) code: PackageDigest,
    pub(super) code_bytes: u64,
    pub(super) revision_id: String,
    /// Milliseconds since 1970.
    pub(super) modified_unix_millis: u64,
    #[serde(default)]
    pub(super) settings: Settings,
}

/// What is known of a function besides what its processes are started from. A change of it starts no new ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    pub(super) event_invoke: Option<EventInvoke>,
    /// The statements of its resource policy.
    pub(super) policy: Vec<Value>,
    pub(super) tags: BTreeMap<String, String>,
    /// Members of its configuration that are shown as they were given.
    pub(super) recorded: Map<String, Value>,
}

/// How events that nobody waits for are tried again: `FunctionEventInvokeConfig`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EventInvoke {
    pub(super) retry_attempts_max: Option<u32>,
    pub(super) event_age_seconds_max: Option<u32>,
    pub(super) destinations: Option<Value>,
    pub(super) modified_unix_millis: u64,
}

/// What is kept of a layer version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptLayer {
    pub(super) content: PackageDigest,
    pub(super) content_bytes: u64,
    pub(super) created_unix_millis: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) kept: KeptFunction,
    /// With the number of a version that was published, and without a qualifier else.
    pub(super) arn: String,
    pub(super) launch: Arc<Launch>,
    pub(super) pool: Arc<Pool>,
    pub(super) register: Arc<Register>,
    pub(super) logs: Logs,
    pub(super) lines: Option<tokio::sync::mpsc::Sender<FunctionLine>>,
}

impl Function {
    /// Starts a process of it.
    pub(super) async fn start(&self, phase: InitPhase) -> Result<Arc<Environment>, CannotStart> {
        Environment::start(
            &self.launch,
            self.log_target(phase),
            &self.pool,
            &self.register,
        )
        .await
    }

    /// A log stream of its own, as each process has: `2026/11/22/[$LATEST]32 hexadecimals`.
    pub(super) fn log_target(&self, phase: InitPhase) -> LogTarget {
        let spec = &self.kept.spec;
        let version = &self.launch.version;
        LogTarget {
            logs: self.logs.clone(),
            group: spec.log_group.clone(),
            platform: Platform {
                format: spec.log_format,
                function: spec.name.clone(),
                version: version.clone(),
                log_stream: format!(
                    "{}/[{version}]{:032x}",
                    Utc::from_unix_millis(unix_millis_now()).stream_day(),
                    fastrand::u128(..)
                ),
                memory_mib: spec.memory_mib,
                phase,
            },
            lines: self.lines.clone(),
        }
    }
}

/// Where the code of a function and its layers lie.
#[derive(Debug)]
pub(super) struct Roots {
    pub(super) task: PathBuf,
    pub(super) layer: Option<PathBuf>,
}

/// Refuses a configuration that AWS refuses, or that this cloud cannot run.
pub(super) fn check(spec: &FunctionSpec) -> Result<(), AwsError> {
    let constraint = |value: &dyn std::fmt::Display, member: &str, rule: &str| {
        Err(AwsError::bad_request(
            "ValidationException",
            format!(
                "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}"
            ),
        ))
    };
    let name_is_good = (1..=64).contains(&spec.name.len())
        && spec
            .name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if !name_is_good {
        return constraint(
            &spec.name,
            "functionName",
            "Member must satisfy regular expression pattern: [a-zA-Z0-9-_]{1,64}",
        );
    }
    for (value, member, least, most) in [
        (spec.timeout_seconds, "timeout", 1, 900),
        (spec.memory_mib, "memorySize", 128, 10_240),
        (spec.tmp_mib, "ephemeralStorage.size", 512, 10_240),
    ] {
        if value < least {
            let wanted = format!("Member must have value greater than or equal to {least}");
            return constraint(&value, member, &wanted);
        }
        if value > most {
            let wanted = format!("Member must have value less than or equal to {most}");
            return constraint(&value, member, &wanted);
        }
    }
    Runtime::check(&spec.runtime, &spec.name)?;
    super::variables::check(&spec.environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_that_cannot_be_run_is_named() {
        let spec = FunctionSpec {
            runtime: "java21".to_owned(),
            ..crate::lambda::tests::spec("hello", "app.handler")
        };
        insta::assert_snapshot!(check(&spec).unwrap_err().message, @"The runtime `java21` of the function `hello` cannot be run here: the local cloud runs provided.al2023 and provided.al2 (an executable `bootstrap`), python3.* and nodejs*.x (with the interpreter of this machine).");
    }

    #[test]
    fn a_timeout_beyond_a_quarter_of_an_hour_is_refused() {
        let spec = FunctionSpec {
            timeout_seconds: 901,
            ..crate::lambda::tests::spec("hello", "app.handler")
        };
        insta::assert_snapshot!(check(&spec).unwrap_err().message, @"1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900");
    }
}
