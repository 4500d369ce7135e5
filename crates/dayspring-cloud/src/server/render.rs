//! The head of an answer, as bytes.

use std::borrow::Cow;

use ::http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use ::http::response::Parts;
use ::http::{Method, StatusCode, Version};

use crate::http::{SpelledNames, write_date, write_header};

/// Writes status line and headers; gives whether a body follows. Its length is always said where HTTP has one.
pub(super) fn render_head(
    out: &mut Vec<u8>,
    parts: &Parts,
    body_bytes: usize,
    method: &Method,
    version: Version,
    keeps_alive: bool,
) -> bool {
    let status = parts.status;
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend_from_slice(b"\r\n");
    let spelled = parts.extensions.get::<SpelledNames>();
    for (name, value) in &parts.headers {
        // These are the connection's own.
        if [CONTENT_LENGTH, CONNECTION, TRANSFER_ENCODING].contains(name) {
            continue;
        }
        let name = name.as_str();
        let known = spelled.and_then(|spelled| {
            let mut names = spelled.0.iter();
            names.find(|spelled| spelled.eq_ignore_ascii_case(name))
        });
        let name = known.map_or_else(|| spell(name), |known| Cow::Borrowed(known.as_str()));
        write_header(out, &name, value.as_bytes());
    }
    if !parts.headers.contains_key(DATE) {
        write_date(out);
    }
    if !keeps_alive {
        write_header(out, "Connection", b"close");
    } else if version == Version::HTTP_10 {
        write_header(out, "Connection", b"keep-alive");
    }
    let has_none = status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED;
    if !has_none {
        // Who answers a HEAD without making the body says how long it would be.
        let said = parts.headers.get(CONTENT_LENGTH);
        match said.filter(|_| method == Method::HEAD && body_bytes == 0) {
            Some(said) => write_header(out, "Content-Length", said.as_bytes()),
            None => write_header(out, "Content-Length", body_bytes.to_string().as_bytes()),
        }
    }
    out.extend_from_slice(b"\r\n");
    !has_none && method != Method::HEAD
}

/// A name as AWS writes it over HTTP/1.1: its own as they are documented, the others with capitals.
fn spell(name: &str) -> Cow<'_, str> {
    match name {
        "x-amzn-requestid" => Cow::Borrowed("x-amzn-RequestId"),
        "x-amzn-errortype" => Cow::Borrowed("x-amzn-ErrorType"),
        "x-amzn-trace-id" => Cow::Borrowed("X-Amzn-Trace-Id"),
        "content-type" => Cow::Borrowed("Content-Type"),
        "etag" => Cow::Borrowed("ETag"),
        _ if name.starts_with("x-amz") => Cow::Borrowed(name),
        _ => {
            let mut start = true;
            let capital = |byte: u8| {
                let written = if start {
                    byte.to_ascii_uppercase()
                } else {
                    byte
                };
                start = byte == b'-';
                char::from(written)
            };
            Cow::Owned(name.bytes().map(capital).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head without its date, and whether a body follows.
    fn head(
        answer: ::http::response::Builder,
        method: Method,
        version: Version,
        keeps: bool,
    ) -> String {
        let (parts, ()) = answer.body(()).unwrap().into_parts();
        let mut out = Vec::new();
        let has_body = render_head(&mut out, &parts, 5, &method, version, keeps);
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with("Date: "))
            .collect();
        assert_eq!(lines.len() + 1, text.lines().count(), "one date");
        format!("{} {has_body}", lines.join("|"))
    }

    fn ok() -> ::http::response::Builder {
        ::http::Response::builder().header("content-type", "text/plain")
    }

    #[test]
    fn an_answer_says_its_length_where_it_has_one() {
        let current = |answer, method| head(answer, method, Version::HTTP_11, true);
        assert_eq!(
            current(ok(), Method::GET),
            "HTTP/1.1 200 OK|Content-Type: text/plain|Content-Length: 5| true"
        );
        assert_eq!(
            current(ok(), Method::HEAD),
            "HTTP/1.1 200 OK|Content-Type: text/plain|Content-Length: 5| false"
        );
        let (parts, ()) = ok()
            .header("content-length", "7")
            .body(())
            .unwrap()
            .into_parts();
        let mut out = Vec::new();
        render_head(&mut out, &parts, 0, &Method::HEAD, Version::HTTP_11, true);
        assert!(
            String::from_utf8(out)
                .unwrap()
                .contains("\r\nContent-Length: 7\r\n")
        );
        assert_eq!(
            current(ok().status(204).header("content-length", "7"), Method::GET),
            "HTTP/1.1 204 No Content|Content-Type: text/plain| false"
        );
    }

    #[test]
    fn a_connection_that_ends_says_so() {
        assert!(head(ok(), Method::GET, Version::HTTP_11, false).contains("|Connection: close|"));
        assert!(
            head(ok(), Method::GET, Version::HTTP_10, true).contains("|Connection: keep-alive|")
        );
    }

    #[test]
    fn names_are_spelled_as_aws_does_or_as_the_function_did() {
        let answer = ok()
            .header("x-amzn-requestid", "1")
            .header("x-amz-apigw-id", "2")
            .header("access-control-allow-origin", "*")
            .header("x-own", "3")
            .extension(SpelledNames(vec!["x-OWN".to_owned()]));
        assert_eq!(
            head(answer, Method::GET, Version::HTTP_11, true),
            "HTTP/1.1 200 OK|Content-Type: text/plain|x-amzn-RequestId: 1|x-amz-apigw-id: 2|Access-Control-Allow-Origin: *|x-OWN: 3|Content-Length: 5| true"
        );
    }
}
