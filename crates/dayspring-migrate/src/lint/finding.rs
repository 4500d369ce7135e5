//! What a rule has to say about a place, and the edit that would mend it.

use std::ops::Range;

use super::rule::{Rule, Severity};
use crate::place::Place;
use crate::script::ScriptId;

/// What a rule has to say about a place in a script.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How bad it is: as the rule says, unless the project decides otherwise.
    pub severity: Severity,
    /// What is wrong here.
    pub message: String,
    /// Facts that help to judge it.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: String,
    /// An edit that does it, where there is one that is right without knowing more.
    pub fix: Option<Fix>,
    /// The script.
    pub script: ScriptId,
    /// The statement's number in its script.
    pub statement: usize,
    /// The bytes of the script's file that it is about.
    pub span: Range<usize>,
    /// The same, to be shown.
    pub place: Place,
}

/// How bad the worst finding is; a command fails if it is an error.
#[must_use]
pub fn worst(findings: &[Finding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).min()
}

/// An edit of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, in words.
    pub title: String,
    /// Its parts; they do not overlap.
    pub edits: Vec<Edit>,
}

/// A part of a file and what takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go.
    pub span: Range<usize>,
    /// What comes.
    pub replacement: String,
}

impl Fix {
    pub(super) fn replace(
        title: impl Into<String>,
        span: Range<usize>,
        by: impl Into<String>,
    ) -> Self {
        Self {
            title: title.into(),
            edits: vec![Edit {
                span,
                replacement: by.into(),
            }],
        }
    }

    pub(super) fn insert(title: impl Into<String>, at: usize, text: impl Into<String>) -> Self {
        Self::replace(title, at..at, text)
    }
}

/// A file's text after its fixes. A fix that would overlap one before it is left out, and found again by the next lint.
#[must_use]
pub fn apply_fixes<'f>(text: &str, fixes: impl IntoIterator<Item = &'f Fix>) -> String {
    let mut accepted: Vec<&Edit> = Vec::new();
    for fix in fixes {
        let fits = fix.edits.iter().all(|edit| {
            text.get(edit.span.clone()).is_some()
                && accepted.iter().all(|other| {
                    edit.span.end < other.span.start || other.span.end < edit.span.start
                })
        });
        if fits {
            accepted.extend(&fix.edits);
        }
    }
    accepted.sort_by_key(|edit| edit.span.start);
    let mut fixed = String::with_capacity(text.len());
    let mut at = 0;
    for edit in accepted {
        fixed.push_str(&text[at..edit.span.start]);
        fixed.push_str(&edit.replacement);
        at = edit.span.end;
    }
    fixed.push_str(&text[at..]);
    fixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixes_that_overlap_wait_for_the_next_time() {
        let one = Fix::replace("", 0..1, "A");
        let over = Fix::replace("", 0..3, "x");
        let two = Fix::insert("", 4, "!");
        assert_eq!(apply_fixes("abcd", [&one, &over, &two]), "Abcd!");
        assert_eq!(apply_fixes("abcd", [&Fix::replace("", 9..12, "x")]), "abcd");
    }
}
