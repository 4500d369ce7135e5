use clap::Args;
use dayspring_migrate::baseline::{Sequence, applied_sequence};
use dayspring_migrate::{Journal, Phase, Scripts, Session, plan};
use serde::Serialize;

use super::database::{AnySession, DatabaseArgs};
use super::options::LOCK_WAIT;
use super::scratch::{Comparison, DifferenceJson, ScratchArgs, Words, compare, input, rights_help};
use crate::error::Error;
use crate::render;
use crate::ui::Ui;

/// Compare the live schema with what the scripts make
///
/// What the journal says is applied is replayed on a scratch server; what is still pending is not. The exit code is 1
/// where the schemas differ.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    scratch: ScratchArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Verified {
    same: bool,
    /// How many applied statements were replayed.
    replayed: usize,
    /// The scratch server's version.
    server: String,
    differences: Vec<DifferenceJson>,
}

pub(super) async fn verify(ui: Ui, args: VerifyArgs) -> Result<(), Error> {
    let mut opened = args.database.open(LOCK_WAIT).await?;
    let journal = opened.journal().await?;
    for phase in [Phase::Expand, Phase::Contract] {
        plan(&opened.scripts, &journal, phase, opened.mode)
            .map_err(|refusal| Error::migration(&refusal.into()))?;
    }
    let (scripts, scratch) = (&opened.scripts, &args.scratch);
    let (sequence, found) = match &mut opened.session {
        AnySession::Direct(session) => {
            let words = Words::OfTheServer;
            replayed(ui, session.as_mut(), scripts, &journal, scratch, words).await?
        }
        AnySession::DataApi(session) => {
            let words = Words::OfMySql;
            replayed(ui, session.as_mut(), scripts, &journal, scratch, words).await?
        }
    };
    let differences = &found.differences;
    if args.json {
        let verified = Verified {
            same: differences.is_empty(),
            replayed: sequence.len(),
            server: found.server,
            differences: differences.iter().map(DifferenceJson::from).collect(),
        };
        ui.result(&serde_json::to_string_pretty(&verified).expect("numbers and text are JSON"));
    } else {
        for difference in differences {
            ui.result(&difference.to_string());
        }
    }
    if sequence.is_empty() && !differences.is_empty() {
        return Err(input(
            "error: no script is applied to this database, and it is not empty\n help: `dayspring migrate baseline` adopts a \
             database that was built otherwise",
        ));
    }
    if !differences.is_empty() {
        return Err(input(format!(
            "error: the schema is not what the applied scripts make: {}\n help: write what is missing as a new script, or \
             bring the database back{}",
            render::count(differences.len(), "difference"),
            rights_help(differences)
        )));
    }
    if !args.json {
        ui.result("the schema is what the scripts make");
    }
    Ok(())
}

async fn replayed<S: Session>(
    ui: Ui,
    session: &mut S,
    scripts: &Scripts,
    journal: &Journal,
    scratch: &ScratchArgs,
    words: Words,
) -> Result<(Sequence, Comparison), Error> {
    let sequence = applied_sequence(session, scripts, journal)
        .await
        .map_err(|error| Error::migration(&error))?;
    let found = compare(ui, session, scripts, &sequence, scratch, words).await?;
    Ok((sequence, found))
}
