//! REST with JSON (Lambda, RDS Data API): an error's kind is in a header.

use serde_json::json;

use crate::error::AwsError;
use crate::http::{self, Answer};

/// An error of a REST service with JSON bodies.
pub(crate) fn error(error: &AwsError) -> Answer {
    let body = json!({ "message": error.message });
    let mut answer = http::answer(error.status, "application/json", body.to_string());
    if let Ok(kind) = error.kind.parse() {
        answer.headers_mut().insert("x-amzn-errortype", kind);
    }
    answer
}
