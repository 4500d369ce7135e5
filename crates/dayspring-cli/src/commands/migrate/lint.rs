use clap::{Args, ValueEnum};
use dayspring_migrate::lint::{
    Applied, Finding, Severity, find_rule, lint as find, render_github, render_json, render_rule,
    render_text,
};
use dayspring_migrate::read_folder;

use super::database::DatabaseArgs;
use super::facts::{FactsArgs, applied};
use super::options::LOCK_WAIT;
use crate::error::Error;
use crate::ui::Ui;

/// Say what scripts would do that their author may not mean: lose data, stop the application, fail on Aurora
///
/// Looks at the newest script, or with --database-url, --stage or --endpoint-url at what that database does not have yet.
/// Fails with exit code 1 where a finding is an error. What is meant so is allowed by a comment above its statement:
/// -- dayspring: allow RULE REASON
#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    facts: FactsArgs,
    /// Look at all scripts, as if none had been applied yet
    #[arg(long)]
    all: bool,
    /// How findings are printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Print JSON, as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Print GitHub's workflow commands, as --format github
    #[arg(long, conflicts_with_all = ["format", "json"])]
    github: bool,
    /// Print why a rule is there and what to do instead, and look at no script
    #[arg(long, value_name = "RULE", conflicts_with_all = ["scripts", "all", "json", "github", "format"])]
    explain: Option<String>,
}

/// For whom findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, with the source
    Text,
    /// For machines
    Json,
    /// Annotations of the lines of a pull request
    Github,
}

impl LintArgs {
    fn format(&self) -> Format {
        match self {
            Self { json: true, .. } => Format::Json,
            Self { github: true, .. } => Format::Github,
            Self { format, .. } => *format,
        }
    }
}

pub(super) async fn lint(ui: Ui, args: LintArgs) -> Result<(), Error> {
    if let Some(name) = &args.explain {
        let rule = find_rule(name).ok_or_else(|| Error::lint_rule(name))?;
        ui.result(render_rule(rule).trim_end());
        return Ok(());
    }
    let findings = if args.database.is_named() {
        let mut opened = args.database.open(LOCK_WAIT).await?;
        let journal = opened.journal().await?;
        let applied = applied(&journal, args.all);
        let context = args.facts.of_database(ui, &mut opened, applied).await?;
        find(&opened.scripts, &context)
    } else {
        let (folder, shown) = args.database.scripts.folder()?;
        let scripts = read_folder(&folder, &shown).map_err(Error::scripts)?;
        let applied = if args.all {
            Applied::nothing()
        } else {
            Applied::AllButNewest
        };
        let levels = args.database.scripts.levels()?.unwrap_or_default();
        let context = args.facts.of_scripts(ui, &scripts, applied, levels).await?;
        find(&scripts, &context)
    };
    let text = match args.format() {
        Format::Json => render_json(&findings),
        Format::Github => render_github(&findings),
        Format::Text => render_text(&findings),
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
    let is_error = |finding: &&Finding| finding.severity == Severity::Error;
    match findings.iter().filter(is_error).count() {
        0 => Ok(()),
        count => Err(Error::Lint { count }),
    }
}
