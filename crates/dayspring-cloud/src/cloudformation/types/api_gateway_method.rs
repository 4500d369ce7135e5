//! `AWS::ApiGateway::Method`, with the integration behind it.

use std::collections::BTreeMap;

use super::properties::Reader;
use super::{Types, forgive_missing, provisioned};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};
use crate::gateway::{
    Integration, MethodDescription, MethodResponse, MethodSpec, MockResponse, Passthrough,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("ApiKeyRequired", InPlace),
        ("AuthorizationScopes", InPlace),
        ("AuthorizationType", InPlace),
        ("AuthorizerId", InPlace),
        ("HttpMethod", Replaces),
        ("Integration", InPlace),
        ("MethodResponses", InPlace),
        ("OperationName", InPlace),
        ("RequestModels", InPlace),
        ("RequestParameters", InPlace),
        ("RequestValidatorId", InPlace),
        ("ResourceId", Replaces),
        ("RestApiId", Replaces),
    ]),
    attributes: Attributes::Known(&[]),
};

/// The integration's timeout where the template has none, in milliseconds.
const TIMEOUT_MILLIS: u32 = 29_000;

pub(super) fn put(types: &Types, request: &Request) -> Result<Provisioned, Failure> {
    let reader = Reader::new(&request.properties);
    let (api, resource) = (reader.text("RestApiId")?, reader.text("ResourceId")?);
    let http_method = reader.text("HttpMethod")?;
    let spec = MethodSpec {
        http_method: http_method.clone(),
        api_key_required: reader.boolean("ApiKeyRequired")?,
        integration: integration(&reader)?,
        described: description(&reader)?,
    };
    types.gateway.put_method(&api, &resource, spec)?;
    Ok(provisioned(format!("{api}|{resource}|{http_method}"), []))
}

pub(super) fn delete(types: &Types, before: &Existing) -> Result<(), Failure> {
    let reader = Reader::new(&before.properties);
    let (api, resource) = (reader.text("RestApiId")?, reader.text("ResourceId")?);
    forgive_missing(
        types
            .gateway
            .delete_method(&api, &resource, &reader.text("HttpMethod")?),
    )
}

fn description(reader: &Reader<'_>) -> Result<MethodDescription, Failure> {
    let mut responses = BTreeMap::new();
    for response in reader.list("MethodResponses")? {
        let members = response.as_object().ok_or_else(|| {
            Failure::new("Properties validation failed with message: #/MethodResponses: expected type: JSONObject")
        })?;
        let response = Reader::new(members);
        let described = MethodResponse {
            parameters: truths(&response, "ResponseParameters")?,
            models: response.map("ResponseModels")?,
        };
        responses.insert(response.text("StatusCode")?, described);
    }
    Ok(MethodDescription {
        operation_name: reader.optional_text("OperationName")?.unwrap_or_default(),
        request_validator_id: reader
            .optional_text("RequestValidatorId")?
            .unwrap_or_default(),
        request_parameters: truths(reader, "RequestParameters")?,
        responses,
    })
}

fn truths(reader: &Reader<'_>, name: &str) -> Result<BTreeMap<String, bool>, Failure> {
    let texts = reader.map(name)?.into_iter();
    Ok(texts.map(|(name, value)| (name, value == "true")).collect())
}

fn integration(reader: &Reader<'_>) -> Result<Integration, Failure> {
    let integration = reader
        .structure("Integration")?
        .ok_or_else(|| Failure::new("this cloud needs an Integration for every method"))?;
    match integration.text("Type")?.as_str() {
        "AWS_PROXY" => {
            let uri = integration.text("Uri")?;
            Ok(Integration::LambdaProxy {
                function: function_of_uri(&uri).ok_or_else(|| {
                    Failure::new(format!(
                        "Invalid ARN specified in the request: {uri} names no Lambda function"
                    ))
                })?,
                timeout_millis: integration
                    .number("TimeoutInMillis")?
                    .unwrap_or(TIMEOUT_MILLIS),
            })
        }
        "MOCK" => {
            let mut responses = Vec::new();
            for response in integration.list("IntegrationResponses")? {
                let members = response.as_object().ok_or_else(|| {
                    Failure::new("Properties validation failed with message: #/Integration/IntegrationResponses: expected type: JSONObject")
                })?;
                let response = Reader::new(members);
                responses.push(MockResponse {
                    status_code: response.number("StatusCode")?.unwrap_or(200),
                    selection_pattern: response.optional_text("SelectionPattern")?,
                    response_parameters: response.map("ResponseParameters")?,
                    response_templates: response.map("ResponseTemplates")?,
                });
            }
            Ok(Integration::Mock {
                request_templates: integration.map("RequestTemplates")?,
                passthrough: match integration.optional_text("PassthroughBehavior")?.as_deref() {
                    None | Some("WHEN_NO_MATCH") => Passthrough::WhenNoMatch,
                    Some("WHEN_NO_TEMPLATES") => Passthrough::WhenNoTemplates,
                    Some("NEVER") => Passthrough::Never,
                    Some(other) => {
                        return Err(Failure::new(format!(
                            "Invalid passthrough behavior specified: {other}"
                        )));
                    }
                },
                responses,
            })
        }
        other => Err(Failure::new(format!(
            "this cloud has integrations of the types AWS_PROXY and MOCK, and not {other}"
        ))),
    }
}

/// `arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/FUNCTION-ARN/invocations`.
fn function_of_uri(uri: &str) -> Option<String> {
    let (_, rest) = uri.split_once(":lambda:path/")?;
    let (_, rest) = rest.split_once("/functions/")?;
    rest.strip_suffix("/invocations").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_is_read_from_the_uri_of_a_proxy_integration() {
        let uri = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:1:function:f/invocations";
        assert_eq!(
            function_of_uri(uri).unwrap(),
            "arn:aws:lambda:eu-west-1:1:function:f"
        );
        assert_eq!(
            function_of_uri("arn:aws:apigateway:eu-west-1:s3:path/x"),
            None
        );
    }
}
