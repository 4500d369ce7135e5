//! `AWS::IAM::Role`: recorded, not enforced.

use super::properties::Reader;
use super::{Types, generated_name, provisioned, unchanged};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("AssumeRolePolicyDocument", InPlace),
        ("Description", InPlace),
        ("ManagedPolicyArns", InPlace),
        ("MaxSessionDuration", InPlace),
        ("Path", Replaces),
        ("PermissionsBoundary", InPlace),
        ("Policies", InPlace),
        ("RoleName", Replaces),
        ("Tags", InPlace),
    ]),
    attributes: Attributes::Known(&["Arn", "RoleId"]),
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
    if reader.get("AssumeRolePolicyDocument").is_none() {
        reader.text("AssumeRolePolicyDocument")?;
    }
    let path = reader
        .optional_text("Path")?
        .unwrap_or_else(|| "/".to_owned());
    let name = match reader.optional_text("RoleName")? {
        Some(name) => name,
        None => generated_name(types.world, request, 64),
    };
    // IAM is global: its ARNs have no region.
    let arn = format!("arn:aws:iam::{}:role{path}{name}", types.identity.account);
    let id = format!("AROA{}", types.world.capitals(17));
    Ok(provisioned(name, [("Arn", arn.as_str()), ("RoleId", &id)]))
}
