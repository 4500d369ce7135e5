//! The same cloud seen by boto3, which parses every answer by AWS's own models. It runs where `DAYSPRING_PYTHON` names
//! a Python that has it.

use std::process::Command;

use crate::client::Running;

#[test]
fn boto3_reads_what_the_small_services_answer() {
    run(include_str!("sdk.py"));
}

#[test]
fn boto3_deploys_a_whole_stack_and_calls_it() {
    run(include_str!("stack.py"));
}

fn run(script: &str) {
    let Some(python) = std::env::var_os("DAYSPRING_PYTHON") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let cloud = Running::on(&folder);
    let output = Command::new(python)
        .args(["-c", script])
        .env("AWS_ENDPOINT_URL", format!("http://{}", cloud.aws))
        .env("AWS_ACCESS_KEY_ID", "AKID")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    cloud.stop();
}
