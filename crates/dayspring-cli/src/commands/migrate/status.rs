use clap::Args;
use dayspring_migrate::{Phase, ScriptStatus, Standing, Version, visible};
use serde::Serialize;

use super::database::DatabaseArgs;
use super::options::LOCK_WAIT;
use crate::error::Error;
use crate::render;
use crate::ui::Ui;

/// Show which scripts a database has
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Status {
    version: Option<u64>,
    scripts: Vec<StatusOfScript>,
}

#[derive(Debug, Serialize)]
struct StatusOfScript {
    script: String,
    version: u64,
    phase: &'static str,
    state: &'static str,
    applied: usize,
    statements: usize,
    /// What the database said of the failed statement, or what is in doubt.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

pub(super) async fn status(ui: Ui, args: StatusArgs) -> Result<(), Error> {
    let mut opened = args.database.open(LOCK_WAIT).await?;
    let journal = opened.journal().await?;
    let scripts = dayspring_migrate::status(&opened.scripts, &journal);
    if args.json {
        let status = Status {
            version: journal.version(Phase::Expand).map(Version::number),
            scripts: scripts.iter().map(status_of_script).collect(),
        };
        ui.result(&serde_json::to_string_pretty(&status).expect("numbers and text are JSON"));
        return Ok(());
    }
    ui.status("Asked", &opened.place);
    let header = ["SCRIPT", "STATE", "STATEMENTS"].map(str::to_owned);
    let rows = scripts.iter().map(|script| {
        let counts = format!("{} of {}", script.applied, script.statements);
        [
            script.path.clone(),
            shown(&script.standing).to_owned(),
            counts,
        ]
    });
    ui.result(render::table(&std::iter::once(header).chain(rows).collect::<Vec<_>>()).trim_end());
    for script in &scripts {
        if let Some(detail) = detail(&script.standing) {
            ui.result(&format!("\n{}: {}", script.path, visible(&detail)));
        }
    }
    Ok(())
}

fn status_of_script(script: &ScriptStatus) -> StatusOfScript {
    StatusOfScript {
        script: script.path.clone(),
        version: script.id.version.number(),
        phase: script.id.phase.name(),
        state: state(&script.standing),
        applied: script.applied,
        statements: script.statements,
        detail: detail(&script.standing),
    }
}

/// The word for machines.
fn state(standing: &Standing) -> &'static str {
    match standing {
        Standing::Pending => "pending",
        Standing::Partial => "partial",
        Standing::Applied => "applied",
        Standing::Failed { .. } => "failed",
        Standing::Interrupted { .. } => "interrupted",
        Standing::InDoubt { .. } => "in_doubt",
        Standing::Gone => "ahead",
    }
}

/// The words for people.
fn shown(standing: &Standing) -> &'static str {
    match standing {
        Standing::Partial => "partly applied",
        Standing::InDoubt { .. } => "in doubt",
        Standing::Pending
        | Standing::Applied
        | Standing::Failed { .. }
        | Standing::Interrupted { .. }
        | Standing::Gone => state(standing),
    }
}

fn detail(standing: &Standing) -> Option<String> {
    match standing {
        Standing::Failed { number, error } => Some(format!("statement {number}: {error}")),
        Standing::Interrupted { number } => Some(format!(
            "statement {number} was begun by a run that ended; the next run settles it"
        )),
        Standing::InDoubt { number, evidence } => Some(format!("statement {number}: {evidence}")),
        Standing::Pending | Standing::Partial | Standing::Applied | Standing::Gone => None,
    }
}
