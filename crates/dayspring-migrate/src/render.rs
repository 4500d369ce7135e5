//! Errors as text for people, in rustc's look and within a number of bytes.

use crate::blocker::Blockers;
use crate::error::{Again, Error};
use crate::lexer::{Token, significant};
use crate::place::{Place, cut, visible};
use crate::refusal::Refusal;

/// Lines of a statement that are shown before the one that matters.
const LINES_SHOWN: usize = 4;

/// Renders an error: what failed, the source with the place, what the database shows, what to do. The text has no
/// colours, ends without a line feed and is at most `bytes_max` long; a long source gives way first, the help last.
///
/// What it advises is for a deployment; [`render_run_failure`] is for a command.
#[must_use]
pub fn render_failure(error: &Error, bytes_max: usize) -> String {
    render(error, Again::Deploy, bytes_max)
}

/// As [`render_failure`], for a command that was run by hand and is run again.
#[must_use]
pub fn render_run_failure(error: &Error, bytes_max: usize) -> String {
    render(error, Again::Run, bytes_max)
}

fn render(error: &Error, again: Again, bytes_max: usize) -> String {
    let head = format!("error: {}", head(error));
    let help = format!("\n help: {}", error.help(again));
    let mut middle = String::new();
    if let Some(place) = error.place() {
        middle.push_str(&excerpt(place, important_line(error, place)));
    }
    if let Error::InDoubt { evidence, .. } = error {
        middle.push_str(&note("the database shows", evidence));
    }
    if let Error::LockWait(wait) = error {
        middle.push_str(&blockers(&wait.blockers));
    }
    if let Error::LeaseLocked { blockers: found } = error {
        middle.push_str(&blockers(found));
    }
    if let Error::Refused(refusal) = error {
        middle.push_str(&before(refusal));
    }
    fit(&head, &middle, &help, bytes_max)
}

/// What an applied statement was, and what of it stays.
fn before(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Edited {
            recorded: Some(recorded),
            now,
            ..
        } => match first_difference(recorded, now) {
            Some(difference) => note("this line ran as", difference.recorded),
            None => note("it ran as", recorded),
        },
        Refusal::Missing { applied, .. } => {
            let stays = match applied {
                1 => "its statement stays",
                _ => "its statements stay",
            };
            format!("\n note: {stays} applied, and nothing was run")
        }
        refusal => match refusal.recorded() {
            Some(recorded) => note("it ran as", recorded),
            None => String::new(),
        },
    }
}

/// Where two texts of a statement differ first, white space and comments apart.
struct FirstDifference<'a> {
    /// The line in the older one.
    recorded: &'a str,
    /// The number of the line in the newer one, from 0.
    line: usize,
}

fn first_difference<'a>(recorded: &'a str, now: &str) -> Option<FirstDifference<'a>> {
    let (mut then, mut present) = (significant(recorded), significant(now));
    let (one, other) = loop {
        match (then.next(), present.next()) {
            (None, None) => return None,
            (Some(one), Some(other)) if one.text == other.text => {}
            different => break different,
        }
    };
    // Where one of them has ended, its last line is the one.
    let offset = |token: Option<Token<'_>>, text: &str| match token {
        Some(token) => token.text.as_ptr().addr() - text.as_ptr().addr(),
        None => text.trim_end().len(),
    };
    let at = offset(one, recorded);
    let start = recorded[..at].rfind('\n').map_or(0, |at| at + 1);
    Some(FirstDifference {
        recorded: recorded[start..].lines().next().unwrap_or_default(),
        line: now[..offset(other, now)].matches('\n').count(),
    })
}

fn fit(head: &str, middle: &str, help: &str, bytes_max: usize) -> String {
    const ELLIPSIS: &str = "\n ...";
    if head.len() + middle.len() + help.len() <= bytes_max {
        return format!("{head}{middle}{help}");
    }
    let fixed = head.len() + help.len() + ELLIPSIS.len();
    if fixed <= bytes_max {
        return format!("{head}{}{ELLIPSIS}{help}", cut(middle, bytes_max - fixed));
    }
    cut(
        &format!("{}{help}", cut(head, bytes_max.saturating_sub(help.len()))),
        bytes_max,
    )
    .to_owned()
}

fn head(error: &Error) -> String {
    visible(&error.to_string().lines().collect::<Vec<_>>().join(" "))
}

/// The line of a statement that matters, from 0. MySQL names the line within the statement for a syntax error: `... near 'x' at line 3`.
fn important_line(error: &Error, place: &Place) -> usize {
    let last = place.lines.len().saturating_sub(1);
    let failure = match error {
        Error::Failed(failure) => failure,
        Error::Refused(refusal) => {
            return match &**refusal {
                Refusal::Edited {
                    recorded: Some(recorded),
                    now,
                    ..
                } => first_difference(recorded, now).map_or(0, |found| found.line.min(last)),
                _ => 0,
            };
        }
        _ => return 0,
    };
    let words = failure.error.to_string();
    let number = words
        .rsplit_once(" at line ")
        .map(|(_, rest)| {
            rest.chars()
                .take_while(char::is_ascii_digit)
                .collect::<String>()
        })
        .and_then(|digits| digits.parse::<usize>().ok())
        .unwrap_or(1);
    number.saturating_sub(1).min(last)
}

fn excerpt(place: &Place, important: usize) -> String {
    let first_shown = important.saturating_sub(LINES_SHOWN - 1);
    let width = (place.line + important).to_string().len();
    let (line, column) = if important == 0 {
        (place.line, place.column)
    } else {
        (
            place.line + important,
            place
                .marked
                .get(important)
                .map_or(1, |marked| marked.start + 1),
        )
    };
    let mut text = format!(
        "\n{:width$}--> {}:{line}:{column}\n{:width$} |",
        "", place.path, ""
    );
    for (index, shown) in place
        .lines
        .iter()
        .enumerate()
        .take(important + 1)
        .skip(first_shown)
    {
        text.push_str(&format!("\n{:>width$} | {shown}", place.line + index));
    }
    if let Some(marks) = place.marks(important) {
        text.push_str(&format!("\n{:width$} | {marks}", ""));
    }
    text
}

fn blockers(blockers: &Blockers) -> String {
    let lines: Vec<String> = blockers.named().iter().map(ToString::to_string).collect();
    match blockers {
        _ if lines.is_empty() => String::new(),
        Blockers::Known(_) => note("the lock is held by", &lines.join("\n")),
        Blockers::Connected(_) => note(
            "it is held by LOCK TABLES or to the end of a transaction, by one of these",
            &lines.join("\n"),
        ),
        Blockers::Possible(_) | Blockers::Hidden => note(
            "it is held to the end of a transaction, and these are open",
            &lines.join("\n"),
        ),
    }
}

fn note(title: &str, body: &str) -> String {
    let lines: Vec<&str> = body.lines().collect();
    let mut text = format!("\n note: {title}");
    for line in lines.iter().take(8) {
        text.push_str("\n       ");
        text.push_str(visible(cut(line, 200)).trim_end());
    }
    if lines.len() > 8 {
        text.push_str("\n       ...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scripts, SessionError, StatementFailure};

    fn failed(sql: &str, words: &str) -> Error {
        let scripts = Scripts::parse("scripts/schema", [("v4_add_email.sql", sql)]).unwrap();
        let script = scripts.iter().next().unwrap();
        let statement = script.statements.last().unwrap();
        let error = SessionError::Refused {
            code: 1060,
            sql_state: "42S21".to_owned(),
            message: words.to_owned(),
        };
        Error::Failed(Box::new(StatementFailure {
            script: script.id,
            place: script.place_of(statement),
            number: statement.number,
            total: script.statements.len(),
            resumes_at: statement.number,
            error,
        }))
    }

    #[test]
    fn a_failure_shows_the_statement_its_place_the_words_and_the_way_out() {
        let sql = "SELECT 1;\nSELECT 2;\n\n\n\n\n\n\n\n\n\nALTER TABLE customer ADD COLUMN email VARCHAR(255);";
        insta::assert_snapshot!(render_failure(&failed(sql, "Duplicate column name 'email'"), 3000), @r"
        error: statement 3 of 3 failed: Duplicate column name 'email' (MySQL 1060)
          --> scripts/schema/v4_add_email.sql:12:1
           |
        12 | ALTER TABLE customer ADD COLUMN email VARCHAR(255);
           | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
         help: statements 1 and 2 stay applied; correct this one and deploy again, it resumes at 3
        ");
    }

    #[test]
    fn a_text_that_is_too_long_keeps_its_head_and_its_help() {
        let error = failed(
            &format!("INSERT INTO t VALUES ('{}')", "é".repeat(500)),
            "no",
        );
        for bytes_max in 0..700 {
            let text = render_failure(&error, bytes_max);
            assert!(text.len() <= bytes_max, "{bytes_max}: {}", text.len());
            if bytes_max > 200 {
                assert!(
                    text.starts_with("error: statement 1 of 1 failed: no (MySQL 1060)\n"),
                    "{text}"
                );
                assert!(text.ends_with("deploy again, it starts at 1"), "{text}");
            }
        }
        assert!(render_failure(&failed("SELECT 1", &"é".repeat(9000)), 3000).len() <= 3000);
    }

    #[test]
    fn an_error_in_a_file_shows_its_line() {
        let error = Scripts::parse("s", [("v1.sql", "SELECT 1;\n  SELECT 'a;\n")]).unwrap_err();
        insta::assert_snapshot!(render_failure(&error.into(), 3000), @r"
        error: the text that begins with `'` is never closed
         --> s/v1.sql:2:10
          |
        2 |   SELECT 'a;
          |          ^^^
         help: close the quote, or double it where it belongs to the text
        ");
        let error = Scripts::parse("s", [("x.sql", "SELECT 1")]).unwrap_err();
        insta::assert_snapshot!(render_failure(&error.into(), 3000), @r"
        error: `s/x.sql` does not name a version
         help: name it `v<N>.sql`, `v<N>_name.sql` or `v<N>_name.contract.sql`, as in `v4_add_email.sql`
        ");
    }
}
