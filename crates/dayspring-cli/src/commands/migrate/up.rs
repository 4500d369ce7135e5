use std::time::Instant;

use clap::Args;
use dayspring_migrate::{Event, Outcome, Phase, Report, Standing, apply, status};
use serde::Serialize;

use super::database::{AnySession, DatabaseArgs, Opened};
use super::options::WaitArgs;
use crate::error::{Error, Fault};
use crate::render;
use crate::ui::Ui;

/// Apply the scripts that the database does not have yet
///
/// Each statement takes effect exactly once, whatever was interrupted before: run it again and it carries on. Contract
/// scripts (vN.contract.sql) are for after the new code is live, and run only with --contract.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    wait: WaitArgs,
    /// Run the contract scripts too, after all others: the code that needs what they remove is gone
    #[arg(long)]
    contract: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// What a run did, for machines.
#[derive(Debug, Serialize)]
struct Done {
    /// In one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<String>,
    /// Why it stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failed>,
    /// The newest applied script.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    /// How many statements this run applied.
    applied: usize,
    /// Which.
    statements: Vec<Range>,
    /// The contract scripts that are still to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    contract_pending: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
struct Failed {
    /// Whose mistake it is, as the exit code says.
    fault: &'static str,
    /// As it is printed.
    message: String,
}

/// Statements of one script that were applied together.
#[derive(Debug, Serialize)]
struct Range {
    script: String,
    first: usize,
    last: usize,
}

pub(super) async fn up(ui: Ui, args: UpArgs) -> Result<(), Error> {
    let begun = Instant::now();
    let mut opened = args.database.open(args.wait.lock_wait).await?;
    ui.status("Migrating", &opened.place);
    let mut progress = Progress::new(ui);
    let ended = phases(&args, &mut opened, &mut progress).await;
    let pending = match &ended {
        Ok(_) => contract_pending(&mut opened).await?,
        Err(_) => Vec::new(),
    };
    if args.json {
        let done = done(&ended, progress.applied, pending);
        ui.result(&serde_json::to_string_pretty(&done).expect("numbers and text are JSON"));
    } else if let Ok(report) = &ended {
        let time = render::duration(begun.elapsed());
        ui.status("Finished", &format!("{report}, in {time}"));
        if !pending.is_empty() {
            let scripts = pending.join(", ");
            let what = format!("{scripts}: once the new code is live, run `migrate up --contract`");
            ui.status("Pending", &what);
        }
    }
    ended.map(drop)
}

/// The expand phase, and the contract phase after it where it is asked for.
async fn phases(
    args: &UpArgs,
    opened: &mut Opened,
    progress: &mut Progress,
) -> Result<Report, Error> {
    let report = run(args, opened, Phase::Expand, progress).await?;
    if !args.contract {
        return Ok(report);
    }
    let contract = run(args, opened, Phase::Contract, progress).await?;
    Ok(Report {
        applied: report.applied + contract.applied,
        ..report
    })
}

async fn run(
    args: &UpArgs,
    opened: &mut Opened,
    phase: Phase,
    progress: &mut Progress,
) -> Result<Report, Error> {
    let (scripts, mode) = (&opened.scripts, opened.mode);
    let mut observer = |event: Event<'_>| progress.tell(event);
    let outcome = match &mut opened.session {
        AnySession::Direct(session) => {
            let mut options = args.wait.direct(owner(), mode);
            options.phase = phase;
            apply(session.as_mut(), scripts, &options, &mut observer).await
        }
        AnySession::DataApi(session) => {
            let mut options = args.wait.data_api(owner(), mode);
            options.phase = phase;
            apply(session.as_mut(), scripts, &options, &mut observer).await
        }
    };
    outcome
        .map_err(|error| Error::migration(&error))
        .and_then(finished)
}

/// The contract scripts that are not applied. Where there are no such scripts, nothing is asked.
async fn contract_pending(opened: &mut Opened) -> Result<Vec<String>, Error> {
    if opened.scripts.of_phase(Phase::Contract).next().is_none() {
        return Ok(Vec::new());
    }
    let journal = opened.journal().await?;
    let scripts = status(&opened.scripts, &journal);
    let pending = scripts.into_iter().filter(|script| {
        script.id.phase == Phase::Contract
            && !matches!(script.standing, Standing::Applied | Standing::Gone)
    });
    Ok(pending.map(|script| script.path).collect())
}

fn done(ended: &Result<Report, Error>, statements: Vec<Range>, pending: Vec<String>) -> Done {
    let count = statements.iter().map(|range| range.last + 1 - range.first);
    match ended {
        Ok(report) => Done {
            contract_pending: (!pending.is_empty()).then_some(pending),
            report: Some(report.to_string()),
            error: None,
            version: report.version.map(dayspring_migrate::Version::number),
            applied: report.applied,
            statements,
        },
        Err(error) => Done {
            contract_pending: None,
            report: None,
            error: Some(Failed {
                fault: match error.fault() {
                    Fault::Input => "input",
                    Fault::World => "world",
                    Fault::Bug => "bug",
                },
                message: error.to_string(),
            }),
            version: None,
            applied: count.sum(),
            statements,
        },
    }
}

/// Tells what a run does, and keeps what it applied.
#[derive(Debug)]
struct Progress {
    ui: Ui,
    applied: Vec<Range>,
    /// What was told last of a state that the engine tells at every look.
    lasting: String,
}

impl Progress {
    fn new(ui: Ui) -> Self {
        Self {
            ui,
            applied: Vec::new(),
            lasting: String::new(),
        }
    }

    fn tell(&mut self, event: Event<'_>) {
        match event {
            Event::Waiting { owner, .. } => {
                self.tell_once(
                    "Waiting",
                    format!("for {owner}, which migrates this database"),
                );
            }
            Event::Following {
                path,
                number,
                doing,
            } => {
                let what = format!("{path} {number}, which the server still runs: {doing}");
                self.tell_once("Following", what);
            }
            Event::Applied { path, first, last } => {
                self.ui.status("Applied", &in_words(path, first, last));
                self.applied.push(Range {
                    script: path.to_owned(),
                    first,
                    last,
                });
            }
            Event::Settled {
                path,
                number,
                applied,
            } => {
                let found = if applied {
                    "it had taken effect before an earlier run ended"
                } else {
                    "it had no effect before an earlier run ended"
                };
                self.ui
                    .status("Settled", &format!("{path} {number}: {found}"));
            }
            // The plan and each statement's start are told by what comes of them.
            _ => {}
        }
    }

    fn tell_once(&mut self, verb: &str, what: String) {
        if self.lasting != what {
            self.ui.status(verb, &what);
            self.lasting = what;
        }
    }
}

fn in_words(path: &str, first: usize, last: usize) -> String {
    if first == last {
        format!("{path} {first}")
    } else {
        format!("{path} {first} to {last}")
    }
}

fn finished(outcome: Outcome) -> Result<Report, Error> {
    match outcome {
        Outcome::Done(report) => Ok(report),
        Outcome::Rebuild(refusal) => Err(Error::migration(&refusal.into())),
        Outcome::HandOver { report, .. } => Err(Error::Migration {
            fault: Fault::World,
            message: format!(
                "error: a statement still runs at the server: {report}\n help: run again, it carries on from there"
            ),
        }),
    }
}

/// Who migrates, for others who wait: unique for each run.
fn owner() -> String {
    let name = rustix::system::uname();
    let host = name.nodename().to_string_lossy();
    format!(
        "process {} on {host}, run {:08x}",
        std::process::id(),
        fastrand::u32(..)
    )
}
