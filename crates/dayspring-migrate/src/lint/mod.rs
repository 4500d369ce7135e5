//! Says what a set of scripts would do that its author may not mean: lose data, stop the application, fail on Aurora.
//!
//! Pure: scripts and a [`LintContext`] in, [`Finding`]s out. All scripts are replayed into a small model of the schema,
//! and the rules look at the statements that are about to run. A table that those statements create is empty, so most
//! rules have nothing to say about it.
//!
//! ```
//! use dayspring_migrate::Scripts;
//! use dayspring_migrate::lint::{LintContext, lint, render_text};
//!
//! let files = [
//!     ("v1.sql", "CREATE TABLE post (id BIGINT PRIMARY KEY, body TEXT);"),
//!     ("v2.sql", "DROP TABLE post;"),
//! ];
//! let scripts = Scripts::parse("scripts/schema", files)?;
//! let findings = lint(&scripts, &LintContext::default());
//! assert!(render_text(&findings).starts_with("error[drop-table]: "));
//! # Ok::<(), dayspring_migrate::ScriptError>(())
//! ```
//!
//! A command that has a journal at hand, and sees a failure in an error only:
//!
//! ```
//! use dayspring_migrate::lint::{Applied, LintContext, Severity, lint, render_text, worst};
//! use dayspring_migrate::{Journal, Scripts};
//!
//! fn lint_command(scripts: &Scripts, journal: &Journal) -> (String, bool) {
//!     let context = LintContext { applied: Applied::of(journal), ..LintContext::default() };
//!     let findings = lint(scripts, &context);
//!     (render_text(&findings), worst(&findings) == Some(Severity::Error))
//! }
//! ```

mod algorithm;
mod allow;
mod change;
mod context;
mod docs;
mod example;
mod finding;
mod measure;
mod question;
mod reader;
mod render;
mod rule;
mod rules;
mod schema;
#[cfg(test)]
mod tests;
mod type_change;

pub use algorithm::AlgorithmClass;
pub use change::{Change, changes};
pub use context::{
    Applied, Level, LintContext, Measured, MySqlVersion, TableSize, Target, TargetError,
};
pub use docs::{render_rule, render_rules, render_table};
pub use finding::{Edit, Finding, Fix, apply_fixes, worst};
pub use measure::{measure, read_sizes};
pub use question::{Question, Variant, questions};
pub use render::{render_finding, render_github, render_json, render_text};
pub use rule::{Example, Rule, Servers, Severity};

use std::collections::BTreeMap;

use allow::Allows;
use reader::{read, read_tokens};
use rule::{Report, Site};
use schema::Schema;

use crate::place::Place;
use crate::script::{Script, Scripts};

/// All rules, by their codes.
#[must_use]
pub fn rules() -> &'static [&'static Rule] {
    rules::ALL
}

/// A rule by its name or its code.
#[must_use]
pub fn find_rule(name: &str) -> Option<&'static Rule> {
    allow::find(name)
}

/// The rule whose name is nearest to one that no rule has, if it is near.
#[must_use]
pub fn nearest_rule(name: &str) -> Option<&'static Rule> {
    allow::nearest(name)
}

/// Looks at the statements that are about to run. The findings are in the order of the scripts.
#[must_use]
pub fn lint(scripts: &Scripts, context: &LintContext) -> Vec<Finding> {
    let mut schema = Schema::default();
    let mut findings = Vec::new();
    let unasked = unasked(context);
    let mut all_in_use = Schema::default();
    let is_first_run = scripts
        .iter()
        .all(|script| context.applied.is_pending(scripts, script.id, 1));
    for script in in_order(scripts, context) {
        let mut gap = 0;
        let mut of_file = Allows::of_file(script);
        for statement in &script.statements {
            let tokens = read_tokens(script.text_of(statement), statement.span.start);
            let read = read(&tokens);
            let is_pending = context
                .applied
                .is_pending(scripts, script.id, statement.number);
            if is_pending {
                let site = Site {
                    context,
                    script,
                    statement,
                    tokens: &tokens,
                    read: &read,
                    schema: &schema,
                    is_first_run,
                };
                let allows = Allows::read(
                    &script.text,
                    gap..statement.span.start,
                    statement.span.clone(),
                );
                let elsewhere = Site {
                    context: &unasked,
                    schema: &all_in_use,
                    ..site
                };
                let found = check(&site, &elsewhere, allows, &mut of_file);
                findings.extend(
                    found
                        .into_iter()
                        .filter_map(|found| finding(context, script, statement.number, found)),
                );
            }
            schema.apply(&read, is_pending);
            all_in_use.apply(&read, false);
            gap = statement.span.end;
        }
        findings.extend(check_end(scripts, script, context, gap, of_file));
    }
    findings
}

/// The scripts in the order in which they ran and will run: contract scripts that are about to run come last.
fn in_order<'a>(scripts: &'a Scripts, context: &LintContext) -> Vec<&'a Script> {
    let is_pending = |script: &Script| {
        let number = script.statements.len();
        context.applied.is_pending(scripts, script.id, number)
    };
    let mut ordered: Vec<&Script> = scripts.iter().collect();
    ordered.sort_by_key(|script| is_pending(script).then_some(script.id.phase));
    ordered
}

/// The same without what servers said.
fn unasked(context: &LintContext) -> LintContext {
    LintContext {
        applied: context.applied.clone(),
        levels: context.levels.clone(),
        table_sizes: BTreeMap::new(),
        measured: BTreeMap::new(),
        ..*context
    }
}

/// `elsewhere` is another database, of which nothing is known and in which all tables are in use: a comment that is of use
/// there stays.
fn check(
    site: &Site<'_>,
    elsewhere: &Site<'_>,
    mut allows: Allows,
    of_file: &mut Allows,
) -> Vec<(&'static Rule, Report)> {
    let mut found = std::mem::take(&mut allows.wrong);
    let is_mysql = site.context.target.is_mysql();
    let is_on = |rule: &Rule| rule.servers == Servers::All || is_mysql;
    for rule in rules::ALL.iter().copied().filter(|rule| is_on(rule)) {
        let mut reports = Vec::new();
        if let Some(check) = rule.check {
            check(site, &mut reports);
        }
        if reports.is_empty()
            && (allows.names(rule) || of_file.names(rule))
            && let Some(check) = rule.check
        {
            let mut found_there = Vec::new();
            check(elsewhere, &mut found_there);
            if !found_there.is_empty() {
                allows.silences(rule);
                of_file.silences(rule);
            }
        }
        let silenced = !reports.is_empty() && (allows.silences(rule) | of_file.silences(rule));
        if !silenced {
            found.extend(reports.into_iter().map(|report| (rule, report)));
        }
    }
    found.extend(allows.unused("the statement that this comment is about"));
    found.sort_by_key(|(rule, report)| (report.span.start, rule.code));
    found
}

/// Comments after the last statement are about nothing; those about the whole script are of use or not.
fn check_end(
    scripts: &Scripts,
    script: &Script,
    context: &LintContext,
    gap: usize,
    of_file: Allows,
) -> Vec<Finding> {
    let number = script.statements.len();
    if !context.applied.is_pending(scripts, script.id, number) {
        return Vec::new();
    }
    let end = script.text.len();
    let mut allows = Allows::read(&script.text, gap..end, end..end);
    let mut found = std::mem::take(&mut allows.wrong);
    found.extend(allows.unused("the statement that this comment is about"));
    // What a statement that has run already would have found is not known.
    if context.applied.is_pending(scripts, script.id, 1) {
        found.extend(of_file.unused("this script"));
    }
    found.extend(of_file.wrong);
    found
        .into_iter()
        .filter_map(|found| finding(context, script, number, found))
        .collect()
}

fn finding(
    context: &LintContext,
    script: &Script,
    statement: usize,
    (rule, report): (&'static Rule, Report),
) -> Option<Finding> {
    let severity = match context.levels.get(rule.name) {
        None => rule.severity,
        Some(Level::Warn) => Severity::Warning,
        Some(Level::Deny) => Severity::Error,
        Some(Level::Allow) => return None,
    };
    Some(Finding {
        rule,
        severity,
        message: report.message,
        notes: report.notes,
        help: report.help.unwrap_or_else(|| rule.safe_way.to_owned()),
        fix: report.fix,
        script: script.id,
        statement,
        place: Place::new(&script.path, &script.text, report.span.clone()),
        span: report.span,
    })
}
