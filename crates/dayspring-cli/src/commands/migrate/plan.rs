use clap::Args;
use dayspring_migrate::lint::{Severity, changes, lint};
use dayspring_migrate::{Decision, Journal, Phase, Plan, Version};
use serde::Serialize;

use super::database::{DatabaseArgs, Opened};
use super::facts::{FactsArgs, applied};
use super::options::LOCK_WAIT;
use super::planned::{PlannedStatement, render, statements};
use crate::error::Error;
use crate::render::count;
use crate::ui::Ui;

/// Show the statements that `migrate up` would run, and run nothing
///
/// Each is shown with how the server carries it out (INSTANT, INPLACE or COPY, what is rewritten, who waits) and what
/// lint finds in it. Contract scripts, which are for after the new code is live, stand by themselves.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    facts: FactsArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Planned<'a> {
    /// The newest applied script.
    version: Option<u64>,
    /// Statements of the scripts that are applied.
    applied: usize,
    /// Whether the database has more than the scripts.
    ahead: bool,
    /// What `up` would run.
    statements: Vec<PlannedStatement<'a>>,
    /// What `up --contract` would run after it.
    contract: Vec<PlannedStatement<'a>>,
}

pub(super) async fn plan(ui: Ui, args: PlanArgs) -> Result<(), Error> {
    let mut opened = args.database.open(LOCK_WAIT).await?;
    let journal = opened.journal().await?;
    ui.status("Asked", &opened.place);
    let expand = planned(&opened, &journal, Phase::Expand)?;
    let contract = planned(&opened, &journal, Phase::Contract)?;
    let already = applied(&journal, false);
    let context = args.facts.of_database(ui, &mut opened, already).await?;
    let findings = lint(&opened.scripts, &context);
    let changes = changes(&opened.scripts, &context);
    let of = |plan: &Plan| statements(&opened.scripts, plan, &changes, Some(&findings));
    let planned = Planned {
        version: expand.version.map(Version::number),
        applied: expand.applied + contract.applied,
        ahead: expand.ahead,
        statements: of(&expand),
        contract: of(&contract),
    };
    if args.json {
        ui.result(&serde_json::to_string_pretty(&planned).expect("numbers and text are JSON"));
        return Ok(());
    }
    let width = ui.width();
    let mut text = match render(&planned.statements, width) {
        table if table.is_empty() => nothing(&planned) + "\n",
        table => table,
    };
    let table = render(&planned.contract, width);
    if !table.is_empty() {
        text.push_str("\nAfter the new code is live, by `up --contract` or by the deploy:\n\n");
        text.push_str(&table);
    }
    ui.result(text.trim_end());
    let counted = |severity: Severity| {
        let found = findings.iter().filter(|found| found.severity == severity);
        match found.count() {
            0 => None,
            number => Some(count(number, severity.name())),
        }
    };
    let counts: Vec<String> = [Severity::Error, Severity::Warning]
        .into_iter()
        .filter_map(counted)
        .collect();
    if !counts.is_empty() {
        let counts = counts.join(" and ");
        ui.status(
            "Linted",
            &format!("{counts}: `migrate lint` with this database says what to do"),
        );
    }
    Ok(())
}

fn planned(opened: &Opened, journal: &Journal, phase: Phase) -> Result<Plan, Error> {
    match dayspring_migrate::plan(&opened.scripts, journal, phase, opened.mode) {
        Ok(Decision::Carry(plan)) => Ok(plan),
        // Only a development stage is rebuilt, and not by these commands.
        Ok(Decision::Rebuild(refusal)) | Err(refusal) => Err(Error::migration(&refusal.into())),
    }
}

fn nothing(planned: &Planned<'_>) -> String {
    let schema = match planned.version {
        Some(version) => format!("the schema is at v{version}"),
        None => "no script is applied".to_owned(),
    };
    if planned.ahead {
        format!("nothing to do: {schema}, and ahead of the scripts")
    } else {
        format!("nothing to do: {schema}")
    }
}
