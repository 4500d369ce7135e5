//! Errors for the caller: `application/problem+json` (RFC 9457), and how a handler's `?` becomes one.

use lambda_http::http::StatusCode;
use lambda_http::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use serde::Serialize;

use crate::{Error, Response};

/// An answer that says what is wrong with a request, as RFC 9457 writes it.
///
/// ```
/// # use dayspring::Problem;
/// # fn find() -> Option<u32> { None }
/// # fn example() -> dayspring::Result<u32> {
/// let id = find().ok_or_else(|| Problem::not_found("there is no such post"))?;
/// # Ok(id)
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// `about:blank`: the status says it all (RFC 9457, section 4.2.1).
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    /// What is wrong with which member of the body, as in RFC 9457's own example.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Invalid>,
}

/// One member of a body that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Invalid {
    /// Where: a JSON pointer as a URI fragment, such as `#/title`.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

impl Problem {
    /// A problem of any status.
    #[must_use]
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status,
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    /// 400: the request cannot be understood.
    #[must_use]
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 404: there is no such thing.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 409: it is at odds with what there is.
    #[must_use]
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// 422: understood, and its content is not acceptable.
    #[must_use]
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// As a response.
    #[must_use]
    pub fn into_response(self) -> Response {
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response = Response::new(body.into());
        *response.status_mut() = self.status;
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}

/// Collects everything that is wrong with a body, so that the caller hears it at once.
///
/// ```
/// # use dayspring::Checks;
/// # fn example(title: &str) -> dayspring::Result<()> {
/// let mut checks = Checks::default();
/// checks.require("title", !title.trim().is_empty(), "must not be empty");
/// checks.require("title", title.chars().count() <= 200, "must have at most 200 characters");
/// checks.finish()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Checks {
    errors: Vec<Invalid>,
}

impl Checks {
    /// Notes `detail` about a member of the body unless `holds`.
    pub fn require(&mut self, member: &str, holds: bool, detail: &str) {
        if !holds {
            self.errors.push(Invalid {
                pointer: format!("#/{member}"),
                detail: detail.to_owned(),
            });
        }
    }

    /// Nothing, or one [`Problem`] (422) with all that was noted.
    ///
    /// # Errors
    ///
    /// The problem.
    pub fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() {
            return Ok(());
        }
        let mut problem = Problem::unprocessable("the body has members that are not acceptable");
        problem.errors = self.errors;
        Err(problem)
    }
}

/// How a handler ends without an answer of its own. Made by `?`.
///
/// A [`Problem`] is for the caller and goes out as it is. Any other error is the function's own: it is logged, with its
/// help, and the caller gets a 500, or a 503 with `retry-after` when the database was not awake in time.
#[derive(Debug)]
pub struct Failure(Kind);

#[derive(Debug)]
enum Kind {
    Problem(Problem),
    Error(Box<dyn std::error::Error + Send + Sync>),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(Kind::Problem(problem))
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Kind::Error(Box::new(error)))
    }
}

/// After this many seconds a paused database has usually resumed (Aurora User Guide: about 15 s; read 2026-11-22).
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("15");

impl Failure {
    /// The response for the caller. The function's own errors are logged here.
    pub(crate) fn into_response(self) -> Response {
        let error = match self.0 {
            Kind::Problem(problem) => return problem.into_response(),
            Kind::Error(error) => error,
        };
        let own = error.downcast_ref::<Error>();
        let help = own.and_then(Error::help);
        tracing::error!(error = %error, help, "the handler failed");
        if own.is_some_and(Error::is_temporary) {
            let problem = Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "the database is not ready; try again",
            );
            let mut response = problem.into_response();
            response
                .headers_mut()
                .insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
            return response;
        }
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "").into_response()
    }
}

fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::Body;

    #[track_caller]
    fn text(response: &Response) -> &str {
        match response.body() {
            Body::Text(text) => text,
            other => panic!("not text: {other:?}"),
        }
    }

    #[test]
    fn a_problem_is_written_as_rfc_9457_says() {
        let response = Problem::not_found("there is no post `a`").into_response();
        assert_eq!(response.status(), 404);
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
        insta::assert_snapshot!(
            text(&response),
            @r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"there is no post `a`"}"#
        );
    }

    #[test]
    fn checks_tell_everything_that_is_wrong_at_once() {
        let mut checks = Checks::default();
        checks.require("title", false, "must not be empty");
        checks.require("body", true, "must not be empty");
        checks.require("slug", false, "must be lower case");
        let problem = checks.finish().unwrap_err();
        insta::assert_snapshot!(
            text(&problem.into_response()),
            @r##"{"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"the body has members that are not acceptable","errors":[{"pointer":"#/title","detail":"must not be empty"},{"pointer":"#/slug","detail":"must be lower case"}]}"##
        );
    }

    #[test]
    fn an_error_of_the_functions_own_tells_the_caller_nothing() {
        let error = Error::NoRow {
            statement: "SELECT secret".to_owned(),
        };
        let response = Failure::from(error).into_response();
        assert_eq!(response.status(), 500);
        assert!(!text(&response).contains("secret"));
    }

    #[test]
    fn a_database_that_is_still_resuming_is_a_503_with_retry_after() {
        let error = Error::Resuming {
            statement: "SELECT 1".to_owned(),
        };
        let response = Failure::from(error).into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "15");
    }
}
