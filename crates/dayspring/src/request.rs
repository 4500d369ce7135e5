//! What a handler reads from its request, checked: each function gives the value or the [`Problem`] to answer with.

use std::str::FromStr;

use lambda_http::http::StatusCode;
use lambda_http::http::header::CONTENT_TYPE;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::Problem;

/// The body, from JSON.
///
/// # Errors
///
/// 415 if the content type is not JSON, 400 if the body is not JSON, 422 if it is not a `T`.
pub fn json<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    let content_type = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !is_json(content_type) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be sent as `content-type: application/json`",
        ));
    }
    let body: &[u8] = match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        _ => b"",
    };
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data => Problem::unprocessable(format!("the body is not acceptable: {error}")),
        Category::Syntax | Category::Eof | Category::Io => {
            Problem::bad_request(format!("the body is not JSON: {error}"))
        }
    })
}

/// A parameter of the path (`posts/{slug}`), decoded: API Gateway gives it as it stands in the URL.
///
/// # Errors
///
/// 400 if it is not UTF-8 once decoded, 404 if the route has no such parameter.
pub fn path(request: &Request, name: &str) -> Result<String, Problem> {
    let parameters = request.path_parameters_ref();
    let raw = parameters
        .and_then(|parameters| parameters.first(name))
        .ok_or_else(|| Problem::not_found(""))?;
    percent_decoded(raw).ok_or_else(|| {
        Problem::bad_request(format!("`{name}` in the path is not percent-encoded UTF-8"))
    })
}

/// A parameter of the query string, or `None` if it is absent.
///
/// # Errors
///
/// 400 if it does not read as a `T`.
pub fn query<T: FromStr>(request: &Request, name: &str) -> Result<Option<T>, Problem> {
    let parameters = request.query_string_parameters_ref();
    let Some(text) = parameters.and_then(|parameters| parameters.first(name)) else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|_| Problem::bad_request(format!("`{name}` cannot be `{text}`")))
}

/// The path that the caller used, with the stage or the custom domain's prefix: what a `location` must begin with.
#[must_use]
pub fn public_path(request: &Request) -> &str {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => context.path.as_deref(),
        _ => None,
    }
    .unwrap_or_else(|| request.uri().path())
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// `%41` to `A`. `None` if a `%` has no two digits behind it or the result is not UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// A segment of a path: everything but RFC 3986's unreserved characters is encoded.
pub(crate) fn percent_encoded(segment: &str) -> String {
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::http;
    use std::collections::HashMap;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Body {
        n: u8,
    }

    #[track_caller]
    fn check_json(content_type: &str, body: &str, expected: Result<u8, u16>) {
        let request = http::Request::builder()
            .header("content-type", content_type)
            .body(lambda_http::Body::from(body))
            .unwrap();
        let found = json::<Body>(&request)
            .map(|body| body.n)
            .map_err(|problem| problem.status().as_u16());
        assert_eq!(found, expected);
    }

    #[test]
    fn a_body_is_refused_by_its_type_then_its_syntax_then_its_content() {
        check_json("application/json", r#"{"n":1}"#, Ok(1));
        check_json("Application/JSON; charset=utf-8", r#"{"n":1}"#, Ok(1));
        check_json("application/merge-patch+json", r#"{"n":1}"#, Ok(1));
        check_json("text/plain", r#"{"n":1}"#, Err(415));
        check_json("application/jsonp", r#"{"n":1}"#, Err(415));
        check_json("", r#"{"n":1}"#, Err(415));
        check_json("application/json", r#"{"n":"#, Err(400));
        check_json("application/json", "", Err(400));
        check_json("application/json", r#"{"n":"one"}"#, Err(422));
        check_json("application/json", r#"{"n":300}"#, Err(422));
        check_json("application/json", "{}", Err(422));
    }

    #[test]
    fn a_path_parameter_is_decoded_once() {
        let request = |slug: &str| {
            let parameters = HashMap::from([("slug".to_owned(), slug.to_owned())]);
            Request::default().with_path_parameters(parameters)
        };
        assert_eq!(
            path(&request("a%2Fb%2520%C3%A4+"), "slug"),
            Ok("a/b%20ä+".to_owned())
        );
        assert_eq!(path(&request("%zz"), "slug").unwrap_err().status(), 400);
        assert_eq!(path(&request("%FF"), "slug").unwrap_err().status(), 400);
        assert_eq!(path(&request("%"), "slug").unwrap_err().status(), 400);
        assert_eq!(path(&request("a"), "id").unwrap_err().status(), 404);
    }

    #[test]
    fn a_query_parameter_is_typed() {
        let parameters = HashMap::from([("limit".to_owned(), vec!["5".to_owned()])]);
        let request = Request::default().with_query_string_parameters(parameters);
        assert_eq!(query::<u32>(&request, "limit"), Ok(Some(5)));
        assert_eq!(query::<u32>(&request, "other"), Ok(None));
        assert_eq!(query::<bool>(&request, "limit").unwrap_err().status(), 400);
    }

    #[test]
    fn a_segment_survives_encoding_and_decoding() {
        let segment = "a b/ä%~";
        assert_eq!(percent_encoded(segment), "a%20b%2F%C3%A4%25~");
        assert_eq!(
            percent_decoded(&percent_encoded(segment)).as_deref(),
            Some(segment)
        );
    }
}
