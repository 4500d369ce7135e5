//! `AWS::EC2::VPC`: recorded, with ids in EC2's form.

use serde_json::Value;

use super::{Types, unchanged};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("CidrBlock", Replaces),
        ("EnableDnsHostnames", InPlace),
        ("EnableDnsSupport", InPlace),
        ("InstanceTenancy", InPlace),
        ("Ipv4IpamPoolId", Replaces),
        ("Ipv4NetmaskLength", Replaces),
        ("Tags", InPlace),
    ]),
    attributes: Attributes::Known(&[
        "VpcId",
        "CidrBlock",
        "DefaultNetworkAcl",
        "DefaultSecurityGroup",
        "CidrBlockAssociations",
        "Ipv6CidrBlocks",
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
    let digits = || types.world.hex_digits(17);
    let id = format!("vpc-{}", digits());
    let cidr = request
        .properties
        .get("CidrBlock")
        .cloned()
        .unwrap_or(Value::from("10.0.0.0/16"));
    let association = Value::from(format!("vpc-cidr-assoc-{}", digits()));
    let attributes = [
        ("VpcId", Value::from(id.clone())),
        ("CidrBlock", cidr),
        (
            "DefaultNetworkAcl",
            Value::from(format!("acl-{}", digits())),
        ),
        (
            "DefaultSecurityGroup",
            Value::from(format!("sg-{}", digits())),
        ),
        ("CidrBlockAssociations", Value::Array(vec![association])),
        ("Ipv6CidrBlocks", Value::Array(Vec::new())),
    ];
    Ok(Provisioned {
        physical_id: id,
        attributes: attributes
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        no_echo: false,
    })
}
