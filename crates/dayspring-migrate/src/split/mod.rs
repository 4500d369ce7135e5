//! Cuts a script into statements exactly where the `mysql` client would, with one difference that is on purpose: a
//! stored program written without DELIMITER ends at its own END, where the client would cut it at its first semicolon.
//!
//! The client's rules, as its `add_line` and `read_and_execute` have them (`client/mysql.cc`, MySQL 8.0 and MariaDB
//! 10.11):
//!
//! 1. A delimiter counts outside quotes and comments, also inside `/*! */`; not inside `/*+ */`.
//! 2. Quotes are `'`, `"` and a backtick. A backslash escapes in the first two, unless NO_BACKSLASH_ESCAPES is set.
//! 3. `#` and `-- ` begin a comment to the end of the line, and `--` alone does at the very beginning of a statement.
//!    `/* */` does not nest.
//! 4. `DELIMITER x` takes the first word, which may be quoted; the rest of the line is ignored.
//! 5. A backslash outside quotes is a command of the client (`\G`), as are some words at a statement's beginning
//!    (`source`). A script that needs the client's own commands is no script for a server, so these are errors.
//! 6. What is left at the end of the file is a statement, delimiter or not.
//!
//! Where the client itself goes wrong, it is not followed: it drops SQL after a comment inside `/*! */`, glues a
//! DELIMITER that follows a `;` on one line to the next statement, does not find a delimiter of more than one byte a
//! character, and sends a quote that never closes (seen with MariaDB's client 10.11, 2026-11-22).

mod compound;

use crate::lexer::{
    block_comment_length, executable_opener_length, is_dash_comment, is_space, is_word, line_length,
};
use compound::Compound;

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
    #[error("the text that begins with `{0}` is never closed")]
    OpenQuote(char),
    /// A comment is never closed.
    #[error("the comment that begins here is never closed with `*/`")]
    OpenComment,
    /// A stored program has no END of its own.
    #[error("the body that begins here has no END of its own")]
    OpenBody,
    /// A command of the `mysql` client, which no server knows.
    #[error("`{0}` is a command of the mysql client, not SQL")]
    ClientCommand(String),
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
            Self::OpenQuote(_) => "close the quote, or double it where it belongs to the text",
            Self::OpenComment => "close the comment; comments do not nest in MySQL",
            Self::OpenBody => {
                "end every BEGIN, IF, CASE and loop, or write the body between two DELIMITER lines"
            }
            Self::ClientCommand(_) => "write the SQL itself here, and end statements with `;`",
            Self::Delimiter => "write for example `DELIMITER //`",
            Self::Nul => "save the file as UTF-8",
        }
    }
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
    let mut splitter = Splitter {
        source: source.as_bytes(),
        at: if source.starts_with('\u{feff}') { 3 } else { 0 },
        delimiter: b";",
        interesting: interesting(b';'),
        backslash_escapes: true,
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

struct Splitter<'a> {
    source: &'a [u8],
    at: usize,
    delimiter: &'a [u8],
    interesting: [bool; 256],
    backslash_escapes: bool,
    line: usize,
    line_at: usize,
    statements: Vec<StatementSpan>,
}

/// The bytes at which the scan has to look; all others are passed over without a thought.
fn interesting(delimiter_first: u8) -> [bool; 256] {
    let mut table = [false; 256];
    for byte in *b"'\"`\\#-/*\0" {
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
        } else if self.delimiter_command()? {
        } else if rest.starts_with(self.delimiter) {
            self.at += self.delimiter.len();
        } else if first == b'#' || rest.starts_with(b"--") && self.is_gap_dash(rest) {
            self.at += line_length(rest);
        } else if rest.starts_with(b"/*")
            && executable_opener_length(rest).is_none()
            && rest.get(2) != Some(&b'+')
        {
            self.at += self.block_comment(rest)?;
        } else if !self.client_command()? {
            self.statement()?;
        }
        Ok(true)
    }

    fn rest(&self) -> &'a [u8] {
        &self.source[self.at..]
    }

    /// At a statement's beginning the client takes `--` for a comment also without white space after it, but only as
    /// the first thing on its line.
    fn is_gap_dash(&self, rest: &[u8]) -> bool {
        let before = &self.source[..self.at];
        let line_start = before
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        is_dash_comment(rest) || before[line_start..].iter().all(|&byte| is_space(byte))
    }

    /// DELIMITER at a statement's beginning: its first word becomes the delimiter and the line ends there.
    fn delimiter_command(&mut self) -> Result<bool, SplitError> {
        const KEYWORD: &[u8] = b"delimiter";
        let rest = self.rest();
        if !rest
            .get(..KEYWORD.len())
            .is_some_and(|word| word.eq_ignore_ascii_case(KEYWORD))
            || rest.get(KEYWORD.len()).is_some_and(|&byte| !is_space(byte))
        {
            return Ok(false);
        }
        let length = line_length(rest);
        let argument = rest[KEYWORD.len()..length].trim_ascii();
        let argument = match argument.first() {
            Some(&quote @ (b'\'' | b'"' | b'`')) => {
                let inner = &argument[1..];
                &inner[..inner
                    .iter()
                    .position(|&byte| byte == quote)
                    .unwrap_or(inner.len())]
            }
            _ => {
                &argument[..argument
                    .iter()
                    .position(|&byte| is_space(byte))
                    .unwrap_or(argument.len())]
            }
        };
        if argument.is_empty() || argument.contains(&b'\\') {
            return Err(self.error(SplitErrorKind::Delimiter, self.at, self.at + length));
        }
        self.delimiter = argument;
        self.interesting = interesting(argument[0]);
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
        let line = &rest[..line_length(rest)];
        let ends_by_delimiter = line
            .windows(self.delimiter.len())
            .position(|window| window == self.delimiter);
        let command = line[..ends_by_delimiter.unwrap_or(line.len())].trim_ascii_end();
        let word_end = command
            .iter()
            .position(|&byte| byte == b' ' || byte == b'\t')
            .unwrap_or(command.len());
        let (word, argument) = (&command[..word_end], command[word_end..].trim_ascii());
        let is_command = CLIENT_COMMANDS.iter().any(|&(name, takes_argument)| {
            word.eq_ignore_ascii_case(name.as_bytes()) && (takes_argument || argument.is_empty())
        });
        if is_command {
            let shown = String::from_utf8_lossy(word).into_owned();
            return Err(self.error(
                SplitErrorKind::ClientCommand(shown),
                self.at,
                self.at + command.len(),
            ));
        }
        let is_use = word.eq_ignore_ascii_case(b"use")
            && ends_by_delimiter.is_none()
            && !argument.is_empty();
        if is_use {
            self.push(self.at, self.at + command.len());
            self.at += command.len();
        }
        Ok(is_use)
    }

    /// Passes one statement and its delimiter.
    fn statement(&mut self) -> Result<(), SplitError> {
        let start = self.at;
        let mut compound = if self.delimiter == b";" {
            Compound::new()
        } else {
            Compound::plain()
        };
        let mut executable = false;
        let mut end = start;
        // Where the present run of bytes that are no comment began.
        let mut run = start;
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
            } else if rest.starts_with(self.delimiter) {
                if compound.semicolon() {
                    break;
                }
                self.at += 1;
            } else if byte == b'\'' || byte == b'"' || byte == b'`' {
                self.at += self.quoted(rest, byte)?;
                compound.operand();
            } else if byte == b'#' || byte == b'-' && is_dash_comment(rest) {
                self.close_run(run, &mut end);
                self.at += line_length(rest);
                run = self.at;
            } else if let Some(length) = executable_opener_length(rest) {
                executable = true;
                self.at += length
                    + rest[length..]
                        .iter()
                        .take_while(|byte| byte.is_ascii_digit())
                        .count();
            } else if rest.starts_with(b"/*+") {
                self.at += self.block_comment(rest)?;
            } else if rest.starts_with(b"/*") {
                self.close_run(run, &mut end);
                self.at += self.block_comment(rest)?;
                run = self.at;
            } else if executable && rest.starts_with(b"*/") {
                executable = false;
                self.at += 2;
            } else if byte == b'$' && compound.is_routine() && dollar_quoted_length(rest).is_some()
            {
                self.at += dollar_quoted_length(rest).unwrap_or(1);
            } else if byte == 0 {
                return Err(self.error(SplitErrorKind::Nul, self.at, self.at + 1));
            } else if is_word(byte) && !compound.is_plain() {
                let length = rest.iter().take_while(|&&byte| is_word(byte)).count();
                compound.word(&rest[..length]);
                self.at += length;
            } else {
                if !is_space(byte) {
                    compound.mark(byte);
                }
                self.at += 1;
            }
        }
        if self.at == self.source.len() && !compound.semicolon() {
            return Err(self.error(
                SplitErrorKind::OpenBody,
                start,
                start + line_length(&self.source[start..]),
            ));
        }
        if executable {
            return Err(self.error(
                SplitErrorKind::OpenComment,
                start,
                start + line_length(&self.source[start..]),
            ));
        }
        self.close_run(run, &mut end);
        self.push(start, end);
        self.at = (self.at + self.delimiter.len()).min(self.source.len());
        Ok(())
    }

    /// Ends a run of bytes that are no comment: the statement reaches to the last of them that is not white space.
    fn close_run(&self, run: usize, end: &mut usize) {
        let significant = self.source[run..self.at].trim_ascii_end().len();
        if significant > 0 {
            *end = run + significant;
        }
    }

    fn backslash(&mut self, rest: &[u8]) -> Result<(), SplitError> {
        if rest.get(1) == Some(&b'N') {
            self.at += 2;
            return Ok(());
        }
        let shown: String = String::from_utf8_lossy(&rest[..rest.len().min(5)])
            .chars()
            .take(2)
            .collect();
        Err(self.error(SplitErrorKind::ClientCommand(shown), self.at, self.at + 1))
    }

    fn quoted(&self, rest: &[u8], quote: u8) -> Result<usize, SplitError> {
        let escapes = self.backslash_escapes && quote != b'`';
        let mut at = 1;
        while let Some(skip) = rest.get(at..).and_then(|rest| {
            rest.iter()
                .position(|&byte| byte == quote || byte == b'\\' && escapes)
        }) {
            at += skip;
            if rest[at] == quote {
                return Ok(at + 1);
            }
            at += 2;
        }
        let end = self.at + line_length(rest);
        Err(self.error(SplitErrorKind::OpenQuote(char::from(quote)), self.at, end))
    }

    fn block_comment(&self, rest: &[u8]) -> Result<usize, SplitError> {
        block_comment_length(rest).ok_or_else(|| {
            self.error(
                SplitErrorKind::OpenComment,
                self.at,
                self.at + line_length(rest),
            )
        })
    }

    fn push(&mut self, start: usize, end: usize) {
        self.line += self.source[self.line_at..start]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count();
        self.line_at = start;
        self.statements.push(StatementSpan {
            start,
            end,
            line: self.line,
        });
        self.follow_sql_mode(&self.source[start..end]);
    }

    /// The client asks the server after each statement whether a backslash still escapes; here the statement is read.
    fn follow_sql_mode(&mut self, statement: &[u8]) {
        let is_set = statement
            .get(..3)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"set"));
        if is_set && contains(statement, b"sql_mode") {
            self.backslash_escapes = !contains(statement, b"no_backslash_escapes");
        }
    }

    fn error(&self, kind: SplitErrorKind, start: usize, end: usize) -> SplitError {
        SplitError {
            kind,
            start,
            end: end.clamp(start, self.source.len()),
        }
    }
}

fn contains(text: &[u8], lower_case: &[u8]) -> bool {
    text.windows(lower_case.len())
        .any(|window| window.eq_ignore_ascii_case(lower_case))
}

/// The length of a `$$ ... $$` or `$tag$ ... $tag$` text, as MySQL 9 writes the bodies of JavaScript routines.
fn dollar_quoted_length(rest: &[u8]) -> Option<usize> {
    let tag_end = 1 + rest[1..].iter().position(|&byte| byte == b'$')?;
    let tag = &rest[..=tag_end];
    if !tag[1..tag_end]
        .iter()
        .all(|&byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return None;
    }
    let close = rest[tag.len()..]
        .windows(tag.len())
        .position(|window| window == tag)?;
    Some(close + tag.len() * 2)
}

#[cfg(test)]
mod tests;
