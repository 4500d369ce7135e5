//! The terminal: progress goes to standard error, results go to standard output.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};

use crate::error::Error;
use crate::render;
use crate::shutdown;

/// Where a command prints. A broken pipe is no reason to fail: who closed it does not want to read on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ui {
    color: bool,
    /// Whether standard error is a terminal on which a line can be written over.
    terminal: bool,
}

const GREEN: &str = "\x1b[1;32m";
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const CYAN: &str = "\x1b[1;36m";
const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

impl Ui {
    pub(crate) fn new() -> Self {
        let terminal = std::io::stderr().is_terminal()
            && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb");
        let color = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { color, terminal }
    }

    /// Asks at the terminal, and takes `y` for a yes. Who wants the process to end says no.
    pub(crate) async fn agrees(self, question: &'static str) -> bool {
        let (answer, answered) = tokio::sync::oneshot::channel();
        // By a thread that nobody waits for: a runtime would not end before it does.
        std::thread::spawn(move || {
            // Who asked may be gone.
            let _unheard = answer.send(self.confirms(question));
        });
        tokio::select! {
            yes = answered => yes.unwrap_or(false),
            () = shutdown::requested() => {
                // The question's line is still open.
                self.note("");
                false
            }
        }
    }

    fn confirms(self, question: &str) -> bool {
        drop(write!(std::io::stderr(), "{question} [y/N] "));
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        let answer = answer.trim();
        read.is_ok() && (answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"))
    }

    /// A line that the next one writes over; nothing where there is no terminal.
    pub(crate) fn last_line(self, text: &str) {
        if !self.terminal {
            return;
        }
        let mut out = std::io::stderr().lock();
        let columns =
            rustix::termios::tcgetwinsize(&out).map_or(80, |size| usize::from(size.ws_col));
        // Beyond the last column it would wrap, and what wraps cannot be written over.
        let text = self.paint(CYAN, &render::cut(text, columns.saturating_sub(14)));
        drop(write!(out, "{:>12} {text}", ""));
        drop(out.flush());
    }

    /// Removes the line that `last_line` wrote.
    pub(crate) fn clear_line(self) {
        if self.terminal {
            drop(write!(std::io::stderr(), "\r\x1b[2K"));
        }
    }

    /// A line that belongs to the one before it, and is bad news.
    pub(crate) fn alarm(self, text: &str) {
        self.indented(RED, text);
    }

    /// How many columns a result may take: those of the terminal, as far as lines are easy to read; as `COLUMNS` says;
    /// else 80.
    pub(crate) fn width(self) -> usize {
        const WIDTH: usize = 80;
        const WIDTH_MAX: usize = 140;
        let of_terminal = || {
            let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
            (size.ws_col > 0).then(|| usize::from(size.ws_col))
        };
        let asked = std::env::var("COLUMNS").ok();
        asked
            .and_then(|columns| columns.parse().ok())
            .or_else(of_terminal)
            .map_or(WIDTH, |width| width.min(WIDTH_MAX))
    }

    /// A line of progress, as cargo writes them: a verb, then what it is about.
    pub(crate) fn status(self, verb: &str, text: &str) {
        self.progress(GREEN, verb, text);
    }

    /// A line that belongs to the one before it.
    pub(crate) fn detail(self, text: &str) {
        self.indented(DIM, text);
    }

    /// Something to know that ends nothing.
    pub(crate) fn warning(self, text: &str) {
        self.progress(YELLOW, "Warning", text);
    }

    /// Names and values, a line each.
    pub(crate) fn note_outputs(self, outputs: &BTreeMap<String, String>) {
        let rows: Vec<[String; 2]> = outputs
            .iter()
            .map(|(name, value)| [name.clone(), value.clone()])
            .collect();
        self.detail(&render::table(&rows));
    }

    /// Text that stands by itself, as it is.
    pub(crate) fn note(self, text: &str) {
        drop(writeln!(std::io::stderr(), "{text}"));
    }

    /// A result: what a script or a pipe reads.
    pub(crate) fn result(self, text: &str) {
        let mut out = std::io::stdout().lock();
        drop(writeln!(out, "{text}"));
        drop(out.flush());
    }

    /// A long result, written piece by piece.
    pub(crate) fn results(
        self,
        write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        write(&mut out)?;
        out.flush()
    }

    /// An error with its chain of causes and its help.
    pub(crate) fn error(self, error: &Error) {
        let text = error.to_string();
        // A rendered report opens with its own "error:", or with "error[RULE]:".
        let (title, text) = match text.split_once(':') {
            Some((title, text)) if title.starts_with("error") => (format!("{title}:"), text.trim()),
            _ => ("error:".to_owned(), text.as_str()),
        };
        let mut out = format!("{} {text}", self.paint(RED, &title));
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            out.push_str(&format!("\n  caused by: {cause}"));
            source = cause.source();
        }
        if let Some(help) = error.help() {
            out.push_str(&format!("\n{} {help}", self.paint(CYAN, " help:")));
        }
        self.note(&out);
    }

    fn indented(self, color: &str, text: &str) {
        for line in text.lines() {
            let line = self.paint(color, line);
            drop(writeln!(std::io::stderr(), "{:>12} {line}", ""));
        }
    }

    fn progress(self, color: &str, verb: &str, text: &str) {
        let verb = self.paint(color, &format!("{verb:>12}"));
        drop(writeln!(std::io::stderr(), "{verb} {text}"));
    }

    fn paint(self, color: &str, text: &str) -> String {
        if self.color {
            format!("{color}{text}{RESET}")
        } else {
            text.to_owned()
        }
    }
}
