//! The environment of a function's process: what AWS gives to `provided.al2023`, and nothing of this machine's.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html> (read 2026-11-22). Reserved keys cannot be set
//! by the function's configuration; the others can.

use std::collections::BTreeMap;
use std::path::Path;

use super::mounts::OPT;
use super::{FunctionSpec, LogFormat};
use crate::Identity;
use crate::error::AwsError;

/// All variables together: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
const VARIABLES_BYTES_MAX: usize = 4096;

const RESERVED: [&str; 17] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

pub(super) const PATH: &str = "/usr/local/bin:/usr/bin/:/bin:/opt/bin";

/// Well formed and worth nothing.
pub(crate) const ACCESS_KEY_ID: &str = "ASIADAYSPRINGLOCAL00";
pub(crate) const SECRET_ACCESS_KEY: &str = "dayspring/local/secret/access/key/000000";
const SESSION_TOKEN: &str = "ZGF5c3ByaW5nLWxvY2FsLXNlc3Npb24tdG9rZW4=";

/// What a process is started with, besides its function.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) identity: &'a Identity,
    pub(super) version: &'a str,
    pub(super) endpoint_url: &'a str,
    pub(super) task_root: &'a Path,
    pub(super) layer_root: Option<&'a Path>,
    pub(super) log_stream: &'a str,
    /// `HOST:PORT`.
    pub(super) runtime_api: &'a str,
}

/// Every variable of the process.
pub(super) fn variables(
    spec: &FunctionSpec,
    surroundings: &Surroundings<'_>,
) -> BTreeMap<String, String> {
    let task_root = surroundings.task_root.display().to_string();
    let layer_root = surroundings
        .layer_root
        .map_or_else(|| OPT.to_owned(), |path| path.display().to_string());
    let region = &surroundings.identity.region;
    let mut all = BTreeMap::new();
    let mut set = |name: &str, value: &str| {
        all.insert(name.to_owned(), value.to_owned());
    };
    set("LANG", "en_US.UTF-8");
    set("TZ", ":UTC");
    set("PATH", PATH);
    set(
        "LD_LIBRARY_PATH",
        &format!(
            "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:{task_root}:{task_root}/lib:{layer_root}/lib"
        ),
    );
    set("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR");
    set("AWS_XRAY_DAEMON_ADDRESS", "169.254.79.129:2000");
    set("_AWS_XRAY_DAEMON_ADDRESS", "169.254.79.129");
    set("_AWS_XRAY_DAEMON_PORT", "2000");
    set("AWS_ENDPOINT_URL", surroundings.endpoint_url);
    // On AWS layers are at `/opt`, and nothing says so.
    if layer_root != OPT {
        set("DAYSPRING_LAYER_ROOT", &layer_root);
    }
    for (name, value) in &spec.environment {
        set(name, value);
    }
    set("_HANDLER", &spec.handler);
    set("AWS_REGION", region);
    set("AWS_DEFAULT_REGION", region);
    set("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID);
    set("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY);
    set("AWS_SESSION_TOKEN", SESSION_TOKEN);
    set("AWS_LAMBDA_FUNCTION_NAME", &spec.name);
    set("AWS_LAMBDA_FUNCTION_VERSION", surroundings.version);
    set(
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        &spec.memory_mib.to_string(),
    );
    set("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
    set("AWS_LAMBDA_LOG_GROUP_NAME", &spec.log_group);
    set("AWS_LAMBDA_LOG_STREAM_NAME", surroundings.log_stream);
    if let LogFormat::Json { application, .. } = spec.log_format {
        set("AWS_LAMBDA_LOG_FORMAT", "JSON");
        set("AWS_LAMBDA_LOG_LEVEL", application.name());
    }
    set("AWS_LAMBDA_RUNTIME_API", surroundings.runtime_api);
    set("LAMBDA_TASK_ROOT", &task_root);
    set("LAMBDA_RUNTIME_DIR", "/var/runtime");
    all
}

/// Refuses a configuration's variables as AWS does.
pub(super) fn check(configured: &BTreeMap<String, String>) -> Result<(), AwsError> {
    const UNABLE: &str = "Lambda was unable to configure your environment variables because the environment variables you have provided";
    let reserved: Vec<&str> = configured
        .keys()
        .map(String::as_str)
        .filter(|name| RESERVED.contains(name))
        .collect();
    let refused = |message| {
        Err(AwsError::bad_request(
            "InvalidParameterValueException",
            message,
        ))
    };
    if !reserved.is_empty() {
        return refused(format!(
            "{UNABLE} contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {}",
            reserved.join(", ")
        ));
    }
    let bytes: usize = configured
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if bytes > VARIABLES_BYTES_MAX {
        return refused(format!("{UNABLE} exceeded the 4KB limit."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(environment: &[(&str, &str)]) -> FunctionSpec {
        FunctionSpec {
            environment: environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..crate::lambda::tests::spec("get_posts", "get_posts.handler")
        }
    }

    #[test]
    fn a_process_gets_what_aws_gives_and_what_is_configured() {
        let spec = spec(&[("TABLE", "posts"), ("TZ", "Europe/Berlin")]);
        let text: Vec<String> = variables(
            &spec,
            &Surroundings {
                identity: &Identity::default(),
                version: "$LATEST",
                endpoint_url: "http://127.0.0.1:4566",
                task_root: Path::new("/code"),
                layer_root: Some(Path::new("/layers")),
                log_stream: "2026/11/22/[$LATEST]00",
                runtime_api: "127.0.0.1:9001",
            },
        )
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
        insta::assert_snapshot!(text.join("\n"), @r"
        AWS_ACCESS_KEY_ID=ASIADAYSPRINGLOCAL00
        AWS_DEFAULT_REGION=us-east-1
        AWS_ENDPOINT_URL=http://127.0.0.1:4566
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128
        AWS_LAMBDA_FUNCTION_NAME=get_posts
        AWS_LAMBDA_FUNCTION_VERSION=$LATEST
        AWS_LAMBDA_INITIALIZATION_TYPE=on-demand
        AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/get_posts
        AWS_LAMBDA_LOG_STREAM_NAME=2026/11/22/[$LATEST]00
        AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001
        AWS_REGION=us-east-1
        AWS_SECRET_ACCESS_KEY=dayspring/local/secret/access/key/000000
        AWS_SESSION_TOKEN=ZGF5c3ByaW5nLWxvY2FsLXNlc3Npb24tdG9rZW4=
        AWS_XRAY_CONTEXT_MISSING=LOG_ERROR
        AWS_XRAY_DAEMON_ADDRESS=169.254.79.129:2000
        DAYSPRING_LAYER_ROOT=/layers
        LAMBDA_RUNTIME_DIR=/var/runtime
        LAMBDA_TASK_ROOT=/code
        LANG=en_US.UTF-8
        LD_LIBRARY_PATH=/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/code:/code/lib:/layers/lib
        PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin
        TABLE=posts
        TZ=Europe/Berlin
        _AWS_XRAY_DAEMON_ADDRESS=169.254.79.129
        _AWS_XRAY_DAEMON_PORT=2000
        _HANDLER=get_posts.handler
        ");
    }

    #[test]
    fn a_reserved_variable_is_refused() {
        let error = check(&spec(&[("AWS_REGION", "eu-west-1")]).environment).unwrap_err();
        assert_eq!(
            error.message,
            "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION"
        );
        assert!(check(&spec(&[("X", &"x".repeat(4096))]).environment).is_err());
        assert!(check(&spec(&[("AWS_ENDPOINT_URL_RDS_DATA", "http://x")]).environment).is_ok());
    }
}
