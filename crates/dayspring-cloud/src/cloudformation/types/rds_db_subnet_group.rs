//! `AWS::RDS::DBSubnetGroup`: recorded.

use super::properties::Reader;
use super::{Types, generated_name, provisioned, unchanged};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("DBSubnetGroupDescription", InPlace),
        ("DBSubnetGroupName", Replaces),
        ("SubnetIds", InPlace),
        ("Tags", InPlace),
    ]),
    attributes: Attributes::Known(&["DBSubnetGroupArn"]),
};

pub(super) fn put(
    types: &Types,
    request: &Request,
    before: Option<Existing>,
) -> Result<Provisioned, Failure> {
    let reader = Reader::new(&request.properties);
    reader.text("DBSubnetGroupDescription")?;
    let zones = reader.texts("SubnetIds")?;
    if zones.len() < 2 {
        return Err(Failure::new(
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: 1. Add subnets to cover at least 2 AZs.",
        ));
    }
    if let Some(before) = before {
        return Ok(unchanged(before));
    }
    let name = match reader.optional_text("DBSubnetGroupName")? {
        Some(name) => name.to_lowercase(),
        None => generated_name(types.world, request, 255).to_lowercase(),
    };
    let arn = types.identity.arn("rds", &format!("subgrp:{name}"));
    Ok(provisioned(name, [("DBSubnetGroupArn", arn.as_str())]))
}
