//! The Lambda Runtime API 2018-06-01, as one process sees it: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.
//!
//! Each process has a listener of its own on the loopback, because that is the form in which AWS names it
//! (`AWS_LAMBDA_RUNTIME_API=HOST:PORT`), and because a path in front of the version is not understood by every client.

use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;

use ::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;

use super::environment::Environment;
use super::line::{Asked, Line};
use super::runtime_request::{Body, Head, Route, Trailers, parse_head};
use super::runtime_state::{Refusal, RuntimeCall, error_body};
use super::session::{Now, Outcome, Session};
use crate::http::{write_date, write_header};
use crate::parity::Touched;
use crate::socket::{READ_BYTES, fill};

/// 6 MiB and a hundred bytes: what a synchronous answer may have (recorded against AWS 2025-11).
pub(super) const RESPONSE_BYTES_MAX: usize = 6_291_556;

/// An error report is cut here; AWS names no limit of its own for it.
const ERROR_BYTES_MAX: usize = RESPONSE_BYTES_MAX;

/// How much is read of what a runtime sends ahead while it waits for an event.
const AHEAD_BYTES_MAX: usize = 64 * 1024;

/// And at once of a long body.
const BODY_READ_BYTES: usize = 64 * 1024;

/// What AWS calls an error whose kind the runtime does not name.
const UNKNOWN_ERROR: &str = "Runtime.Unknown";

/// Serves one connection of a runtime until either side closes it. A runtime that is killed leaves a broken connection
/// behind, which is nobody's error.
pub(super) async fn serve(stream: TcpStream, environment: Arc<Environment>) {
    // Small messages in lock step: waiting to fill a packet costs 40 ms. A socket that refuses the option still works.
    drop(stream.set_nodelay(true));
    let (stream, write) = stream.into_split();
    let mut connection = Connection {
        stream,
        buffer: BytesMut::new(),
        line: Arc::new(Line::new(write)),
    };
    while let Ok(true) = connection.exchange(&environment).await {}
    environment.session.hung_up(&connection.line);
}

#[derive(Debug)]
struct Connection {
    stream: OwnedReadHalf,
    /// What was read and is not yet used.
    buffer: BytesMut,
    line: Arc<Line>,
}

/// An answer without what the connection adds.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    content_type: Option<&'static str>,
    body: Vec<u8>,
}

impl Connection {
    /// Answers a request; whether another may follow.
    async fn exchange(&mut self, environment: &Environment) -> Result<bool> {
        let head = loop {
            match parse_head(&mut self.buffer) {
                Ok(Some(head)) => break head,
                Ok(None) => fill(&mut self.stream, &mut self.buffer).await?,
                Err(_) => {
                    self.send(&empty(StatusCode::BAD_REQUEST), false).await?;
                    return Ok(false);
                }
            }
        };
        let session = &environment.session;
        let keeps_alive = head.keeps_alive;
        let mut body = Body::new(head.length);
        let answer = match &head.route {
            Route::Next => {
                self.discard(&mut body).await?;
                environment.settled();
                match session.next(&self.line, Now::read()) {
                    Ok(()) => {
                        if self.next().await? {
                            return Ok(keeps_alive);
                        }
                        // Its process is gone, so nobody reads this; and `next` is never answered with a 5xx, which
                        // runtimes take badly.
                        empty(StatusCode::FORBIDDEN)
                    }
                    Err(refusal) => refused(refusal),
                }
            }
            Route::Response(id) => self.respond(session, id, &head, &mut body).await?,
            Route::Error(id) => {
                let call = RuntimeCall::Error { request_id: id };
                match session.may_answer(call) {
                    Ok(()) => {
                        let (report, _) = self.read(&mut body, &head, ERROR_BYTES_MAX).await?;
                        let outcome = Outcome::Error(report.unwrap_or_default());
                        accepted(session.answer(call, outcome))
                    }
                    Err(refusal) => refused(refusal),
                }
            }
            Route::InitError => {
                let kind = head
                    .error_type
                    .as_deref()
                    .unwrap_or(UNKNOWN_ERROR)
                    .to_owned();
                let (report, _) = self.read(&mut body, &head, ERROR_BYTES_MAX).await?;
                accepted(session.init_error(report.unwrap_or_default(), kind))
            }
            Route::Ping => plain(StatusCode::OK, "pong"),
            Route::WrongMethod => empty(StatusCode::METHOD_NOT_ALLOWED),
            Route::Extension => {
                environment.touch(Touched::Extensions);
                not_found()
            }
            Route::Unknown => not_found(),
        };
        self.send(&answer, keeps_alive).await?;
        // What nobody wanted to have is still on its way.
        self.discard(&mut body).await?;
        Ok(keeps_alive)
    }

    /// Waits until an event is given to this connection; false when there will be none. A runtime that hangs up meanwhile
    /// is seen to.
    async fn next(&mut self) -> Result<bool> {
        loop {
            match self.line.asked_now() {
                Asked::Open => {}
                Asked::Answered => return Ok(true),
                Asked::Rest(rest) => {
                    self.line.write(&rest).await?;
                    return Ok(true);
                }
                Asked::Never => return Ok(false),
                Asked::Gone => return Err(ErrorKind::BrokenPipe.into()),
            }
            tokio::select! {
                biased;
                () = self.line.told() => {}
                filled = fill(&mut self.stream, &mut self.buffer), if self.buffer.len() < AHEAD_BYTES_MAX => filled?,
            }
        }
    }

    async fn respond(
        &mut self,
        session: &Session,
        request_id: &str,
        head: &Head,
        body: &mut Body,
    ) -> Result<Answer> {
        let call = RuntimeCall::Response { request_id };
        if let Err(refusal) = session.may_answer(call) {
            return Ok(refused(refusal));
        }
        if !head.is_known_response_mode {
            return Ok(error(
                StatusCode::BAD_REQUEST,
                "Invalid function response mode",
                "InvalidFunctionResponseMode",
            ));
        }
        // Cut off by the runtime, it is none: the runtime answers again, or its exit or the end of its time is the outcome.
        let (body, trailers) = self.read(body, head, RESPONSE_BYTES_MAX).await?;
        Ok(match (body, trailers) {
            (Some(_), Some(trailers)) if trailers.error_type.is_some() => {
                accepted(session.answer(call, Outcome::Error(late_error(&trailers))))
            }
            (Some(body), _) => accepted(session.answer(call, Outcome::Response(body))),
            (None, _) => match session.answer(call, Outcome::ResponseTooLarge) {
                Ok(()) => error(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    &format!("Exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes)."),
                    "RequestEntityTooLarge",
                ),
                Err(refusal) => refused(refusal),
            },
        })
    }

    /// The whole body, or `None` when it is longer than `bytes_max`. All of it is read in either case, so that the runtime,
    /// which writes before it reads, gets its answer; what is too long is not kept. And what came after it.
    async fn read(
        &mut self,
        body: &mut Body,
        head: &Head,
        bytes_max: usize,
    ) -> Result<(Option<Bytes>, Option<Trailers>)> {
        if head.expects_continue && self.buffer.is_empty() {
            self.line.write(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        let mut bytes = 0_usize;
        while let Some(piece) = self.piece(body).await? {
            bytes = bytes.saturating_add(piece.len());
            if bytes > bytes_max {
                rest = BytesMut::new();
            } else if first.is_empty() {
                // Nearly every answer comes in one piece, which is then not copied.
                first = piece;
            } else {
                if rest.is_empty() {
                    rest.extend_from_slice(&first);
                }
                rest.extend_from_slice(&piece);
            }
        }
        let whole = (bytes <= bytes_max).then(|| {
            if rest.is_empty() {
                first
            } else {
                rest.freeze()
            }
        });
        Ok((whole, body.trailers()))
    }

    async fn discard(&mut self, body: &mut Body) -> Result<()> {
        while self.piece(body).await?.is_some() {}
        Ok(())
    }

    /// The next piece of a body, or `None` at its end.
    async fn piece(&mut self, body: &mut Body) -> Result<Option<Bytes>> {
        loop {
            if let Some(piece) = body
                .take(&mut self.buffer)
                .map_err(|_| Error::from(ErrorKind::InvalidData))?
            {
                return Ok(Some(piece));
            }
            if body.is_done() {
                return Ok(None);
            }
            // What is announced is not yet sent: the buffer grows with what comes.
            let room = body.ahead().min(BODY_READ_BYTES);
            if room <= READ_BYTES {
                fill(&mut self.stream, &mut self.buffer).await?;
                continue;
            }
            self.buffer.reserve(room);
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn send(&self, answer: &Answer, keeps_alive: bool) -> Result<()> {
        let mut out = Vec::with_capacity(256 + answer.body.len());
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend_from_slice(answer.status.as_str().as_bytes());
        out.push(b' ');
        let reason = answer.status.canonical_reason().unwrap_or_default();
        out.extend_from_slice(reason.as_bytes());
        out.extend_from_slice(b"\r\n");
        if let Some(content_type) = answer.content_type {
            write_header(&mut out, "Content-Type", content_type.as_bytes());
        }
        write_date(&mut out);
        if !keeps_alive {
            write_header(&mut out, "Connection", b"close");
        }
        write_header(
            &mut out,
            "Content-Length",
            answer.body.len().to_string().as_bytes(),
        );
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&answer.body);
        self.line.write(&out).await
    }
}

/// The error of a runtime that failed while it streamed its answer: an object in base64.
fn late_error(trailers: &Trailers) -> Bytes {
    let body = trailers.error_body.as_deref().unwrap_or_default();
    let body = STANDARD.decode(body).unwrap_or_default();
    if body.is_empty() {
        return serde_json::json!({ "errorType": trailers.error_type })
            .to_string()
            .into();
    }
    body.into()
}

fn accepted(result: std::result::Result<(), Refusal>) -> Answer {
    match result {
        Ok(()) => json(StatusCode::ACCEPTED, "{\"status\":\"OK\"}\n".to_owned()),
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: Refusal) -> Answer {
    let (status, body) = refusal.answer();
    json(status, body)
}

fn error(status: StatusCode, message: &str, kind: &str) -> Answer {
    json(status, error_body(message, kind))
}

fn not_found() -> Answer {
    plain(StatusCode::NOT_FOUND, "404 page not found\n")
}

fn json(status: StatusCode, body: String) -> Answer {
    Answer {
        status,
        content_type: Some("application/json"),
        body: body.into(),
    }
}

fn plain(status: StatusCode, body: &'static str) -> Answer {
    Answer {
        status,
        content_type: Some("text/plain; charset=utf-8"),
        body: body.into(),
    }
}

fn empty(status: StatusCode) -> Answer {
    Answer {
        status,
        content_type: None,
        body: Vec::new(),
    }
}
