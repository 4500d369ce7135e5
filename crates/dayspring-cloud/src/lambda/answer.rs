//! Lambda's REST API: <https://docs.aws.amazon.com/lambda/latest/api/>.

use std::sync::Arc;

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::configuration::configuration;
use super::control::control;
use super::function::Function;
use super::name::{LATEST, not_found, parse_named};
use super::service::{Service, random_uuid};
use super::{Invocation, InvocationType, response_stream};
use crate::error::AwsError;
use crate::http::{Answer, Call, form_fields};

/// How many functions a page has at most: <https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html>.
const PAGE_MAX: usize = 50;

/// The client context, decoded: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>.
const CLIENT_CONTEXT_BYTES_MAX: usize = 3583;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const INVOCATION_TYPE: HeaderName = HeaderName::from_static("x-amz-invocation-type");
const LOG_TYPE: HeaderName = HeaderName::from_static("x-amz-log-type");
const CLIENT_CONTEXT: HeaderName = HeaderName::from_static("x-amz-client-context");
const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");

pub(super) async fn answer(service: &Arc<Service>, call: Call) -> Answer {
    let path = call.parts.uri.path().to_owned();
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let method = &call.parts.method;
    if let Some(done) = control(service, &call, &segments).await {
        return match done {
            Ok((status, Some(body))) => json_answer(status, &body),
            Ok((status, None)) => empty_answer(status),
            Err(error) => refuse(&error, ""),
        };
    }
    let result = match segments.as_slice() {
        ["2015-03-31", "functions"] if method == Method::GET => Ok(list(service, &call)),
        ["2015-03-31", "functions", name] if method == Method::GET => {
            with_function(service, name, &call, get)
        }
        ["2015-03-31", "functions", name, "configuration"] if method == Method::GET => {
            with_function(service, name, &call, configuration)
        }
        ["2015-03-31", "functions", name, "invocations"] if method == Method::POST => {
            let name = decoded(name);
            return match invoke(service, &name, &call).await {
                Ok(answer) => answer,
                Err(error) => refuse(&error, throttle_reason(service, &name)),
            };
        }
        [
            "2021-11-15",
            "functions",
            name,
            "response-streaming-invocations",
        ] if method == Method::POST => {
            let name = decoded(name);
            return match invoke_with_response_stream(service, &name, &call).await {
                Ok(answer) => answer,
                Err(error) => refuse(&error, throttle_reason(service, &name)),
            };
        }
        _ => Err(AwsError::new(
            StatusCode::NOT_FOUND,
            "UnknownOperationException",
            format!("the local cloud does not answer {method} {path}"),
        )),
    };
    match result {
        Ok(body) => json_answer(StatusCode::OK, &body),
        Err(error) => refuse(&error, ""),
    }
}

/// Why a request that was throttled was throttled.
fn throttle_reason(service: &Service, name: &str) -> &'static str {
    let reserved = parse_named(name, None)
        .ok()
        .and_then(|named| service.find(named.name))
        .and_then(|function| function.kept.spec.reserved_concurrency);
    match reserved {
        Some(_) => "ReservedFunctionConcurrentInvocationLimitExceeded",
        None => "ConcurrentInvocationLimitExceeded",
    }
}

/// A page of functions, in the order of their names. A marker is the name of the last one that was given.
fn list(service: &Service, call: &Call) -> Value {
    let (after, page) = page_fields(call);
    let after = after.unwrap_or_default();
    // Each with its versions, where those are asked for.
    let with_versions = query(call, "FunctionVersion").as_deref() == Some("ALL");
    let all = service.list();
    let mut rest = all
        .iter()
        .filter(|function| function.kept.spec.name > after)
        .peekable();
    let given: Vec<_> = rest.by_ref().take(page).collect();
    let mut functions: Vec<Value> = Vec::new();
    for function in &given {
        let mut latest = configuration(service, function);
        if with_versions {
            latest["FunctionArn"] = format!("{}:{LATEST}", function.arn).into();
        }
        functions.push(latest);
        if with_versions {
            let versions = service.versions(&function.kept.spec.name);
            functions.extend(
                versions
                    .iter()
                    .map(|version| configuration(service, version)),
            );
        }
    }
    let mut answer = json!({"Functions": functions});
    if let (Some(last), Some(_)) = (given.last(), rest.peek()) {
        answer["NextMarker"] = last.kept.spec.name.clone().into();
    }
    answer
}

/// Where a page begins, and how much it holds.
pub(super) fn page_fields(call: &Call) -> (Option<String>, usize) {
    let page = query(call, "MaxItems")
        .and_then(|text| text.parse().ok())
        .unwrap_or(PAGE_MAX)
        .clamp(1, PAGE_MAX);
    (query(call, "Marker"), page)
}

/// A field of the query.
pub(super) fn query(call: &Call, wanted: &str) -> Option<String> {
    form_fields(call.parts.uri.query().unwrap_or_default())
        .into_iter()
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value)
}

fn get(service: &Service, function: &Function) -> Value {
    let mut answer = json!({
        "Configuration": configuration(service, function),
        "Code": {"RepositoryType": "S3", "Location": format!("file://{}", function.launch.task_root.display())},
        "Tags": function.kept.settings.tags,
    });
    if let Some(reserved) = function.kept.spec.reserved_concurrency {
        answer["Concurrency"] = json!({"ReservedConcurrentExecutions": reserved});
    }
    answer
}

fn with_function(
    service: &Service,
    name: &str,
    call: &Call,
    answer: impl FnOnce(&Service, &Function) -> Value,
) -> Result<Value, AwsError> {
    let name = decoded(name);
    let named = parse_named(&name, qualifier(call))?;
    let function = service
        .resolve(named)
        .ok_or_else(|| not_found(&service.qualified_arn(named)))?;
    let mut shown = answer(service, &function);
    // As it was asked for.
    let configuration = match shown.get_mut("Configuration") {
        Some(configuration) => configuration,
        None => &mut shown,
    };
    configuration["FunctionArn"] = service.qualified_arn(named).into();
    Ok(shown)
}

async fn invoke(service: &Arc<Service>, name: &str, call: &Call) -> Result<Answer, AwsError> {
    let headers = &call.parts.headers;
    let kind = match text(headers, &INVOCATION_TYPE) {
        None | Some("RequestResponse") => InvocationType::RequestResponse,
        Some("Event") => InvocationType::Event,
        Some("DryRun") => InvocationType::DryRun,
        Some(other) => {
            return Err(no_invocation_type(
                other,
                "[Event, RequestResponse, DryRun]",
            ));
        }
    };
    let invocation = invoke_as(service, name, call, kind).await?;
    let mut answer = Answer::new(Full::new(invocation.payload));
    *answer.status_mut() = match kind {
        InvocationType::RequestResponse => StatusCode::OK,
        InvocationType::Event => StatusCode::ACCEPTED,
        InvocationType::DryRun => StatusCode::NO_CONTENT,
    };
    let out = answer.headers_mut();
    insert(out, REQUEST_ID, &invocation.request_id);
    if kind == InvocationType::RequestResponse {
        out.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        insert(out, EXECUTED_VERSION, &invocation.executed_version);
        if let Some(error) = &invocation.function_error {
            insert(out, FUNCTION_ERROR, error);
        }
        if text(headers, &LOG_TYPE) == Some("Tail") {
            insert(out, LOG_RESULT, &STANDARD.encode(&invocation.log_tail));
        }
    }
    Ok(answer)
}

async fn invoke_with_response_stream(
    service: &Arc<Service>,
    name: &str,
    call: &Call,
) -> Result<Answer, AwsError> {
    let headers = &call.parts.headers;
    let kind = match text(headers, &INVOCATION_TYPE) {
        None | Some("RequestResponse") => InvocationType::RequestResponse,
        Some("DryRun") => InvocationType::DryRun,
        Some(other) => return Err(no_invocation_type(other, "[RequestResponse, DryRun]")),
    };
    let invocation = invoke_as(service, name, call, kind).await?;
    if kind == InvocationType::DryRun {
        return Ok(empty_answer(StatusCode::NO_CONTENT));
    }
    let wants_log = text(headers, &LOG_TYPE) == Some("Tail");
    let log_result = wants_log.then(|| STANDARD.encode(&invocation.log_tail));
    let mut answer = Answer::new(Full::new(response_stream::render(&invocation, log_result)));
    let out = answer.headers_mut();
    out.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(response_stream::CONTENT_TYPE),
    );
    insert(out, REQUEST_ID, &invocation.request_id);
    insert(out, EXECUTED_VERSION, &invocation.executed_version);
    Ok(answer)
}

fn no_invocation_type(value: &str, all: &str) -> AwsError {
    AwsError::bad_request(
        "ValidationException",
        format!(
            "1 validation error detected: Value '{value}' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: {all}"
        ),
    )
}

async fn invoke_as(
    service: &Arc<Service>,
    name: &str,
    call: &Call,
    kind: InvocationType,
) -> Result<Invocation, AwsError> {
    let named = parse_named(name, qualifier(call))?;
    if !call.body.is_empty()
        && let Err(error) = serde_json::from_slice::<IgnoredAny>(&call.body)
    {
        return Err(AwsError::bad_request(
            "InvalidRequestContentException",
            format!("Could not parse request body into json: {error}"),
        ));
    }
    let client_context = client_context(&call.parts.headers)?;
    service
        .invoke(named, kind, call.body.clone(), client_context)
        .await
}

fn client_context(headers: &HeaderMap) -> Result<Option<String>, AwsError> {
    let Some(encoded) = text(headers, &CLIENT_CONTEXT) else {
        return Ok(None);
    };
    STANDARD
        .decode(encoded)
        .ok()
        .filter(|decoded| decoded.len() <= CLIENT_CONTEXT_BYTES_MAX)
        .and_then(|decoded| String::from_utf8(decoded).ok())
        .map(Some)
        .ok_or_else(|| {
            AwsError::bad_request(
                "InvalidRequestContentException",
                "Client context must be a valid Base64-encoded JSON object.",
            )
        })
}

/// `throttle_reason` is looked at for that kind only.
fn refuse(error: &AwsError, throttle_reason: &str) -> Answer {
    let kind = error.kind.as_str();
    let mut body = serde_json::Map::new();
    match kind {
        "TooManyRequestsException" => {
            body.insert("Reason".to_owned(), throttle_reason.into());
            body.insert("Type".to_owned(), "User".into());
            body.insert("message".to_owned(), error.message.clone().into());
        }
        "ValidationException" | "UnknownOperationException" => {
            body.insert("message".to_owned(), error.message.clone().into());
        }
        _ => {
            let fault = if error.status.is_server_error() {
                "Service"
            } else {
                "User"
            };
            body.insert("Type".to_owned(), fault.into());
            // The model spells the member of this error in small letters where others have a capital.
            let member = if error.status == StatusCode::NOT_FOUND || error.status.is_server_error()
            {
                "Message"
            } else {
                "message"
            };
            body.insert(member.to_owned(), error.message.clone().into());
        }
    }
    let mut answer = json_answer(error.status, &Value::Object(body));
    insert(answer.headers_mut(), ERROR_TYPE, kind);
    answer
}

fn json_answer(status: StatusCode, body: &Value) -> Answer {
    let mut answer = Answer::new(Full::new(Bytes::from(body.to_string())));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    insert(headers, REQUEST_ID, &random_uuid());
    answer
}

fn empty_answer(status: StatusCode) -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = status;
    insert(answer.headers_mut(), REQUEST_ID, &random_uuid());
    answer
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

pub(super) fn qualifier(call: &Call) -> Option<&str> {
    call.parts
        .uri
        .query()?
        .split('&')
        .find_map(|pair| pair.strip_prefix("Qualifier="))
        .map(|qualifier| match qualifier {
            "%24LATEST" => "$LATEST",
            other => other,
        })
}

/// A name in a path has its colons and its dollar sign encoded by most clients.
fn decoded(segment: &str) -> String {
    segment
        .replace("%3A", ":")
        .replace("%3a", ":")
        .replace("%24", "$")
}
