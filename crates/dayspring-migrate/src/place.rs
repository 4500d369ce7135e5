//! A place in a file that can be shown without the file.

use std::fmt;
use std::ops::Range;

use unicode_width::UnicodeWidthStr as _;

/// How many lines of a statement are kept for showing.
const LINES_MAX: usize = 400;

/// How many bytes of a line are kept for showing.
const LINE_BYTES_MAX: usize = 240;

/// A place in a file, with the lines that stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as messages name it.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The whole lines on which the place lies, each without its line ending and cut where it is very long. Characters
    /// that a terminal does not show, or acts on, are replaced by visible ones, each by one.
    pub lines: Vec<String>,
    /// For each of those lines, the part of it that belongs to the place, in characters from 0.
    pub marked: Vec<Range<usize>>,
}

impl Place {
    /// The place of a byte range in a file.
    #[must_use]
    pub fn new(path: &str, text: &str, span: Range<usize>) -> Self {
        let line_start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let mut place = Self {
            path: path.to_owned(),
            line: 1 + text[..span.start]
                .bytes()
                .filter(|&byte| byte == b'\n')
                .count(),
            column: 1 + text[line_start..span.start]
                .trim_start_matches('\u{feff}')
                .chars()
                .count(),
            lines: Vec::new(),
            marked: Vec::new(),
        };
        let mut start = line_start;
        for line in text[line_start..].split_inclusive('\n').take(LINES_MAX) {
            if start >= span.end && start > line_start {
                break;
            }
            let from = span.start.saturating_sub(start).min(line.len());
            let to = span.end.saturating_sub(start).clamp(from, line.len());
            let shown = cut(line.trim_end_matches(['\n', '\r']), LINE_BYTES_MAX);
            let count = |to: usize| {
                line[..to]
                    .trim_end()
                    .chars()
                    .filter(|&char| char != '\u{feff}')
                    .count()
            };
            let visible = visible(shown.trim_start_matches('\u{feff}'));
            let last = visible.chars().count();
            let leading = if from == 0 {
                line.chars().take_while(|char| char.is_whitespace()).count()
            } else {
                0
            };
            let first = line[..from]
                .chars()
                .filter(|&char| char != '\u{feff}')
                .count()
                .max(leading)
                .min(last);
            place.marked.push(first..count(to).clamp(first, last));
            place.lines.push(visible);
            start += line.len();
        }
        place
    }
}

impl Place {
    /// What stands under a line: `^` under each column of the marked part; nothing where nothing is marked.
    pub(crate) fn marks(&self, index: usize) -> Option<String> {
        let (line, marked) = (self.lines.get(index)?, self.marked.get(index)?);
        let columns = |from: usize, to: usize| {
            let part: String = line.chars().skip(from).take(to - from).collect();
            part.width()
        };
        let before = columns(0, marked.start);
        let under = columns(marked.start, marked.end);
        (under > 0).then(|| format!("{}{}", " ".repeat(before), "^".repeat(under)))
    }
}

/// A text in which nothing is hidden and nothing acts on the terminal: control characters are shown as their pictures,
/// a tab as a space, and what has no width or turns the direction of writing as a replacement character.
#[must_use]
pub fn visible(text: &str) -> String {
    text.chars()
        .map(|char| match char {
            '\t' => ' ',
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(char)).unwrap_or('\u{fffd}'),
            '\u{7f}' => '\u{2421}',
            '\u{80}'..='\u{9f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => '\u{fffd}',
            char => char,
        })
        .collect()
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.line, self.column)
    }
}

/// The text up to a number of bytes, cut between two characters.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max {
        return text;
    }
    let mut end = bytes_max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_holds_its_lines_and_the_marked_part_of_each() {
        let text = "a;\n  CREATE é\r\n\tb\n; c";
        let start = text.find("CREATE").unwrap();
        let end = text.find("\n; c").unwrap();
        let place = Place::new("v1.sql", text, start..end);
        assert_eq!(place.to_string(), "v1.sql:2:3");
        assert_eq!(place.lines, ["  CREATE é", " b"]);
        assert_eq!(place.marked, [2..10, 1..2]);
    }

    #[test]
    fn what_a_terminal_would_hide_or_obey_is_shown() {
        assert_eq!(
            visible("a\0b\u{1b}[31m\u{7f}\t.\u{202e}x"),
            "a␀b␛[31m␡ .\u{fffd}x"
        );
    }

    #[test]
    fn marks_stand_under_what_they_mark_whatever_its_width() {
        let text = "SELECT '日本', e\u{301}, bad\0";
        let start = text.find("bad").unwrap();
        let place = Place::new("v1.sql", text, start..text.len());
        assert_eq!(place.lines, ["SELECT '日本', e\u{301}, bad␀"]);
        // Two columns for each of the first, none for the accent.
        assert_eq!(place.marks(0).unwrap(), format!("{}^^^^", " ".repeat(18)));
    }

    #[test]
    fn an_empty_place_at_the_end_of_the_file_is_fine() {
        let place = Place::new("v1.sql", "ab", 2..2);
        assert_eq!((place.line, place.column, place.lines.len()), (1, 3, 1));
    }
}
