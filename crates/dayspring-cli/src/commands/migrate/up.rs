use std::time::Instant;

use clap::Args;
use dayspring_migrate::{Event, Outcome, Report, apply};
use serde::Serialize;

use super::database::{AnySession, DatabaseArgs, Opened};
use super::options::WaitArgs;
use crate::error::{Error, Fault};
use crate::render;
use crate::ui::Ui;

/// Apply the scripts that the database does not have yet
///
/// Each statement takes effect exactly once, whatever was interrupted before: run it again and it carries on.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    wait: WaitArgs,
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
    let opened = args.database.open(args.wait.lock_wait).await?;
    ui.status("Migrating", &opened.place);
    let Opened {
        scripts,
        session,
        mode,
        ..
    } = opened;
    let mut progress = Progress::new(ui);
    let mut observer = |event: Event<'_>| progress.tell(event);
    let outcome = match session {
        AnySession::Direct(mut session) => {
            let options = args.wait.direct(owner(), mode);
            apply(session.as_mut(), &scripts, &options, &mut observer).await
        }
        AnySession::DataApi(mut session) => {
            let options = args.wait.data_api(owner(), mode);
            apply(session.as_mut(), &scripts, &options, &mut observer).await
        }
    };
    let ended = outcome
        .map_err(|error| Error::migration(&error))
        .and_then(finished);
    if args.json {
        let done = done(&ended, progress.applied);
        ui.result(&serde_json::to_string_pretty(&done).expect("numbers and text are JSON"));
    } else if let Ok(report) = &ended {
        let time = render::duration(begun.elapsed());
        ui.status("Finished", &format!("{report}, in {time}"));
    }
    ended.map(drop)
}

fn done(ended: &Result<Report, Error>, statements: Vec<Range>) -> Done {
    let count = statements.iter().map(|range| range.last + 1 - range.first);
    match ended {
        Ok(report) => Done {
            report: Some(report.to_string()),
            error: None,
            version: report.version.map(dayspring_migrate::Version::number),
            applied: report.applied,
            statements,
        },
        Err(error) => Done {
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
        Outcome::HandOver(report) => Err(Error::Migration {
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
