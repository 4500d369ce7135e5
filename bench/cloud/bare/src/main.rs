//! Answers every request with `{"message":"hello"}`, with no library: a loop on Lambda's Runtime API over one connection.
//!
//! It looks at no more of an event than its id, but for the first, which says what an answer has to look like: so next to nothing
//! of what is measured is its own.

use std::io::{Error, Read, Result, Write};
use std::net::TcpStream;

const ANSWER: &str = r#"{"statusCode":200,"headers":{"content-type":"application/json"},"body":"{\"message\":\"hello\"}"}"#;

/// What `cargo lambda` wants of a function with a URL, and a REST API takes for malformed.
const ANSWER_OF_A_URL: &str = r#"{"statusCode":200,"headers":{"content-type":"application/json"},"body":"{\"message\":\"hello\"}","cookies":[]}"#;

fn main() -> Result<()> {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").map_err(Error::other)?;
    // Lambda says HOST:PORT. `cargo lambda` says a URL whose path is the function's name.
    let api = api.strip_prefix("http://").unwrap_or(&api);
    let (address, prefix) = api.split_once('/').unwrap_or((api, ""));
    let prefix = if prefix.is_empty() {
        String::new()
    } else {
        format!("/{}", prefix.trim_end_matches('/'))
    };
    let invocation = format!("{prefix}/2018-06-01/runtime/invocation");
    let next = format!("GET {invocation}/next HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let mut runtime = Runtime {
        stream: TcpStream::connect(address)?,
        buffer: Vec::new(),
    };
    runtime.stream.set_nodelay(true)?;
    let mut answer = None;
    loop {
        let head = runtime.exchange(&next)?;
        let answer = *answer.get_or_insert_with(|| {
            if String::from_utf8_lossy(&runtime.buffer).contains(r#""version":"2.0""#) {
                ANSWER_OF_A_URL
            } else {
                ANSWER
            }
        });
        let id = field(&head, "lambda-runtime-aws-request-id")
            .ok_or_else(|| Error::other(format!("an event without an id: {head}")))?;
        let length = answer.len();
        runtime.exchange(&format!(
            "POST {invocation}/{id}/response HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n{answer}"
        ))?;
    }
}

struct Runtime {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Runtime {
    /// Sends a request and reads its answer to the end. Gives the answer's head, if it is a good one.
    fn exchange(&mut self, request: &str) -> Result<String> {
        self.stream.write_all(request.as_bytes())?;
        self.buffer.clear();
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            self.fill()?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        if let Some(length) = field(&head, "content-length") {
            let length: usize = length.parse().map_err(Error::other)?;
            while self.buffer.len() < end + length {
                self.fill()?;
            }
        } else if field(&head, "transfer-encoding").is_some() {
            while !self.buffer[end..].ends_with(b"0\r\n\r\n") {
                self.fill()?;
            }
        }
        if head.get(9..10) != Some("2") {
            return Err(Error::other(head));
        }
        Ok(head)
    }

    fn fill(&mut self) -> Result<()> {
        let mut chunk = [0; 16 * 1024];
        let count = self.stream.read(&mut chunk)?;
        if count == 0 {
            return Err(Error::other("the connection was closed"));
        }
        self.buffer.extend_from_slice(&chunk[..count]);
        Ok(())
    }
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}
