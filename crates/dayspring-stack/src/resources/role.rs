//! What a function may do: talk to this cluster with the secret of its own account, and write to its own log. The migrator
//! alone may read the master user's secret.

use serde_json::{Value, json};

use crate::logical_id::LogicalId;
use crate::project::Stage;
use crate::resources::{database, encryption};
use crate::template::{Resource, attribute, substitute};

/// The actions of the Data API that are neither deprecated nor administration.
const DATA_API_ACTIONS: [&str; 5] = [
    "rds-data:BatchExecuteStatement",
    "rds-data:BeginTransaction",
    "rds-data:CommitTransaction",
    "rds-data:ExecuteStatement",
    "rds-data:RollbackTransaction",
];

/// The role of a function that writes to `log_group`. It has no name, so that creating it needs no more than
/// `CAPABILITY_IAM`, and no managed policy, since AWS's allow every log group.
pub(crate) fn function_role(stage: &Stage, log_group: &LogicalId) -> Resource {
    role(policies(
        stage,
        log_group,
        &[database::function_secret_arn()],
    ))
}

/// The role of the migrator, which logs in as the master user, makes the functions' account, and may invoke itself: it
/// hands over to a fresh invocation before its time is over. Its own name stands here and no reference, which would be a circle.
pub(crate) fn migrator_role(stage: &Stage, log_group: &LogicalId, function_name: &str) -> Resource {
    let arn = format!(
        "arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{function_name}"
    );
    let secrets = [
        database::master_secret_arn(),
        database::function_secret_arn(),
    ];
    let mut policies = policies(stage, log_group, &secrets);
    policies.push(json!({
        "PolicyName": "hand-over",
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "lambda:InvokeFunction",
                    "Resource": substitute(&arn),
                },
            ],
        },
    }));
    role(policies)
}

fn role(policies: Vec<Value>) -> Resource {
    Resource::new(
        "AWS::IAM::Role",
        json!({
            "AssumeRolePolicyDocument": assumed_by("lambda.amazonaws.com"),
            "Policies": policies,
        }),
    )
}

fn policies(stage: &Stage, log_group: &LogicalId, secrets: &[Value]) -> Vec<Value> {
    let mut policies = vec![
        json!({
            "PolicyName": "database",
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": DATA_API_ACTIONS,
                        "Resource": database::cluster_arn(),
                    },
                    {
                        "Effect": "Allow",
                        "Action": "secretsmanager:GetSecretValue",
                        "Resource": secrets,
                    },
                ],
            },
        }),
        json!({
            "PolicyName": "log",
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                        "Resource": attribute(log_group, "Arn"),
                    },
                ],
            },
        }),
    ];
    // Lambda decrypts the variables, and the Data API the secret, in the function's name.
    if let Some(key) = encryption::key_arn(stage) {
        policies.push(json!({
            "PolicyName": "key",
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{ "Effect": "Allow", "Action": "kms:Decrypt", "Resource": key }],
            },
        }));
    }
    policies
}

/// The role with which the network's flow log is written.
pub(crate) fn flow_log_role(log_group: &LogicalId) -> Resource {
    Resource::new(
        "AWS::IAM::Role",
        json!({
            "AssumeRolePolicyDocument": assumed_by("vpc-flow-logs.amazonaws.com"),
            "Policies": [{
                "PolicyName": "log",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                            "Resource": attribute(log_group, "Arn"),
                        },
                    ],
                },
            }],
        }),
    )
}

/// The policy that lets a service take a role.
pub(crate) fn assumed_by(service: &str) -> serde_json::Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" }],
    })
}
