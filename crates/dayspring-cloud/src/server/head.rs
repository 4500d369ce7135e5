//! The head of an HTTP/1 request, from bytes to what it says about the bytes that follow.
//!
//! Pure. Strict where two readers of one stream could disagree about where a request ends (RFC 9112, sections 6.3 and
//! 11.2): a length that is said twice, a length beside an encoding, and an encoding other than `chunked` are refused.

use ::http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING};
use ::http::request::Parts;
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version};
use bytes::{Buf as _, Bytes, BytesMut};

use crate::http::SentHeaders;

/// A head that is longer is refused. API Gateway takes less (10,240 bytes) and says so itself; the longest that AWS's
/// other services see are presigned URLs.
pub(super) const HEAD_BYTES_MAX: usize = 64 * 1024;

/// More fields than any client sends.
const HEADERS_MAX: usize = 128;

/// See the module.
#[derive(Debug)]
pub(super) struct Head {
    /// With [`SentHeaders`] among the extensions.
    pub(super) parts: Parts,
    pub(super) body: BodyLength,
    /// Another request may follow on this connection.
    pub(super) keeps_alive: bool,
    /// The client waits for `100 Continue` before it sends the body.
    pub(super) expects_continue: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyLength {
    Known(u64),
    Chunked,
}

/// A head that is refused. The connection ends with it: where the next request would begin is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadHead {
    #[error(
        "the request's head is longer than {HEAD_BYTES_MAX} bytes or has more than {HEADERS_MAX} headers"
    )]
    TooLong,
    #[error("this is not HTTP/1.1")]
    Syntax,
    #[error("the URL has characters that must be percent-encoded")]
    Target,
    #[error("a request has one Host header")]
    Host,
    #[error("Content-Length is said more than once, or is not a number")]
    Length,
    #[error("Content-Length and Transfer-Encoding exclude each other")]
    LengthAndEncoding,
    #[error("Transfer-Encoding is `chunked` in HTTP/1.1, or nothing")]
    Encoding,
    #[error("Expect is `100-continue`, or nothing")]
    Expectation,
}

impl BadHead {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::TooLong => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Encoding => StatusCode::NOT_IMPLEMENTED,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            Self::Syntax | Self::Target | Self::Host | Self::Length | Self::LengthAndEncoding => {
                StatusCode::BAD_REQUEST
            }
        }
    }
}

/// Takes a head from the front of the buffer; `None` while it is not whole.
pub(super) fn parse_head(buffer: &mut BytesMut) -> Result<Option<Head>, BadHead> {
    // An empty line before a request is left over from the one before (RFC 9112, section 2.2).
    while buffer.starts_with(b"\r\n") {
        buffer.advance(2);
    }
    let mut fields = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    let length = match request.parse(buffer) {
        Ok(httparse::Status::Complete(length)) if length <= HEAD_BYTES_MAX => length,
        Ok(httparse::Status::Partial) if buffer.len() < HEAD_BYTES_MAX => return Ok(None),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(BadHead::TooLong),
        Err(_) => return Err(BadHead::Syntax),
    };
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version)
    else {
        return Err(BadHead::Syntax);
    };
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| BadHead::Syntax)?;
    let version = if minor == 0 {
        Version::HTTP_10
    } else {
        Version::HTTP_11
    };
    // Names and values stay where they are: offsets now, slices of the one head afterwards.
    let place = |text: &[u8]| (text.as_ptr().addr() - buffer.as_ptr().addr(), text.len());
    let target = place(target.as_bytes());
    let fields: Vec<_> = request
        .headers
        .iter()
        .map(|field| (place(field.name.as_bytes()), place(field.value)))
        .collect();
    let head = buffer.split_to(length).freeze();
    let slice = |(start, length): (usize, usize)| head.slice(start..start + length);
    let uri = Uri::from_maybe_shared(slice(target)).map_err(|_| BadHead::Target)?;
    let mut headers = HeaderMap::with_capacity(fields.len());
    let mut sent = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        let name = slice(name);
        let value = HeaderValue::from_maybe_shared(slice(value)).map_err(|_| BadHead::Syntax)?;
        let known = HeaderName::from_bytes(&name).map_err(|_| BadHead::Syntax)?;
        headers.append(known, value.clone());
        sent.push((name, value));
    }
    let (mut parts, ()) = ::http::Request::new(()).into_parts();
    parts.method = method;
    parts.uri = uri;
    parts.version = version;
    parts.headers = headers;
    parts.extensions.insert(SentHeaders(sent));
    checked(parts).map(Some)
}

fn checked(parts: Parts) -> Result<Head, BadHead> {
    let headers = &parts.headers;
    let is_current = parts.version == Version::HTTP_11;
    let hosts = headers.get_all(HOST).iter().count();
    if hosts > 1 || (is_current && hosts == 0) {
        return Err(BadHead::Host);
    }
    let body = body_length(headers, is_current)?;
    let expects_continue = match headers.get(EXPECT) {
        None => false,
        Some(value) if value.as_bytes().eq_ignore_ascii_case(b"100-continue") => is_current,
        Some(_) => return Err(BadHead::Expectation),
    };
    let says = |word: &str| {
        headers.get_all(CONNECTION).iter().any(|value| {
            value
                .as_bytes()
                .split(|byte| *byte == b',')
                .any(|part| part.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
        })
    };
    let keeps_alive = !says("close") && (is_current || says("keep-alive"));
    Ok(Head {
        body,
        keeps_alive,
        expects_continue,
        parts,
    })
}

fn body_length(headers: &HeaderMap, is_current: bool) -> Result<BodyLength, BadHead> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let mut encodings = headers.get_all(TRANSFER_ENCODING).iter();
    match (lengths.next(), encodings.next()) {
        (None, None) => Ok(BodyLength::Known(0)),
        (Some(_), Some(_)) => Err(BadHead::LengthAndEncoding),
        (Some(length), None) => {
            let digits = length.as_bytes();
            // A sign or a space would do for some readers of numbers.
            let is_number = digits.iter().all(u8::is_ascii_digit) && lengths.next().is_none();
            std::str::from_utf8(digits)
                .ok()
                .filter(|_| is_number)
                .and_then(|digits| digits.parse().ok())
                .map(BodyLength::Known)
                .ok_or(BadHead::Length)
        }
        (None, Some(encoding)) => {
            let chunked = encoding.as_bytes().eq_ignore_ascii_case(b"chunked");
            if chunked && is_current && encodings.next().is_none() {
                Ok(BodyLength::Chunked)
            } else {
                Err(BadHead::Encoding)
            }
        }
    }
}

/// Takes chunks from the front of a stream of them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunks {
    /// A line with a chunk's size is next.
    #[default]
    Size,
    /// So many bytes of a chunk are left.
    Data(u64),
    /// The line end after a chunk.
    End,
    /// The lines after the last chunk, until an empty one. So many bytes were read of them.
    Trailer(usize),
    Done,
}

/// The chunks' own bytes are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the chunks of the body are malformed")]
pub(super) struct BadChunk;

/// A line with a size and extensions; and all trailers.
const CHUNK_LINE_BYTES_MAX: usize = 4096;

impl Chunks {
    /// The next piece of the body, or `None` when more must be read or nothing follows ([`Chunks::Done`]).
    pub(super) fn take(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, BadChunk> {
        loop {
            match *self {
                Self::Done => return Ok(None),
                // To httparse a line without a digit is a zero.
                Self::Size if buffer.first().is_some_and(|byte| !byte.is_ascii_hexdigit()) => {
                    return Err(BadChunk);
                }
                Self::Size => match httparse::parse_chunk_size(buffer) {
                    Ok(httparse::Status::Complete((used, 0))) => {
                        buffer.advance(used);
                        *self = Self::Trailer(0);
                    }
                    Ok(httparse::Status::Complete((used, size))) => {
                        buffer.advance(used);
                        *self = Self::Data(size);
                    }
                    Ok(httparse::Status::Partial) if buffer.len() < CHUNK_LINE_BYTES_MAX => {
                        return Ok(None);
                    }
                    _ => return Err(BadChunk),
                },
                Self::Data(left) => {
                    if buffer.is_empty() {
                        return Ok(None);
                    }
                    let taken = usize::try_from(left)
                        .unwrap_or(usize::MAX)
                        .min(buffer.len());
                    let piece = buffer.split_to(taken).freeze();
                    let left = left - taken as u64;
                    *self = if left == 0 {
                        Self::End
                    } else {
                        Self::Data(left)
                    };
                    return Ok(Some(piece));
                }
                Self::End => match buffer.get(..2) {
                    Some(b"\r\n") => {
                        buffer.advance(2);
                        *self = Self::Size;
                    }
                    Some(_) => return Err(BadChunk),
                    None => return Ok(None),
                },
                Self::Trailer(read) => {
                    let Some(end) = buffer.windows(2).position(|pair| pair == b"\r\n") else {
                        return if read + buffer.len() < CHUNK_LINE_BYTES_MAX {
                            Ok(None)
                        } else {
                            Err(BadChunk)
                        };
                    };
                    buffer.advance(end + 2);
                    *self = match end {
                        0 => Self::Done,
                        _ if read + end < CHUNK_LINE_BYTES_MAX => Self::Trailer(read + end),
                        _ => return Err(BadChunk),
                    };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<Head>, BadHead> {
        parse_head(&mut BytesMut::from(text))
    }

    /// A head of these fields, or why not.
    fn fields(lines: &str) -> Result<(BodyLength, bool), String> {
        let text = format!("POST /a HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
        parse(&text)
            .map(|head| head.map(|head| (head.body, head.keeps_alive)).unwrap())
            .map_err(|error| format!("{} {error}", error.status().as_u16()))
    }

    #[test]
    fn a_head_is_taken_and_what_follows_stays() {
        let mut buffer =
            BytesMut::from("\r\nGET /a?b HTTP/1.1\r\nhOsT: h\r\nX-A:  1 \r\nx-a: 2\r\n\r\nrest");
        let head = parse_head(&mut buffer).unwrap().unwrap();
        assert_eq!(&buffer[..], b"rest");
        assert_eq!(head.parts.uri, "/a?b");
        assert_eq!(head.parts.headers["host"], "h");
        let sent = head.parts.extensions.get::<SentHeaders>().unwrap();
        let names: Vec<&[u8]> = sent.0.iter().map(|(name, _)| &name[..]).collect();
        assert_eq!(names, [&b"hOsT"[..], b"X-A", b"x-a"], "as they were sent");
        assert!(parse("GET / HTTP/1.1\r\nHost: h\r\n").unwrap().is_none());
    }

    #[test]
    fn a_length_or_chunks_and_never_both() {
        use BodyLength::{Chunked, Known};
        assert_eq!(fields(""), Ok((Known(0), true)));
        assert_eq!(fields("Content-Length: 12\r\n"), Ok((Known(12), true)));
        assert_eq!(
            fields("Transfer-Encoding: Chunked\r\n"),
            Ok((Chunked, true))
        );
        assert_eq!(fields("Connection: x, Close\r\n"), Ok((Known(0), false)));
        let refused = [
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
            "Content-Length: 1\r\nContent-Length: 2\r\n",
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "Content-Length: 1, 1\r\n",
            "Content-Length: +1\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: 0x1\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Content-Length:\r\n",
            "Content-Length : 1\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding:\u{b}chunked\r\n",
            "Host: other\r\n",
            "X-A: 1\r\n folded\r\n",
            "X A: 1\r\n",
            "Expect: 200-ok\r\n",
        ]
        .map(|lines| format!("{lines:?} {}", fields(lines).unwrap_err()));
        insta::assert_snapshot!(refused.join("\n"), @r#"
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n" 400 Content-Length and Transfer-Encoding exclude each other
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n" 400 Content-Length and Transfer-Encoding exclude each other
        "Content-Length: 1\r\nContent-Length: 2\r\n" 400 Content-Length is said more than once, or is not a number
        "Content-Length: 1\r\nContent-Length: 1\r\n" 400 Content-Length is said more than once, or is not a number
        "Content-Length: 1, 1\r\n" 400 Content-Length is said more than once, or is not a number
        "Content-Length: +1\r\n" 400 Content-Length is said more than once, or is not a number
        "Content-Length: -1\r\n" 400 Content-Length is said more than once, or is not a number
        "Content-Length: 0x1\r\n" 400 Content-Length is said more than once, or is not a number
        "Content-Length: 99999999999999999999\r\n" 400 Content-Length is said more than once, or is not a number
        "Content-Length:\r\n" 400 Content-Length is said more than once, or is not a number
        "Content-Length : 1\r\n" 400 this is not HTTP/1.1
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" 501 Transfer-Encoding is `chunked` in HTTP/1.1, or nothing
        "Transfer-Encoding: gzip, chunked\r\n" 501 Transfer-Encoding is `chunked` in HTTP/1.1, or nothing
        "Transfer-Encoding: xchunked\r\n" 501 Transfer-Encoding is `chunked` in HTTP/1.1, or nothing
        "Transfer-Encoding:\u{b}chunked\r\n" 400 this is not HTTP/1.1
        "Host: other\r\n" 400 a request has one Host header
        "X-A: 1\r\n folded\r\n" 400 this is not HTTP/1.1
        "X A: 1\r\n" 400 this is not HTTP/1.1
        "Expect: 200-ok\r\n" 417 Expect is `100-continue`, or nothing
        "#);
    }

    #[test]
    fn a_version_before_the_current_one_has_no_chunks_and_closes() {
        let old = parse("GET / HTTP/1.0\r\n\r\n").unwrap().unwrap();
        assert!(!old.keeps_alive);
        let kept = parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert!(kept.unwrap().unwrap().keeps_alive);
        let chunked = parse("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert_eq!(chunked.unwrap_err(), BadHead::Encoding);
        assert_eq!(parse("GET / HTTP/1.1\r\n\r\n").unwrap_err(), BadHead::Host);
        assert_eq!(parse("GET / HTTP/2\r\n\r\n").unwrap_err(), BadHead::Syntax);
    }

    #[test]
    fn a_head_without_end_is_refused_when_it_is_long() {
        let long = format!("GET /{} HTTP/1.1\r\n", "x".repeat(HEAD_BYTES_MAX));
        assert_eq!(parse(&long).unwrap_err(), BadHead::TooLong);
        let many = format!(
            "GET / HTTP/1.1\r\n{}\r\n",
            "a: b\r\n".repeat(HEADERS_MAX + 1)
        );
        assert_eq!(parse(&many).unwrap_err(), BadHead::TooLong);
    }

    /// The body in these chunks however they arrive, and what follows it.
    fn dechunk(text: &str, step: usize) -> Result<(String, String), BadChunk> {
        let mut chunks = Chunks::default();
        let mut buffer = BytesMut::new();
        let mut body = Vec::new();
        let mut rest = text.as_bytes().chunks(step);
        loop {
            while let Some(piece) = chunks.take(&mut buffer)? {
                body.extend_from_slice(&piece);
            }
            if chunks == Chunks::Done {
                buffer.extend(rest.flatten());
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                return Ok((text(&body), text(&buffer)));
            }
            match rest.next() {
                Some(more) => buffer.extend_from_slice(more),
                None => return Ok((format!("unfinished {chunks:?}"), String::new())),
            }
        }
    }

    #[test]
    fn chunks_are_joined_however_they_arrive() {
        let text = "5;x=y\r\nhello\r\n1\r\n \r\nA\r\nbig world!\r\n0\r\nX-T: 1\r\n\r\nGET /";
        for step in 1..text.len() {
            let expected = ("hello big world!".to_owned(), "GET /".to_owned());
            assert_eq!(dechunk(text, step), Ok(expected), "{step}");
        }
        assert_eq!(dechunk("5\r\nhel", 3).unwrap().0, "unfinished Data(2)");
    }

    #[test]
    fn malformed_chunks_are_refused() {
        for text in [
            "x\r\n",
            "5\r\nhelloX\r\n0\r\n\r\n",
            "-1\r\n\r\n",
            "11111111111111111\r\n",
            "\r\n",
            ";x\r\n",
            "5\nhello\r\n0\r\n\r\n",
            "0\n\n",
        ] {
            assert_eq!(dechunk(text, 64), Err(BadChunk), "{text:?}");
        }
    }
}
