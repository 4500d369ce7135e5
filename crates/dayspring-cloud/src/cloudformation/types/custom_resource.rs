//! `Custom::*` and `AWS::CloudFormation::CustomResource`: a Lambda function is told what to do and answers at a URL
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html>).

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::properties::Reader;
use super::{Types, responses};
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};
use crate::http::encode_percent;
use crate::lambda::InvocationType;

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Any,
    attributes: Attributes::Any,
};

/// How long an answer is waited for where the template has no `ServiceTimeout`.
const TIMEOUT_SECONDS: u64 = 3600;

pub(super) async fn create(types: &Types, request: &Request) -> Result<Provisioned, Failure> {
    // The id of a resource whose function answers none, and of one that never answered.
    let fallback = super::generated_name(types.world, request, 128);
    let mut event = event(request, "Create");
    call(types, request, &mut event, &fallback).await
}

pub(super) async fn update(
    types: &Types,
    request: &Request,
    before: Existing,
) -> Result<Provisioned, Failure> {
    if request.properties.get("ServiceToken") != before.properties.get("ServiceToken") {
        return Err(Failure::new("Modifying service token is not allowed."));
    }
    let mut event = event(request, "Update");
    event.insert(
        "PhysicalResourceId".to_owned(),
        before.physical_id.clone().into(),
    );
    event.insert(
        "OldResourceProperties".to_owned(),
        as_texts(&Value::Object(before.properties)),
    );
    call(types, request, &mut event, &before.physical_id).await
}

pub(super) async fn delete(
    types: &Types,
    request: &Request,
    before: Existing,
) -> Result<(), Failure> {
    let mut event = event(request, "Delete");
    event.insert(
        "PhysicalResourceId".to_owned(),
        before.physical_id.clone().into(),
    );
    call(types, request, &mut event, &before.physical_id)
        .await
        .map(|_| ())
}

fn event(request: &Request, kind: &str) -> Map<String, Value> {
    let event = json!({
        "RequestType": kind,
        "ServiceToken": request.properties.get("ServiceToken"),
        "StackId": request.stack_id,
        "LogicalResourceId": request.logical_id,
        "ResourceType": request.type_name,
        "ResourceProperties": as_texts(&Value::Object(request.properties.clone())),
    });
    match event {
        Value::Object(event) => event,
        _ => Map::new(),
    }
}

/// CloudFormation sends every scalar as a text.
fn as_texts(value: &Value) -> Value {
    match value {
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        Value::Array(items) => items.iter().map(as_texts).collect(),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, member)| (name.clone(), as_texts(member)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// What a function answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    status: String,
    reason: Option<String>,
    physical_resource_id: Option<String>,
    #[serde(default)]
    no_echo: bool,
    data: Option<Map<String, Value>>,
}

async fn call(
    types: &Types,
    request: &Request,
    event: &mut Map<String, Value>,
    physical_id: &str,
) -> Result<Provisioned, Failure> {
    let reader = Reader::new(&request.properties);
    let function = reader.text("ServiceToken")?;
    let timeout: u64 = reader.number("ServiceTimeout")?.unwrap_or(TIMEOUT_SECONDS);
    if !(1..=3600).contains(&timeout) {
        return Err(Failure::new(
            "ServiceTimeout must be between 1 and 3600 seconds",
        ));
    }
    let request_id = types.world.uuid();
    let secret = types.world.hex_digits(64);
    let url = response_url(types, request, &request_id, &secret, timeout);
    event.insert("RequestId".to_owned(), request_id.clone().into());
    event.insert("ResponseURL".to_owned(), url.into());
    let answer = types.responses.expect(&secret);
    let payload = Bytes::from(Value::Object(event.clone()).to_string());
    types
        .lambda
        .invoke(&function, InvocationType::Event, payload)
        .await
        .map_err(|error| {
            Failure::new(format!(
                "Failed to invoke the custom resource's function {function}: {}",
                error.message
            ))
        })?;
    let answered = tokio::time::timeout(Duration::from_secs(timeout), answer).await;
    let Ok(Ok(body)) = answered else {
        return Err(Failure {
            reason: format!(
                "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [{request_id}]. If you are using the Python cfn-response module, you may need to update your Lambda function code so that CloudFormation can attach the updated version."
            ),
            physical_id: Some(physical_id.to_owned()),
        });
    };
    read_answer(&body, &request_id, physical_id)
}

fn response_url(
    types: &Types,
    request: &Request,
    request_id: &str,
    secret: &str,
    timeout: u64,
) -> String {
    let object = encode_percent(&format!(
        "{}|{}|{request_id}",
        request.stack_id, request.logical_id
    ));
    format!(
        "{}{}{}/{object}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires={timeout}&X-Amz-SignedHeaders=host&X-Amz-Signature={secret}",
        types.endpoint_url,
        responses::PATH,
        types.identity.region.replace('-', ""),
    )
}

fn read_answer(body: &Bytes, request_id: &str, physical_id: &str) -> Result<Provisioned, Failure> {
    let failed = |reason: String, id: Option<String>| Failure {
        reason,
        physical_id: Some(id.unwrap_or_else(|| physical_id.to_owned())),
    };
    if body.len() > responses::BYTES_MAX {
        return Err(failed("Response object is too long.".to_owned(), None));
    }
    let response: Response = serde_json::from_slice(body).map_err(|error| {
        failed(
            format!(
                "Invalid response received from custom resource: {error} (RequestId: {request_id})"
            ),
            None,
        )
    })?;
    let id = response.physical_resource_id.filter(|id| !id.is_empty());
    match response.status.as_str() {
        "SUCCESS" => Ok(Provisioned {
            physical_id: id.unwrap_or_else(|| physical_id.to_owned()),
            attributes: response.data.unwrap_or_default().into_iter().collect(),
            no_echo: response.no_echo,
        }),
        "FAILED" => Err(failed(
            format!(
                "Received response status [FAILED] from custom resource. Message returned: {} (RequestId: {request_id})",
                response.reason.unwrap_or_default()
            ),
            id,
        )),
        other => Err(failed(
            format!(
                "Invalid response status [{other}] from custom resource (RequestId: {request_id})"
            ),
            id,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn answer(body: &str) -> Result<Provisioned, Failure> {
        read_answer(&Bytes::copy_from_slice(body.as_bytes()), "r-1", "before")
    }

    #[test]
    fn an_answer_gives_id_and_attributes_or_the_reason_in_the_words_of_aws() {
        let good = answer(
            r#"{"Status":"SUCCESS","PhysicalResourceId":"p","Data":{"Version":"4"},"NoEcho":true}"#,
        )
        .unwrap();
        assert_eq!(good.physical_id, "p");
        assert_eq!(good.attributes["Version"], "4");
        assert!(good.no_echo);
        assert_eq!(
            answer(r#"{"Status":"SUCCESS"}"#).unwrap().physical_id,
            "before"
        );
        let bad = answer(r#"{"Status":"FAILED","Reason":"error: no","PhysicalResourceId":"p"}"#)
            .unwrap_err();
        insta::assert_snapshot!(bad.reason, @"Received response status [FAILED] from custom resource. Message returned: error: no (RequestId: r-1)");
        assert_eq!(bad.physical_id.as_deref(), Some("p"));
        insta::assert_snapshot!(answer("{}").unwrap_err().reason, @"Invalid response received from custom resource: missing field `Status` at line 1 column 2 (RequestId: r-1)");
        insta::assert_snapshot!(answer(&"x".repeat(4097)).unwrap_err().reason, @"Response object is too long.");
    }

    #[test]
    fn every_scalar_is_sent_as_a_text() {
        let value = json!({"a": 1, "b": [true, "x"], "c": {"d": 2.5}});
        assert_eq!(
            as_texts(&value),
            json!({"a": "1", "b": ["true", "x"], "c": {"d": "2.5"}})
        );
    }
}
