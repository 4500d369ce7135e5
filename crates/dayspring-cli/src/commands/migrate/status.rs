use clap::Args;
use dayspring_migrate::{Script, ScriptRecord, State};
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

#[derive(Debug, Serialize)]
struct Status {
    version: Option<u64>,
    scripts: Vec<ScriptStatus>,
}

#[derive(Debug, Serialize)]
struct ScriptStatus {
    script: String,
    version: u64,
    phase: &'static str,
    state: ScriptState,
    applied: usize,
    statements: usize,
    /// What the database said of the failed statement, or what is in doubt.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// A script as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum ScriptState {
    Pending,
    /// Some of its statements are applied.
    Partial,
    Applied,
    Failed,
    InDoubt,
    /// The database has it and the folder does not.
    Ahead,
}

impl ScriptState {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Partial => "partly applied",
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::InDoubt => "in doubt",
            Self::Ahead => "ahead",
        }
    }
}

pub(super) async fn status(ui: Ui, args: StatusArgs) -> Result<(), Error> {
    let mut opened = args.database.open(LOCK_WAIT).await?;
    let journal = opened.journal().await?;
    let known = opened.scripts.iter().map(|script| {
        let record = journal.scripts.get(&script.id);
        script_status(script, record)
    });
    let ahead = journal
        .scripts
        .iter()
        .filter(|(id, record)| opened.scripts.get(**id).is_none() && record.may_have_effect())
        .map(|(id, record)| ScriptStatus {
            script: record.name.clone(),
            version: id.version.number(),
            phase: id.phase.name(),
            state: ScriptState::Ahead,
            applied: applied(record),
            statements: record.statements.len(),
            detail: None,
        });
    let status = Status {
        version: journal
            .version(dayspring_migrate::Phase::Expand)
            .map(dayspring_migrate::Version::number),
        scripts: known.chain(ahead).collect(),
    };
    if args.json {
        ui.result(&serde_json::to_string_pretty(&status).expect("numbers and text are JSON"));
        return Ok(());
    }
    ui.status("Asked", &opened.place);
    let header = ["SCRIPT", "STATE", "STATEMENTS"].map(str::to_owned);
    let rows = status.scripts.iter().map(|script| {
        let counts = format!("{} of {}", script.applied, script.statements);
        [
            script.script.clone(),
            script.state.name().to_owned(),
            counts,
        ]
    });
    ui.result(render::table(&std::iter::once(header).chain(rows).collect::<Vec<_>>()).trim_end());
    for script in &status.scripts {
        if let Some(detail) = &script.detail {
            ui.result(&format!("\n{}: {detail}", script.script));
        }
    }
    Ok(())
}

fn applied(record: &ScriptRecord) -> usize {
    record
        .statements
        .values()
        .filter(|record| record.state == State::Applied)
        .count()
}

fn script_status(script: &Script, record: Option<&ScriptRecord>) -> ScriptStatus {
    let statements = script.statements.len();
    let applied = record.map_or(0, applied);
    let (mut state, mut detail) = match applied {
        0 => (ScriptState::Pending, None),
        all if all >= statements => (ScriptState::Applied, None),
        _ => (ScriptState::Partial, None),
    };
    for statement in record.iter().flat_map(|record| record.statements.values()) {
        match &statement.state {
            State::Failed { error } => {
                (state, detail) = (
                    ScriptState::Failed,
                    Some(format!("statement {}: {error}", statement.number)),
                );
            }
            State::InDoubt { evidence, .. } => {
                (state, detail) = (
                    ScriptState::InDoubt,
                    Some(format!("statement {}: {evidence}", statement.number)),
                );
            }
            State::Pending | State::Started { .. } | State::Applied => {}
        }
    }
    ScriptStatus {
        script: script.path.clone(),
        version: script.id.version.number(),
        phase: script.id.phase.name(),
        state,
        applied,
        statements,
        detail,
    }
}
