//! Programs from outside that judge the cloud. `cargo xtask test` installs them and names them in the environment; without
//! that their tests have nothing to ask.

use std::path::PathBuf;
use std::process::Command;

use crate::client::Running;

/// Where the judges' own modules lie: a Python script may `import shapes`.
const MODULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/judges");

/// Runs a script in the Python that `DAYSPRING_PYTHON` names, with the cloud as its AWS and the given variables.
#[track_caller]
pub(crate) fn python(script: &str, cloud: &Running, variables: &[(&str, &str)]) {
    let Some(python) = std::env::var_os("DAYSPRING_PYTHON") else {
        return;
    };
    let mut command = Command::new(python);
    command.args(["-c", script]).env("PYTHONPATH", MODULES);
    judge(command, cloud, variables);
}

/// Runs a script in the Node.js that is on `PATH`, with the modules in the folder that `DAYSPRING_NODE_MODULES` names.
#[track_caller]
pub(crate) fn node(script: &str, cloud: &Running, variables: &[(&str, &str)]) {
    let Some(modules) = std::env::var_os("DAYSPRING_NODE_MODULES").map(PathBuf::from) else {
        return;
    };
    let kind = if script.contains("\nimport ") {
        "--input-type=module"
    } else {
        "--input-type=commonjs"
    };
    let mut command = Command::new("node");
    // A script without a file finds its modules from the current folder.
    command
        .args([kind, "-e", script])
        .current_dir(modules.parent().unwrap())
        .env("AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE", "1");
    judge(command, cloud, variables);
}

#[track_caller]
fn judge(mut command: Command, cloud: &Running, variables: &[(&str, &str)]) {
    let output = command
        .env("AWS_ENDPOINT_URL", format!("http://{}", cloud.aws))
        .env("AWS_ACCESS_KEY_ID", "AKID")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::MODULES;

    /// What `shapes.py` says of an answer to `ExecuteStatement`.
    fn complaints(answer: &str) -> Option<String> {
        let mut child = Command::new(std::env::var_os("DAYSPRING_PYTHON")?)
            .arg(format!("{MODULES}/shapes.py"))
            .args(["rds-data", "ExecuteStatement"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(answer.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        Some(String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn the_check_of_shapes_sees_what_the_model_does_not_have() {
        let good =
            r#"{"status": 200, "body": "{\"records\":[[{\"longValue\":1},{\"isNull\":true}]]}"}"#;
        let Some(nothing) = complaints(good) else {
            return;
        };
        assert_eq!(nothing, "");
        let bad = r#"{"status": 200, "body": "{\"numberOfRecordsUpdated\":\"0\",\"records\":[[{\"longValue\":1,\"isNull\":true}]],\"extra\":1}"}"#;
        insta::assert_snapshot!(complaints(bad).unwrap(), @"
        $: unknown member `extra`
        $.numberOfRecordsUpdated: text instead of a whole number
        $.records[0][0]: a union with 2 members
        ");
        let unknown = r#"{"status": 400, "headers": {"x-amzn-ErrorType": "NoSuchThing"}, "body": "{\"message\":\"\"}"}"#;
        insta::assert_snapshot!(complaints(unknown).unwrap(), @"ExecuteStatement has no error `NoSuchThing`");
    }
}
