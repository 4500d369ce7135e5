//! `AWS::ApiGateway::Deployment`: a snapshot of an API.

use super::properties::Reader;
use super::{Types, provisioned};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[("Description", InPlace), ("RestApiId", Replaces)]),
    attributes: Attributes::Known(&["DeploymentId"]),
};

pub(super) fn create(types: &Types, request: &Request) -> Result<Provisioned, Failure> {
    let reader = Reader::new(&request.properties);
    let description = reader.optional_text("Description")?.unwrap_or_default();
    let id = types
        .gateway
        .create_deployment(&reader.text("RestApiId")?, &description)?;
    Ok(provisioned(id.clone(), [("DeploymentId", id.as_str())]))
}
