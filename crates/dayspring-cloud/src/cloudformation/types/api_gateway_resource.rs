//! `AWS::ApiGateway::Resource`: a part of a path.

use super::properties::Reader;
use super::{Types, provisioned};
use crate::cloudformation::provider::Change::Replaces;
use crate::cloudformation::provider::{
    Attributes, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("ParentId", Replaces),
        ("PathPart", Replaces),
        ("RestApiId", Replaces),
    ]),
    attributes: Attributes::Known(&["ResourceId"]),
};

pub(super) fn create(types: &Types, request: &Request) -> Result<Provisioned, Failure> {
    let reader = Reader::new(&request.properties);
    let id = types.gateway.create_resource(
        &reader.text("RestApiId")?,
        &reader.text("ParentId")?,
        &reader.text("PathPart")?,
    )?;
    Ok(provisioned(id.clone(), [("ResourceId", id.as_str())]))
}
