//! One HTTP/1.1 origin and its kept connections, with the one thing that a client of a database must know after a
//! failure: did the request leave this process or not.
//!
//! A pool of a general client hides that, so this one is its own. A connection that the server closed while the
//! process was frozen between two invocations is the common case: [`Http::send`] first lets the event loop see closed
//! sockets, and a request that was not written comes back from hyper and goes out on the next connection.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::time::{Instant, timeout_at};
use tower_service::Service;

/// Longer than any answer of the Data API: 1 MiB of result set as JSON with its metadata (Aurora User Guide,
/// "Limitations of the Data API", read 2026-11-22).
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A connection that was idle for longer is not used again: a request written to a connection that the server has just
/// closed leaves its fate unknown, and a new TLS handshake (resumed) costs a few milliseconds.
const IDLE_MAX: Duration = Duration::from_secs(20);

/// Nothing between a Lambda function and an endpoint of its region takes longer to accept a connection.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// How a request failed. The two differ in what is known about its effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SendError {
    /// Nothing was written: it had no effect.
    NotSent(String),
    /// It was written, wholly or in part, and no whole answer came.
    Lost(String),
}

/// A whole answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

type Connection = SendRequest<Full<Bytes>>;

struct Idle {
    connection: Connection,
    since: Instant,
}

/// An origin (scheme, host, port) and its kept connections.
pub(crate) struct Http {
    origin: Uri,
    connector: HttpsConnector<HttpConnector>,
    /// Never held across an await: only pushed to and popped from.
    idle: Mutex<Vec<Idle>>,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl Http {
    /// Connections to the scheme, host and port of `origin`; nothing is opened yet.
    pub(crate) fn new(origin: Uri) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_MAX));
        // ring and not aws-lc: the latter spends 38 ms of CPU at its first use in a process. Bundled roots and not the
        // system's: reading those costs more than the rest of the start-up (measured 2026-11-22).
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .expect("ring supports the default protocol versions")
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Self {
            origin,
            connector,
            idle: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn origin(&self) -> &Uri {
        &self.origin
    }

    /// Opens a connection for the next request, TLS handshake included, so that the first request finds it.
    pub(crate) async fn connect_ahead(&self, wait: Duration) -> Result<(), SendError> {
        let connection = self.connect(Instant::now() + wait).await?;
        self.keep(connection);
        Ok(())
    }

    /// Sends a request (its URI in origin form, its `host` header set) and waits for the whole answer.
    pub(crate) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
        wait: Duration,
    ) -> Result<Answer, SendError> {
        let until = Instant::now() + wait;
        // The event loop looks at its sockets before this task goes on.
        tokio::task::yield_now().await;
        loop {
            let (mut connection, kept) = match self.take().await {
                Some(connection) => (connection, true),
                None => (self.connect(until).await?, false),
            };
            let response = match timeout_at(until, connection.try_send_request(request)).await {
                Ok(Ok(response)) => response,
                Ok(Err(mut error)) => match error.take_message() {
                    // Ends: each round uses up a kept connection, and a new one is the last.
                    Some(unsent) if kept => {
                        request = unsent;
                        continue;
                    }
                    Some(_) => return Err(SendError::NotSent(told(error.error()))),
                    None => return Err(SendError::Lost(told(error.error()))),
                },
                Err(_) => return Err(SendError::Lost(no_answer_in(wait))),
            };
            let (parts, body) = response.into_parts();
            let body = timeout_at(until, Limited::new(body, ANSWER_BYTES_MAX).collect())
                .await
                .map_err(|_| SendError::Lost(no_answer_in(wait)))?
                .map_err(|error| SendError::Lost(told(&*error)))?
                .to_bytes();
            self.keep(connection);
            return Ok(Answer {
                status: parts.status,
                headers: parts.headers,
                body,
            });
        }
    }

    async fn connect(&self, until: Instant) -> Result<Connection, SendError> {
        let not_sent = |message: String| {
            SendError::NotSent(format!("no connection to {}: {message}", self.origin))
        };
        let mut connector = self.connector.clone();
        let stream = timeout_at(until, connector.call(self.origin.clone()))
            .await
            .map_err(|_| not_sent("it took too long".to_owned()))?
            .map_err(|error| not_sent(told(&*error)))?;
        let (connection, driver) = handshake(stream)
            .await
            .map_err(|error| not_sent(told(&error)))?;
        // The driver ends with the connection, and its error is the request's error too, so its result says nothing
        // that `send` does not hear.
        drop(tokio::spawn(driver));
        Ok(connection)
    }

    fn keep(&self, connection: Connection) {
        let since = Instant::now();
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Idle { connection, since });
    }

    async fn take(&self) -> Option<Connection> {
        loop {
            let idle = self
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop()?;
            let mut connection = idle.connection;
            if idle.since.elapsed() < IDLE_MAX && connection.ready().await.is_ok() {
                return Some(connection);
            }
        }
    }
}

/// The value of the `host` header for a URI: the default port is left out, as the signature expects.
pub(crate) fn host_header(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    match (uri.scheme_str(), uri.port_u16()) {
        (_, None) | (Some("http"), Some(80)) | (Some("https"), Some(443)) => host.to_owned(),
        (_, Some(port)) => format!("{host}:{port}"),
    }
}

fn no_answer_in(wait: Duration) -> String {
    format!("no answer within {} ms", wait.as_millis())
}

/// An error and its causes in one line: hyper's and rustls' own texts say little without them.
fn told(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}
