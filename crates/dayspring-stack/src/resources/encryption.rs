//! The key that a stage's secrets, variables and logs are encrypted with, where data is no plaything.
//!
//! AWS encrypts all of it anyway, with keys that it shares among an account. A key of the stage's own (one dollar a month)
//! makes every use of it visible in CloudTrail, and can be disabled. Development stages do without.

use serde_json::{Value, json};

use crate::logical_id::LogicalId;
use crate::project::Stage;
use crate::template::{DeletionPolicy, Named, Resource, attribute, substitute};

pub(crate) fn resources(stage: &Stage) -> Vec<Named> {
    if stage.development {
        return Vec::new();
    }
    let resource = Resource::new(
        "AWS::KMS::Key",
        json!({
            "Description": format!("The secrets, variables and logs of {}", stage.stack_name()),
            "EnableKeyRotation": true,
            "PendingWindowInDays": 7,
            "KeyPolicy": key_policy(stage),
        }),
    );
    vec![(key(), resource.on_deletion(DeletionPolicy::Delete))]
}

/// The account's own policies decide who uses the key, and CloudWatch Logs may use it for log groups of this stage
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html>).
fn key_policy(stage: &Stage) -> Value {
    let log_groups = format!(
        "arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:/aws/*/{}*",
        stage.stack_name()
    );
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": { "AWS": substitute("arn:${AWS::Partition}:iam::${AWS::AccountId}:root") },
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Effect": "Allow",
                "Principal": { "Service": substitute("logs.${AWS::Region}.amazonaws.com") },
                "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
                "Resource": "*",
                "Condition": {
                    "ArnLike": { "kms:EncryptionContext:aws:logs:arn": substitute(&log_groups) },
                },
            },
        ],
    })
}

fn key() -> LogicalId {
    LogicalId::fixed("EncryptionKey")
}

/// The key's ARN, if the stage has one.
pub(crate) fn key_arn(stage: &Stage) -> Option<Value> {
    (!stage.development).then(|| attribute(&key(), "Arn"))
}
