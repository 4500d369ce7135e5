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

/// Lets the database go without a last snapshot, as a change of the template that CloudFormation takes: a policy alone it
/// does not, but one along with a resource's metadata (its guide, "DeletionPolicy attribute": a stack update must also
/// add, modify or delete something, as with a metadata attribute).
pub(super) fn forgo_snapshot(template: &mut Value) {
    let resources = template["Resources"].as_object_mut();
    for resource in resources.into_iter().flat_map(|all| all.values_mut()) {
        if resource["Type"] == "AWS::RDS::DBCluster" {
            resource["DeletionPolicy"] = "Delete".into();
            resource["Metadata"]["DayspringLastSnapshot"] = "none".into();
        }
    }
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

    #[test]
    fn a_snapshot_is_forgone_by_the_policy_and_the_metadata_of_the_cluster_alone() {
        let mut template = json!({ "Resources": {
            "Role": { "Type": "AWS::IAM::Role" },
            "C": { "Type": "AWS::RDS::DBCluster", "DeletionPolicy": "Snapshot", "Properties": {}, "Metadata": { "a": 1 } },
        } });
        forgo_snapshot(&mut template);
        assert_eq!(
            template["Resources"],
            json!({
                "Role": { "Type": "AWS::IAM::Role" },
                "C": { "Type": "AWS::RDS::DBCluster", "DeletionPolicy": "Delete", "Properties": {},
                       "Metadata": { "a": 1, "DayspringLastSnapshot": "none" } },
            })
        );
        assert!(!database_of(&template).unwrap().leaves_snapshot);
    }
}
