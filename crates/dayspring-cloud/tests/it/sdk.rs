//! The same cloud seen by boto3, which parses every answer by AWS's own models. It runs where `DAYSPRING_PYTHON` names
//! a Python that has it.

use crate::client::Running;
use crate::judge;

#[test]
fn boto3_reads_what_the_small_services_answer() {
    run(include_str!("sdk.py"));
}

#[test]
fn boto3_deploys_a_whole_stack_and_calls_it() {
    run(include_str!("stack.py"));
}

fn run(script: &str) {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Running::on(&folder);
    judge::python(script, &cloud, &[]);
    cloud.stop();
}
