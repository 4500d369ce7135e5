//! `-- dayspring: allow RULE[,RULE] REASON`: a comment before a statement, or within it, that silences rules for it.
//! `-- dayspring: allow-file RULE[,RULE] REASON`: a comment between statements that silences them for the whole script.

use std::ops::Range;

use strsim::osa_distance;

use super::rule::{Report, Rule};
use super::rules::{ALL, ALLOW_WITHOUT_REASON, UNKNOWN_RULE, UNUSED_ALLOW};
use crate::lexer::{self, TokenKind};
use crate::script::Script;

/// A rule that a comment silences.
#[derive(Debug, Clone)]
pub(super) struct Allow {
    pub(super) rule: &'static Rule,
    /// The rule's name in the comment.
    span: Range<usize>,
    used: bool,
}

/// What the comments of a statement say, and what is wrong with them.
#[derive(Debug, Clone, Default)]
pub(super) struct Allows {
    pub(super) allows: Vec<Allow>,
    pub(super) wrong: Vec<(&'static Rule, Report)>,
}

impl Allows {
    /// Reads the comment lines between two statements, and the comments within the second.
    pub(super) fn read(text: &str, gap: Range<usize>, statement: Range<usize>) -> Self {
        let mut found = Self::default();
        let mut start = gap.start;
        for line in text[gap.clone()].split_inclusive('\n') {
            if start == gap.start && start > 0 {
                found.read_behind(line, start);
            }
            found.read_line(line, start);
            start += line.len();
        }
        let sql = &text[statement.clone()];
        let base = sql.as_ptr().addr();
        for token in lexer::tokens(sql).filter(|token| token.kind == TokenKind::Comment) {
            found.read_line(
                token.text,
                statement.start + (token.text.as_ptr().addr() - base),
            );
        }
        found
    }

    /// Reads the comments between the statements that are about the whole script.
    pub(super) fn of_file(script: &Script) -> Self {
        let mut found = Self::default();
        let starts = script.statements.iter().map(|statement| &statement.span);
        let mut gap = 0;
        let end = script.text.len();
        for span in starts.cloned().chain(std::iter::once(end..end)) {
            let mut start = gap;
            for line in script.text[gap..span.start].split_inclusive('\n') {
                if let Some(said) = said(line, "allow-file") {
                    found.read_said(line, said, start);
                }
                start += line.len();
            }
            gap = span.end;
        }
        found
    }

    /// A comment on the line on which a statement ends reads as if it were about that one, and is about none.
    fn read_behind(&mut self, line: &str, start: usize) {
        let at = ["-- dayspring: allow", "# dayspring: allow"]
            .iter()
            .find_map(|comment| line.find(comment));
        if let Some(at) = at.filter(|at| !line[..*at].trim().is_empty()) {
            let span = start + at..start + line.trim_end().len();
            let message = "this comment stands behind a statement, and silences nothing there";
            self.wrong.push((&UNUSED_ALLOW, Report::new(span, message)));
        }
    }

    fn read_line(&mut self, line: &str, start: usize) {
        if let Some(said) = said(line, "allow") {
            self.read_said(line, said, start);
        }
    }

    fn read_said(&mut self, line: &str, said: &str, start: usize) {
        let base = line.as_ptr().addr();
        let span_of = |part: &str| {
            let at = start + (part.as_ptr().addr() - base);
            at..at + part.len()
        };
        let (names, reason) = said.split_once(char::is_whitespace).unwrap_or((said, ""));
        if names.is_empty() || reason.trim().is_empty() {
            let span = span_of(line.trim());
            let message = "this comment does not say why the rule is silenced";
            self.wrong
                .push((&ALLOW_WITHOUT_REASON, Report::new(span, message)));
        }
        for name in names.split(',').filter(|name| !name.is_empty()) {
            match find(name) {
                Some(rule) => self.allows.push(Allow {
                    rule,
                    span: span_of(name),
                    used: false,
                }),
                None => {
                    let nearest = nearest(name);
                    let report = Report::new(span_of(name), format!("there is no rule `{name}`"));
                    self.wrong.push((
                        &UNKNOWN_RULE,
                        match nearest {
                            Some(rule) => report.help(format!("the nearest is `{}`", rule.name)),
                            None => report,
                        },
                    ));
                }
            }
        }
    }

    /// Whether a comment names a rule.
    pub(super) fn names(&self, rule: &Rule) -> bool {
        self.allows.iter().any(|allow| allow.rule == rule)
    }

    /// Whether a rule is silenced here; the comment has then done its work.
    pub(super) fn silences(&mut self, rule: &Rule) -> bool {
        let mut silenced = false;
        for allow in self.allows.iter_mut().filter(|allow| allow.rule == rule) {
            allow.used = true;
            silenced = true;
        }
        silenced
    }

    /// The comments that silenced nothing in `what` they are about.
    pub(super) fn unused(&self, what: &str) -> impl Iterator<Item = (&'static Rule, Report)> {
        self.allows
            .iter()
            .filter(|allow| !allow.used)
            .map(move |allow| {
                let message = format!("`{}` finds nothing in {what}", allow.rule.name);
                (&UNUSED_ALLOW, Report::new(allow.span.clone(), message))
            })
    }
}

/// What stands after `-- dayspring: WORD`. A line counts as the engine's other directives count: the comment is all of
/// it.
fn said<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let line = line.trim();
    let comment = line.strip_prefix("--").or_else(|| line.strip_prefix('#'))?;
    let directive = comment.trim().strip_prefix("dayspring:")?.trim();
    let said = directive.strip_prefix(word)?;
    (said.is_empty() || said.starts_with(char::is_whitespace)).then(|| said.trim())
}

/// A rule by its name or its code.
#[must_use]
pub(super) fn find(name: &str) -> Option<&'static Rule> {
    ALL.iter()
        .copied()
        .find(|rule| rule.name == name || rule.code.eq_ignore_ascii_case(name))
}

pub(super) fn nearest(name: &str) -> Option<&'static Rule> {
    // No rule's name is as long, and what stands in a comment may be of any length.
    let name: String = name.chars().take(64).collect::<String>().to_lowercase();
    ALL.iter()
        .copied()
        .map(|rule| (osa_distance(&name, rule.name), rule))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, rule)| *distance <= rule.name.len() / 2)
        .map(|(_, rule)| rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rule_is_proposed_only_if_it_is_near() {
        assert_eq!(nearest("drop-colum").unwrap().name, "drop-column");
        assert_eq!(nearest("DROP_TABLE").unwrap().name, "drop-table");
        assert!(nearest("qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq").is_none());
    }

    #[test]
    fn a_directive_of_another_kind_is_no_allow() {
        assert_eq!(
            said("  -- dayspring: allow drop-table it is empty\r\n", "allow"),
            Some("drop-table it is empty")
        );
        assert_eq!(said("# dayspring: allow", "allow"), Some(""));
        assert_eq!(said("-- dayspring: allowed", "allow"), None);
        assert_eq!(said("-- dayspring: allow-file x y", "allow"), None);
        assert_eq!(said("; -- dayspring: allow drop-table x", "allow"), None);
    }
}
