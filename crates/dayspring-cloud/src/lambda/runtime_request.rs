//! A runtime's request: of its head what matters here, and its body piece by piece.
//!
//! Pure. A runtime is a library that speaks HTTP properly; what it may not be trusted with is where its request ends.

use bytes::{Buf as _, Bytes, BytesMut};

/// No runtime's head is longer.
const HEAD_BYTES_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 64;

/// A line with a chunk's size, and all trailers: a late error's stack is in one.
const CHUNK_LINE_BYTES_MAX: usize = 256;
const TRAILERS_BYTES_MAX: usize = 1024 * 1024;
const TRAILERS_MAX: usize = 16;

/// The Extensions API and the Telemetry API.
const EXTENSION_PATHS: [&str; 2] = ["/2020-01-01/extension", "/2022-07-01/telemetry"];

/// In the header of an error, and in the trailers of a streamed answer that failed.
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
const ERROR_BODY: &str = "lambda-runtime-function-error-body";
const RESPONSE_MODE: &str = "lambda-runtime-function-response-mode";

/// What is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Next,
    /// With the request's id.
    Response(String),
    /// With the request's id.
    Error(String),
    InitError,
    Ping,
    /// The path is one of these, and the method is not.
    WrongMethod,
    Extension,
    Unknown,
}

/// See the module.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) route: Route,
    pub(super) length: Length,
    /// Another request may follow on this connection.
    pub(super) keeps_alive: bool,
    /// The runtime waits for `100 Continue` before it sends the body.
    pub(super) expects_continue: bool,
    /// `Lambda-Runtime-Function-Response-Mode` is not there, or `streaming`.
    pub(super) is_known_response_mode: bool,
    /// `Lambda-Runtime-Function-Error-Type`.
    pub(super) error_type: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Known(u64),
    Chunked,
}

/// This is no HTTP/1 request, or where it ends is not known. The connection ends with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed")]
pub(super) struct Malformed;

/// Takes a head from the front of the buffer; `None` while it is not whole.
pub(super) fn parse_head(buffer: &mut BytesMut) -> Result<Option<Head>, Malformed> {
    if buffer.is_empty() {
        return Ok(None);
    }
    let mut fields = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    let used = match request.parse(buffer) {
        Ok(httparse::Status::Complete(used)) => used,
        Ok(httparse::Status::Partial) if buffer.len() < HEAD_BYTES_MAX => return Ok(None),
        Ok(_) | Err(_) => return Err(Malformed),
    };
    let (Some(method), Some(target)) = (request.method, request.path) else {
        return Err(Malformed);
    };
    let mut head = Head {
        route: Route::parse(method, target),
        length: Length::Known(0),
        keeps_alive: request.version == Some(1),
        expects_continue: false,
        is_known_response_mode: true,
        error_type: None,
    };
    let mut lengths = 0;
    for field in request.headers.iter() {
        let is = |name: &str| field.name.eq_ignore_ascii_case(name);
        let value = field.value;
        if is("content-length") {
            let length = std::str::from_utf8(value).ok().filter(|text| {
                // A sign would do for a number.
                text.bytes().all(|byte| byte.is_ascii_digit())
            });
            let length = length.and_then(|text| text.parse().ok()).ok_or(Malformed)?;
            head.length = Length::Known(length);
            lengths += 1;
        } else if is("transfer-encoding") {
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Malformed);
            }
            head.length = Length::Chunked;
            lengths += 1;
        } else if is("connection") {
            let mut words = value.split(|byte| *byte == b',');
            let closes = words.any(|word| word.trim_ascii().eq_ignore_ascii_case(b"close"));
            head.keeps_alive &= !closes;
        } else if is("expect") {
            head.expects_continue = value.eq_ignore_ascii_case(b"100-continue");
        } else if is(RESPONSE_MODE) {
            head.is_known_response_mode = value.eq_ignore_ascii_case(b"streaming");
        } else if is(ERROR_TYPE) {
            head.error_type = std::str::from_utf8(value).ok().map(str::to_owned);
        }
    }
    if lengths > 1 {
        return Err(Malformed);
    }
    buffer.advance(used);
    Ok(Some(head))
}

impl Route {
    fn parse(method: &str, target: &str) -> Self {
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        let Some(path) = path.strip_prefix("/2018-06-01/") else {
            let is_extension = EXTENSION_PATHS
                .iter()
                .any(|prefix| path.starts_with(prefix));
            return if is_extension {
                Self::Extension
            } else {
                Self::Unknown
            };
        };
        let on = |expected: &str, route: Self| {
            if method == expected {
                route
            } else {
                Self::WrongMethod
            }
        };
        match path {
            "ping" => return on("GET", Self::Ping),
            "runtime/invocation/next" => return on("GET", Self::Next),
            "runtime/init/error" => return on("POST", Self::InitError),
            _ => {}
        }
        let parts = path
            .strip_prefix("runtime/invocation/")
            .and_then(|rest| rest.split_once('/'));
        match parts {
            Some((id, "response")) => on("POST", Self::Response(id.to_owned())),
            Some((id, "error")) => on("POST", Self::Error(id.to_owned())),
            _ => Self::Unknown,
        }
    }
}

/// What a streamed answer says at its end of its failure.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Trailers {
    pub(super) error_type: Option<String>,
    /// In base64.
    pub(super) error_body: Option<Vec<u8>>,
}

/// Takes a body from the front of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes are left.
    Known(u64),
    /// A line with a chunk's size is next.
    Size,
    /// So many bytes of a chunk are left.
    Chunk(u64),
    /// The line end after a chunk.
    ChunkEnd,
    /// The lines after the last chunk.
    Trailers,
    Ended(Trailers),
}

impl Body {
    pub(super) fn new(length: Length) -> Self {
        match length {
            Length::Known(length) => Self::Known(length),
            Length::Chunked => Self::Size,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Known(0) | Self::Ended(_))
    }

    /// How many bytes are known to follow.
    pub(super) fn ahead(&self) -> usize {
        match self {
            Self::Known(left) | Self::Chunk(left) => usize::try_from(*left).unwrap_or(usize::MAX),
            Self::Size | Self::ChunkEnd | Self::Trailers | Self::Ended(_) => 0,
        }
    }

    /// What came after a body in chunks.
    pub(super) fn trailers(&self) -> Option<Trailers> {
        match self {
            Self::Ended(trailers) => Some(trailers.clone()),
            _ => None,
        }
    }

    /// The next piece, or `None` when more must be read or nothing follows ([`Body::is_done`]).
    pub(super) fn take(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
        loop {
            match self {
                Self::Known(0) | Self::Ended(_) => return Ok(None),
                Self::Known(left) => return Ok(cut(buffer, left)),
                Self::Chunk(0) => *self = Self::ChunkEnd,
                Self::Chunk(left) => return Ok(cut(buffer, left)),
                Self::ChunkEnd => match buffer.get(..2) {
                    Some(b"\r\n") => {
                        buffer.advance(2);
                        *self = Self::Size;
                    }
                    Some(_) => return Err(Malformed),
                    None => return Ok(None),
                },
                Self::Size => match httparse::parse_chunk_size(buffer) {
                    // To httparse a line without a digit is a zero.
                    _ if buffer.first().is_some_and(|byte| !byte.is_ascii_hexdigit()) => {
                        return Err(Malformed);
                    }
                    Ok(httparse::Status::Complete((used, size))) => {
                        buffer.advance(used);
                        *self = if size == 0 {
                            Self::Trailers
                        } else {
                            Self::Chunk(size)
                        };
                    }
                    Ok(httparse::Status::Partial) if buffer.len() < CHUNK_LINE_BYTES_MAX => {
                        return Ok(None);
                    }
                    _ => return Err(Malformed),
                },
                Self::Trailers => match parse_trailers(buffer)? {
                    Some(trailers) => *self = Self::Ended(trailers),
                    None => return Ok(None),
                },
            }
        }
    }
}

fn cut(buffer: &mut BytesMut, left: &mut u64) -> Option<Bytes> {
    if buffer.is_empty() {
        return None;
    }
    let taken = usize::try_from(*left)
        .unwrap_or(usize::MAX)
        .min(buffer.len());
    *left -= taken as u64;
    Some(buffer.split_to(taken).freeze())
}

fn parse_trailers(buffer: &mut BytesMut) -> Result<Option<Trailers>, Malformed> {
    let mut fields = [httparse::EMPTY_HEADER; TRAILERS_MAX];
    let (used, fields) = match httparse::parse_headers(buffer, &mut fields) {
        Ok(httparse::Status::Complete(parsed)) => parsed,
        Ok(httparse::Status::Partial) if buffer.len() < TRAILERS_BYTES_MAX => return Ok(None),
        Ok(_) | Err(_) => return Err(Malformed),
    };
    let value = |name: &str| {
        let mut fields = fields.iter();
        fields
            .find(|field| field.name.eq_ignore_ascii_case(name))
            .map(|field| field.value)
    };
    let trailers = Trailers {
        error_type: value(ERROR_TYPE).map(|kind| String::from_utf8_lossy(kind).into_owned()),
        error_body: value(ERROR_BODY).map(<[u8]>::to_vec),
    };
    buffer.advance(used);
    Ok(Some(trailers))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<Head>, Malformed> {
        parse_head(&mut BytesMut::from(text))
    }

    fn route(method: &str, path: &str) -> Route {
        let text = format!("{method} {path} HTTP/1.1\r\nHost: h\r\n\r\n");
        parse(&text).unwrap().unwrap().route
    }

    #[test]
    fn a_call_is_known_by_its_method_and_path() {
        let invocation = "/2018-06-01/runtime/invocation";
        let id = || "a-1".to_owned();
        assert_eq!(route("GET", &format!("{invocation}/next")), Route::Next);
        assert_eq!(
            route("POST", &format!("{invocation}/a-1/response")),
            Route::Response(id())
        );
        assert_eq!(
            route("POST", &format!("{invocation}/a-1/error?x=y")),
            Route::Error(id())
        );
        assert_eq!(
            route("POST", "/2018-06-01/runtime/init/error"),
            Route::InitError
        );
        assert_eq!(route("GET", "/2018-06-01/ping"), Route::Ping);
        for wrong in [
            "ping",
            "runtime/init/error",
            "runtime/invocation/next",
            "runtime/invocation/a/error",
        ] {
            assert_eq!(
                route("PUT", &format!("/2018-06-01/{wrong}")),
                Route::WrongMethod
            );
        }
        assert_eq!(
            route("POST", "/2020-01-01/extension/register"),
            Route::Extension
        );
        for unknown in [
            "/",
            "/2018-06-01/",
            "/2018-06-01/runtime/invocation/a/b/response",
            "/2019-01-01/ping",
        ] {
            assert_eq!(route("POST", unknown), Route::Unknown, "{unknown}");
        }
    }

    #[test]
    fn a_head_says_where_its_request_ends() {
        let head = |fields: &str| {
            parse(&format!("POST /x HTTP/1.1\r\n{fields}\r\n")).map(|head| {
                let head = head.unwrap();
                (head.length, head.keeps_alive)
            })
        };
        assert_eq!(head(""), Ok((Length::Known(0), true)));
        assert_eq!(head("content-length: 7\r\n"), Ok((Length::Known(7), true)));
        assert_eq!(
            head("Transfer-Encoding: Chunked\r\n"),
            Ok((Length::Chunked, true))
        );
        assert_eq!(
            head("Connection: x, close\r\n"),
            Ok((Length::Known(0), false))
        );
        for bad in [
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: +1\r\n",
            "Content-Length: \r\n",
            "Transfer-Encoding: gzip\r\n",
        ] {
            assert_eq!(head(bad), Err(Malformed), "{bad}");
        }
        assert_eq!(parse("GET /x HTTP/1.1\r\nHost: h\r\n"), Ok(None));
        assert_eq!(parse("no HTTP at all\r\n\r\n"), Err(Malformed));
        assert!(
            !parse("GET /x HTTP/1.0\r\n\r\n")
                .unwrap()
                .unwrap()
                .keeps_alive
        );
    }

    /// The pieces of a body that comes byte by byte, and what is left.
    fn body(length: Length, text: &str) -> Result<(String, Option<Trailers>, usize), Malformed> {
        let mut body = Body::new(length);
        let mut buffer = BytesMut::new();
        let mut whole = Vec::new();
        let mut bytes = text.bytes();
        loop {
            while let Some(piece) = body.take(&mut buffer)? {
                whole.extend_from_slice(&piece);
            }
            let done = body.is_done();
            match bytes.next() {
                Some(byte) if !done => buffer.extend_from_slice(&[byte]),
                next => {
                    assert!(done, "it is cut off");
                    let left = usize::from(next.is_some()) + bytes.len();
                    return Ok((String::from_utf8(whole).unwrap(), body.trailers(), left));
                }
            }
        }
    }

    #[test]
    fn a_body_is_read_to_its_end_and_no_further() {
        assert_eq!(
            body(Length::Known(3), "abcGET"),
            Ok(("abc".to_owned(), None, 3))
        );
        let none = Some(Trailers::default());
        assert_eq!(
            body(Length::Chunked, "2;x=y\r\nab\r\n1\r\nc\r\n0\r\n\r\nGET"),
            Ok(("abc".to_owned(), none, 3))
        );
        for bad in ["x\r\n", "2\r\nabc\r\n", "\r\n"] {
            assert_eq!(body(Length::Chunked, bad), Err(Malformed), "{bad:?}");
        }
    }

    #[test]
    fn trailers_say_that_a_streamed_answer_failed() {
        let text = "1\r\na\r\n0\r\nLambda-Runtime-Function-Error-Type: Late\r\nlambda-runtime-function-error-body: e30=\r\n\r\n";
        let (_, trailers, left) = body(Length::Chunked, text).unwrap();
        let trailers = trailers.unwrap();
        assert_eq!(trailers.error_type.as_deref(), Some("Late"));
        assert_eq!(
            (trailers.error_body.as_deref(), left),
            (Some(&b"e30="[..]), 0)
        );
    }
}
