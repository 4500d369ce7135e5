//! What is deployed, as its own template says.

use aws_sdk_cloudformation::types::{Stack, StackStatus};
use serde_json::Value;

use super::change_set::{SERVICE, describe};
use crate::aws::{Aws, refused};
use crate::error::Error;

/// What a deployed template says of its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Database {
    /// RDS refuses to delete it.
    pub(crate) protected: bool,
    /// A last snapshot is taken when it is deleted.
    pub(crate) leaves_snapshot: bool,
}

/// `CREATE_COMPLETE` and the like.
pub(crate) async fn status(aws: &Aws, stack: &str) -> Result<String, Error> {
    let found = describe(aws, stack).await?.ok_or_else(|| Error::NoStack {
        stack: stack.to_owned(),
    })?;
    let status = found.stack_status().map(StackStatus::as_str);
    Ok(status.unwrap_or_default().to_owned())
}

/// What stands where a deployment goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Found<'s> {
    Nothing,
    /// A stack that was never carried out.
    Reviewed,
    /// What is left of a creation that failed: it can only be deleted (CloudFormation's guide, "stack status codes").
    Remains,
    /// A stack that can be updated.
    Deployed(&'s Stack),
}

impl<'s> Found<'s> {
    pub(super) fn of(stack: Option<&'s Stack>) -> Self {
        let Some(stack) = stack else {
            return Found::Nothing;
        };
        match stack.stack_status() {
            None | Some(StackStatus::DeleteComplete) => Found::Nothing,
            Some(StackStatus::ReviewInProgress) => Found::Reviewed,
            Some(
                StackStatus::RollbackComplete
                | StackStatus::RollbackFailed
                | StackStatus::CreateFailed,
            ) => Found::Remains,
            Some(_) => Found::Deployed(stack),
        }
    }
}

/// The template of a stack, as it was deployed.
pub(crate) async fn template(aws: &Aws, stack: &str) -> Result<Value, Error> {
    let answer = aws
        .cloudformation
        .get_template()
        .stack_name(stack)
        .send()
        .await
        .map_err(|error| refused(SERVICE, "GetTemplate", &error))?;
    serde_json::from_str(answer.template_body().unwrap_or_default()).map_err(|_| Error::Foreign {
        stack: stack.to_owned(),
    })
}

/// The database of a template, if it has one.
pub(crate) fn database_of(template: &Value) -> Option<Database> {
    let cluster = template["Resources"]
        .as_object()?
        .values()
        .find(|resource| resource["Type"] == "AWS::RDS::DBCluster")?;
    Some(Database {
        protected: cluster["Properties"]["DeletionProtection"] == true,
        // Snapshot is also what CloudFormation does with a cluster that has no policy (its guide, "DeletionPolicy
        // attribute").
        leaves_snapshot: matches!(cluster["DeletionPolicy"].as_str(), None | Some("Snapshot")),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_database_leaves_a_snapshot_unless_its_policy_says_delete() {
        let template = |cluster: Value| json!({ "Resources": { "Role": { "Type": "AWS::IAM::Role" }, "C": cluster } });
        let cluster =
            json!({ "Type": "AWS::RDS::DBCluster", "Properties": { "DeletionProtection": true } });
        assert_eq!(
            database_of(&template(cluster)),
            Some(Database {
                protected: true,
                leaves_snapshot: true
            })
        );
        let cluster = json!({ "Type": "AWS::RDS::DBCluster", "DeletionPolicy": "Delete" });
        assert_eq!(
            database_of(&template(cluster)),
            Some(Database {
                protected: false,
                leaves_snapshot: false
            })
        );
        assert_eq!(database_of(&json!({ "Resources": {} })), None);
    }
}
