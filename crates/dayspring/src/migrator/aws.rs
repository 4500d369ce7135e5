//! The calls of AWS that the migrator makes besides the Data API's: signed, and repeated a few times, since each may be
//! repeated without harm.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Full;
use tokio::time::Instant;

use crate::Error;
use crate::database::{Settings, Signer};
use crate::http::{Http, SendError, host_header};

const ATTEMPTS_MAX: u32 = 4;
const ATTEMPT_WAIT: Duration = Duration::from_secs(5);

/// Why an attempt failed.
enum Problem {
    /// Another attempt would fail likewise.
    Final(String),
    Passing(String),
}

/// An AWS service of the function's own region.
#[derive(Debug)]
pub(crate) struct Service {
    endpoint: Uri,
    signer: Signer,
    http: Http,
}

impl Service {
    /// The service with this signing name, which is its host's too, and the variable that names another endpoint.
    pub(crate) fn new(
        name: &'static str,
        endpoint_variable: &'static str,
        variable: impl Fn(&str) -> Option<String>,
        settings: &Settings,
    ) -> Result<Self, Error> {
        let region = &settings.signer.region;
        let endpoint = Settings::read_endpoint(
            variable,
            endpoint_variable,
            format!("https://{name}.{region}.amazonaws.com"),
        )?;
        Ok(Self {
            http: Http::new(endpoint.clone()),
            endpoint,
            signer: Signer {
                credentials: settings.signer.credentials.clone(),
                region: region.clone(),
                service: name,
            },
        })
    }

    /// Posts `body` and gives the answer's body. What may pass is tried again, four times in all and not after `until`.
    pub(crate) async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
        until: Option<Instant>,
    ) -> Result<Bytes, String> {
        let mut attempt = 1;
        loop {
            let problem = match self.attempt(path, headers, body.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(Problem::Final(problem)) => return Err(problem),
                Err(Problem::Passing(problem)) => problem,
            };
            let pause = Duration::from_millis(250 << attempt);
            let is_late = until.is_some_and(|until| Instant::now() + pause >= until);
            if attempt == ATTEMPTS_MAX || is_late {
                return Err(problem);
            }
            let service = self.signer.service;
            tracing::warn!(attempt, problem, "{service} did not answer yet");
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    async fn attempt(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Bytes, Problem> {
        let root = self.endpoint.to_string();
        let url = format!("{}{path}", root.trim_end_matches('/'));
        let signature = self
            .signer
            .headers("POST", &url, headers, &body, SystemTime::now())
            .map_err(Problem::Final)?;
        let prefix = self.endpoint.path().trim_end_matches('/');
        let mut request = Request::post(format!("{prefix}{path}"))
            .header("host", host_header(self.http.origin()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for (name, value) in signature {
            request = request.header(name, value);
        }
        let request = request
            .body(Full::new(body))
            .map_err(|error| Problem::Final(error.to_string()))?;
        match self.http.send(request, ATTEMPT_WAIT).await {
            Ok(answer) if answer.status.is_success() => Ok(answer.body),
            Ok(answer) => {
                let status = answer.status;
                let body = String::from_utf8_lossy(&answer.body);
                let start: String = body.chars().take(300).collect();
                let problem = format!("status {status}: {start}");
                // Throttling is a 429, or a 400 that says so.
                if status.is_server_error() || status == 429 || start.contains("Throttl") {
                    Err(Problem::Passing(problem))
                } else {
                    Err(Problem::Final(problem))
                }
            }
            Err(SendError::NotSent(message) | SendError::Lost(message)) => {
                Err(Problem::Passing(message))
            }
        }
    }
}
