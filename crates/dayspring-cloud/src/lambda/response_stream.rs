//! `InvokeWithResponseStream`: the answer as a stream of events.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html>. A message of the stream is its
//! length, the length of its headers, a check of both, the headers, the payload and a check of it all:
//! <https://smithy.io/2.0/aws/amazon-eventstream.html> (read 2026-11-23). The messages are written when the function has
//! answered; a runtime's streamed answer was collected until then.

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Map, Value};

use super::Invocation;

pub(super) const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// Of one `PayloadChunk`. Clients take far longer messages.
const CHUNK_BYTES_MAX: usize = 64 * 1024;

/// A header's value is a text: the number of that type.
const TEXT: u8 = 7;

/// The events of an invocation. `log_result` is the tail of its log, where the caller asked for it.
pub(super) fn render(invocation: &Invocation, log_result: Option<String>) -> Bytes {
    let mut stream = BytesMut::new();
    let mut complete = Map::new();
    if invocation.function_error.is_some() {
        let error: Value = serde_json::from_slice(&invocation.payload).unwrap_or_default();
        let code = error["errorType"].as_str().unwrap_or("Unhandled");
        let details = String::from_utf8_lossy(&invocation.payload);
        complete.insert("ErrorCode".to_owned(), code.into());
        complete.insert("ErrorDetails".to_owned(), details.into());
    } else {
        for chunk in invocation.payload.chunks(CHUNK_BYTES_MAX) {
            put_event(
                &mut stream,
                "PayloadChunk",
                "application/octet-stream",
                chunk,
            );
        }
    }
    if let Some(log_result) = log_result {
        complete.insert("LogResult".to_owned(), log_result.into());
    }
    let complete = Value::Object(complete).to_string();
    put_event(
        &mut stream,
        "InvokeComplete",
        "application/json",
        complete.as_bytes(),
    );
    stream.freeze()
}

fn put_event(stream: &mut BytesMut, event_type: &str, content_type: &str, payload: &[u8]) {
    let mut headers = BytesMut::new();
    for (name, value) in [
        (":event-type", event_type),
        (":content-type", content_type),
        (":message-type", "event"),
    ] {
        headers.put_u8(u8::try_from(name.len()).unwrap_or(u8::MAX));
        headers.put_slice(name.as_bytes());
        headers.put_u8(TEXT);
        headers.put_u16(u16::try_from(value.len()).unwrap_or(u16::MAX));
        headers.put_slice(value.as_bytes());
    }
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    let mut message = BytesMut::with_capacity(16 + headers.len() + payload.len());
    // Two lengths and two checks.
    message.put_u32(length(16 + headers.len() + payload.len()));
    message.put_u32(length(headers.len()));
    message.put_u32(crc32(&message));
    message.put_slice(&headers);
    message.put_slice(payload);
    message.put_u32(crc32(&message));
    stream.put_slice(&message);
}

/// The check of gzip and PNG (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    let rest = bytes.iter().fold(u32::MAX, |sum, byte| {
        let [low, ..] = sum.to_le_bytes();
        let index = usize::from(low ^ byte);
        TABLE.get(index).copied().unwrap_or_default() ^ (sum >> 8)
    });
    !rest
}

/// What each byte adds to a sum.
static TABLE: std::sync::LazyLock<[u32; 256]> = std::sync::LazyLock::new(|| {
    std::array::from_fn(|byte| {
        let byte = u32::try_from(byte).unwrap_or_default();
        (0..8).fold(byte, |sum, _| {
            if sum & 1 == 1 {
                0xedb8_8320 ^ (sum >> 1)
            } else {
                sum >> 1
            }
        })
    })
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_long_answer_is_sent_in_chunks_and_ends_with_an_event() {
        let invocation = Invocation {
            request_id: String::new(),
            executed_version: "$LATEST".to_owned(),
            payload: vec![b'x'; CHUNK_BYTES_MAX + 1].into(),
            function_error: None,
            log_tail: Bytes::new(),
        };
        let mut stream = render(&invocation, Some("log".to_owned()));
        let mut seen = Vec::new();
        while !stream.is_empty() {
            let number = |from: usize| {
                u32::from_be_bytes(stream.get(from..from + 4).unwrap().try_into().unwrap())
            };
            let total = usize::try_from(number(0)).unwrap();
            let headers = usize::try_from(number(4)).unwrap();
            assert_eq!(number(8), crc32(stream.get(..8).unwrap()));
            assert_eq!(number(total - 4), crc32(stream.get(..total - 4).unwrap()));
            let message = stream.split_to(total);
            seen.push(message.slice(12 + headers..total - 4));
        }
        let lengths: Vec<usize> = seen.iter().map(Bytes::len).collect();
        assert_eq!(lengths[..2], [CHUNK_BYTES_MAX, 1]);
        assert_eq!(seen[2], r#"{"LogResult":"log"}"#);
    }
}
