//! A request to a deployed stage, from the URL to the answer and the access log.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use ::http::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use ::http::request::Parts;
use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use bytes::Bytes;
use http_body_util::Full;

use super::answer::{NoAnswer, ProxyAnswer, parse_answer};
use super::context::{Outcome, RequestContext};
use super::event::{EventParts, Forwarded, Values, render_event};
use super::location::{Location, parse_location};
use super::mapping::{map_headers, outgoing_name};
use super::mock::{Mock, NoMock};
use super::refusal::Refusal;
use super::service::Service;
use super::stage::{Method, ReadyIntegration, Stage};
use super::velocity::{Parameters, Scope};
use crate::http::{Answer, Call, SpelledNames, sent_headers};
use crate::lambda::date::unix_millis_now;
use crate::lambda::{InvocationType, random_uuid};

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>, as measured.
pub(crate) const BODY_BYTES_MAX: usize = 10_485_760;

/// What Lambda takes: 6 MiB.
const EVENT_BYTES_MAX: usize = 6_291_456;

/// The length of a regional API's URL, in characters, and the size of all headers with their names, line ends and white
/// space, in bytes: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>.
const URL_LENGTH_MAX: usize = 10_240;
const HEADER_BYTES_MAX: usize = 10_240;

const TOO_LARGE: &str = "RequestTooLargeException";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const EXTENDED_REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-apigw-id");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

pub(super) async fn answer(service: &Service, call: Call) -> Answer {
    let started = Instant::now();
    if let Some(refused) = refuse_head(&call.parts) {
        return refused;
    }
    let host = call
        .parts
        .headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| {
            call.parts
                .uri
                .authority()
                .map(|authority| authority.as_str())
        });
    let location = parse_location(host, call.parts.uri.path());
    let stage = service
        .table()
        .find(location.api, location.stage)
        .map(Arc::clone);
    let Some(stage) = stage else {
        return no_stage();
    };
    if call.body.len() > BODY_BYTES_MAX {
        return body_too_long();
    }
    let port = port_of(host);
    let mut context = context(&call, stage, &location);
    let mut outcome = Outcome::default();
    let served = serve(service, &call, &location, port, &mut context, &mut outcome).await;
    let mut answer = match served {
        Ok(proxied) => {
            let mut answer = answer_of(proxied.status, proxied.headers, proxied.body);
            if !proxied.names.is_empty() {
                answer.extensions_mut().insert(SpelledNames(proxied.names));
            }
            answer
        }
        Err(refusal) => {
            let responses = &context.stage.responses;
            let refused = refusal.render(responses, &call.parts, &context, &mut outcome);
            answer_of(refused.status, refused.headers, refused.body.into())
        }
    };
    let headers = answer.headers_mut();
    insert(headers, REQUEST_ID, &context.request_id);
    insert(headers, EXTENDED_REQUEST_ID, &context.extended_request_id);
    outcome.status = answer.status().as_u16();
    outcome.latency = started.elapsed();
    if let Some(log) = &context.stage.access_log {
        let line = log.format.render(&context, &outcome);
        service
            .logs
            .put(&log.group, &log.stream, unix_millis_now(), [line]);
    }
    answer
}

/// The port in a `Host` header. An address of IPv6 has colons of its own, in brackets.
fn port_of(host: Option<&str>) -> &str {
    host.and_then(|host| host.rsplit_once(':'))
        .map(|(_, port)| port)
        .filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
        .unwrap_or("80")
}

fn context(call: &Call, stage: Arc<Stage>, location: &Location<'_>) -> RequestContext {
    let unix_millis = unix_millis_now();
    let headers = &call.parts.headers;
    RequestContext {
        request_id: random_uuid(),
        extended_request_id: extended_request_id(fastrand::u128(..)),
        trace_id: text(headers, &TRACE_ID).map_or_else(
            || {
                format!(
                    "Root=1-{:08x}-{:024x}",
                    unix_millis / 1000,
                    fastrand::u128(..) >> 32
                )
            },
            str::to_owned,
        ),
        unix_millis,
        method: call.parts.method.as_str().to_owned(),
        path: format!("/{}{}", location.stage, location.rest),
        protocol: match call.parts.version {
            Version::HTTP_10 => "HTTP/1.0",
            Version::HTTP_2 => "HTTP/2.0",
            _ => "HTTP/1.1",
        },
        domain: location.domain.unwrap_or(&stage.domain).to_owned(),
        source_ip: call.peer.ip(),
        user_agent: headers
            .get(USER_AGENT)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
        resource: None,
        stage,
    }
}

async fn serve(
    service: &Service,
    call: &Call,
    location: &Location<'_>,
    port: &str,
    context: &mut RequestContext,
    outcome: &mut Outcome,
) -> Result<ProxyAnswer, Refusal> {
    let stage = Arc::clone(&context.stage);
    let path = if location.rest.is_empty() {
        "/"
    } else {
        location.rest
    };
    let matched = stage
        .routes
        .find(&context.method, path)
        .ok_or(Refusal::MissingAuthenticationToken)?;
    let method = matched.target;
    context.resource = Some((method.resource_id.clone(), method.resource_path.clone()));
    if method.api_key_required {
        // No usage plan knows any key here.
        return Err(Refusal::Forbidden);
    }
    let begun = Instant::now();
    if method
        .throttle
        .as_ref()
        .is_some_and(|throttle| !throttle.admits(begun))
    {
        return Err(Refusal::Throttled);
    }
    let answer = match &method.integration {
        ReadyIntegration::Mock(mock) => {
            let request = MockRequest {
                call,
                port,
                path_parameters: &matched.parameters,
            };
            answer_mock(service, mock, &request, context, outcome)
        }
        ReadyIntegration::LambdaProxy { .. } => {
            let event = event(call, context, path, port, &matched.parameters)?;
            invoke(service, call, context, method, event, outcome).await
        }
    };
    outcome.integration_latency = Some(begun.elapsed());
    let answer = answer?;
    outcome.function_status = Some(answer.status.as_u16());
    outcome.response_bytes = answer.body.len();
    Ok(answer)
}

/// A request to a mock.
struct MockRequest<'a> {
    call: &'a Call,
    port: &'a str,
    path_parameters: &'a [(&'a str, Cow<'a, str>)],
}

fn answer_mock(
    service: &Service,
    mock: &Mock,
    request: &MockRequest<'_>,
    context: &RequestContext,
    outcome: &mut Outcome,
) -> Result<ProxyAnswer, Refusal> {
    let MockRequest { call, .. } = request;
    let scope = Scope {
        body: &String::from_utf8_lossy(&call.body),
        parameters: &|| parameters(request, context),
        context: &|name| context.template_variable(name),
        stage_variables: &context.stage.variables,
    };
    let content_type = text(&call.parts.headers, &CONTENT_TYPE);
    let answer = mock
        .answer(content_type, &scope)
        .map_err(|error| match error {
            NoMock::UnsupportedMediaType => Refusal::UnsupportedMediaType,
            NoMock::Body => Refusal::BadBody,
            NoMock::Unanswerable(reason) => {
                let reason = format!("Execution failed due to configuration error: {reason}");
                explain(service, context, &reason);
                Refusal::Internal
            }
        })?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, answer.content_type);
    map_headers(answer.headers, &call.parts, context, outcome, &mut headers);
    for (name, value) in answer.overrides.headers() {
        let name = HeaderName::from_bytes(name.as_bytes()).ok();
        if let Some(name) = name.and_then(|name| outgoing_name(&name)) {
            insert(&mut headers, name, value);
        }
    }
    Ok(ProxyAnswer {
        status: answer.status,
        headers,
        body: answer.body.into(),
        names: Vec::new(),
    })
}

/// What a template sees of a request beside its body.
fn parameters(request: &MockRequest<'_>, context: &RequestContext) -> Parameters {
    let parts = &request.call.parts;
    let forwarded = Forwarded {
        source_ip: context.source_ip.to_string(),
        port: request.port,
        trace_id: &context.trace_id,
    };
    let path = request.path_parameters.iter();
    Parameters {
        path: path
            .map(|(name, value)| ((*name).to_owned(), value.to_string()))
            .collect(),
        querystring: Values::from_query(parts.uri.query().unwrap_or_default()).to_pairs(),
        header: Values::from_headers(sent_headers(parts), &forwarded).to_pairs(),
    }
}

fn event(
    call: &Call,
    context: &RequestContext,
    path: &str,
    port: &str,
    path_parameters: &[(&str, Cow<'_, str>)],
) -> Result<Bytes, Refusal> {
    let forwarded = Forwarded {
        source_ip: context.source_ip.to_string(),
        port,
        trace_id: &context.trace_id,
    };
    let parts = EventParts {
        path,
        headers: &Values::from_headers(sent_headers(&call.parts), &forwarded),
        query: &Values::from_query(call.parts.uri.query().unwrap_or_default()),
        path_parameters,
        body: &call.body,
        is_binary: context
            .stage
            .is_binary(text(&call.parts.headers, &CONTENT_TYPE)),
    };
    let event = render_event(context, &parts).map_err(|_| Refusal::Internal)?;
    if event.len() > EVENT_BYTES_MAX {
        return Err(Refusal::RequestTooLarge);
    }
    Ok(event.into())
}

async fn invoke(
    service: &Service,
    call: &Call,
    context: &RequestContext,
    method: &Method,
    event: Bytes,
    outcome: &mut Outcome,
) -> Result<ProxyAnswer, Refusal> {
    let ReadyIntegration::LambdaProxy { function, timeout } = &method.integration else {
        return Err(Refusal::Internal);
    };
    let invocation = service
        .lambda
        .invoke(function, InvocationType::RequestResponse, event);
    let fail = |outcome: &mut Outcome, reason: String, refusal: Refusal| {
        explain(service, context, &reason);
        outcome.integration_error = Some(reason);
        refusal
    };
    // The function goes on without its caller, as on AWS.
    let Ok(invocation) = tokio::time::timeout(*timeout, invocation).await else {
        let reason = "Execution failed due to a timeout error".to_owned();
        return Err(fail(outcome, reason, Refusal::Timeout));
    };
    let invocation = invocation.map_err(|error| {
        let reason = format!("Execution failed due to configuration error: {error}");
        fail(outcome, reason, Refusal::IntegrationFailure)
    })?;
    outcome.integration_status = Some(200);
    if invocation.function_error.is_some() {
        let reason = format!(
            "Lambda execution failed with status 200 due to customer function error: {}. Lambda request ID: {}",
            error_message(&invocation.payload),
            invocation.request_id
        );
        outcome.integration_request_id = Some(invocation.request_id);
        return Err(fail(outcome, reason, Refusal::BadGateway));
    }
    outcome.integration_request_id = Some(invocation.request_id);
    let decodes = context.stage.is_binary(text(&call.parts.headers, &ACCEPT));
    let mut answer = parse_answer(&invocation.payload, decodes).map_err(|error| {
        let (reason, refusal) = match error {
            NoAnswer::Malformed(reason) => (
                format!("Malformed Lambda proxy response: {reason}"),
                Refusal::BadGateway,
            ),
            NoAnswer::NotBase64 => (
                "Unable to base64 decode the body.".to_owned(),
                Refusal::ConfigurationError,
            ),
        };
        let reason = format!("Execution failed due to configuration error: {reason}");
        fail(outcome, reason, refusal)
    })?;
    insert(&mut answer.headers, TRACE_ID, &context.trace_id);
    Ok(answer)
}

/// What a function's error says of itself, or all of it.
fn error_message(payload: &[u8]) -> String {
    serde_json::from_slice::<serde_json::Value>(payload)
        .ok()
        .and_then(|error| Some(error.get("errorMessage")?.as_str()?.to_owned()))
        .unwrap_or_else(|| String::from_utf8_lossy(payload).into_owned())
}

/// Why an answer is the gateway's and not the function's, where AWS's execution log has it.
fn explain(service: &Service, context: &RequestContext, reason: &str) {
    let line = format!("({}) {reason}", context.request_id);
    service.logs.put(
        &format!(
            "API-Gateway-Execution-Logs_{}/{}",
            context.stage.api_id, context.stage.name
        ),
        &context.stage.api_id,
        unix_millis_now(),
        [line],
    );
}

fn no_stage() -> Answer {
    let mut answer = answer_of(
        StatusCode::FORBIDDEN,
        HeaderMap::new(),
        Bytes::from_static(b"{\"message\":\"Forbidden\"}"),
    );
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ERROR_TYPE, HeaderValue::from_static("ForbiddenException"));
    insert(headers, REQUEST_ID, &random_uuid());
    insert(
        headers,
        EXTENDED_REQUEST_ID,
        &extended_request_id(fastrand::u128(..)),
    );
    answer
}

/// The answer to a URL or to headers above the limits: AWS's words; with which status they come is not known. And to a
/// query with a pipe, which has to be encoded:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>.
fn refuse_head(parts: &Parts) -> Option<Answer> {
    let query = parts.uri.query().unwrap_or_default();
    if query.as_bytes().contains(&b'|') {
        let text = "the URL has characters that must be percent-encoded";
        return Some(refused(
            StatusCode::BAD_REQUEST,
            "BadRequestException",
            text,
        ));
    }
    let headers: usize = parts
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len())
        .sum();
    let url = parts
        .uri
        .path_and_query()
        .map_or(0, |url| url.as_str().len());
    if url > URL_LENGTH_MAX {
        let text = "An HTTP line is larger than 10240 bytes.";
        return Some(refused(StatusCode::URI_TOO_LONG, TOO_LARGE, text));
    }
    (headers > HEADER_BYTES_MAX).then(|| {
        let text = "HTTP header is larger than 10240 bytes.";
        refused(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, TOO_LARGE, text)
    })
}

/// The answer to a body above [`BODY_BYTES_MAX`], which need not be read to its end.
pub(super) fn body_too_long() -> Answer {
    let text = "HTTP content length exceeded 10485760 bytes.";
    refused(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE, text)
}

/// What is refused before it is known which API it is for.
fn refused(status: StatusCode, error_type: &'static str, text: &'static str) -> Answer {
    let mut answer = answer_of(
        status,
        HeaderMap::new(),
        Bytes::from_static(text.as_bytes()),
    );
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(ERROR_TYPE, HeaderValue::from_static(error_type));
    insert(headers, REQUEST_ID, &random_uuid());
    insert(
        headers,
        EXTENDED_REQUEST_ID,
        &extended_request_id(fastrand::u128(..)),
    );
    answer
}

fn answer_of(status: StatusCode, headers: HeaderMap, body: Bytes) -> Answer {
    let mut answer = Answer::new(Full::new(body));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
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

/// `cPeb2G5NIAMFZNA=`: eleven bytes in base64.
fn extended_request_id(random: u128) -> String {
    use base64::Engine;
    let bytes = random.to_be_bytes();
    base64::engine::general_purpose::STANDARD.encode(bytes.get(..11).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_what_follows_the_last_colon_outside_of_brackets() {
        let ports = ["h:3000", "h", "[::1]:3000", "[::1]"].map(|host| port_of(Some(host)));
        assert_eq!(ports, ["3000", "80", "3000", "80"]);
    }

    #[test]
    fn an_extended_request_id_looks_like_one() {
        let id = extended_request_id(u128::MAX);
        assert_eq!((id.len(), id.ends_with('=')), (16, true), "{id}");
    }
}
