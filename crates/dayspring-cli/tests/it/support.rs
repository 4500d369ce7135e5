//! A copy of the example that a test may change, the processes that serve it, and requests to them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

/// Far more than anything here takes: reached only when something hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// All copies of the example are built into one folder, where each replaces the binary of the one before it: so only one
/// copy is there at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A project in a folder of its own: a copy of `examples/blog`, or one that `dayspring new` wrote.
pub(crate) struct Project {
    folder: PathBuf,
    _temporary: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Project {
    pub(crate) fn blog() -> Self {
        // A test that failed has poisoned it, and nothing else.
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let example = root().join("examples/blog");
        for part in ["functions", "scripts"] {
            copy(&example.join(part), &folder.path().join(part));
        }
        std::fs::copy(
            example.join("dayspring.toml"),
            folder.path().join("dayspring.toml"),
        )
        .unwrap();
        // The same crates as the workspace's, so that nothing is resolved anew.
        std::fs::copy(root().join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
        let project = Self {
            folder: folder.path().to_owned(),
            _temporary: folder,
            _alone: alone,
        };
        project.write("Cargo.toml", &standalone_manifest(&example));
        project
    }

    pub(crate) fn written_by_new(name: &str) -> Self {
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let mut project = Self {
            folder: folder.path().to_owned(),
            _temporary: folder,
            _alone: alone,
        };
        let written = project.run(&["new", name]);
        assert!(written.status.success(), "{written:?}");
        project.folder.push(name);
        std::fs::copy(root().join("Cargo.lock"), project.folder.join("Cargo.lock")).unwrap();
        project
    }

    /// Where all copies of the example are built.
    pub(crate) fn build_folder() -> PathBuf {
        root().join("target/e2e")
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.folder().join(path)).unwrap()
    }

    /// Writes a file in one step: a `dev` that looks on sees it before or after, and never half of it.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder().join(path);
        // A folder that nobody watches.
        let apart = self.folder().join(".apart");
        for folder in [path.parent().unwrap(), &apart] {
            std::fs::create_dir_all(folder).unwrap();
        }
        std::fs::write(apart.join("unfinished"), text).unwrap();
        std::fs::rename(apart.join("unfinished"), path).unwrap();
    }

    pub(crate) fn append(&self, path: &str, text: &str) {
        self.write(path, &(self.read(path) + text));
    }

    /// `dayspring ARGS`, with the build folder that all tests share.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dayspring"));
        command
            .args(arguments)
            .current_dir(self.folder())
            .env("CARGO_TARGET_DIR", Self::build_folder())
            .env("NO_COLOR", "1")
            .env("CARGO_TERM_COLOR", "never")
            .env_remove("AWS_ENDPOINT_URL")
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_REGION")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(crate) fn dev(&self) -> Server {
        Server::start(self.command(&["dev", "--port", "0", "--aws-port", "0"]))
    }
}

/// The example's manifest as that of a package by itself.
fn standalone_manifest(example: &Path) -> String {
    let manifest = std::fs::read_to_string(example.join("Cargo.toml")).unwrap();
    let crate_folder = root().join("crates/dayspring");
    manifest
        .replace(
            "dayspring.workspace = true",
            &format!("dayspring = {{ path = {crate_folder:?} }}"),
        )
        .replace(
            "serde.workspace = true",
            "serde = { version = \"1\", features = [\"derive\"] }",
        )
        .replace("serde_json.workspace = true", "serde_json = \"1\"")
        .replace("rust-version.workspace = true\n", "")
        .replace("version.workspace = true", "version = \"0.1.0\"")
        .replace("edition.workspace = true", "edition = \"2024\"")
        .replace("license.workspace = true\n", "")
        .replace("publish.workspace = true\n", "")
        .replace("[lints]\nworkspace = true\n", "")
        + "\n[workspace]\n\n[profile.dev]\ndebug = false\n"
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

/// A running `dayspring dev` or `dayspring cloud`.
pub(crate) struct Server {
    child: Child,
    /// What follows `ready `.
    pub(crate) url: String,
    log: Receiver<String>,
    seen: Vec<String>,
}

impl Server {
    /// A cloud of the project's own, on free ports.
    pub(crate) fn cloud(project: &Project, more: &[&str]) -> Self {
        const ARGUMENTS: [&str; 7] = [
            "cloud",
            "--port",
            "0",
            "--api-port",
            "0",
            "--state",
            "state",
        ];
        Self::start(project.command(&[&ARGUMENTS, more].concat()))
    }

    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, log) = channel();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let errors = sender.clone();
        read_lines(stdout, move |line| drop(sender.send(line)));
        read_lines(stderr, move |line| drop(errors.send(line)));
        let mut server = Self {
            child,
            url: String::new(),
            log,
            seen: Vec::new(),
        };
        loop {
            let line = server.next_line("ready");
            if let Some(url) = line.strip_prefix("ready ") {
                server.url = url.to_owned();
                return server;
            }
            assert!(
                !line.contains("nothing is served yet"),
                "{}",
                server.printed()
            );
        }
    }

    #[track_caller]
    fn next_line(&mut self, wanted: &str) -> String {
        match self.log.recv_timeout(PATIENCE) {
            Ok(line) => {
                self.seen.push(line.clone());
                line
            }
            Err(RecvTimeoutError::Timeout) => panic!("no {wanted:?} in time:\n{}", self.printed()),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("ended without {wanted:?}:\n{}", self.printed())
            }
        }
    }

    /// Waits for a line that holds the text, and gives all lines since the last wait.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let mut lines = String::new();
        loop {
            let line = self.next_line(text);
            lines += &line;
            lines.push('\n');
            if line.contains(text) {
                return lines;
            }
        }
    }

    /// Everything it printed so far.
    pub(crate) fn printed(&mut self) -> String {
        self.seen.extend(self.log.try_iter());
        self.seen.join("\n")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.url.strip_prefix("http://").unwrap().parse().unwrap()
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        request("GET", &format!("{}{path}", self.url), &[], "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        let headers = [("Content-Type", "application/json")];
        request(
            "POST",
            &format!("{}{path}", self.url),
            &headers,
            &body.to_string(),
        )
    }

    /// Asks it to end as a service manager would, and waits for that.
    pub(crate) fn stop(self) {
        self.stop_by("TERM");
    }

    /// Asks it to end by a signal, and waits for that.
    pub(crate) fn stop_by(mut self, name: &str) {
        signal(name, self.child.id());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "ended with {status}:\n{}", self.printed());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            signal("TERM", self.child.id());
            drop(self.child.wait());
        }
    }
}

fn read_lines(from: impl Read + Send + 'static, take: impl Fn(String) + Send + 'static) {
    std::thread::spawn(move || {
        BufReader::new(from)
            .lines()
            .map_while(Result::ok)
            .for_each(take)
    });
}

pub(crate) fn signal(name: &str, process_id: u32) {
    drop(
        Command::new("kill")
            .args([&format!("-{name}"), &process_id.to_string()])
            .status(),
    );
}

/// The processes whose parent is this one.
pub(crate) fn children_of(process_id: u32) -> Vec<u32> {
    let output = Command::new("ps")
        .args(["-A", "-o", "pid=,ppid="])
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| {
            let mut numbers = line
                .split_whitespace()
                .map(|number| number.parse::<u32>().unwrap());
            let (child, parent) = (numbers.next()?, numbers.next()?);
            (parent == process_id).then_some(child)
        })
        .collect()
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// The host is the API's own name; it resolves to loopback only where the system's resolver knows `.localhost`.
pub(crate) fn url_on_this_machine(url: &str) -> String {
    let (host, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let (name, port) = host.rsplit_once(':').unwrap();
    let (id, _) = name.split_once('.').unwrap();
    format!("http://127.0.0.1:{port}/restapis/{id}/{path}/_user_request_")
}

/// A request of a query protocol, with what looks like a signature for the service.
#[track_caller]
pub(crate) fn form(url: &str, service: &str, fields: &[(&str, &str)]) -> Answer {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    let body: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    let signature = format!(
        "AWS4-HMAC-SHA256 Credential=AKID/20261122/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=00"
    );
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Authorization", &signature),
    ];
    request("POST", url, &headers, &body.join("&"))
}

/// One request on a connection of its own.
#[track_caller]
pub(crate) fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = if path.is_empty() { "/" } else { path };
    let mut stream = TcpStream::connect(host).unwrap();
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines
        .next()
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Answer {
        status,
        headers,
        body: body.to_owned(),
    }
}
