//! Calls of the Data API: signed, sent, understood, and repeated as [`retry`](super::retry) decides.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::Full;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::retry::{CallError, Decision, Effect, ServiceError, after};
use super::settings::Settings;
use crate::http::{Answer, Http, SendError, host_header};

/// The Data API answers a timeout of its own after 45 s (Aurora User Guide, "Calling the Data API", read 2026-11-22); a
/// client that hangs up sooner turns that answer into doubt.
pub(crate) const ANSWER_WAIT: Duration = Duration::from_secs(60);

/// One client for a process: it owns the connections.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) settings: Settings,
    http: Http,
    /// Rollbacks of transactions that were dropped unfinished. [`settle`](Self::settle) waits for them.
    rollbacks: Mutex<Vec<JoinHandle<()>>>,
}

/// An operation of the Data API, by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Execute,
    BatchExecute,
    Begin,
    Commit,
    Rollback,
}

impl Operation {
    const fn path(self) -> &'static str {
        match self {
            Self::Execute => "/Execute",
            Self::BatchExecute => "/BatchExecute",
            Self::Begin => "/BeginTransaction",
            Self::Commit => "/CommitTransaction",
            Self::Rollback => "/RollbackTransaction",
        }
    }
}

/// How a call ended that did not succeed, after all that could be tried was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallFailure {
    pub(crate) error: CallError,
    /// It may have had its effect.
    pub(crate) doubtful: bool,
}

impl Client {
    pub(crate) fn new(settings: Settings) -> Self {
        let http = Http::new(settings.endpoint.clone());
        Self {
            settings,
            http,
            rollbacks: Mutex::new(Vec::new()),
        }
    }

    /// Opens a connection, TLS handshake included, for the first call to find.
    pub(crate) async fn connect_ahead(&self, wait: Duration) -> Result<(), SendError> {
        self.http.connect_ahead(wait).await
    }

    /// Calls an operation until it succeeds or nothing more may be tried. `until` is the caller's deadline.
    pub(crate) async fn call<R: DeserializeOwned>(
        &self,
        operation: Operation,
        input: &impl Serialize,
        effect: Effect,
        until: Option<Instant>,
    ) -> Result<R, CallFailure> {
        self.call_dated(operation, input, effect, until, None).await
    }

    /// The same with a date of its own in the signature. AWS refuses a request that comes more than five minutes after
    /// the date in its signature, so an early date bounds how late a request can still be taken.
    pub(crate) async fn call_dated<R: DeserializeOwned>(
        &self,
        operation: Operation,
        input: &impl Serialize,
        effect: Effect,
        until: Option<Instant>,
        date: Option<SystemTime>,
    ) -> Result<R, CallFailure> {
        let body = match serde_json::to_vec(input) {
            Ok(body) => Bytes::from(body),
            Err(error) => {
                return Err(CallFailure {
                    error: CallError::NotSent(format!("the call does not become JSON: {error}")),
                    doubtful: false,
                });
            }
        };
        let mut attempt = 1;
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let error = match self.attempt(operation, body.clone(), left, date).await {
                Ok(result) => return Ok(result),
                Err(error) => error,
            };
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            match after(&error, effect, attempt, left) {
                Decision::Retry(pause) => {
                    tracing::debug!(attempt, pause_ms = pause.as_millis(), ?error, "retrying");
                    tokio::time::sleep(pause).await;
                    attempt += 1;
                }
                decision @ (Decision::GiveUp | Decision::Doubtful) => {
                    return Err(CallFailure {
                        error,
                        doubtful: decision == Decision::Doubtful,
                    });
                }
            }
        }
    }

    /// Gives a rollback that runs by itself an owner.
    pub(crate) fn watch(&self, rollback: JoinHandle<()>) {
        self.rollbacks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(rollback);
    }

    /// Waits for the rollbacks of dropped transactions, because Lambda freezes the process after its answer.
    pub(crate) async fn settle(&self) {
        let rollbacks = std::mem::take(
            &mut *self
                .rollbacks
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for rollback in rollbacks {
            if let Err(error) = rollback.await {
                tracing::warn!(%error, "the rollback of a dropped transaction ended early");
            }
        }
    }

    async fn attempt<R: DeserializeOwned>(
        &self,
        operation: Operation,
        body: Bytes,
        left: Option<Duration>,
        date: Option<SystemTime>,
    ) -> Result<R, CallError> {
        let wait = left.unwrap_or(ANSWER_WAIT).min(ANSWER_WAIT);
        let request = self
            .signed(operation, body, date.unwrap_or_else(SystemTime::now))
            .map_err(|problem| {
                CallError::NotSent(format!("the call cannot be signed: {problem}"))
            })?;
        let answer = self
            .http
            .send(request, wait)
            .await
            .map_err(|error| match error {
                SendError::NotSent(message) => CallError::NotSent(message),
                SendError::Lost(message) => CallError::Lost(message),
            })?;
        parse_answer(&answer)
    }

    fn signed(
        &self,
        operation: Operation,
        body: Bytes,
        now: SystemTime,
    ) -> Result<Request<Full<Bytes>>, String> {
        const CONTENT_TYPE: (&str, &str) = ("content-type", "application/json");
        let url = self.settings.url(operation.path());
        let signature = self
            .settings
            .signer
            .headers("POST", &url, &[CONTENT_TYPE], &body, now)?;
        let path = self.settings.endpoint.path().trim_end_matches('/');
        let mut request = Request::post(format!("{path}{}", operation.path()))
            .header("host", host_header(self.http.origin()))
            .header(CONTENT_TYPE.0, CONTENT_TYPE.1);
        for (name, value) in signature {
            request = request.header(name, value);
        }
        request
            .body(Full::new(body))
            .map_err(|error| error.to_string())
    }
}

fn parse_answer<R: DeserializeOwned>(answer: &Answer) -> Result<R, CallError> {
    if answer.status.is_success() {
        return serde_json::from_slice(&answer.body)
            .map_err(|error| CallError::Unreadable(format!("the answer cannot be read: {error}")));
    }
    Err(CallError::Answered(parse_error(
        answer.status.as_u16(),
        &answer.headers,
        &answer.body,
    )))
}

/// An error answer of the REST-JSON protocol: the kind is in `x-amzn-ErrorType` (up to a colon) or in the body's `__type`
/// (behind a `#`). <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization>
fn parse_error(status: u16, headers: &HeaderMap, body: &[u8]) -> ServiceError {
    let body: super::wire::ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    let kind = headers
        .get("x-amzn-errortype")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
        .or(body.kind)
        .unwrap_or_else(|| format!("HTTP {status}"));
    let kind = kind.split(':').next().unwrap_or_default();
    let kind = kind.rsplit('#').next().unwrap_or_default();
    ServiceError {
        status,
        kind: kind.to_owned(),
        message: body.message.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: Option<&'static str>, body: &str, kind: &str, message: &str) {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert("x-amzn-errortype", header.parse().unwrap());
        }
        let error = parse_error(400, &headers, body.as_bytes());
        assert_eq!(
            (error.kind.as_str(), error.message.as_str()),
            (kind, message)
        );
    }

    #[test]
    fn the_kind_of_an_error_is_in_a_header_or_in_the_body() {
        check(
            Some("DatabaseErrorException:http://internal.amazon.com/coral/"),
            r#"{"message":"m"}"#,
            "DatabaseErrorException",
            "m",
        );
        check(
            None,
            r#"{"__type":"com.amazonaws.rdsdata#ForbiddenException","Message":"m"}"#,
            "ForbiddenException",
            "m",
        );
        check(None, "<html>", "HTTP 400", "");
    }
}
