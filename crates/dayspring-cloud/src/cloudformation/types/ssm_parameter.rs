//! `AWS::SSM::Parameter`: made in the parameter store.

use super::properties::Reader;
use super::{Types, generated_name, provisioned};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("AllowedPattern", InPlace),
        ("DataType", InPlace),
        ("Description", InPlace),
        ("Name", Replaces),
        ("Policies", InPlace),
        ("Tags", InPlace),
        ("Tier", InPlace),
        ("Type", InPlace),
        ("Value", InPlace),
    ]),
    attributes: Attributes::Known(&["Type", "Value"]),
};

pub(super) fn put(
    types: &Types,
    request: &Request,
    before: Option<Existing>,
) -> Result<Provisioned, Failure> {
    let reader = Reader::new(&request.properties);
    let (kind, value) = (reader.text("Type")?, reader.text("Value")?);
    let is_new = before.is_none();
    let name = match (before, reader.optional_text("Name")?) {
        (Some(before), _) => before.physical_id,
        (None, Some(name)) => name,
        (None, None) => format!("CFN-{}", generated_name(types.world, request, 251)),
    };
    types.ssm.put_parameter(&name, &kind, &value, !is_new)?;
    Ok(provisioned(
        name,
        [("Type", kind.as_str()), ("Value", &value)],
    ))
}
