use clap::Args;

use super::DeployedArgs;
use super::deploy::plain_url;
use crate::aws::Aws;
use crate::deploy;
use crate::error::Error;
use crate::render;
use crate::ui::Ui;

/// Show the outputs of a deployed stage: its URL, its database's ARNs, what its last migration did
#[derive(Debug, Args)]
pub(crate) struct OutputsArgs {
    #[command(flatten)]
    deployed: DeployedArgs,
    /// Print JSON: an object of texts
    #[arg(long)]
    json: bool,
}

pub(crate) async fn outputs(ui: Ui, args: &OutputsArgs) -> Result<(), Error> {
    let stage = args.deployed.stage()?;
    let target = args.deployed.target();
    let aws = Aws::connect(&target).await?;
    let mut outputs = deploy::outputs(&aws, &stage.stack_name()).await?;
    if let Some(url) = outputs.get_mut("Url") {
        *url = plain_url(url, &target);
    }
    if args.json {
        ui.result(&serde_json::to_string_pretty(&outputs).expect("texts are JSON"));
        return Ok(());
    }
    let rows: Vec<[String; 2]> = outputs.into_iter().map(<[String; 2]>::from).collect();
    ui.result(render::table(&rows).trim_end());
    Ok(())
}
