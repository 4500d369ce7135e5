//! The answer to CloudFormation: one PUT to the pre-signed URL that came with the request.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Full;
use serde::Serialize;
use tokio::time::Instant;

use super::event::ResourceRequest;
use crate::Error;
use crate::http::{Http, SendError, host_header};

/// CloudFormation refuses a longer answer
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html>, read 2026-11-22).
const ANSWER_BYTES_MAX: usize = 4096;

/// A report is one line for an output of the stack; this is far more than any has.
const REPORT_CHARACTERS_MAX: usize = 500;

const ATTEMPTS_MAX: u32 = 5;
const ATTEMPT_WAIT: Duration = Duration::from_secs(5);

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is as asked; the data are for the template's outputs.
    Success(Option<Data>),
    /// It is not. The reason is what CloudFormation shows: several lines, with the place and the way out.
    Failed { reason: String },
}

/// What the template can read with `Fn::GetAtt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Data {
    /// One line for a reader.
    pub(crate) report: String,
    /// The highest script number that is applied.
    pub(crate) version: u64,
    /// Statements that this run applied.
    pub(crate) applied: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    physical_resource_id: String,
    stack_id: &'a str,
    request_id: &'a str,
    logical_resource_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data>,
}

/// The body of the answer, of at most 4096 bytes: a reason that is too long loses its end.
pub(crate) fn render(request: &ResourceRequest, outcome: &Outcome) -> String {
    let (status, reason, data) = match outcome {
        Outcome::Success(data) => ("SUCCESS", None, data.clone().map(short_report)),
        Outcome::Failed { reason } => ("FAILED", Some(reason.as_str()), None),
    };
    let mut answer = Answer {
        status,
        reason,
        physical_resource_id: request.answered_physical_resource_id(),
        stack_id: &request.stack_id,
        request_id: &request.request_id,
        logical_resource_id: &request.logical_resource_id,
        data,
    };
    let text = to_json(&answer);
    let (Some(reason), true) = (reason, text.len() > ANSWER_BYTES_MAX) else {
        return text;
    };
    answer.reason = Some("...");
    let room = ANSWER_BYTES_MAX.saturating_sub(to_json(&answer).len());
    let cut = format!("{}...", cut_to_json_bytes(reason, room));
    answer.reason = Some(&cut);
    to_json(&answer)
}

/// Sends the answer, again if need be, until CloudFormation has taken it or the time is up. A second PUT writes the same
/// object, so nothing is doubtful here.
pub(crate) async fn deliver(url: &str, body: String, until: Option<Instant>) -> Result<(), Error> {
    let not_delivered = |message: String| Error::AnswerNotDelivered { message };
    let uri: Uri = url
        .parse()
        .map_err(|error| not_delivered(format!("ResponseURL is not a URL: {error}")))?;
    let http = Http::new(uri.clone());
    let body = Bytes::from(body);
    let mut attempt = 1;
    loop {
        let problem = match put(&http, &uri, body.clone()).await {
            Ok(()) => return Ok(()),
            Err(problem) => problem,
        };
        let pause = Duration::from_millis(250 << attempt);
        let late = until.is_some_and(|until| Instant::now() + pause >= until);
        if attempt == ATTEMPTS_MAX || late {
            return Err(not_delivered(problem));
        }
        tracing::warn!(
            attempt,
            problem,
            "CloudFormation did not take the answer yet"
        );
        tokio::time::sleep(pause).await;
        attempt += 1;
    }
}

async fn put(http: &Http, uri: &Uri, body: Bytes) -> Result<(), String> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    // The URL was signed for an empty content type.
    let request = Request::put(path)
        .header("host", host_header(uri))
        .header("content-type", "")
        .body(Full::new(body))
        .map_err(|error| error.to_string())?;
    match http.send(request, ATTEMPT_WAIT).await {
        Ok(answer) if answer.status.is_success() => Ok(()),
        Ok(answer) => Err(format!(
            "status {}: {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
                .chars()
                .take(300)
                .collect::<String>()
        )),
        Err(SendError::NotSent(message) | SendError::Lost(message)) => Err(message),
    }
}

fn short_report(mut data: Data) -> Data {
    if let Some((end, _)) = data.report.char_indices().nth(REPORT_CHARACTERS_MAX) {
        data.report.truncate(end);
        data.report.push_str("...");
    }
    data
}

/// The longest beginning of a text that takes no more than `room` bytes inside a JSON string.
fn cut_to_json_bytes(text: &str, room: usize) -> &str {
    let mut used = 0;
    for (start, character) in text.char_indices() {
        used += match character {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            character if character < ' ' => 6,
            character => character.len_utf8(),
        };
        if used > room {
            return &text[..start];
        }
    }
    text
}

fn to_json(answer: &Answer<'_>) -> String {
    serde_json::to_string(answer).expect("text and numbers always become JSON")
}

#[cfg(test)]
mod tests {
    use super::super::event::tests::request;
    use super::*;

    #[test]
    fn a_success_carries_the_data_of_the_outputs() {
        let outcome = Outcome::Success(Some(Data {
            report: "3 statements applied, schema at v4".to_owned(),
            version: 4,
            applied: 3,
        }));
        insta::assert_snapshot!(
            render(&request("Create"), &outcome),
            @r#"{"Status":"SUCCESS","PhysicalResourceId":"dayspring-migration-blog","StackId":"arn:aws:cloudformation:eu-central-1:123456789012:stack/blog-dev/6c1d7c50","RequestId":"0b1c","LogicalResourceId":"Migration","Data":{"Report":"3 statements applied, schema at v4","Version":4,"Applied":3}}"#
        );
    }

    #[test]
    fn a_delete_succeeds_without_data() {
        insta::assert_snapshot!(
            render(&request("Delete"), &Outcome::Success(None)),
            @r#"{"Status":"SUCCESS","PhysicalResourceId":"dayspring-migration-blog","StackId":"arn:aws:cloudformation:eu-central-1:123456789012:stack/blog-dev/6c1d7c50","RequestId":"0b1c","LogicalResourceId":"Migration"}"#
        );
    }

    #[test]
    fn a_failure_carries_its_reason_line_by_line() {
        let outcome = Outcome::Failed {
            reason: "error: a\n --> scripts/schema/v3.sql:12:1".to_owned(),
        };
        insta::assert_snapshot!(
            render(&request("Update"), &outcome),
            @r#"{"Status":"FAILED","Reason":"error: a\n --> scripts/schema/v3.sql:12:1","PhysicalResourceId":"dayspring-migration-blog","StackId":"arn:aws:cloudformation:eu-central-1:123456789012:stack/blog-dev/6c1d7c50","RequestId":"0b1c","LogicalResourceId":"Migration"}"#
        );
    }

    #[test]
    fn an_answer_never_exceeds_4096_bytes_whatever_the_reason_is_made_of() {
        for piece in ["a", "ä", "\"", "\n", "\u{1}", "\u{1f600}", "\u{7f}"] {
            let outcome = Outcome::Failed {
                reason: piece.repeat(5000),
            };
            let body = render(&request("Create"), &outcome);
            assert!(body.len() <= 4096, "{piece:?}: {}", body.len());
            assert!(body.len() > 4096 - 8, "{piece:?}: {}", body.len());
            let value: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert!(value["Reason"].as_str().unwrap().ends_with("..."));
        }
    }
}
