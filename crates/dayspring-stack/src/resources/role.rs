//! What a function may do: talk to this cluster with this secret, and write to its own log.

use serde_json::json;

use crate::logical_id::LogicalId;
use crate::resources::database;
use crate::template::{Resource, attribute};

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
    Resource::new(
        "AWS::IAM::Role",
        json!({
            "AssumeRolePolicyDocument": assumed_by("lambda.amazonaws.com"),
            "Policies": [
                {
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
                },
                {
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
                },
            ],
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
