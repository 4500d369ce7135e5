//! A small HTTP server that records what it is sent and answers as a test scripts it, hanging up included.

use std::sync::{Arc, Mutex};

use dayspring::{Context, Database};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::mariadb::DataApi;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(other, _)| other == name)?;
        Some(value)
    }
}

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Ok(Value),
    Error(u16, &'static str, String),
    /// What the server's database answers.
    Database,
    /// Closes the connection without an answer.
    HangUp,
    /// Answers, and closes the connection.
    OkAndClose(Value),
    /// Never answers.
    Silence,
}

pub(crate) struct Server {
    port: u16,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Server {
    /// Starts a server; `answer` is asked for each request with its number, counted from 1.
    pub(crate) async fn start(
        answer: impl Fn(&Call, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(None, answer).await
    }

    /// The same with a database behind [`Reply::Database`].
    pub(crate) async fn start_with(
        database: Option<Arc<DataApi>>,
        answer: impl Fn(&Call, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(answer);
        let recorded = calls.clone();
        // Ends with the test's runtime.
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let database = database.clone();
                tokio::spawn(serve(stream, recorded.clone(), database, answer.clone()));
            }
        });
        Self { port, calls }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.path).collect()
    }

    /// The variables of a function whose Data API is this server.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let value = match name {
            "AWS_ENDPOINT_URL" => return Some(self.url()),
            "AWS_REGION" => "eu-central-1",
            "AWS_ACCESS_KEY_ID" => "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY" => "secret",
            "AWS_SESSION_TOKEN" => "token",
            "DAYSPRING_CLUSTER_ARN" => "arn:aws:rds:eu-central-1:123456789012:cluster:blog",
            "DAYSPRING_SECRET_ARN" => {
                "arn:aws:secretsmanager:eu-central-1:123456789012:secret:blog"
            }
            "DAYSPRING_DATABASE" => "blog",
            _ => return None,
        };
        Some(value.to_owned())
    }

    /// A database on this server, without a deadline.
    pub(crate) fn database(&self) -> Database {
        Database::from_variables(|name| self.variable(name), &Context::default()).unwrap()
    }
}

async fn serve(
    mut stream: TcpStream,
    calls: Arc<Mutex<Vec<Call>>>,
    database: Option<Arc<DataApi>>,
    answer: Arc<impl Fn(&Call, usize) -> Reply>,
) {
    let mut buffer = Vec::new();
    while let Some(call) = read_call(&mut stream, &mut buffer).await {
        let number = {
            let mut calls = calls.lock().unwrap();
            calls.push(call.clone());
            calls.len()
        };
        let reply = match (answer(&call, number), &database) {
            (Reply::Database, Some(database)) => database.answer(&call).await,
            (reply, _) => reply,
        };
        let (status, kind, body, close) = match reply {
            Reply::Ok(body) => (200, "", body, false),
            Reply::OkAndClose(body) => (200, "", body, true),
            Reply::Error(status, kind, message) => {
                (status, kind, json!({ "message": message }), false)
            }
            Reply::HangUp | Reply::Database => return,
            Reply::Silence => std::future::pending().await,
        };
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\nx-amzn-errortype: {kind}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if stream.write_all((head + &body).as_bytes()).await.is_err() || close {
            return;
        }
    }
}

async fn read_call(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Call> {
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer[..head_end].to_vec()).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ').map(str::to_owned);
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    while buffer.len() < head_end + length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body = serde_json::from_slice(&buffer[head_end..head_end + length]).unwrap_or_default();
    buffer.drain(..head_end + length);
    Some(Call {
        method: first.next()?,
        path: first.next()?,
        headers,
        body,
    })
}
