//! What a function may do: talk to this cluster with this secret, and write to its own log.

use serde_json::{Value, json};

use crate::logical_id::LogicalId;
use crate::resources::database;
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
pub(crate) fn function_role(log_group: &LogicalId) -> Resource {
    role(policies(log_group))
}

/// The role of the migrator, which may besides invoke itself: it hands over to a fresh invocation before its time is
/// over. Its own name stands here and no reference, which would be a circle.
pub(crate) fn migrator_role(log_group: &LogicalId, function_name: &str) -> Resource {
    let arn = format!(
        "arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{function_name}"
    );
    let mut policies = policies(log_group);
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

fn policies(log_group: &LogicalId) -> Vec<Value> {
    vec![
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
                        "Resource": database::secret_arn(),
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
    ]
}

/// The policy that lets a service take a role.
pub(crate) fn assumed_by(service: &str) -> serde_json::Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" }],
    })
}
