//! `AWS::EC2::SecurityGroup`: recorded, with ids in EC2's form.

use super::properties::Reader;
use super::{Types, provisioned, unchanged};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("GroupDescription", Replaces),
        ("GroupName", Replaces),
        ("SecurityGroupEgress", InPlace),
        ("SecurityGroupIngress", InPlace),
        ("Tags", InPlace),
        ("VpcId", Replaces),
    ]),
    attributes: Attributes::Known(&["GroupId", "Id", "VpcId"]),
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
    reader.text("GroupDescription")?;
    let id = format!("sg-{}", types.world.hex_digits(17));
    let vpc = reader.optional_text("VpcId")?.unwrap_or_default();
    Ok(provisioned(
        id.clone(),
        [("GroupId", id.as_str()), ("Id", &id), ("VpcId", &vpc)],
    ))
}
