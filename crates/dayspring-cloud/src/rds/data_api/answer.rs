//! How outcomes and faults are written: REST-JSON with the error's kind in a header.

use ::http::{HeaderValue, Response, StatusCode};
use bytes::Bytes;
use http_body_util::Full;
use serde_json::json;

use super::column::ColumnMetadata;
use super::execute::{Form, Outcome, RESPONSE_BYTES_MAX};
use super::fault::Fault;
use super::field::write_json;
use crate::http::Answer;

/// The answer to `ExecuteStatement`. Formatted records go without metadata, even where it was asked for.
pub(super) fn execute(
    outcome: Outcome,
    form: Form,
    metadata: Option<&[ColumnMetadata]>,
) -> Vec<u8> {
    match (outcome, form) {
        (Outcome::Rows { json, .. }, Form::Records) => {
            let mut body = Vec::with_capacity(json.len() + 64);
            body.push(b'{');
            if let Some(metadata) = metadata {
                body.extend(b"\"columnMetadata\":");
                write_json(&mut body, metadata);
                body.push(b',');
            }
            body.extend(b"\"numberOfRecordsUpdated\":0,\"records\":");
            body.extend(json);
            body.push(b'}');
            body
        }
        (Outcome::Rows { json, .. }, Form::Json) => {
            let mut body = b"{\"formattedRecords\":".to_vec();
            write_json(&mut body, &*String::from_utf8_lossy(&json));
            body.extend(b",\"numberOfRecordsUpdated\":0}");
            body
        }
        (Outcome::Changed { rows, insert_id }, _) => {
            let mut body = b"{\"generatedFields\":".to_vec();
            write_generated(&mut body, insert_id);
            body.extend(format!(",\"numberOfRecordsUpdated\":{rows}}}").bytes());
            body
        }
    }
}

/// The answer to `BatchExecuteStatement`: one result for each set.
pub(super) fn batch(outcomes: &[Outcome]) -> Vec<u8> {
    let mut body = b"{\"updateResults\":[".to_vec();
    for (index, outcome) in outcomes.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend(b"{\"generatedFields\":");
        match outcome {
            Outcome::Changed { insert_id, .. } => write_generated(&mut body, *insert_id),
            Outcome::Rows { .. } => body.extend(b"[]"),
        }
        body.push(b'}');
    }
    body.extend(b"]}");
    body
}

/// Checks that the answer to a batch is not longer than an answer may be.
pub(super) fn check_batch(outcomes: &[Outcome]) -> Result<(), Fault> {
    if batch_bytes(outcomes) > RESPONSE_BYTES_MAX {
        return Err(Fault::batch_too_large());
    }
    Ok(())
}

/// How long the results of a batch are, each with a comma.
fn batch_bytes(outcomes: &[Outcome]) -> usize {
    outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Changed {
                insert_id: Some(id),
                ..
            } => r#"{"generatedFields":[{"longValue":}]},"#.len() + 1 + digits_after_first(*id),
            _ => r#"{"generatedFields":[]},"#.len(),
        })
        .sum()
}

fn digits_after_first(number: u64) -> usize {
    number.checked_ilog10().map_or(0, |digits| digits as usize)
}

/// `[{"longValue":n}]`, or nothing where no key was generated. A key that `longValue` cannot hold goes out as text.
fn write_generated(body: &mut Vec<u8>, insert_id: Option<u64>) {
    let text = match insert_id {
        None => "[]".to_owned(),
        Some(id) if i64::try_from(id).is_ok() => format!("[{{\"longValue\":{id}}}]"),
        Some(id) => format!("[{{\"stringValue\":\"{id}\"}}]"),
    };
    body.extend(text.bytes());
}

pub(super) fn success(body: Vec<u8>) -> Answer {
    answer(StatusCode::OK, body)
}

pub(super) fn refusal(fault: &Fault) -> Answer {
    let mut body = json!({ "message": fault.error.message });
    if let Some(id) = fault.db_connection_id {
        body["dbConnectionId"] = id.into();
    }
    let mut answer = answer(fault.error.status, body.to_string().into_bytes());
    if let Ok(kind) = HeaderValue::from_str(&fault.error.kind) {
        answer.headers_mut().insert("x-amzn-errortype", kind);
    }
    answer
}

fn answer(status: StatusCode, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(
        ::http::header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_answers_with_its_key_and_its_count() {
        let changed = |insert_id| Outcome::Changed { rows: 1, insert_id };
        let text = |body| String::from_utf8(body).unwrap();
        assert_eq!(
            text(execute(changed(Some(315)), Form::Records, None)),
            r#"{"generatedFields":[{"longValue":315}],"numberOfRecordsUpdated":1}"#
        );
        assert_eq!(
            text(batch(&[changed(Some(1)), changed(None)])),
            r#"{"updateResults":[{"generatedFields":[{"longValue":1}]},{"generatedFields":[]}]}"#
        );
        assert_eq!(text(batch(&[])), r#"{"updateResults":[]}"#);
        let outcomes = [changed(Some(99)), changed(Some(100)), changed(None)];
        assert_eq!(
            batch(&outcomes).len(),
            batch_bytes(&outcomes) - 1 + r#"{"updateResults":[]}"#.len()
        );
    }

    #[test]
    fn a_batch_s_answer_is_at_most_a_mebibyte() {
        let outcomes = |count| {
            (0..count)
                .map(|id| Outcome::Changed {
                    rows: 1,
                    insert_id: Some(1_000_000 + id),
                })
                .collect::<Vec<_>>()
        };
        // 44 bytes each.
        assert_eq!(check_batch(&outcomes(23_800)), Ok(()));
        assert_eq!(
            check_batch(&outcomes(23_900)),
            Err(Fault::batch_too_large())
        );
    }

    #[test]
    fn a_timeout_tells_the_connection() {
        let answer = refusal(&Fault::statement_timeout(7));
        assert_eq!(answer.status(), 400);
        assert_eq!(
            answer.headers()["x-amzn-errortype"],
            "StatementTimeoutException"
        );
    }
}
