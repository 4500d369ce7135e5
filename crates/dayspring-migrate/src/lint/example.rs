//! The examples of the rules as scripts: for the documentation, and for the test that each says what it claims.

use std::ops::Range;

use super::context::{LintContext, TableSize};
use super::finding::Finding;
use super::rule::Rule;
use crate::script::{ScriptError, Scripts};

/// An example, ready to be linted.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) files: Vec<(String, String)>,
    /// Where the finding is expected in the last file, if the example marks a place.
    pub(super) marked: Option<Range<usize>>,
}

impl Project {
    /// Cuts a text at its lines `-- file: NAME`; what stands before the first is `v2.sql`. What ran before is `v1.sql`.
    pub(super) fn new(applied: &str, text: &str) -> Self {
        let mut files = vec![("v1.sql".to_owned(), applied.to_owned())];
        for line in text.split_inclusive('\n') {
            if let Some(name) = line.strip_prefix("-- file: ") {
                files.push((name.trim().to_owned(), String::new()));
                continue;
            }
            if files.len() == 1 {
                files.push(("v2.sql".to_owned(), String::new()));
            }
            if let Some((_, text)) = files.last_mut() {
                text.push_str(line);
            }
        }
        let marked = files.last_mut().and_then(|(_, text)| unmark(text));
        Self { files, marked }
    }

    pub(super) fn scripts(&self) -> Result<Scripts, ScriptError> {
        Scripts::parse("", self.files.iter().map(|(name, text)| (name, text)))
    }

    pub(super) fn lint(&self, context: &LintContext) -> Result<Vec<Finding>, ScriptError> {
        Ok(super::lint(&self.scripts()?, context))
    }
}

/// Takes the marks out of a text and says what stood between them.
fn unmark(text: &mut String) -> Option<Range<usize>> {
    let start = text.find("<|")?;
    text.replace_range(start..start + 2, "");
    let end = text.find("|>")?;
    text.replace_range(end..end + 2, "");
    Some(start..end)
}

/// What a rule's examples are linted with: two rules need to know more than scripts.
pub(super) fn context_of(rule: &Rule) -> LintContext {
    let mut context = LintContext::default();
    match rule.name {
        "long-statement" => context.statement_bytes_max = Some(120),
        "long-change" => {
            let size = TableSize {
                rows: 90_000_000,
                bytes: 40 << 30,
            };
            context.table_sizes.insert("post".to_owned(), size);
        }
        _ => {}
    }
    context
}
