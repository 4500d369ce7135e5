//! Findings as text: for terminals, for machines, for GitHub.

use serde_json::{Value, json};

use super::finding::Finding;
use super::rule::Severity;
use crate::place::Place;

/// Renders findings for people, in rustc's look, with a line that counts them at the end. The text has no colours and
/// ends without a line feed; it is empty if there is nothing to say.
#[must_use]
pub fn render_text(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let mut text: String = findings
        .iter()
        .map(|finding| render_finding(finding) + "\n\n")
        .collect();
    text.push_str(&render_counts(findings));
    text
}

/// Renders one finding for people.
#[must_use]
pub fn render_finding(finding: &Finding) -> String {
    let mut text = render_without_help(finding);
    text.push_str(&format!("\n help: {}", finding.help));
    if let Some(fix) = &finding.fix {
        text.push_str(&format!("\n  fix: {}", fix.title));
    }
    text
}

/// What a finding says, where its way out is said beside it.
pub(super) fn render_without_help(finding: &Finding) -> String {
    let rule = finding.rule;
    let mut text = format!(
        "{}[{}]: {}",
        finding.severity.name(),
        rule.name,
        finding.message
    );
    text.push_str(&render_excerpt(&finding.place));
    for note in &finding.notes {
        text.push_str(&format!("\n note: {note}"));
    }
    text
}

fn render_excerpt(place: &Place) -> String {
    let width = place.line.to_string().len();
    let mut text = format!("\n{:width$}--> {place}\n{:width$} |", "", "");
    let Some(line) = place.lines.first() else {
        return text;
    };
    text.push_str(&format!("\n{} | {line}", place.line));
    if let Some(marks) = place.marks(0) {
        text.push_str(&format!("\n{:width$} | {marks}", ""));
    }
    text
}

fn render_counts(findings: &[Finding]) -> String {
    let count = |severity: Severity| {
        let count = findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count();
        let plural = if count == 1 { "" } else { "s" };
        (count > 0).then(|| format!("{count} {}{plural}", severity.name()))
    };
    let counts: Vec<String> = [Severity::Error, Severity::Warning]
        .into_iter()
        .filter_map(count)
        .collect();
    format!(
        "{}; what is meant so is allowed by `-- dayspring: allow RULE REASON` above the statement",
        counts.join(" and ")
    )
}

/// Findings as a JSON array, an object each. Lines and columns count from 1, bytes from 0.
#[must_use]
pub fn render_json(findings: &[Finding]) -> String {
    let values: Vec<Value> = findings.iter().map(finding_value).collect();
    format!("{:#}", Value::Array(values))
}

fn finding_value(finding: &Finding) -> Value {
    let fix = finding.fix.as_ref().map(|fix| {
        let edits: Vec<Value> = fix
            .edits
            .iter()
            .map(|edit| json!({ "start": edit.span.start, "end": edit.span.end, "replacement": edit.replacement }))
            .collect();
        json!({ "title": fix.title, "edits": edits })
    });
    json!({
        "rule": finding.rule.name,
        "code": finding.rule.code,
        "severity": finding.severity.name(),
        "message": finding.message,
        "notes": finding.notes,
        "help": finding.help,
        "path": finding.place.path,
        "line": finding.place.line,
        "column": finding.place.column,
        "start": finding.span.start,
        "end": finding.span.end,
        "statement": finding.statement,
        "fix": fix,
    })
}

/// Findings as GitHub's workflow commands, a line each, which annotate the lines of a pull request
/// (docs.github.com, 'Workflow commands for GitHub Actions').
#[must_use]
pub fn render_github(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| {
            let mut message = finding.message.clone();
            for note in &finding.notes {
                message.push_str(&format!("\nnote: {note}"));
            }
            message.push_str(&format!("\nhelp: {}", finding.help));
            format!(
                "::{} file={},line={},col={},title={}::{}",
                finding.severity.name(),
                escape_property(&finding.place.path),
                finding.place.line,
                finding.place.column,
                escape_property(&format!("{} {}", finding.rule.code, finding.rule.name)),
                escape_message(&message),
            )
        })
        .collect();
    lines.join("\n")
}

fn escape_message(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn escape_property(text: &str) -> String {
    escape_message(text).replace(':', "%3A").replace(',', "%2C")
}
