//! `AWS::ApiGateway::RestApi`.

use super::properties::Reader;
use super::{Types, provisioned, unchanged};
use crate::cloudformation::provider::Change::InPlace;
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};
use crate::gateway::{ApiDescription, RestApiSpec};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("ApiKeySourceType", InPlace),
        ("BinaryMediaTypes", InPlace),
        ("Description", InPlace),
        ("DisableExecuteApiEndpoint", InPlace),
        ("EndpointConfiguration", InPlace),
        ("FailOnWarnings", InPlace),
        ("MinimumCompressionSize", InPlace),
        ("Name", InPlace),
        ("Policy", InPlace),
        ("SecurityPolicy", InPlace),
        ("Tags", InPlace),
    ]),
    attributes: Attributes::Known(&["RestApiId", "RootResourceId"]),
};

pub(super) fn create(types: &Types, request: &Request) -> Result<Provisioned, Failure> {
    let (api, root) = types.gateway.create_rest_api(spec(request)?)?;
    Ok(provisioned(
        api.clone(),
        [("RestApiId", api.as_str()), ("RootResourceId", &root)],
    ))
}

pub(super) fn update(
    types: &Types,
    request: &Request,
    before: Existing,
) -> Result<Provisioned, Failure> {
    types
        .gateway
        .update_rest_api(&before.physical_id, spec(request)?)?;
    Ok(unchanged(before))
}

fn spec(request: &Request) -> Result<RestApiSpec, Failure> {
    let reader = Reader::new(&request.properties);
    let types = match reader.structure("EndpointConfiguration")? {
        Some(configuration) => configuration.texts("Types")?,
        None => Vec::new(),
    };
    Ok(RestApiSpec {
        name: reader.text("Name")?,
        description: reader.optional_text("Description")?.unwrap_or_default(),
        binary_media_types: reader.texts("BinaryMediaTypes")?,
        described: ApiDescription {
            is_regional: types.iter().any(|kind| kind == "REGIONAL"),
            tags: reader.tags("Tags")?,
        },
    })
}
