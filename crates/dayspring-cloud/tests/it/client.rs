//! A cloud on free ports and a private folder, and the least of HTTP clients.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use dayspring_cloud::{Cloud, CloudConfig, Identity};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A running cloud. Dropping it without [`Running::stop`] ends it with the runtime.
pub(crate) struct Running {
    runtime: Runtime,
    cloud: Option<Cloud>,
    pub(crate) aws: SocketAddr,
}

impl Running {
    pub(crate) fn on(folder: &TempDir) -> Self {
        Self::with(folder, |_| {})
    }

    /// A cloud whose configuration differs from the others'.
    pub(crate) fn with(folder: &TempDir, change: impl FnOnce(&mut CloudConfig)) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let mut config = CloudConfig {
            identity: Identity::default(),
            state: folder.path().join("state"),
            cache: folder.path().join("cache"),
            allow_unsigned: false,
            signing_secret: None,
            pause: None,
            database_url: None,
            function_lines: None,
            requests: None,
        };
        change(&mut config);
        let cloud = runtime.block_on(async {
            let aws = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
            Cloud::start(config, aws, api).await.unwrap()
        });
        Self {
            aws: cloud.aws_address(),
            cloud: Some(cloud),
            runtime,
        }
    }

    pub(crate) fn stop(mut self) {
        let cloud = self.cloud.take().unwrap();
        self.runtime.block_on(cloud.shut_down());
    }

    /// An operation of CloudFormation. Gives status and body.
    pub(crate) fn cloudformation(&self, action: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let mut form = format!("Action={action}&Version=2010-05-15");
        for (name, value) in fields {
            let value: String = value
                .bytes()
                .map(|byte| match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                    other => format!("%{other:02X}"),
                })
                .collect();
            form.push_str(&format!("&{name}={value}"));
        }
        let headers = [
            (
                "Content-Type",
                "application/x-www-form-urlencoded; charset=utf-8",
            ),
            ("Authorization", &signed_for("cloudformation")),
        ];
        let answer = send(self.aws, "POST", "/", &headers, form.as_bytes());
        (answer.status, answer.body)
    }

    /// Asks for the stack until nothing is under way. Gives its status.
    pub(crate) fn settled(&self, stack: &str) -> String {
        loop {
            let (status, body) = self.cloudformation("DescribeStacks", &[("StackName", stack)]);
            assert_eq!(status, 200, "{body}");
            let status = text_of(&body, "StackStatus");
            if !status.ends_with("_IN_PROGRESS") {
                return status;
            }
            // The cloud has the processor meanwhile.
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

/// What looks like a signature for a service. The cloud looks at the scope only.
pub(crate) fn signed_for(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKID/20261122/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=00"
    )
}

/// The text of the first element of this name.
#[track_caller]
pub(crate) fn text_of(xml: &str, name: &str) -> String {
    let (_, rest) = xml
        .split_once(&format!("<{name}>"))
        .unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split_once("</").unwrap().0.to_owned()
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// One request on a connection of its own.
#[track_caller]
pub(crate) fn send(
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    try_send(to, method, path, headers, body).expect("the server answers")
}

/// `None`: the other side was or went away.
pub(crate) fn try_send(
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Option<Answer> {
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let mut stream = TcpStream::connect(to).ok()?;
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}
