//! `AWS::EC2::Subnet`: recorded, with ids in EC2's form.

use super::properties::Reader;
use super::{Types, provisioned, unchanged};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("AssignIpv6AddressOnCreation", InPlace),
        ("AvailabilityZone", Replaces),
        ("AvailabilityZoneId", Replaces),
        ("CidrBlock", Replaces),
        ("EnableDns64", InPlace),
        ("Ipv6CidrBlock", InPlace),
        ("MapPublicIpOnLaunch", InPlace),
        ("PrivateDnsNameOptionsOnLaunch", InPlace),
        ("Tags", InPlace),
        ("VpcId", Replaces),
    ]),
    attributes: Attributes::Known(&[
        "SubnetId",
        "AvailabilityZone",
        "CidrBlock",
        "NetworkAclAssociationId",
        "VpcId",
    ]),
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
    let id = format!("subnet-{}", types.world.hex_digits(17));
    let zone = reader
        .optional_text("AvailabilityZone")?
        .unwrap_or_else(|| format!("{}a", types.identity.region));
    Ok(provisioned(
        id.clone(),
        [
            ("SubnetId", id.as_str()),
            ("AvailabilityZone", &zone),
            (
                "CidrBlock",
                &reader.optional_text("CidrBlock")?.unwrap_or_default(),
            ),
            (
                "NetworkAclAssociationId",
                &format!("aclassoc-{}", types.world.hex_digits(17)),
            ),
            ("VpcId", &reader.text("VpcId")?),
        ],
    ))
}
