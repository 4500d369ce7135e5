//! What a process prints, as CloudWatch gets it: its lines between the platform's START, END and REPORT lines.
//!
//! The process writes into a pipe. A follower wakes when something is in it, so a line of a long request shows at once;
//! and the invoker empties it without waiting when the request's answer is there, so that whatever the function printed
//! before it answered belongs to the request and to its log tail.

use std::io::{ErrorKind, PipeReader, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::mpsc;

use super::date::unix_millis_now;
use super::platform::Platform;
use crate::logs::Logs;

/// `X-Amz-Log-Result` holds the last 4 KB: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>.
const TAIL_BYTES: usize = 4096;

/// A CloudWatch event has at most 256 KB; a longer line becomes several.
const LINE_BYTES_MAX: usize = 256 * 1024;

/// Lines wait in a channel for the one who looks on, and a thousand whole ones would be a quarter of a GiB.
const SHOWN_BYTES_MAX: usize = 16 * 1024;

/// How much is taken from a pipe at once, so that a function that prints without end cannot hold the invoker.
const DRAIN_BYTES_MAX: usize = 1024 * 1024;

/// A line that a function printed, or that the platform wrote about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionLine {
    /// The function's name.
    pub function: String,
    /// Without the line end.
    pub line: String,
}

/// Where lines are kept.
#[derive(Debug, Clone)]
pub(super) struct LogTarget {
    pub(super) logs: Logs,
    pub(super) group: String,
    pub(super) platform: Platform,
    /// A second listener. What it does not take in time is dropped for it.
    pub(super) lines: Option<mpsc::Sender<FunctionLine>>,
}

impl LogTarget {
    /// Lines of a process that never came to be.
    pub(super) fn put(&self, lines: &[String]) {
        let stream = &self.platform.log_stream;
        self.logs.put(&self.group, stream, unix_millis_now(), lines);
        for line in lines {
            self.show(line);
        }
    }

    fn show(&self, line: &str) {
        if let Some(lines) = &self.lines {
            // Full: the reader is slower than the function, and the log store still has the line.
            drop(lines.try_send(FunctionLine {
                function: self.platform.function.clone(),
                line: shown(line).to_owned(),
            }));
        }
    }
}

/// As much of a line as somebody who looks on is shown.
fn shown(line: &str) -> &str {
    line.get(..line.floor_char_boundary(SHOWN_BYTES_MAX))
        .unwrap_or(line)
}

/// See the module.
#[derive(Debug)]
pub(super) struct ProcessLog {
    target: LogTarget,
    /// The reading end, which does not block.
    pipe: PipeReader,
    /// Held while the pipe is read, so that two readers cannot swap what they read; never across an await.
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    unfinished: Vec<u8>,
    /// Not yet given to the log store.
    batch: Vec<String>,
    tail: Vec<u8>,
}

impl ProcessLog {
    /// `pipe` must not block.
    pub(super) fn new(target: LogTarget, pipe: PipeReader) -> Arc<Self> {
        let log = Self {
            target,
            pipe,
            lines: Mutex::new(Lines::default()),
        };
        // Before anything that the process prints.
        if let Some(line) = log.target.platform.init_start(unix_millis_now()) {
            log.line(&mut log.lines(), line);
        }
        Arc::new(log)
    }

    /// What the platform writes into this log.
    pub(super) fn platform(&self) -> &Platform {
        &self.target.platform
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes lines on as they come, until the other end is closed. `receiver` is the same pipe.
    pub(super) async fn follow(self: Arc<Self>, receiver: Receiver) {
        let mut chunk = vec![0; 16 * 1024];
        while receiver.readable().await.is_ok() {
            let mut lines = self.lines();
            let mut open = true;
            let mut taken = 0;
            while taken < DRAIN_BYTES_MAX {
                match receiver.try_read(&mut chunk) {
                    Ok(0) => {
                        open = false;
                        break;
                    }
                    Ok(count) => {
                        taken += count;
                        self.push(&mut lines, chunk.get(..count).unwrap_or_default());
                    }
                    Err(_) => break,
                }
            }
            if taken > 0 {
                self.store(&mut lines);
            }
            drop(lines);
            if !open {
                return;
            }
        }
    }

    /// A request begins: its tail begins with this line.
    pub(super) fn start(&self, line: Option<String>) {
        let mut lines = self.lines();
        self.drain(&mut lines);
        lines.tail.clear();
        self.end_with(&mut lines, line);
    }

    /// Lines of the platform's.
    pub(super) fn write(&self, platform: impl IntoIterator<Item = String>) {
        let mut lines = self.lines();
        self.drain(&mut lines);
        self.end_with(&mut lines, platform);
        self.store(&mut lines);
    }

    /// A request is over: the last 4 KiB of its log.
    pub(super) fn finish(&self, ends: impl IntoIterator<Item = String>) -> Bytes {
        let mut lines = self.lines();
        self.drain(&mut lines);
        self.end_with(&mut lines, ends);
        self.store(&mut lines);
        let from = lines.tail.len().saturating_sub(TAIL_BYTES);
        Bytes::copy_from_slice(lines.tail.get(from..).unwrap_or_default())
    }

    /// The process is gone: what it printed last.
    pub(super) fn close(&self) {
        let mut lines = self.lines();
        self.drain(&mut lines);
        self.finish_line(&mut lines);
        self.store(&mut lines);
    }

    fn drain(&self, lines: &mut Lines) {
        let mut chunk = [0; 4096];
        let mut taken = 0;
        while taken < DRAIN_BYTES_MAX {
            match (&self.pipe).read(&mut chunk) {
                Ok(0) => return,
                Ok(count) => {
                    taken += count;
                    self.push(lines, chunk.get(..count).unwrap_or_default());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    fn push(&self, lines: &mut Lines, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            lines.unfinished.extend_from_slice(line);
            self.finish_line(lines);
            bytes = rest.get(1..).unwrap_or_default();
        }
        lines.unfinished.extend_from_slice(bytes);
        if lines.unfinished.len() >= LINE_BYTES_MAX {
            self.finish_line(lines);
        }
    }

    fn finish_line(&self, lines: &mut Lines) {
        if lines.unfinished.is_empty() {
            return;
        }
        let line = String::from_utf8_lossy(&lines.unfinished).into_owned();
        lines.unfinished.clear();
        if self.target.platform.format.keeps(&line) {
            self.line(lines, line);
        }
    }

    /// A line of the platform's never continues one of the function's.
    fn end_with(&self, lines: &mut Lines, platform: impl IntoIterator<Item = String>) {
        self.finish_line(lines);
        for line in platform {
            self.line(lines, line);
        }
    }

    fn line(&self, lines: &mut Lines, line: String) {
        lines.tail.extend_from_slice(line.as_bytes());
        lines.tail.push(b'\n');
        if lines.tail.len() > 4 * TAIL_BYTES {
            let surplus = lines.tail.len() - TAIL_BYTES;
            lines.tail.drain(..surplus);
        }
        self.target.show(&line);
        lines.batch.push(line);
    }

    fn store(&self, lines: &mut Lines) {
        if !lines.batch.is_empty() {
            self.target.logs.put(
                &self.target.group,
                &self.target.platform.log_stream,
                unix_millis_now(),
                lines.batch.drain(..),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::lambda::logging::LogFormat;
    use crate::lambda::report::InitPhase;

    fn log(
        folder: &std::path::Path,
    ) -> (
        Arc<ProcessLog>,
        std::io::PipeWriter,
        mpsc::Receiver<FunctionLine>,
    ) {
        let (reader, writer) = std::io::pipe().unwrap();
        rustix::fs::fcntl_setfl(&reader, rustix::fs::OFlags::NONBLOCK).unwrap();
        let (sender, receiver) = mpsc::channel(8);
        let target = LogTarget {
            logs: crate::lambda::tests::logs(folder),
            group: "/aws/lambda/f".to_owned(),
            platform: Platform {
                format: LogFormat::Text,
                function: "f".to_owned(),
                version: "$LATEST".to_owned(),
                log_stream: "2026/11/22/[$LATEST]0".to_owned(),
                memory_mib: 128,
                phase: InitPhase::Init,
            },
            lines: Some(sender),
        };
        (ProcessLog::new(target, reader), writer, receiver)
    }

    #[test]
    fn a_request_has_what_was_printed_since_it_began() {
        let folder = tempfile::tempdir().unwrap();
        let (log, mut writer, mut lines) = log(folder.path());
        writer.write_all(b"starting\n").unwrap();
        log.start(Some("START".to_owned()));
        writer.write_all(b"one\ntw").unwrap();
        writer.write_all(b"o\nno line end").unwrap();
        let tail = log.finish(["END".to_owned()]);
        assert_eq!(tail, "START\none\ntwo\nno line end\nEND\n");
        assert_eq!(lines.try_recv().unwrap().line, "starting");
    }

    #[test]
    fn a_tail_is_the_last_four_kibibytes() {
        let folder = tempfile::tempdir().unwrap();
        let (log, mut writer, _lines) = log(folder.path());
        log.start(Some("START".to_owned()));
        for _ in 0..60 {
            writer.write_all(&[b'x'; 999]).unwrap();
            writer.write_all(b"\n").unwrap();
        }
        let tail = log.finish(["END".to_owned()]);
        assert_eq!(tail.len(), TAIL_BYTES);
        assert!(tail.ends_with(b"x\nEND\n"));
    }
}
