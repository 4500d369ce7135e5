//! `AWS::ApiGateway::RequestValidator`: recorded. It checks the parameters and the models that a method declares.

use super::properties::Reader;
use super::{Types, provisioned, unchanged};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("Name", Replaces),
        ("RestApiId", Replaces),
        ("ValidateRequestBody", InPlace),
        ("ValidateRequestParameters", InPlace),
    ]),
    attributes: Attributes::Known(&["RequestValidatorId"]),
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
    reader.text("RestApiId")?;
    reader.boolean("ValidateRequestBody")?;
    reader.boolean("ValidateRequestParameters")?;
    let id = types
        .world
        .characters("abcdefghijklmnopqrstuvwxyz0123456789", 6);
    Ok(provisioned(
        id.clone(),
        [("RequestValidatorId", id.as_str())],
    ))
}
