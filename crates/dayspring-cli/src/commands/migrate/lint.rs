use clap::Args;
use dayspring_migrate::lint::{
    Applied, Finding, LintContext, Severity, find_rule, lint as find, render_github, render_json,
    render_rule, render_text,
};
use dayspring_migrate::read_folder;

use super::database::ScriptsArgs;
use crate::error::Error;
use crate::ui::Ui;

/// Say what the newest script would do that its author may not mean: lose data, stop the application, fail on Aurora
///
/// Fails with exit code 1 where a finding is an error. What is meant so is allowed by a comment above its statement:
/// -- dayspring: allow RULE REASON
#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    #[command(flatten)]
    scripts: ScriptsArgs,
    /// Look at all scripts, as if none had been applied yet
    #[arg(long)]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print GitHub's workflow commands, which annotate the lines of a pull request
    #[arg(long, conflicts_with = "json")]
    github: bool,
    /// Print why a rule is there and what to do instead, and look at no script
    #[arg(long, value_name = "RULE", conflicts_with_all = ["scripts", "all", "json", "github"])]
    explain: Option<String>,
}

pub(super) fn lint(ui: Ui, args: &LintArgs) -> Result<(), Error> {
    if let Some(name) = &args.explain {
        let rule = find_rule(name).ok_or_else(|| Error::LintRule { name: name.clone() })?;
        ui.result(render_rule(rule).trim_end());
        return Ok(());
    }
    let (folder, shown) = args.scripts.folder()?;
    let scripts = read_folder(&folder, &shown).map_err(Error::scripts)?;
    let mut context = LintContext::default();
    if args.all {
        context.applied = Applied::nothing();
    }
    let findings = find(&scripts, &context);
    let text = if args.json {
        render_json(&findings)
    } else if args.github {
        render_github(&findings)
    } else {
        render_text(&findings)
    };
    if !text.is_empty() {
        ui.result(&text);
    }
    if findings.is_empty() {
        ui.status("Finished", "the rules have nothing to say");
    }
    refuse_errors(&findings)
}

fn refuse_errors(findings: &[Finding]) -> Result<(), Error> {
    let is_error = |finding: &&Finding| finding.rule.severity == Severity::Error;
    match findings.iter().filter(is_error).count() {
        0 => Ok(()),
        count => Err(Error::Lint { count }),
    }
}
