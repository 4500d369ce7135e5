use std::time::{Instant, SystemTime};

use clap::Args;
use dayspring_migrate::{Event, Options, Outcome, Report, Scripts, Session, apply};
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

#[derive(Debug, Serialize)]
struct Done {
    /// In one line.
    report: String,
    /// The newest applied script.
    version: Option<u64>,
    /// How many statements this run applied.
    applied: usize,
    /// Which.
    statements: Vec<Range>,
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
    let (outcome, statements) = match session {
        AnySession::Direct(mut session) => {
            let options = args.wait.direct(owner(session.connection_id()), mode);
            carry_out(ui, session.as_mut(), &scripts, &options).await?
        }
        AnySession::DataApi(mut session) => {
            let options = args.wait.data_api(owner(None), mode);
            carry_out(ui, session.as_mut(), &scripts, &options).await?
        }
    };
    let report = finished(outcome)?;
    let text = report.to_string();
    if args.json {
        let done = Done {
            report: text,
            version: report.version.map(dayspring_migrate::Version::number),
            applied: report.applied,
            statements,
        };
        ui.result(&serde_json::to_string_pretty(&done).expect("numbers and text are JSON"));
    } else {
        ui.status(
            "Finished",
            &format!("{text}, in {}", render::duration(begun.elapsed())),
        );
    }
    Ok(())
}

async fn carry_out<S: Session>(
    ui: Ui,
    session: &mut S,
    scripts: &Scripts,
    options: &Options,
) -> Result<(Outcome, Vec<Range>), Error> {
    let mut statements = Vec::new();
    let mut waiting_for = String::new();
    let mut following = None;
    let mut observer = |event: Event<'_>| match event {
        // Told again at every look.
        Event::Waiting { owner, .. } if owner == waiting_for => {}
        Event::Waiting { owner, .. } => {
            owner.clone_into(&mut waiting_for);
            ui.status(
                "Waiting",
                &format!("for {owner}, which is migrating this database"),
            );
        }
        Event::Applied { path, first, last } => {
            ui.status("Applied", &in_words(path, first, last));
            statements.push(Range {
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
                "had taken effect before an earlier run ended"
            } else {
                "had no effect when an earlier run ended"
            };
            ui.status("Settled", &format!("{path} statement {number}: it {found}"));
        }
        Event::Following { path, number, .. } if following == Some((path.to_owned(), number)) => {}
        Event::Following {
            path,
            number,
            doing,
        } => {
            following = Some((path.to_owned(), number));
            ui.status(
                "Following",
                &format!("{path} statement {number}, which still runs: {doing}"),
            );
        }
        // The plan and each statement's start are told by what comes of them.
        _ => {}
    };
    let ended = apply(session, scripts, options, &mut observer).await;
    let outcome = ended.map_err(|error| Error::migration(&error))?;
    Ok((outcome, statements))
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

/// Who migrates, for others who wait. Unique for each run: the time tells two processes of one number apart.
fn owner(connection_id: Option<u32>) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = match host.trim() {
        "" => "this host",
        host => host,
    };
    let process = std::process::id();
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    match connection_id {
        Some(id) => format!("process {process} on {host}, connection {id}, begun at {since}"),
        None => format!("process {process} on {host}, begun at {since}"),
    }
}
