//! The call of a function.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;

use super::signed::{Service, Signed, refusal};
use crate::error::Error;

/// A client for one region.
#[derive(Debug, Clone)]
pub(crate) struct Lambda(Signed);

/// What a function answered.
#[derive(Debug, Clone)]
pub(crate) struct Invoked {
    /// The answer, or the error's object.
    pub(crate) payload: Bytes,
    /// `Unhandled` and the like, where the function failed.
    pub(crate) function_error: Option<String>,
    /// The last 4 KiB of this call's log.
    pub(crate) log_tail: String,
}

impl Lambda {
    pub(super) fn new(signed: Signed) -> Self {
        Self(signed)
    }

    /// Calls a function and waits for its answer (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>).
    pub(crate) async fn invoke(&self, function: &str, payload: Bytes) -> Result<Invoked, Error> {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let request = Request::post(self.0.url(Service::Lambda, &path))
            .header("content-type", "application/json")
            .header("x-amz-invocation-type", "RequestResponse")
            .header("x-amz-log-type", "Tail")
            .body(payload);
        let answer = self.0.send(Service::Lambda, "Invoke", request).await?;
        if !answer.status().is_success() {
            return Err(refusal(Service::Lambda, "Invoke", &answer));
        }
        let header = |name: &str| {
            let value = answer.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let log_tail = header("x-amz-log-result")
            .and_then(|tail| STANDARD.decode(tail).ok())
            .unwrap_or_default();
        Ok(Invoked {
            function_error: header("x-amz-function-error"),
            log_tail: String::from_utf8_lossy(&log_tail).into_owned(),
            payload: answer.into_body(),
        })
    }
}
