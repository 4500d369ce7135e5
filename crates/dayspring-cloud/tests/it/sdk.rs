//! The same cloud seen by boto3, which parses every answer by AWS's own models. It runs where `DAYSPRING_PYTHON` names
//! a Python that has it.

use crate::client::Running;
use crate::judge;

#[test]
fn boto3_reads_what_the_small_services_answer() {
    run(include_str!("sdk.py"));
}

#[test]
fn a_cloud_that_checks_signatures_takes_those_of_its_secret_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Running::with(&folder, |config| {
        config.signing_secret = Some("its secret".to_owned());
    });
    let secret = ("AWS_SECRET_ACCESS_KEY", "its secret");
    judge::python(include_str!("../judges/signatures.py"), &cloud, &[secret]);
    cloud.stop();
}

#[test]
fn boto3_deploys_a_whole_stack_and_calls_it() {
    run(include_str!("stack.py"));
}

#[test]
fn boto3_makes_changes_and_invokes_functions() {
    run(include_str!("../judges/lambda_boto3.py"));
}

#[test]
fn boto3_publishes_versions_behind_an_alias() {
    run(include_str!("../judges/versions.py"));
}

#[test]
fn boto3_looks_at_an_api_and_changes_its_stages() {
    run(include_str!("../judges/apigateway_boto3.py"));
}

fn run(script: &str) {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Running::on(&folder);
    judge::python(script, &cloud, &[]);
    cloud.stop();
}
