//! Errors as text for people, in rustc's look and within a number of bytes.

use crate::error::Error;
use crate::place::{Place, cut};

/// Lines of a statement that are shown before the one that matters.
const LINES_SHOWN: usize = 4;

/// Renders an error: what failed, the source with the place, what the database shows, what to do. The text has no
/// colours, ends without a line feed and is at most `bytes_max` long; a long source gives way first, the help last.
#[must_use]
pub fn render_failure(error: &Error, bytes_max: usize) -> String {
    let head = format!("error: {}", head(error));
    let help = format!("\n help: {}", error.help());
    let mut middle = String::new();
    if let Some(place) = error.place() {
        middle.push_str(&excerpt(place, important_line(error, place)));
    }
    if let Error::InDoubt { evidence, .. } = error {
        middle.push_str(&note("the database shows", evidence));
    }
    if let Error::Refused(refusal) = error
        && let Some(recorded) = refusal.recorded()
    {
        middle.push_str(&note("it ran as", recorded));
    }
    fit(&head, &middle, &help, bytes_max)
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
    error.to_string().lines().collect::<Vec<_>>().join(" ")
}

/// MySQL names the line within the statement for a syntax error: `... near 'x' at line 3`.
fn important_line(error: &Error, place: &Place) -> usize {
    let Error::Failed(failure) = error else {
        return 0;
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
    number
        .saturating_sub(1)
        .min(place.lines.len().saturating_sub(1))
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
    if let Some(marked) = place
        .marked
        .get(important)
        .filter(|marked| !marked.is_empty())
    {
        text.push_str(&format!(
            "\n{:width$} | {}{}",
            "",
            " ".repeat(marked.start),
            "^".repeat(marked.len())
        ));
    }
    text
}

fn note(title: &str, body: &str) -> String {
    let lines: Vec<&str> = body.lines().collect();
    let mut text = format!("\n note: {title}");
    for line in lines.iter().take(8) {
        text.push_str("\n       ");
        text.push_str(cut(line, 200).trim_end());
    }
    if lines.len() > 8 {
        text.push_str("\n       ...");
    }
    text
}
