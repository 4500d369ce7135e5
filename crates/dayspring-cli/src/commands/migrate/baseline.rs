use clap::{Args, ValueEnum};
use dayspring_migrate::baseline::{
    Match, Objection, Reach, Tool, end_of_history, match_history, plan_baseline, read_history,
    record_baseline,
};
use dayspring_migrate::{Phase, ScriptId, Scripts, Session, read_journal};
use serde::Serialize;

use super::database::{AnySession, DatabaseArgs};
use super::options::LOCK_WAIT;
use super::scratch::{DifferenceJson, ScratchArgs, Words, compare, input, rights_help};
use crate::error::Error;
use crate::render;
use crate::ui::Ui;

/// Adopt a database that was built otherwise: record its scripts as applied
///
/// The scripts are replayed on a scratch server first and compared with the database. Without --yes nothing is recorded.
/// Another tool's history is read and never changed.
#[derive(Debug, Args)]
pub(crate) struct BaselineArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The last script that the database has, as in v7; otherwise as --from says, or the newest
    #[arg(long, value_name = "vN", value_parser = parse_script)]
    at: Option<ScriptId>,
    /// The tool whose history says what is applied
    #[arg(long, value_name = "TOOL")]
    from: Option<From>,
    #[command(flatten)]
    scratch: ScratchArgs,
    /// Record without comparing
    #[arg(long)]
    unchecked: bool,
    /// Record
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Tools whose history can be read.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum From {
    Flyway,
    Sqlx,
    Refinery,
    Dbmate,
    GolangMigrate,
    Alembic,
}

impl From {
    fn tool(self) -> Tool {
        match self {
            Self::Flyway => Tool::Flyway,
            Self::Sqlx => Tool::Sqlx,
            Self::Refinery => Tool::Refinery,
            Self::Dbmate => Tool::Dbmate,
            Self::GolangMigrate => Tool::GolangMigrate,
            Self::Alembic => Tool::Alembic,
        }
    }
}

#[derive(Debug, Serialize)]
struct Baselined {
    /// The last script.
    at: String,
    /// What the other tool's history says.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<HistoryRow>>,
    /// Whether the schema was compared.
    checked: bool,
    differences: Vec<DifferenceJson>,
    /// Statements without a record before.
    statements: usize,
    recorded: bool,
}

#[derive(Debug, Serialize)]
struct HistoryRow {
    version: String,
    name: String,
    /// The script that it is.
    script: Option<String>,
}

fn parse_script(text: &str) -> Result<ScriptId, String> {
    ScriptId::parse(&format!("{text}.sql"))
        .or_else(|| ScriptId::parse(&format!("v{text}.sql")))
        .ok_or_else(|| "expected a script's number, as in v7 or v7.contract".to_owned())
}

pub(super) async fn baseline(ui: Ui, args: BaselineArgs) -> Result<(), Error> {
    let opened = args.database.open(LOCK_WAIT).await?;
    let (scripts, place) = (opened.scripts, opened.place);
    match opened.session {
        AnySession::Direct(mut session) => {
            adopt(
                ui,
                session.as_mut(),
                &scripts,
                &place,
                &args,
                Words::OfTheServer,
            )
            .await
        }
        AnySession::DataApi(mut session) => {
            adopt(
                ui,
                session.as_mut(),
                &scripts,
                &place,
                &args,
                Words::OfMySql,
            )
            .await
        }
    }
}

async fn adopt<S: Session>(
    ui: Ui,
    session: &mut S,
    scripts: &Scripts,
    place: &str,
    args: &BaselineArgs,
    words: Words,
) -> Result<(), Error> {
    let journal = read_journal(session, scripts).await.map_err(failed)?;
    let (history, at) = match args.from {
        Some(from) => {
            let history = read_history(session, &journal.database, from.tool());
            let history = history.await.map_err(failed)?;
            let matches = match_history(&history, scripts);
            if !args.json {
                show(ui, &matches, scripts);
            }
            let at = match args.at {
                Some(at) => at,
                None => end_of_history(&history, &matches, scripts).map_err(objected)?,
            };
            (Some(rows(&matches, scripts)), at)
        }
        None => (None, newest(args.at, scripts)?),
    };
    let planned = plan_baseline(scripts, &journal, at).map_err(objected)?;
    let sequence = scripts
        .iter()
        .filter(|script| script.id <= at)
        .flat_map(|script| {
            script
                .statements
                .iter()
                .map(|statement| (script.id, statement.number))
        })
        .collect();
    let differences = if args.unchecked {
        Vec::new()
    } else {
        compare(ui, session, scripts, &sequence, &args.scratch, words)
            .await?
            .differences
    };
    let recorded = if args.yes && differences.is_empty() {
        let owner = format!(
            "baseline of process {}, number {}",
            std::process::id(),
            fastrand::u32(..)
        );
        let recorded = record_baseline(session, scripts, at, &owner);
        Some(recorded.await.map_err(failed)?)
    } else {
        None
    };
    let count = render::count(planned.statements.len(), "statement");
    if args.json {
        let baselined = Baselined {
            at: at.to_string(),
            history,
            checked: !args.unchecked,
            differences: differences.iter().map(DifferenceJson::from).collect(),
            statements: planned.statements.len(),
            recorded: recorded.is_some(),
        };
        ui.result(&serde_json::to_string_pretty(&baselined).expect("numbers and text are JSON"));
    } else {
        for difference in &differences {
            ui.result(&difference.to_string());
        }
        if differences.is_empty() && !args.unchecked {
            ui.status(
                "Compared",
                &format!("the schema is what the scripts up to {at} make"),
            );
        }
        match recorded {
            Some(recorded) => ui.status(
                "Recorded",
                &format!(
                    "{} as applied, {place} is at {at}",
                    render::count(recorded, "statement")
                ),
            ),
            None if differences.is_empty() => {
                ui.note(&format!(
                    "nothing is recorded yet: --yes records {count} up to {at} as applied"
                ));
            }
            None => {}
        }
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(input(format!(
        "error: the schema is not what the scripts up to {at} make: {}; nothing was recorded\n help: name the right script \
         with --at, correct the scripts, or record all the same with --unchecked{}",
        render::count(differences.len(), "difference"),
        rights_help(&differences)
    )))
}

fn newest(at: Option<ScriptId>, scripts: &Scripts) -> Result<ScriptId, Error> {
    let newest = || {
        scripts
            .of_phase(Phase::Expand)
            .next_back()
            .map(|script| script.id)
    };
    at.or_else(newest).ok_or_else(|| {
        objected(Objection::NoScript {
            wanted: "v1".to_owned(),
            newest: None,
        })
    })
}

fn objected(objection: Objection) -> Error {
    failed(Box::new(objection).into())
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn failed(error: dayspring_migrate::Error) -> Error {
    Error::migration(&error)
}

fn rows(matches: &[Match], scripts: &Scripts) -> Vec<HistoryRow> {
    let row = |found: &Match| HistoryRow {
        version: found.entry.version.clone(),
        name: found.entry.name.clone(),
        script: found
            .script
            .and_then(|id| scripts.get(id))
            .map(|script| script.path.clone()),
    };
    matches.iter().map(row).collect()
}

fn show(ui: Ui, matches: &[Match], scripts: &Scripts) {
    let header = ["MIGRATION", "NAME", "SCRIPT"].map(str::to_owned);
    let rows = matches
        .iter()
        .zip(rows(matches, scripts))
        .map(|(found, row)| {
            let script = match (row.script, found.entry.reach) {
                (Some(script), Reach::UpTo) => format!("{script} and all before it"),
                (Some(script), _) => script,
                (None, Reach::Nothing) => "none: it has no number".to_owned(),
                (None, _) => "none".to_owned(),
            };
            [row.version, row.name, script]
        });
    ui.result(render::table(&std::iter::once(header).chain(rows).collect::<Vec<_>>()).trim_end());
}
