//! Places in a text: byte ranges, and their lines and columns when something is printed.

use std::fmt;
use std::ops::Range;

/// A range of bytes in the project file.
pub type Span = Range<usize>;

/// Where a span begins, as an editor counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line's number, from 1.
    pub line: usize,
    /// The character's number in its line, from 1.
    pub column: usize,
}

impl Place {
    /// The place of byte `offset` of `text`; an offset past the end is the end.
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        let before = &text[..floor_char_boundary(text, offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.line, self.column)
    }
}

/// The place, the line and carets under the span, in rustc's look; `gutter` is the width of the line numbers.
pub(crate) fn render_excerpt(path: &str, text: &str, span: &Span, label: &str) -> String {
    let place = Place::of(text, span.start);
    let line = text
        .lines()
        .nth(place.line - 1)
        .unwrap_or_default()
        .replace('\t', " ");
    let characters_left = line.chars().count().saturating_sub(place.column - 1);
    let spanned = &text[floor_char_boundary(text, span.start)..floor_char_boundary(text, span.end)];
    let carets = "^".repeat(spanned.chars().count().min(characters_left).max(1));
    let number = place.line.to_string();
    let gutter = " ".repeat(number.len());
    let indent = " ".repeat(place.column - 1);
    let underline = format!("{gutter} | {indent}{carets} {label}");
    format!(
        "{gutter}--> {path}:{place}\n{gutter} |\n{number} | {line}\n{}\n",
        underline.trim_end()
    )
}

fn floor_char_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let text = "a = 1\nü = \"ß\" x\n";
        assert_eq!(Place::of(text, 0), Place { line: 1, column: 1 });
        let offset = text.find('x').unwrap();
        assert_eq!(Place::of(text, offset), Place { line: 2, column: 9 });
        assert_eq!(Place::of(text, 999), Place { line: 3, column: 1 });
    }

    #[test]
    fn a_span_of_several_lines_is_underlined_on_its_first() {
        insta::assert_snapshot!(render_excerpt("f.toml", "a = [\n 1,\n]\n", &(4..11), "here"), @r"
         --> f.toml:1:5
          |
        1 | a = [
          |     ^ here
        ");
    }
}
