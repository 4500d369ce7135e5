//! What happens during a deployment, and what of it was the first cause of a failure.

use aws_sdk_cloudformation::types::StackEvent;

/// Something that a person may want to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Uploading {
        name: &'static str,
        bytes: usize,
    },
    /// Another deployment of the stack, or the rest of an interrupted one, is waited for.
    UnderWay {
        status: String,
    },
    UnderWayFailed {
        reason: String,
    },
    /// The last attempt to create the stack was rolled back: what is left of it is removed first.
    RemovingRemains,
    ChangeSet {
        creates: bool,
        changes: usize,
    },
    Resource(Step),
    /// A line of the migrator's log.
    Migrator(String),
    /// The migrator's process does not start, and CloudFormation does not know.
    MigratorBroken,
    /// Time passes.
    Waiting,
}

/// A resource's step, as CloudFormation's stack events tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) logical_id: String,
    pub(crate) resource_type: String,
    /// `CREATE_IN_PROGRESS`, `UPDATE_FAILED`, ...
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    /// In milliseconds since 1970, on the cloud's clock.
    pub(crate) at_ms: u64,
}

impl Step {
    pub(super) fn of(event: &StackEvent) -> Self {
        Self {
            logical_id: event.logical_resource_id().unwrap_or_default().to_owned(),
            resource_type: event.resource_type().unwrap_or_default().to_owned(),
            status: event
                .resource_status()
                .map(|status| status.as_str().to_owned())
                .unwrap_or_default(),
            reason: event.resource_status_reason().map(str::to_owned),
            at_ms: event
                .timestamp()
                .and_then(|at| at.to_millis().ok())
                .and_then(|at| u64::try_from(at).ok())
                .unwrap_or_default(),
        }
    }

    /// The resource and the reason on one line.
    pub(super) fn describe(&self) -> String {
        let reason = self.reason.as_deref().unwrap_or("no reason given");
        format!("{} ({}): {reason}", self.logical_id, self.resource_type)
    }

    pub(crate) fn is_migration(&self) -> bool {
        self.resource_type == "Custom::DayspringMigration"
    }

    pub(crate) fn failed(&self) -> bool {
        self.status.ends_with("_FAILED")
    }

    pub(crate) fn is_stack(&self) -> bool {
        self.resource_type == "AWS::CloudFormation::Stack"
    }
}

/// Why a deployment failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// The migrator's report, whole.
    Migration(String),
    /// Anything else, with the resource that it is about.
    Resource(String),
}

/// The first failure that is not merely the echo of another one.
pub(super) fn first_cause(steps: &[Step]) -> Option<Cause> {
    let echo = |step: &Step| {
        step.reason.as_deref().is_none_or(|reason| {
            reason.starts_with("Resource creation cancelled")
                || reason.starts_with("Resource update cancelled")
                || reason.starts_with("The following resource(s) failed to")
        })
    };
    let step = steps
        .iter()
        .find(|step| step.failed() && !step.is_stack() && !echo(step))
        .or_else(|| steps.iter().find(|step| step.failed() && !echo(step)))?;
    let reason = step.reason.as_deref().unwrap_or_default();
    Some(match migration_report(reason) {
        Some(report) => Cause::Migration(report.to_owned()),
        None => Cause::Resource(step.describe()),
    })
}

/// The migrator's own words out of CloudFormation's sentence around them.
fn migration_report(reason: &str) -> Option<&str> {
    let (_, report) = reason.split_once("Message returned: ")?;
    let report = report
        .rsplit_once(" (RequestId: ")
        .map_or(report, |(report, _)| report);
    report.starts_with("error").then_some(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &str, resource_type: &str, status: &str, reason: &str) -> Step {
        Step {
            logical_id: id.to_owned(),
            resource_type: resource_type.to_owned(),
            status: status.to_owned(),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
            at_ms: 0,
        }
    }

    #[test]
    fn the_first_cause_is_the_failure_that_is_not_an_echo() {
        let steps = [
            step("Vpc", "AWS::EC2::VPC", "CREATE_COMPLETE", ""),
            step(
                "Role",
                "AWS::IAM::Role",
                "CREATE_FAILED",
                "Resource creation cancelled",
            ),
            step(
                "Cluster",
                "AWS::RDS::DBCluster",
                "CREATE_FAILED",
                "Cannot find version 1",
            ),
            step(
                "blog-dev",
                "AWS::CloudFormation::Stack",
                "ROLLBACK_IN_PROGRESS",
                "The following resource(s) failed to create: [Cluster].",
            ),
        ];
        assert_eq!(
            first_cause(&steps),
            Some(Cause::Resource(
                "Cluster (AWS::RDS::DBCluster): Cannot find version 1".to_owned()
            ))
        );
    }

    #[test]
    fn a_failed_migration_speaks_for_itself() {
        let reason = "Received response status [FAILED] from custom resource. Message returned: error: statement 1 \
                      failed\n --> scripts/schema/v4.sql:1:1 (RequestId: 1-2-3)";
        let steps = [step(
            "Migration",
            "Custom::DayspringMigration",
            "UPDATE_FAILED",
            reason,
        )];
        let report = "error: statement 1 failed\n --> scripts/schema/v4.sql:1:1";
        assert_eq!(
            first_cause(&steps),
            Some(Cause::Migration(report.to_owned()))
        );
    }

    #[test]
    fn without_a_failure_there_is_no_cause() {
        assert_eq!(
            first_cause(&[step("Vpc", "AWS::EC2::VPC", "CREATE_COMPLETE", "")]),
            None
        );
    }
}
