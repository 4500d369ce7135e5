//! Programs from outside: where `cargo xtask test` put them, and how they are run against a local cloud.

use std::path::PathBuf;
use std::process::{Command, Output};

/// A program that the tests are judged by, or `None` where only `cargo test` was run: `cargo xtask test` installs them all.
fn judge(variable: &str, name: &str) -> Option<PathBuf> {
    let place = PathBuf::from(std::env::var_os(variable)?);
    let program = if name.is_empty() {
        place
    } else {
        place.join(name)
    };
    assert!(
        program.is_file(),
        "{variable} names no {}",
        program.display()
    );
    Some(program)
}

pub(crate) fn aws() -> Option<PathBuf> {
    judge("DAYSPRING_COMMANDS", "aws")
}

pub(crate) fn ministack() -> Option<PathBuf> {
    judge("DAYSPRING_COMMANDS", "ministack")
}

pub(crate) fn cdk() -> Option<PathBuf> {
    judge("DAYSPRING_CDK", "")
}

/// A command that has the endpoint as its AWS, with the home folder for what it remembers.
pub(crate) fn command(program: &PathBuf, endpoint_url: &str, home: &std::path::Path) -> Command {
    let mut command = Command::new(program);
    command
        // What the `cdk` CLI knows of the account is kept by the access key in the home folder.
        .env("HOME", home)
        .env("CARGO_HOME", cargo_home())
        .env("RUSTUP_HOME", rustup_home())
        .env("AWS_ENDPOINT_URL", endpoint_url)
        .env("AWS_ACCESS_KEY_ID", "AKID")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_PAGER", "")
        .env("NO_COLOR", "1")
        .env("CI", "true")
        .env("CDK_DISABLE_CLI_TELEMETRY", "true")
        .env("CDK_DISABLE_VERSION_CHECK", "1")
        .env("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1")
        .env("AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED", "true")
        .stdin(std::process::Stdio::null());
    command
}

/// Cargo and rustup look for themselves in the home folder, which is another one here.
fn cargo_home() -> PathBuf {
    std::env::var_os("CARGO_HOME").map_or_else(|| real_home().join(".cargo"), PathBuf::from)
}

fn rustup_home() -> PathBuf {
    std::env::var_os("RUSTUP_HOME").map_or_else(|| real_home().join(".rustup"), PathBuf::from)
}

fn real_home() -> PathBuf {
    std::env::home_dir().unwrap()
}

/// What a program printed, on both streams.
pub(crate) fn printed(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
