use std::io::Write;
use std::time::Instant;

use clap::Args;
use serde_json::Value;

use super::DeployedArgs;
use crate::aws::Aws;
use crate::deploy;
use crate::error::Error;
use crate::package;
use crate::progress::Progress;
use crate::render;
use crate::ui::Ui;

/// Delete a deployed stage with its database
///
/// A stage that is for development leaves nothing; of any other a last snapshot of the database is kept, unless
/// --no-snapshot says otherwise.
#[derive(Debug, Args)]
pub(crate) struct DestroyArgs {
    #[command(flatten)]
    deployed: DeployedArgs,
    /// Do not ask for the stack's name
    #[arg(long)]
    yes: bool,
    /// Delete the database without a last snapshot: nothing of it is kept. The stack is changed first so that none is taken
    #[arg(long)]
    no_snapshot: bool,
}

pub(crate) async fn destroy(ui: Ui, args: &DestroyArgs) -> Result<(), Error> {
    let begun = Instant::now();
    let stage = args.deployed.stage()?;
    let stack = stage.stack_name();
    let target = args.deployed.target();
    let aws = Aws::connect(&target).await?;
    // Also says that there is no such stack before anything is asked.
    let status = deploy::status(&aws, &stack).await?;
    let template = if status == "REVIEW_IN_PROGRESS" {
        // Its first change set was never carried out: it has no template yet.
        Value::Null
    } else {
        deploy::template(&aws, &stack).await?
    };
    let database = deploy::database_of(&template);
    let leaves_snapshot = database.is_some_and(|database| database.leaves_snapshot);
    let forgoes_snapshot = leaves_snapshot && args.no_snapshot;
    // CloudFormation would find this out last, with the functions and the API gone already.
    if database.is_some_and(|database| database.protected) {
        return Err(Error::Protected {
            stack,
            stage: stage.name().to_string(),
        });
    }
    let place = target.describe(&aws.region);
    let kept = leaves_snapshot && !forgoes_snapshot;
    if !args.yes && !confirmed(&stack, &place, database.map(|_| kept)) {
        return Err(Error::NotConfirmed { stack });
    }
    ui.status("Destroying", &format!("{stack} at {place}"));
    let mut progress = Progress::new(ui);
    let mut observe = |event| progress.show(&event);
    let destroyed = async {
        let forgone = if forgoes_snapshot {
            let deployment = package::template_alone(&stage, template.to_string(), &aws);
            deploy::forgo_snapshot(&aws, deployment, &mut observe).await?
        } else {
            false
        };
        deploy::destroy(&aws, &stack, &mut observe).await?;
        Ok::<_, Error>(forgone)
    }
    .await;
    progress.end();
    let forgone = destroyed?;
    let time = render::duration(begun.elapsed());
    ui.status("Destroyed", &format!("{stack} in {time}"));
    if leaves_snapshot && !forgone {
        ui.detail(if target.is_local() {
            "a last snapshot of its database is kept: a folder in `rds/snapshots` of the cloud's state"
        } else {
            "a last snapshot of its database is kept: `aws rds describe-db-cluster-snapshots` lists it, \
             `aws rds delete-db-cluster-snapshot --db-cluster-snapshot-identifier NAME` deletes it"
        });
    }
    Ok(())
}

/// Asks for the stack's name. A pipe may answer: who writes the name there means it.
fn confirmed(stack: &str, place: &str, keeps_snapshot: Option<bool>) -> bool {
    let data = match keeps_snapshot {
        Some(true) => " and its database, of which a last snapshot is kept",
        Some(false) => " and its database, of which nothing is kept",
        None => "",
    };
    let question = format!("this deletes {stack} at {place}{data}\ntype {stack} to go on: ");
    drop(write!(std::io::stderr(), "{question}"));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && answer.trim() == stack
}
