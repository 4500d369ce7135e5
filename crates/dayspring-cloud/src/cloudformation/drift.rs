//! Drift: what differs from what a stack's template says. Nothing does: only CloudFormation changes what it made here.

use super::Service;
use super::api::Result_;
use super::provider::Provider;
use crate::error::AwsError;
use crate::protocol::query::Form;
use crate::protocol::time::iso8601;

pub(super) fn answer<P: Provider>(
    service: &Service<P>,
    action: &str,
    form: &Form,
) -> Result<Result_, AwsError> {
    let now = service.engine.ledger.world.now_millis();
    match action {
        "DetectStackDrift" => {
            let stack = service.find_stack(form.require("StackName")?)?;
            // There is nothing to wait for, so the id only has to lead back to the stack.
            Ok(Box::new(move |xml| {
                xml.text("StackDriftDetectionId", &stack.id);
            }))
        }
        "DescribeStackDriftDetectionStatus" => {
            let id = form.require("StackDriftDetectionId")?.to_owned();
            let stack = service.find_stack(&id)?;
            Ok(Box::new(move |xml| {
                xml.text("StackId", &stack.id);
                xml.text("StackDriftDetectionId", &id);
                xml.text("StackDriftStatus", "IN_SYNC");
                xml.text("DetectionStatus", "DETECTION_COMPLETE");
                xml.text("DriftedStackResourceCount", "0");
                xml.text("Timestamp", iso8601(now));
            }))
        }
        _ => {
            let stack = service.find_stack(form.require("StackName")?)?;
            Ok(Box::new(move |xml| {
                let there = stack.resources.values();
                let there = there.filter(|resource| resource.physical_id.is_some());
                xml.members("StackResourceDrifts", there, |xml, resource| {
                    xml.text("StackId", &stack.id);
                    xml.text("LogicalResourceId", &resource.logical_id);
                    xml.optional("PhysicalResourceId", resource.physical_id.as_ref());
                    xml.text("ResourceType", &resource.type_name);
                    xml.text("StackResourceDriftStatus", "IN_SYNC");
                    xml.text("Timestamp", iso8601(now));
                });
            }))
        }
    }
}
