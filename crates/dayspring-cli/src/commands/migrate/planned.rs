//! The statements that are to run, with what is known about each: for people and for machines.

use dayspring_migrate::lint::{Change, Finding, render_json};
use dayspring_migrate::{Action, Plan, ScriptId, Scripts, Statement, visible};
use serde::Serialize;
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

/// Where a statement's text and what is said about it begin.
const INDENT: usize = 20;

/// A statement that is to run.
#[derive(Debug, Serialize)]
pub(super) struct PlannedStatement<'a> {
    script: &'a str,
    version: u64,
    phase: &'static str,
    line: usize,
    number: usize,
    class: &'static str,
    action: &'static str,
    text: &'a str,
    /// How it changes a table that is in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<ChangeJson>,
    /// What lint finds in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<Vec<Value>>,
    /// The same in words.
    #[serde(skip)]
    details: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ChangeJson {
    table: String,
    algorithm: &'static str,
    /// Whether every row is written anew.
    rewrites: bool,
    /// Whether others can write to the table meanwhile.
    lets_write: bool,
    /// As the server estimates them.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// The server that was asked, or `manual`.
    source: String,
}

impl From<&Change> for ChangeJson {
    fn from(change: &Change) -> Self {
        Self {
            table: change.table.clone(),
            algorithm: change.class.name(),
            rewrites: change.rebuilds,
            lets_write: change.lets_write,
            rows: change.size.map(|size| size.rows),
            bytes: change.size.map(|size| size.bytes),
            source: change.server.clone().unwrap_or_else(|| "manual".to_owned()),
        }
    }
}

/// The statements of a plan. Without `findings` nothing is said of lint.
pub(super) fn statements<'a>(
    scripts: &'a Scripts,
    plan: &Plan,
    changes: &[Change],
    findings: Option<&[Finding]>,
) -> Vec<PlannedStatement<'a>> {
    let values: Vec<Value> = findings.map_or_else(Vec::new, |findings| {
        serde_json::from_str(&render_json(findings)).expect("lint writes JSON")
    });
    let of = |id: ScriptId, number: usize| {
        let found = findings.unwrap_or_default().iter().zip(&values);
        found.filter(move |(finding, _)| (finding.script, finding.statement) == (id, number))
    };
    let mut planned = Vec::with_capacity(plan.steps.len());
    for step in &plan.steps {
        let Some(script) = scripts.get(step.script) else {
            continue;
        };
        // A statement that is to be settled may be gone from its script.
        let statement: Option<&Statement> = script.statements.get(step.number - 1);
        let change = changes
            .iter()
            .find(|change| (change.script, change.number) == (step.script, step.number));
        let mut details = Vec::new();
        if step.action == Action::Settle {
            details.push(
                "begun by a run that ended: whether it took effect is found out first".to_owned(),
            );
        }
        details.extend(change.map(ToString::to_string));
        details.extend(of(step.script, step.number).map(|(finding, _)| {
            let severity = finding.severity.name();
            format!("{severity}[{}]: {}", finding.rule.name, finding.message)
        }));
        planned.push(PlannedStatement {
            script: &script.path,
            version: script.id.version.number(),
            phase: script.id.phase.name(),
            line: statement.map_or(0, |statement| statement.line),
            number: step.number,
            class: statement.map_or("schema", |statement| statement.analysis.class.name()),
            action: match step.action {
                Action::Run => "run",
                Action::Settle => "settle",
            },
            text: statement.map_or("", |statement| script.text_of(statement)),
            change: change.map(ChangeJson::from),
            findings: findings.map(|_| {
                let found = of(step.script, step.number);
                found.map(|(_, value)| value.clone()).collect()
            }),
            details,
        });
    }
    planned
}

/// A table in `width` columns, by script. Empty where there is nothing to run.
pub(super) fn render(statements: &[PlannedStatement<'_>], width: usize) -> String {
    if statements.is_empty() {
        return String::new();
    }
    let width = width.saturating_sub(INDENT).max(20);
    let mut text = String::from("  #  LINE  CLASS    STATEMENT\n");
    for of_script in statements.chunk_by(|one, other| one.script == other.script) {
        for script in of_script.first().iter() {
            text.push_str(&format!("{}\n", script.script));
        }
        for statement in of_script {
            let PlannedStatement {
                number,
                line,
                class,
                ..
            } = statement;
            let sql = shortened(statement.text, width);
            text.push_str(format!("{number:>3}  {line:>4}  {class:<7}  {sql}").trim_end());
            text.push('\n');
            for detail in &statement.details {
                for line in wrapped(detail, width) {
                    text.push_str(&format!("{:INDENT$}{line}\n", ""));
                }
            }
        }
    }
    text
}

/// On one line, its white space as single spaces, cut where it is long.
fn shortened(text: &str, width: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut line = visible(&words.join(" "));
    if line.width() <= width {
        return line;
    }
    while line.width() > width - 3 {
        line.pop();
    }
    line + "..."
}

/// Lines that are no longer than `width`, unless a word is; those after the first are set in.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) => lines.push(format!("  {word}")),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_shown_on_one_short_line() {
        assert_eq!(shortened("SELECT\n  1", 61), "SELECT 1");
        let long = shortened(&format!("SELECT '{}'", "é".repeat(100)), 61);
        assert_eq!(long.width(), 61);
        assert!(long.ends_with("..."));
        let wide = shortened(&format!("SELECT '{}'", "日".repeat(100)), 61);
        assert!((60..=61).contains(&wide.width()), "{wide}");
        assert_eq!(shortened("SELECT '\u{1b}[2J'", 61), "SELECT '␛[2J'");
    }

    #[test]
    fn what_is_said_of_a_statement_is_wrapped() {
        assert_eq!(wrapped("a bb ccc dddd", 6), ["a bb", "  ccc", "  dddd"]);
        assert!(wrapped("", 6).is_empty());
    }
}
