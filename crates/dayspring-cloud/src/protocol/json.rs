//! JSON 1.1 (SSM, Secrets Manager, Logs): the operation in `X-Amz-Target`, JSON in and out.

use serde_json::{Map, Value, json};

use crate::error::AwsError;
use crate::http::{self, Answer, Call};

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// The operation that `X-Amz-Target` names, without the service before the dot.
pub(crate) fn operation(call: &Call) -> &str {
    let target = http::header(&call.parts, "x-amz-target").unwrap_or_default();
    target.rsplit_once('.').map_or(target, |(_, name)| name)
}

/// The input of an operation.
#[derive(Debug)]
pub(crate) struct Input {
    members: Map<String, Value>,
}

impl Input {
    pub(crate) fn parse(call: &Call) -> Result<Self, AwsError> {
        if call.body.is_empty() {
            return Ok(Self {
                members: Map::new(),
            });
        }
        serde_json::from_slice(&call.body)
            .map(|members| Self { members })
            .map_err(|error| AwsError::bad_request("SerializationException", error.to_string()))
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    /// The text, or the error that AWS answers a missing member with.
    pub(crate) fn require(&self, name: &str) -> Result<&str, AwsError> {
        self.text(name).ok_or_else(|| {
            AwsError::validation(
                "ValidationException",
                format!(
                    "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
                ),
            )
        })
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.members.get(name).and_then(Value::as_u64)
    }

    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.members.get(name).and_then(Value::as_bool) == Some(true)
    }

    pub(crate) fn list(&self, name: &str) -> &[Value] {
        self.members
            .get(name)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// The texts of a list.
    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        self.list(name).iter().filter_map(Value::as_str).collect()
    }
}

/// Writes what an operation came to.
pub(crate) fn respond(result: Result<Value, AwsError>) -> Answer {
    match result {
        Ok(value) => http::answer(::http::StatusCode::OK, CONTENT_TYPE, value.to_string()),
        Err(error) => self::error(&error),
    }
}

/// An error of a JSON 1.1 service.
pub(crate) fn error(error: &AwsError) -> Answer {
    let body = json!({ "__type": error.kind, "message": error.message });
    let mut answer = http::answer(error.status, CONTENT_TYPE, body.to_string());
    if let Ok(kind) = error.kind.parse() {
        answer.headers_mut().insert("x-amzn-errortype", kind);
    }
    answer
}

/// What AWS says of an operation that a service does not have.
pub(crate) fn unknown_operation(operation: &str) -> AwsError {
    AwsError::bad_request(
        "UnknownOperationException",
        format!("this cloud does not have the operation `{operation}`"),
    )
}
