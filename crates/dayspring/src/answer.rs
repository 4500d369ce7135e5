//! What a handler answers with when all went well. For the rest there is [`Problem`](crate::Problem).

use lambda_http::Request;
use lambda_http::http::StatusCode;
use lambda_http::http::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use serde::Serialize;

use crate::request::{percent_encoded, public_path};
use crate::{Body, Response};

/// 200 with a JSON body.
///
/// # Errors
///
/// If the value does not become JSON, such as a map whose keys are not text.
pub fn ok(value: &impl Serialize) -> Result<Response, serde_json::Error> {
    json(StatusCode::OK, value)
}

/// 201 with a JSON body and the new thing's `location`: the request's own path with `key` behind it.
///
/// # Errors
///
/// As [`ok`].
pub fn created(
    request: &Request,
    key: &str,
    value: &impl Serialize,
) -> Result<Response, serde_json::Error> {
    let mut response = json(StatusCode::CREATED, value)?;
    let path = public_path(request).trim_end_matches('/');
    let location = format!("{path}/{}", percent_encoded(key));
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// 204, with nothing.
#[must_use]
pub fn no_content() -> Response {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Any status with a JSON body.
///
/// # Errors
///
/// As [`ok`].
pub fn json(status: StatusCode, value: &impl Serialize) -> Result<Response, serde_json::Error> {
    let mut response = Response::new(serde_json::to_string(value)?.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
