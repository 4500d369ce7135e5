//! An error as an AWS service answers it. Each protocol writes it in its own form.

use ::http::StatusCode;

/// What a service refuses with: the HTTP status, the error's kind as AWS names it, and the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub(crate) struct AwsError {
    pub(crate) status: StatusCode,
    pub(crate) kind: String,
    pub(crate) message: String,
}

impl AwsError {
    pub(crate) fn new(status: StatusCode, kind: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind: kind.to_owned(),
            message: message.into(),
        }
    }

    /// A 400 of the given kind.
    pub(crate) fn bad_request(kind: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, kind, message)
    }

    /// A 400 `ValidationError` / `ValidationException`, as the services name it.
    pub(crate) fn validation(kind: &str, message: impl Into<String>) -> Self {
        Self::bad_request(kind, message)
    }
}

impl From<crate::state::StateError> for AwsError {
    /// The service cannot keep what it was asked to keep: AWS's word for a failure of its own.
    fn from(error: crate::state::StateError) -> Self {
        let cause = std::error::Error::source(&error)
            .map_or_else(String::new, |source| format!(": {source}"));
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalFailure",
            format!("{error}{cause}"),
        )
    }
}
