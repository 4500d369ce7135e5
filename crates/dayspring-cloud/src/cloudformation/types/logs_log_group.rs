//! `AWS::Logs::LogGroup`: made in Logs.

use super::properties::Reader;
use super::{Types, generated_name, provisioned};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("DataProtectionPolicy", InPlace),
        ("DeletionProtectionEnabled", InPlace),
        ("KmsKeyId", InPlace),
        ("LogGroupClass", Replaces),
        ("LogGroupName", Replaces),
        ("RetentionInDays", InPlace),
        ("Tags", InPlace),
    ]),
    attributes: Attributes::Known(&["Arn"]),
};

pub(super) fn put(
    types: &Types,
    request: &Request,
    before: Option<Existing>,
) -> Result<Provisioned, Failure> {
    let reader = Reader::new(&request.properties);
    let name = match (before, reader.optional_text("LogGroupName")?) {
        (Some(before), _) => before.physical_id,
        (None, Some(name)) => name,
        (None, None) => generated_name(types.world, request, 512),
    };
    types
        .logs
        .create_group(&name, reader.number("RetentionInDays")?)?;
    let arn = types.identity.arn("logs", &format!("log-group:{name}:*"));
    Ok(provisioned(name, [("Arn", arn.as_str())]))
}
