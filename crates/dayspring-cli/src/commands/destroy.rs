use std::io::Write;
use std::time::Instant;

use clap::Args;

use super::DeployedArgs;
use crate::aws::Aws;
use crate::deploy::{self, Database};
use crate::error::Error;
use crate::progress::Progress;
use crate::render;
use crate::ui::Ui;

/// Delete a deployed stage with its database
///
/// A stage that is for development leaves nothing; of any other a last snapshot of the database is kept.
#[derive(Debug, Args)]
pub(crate) struct DestroyArgs {
    #[command(flatten)]
    deployed: DeployedArgs,
    /// Do not ask for the stack's name
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn destroy(ui: Ui, args: &DestroyArgs) -> Result<(), Error> {
    let begun = Instant::now();
    let stage = args.deployed.stage()?;
    let stack = stage.stack_name();
    let target = args.deployed.target();
    let aws = Aws::connect(&target).await?;
    // Also says that there is no such stack before anything is asked.
    let status = deploy::status(&aws, &stack).await?;
    let database = if status == "REVIEW_IN_PROGRESS" {
        // Its first change set was never carried out: it has no template yet.
        None
    } else {
        deploy::database_of(&deploy::template(&aws, &stack).await?)
    };
    // CloudFormation would find this out last, with the functions and the API gone already.
    if database.is_some_and(|database| database.protected) {
        return Err(Error::Protected {
            stack,
            stage: stage.name().to_string(),
        });
    }
    let place = target.describe(&aws.region);
    if !args.yes && !confirmed(&stack, &place, database) {
        return Err(Error::NotConfirmed { stack });
    }
    ui.status("Destroying", &format!("{stack} at {place}"));
    let mut progress = Progress::new(ui);
    let destroyed = deploy::destroy(&aws, &stack, &mut |event| progress.show(&event)).await;
    progress.end();
    destroyed?;
    let time = render::duration(begun.elapsed());
    ui.status("Destroyed", &format!("{stack} in {time}"));
    if database.is_some_and(|database| database.leaves_snapshot) {
        ui.detail(
            "a last snapshot of its database is kept: `aws rds describe-db-cluster-snapshots` lists it",
        );
    }
    Ok(())
}

/// Asks for the stack's name. A pipe may answer: who writes the name there means it.
fn confirmed(stack: &str, place: &str, database: Option<Database>) -> bool {
    let data = match database {
        Some(database) if database.leaves_snapshot => {
            " and its database, of which a last snapshot is kept"
        }
        Some(_) => " and its database, of which nothing is kept",
        None => "",
    };
    let question = format!("this deletes {stack} at {place}{data}\ntype {stack} to go on: ");
    drop(write!(std::io::stderr(), "{question}"));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && answer.trim() == stack
}
