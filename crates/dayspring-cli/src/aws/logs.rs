//! The events of log groups.

use bytes::Bytes;
use http::Request;
use serde::{Deserialize, Serialize};

use super::signed::{Service, Signed, refusal};
use crate::error::Error;

/// A client for one region.
#[derive(Debug, Clone)]
pub(crate) struct Logs(Signed);

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogEvent {
    pub(crate) event_id: String,
    pub(crate) log_stream_name: String,
    /// In milliseconds since 1970.
    pub(crate) timestamp: u64,
    pub(crate) message: String,
}

/// A page of events and the token of the next one.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    events: Vec<LogEvent>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Filter<'a> {
    log_group_name: &'a str,
    start_time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

const OPERATION: &str = "FilterLogEvents";

impl Logs {
    pub(super) fn new(signed: Signed) -> Self {
        Self(signed)
    }

    /// The events of a group since `start`, in milliseconds since 1970, oldest first; none where there is no such group
    /// (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>).
    pub(crate) async fn events(&self, group: &str, start: u64) -> Result<Vec<LogEvent>, Error> {
        let mut events = Vec::new();
        let mut next_token = None;
        loop {
            let filter = Filter {
                log_group_name: group,
                start_time: start,
                next_token,
            };
            let page = match self.page(&filter).await {
                Ok(page) => page,
                Err(Error::Refused { kind, .. }) if kind == "ResourceNotFoundException" => {
                    return Ok(events);
                }
                Err(error) => return Err(error),
            };
            events.extend(page.events);
            // A page may be empty and not be the last one.
            next_token = page.next_token;
            if next_token.is_none() {
                return Ok(events);
            }
        }
    }

    async fn page(&self, filter: &Filter<'_>) -> Result<Page, Error> {
        let body = serde_json::to_vec(filter).expect("texts and numbers are JSON");
        let request = Request::post(self.0.url(Service::Logs, "/"))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("Logs_20140328.{OPERATION}"))
            .body(Bytes::from(body));
        let answer = self.0.send(Service::Logs, OPERATION, request).await?;
        if !answer.status().is_success() {
            return Err(refusal(Service::Logs, OPERATION, &answer));
        }
        serde_json::from_slice(answer.body()).map_err(|_| Error::Answer {
            what: "the events of a log",
        })
    }
}
