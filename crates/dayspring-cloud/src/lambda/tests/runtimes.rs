//! Functions for interpreters: this cloud's own clients, and those that AWS publishes where the tests have them.

use super::*;

const PYTHON: &str = r#"
import os

def handler(event, context):
    if event == "fail":
        raise ValueError("not today")
    print("to standard output")
    return {
        "event": event,
        "id": context.aws_request_id,
        "time": context.get_remaining_time_in_millis() > 0,
        "runtime": os.environ["AWS_EXECUTION_ENV"],
        "home": "HOME" in os.environ,
    }
"#;

const NODE: &str = r#"
exports.handler = async (event, context) => {
  if (event === 'fail') throw new TypeError('not today');
  console.log('to standard output');
  return {
    event,
    id: context.awsRequestId,
    time: context.getRemainingTimeInMillis() > 0,
    runtime: process.env.AWS_EXECUTION_ENV,
    home: 'HOME' in process.env,
  };
};
"#;

/// Runs the handler well and badly, and a handler that is not there.
async fn check(cloud: &Fixture, runtime: &str, file: &str, text_of_handler: &str, error: &str) {
    let spec = |handler: &str| FunctionSpec {
        runtime: runtime.to_owned(),
        memory_mib: 512,
        ..spec("f", handler)
    };
    let zip = zip(&[(file, 0o644, text_of_handler)]);
    let put = cloud.lambda.put_function(spec("app.handler"), zip.clone());
    put.await.unwrap();
    for _ in 0..2 {
        let invocation = cloud.invoke("f", "{\"a\":1}").await;
        assert_eq!(
            text(&invocation.payload).replace(' ', ""),
            format!(
                r#"{{"event":{{"a":1}},"id":"{}","time":true,"runtime":"AWS_Lambda_{runtime}","home":false}}"#,
                invocation.request_id
            )
        );
        assert!(text(&invocation.log_tail).contains("to standard output\n"));
    }
    let failed = cloud.invoke("f", "\"fail\"").await;
    assert_eq!(failed.function_error.as_deref(), Some("Unhandled"));
    let problem = json(&failed.payload);
    assert_eq!(
        (
            problem["errorType"].as_str(),
            problem["errorMessage"].as_str()
        ),
        (Some(error), Some("not today"))
    );
    let put = cloud.lambda.put_function(spec("gone.handler"), zip);
    put.await.unwrap();
    let missing = json(&cloud.invoke("f", "{}").await.payload);
    assert_eq!(
        missing["errorType"], "Runtime.ImportModuleError",
        "{missing}"
    );
}

fn on_path(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

fn with(python: Option<PathBuf>, node: Option<PathBuf>, modules: Option<PathBuf>) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let interpreters = Interpreters::of(python, node, modules, folder.path().join("clients"));
    let (lambda, lines) = open_with(folder.path().to_owned(), IDLE_MAX_DEFAULT, interpreters);
    Fixture {
        lambda,
        folder,
        lines,
    }
}

#[tokio::test]
async fn a_python_function_runs_on_the_python_of_this_machine() {
    let Some(python) = on_path("python3") else {
        return;
    };
    let cloud = with(Some(python), None, None);
    check(&cloud, "python3.13", "app.py", PYTHON, "ValueError").await;
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn a_python_function_runs_with_awslambdaric() {
    let Some(python) = std::env::var_os("DAYSPRING_PYTHON") else {
        return;
    };
    let cloud = with(Some(python.into()), None, None);
    check(&cloud, "python3.13", "app.py", PYTHON, "ValueError").await;
    let clients = cloud.folder.path().join("clients");
    assert!(!clients.exists(), "DAYSPRING_PYTHON has no awslambdaric");
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn a_node_function_runs_on_the_node_of_this_machine() {
    let Some(node) = on_path("node") else {
        return;
    };
    let cloud = with(None, Some(node), None);
    check(&cloud, "nodejs22.x", "app.js", NODE, "TypeError").await;
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn a_node_function_runs_with_aws_lambda_ric() {
    let (Some(modules), Some(node)) = (std::env::var_os("DAYSPRING_NODE_RIC"), on_path("node"))
    else {
        return;
    };
    let cloud = with(None, Some(node), Some(modules.into()));
    check(&cloud, "nodejs22.x", "app.js", NODE, "TypeError").await;
    let clients = cloud.folder.path().join("clients");
    assert!(
        !clients.exists(),
        "DAYSPRING_NODE_RIC has no aws-lambda-ric"
    );
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn a_machine_without_the_interpreter_says_what_to_install() {
    let cloud = with(None, None, None);
    for (runtime, expected) in [
        (
            "python3.13",
            "no Python for the runtime python3.13: neither python3.13 nor python3 is on PATH; install Python 3, or name one in DAYSPRING_PYTHON",
        ),
        (
            "nodejs22.x",
            "no Node.js for the runtime nodejs22.x: node is not on PATH; install Node.js, or name one in DAYSPRING_NODE",
        ),
    ] {
        let spec = FunctionSpec {
            runtime: runtime.to_owned(),
            ..spec("f", "app.handler")
        };
        let put = cloud
            .lambda
            .put_function(spec, zip(&[("app.py", 0o644, "")]));
        put.await.unwrap();
        let answer = json(&cloud.invoke("f", "{}").await.payload);
        assert_eq!(answer["errorType"], "Runtime.InvalidEntrypoint");
        assert!(
            answer["errorMessage"].as_str().unwrap().ends_with(expected),
            "{answer}"
        );
    }
    cloud.lambda.shut_down().await;
}
