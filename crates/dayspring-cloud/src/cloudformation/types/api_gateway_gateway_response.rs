//! `AWS::ApiGateway::GatewayResponse`: what the gateway itself answers with.

use super::properties::Reader;
use super::{Types, provisioned};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Failure, Properties, Provisioned, Request, Schema,
};
use crate::gateway::GatewayResponseSpec;

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("ResponseParameters", InPlace),
        ("ResponseTemplates", InPlace),
        ("ResponseType", Replaces),
        ("RestApiId", Replaces),
        ("StatusCode", InPlace),
    ]),
    attributes: Attributes::Known(&["Id"]),
};

pub(super) fn put(types: &Types, request: &Request) -> Result<Provisioned, Failure> {
    let reader = Reader::new(&request.properties);
    let (api, response_type) = (reader.text("RestApiId")?, reader.text("ResponseType")?);
    let spec = GatewayResponseSpec {
        response_type: response_type.clone(),
        status_code: reader.number("StatusCode")?,
        response_parameters: reader.map("ResponseParameters")?,
        response_templates: reader.map("ResponseTemplates")?,
    };
    types.gateway.put_gateway_response(&api, spec)?;
    let id = format!("{api}|{response_type}");
    Ok(provisioned(id.clone(), [("Id", id.as_str())]))
}
