//! `AWS::EC2::FlowLog`: recorded; this cloud's networks carry nothing.

use super::properties::Reader;
use super::{Types, provisioned, unchanged};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("DeliverCrossAccountRole", Replaces),
        ("DeliverLogsPermissionArn", Replaces),
        ("DestinationOptions", Replaces),
        ("LogDestination", Replaces),
        ("LogDestinationType", Replaces),
        ("LogFormat", Replaces),
        ("LogGroupName", Replaces),
        ("MaxAggregationInterval", Replaces),
        ("ResourceId", Replaces),
        ("ResourceType", Replaces),
        ("Tags", InPlace),
        ("TrafficType", Replaces),
    ]),
    attributes: Attributes::Known(&["Id"]),
};

pub(super) fn put(
    types: &Types,
    request: &Request,
    before: Option<Existing>,
) -> Result<Provisioned, Failure> {
    if let Some(before) = before {
        return Ok(unchanged(before));
    }
    let reader = Reader::new(&request.properties);
    reader.text("ResourceId")?;
    reader.text("ResourceType")?;
    let id = format!("fl-{}", types.world.hex_digits(17));
    Ok(provisioned(id.clone(), [("Id", id.as_str())]))
}
