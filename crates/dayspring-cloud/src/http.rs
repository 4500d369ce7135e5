//! A request that was read whole, and an answer that is sent whole.

use std::cell::RefCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::http::StatusCode;
use ::http::header::{CONTENT_TYPE, HeaderValue};
use ::http::request::Parts;
use bytes::Bytes;
use http_body_util::Full;
use httpdate::fmt_http_date;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// A request whose body was read, within the limit of the service that it is for.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
    /// The client's address, as `X-Forwarded-For` and access logs show it.
    pub(crate) peer: std::net::SocketAddr,
}

pub(crate) type Answer = ::http::Response<Full<Bytes>>;

/// The id that the server gave a request. It travels as an extension of the request.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// The headers of a request as the client wrote them and in its order. They travel as an extension of the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct SentHeaders(pub(crate) Vec<(Bytes, HeaderValue)>);

/// The names of an answer's headers as they are to be written, where that matters. They travel as an extension of the
/// answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct SpelledNames(pub(crate) Vec<String>);

impl Call {
    /// The id that the server gave this request.
    pub(crate) fn request_id(&self) -> &str {
        self.parts
            .extensions
            .get::<RequestId>()
            .map_or("", |id| id.0.as_str())
    }
}

/// An answer with a body.
pub(crate) fn answer(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Answer {
    let mut answer = Answer::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = status;
    answer
}

/// The headers as the client wrote them, where that is known; else with the names in small letters, as over HTTP/2.
pub(crate) fn sent_headers(parts: &Parts) -> impl Iterator<Item = (&str, &HeaderValue)> {
    let sent = parts.extensions.get::<SentHeaders>();
    let as_sent = sent.into_iter().flat_map(|sent| &sent.0);
    let others = sent.is_none().then_some(&parts.headers);
    as_sent
        // A name was checked to be a token, which is ASCII.
        .map(|(name, value)| (std::str::from_utf8(name).unwrap_or_default(), value))
        .chain(
            others
                .into_iter()
                .flatten()
                .map(|(name, value)| (name.as_str(), value)),
        )
}

/// A header's value, where it is there and is text.
pub(crate) fn header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts
        .headers
        .get(name)
        .and_then(|value| value.to_str().ok())
}

/// The host that the request is for, with its port, from the URI or the `Host` header.
pub(crate) fn host(parts: &Parts) -> &str {
    parts.uri.authority().map_or_else(
        || header(parts, "host").unwrap_or_default(),
        |name| name.as_str(),
    )
}

/// The fields of a form or of a query string, decoded, in their order.
pub(crate) fn form_fields(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|field| !field.is_empty())
        .map(|field| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            (
                decode_percent(&name.replace('+', " ")),
                decode_percent(&value.replace('+', " ")),
            )
        })
        .collect()
}

/// Undoes percent-encoding. Bytes that are not UTF-8 become U+FFFD.
pub(crate) fn decode_percent(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// What RFC 3986 calls unreserved stays; all else is encoded, as AWS encodes within a path.
pub(crate) fn encode_percent(text: &str) -> String {
    const SET: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(text, SET).to_string()
}

/// `Name: value` and the line end.
pub(crate) fn write_header(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// `Date: Sun, 06 Nov 1994 08:49:37 GMT`, written once a second by each thread.
pub(crate) fn write_date(out: &mut Vec<u8>) {
    thread_local! {
        static LAST: RefCell<(u64, String)> = const { RefCell::new((u64::MAX, String::new())) };
    }
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_secs();
    LAST.with_borrow_mut(|(at, text)| {
        if *at != seconds {
            *at = seconds;
            *text = fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
        }
        write_header(out, "Date", text.as_bytes());
    });
}

#[cfg(test)]
pub(crate) fn text_of(answer: Answer) -> String {
    use http_body_util::BodyExt as _;
    let body = answer.into_body();
    let bytes = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(body.collect())
        .unwrap()
        .to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_fields_are_decoded_after_they_are_split() {
        assert_eq!(
            form_fields("a=1%262&b+c=d%2Be&f"),
            [
                ("a".to_owned(), "1&2".to_owned()),
                ("b c".to_owned(), "d+e".to_owned()),
                ("f".to_owned(), String::new()),
            ]
        );
    }

    #[test]
    fn encoding_keeps_what_is_unreserved() {
        assert_eq!(encode_percent("arn:aws|a-b_c.d~"), "arn%3Aaws%7Ca-b_c.d~");
        assert_eq!(decode_percent("arn%3Aaws%7C"), "arn:aws|");
    }
}
