//! A migration may take longer than one invocation may run: a migrator that nears its end invokes a fresh one of itself,
//! which carries on from the journal. CloudFormation waits for an answer meanwhile, up to an hour.
//!
//! The invocation is asynchronous, with the event as it came and one key more. Lambda may run it twice; the lease sees to
//! it that only one of them works.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use dayspring_migrate::Quiet;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use super::aws::Service;
use super::event::Properties;
use crate::Error;
use crate::database::Settings;

/// The key that is added to the event.
const KEY: &str = "DayspringHandOver";

/// CloudFormation's longest wait, and what it waits where the template does not say
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html>,
/// read 2026-11-23).
const SERVICE_TIMEOUT: Duration = Duration::from_secs(3600);

/// What is kept of CloudFormation's wait for the answer; of a short one, a quarter.
const TIME_TO_ANSWER: Duration = Duration::from_secs(60);

/// Far more than an hour needs; it ends a chain that no clock ends.
const NUMBER_MAX: u32 = 1000;

/// How far a migration has been handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HandOver {
    /// How often, so far.
    pub(crate) number: u32,
    /// When CloudFormation stops to wait, with time for the answer, in seconds since 1970.
    pub(crate) until: u64,
    /// Statements that the invocations before this one applied: the report is of the whole migration. An event of a
    /// release that did not count says nothing.
    #[serde(default)]
    pub(crate) applied: usize,
    /// What they saw of the quiet after a lost answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) quiet: Option<QuietSoFar>,
}

/// [`Quiet`] in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct QuietSoFar {
    token: i64,
    milliseconds: u64,
}

impl From<Quiet> for QuietSoFar {
    fn from(quiet: Quiet) -> Self {
        Self {
            token: quiet.token,
            milliseconds: u64::try_from(quiet.lasted.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl From<QuietSoFar> for Quiet {
    fn from(quiet: QuietSoFar) -> Self {
        Self {
            token: quiet.token,
            lasted: Duration::from_millis(quiet.milliseconds),
        }
    }
}

/// What an invocation leaves to the next one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left {
    /// Statements that were applied so far.
    pub(crate) applied: usize,
    pub(crate) quiet: Option<Quiet>,
}

impl HandOver {
    /// What the event says, or the beginning.
    pub(crate) fn of(event: &Value, properties: &Properties, now: SystemTime) -> Self {
        let handed_over = event.get(KEY).cloned().map(serde_json::from_value);
        if let Some(Ok(handed_over)) = handed_over {
            return handed_over;
        }
        let wait = properties
            .service_timeout
            .as_ref()
            .and_then(seconds)
            .map_or(SERVICE_TIMEOUT, Duration::from_secs);
        let until = since_1970(now) + (wait - TIME_TO_ANSWER.min(wait / 4));
        Self {
            number: 0,
            until: until.as_secs(),
            applied: 0,
            quiet: None,
        }
    }

    /// The event for the next invocation; nothing where CloudFormation would not wait for it.
    pub(crate) fn next_event(self, event: &Value, left: Left, now: SystemTime) -> Option<Value> {
        if since_1970(now).as_secs() >= self.until || self.number >= NUMBER_MAX {
            return None;
        }
        let mut event = event.clone();
        event[KEY] = serde_json::to_value(Self {
            number: self.number + 1,
            applied: left.applied,
            quiet: left.quiet.map(QuietSoFar::from),
            ..self
        })
        .ok()?;
        Some(event)
    }
}

fn since_1970(now: SystemTime) -> Duration {
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// CloudFormation hands numbers over as texts.
fn seconds(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    }
}

/// How a migrator invokes itself.
#[derive(Debug)]
pub(crate) struct Invoker {
    function: String,
    lambda: Service,
}

impl Invoker {
    /// The function that runs this process, if a function does.
    pub(crate) fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
        settings: &Settings,
    ) -> Result<Option<Self>, Error> {
        let Some(function) = variable("AWS_LAMBDA_FUNCTION_NAME").filter(|name| !name.is_empty())
        else {
            return Ok(None);
        };
        let lambda = Service::new("lambda", "AWS_ENDPOINT_URL_LAMBDA", variable, settings)?;
        Ok(Some(Self { function, lambda }))
    }

    /// Invokes the function, without waiting for its end. A second invocation that was not needed finds the lease taken
    /// or nothing to do. <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>
    pub(crate) async fn invoke(&self, event: &Value, until: Option<Instant>) -> Result<(), String> {
        const HEADERS: [(&str, &str); 2] = [
            ("content-type", "application/json"),
            ("x-amz-invocation-type", "Event"),
        ];
        let path = format!("/2015-03-31/functions/{}/invocations", self.function);
        let body = Bytes::from(event.to_string());
        self.lambda.post(&path, &HEADERS, body, until).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::tests::{event, request};
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn hand_overs_are_counted_until_cloudformation_stops_to_wait() {
        let properties = request("Create").resource_properties;
        let first = HandOver::of(&event("Create"), &properties, at(1000));
        assert_eq!(
            first,
            HandOver {
                number: 0,
                until: 1000 + 3600 - 60,
                applied: 0,
                quiet: None,
            }
        );
        let left = |applied, quiet| Left { applied, quiet };
        let quiet = Quiet {
            token: 8,
            lasted: Duration::from_millis(7500),
        };
        let second_event = first
            .next_event(&event("Create"), left(3, Some(quiet)), at(1900))
            .unwrap();
        assert_eq!(second_event["RequestId"], event("Create")["RequestId"]);
        let second = HandOver::of(&second_event, &properties, at(1901));
        assert_eq!((second.number, second.until), (1, first.until));
        assert_eq!(second.applied, 3);
        assert_eq!(second.quiet.map(Quiet::from), Some(quiet));
        let third_event = second
            .next_event(&second_event, left(7, None), at(1902))
            .unwrap();
        let third = HandOver::of(&third_event, &properties, at(1903));
        assert_eq!((third.number, third.applied, third.quiet), (2, 7, None));
        assert_eq!(
            second.next_event(&second_event, left(0, None), at(first.until)),
            None
        );
    }

    #[test]
    fn a_short_wait_keeps_a_quarter_for_the_answer() {
        let mut properties = request("Create").resource_properties;
        properties.service_timeout = Some("40".into());
        let hand_over = HandOver::of(&event("Create"), &properties, at(0));
        assert_eq!(hand_over.until, 30);
    }
}
