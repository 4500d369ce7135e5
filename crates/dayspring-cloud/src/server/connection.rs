//! One client's connection: a request is read whole, answered, and then the next one is looked at.
//!
//! A client owes progress, and pays for what it holds:
//! - a connection on which nothing is under way costs a small task and a socket, no buffer and no timer, and is closed by
//!   [`Connections`](super::connections::Connections) after [`Patience::idle`];
//! - a head that has begun is whole within [`Patience::head`];
//! - a body goes on, and an answer is taken, at least every [`Patience::stall`].
//!
//! Requests that were sent ahead (pipelining) wait in the buffer and are answered in their order.

use std::future::Future;
use std::io::{ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::http::request::Parts;
use ::http::{Method, StatusCode, Version};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::connections::Life;
use super::head::{BodyLength, Chunks, Head, parse_head};
use super::render::render_head;
use crate::http::{Answer, Call};
use crate::socket::{READ_BYTES, fill};

/// How long a client is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) idle: Duration,
    pub(super) head: Duration,
    pub(super) stall: Duration,
    /// After a refusal that leaves a body unread, so that the client gets to read it.
    pub(super) linger: Duration,
}

impl Patience {
    pub(super) const USUAL: Self = Self {
        // What API Gateway's own quotas name: 310 s.
        idle: Duration::from_secs(310),
        head: Duration::from_secs(30),
        stall: Duration::from_secs(30),
        linger: Duration::from_secs(2),
    };
}

/// How much of a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BodyLimit {
    pub(super) bytes_max: usize,
    pub(super) beyond: Beyond,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beyond {
    /// [`Handler::too_long`] answers, as soon as it is known.
    Refuse,
    /// The handler gets the first bytes.
    Cut,
}

/// What answers requests.
pub(super) trait Handler: Send + Sync {
    fn limit(&self, parts: &Parts) -> BodyLimit;
    fn too_long(&self, parts: Parts) -> Answer;
    fn answer(&self, call: Call) -> impl Future<Output = Answer> + Send;
}

/// Serves a connection until either side ends it.
pub(super) fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    handler: &impl Handler,
    life: Arc<Life>,
) -> impl Future<Output = ()> + Send {
    // Without it a small answer waits for the client's acknowledgement of the one before.
    stream.set_nodelay(true).ok();
    let mut connection = Connection {
        stream,
        buffer: BytesMut::new(),
        life,
    };
    async move {
        while connection.wait().await.is_ok() {
            // On the heap: an idle connection must not have room for every service's work.
            match Box::pin(connection.attend(peer, handler)).await {
                Ok(Then::Next) => {}
                Ok(Then::Linger) => return Box::pin(connection.linger()).await,
                Ok(Then::Close) | Err(Closed) => return,
            }
        }
    }
}

/// The connection is gone, or its client is given up.
#[derive(Debug)]
struct Closed;

#[derive(Debug)]
enum Next {
    Request(Box<Head>),
    Refused(StatusCode, String),
}

/// What an exchange leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Next,
    Close,
    /// The client may still be sending what nobody reads.
    Linger,
}

#[derive(Debug)]
enum Body {
    Whole(Bytes),
    /// The first bytes of it; the rest is still to come.
    Begun(Bytes),
    TooLong,
    Malformed(String),
    Late,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    /// What was read and is not yet used.
    buffer: BytesMut,
    life: Arc<Life>,
}

/// And while a body is read.
const BODY_READ_BYTES: usize = 64 * 1024;

/// A body that is shorter travels in one piece with its head.
const JOINED_BYTES_MAX: usize = 16 * 1024;

impl Connection {
    /// Waits for a request to begin.
    async fn wait(&mut self) -> Result<(), Closed> {
        if !self.buffer.is_empty() {
            return Ok(());
        }
        self.buffer = BytesMut::new();
        if !self.life.rest() {
            return Err(Closed);
        }
        let filled = fill(&mut self.stream, &mut self.buffer).await;
        match filled {
            Ok(()) if self.life.wake() => Ok(()),
            _ => Err(Closed),
        }
    }

    /// Answers a request that has begun.
    async fn attend(&mut self, peer: SocketAddr, handler: &impl Handler) -> Result<Then, Closed> {
        // Nearly every head comes in one piece, which needs no timer.
        let next = match self.take_head() {
            Some(next) => next,
            None => {
                let patience = self.life.patience().head;
                match timeout(patience, self.read_head()).await {
                    Ok(next) => next?,
                    Err(_) => Next::Refused(
                        StatusCode::REQUEST_TIMEOUT,
                        format!("the request's head was not whole within {patience:?}"),
                    ),
                }
            }
        };
        match next {
            Next::Request(head) => self.exchange(head, peer, handler).await,
            Next::Refused(status, reason) => self.refuse(status, &reason).await,
        }
    }

    async fn read_head(&mut self) -> Result<Next, Closed> {
        loop {
            fill(&mut self.stream, &mut self.buffer)
                .await
                .map_err(|_| Closed)?;
            if let Some(next) = self.take_head() {
                return Ok(next);
            }
        }
    }

    /// The head in the buffer, or `None` while it is not whole. A refused one is not to be looked at again: what follows it
    /// is no request.
    fn take_head(&mut self) -> Option<Next> {
        match parse_head(&mut self.buffer) {
            Ok(Some(head)) => Some(Next::Request(Box::new(head))),
            Ok(None) => None,
            Err(bad) => Some(Next::Refused(bad.status(), bad.to_string())),
        }
    }

    /// Reads more of a body, however little.
    async fn fill(&mut self, room: usize) -> Result<(), Closed> {
        self.buffer.reserve(room);
        loop {
            match self.stream.try_read_buf(&mut self.buffer) {
                Ok(0) => return Err(Closed),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.stream.readable().await.map_err(|_| Closed)?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Closed),
            }
        }
    }

    async fn exchange(
        &mut self,
        head: Box<Head>,
        peer: SocketAddr,
        handler: &impl Handler,
    ) -> Result<Then, Closed> {
        let Head {
            parts,
            body,
            keeps_alive,
            expects_continue,
        } = *head;
        let (method, version) = (parts.method.clone(), parts.version);
        let limit = handler.limit(&parts);
        let over = matches!(body, BodyLength::Known(length) if length > limit.bytes_max as u64);
        if expects_continue && self.buffer.is_empty() && !(over && limit.beyond == Beyond::Refuse) {
            self.write(&[b"HTTP/1.1 100 Continue\r\n\r\n"]).await?;
        }
        let (answer, then) = match self.read_body(body, limit).await? {
            Body::Whole(body) => (handler.answer(Call { parts, body, peer }).await, Then::Next),
            Body::Begun(body) => (
                handler.answer(Call { parts, body, peer }).await,
                Then::Linger,
            ),
            Body::TooLong => (handler.too_long(parts), Then::Linger),
            Body::Malformed(reason) => (refusal(StatusCode::BAD_REQUEST, &reason), Then::Linger),
            Body::Late => (
                refusal(
                    StatusCode::REQUEST_TIMEOUT,
                    &format!(
                        "nothing more of the body came within {:?}",
                        self.life.patience().stall
                    ),
                ),
                Then::Close,
            ),
        };
        let then = if then == Then::Next && (!keeps_alive || self.life.is_ending()) {
            Then::Close
        } else {
            then
        };
        self.send(answer, &method, version, then == Then::Next)
            .await?;
        Ok(then)
    }

    async fn read_body(&mut self, length: BodyLength, limit: BodyLimit) -> Result<Body, Closed> {
        match length {
            BodyLength::Known(length) => match usize::try_from(length) {
                Ok(length) if length <= limit.bytes_max => self.read_known(length).await,
                _ if limit.beyond == Beyond::Cut => {
                    Ok(match self.read_known(limit.bytes_max).await? {
                        Body::Whole(body) => Body::Begun(body),
                        other => other,
                    })
                }
                _ => Ok(Body::TooLong),
            },
            BodyLength::Chunked => self.read_chunks(limit).await,
        }
    }

    async fn read_known(&mut self, length: usize) -> Result<Body, Closed> {
        while self.buffer.len() < length {
            let missing = length - self.buffer.len();
            // What is announced is not yet sent: the buffer grows with what comes.
            let room = missing.min(BODY_READ_BYTES);
            if timeout(self.life.patience().stall, self.fill(room))
                .await
                .is_err()
            {
                return Ok(Body::Late);
            }
        }
        Ok(Body::Whole(self.buffer.split_to(length).freeze()))
    }

    async fn read_chunks(&mut self, limit: BodyLimit) -> Result<Body, Closed> {
        let mut chunks = Chunks::default();
        let mut body = BytesMut::new();
        loop {
            match chunks.take(&mut self.buffer) {
                Ok(Some(piece)) => {
                    let room = limit.bytes_max - body.len();
                    if piece.len() <= room {
                        body.extend_from_slice(&piece);
                    } else if limit.beyond == Beyond::Cut {
                        body.extend_from_slice(piece.get(..room).unwrap_or_default());
                        return Ok(Body::Begun(body.freeze()));
                    } else {
                        return Ok(Body::TooLong);
                    }
                }
                Ok(None) if chunks == Chunks::Done => return Ok(Body::Whole(body.freeze())),
                Ok(None) => {
                    let filled =
                        timeout(self.life.patience().stall, self.fill(BODY_READ_BYTES)).await;
                    match filled {
                        Ok(filled) => filled?,
                        Err(_) => return Ok(Body::Late),
                    }
                }
                Err(bad) => return Ok(Body::Malformed(bad.to_string())),
            }
        }
    }

    /// Answers what is no request that a service could answer.
    async fn refuse(&mut self, status: StatusCode, reason: &str) -> Result<Then, Closed> {
        let answer = refusal(status, reason);
        self.send(answer, &Method::GET, Version::HTTP_11, false)
            .await?;
        Ok(Then::Linger)
    }

    async fn send(
        &mut self,
        answer: Answer,
        method: &Method,
        version: Version,
        keeps_alive: bool,
    ) -> Result<(), Closed> {
        let (parts, body) = answer.into_parts();
        // It is all there: nothing is waited for.
        let body = body
            .collect()
            .await
            .map_or_else(|never| match never {}, |body| body.to_bytes());
        let mut out = Vec::with_capacity(1024);
        let has_body = render_head(&mut out, &parts, body.len(), method, version, keeps_alive);
        let body: &[u8] = if has_body { &body } else { &[] };
        if body.len() <= JOINED_BYTES_MAX {
            out.extend_from_slice(body);
            self.write(&[&out]).await
        } else {
            self.write(&[&out, body]).await
        }
    }

    /// Writes everything, as long as the client takes something now and then.
    async fn write(&mut self, pieces: &[&[u8]]) -> Result<(), Closed> {
        let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut rest = slices.as_mut_slice();
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            let written = match &*rest {
                // The system has less to do for one piece.
                [one] => self.stream.try_write(one),
                pieces => self.stream.try_write_vectored(pieces),
            };
            match written {
                Ok(0) => return Err(Closed),
                Ok(written) => IoSlice::advance_slices(&mut rest, written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    match timeout(self.life.patience().stall, self.stream.writable()).await {
                        Ok(Ok(())) => {}
                        _ => return Err(Closed),
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Closed),
            }
        }
        Ok(())
    }

    /// Takes what is still sent and forgets it. A socket that is closed with unread bytes resets its client, which then
    /// may lose the answer.
    async fn linger(&mut self) {
        let patience = self.life.patience().linger;
        let forget = async {
            self.stream.shutdown().await.ok();
            loop {
                self.buffer.clear();
                if self.fill(READ_BYTES).await.is_err() {
                    return;
                }
            }
        };
        timeout(patience, forget).await.unwrap_or_default();
    }
}

fn refusal(status: StatusCode, reason: &str) -> Answer {
    let mut answer = crate::http::answer(
        status,
        "application/json",
        serde_json::json!({ "message": reason }).to_string(),
    );
    if let Ok(kind) = ::http::HeaderValue::from_str("BadRequestException") {
        answer.headers_mut().insert("x-amzn-errortype", kind);
    }
    answer
}

#[cfg(test)]
mod tests;
