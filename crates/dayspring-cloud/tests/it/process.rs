//! A cloud as a process of its own: `tests/fixtures/cloud.rs`.

use std::io::BufReader;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;

use crate::client::{Answer, try_send};

/// Killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    lines: BufReader<ChildStdout>,
    pub(crate) at: Addresses,
}

#[derive(Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) aws: SocketAddr,
    pub(crate) api: SocketAddr,
}

fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests
        .parent()
        .and_then(Path::parent)
        .unwrap()
        .join("examples/fixture-cloud");
    assert!(
        program.exists(),
        "`cargo test -p dayspring-cloud` builds {}",
        program.display()
    );
    program
}

impl Process {
    pub(crate) fn start(state: &Path) -> Self {
        Self::spawn(Command::new(program()).arg("--state").arg(state))
    }

    /// Stops for good at its n-th announced write.
    pub(crate) fn that_stops_at(state: &Path, write: u64) -> Self {
        Self::spawn(
            Command::new(program())
                .arg("--state")
                .arg(state)
                .env("STOP_AT", write.to_string()),
        )
    }

    /// No file may be longer than so many blocks of 512 bytes: to a process, a disk without room.
    pub(crate) fn with_small_files(state: &Path, blocks: u32) -> Self {
        Self::spawn(
            Command::new("/bin/sh")
                .args([
                    "-c",
                    &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" --state \"$1\""),
                ])
                .arg(program())
                .arg(state),
        )
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let ready = line(&mut lines);
        let addresses: Vec<SocketAddr> = ready
            .split(' ')
            .skip(1)
            .map(|address| address.parse().unwrap())
            .collect();
        let [aws, api] = addresses[..] else {
            panic!("not ready: {ready}");
        };
        let at = Addresses { aws, api };
        Self { child, lines, at }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Does some work, and kills the process when it stops at its write. Gives the write, if it came to that, and
    /// what the work came to.
    pub(crate) fn kill_at_its_write<T: Send>(
        mut self,
        work: impl FnOnce(Addresses) -> T + Send,
    ) -> (Option<String>, T) {
        enum Event<T> {
            Stopped(String),
            Done(T),
        }
        let (sender, events) = mpsc::channel();
        let (stopped, at) = (sender.clone(), self.at);
        std::thread::scope(|scope| {
            let lines = &mut self.lines;
            scope.spawn(move || stopped.send(Event::Stopped(line(lines))));
            scope.spawn(move || sender.send(Event::Done(work(at))));
            let mut write = None;
            loop {
                match events.recv().unwrap() {
                    Event::Stopped(line) => write = Some(line).filter(|line| !line.is_empty()),
                    Event::Done(result) => {
                        // Ends the other thread too.
                        self.child.kill().unwrap();
                        return (write, result);
                    }
                }
                self.child.kill().unwrap();
            }
        })
    }
}

impl Addresses {
    /// An operation of CloudFormation; `None` when the process is gone or stopped.
    pub(crate) fn cloudformation(&self, action: &str, fields: &[(&str, &str)]) -> Option<Answer> {
        let mut form = format!("Action={action}&Version=2010-05-15");
        for (name, value) in fields {
            form.push_str(&format!("&{name}="));
            for byte in value.bytes() {
                match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => form.push(char::from(byte)),
                    other => form.push_str(&format!("%{other:02X}")),
                }
            }
        }
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        try_send(self.aws, "POST", "/", &headers, form.as_bytes())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn line(lines: &mut impl std::io::BufRead) -> String {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}
