//! Cuts a script into statements exactly where the `mysql` client would, with one difference that is on purpose: a
//! stored program written without DELIMITER ends at its own END, where the client would cut it at its first semicolon.
//!
//! The client's rules, as its `add_line` and `read_and_execute` have them (`client/mysql.cc`, MySQL 8.0 and MariaDB
//! 10.11):
//!
//! 1. A delimiter counts outside quotes and comments, also inside `/*! */`; not inside `/*+ */`.
//! 2. Quotes are `'`, `"` and a backtick. A backslash escapes in the first two, unless NO_BACKSLASH_ESCAPES is set, and
//!    in the second unless ANSI_QUOTES is.
//! 3. `#` and `-- ` begin a comment to the end of the line, and `--` alone does at the very beginning of a statement.
//!    `/* */` does not nest.
//! 4. `DELIMITER x` takes the first word, which may be quoted; the rest of the line is ignored.
//! 5. A backslash outside quotes is a command of the client (`\G`), as are some words at a statement's beginning
//!    (`source`). A script that needs the client's own commands is no script for a server, so these are errors.
//! 6. What is left at the end of the file is a statement, delimiter or not.
//!
//! Where the client itself goes wrong, it is not followed. Each case is a test against the real client
//! (`tests/it/client.rs`), with its reason.

mod compound;
mod sql_mode;

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use crate::lexer::{
    block_comment_length, executable_opener_length, is_dash_comment, is_space, is_word,
    line_length, trim,
};
use compound::Compound;
pub use sql_mode::Reading;
use sql_mode::SqlMode;

/// Where a statement stands in its file. Everything between two of them is a gap: white space, comments, delimiters
/// and DELIMITER lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementSpan {
    /// The first byte.
    pub start: usize,
    /// One past the last byte; the delimiter and what follows the last token are not in it.
    pub end: usize,
    /// The line of the first byte, from 1.
    pub line: usize,
}

/// Why a script cannot be cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct SplitError {
    /// What is wrong.
    pub kind: SplitErrorKind,
    /// The byte where it begins.
    pub start: usize,
    /// One past the last byte that shows it.
    pub end: usize,
}

/// What is wrong with a script's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitErrorKind {
    /// A quote is never closed.
    #[error("the text that begins with {} is never closed", shown_quote(*.0))]
    OpenQuote(char),
    /// A comment is never closed.
    #[error("the comment that begins here is never closed with `*/`")]
    OpenComment,
    /// A statement ends inside `/*! */`.
    #[error("the delimiter `{0}` stands inside the `/*!` that begins here")]
    DelimiterInComment(String),
    /// A stored program has no END of its own.
    #[error("the body that begins here has no END of its own")]
    OpenBody,
    /// A command of the `mysql` client, which no server knows.
    #[error("`{0}` is a command of the mysql client, not SQL")]
    ClientCommand(String),
    /// A backslash outside quotes that is no command either.
    #[error("a backslash stands outside quotes")]
    Backslash,
    /// DELIMITER without a usable argument.
    #[error("DELIMITER needs a text without a backslash after it")]
    Delimiter,
    /// A NUL byte.
    #[error("a NUL byte stands here; the file is not text")]
    Nul,
}

impl SplitErrorKind {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::OpenQuote('`') => {
                "close the name with another backtick; inside it, write a backtick twice"
            }
            Self::OpenQuote('$') => "end the body with the same `$...$` that begins it",
            Self::OpenQuote(_) => "close the quote, or double it where it belongs to the text",
            Self::OpenComment => "close the comment; comments do not nest in MySQL",
            Self::DelimiterInComment(_) => {
                "close it with `*/` before the statement ends; for a body with `;` in it, set another DELIMITER first"
            }
            Self::OpenBody => {
                "end every BEGIN, IF, CASE and loop, or write the body between two DELIMITER lines"
            }
            Self::ClientCommand(command) => match command.to_ascii_lowercase().as_str() {
                "source" | "\\." => "write that file's SQL here, or make it a script of its own",
                "\\g" | "go" | "ego" => "end the statement with `;` instead",
                "\\d" => "write `DELIMITER` in full, at the beginning of a line",
                "\\u" => "write `USE` in full",
                _ => "take it out: a script holds only what the server itself understands",
            },
            Self::Backslash => "put the text in quotes, or take the backslash out",
            Self::Delimiter => {
                "write for example `DELIMITER //`, and `DELIMITER ;` after the last `//`"
            }
            Self::Nul => "save the file as UTF-8; UTF-16 has such bytes",
        }
    }
}

/// A backtick between backticks would be hard to read.
fn shown_quote(quote: char) -> String {
    if quote == '`' {
        "a backtick".to_owned()
    } else {
        format!("`{quote}`")
    }
}

/// How the literals of each statement are read, by what the statements before it have set.
pub(crate) fn readings(source: &str, spans: &[StatementSpan]) -> Vec<Reading> {
    let mut mode = SqlMode::default();
    let mut found = Vec::with_capacity(spans.len());
    for span in spans {
        found.push(mode.reading());
        mode.follow(&source[span.start..span.end]);
    }
    found
}

/// Cuts a script into its statements.
///
/// ```
/// let source = "SELECT 1; -- one\nSELECT ';';";
/// let texts: Vec<&str> = dayspring_migrate::split(source)?.iter().map(|s| &source[s.start..s.end]).collect();
/// assert_eq!(texts, ["SELECT 1", "SELECT ';'"]);
/// # Ok::<(), dayspring_migrate::SplitError>(())
/// ```
///
/// # Errors
/// What the client would not send to a server as it stands: open quotes, comments and bodies, commands of the client.
pub fn split(source: &str) -> Result<Vec<StatementSpan>, SplitError> {
    let bytes = source.as_bytes();
    if let Some(at) = memchr(0, bytes) {
        return Err(SplitError {
            kind: SplitErrorKind::Nul,
            start: at,
            end: at + 1,
        });
    }
    let mut splitter = Splitter {
        text: source,
        source: bytes,
        at: 0,
        delimiter: Cow::Borrowed(b";"),
        interesting: interesting(b';'),
        mode: SqlMode::default(),
        line: 1,
        line_at: 0,
        statements: Vec::new(),
    };
    while splitter.step()? {}
    Ok(splitter.statements)
}

/// A piece of a file: statements and gaps in turn, which join back to the file byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// White space, comments, delimiters, DELIMITER lines, a byte order mark.
    Gap(&'a str),
    /// A statement.
    Statement(&'a str),
}

/// The file as statements and the gaps between them.
#[must_use]
pub fn pieces<'a>(source: &'a str, statements: &[StatementSpan]) -> Vec<Piece<'a>> {
    let mut pieces = Vec::with_capacity(statements.len() * 2 + 1);
    let mut at = 0;
    for statement in statements {
        pieces.push(Piece::Gap(&source[at..statement.start]));
        pieces.push(Piece::Statement(&source[statement.start..statement.end]));
        at = statement.end;
    }
    pieces.push(Piece::Gap(&source[at..]));
    pieces
}

/// The client's long commands and whether each takes an argument (`commands[]` in `client/mysql.cc`). DELIMITER and
/// USE are handled by themselves.
const CLIENT_COMMANDS: &[(&str, bool)] = &[
    ("?", true),
    ("charset", true),
    ("clear", false),
    ("connect", true),
    ("edit", false),
    ("ego", false),
    ("exit", false),
    ("go", false),
    ("help", true),
    ("nopager", false),
    ("notee", false),
    ("nowarning", false),
    ("pager", true),
    ("print", false),
    ("prompt", true),
    ("query_attributes", true),
    ("quit", false),
    ("rehash", false),
    ("resetconnection", false),
    ("sandbox", false),
    ("source", true),
    ("ssl_session_data_print", true),
    ("status", false),
    ("system", true),
    ("tee", true),
    ("warnings", false),
];

/// Also within a file, where it comes from files that were put together.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

struct Splitter<'a> {
    text: &'a str,
    source: &'a [u8],
    at: usize,
    delimiter: Cow<'a, [u8]>,
    interesting: [bool; 256],
    mode: SqlMode,
    line: usize,
    line_at: usize,
    statements: Vec<StatementSpan>,
}

/// The bytes at which the scan of a statement has to look; all others are passed over without a thought.
fn interesting(delimiter_first: u8) -> [bool; 256] {
    let mut table = [false; 256];
    for byte in *b"'\"`\\#-/*" {
        table[usize::from(byte)] = true;
    }
    table[usize::from(delimiter_first)] = true;
    table
}

impl<'a> Splitter<'a> {
    /// Passes one piece of a gap or one statement; false at the end.
    fn step(&mut self) -> Result<bool, SplitError> {
        let rest = self.rest();
        let Some(&first) = rest.first() else {
            return Ok(false);
        };
        if is_space(first) {
            self.at += 1;
        } else if rest.starts_with(BYTE_ORDER_MARK) {
            self.at += BYTE_ORDER_MARK.len();
        } else if self.delimiter_command()? {
        } else if self.is_delimiter(rest) {
            self.at += self.delimiter.len();
        } else if first == b'#' || rest.starts_with(b"--") {
            // No statement begins with `-`, so here the client needs no white space after `--`.
            self.at += line_length(rest);
        } else if is_plain_comment(rest) {
            self.at += self.block_comment(rest)?;
        } else if !self.client_command()? {
            self.statement()?;
        }
        Ok(true)
    }

    fn rest(&self) -> &'a [u8] {
        &self.source[self.at..]
    }

    fn is_delimiter(&self, rest: &[u8]) -> bool {
        rest.starts_with(&self.delimiter)
    }

    /// DELIMITER at a statement's beginning: its first word becomes the delimiter and the line ends there.
    fn delimiter_command(&mut self) -> Result<bool, SplitError> {
        const KEYWORD: &[u8] = b"delimiter";
        let rest = self.rest();
        if !rest
            .get(..KEYWORD.len())
            .is_some_and(|word| word.eq_ignore_ascii_case(KEYWORD))
        {
            return Ok(false);
        }
        let after = &rest[KEYWORD.len()..];
        let without_argument = self.is_delimiter(after);
        if !without_argument && after.first().is_some_and(|&byte| !is_space(byte)) {
            return Ok(false);
        }
        let length = line_length(rest);
        let argument = delimiter_argument(&rest[KEYWORD.len()..length])
            .filter(|argument| !without_argument && !argument.contains(&b'\\'));
        let Some(argument) = argument else {
            let end = self.at + trim(&rest[..length]).len();
            return Err(self.error(SplitErrorKind::Delimiter, self.at, end));
        };
        self.interesting = interesting(argument[0]);
        self.delimiter = argument;
        self.at += length;
        Ok(true)
    }

    /// Refuses a client's command, and takes `use blog` without a delimiter for the statement that it is.
    fn client_command(&mut self) -> Result<bool, SplitError> {
        let rest = self.rest();
        let letters = rest
            .iter()
            .take_while(|&&byte| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'?')
            .count();
        let may_be = |name: &str| rest[..letters].eq_ignore_ascii_case(name.as_bytes());
        if !may_be("use") && !CLIENT_COMMANDS.iter().any(|&(name, _)| may_be(name)) {
            return Ok(false);
        }
        let length = (0..rest.len())
            .find(|&at| rest[at] == b'\n' || self.is_delimiter(&rest[at..]))
            .unwrap_or(rest.len());
        let ends_by_delimiter = self.is_delimiter(&rest[length..]);
        let command = trim(&rest[..length]);
        let (word, after) = command.split_at(letters.min(command.len()));
        let argument = trim(after);
        let bare = argument.is_empty()
            || argument[0] == b'#'
            || argument.starts_with(b"--")
            || argument.starts_with(b"/*");
        if !bare && after.len() == argument.len() {
            // No white space follows the word: `help(1)`.
            return Ok(false);
        }
        let is_command = CLIENT_COMMANDS.iter().any(|&(name, takes_argument)| {
            word.eq_ignore_ascii_case(name.as_bytes()) && (takes_argument || bare)
        });
        if is_command {
            let shown = String::from_utf8_lossy(word).into_owned();
            return Err(self.error(
                SplitErrorKind::ClientCommand(shown),
                self.at,
                self.at + command.len(),
            ));
        }
        let is_use = word.eq_ignore_ascii_case(b"use") && !ends_by_delimiter && !bare;
        if is_use {
            self.push(self.at, self.at + command.len());
            self.at += command.len();
        }
        Ok(is_use)
    }

    /// Passes one statement and its delimiter.
    fn statement(&mut self) -> Result<(), SplitError> {
        let start = self.at;
        let mut compound = if *self.delimiter == *b";" {
            Compound::new()
        } else {
            Compound::plain()
        };
        // Where the `/*!` began that is still open.
        let mut executable = None;
        let mut end = start;
        // Where the present run of bytes that are no comment began.
        let mut run = start;
        let mut ended = false;
        loop {
            if compound.is_plain() {
                let table = &self.interesting;
                let skip = self
                    .rest()
                    .iter()
                    .position(|&byte| table[usize::from(byte)]);
                self.at += skip.unwrap_or(self.source.len() - self.at);
            }
            let rest = self.rest();
            let Some(&byte) = rest.first() else { break };
            if byte == b'\\' {
                self.backslash(rest)?;
                compound.operand();
                continue;
            }
            if byte == self.delimiter[0] && self.is_delimiter(rest) {
                if compound.semicolon() {
                    ended = true;
                    break;
                }
                self.at += 1;
                continue;
            }
            match byte {
                b'\'' | b'"' | b'`' => {
                    self.at += self.quoted(rest, byte)?;
                    compound.operand();
                }
                b'#' => {
                    self.close_run(run, &mut end);
                    self.at += line_length(rest);
                    run = self.at;
                }
                b'-' if is_dash_comment(rest) => {
                    self.close_run(run, &mut end);
                    self.at += line_length(rest);
                    run = self.at;
                }
                b'/' if is_plain_comment(rest) => {
                    self.close_run(run, &mut end);
                    self.at += self.block_comment(rest)?;
                    run = self.at;
                }
                b'/' if rest.starts_with(b"/*+") => self.at += self.block_comment(rest)?,
                b'/' if let Some(length) = executable_opener_length(rest) => {
                    executable = Some(self.at);
                    let digits = rest[length..]
                        .iter()
                        .take_while(|byte| byte.is_ascii_digit());
                    self.at += length + digits.count();
                }
                b'*' if executable.is_some() && rest.starts_with(b"*/") => {
                    executable = None;
                    self.at += 2;
                }
                b'$' if compound.expects_dollar_quote()
                    && let Some(tag) = dollar_tag(rest) =>
                {
                    self.at += self.dollar_quoted(rest, tag)?;
                    compound.operand();
                }
                _ if compound.is_plain() => self.at += 1,
                _ if is_word(byte) => {
                    let length = rest.iter().take_while(|&&byte| is_word(byte)).count();
                    compound.word(&rest[..length]);
                    self.at += length;
                }
                _ => {
                    if !is_space(byte) {
                        compound.mark(byte);
                    }
                    self.at += 1;
                }
            }
        }
        if let Some(opener) = executable {
            let kind = if ended {
                SplitErrorKind::DelimiterInComment(
                    String::from_utf8_lossy(&self.delimiter).into_owned(),
                )
            } else {
                SplitErrorKind::OpenComment
            };
            return Err(self.error_on_line(kind, opener));
        }
        if !ended && !compound.semicolon() {
            return Err(self.error_on_line(SplitErrorKind::OpenBody, start));
        }
        self.close_run(run, &mut end);
        self.push(start, end);
        if ended {
            self.at += self.delimiter.len();
        }
        Ok(())
    }

    /// Ends a run of bytes that are no comment: the statement reaches to the last of them that is not white space.
    fn close_run(&self, run: usize, end: &mut usize) {
        let bytes = &self.source[run..self.at];
        if let Some(last) = bytes.iter().rposition(|&byte| !is_space(byte)) {
            *end = run + last + 1;
        }
    }

    /// A backslash outside quotes: `\N` is NULL, all else is the client's.
    fn backslash(&mut self, rest: &[u8]) -> Result<(), SplitError> {
        let (kind, length) = match rest.get(1) {
            Some(b'N') => {
                self.at += 2;
                return Ok(());
            }
            Some(&byte) if byte.is_ascii_graphic() => {
                let command = format!("\\{}", char::from(byte));
                (SplitErrorKind::ClientCommand(command), 2)
            }
            Some(_) | None => (SplitErrorKind::Backslash, 1),
        };
        Err(self.error(kind, self.at, self.at + length))
    }

    fn quoted(&self, rest: &[u8], quote: u8) -> Result<usize, SplitError> {
        let escapes = self.mode.backslash_escapes_in(quote);
        let mut at = 1;
        while let Some(tail) = rest.get(at..) {
            let found = if escapes {
                find_either(quote, b'\\', tail)
            } else {
                memchr(quote, tail)
            };
            let Some(skip) = found else { break };
            at += skip;
            if rest[at] == quote {
                return Ok(at + 1);
            }
            at += 2;
        }
        Err(self.error_on_line(SplitErrorKind::OpenQuote(char::from(quote)), self.at))
    }

    fn dollar_quoted(&self, rest: &[u8], tag: usize) -> Result<usize, SplitError> {
        memchr::memmem::find(&rest[tag..], &rest[..tag])
            .map(|body| body + tag * 2)
            .ok_or_else(|| self.error_on_line(SplitErrorKind::OpenQuote('$'), self.at))
    }

    fn block_comment(&self, rest: &[u8]) -> Result<usize, SplitError> {
        block_comment_length(rest)
            .ok_or_else(|| self.error_on_line(SplitErrorKind::OpenComment, self.at))
    }

    fn push(&mut self, start: usize, end: usize) {
        self.line += memchr::memchr_iter(b'\n', &self.source[self.line_at..start]).count();
        self.line_at = start;
        self.statements.push(StatementSpan {
            start,
            end,
            line: self.line,
        });
        self.mode.follow(&self.text[start..end]);
    }

    fn error(&self, kind: SplitErrorKind, start: usize, end: usize) -> SplitError {
        SplitError {
            kind,
            start,
            end: end.clamp(start, self.source.len()),
        }
    }

    /// An error about what begins here and never ends: shown to the end of its line.
    fn error_on_line(&self, kind: SplitErrorKind, start: usize) -> SplitError {
        let line = &self.source[start..];
        let shown = trim(&line[..line_length(line)]).len();
        self.error(kind, start, start + shown)
    }
}

/// The first of two bytes. Most literals are short, so the first bytes are looked at before the search is worth its
/// start.
#[inline]
fn find_either(a: u8, b: u8, bytes: &[u8]) -> Option<usize> {
    const SHORT: usize = 16;
    let head = &bytes[..bytes.len().min(SHORT)];
    match head.iter().position(|&byte| byte == a || byte == b) {
        Some(at) => Some(at),
        None => memchr2(a, b, &bytes[head.len()..]).map(|at| at + head.len()),
    }
}

/// Whether `/*` begins a comment here that no server executes.
fn is_plain_comment(rest: &[u8]) -> bool {
    rest.starts_with(b"/*")
        && executable_opener_length(rest).is_none()
        && rest.get(2) != Some(&b'+')
}

/// The argument of DELIMITER: its first word, or a quoted text in which a doubled quote stands for one.
fn delimiter_argument(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    let line = trim(line);
    let &first = line.first()?;
    if !matches!(first, b'\'' | b'"' | b'`') {
        let end = line.iter().position(|&byte| is_space(byte));
        return Some(Cow::Borrowed(&line[..end.unwrap_or(line.len())]));
    }
    let mut argument = Vec::new();
    let mut at = 1;
    loop {
        let &byte = line.get(at)?;
        if byte == first {
            if line.get(at + 1) != Some(&first) {
                return (!argument.is_empty()).then_some(Cow::Owned(argument));
            }
            at += 1;
        }
        argument.push(byte);
        at += 1;
    }
}

/// The length of the `$$` or `$tag$` that begins here, as MySQL 9 writes it around the bodies of JavaScript routines.
fn dollar_tag(rest: &[u8]) -> Option<usize> {
    let name = rest[1..]
        .iter()
        .take_while(|&&byte| byte.is_ascii_alphanumeric() || byte == b'_')
        .count();
    (rest.get(1 + name) == Some(&b'$')).then_some(name + 2)
}

#[cfg(test)]
mod messages;
#[cfg(test)]
mod tests;
