//! The Lambda Runtime API 2018-06-01, as one process sees it: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.
//!
//! Each process has a listener of its own on the loopback, because that is the form in which AWS names it
//! (`AWS_LAMBDA_RUNTIME_API=HOST:PORT`), and because a path in front of the version is not understood by every client.

use std::sync::Arc;

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::environment::Environment;
use super::runtime_state::{Refusal, RuntimeCall, error_body};
use super::session::{Delivery, Now, Outcome, Session};
use crate::http::Answer;
use crate::parity::Touched;

/// 6 MiB and a hundred bytes: what a synchronous answer may have (recorded against AWS 2025-11).
pub(super) const RESPONSE_BYTES_MAX: usize = 6_291_556;

/// An error report is cut here; AWS names no limit of its own for it.
const ERROR_BYTES_MAX: usize = RESPONSE_BYTES_MAX;

/// The Extensions API and the Telemetry API.
const EXTENSION_PATHS: [&str; 2] = ["/2020-01-01/extension", "/2022-07-01/telemetry"];

const REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
const DEADLINE: HeaderName = HeaderName::from_static("lambda-runtime-deadline-ms");
const FUNCTION_ARN: HeaderName = HeaderName::from_static("lambda-runtime-invoked-function-arn");
const TRACE_ID: HeaderName = HeaderName::from_static("lambda-runtime-trace-id");
const CLIENT_CONTEXT: HeaderName = HeaderName::from_static("lambda-runtime-client-context");
const RESPONSE_MODE: HeaderName = HeaderName::from_static("lambda-runtime-function-response-mode");
/// What AWS calls an error whose kind the runtime does not name.
const UNKNOWN_ERROR: &str = "Runtime.Unknown";

/// In the header of an error, and in the trailers of a streamed answer that failed.
const ERROR_TYPE: HeaderName = HeaderName::from_static("lambda-runtime-function-error-type");
const ERROR_BODY: HeaderName = HeaderName::from_static("lambda-runtime-function-error-body");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Serves one connection of a runtime until either side closes it.
pub(super) async fn serve(stream: TcpStream, environment: Arc<Environment>) {
    // Small messages in lock step: waiting to fill a packet costs 40 ms. A socket that refuses the option still works.
    drop(stream.set_nodelay(true));
    let service = service_fn(move |request| {
        let environment = Arc::clone(&environment);
        async move { Ok::<_, std::convert::Infallible>(answer(&environment, request).await) }
    });
    // A runtime that is killed leaves a broken connection behind, which is nobody's error.
    drop(
        hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await,
    );
}

async fn answer(environment: &Environment, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let session = &environment.session;
    let Some(path) = parts.uri.path().strip_prefix("/2018-06-01/") else {
        if EXTENSION_PATHS
            .iter()
            .any(|prefix| parts.uri.path().starts_with(prefix))
        {
            environment.touch(Touched::Extensions);
        }
        return not_found();
    };
    let segments: Vec<&str> = path.split('/').collect();
    let method = &parts.method;
    match segments.as_slice() {
        ["ping"] => on(method, Method::GET, || plain(StatusCode::OK, "pong")),
        ["runtime", "invocation", "next"] if method == Method::GET => next(session).await,
        ["runtime", "invocation", request_id, "response"] if method == Method::POST => {
            respond(session, request_id, &parts.headers, body).await
        }
        ["runtime", "invocation", request_id, "error"] if method == Method::POST => {
            fail(session, request_id, body).await
        }
        ["runtime", "init", "error"] if method == Method::POST => {
            fail_init(session, &parts.headers, body).await
        }
        ["runtime", "invocation", "next"]
        | ["runtime", "invocation", _, "response" | "error"]
        | ["runtime", "init", "error"] => empty(StatusCode::METHOD_NOT_ALLOWED),
        _ => not_found(),
    }
}

async fn next(session: &Session) -> Answer {
    let delivery = match session.next(Now::read()) {
        Ok(delivery) => delivery,
        Err(refusal) => return refused(refusal),
    };
    match delivery.await {
        Ok(delivery) => event(&delivery),
        // Its process is gone, so nobody reads this; and `next` is never answered with a 5xx, which runtimes take badly.
        Err(_) => empty(StatusCode::FORBIDDEN),
    }
}

fn event(delivery: &Delivery) -> Answer {
    let event = &delivery.event;
    let mut answer = Answer::new(Full::new(event.payload.clone()));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(DEADLINE, HeaderValue::from(delivery.deadline_unix_millis));
    let texts = [
        (REQUEST_ID, Some(event.request_id.as_str())),
        (FUNCTION_ARN, Some(event.function_arn.as_str())),
        (TRACE_ID, Some(event.trace_id.as_str())),
        (CLIENT_CONTEXT, event.client_context.as_deref()),
    ];
    for (name, text) in texts {
        if let Some(Ok(value)) = text.map(HeaderValue::from_str) {
            headers.insert(name, value);
        }
    }
    answer
}

async fn respond(
    session: &Session,
    request_id: &str,
    headers: &HeaderMap,
    body: Incoming,
) -> Answer {
    let call = RuntimeCall::Response { request_id };
    if let Err(refusal) = session.may_answer(call) {
        return refused(refusal);
    }
    if headers
        .get(RESPONSE_MODE)
        .is_some_and(|mode| !mode.as_bytes().eq_ignore_ascii_case(b"streaming"))
    {
        return error(
            StatusCode::BAD_REQUEST,
            "Invalid function response mode",
            "InvalidFunctionResponseMode",
        );
    }
    let Ok((body, trailers)) = read(body, RESPONSE_BYTES_MAX).await else {
        // Cut off by the runtime: it answers again, or its exit or the end of its time is the outcome.
        return empty(StatusCode::BAD_REQUEST);
    };
    match body {
        Some(_) if trailers.contains_key(&ERROR_TYPE) => {
            accepted(session.answer(call, Outcome::Error(late_error(&trailers))))
        }
        Some(body) => accepted(session.answer(call, Outcome::Response(body))),
        None => match session.answer(call, Outcome::ResponseTooLarge) {
            Ok(()) => error(
                StatusCode::PAYLOAD_TOO_LARGE,
                &format!("Exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes)."),
                "RequestEntityTooLarge",
            ),
            Err(refusal) => refused(refusal),
        },
    }
}

async fn fail(session: &Session, request_id: &str, body: Incoming) -> Answer {
    let call = RuntimeCall::Error { request_id };
    if let Err(refusal) = session.may_answer(call) {
        return refused(refusal);
    }
    match read(body, ERROR_BYTES_MAX).await {
        Ok((body, _)) => accepted(session.answer(call, Outcome::Error(body.unwrap_or_default()))),
        Err(_) => empty(StatusCode::BAD_REQUEST),
    }
}

async fn fail_init(session: &Session, headers: &HeaderMap, body: Incoming) -> Answer {
    let kind = headers
        .get(&ERROR_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or(UNKNOWN_ERROR)
        .to_owned();
    match read(body, ERROR_BYTES_MAX).await {
        Ok((body, _)) => accepted(session.init_error(body.unwrap_or_default(), kind)),
        Err(_) => empty(StatusCode::BAD_REQUEST),
    }
}

/// The whole body, or `None` when it is longer than `bytes_max`. All of it is read in either case, so that the runtime,
/// which writes before it reads, gets its answer; what is too long is not kept. And what came after it.
async fn read(
    mut body: Incoming,
    bytes_max: usize,
) -> Result<(Option<Bytes>, HeaderMap), hyper::Error> {
    let mut trailers = HeaderMap::new();
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut bytes = 0_usize;
    while let Some(frame) = body.frame().await {
        let data = match frame?.into_data() {
            Ok(data) => data,
            Err(other) => {
                trailers = other.into_trailers().unwrap_or_default();
                continue;
            }
        };
        bytes = bytes.saturating_add(data.len());
        if bytes > bytes_max {
            rest.clear();
        } else if first.is_empty() {
            // Nearly every answer comes in one piece, which is then not copied.
            first = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
    }
    let whole = (bytes <= bytes_max).then(|| {
        if rest.is_empty() {
            first
        } else {
            rest.freeze()
        }
    });
    Ok((whole, trailers))
}

/// The error of a runtime that failed while it streamed its answer: an object in base64.
fn late_error(trailers: &HeaderMap) -> Bytes {
    let value = |name| trailers.get(name).map_or(&b""[..], HeaderValue::as_bytes);
    let body = STANDARD.decode(value(ERROR_BODY)).unwrap_or_default();
    if body.is_empty() {
        let kind = String::from_utf8_lossy(value(ERROR_TYPE));
        return serde_json::json!({ "errorType": kind }).to_string().into();
    }
    body.into()
}

fn accepted(result: Result<(), Refusal>) -> Answer {
    match result {
        Ok(()) => json(
            StatusCode::ACCEPTED,
            Bytes::from_static(b"{\"status\":\"OK\"}\n"),
        ),
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: Refusal) -> Answer {
    let (status, body) = refusal.answer();
    json(status, Bytes::from(body))
}

fn error(status: StatusCode, message: &str, kind: &str) -> Answer {
    json(status, Bytes::from(error_body(message, kind)))
}

fn on(method: &Method, expected: Method, answer: impl FnOnce() -> Answer) -> Answer {
    if *method == expected {
        answer()
    } else {
        empty(StatusCode::METHOD_NOT_ALLOWED)
    }
}

fn not_found() -> Answer {
    plain(StatusCode::NOT_FOUND, "404 page not found\n")
}

fn json(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = Answer::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    answer
}

fn plain(status: StatusCode, body: &'static str) -> Answer {
    let mut answer = Answer::new(Full::new(Bytes::from_static(body.as_bytes())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    answer
}

fn empty(status: StatusCode) -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = status;
    answer
}
