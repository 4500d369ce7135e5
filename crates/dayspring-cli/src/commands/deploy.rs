use std::io::{IsTerminal, Write};
use std::time::Instant;

use clap::Args;
use dayspring_stack::{Architecture, Overrides, synthesize, zip};

use super::synth::BuildArgs;
use super::{ProjectArgs, StageArgs, TargetArgs};
use crate::aws::{Aws, Target};
use crate::deploy::{self, Change, Deployed, Event};
use crate::error::Error;
use crate::package;
use crate::project::Loaded;
use crate::render;
use crate::ui::Ui;

/// Build, upload, migrate and deploy, to AWS or to a local cloud by its endpoint
#[derive(Debug, Args)]
pub(crate) struct DeployArgs {
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    stage: StageArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    build: BuildArgs,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn deploy(ui: Ui, args: DeployArgs) -> Result<(), Error> {
    let begun = Instant::now();
    let target = args.target.target();
    let loaded = Loaded::read(&args.project.dir)?;
    let stage = loaded.stage(&args.stage.stage, &overrides(&target))?;
    let binary = args
        .build
        .binary(ui, &loaded, (!target.is_local()).then_some(&stage))
        .await?;
    let code = package::pack_code(&binary, zip::Compression::Deflated)?;
    let scripts = package::pack_scripts(&loaded, &stage)?;
    let aws = Aws::connect(&target).await?;
    if !args.yes
        && !confirmed(
            ui,
            &format!(
                "deploy {} to {}",
                stage.stack_name(),
                target.describe(&aws.region)
            ),
        )
    {
        return Ok(());
    }
    let template = synthesize(&stage, &package::assets(&code, &scripts));
    let deployment = package::deployment(&stage, &template, &code, &scripts, &aws);
    ui.status(
        "Deploying",
        &format!("{} to {}", deployment.stack, target.describe(&aws.region)),
    );
    let deployed = deploy::deploy(&aws, &deployment, &mut |event| show(ui, &event)).await?;
    summarize(ui, &deployed, begun);
    if let Some(url) = url(&deployed, &target) {
        ui.result(&url);
    }
    Ok(())
}

/// A local cloud runs binaries of this machine's processors.
pub(super) fn overrides(target: &Target) -> Overrides {
    let native = if std::env::consts::ARCH == "aarch64" {
        Architecture::Arm64
    } else {
        Architecture::X86_64
    };
    Overrides {
        architecture: target.is_local().then_some(native),
    }
}

fn confirmed(ui: Ui, what: &str) -> bool {
    if !std::io::stdin().is_terminal() {
        return true;
    }
    drop(write!(std::io::stderr(), "{what}? [y/N] "));
    let mut answer = String::new();
    let yes =
        std::io::stdin().read_line(&mut answer).is_ok() && answer.trim().eq_ignore_ascii_case("y");
    if !yes {
        ui.status("Stopped", "nothing was changed");
    }
    yes
}

/// One line per step that a person may wait for.
fn show(ui: Ui, event: &Event) {
    match event {
        Event::Uploading { name, bytes } => {
            ui.status("Uploading", &format!("{name} ({})", render::bytes(*bytes)))
        }
        Event::RemovingRemains => ui.status("Removing", "what is left of a creation that failed"),
        Event::ChangeSet { creates, changes } => {
            let what = if *creates {
                "a new stack"
            } else {
                "a change set"
            };
            ui.status(
                "Executing",
                &format!("{what}: {}", render::count(*changes, "change")),
            );
        }
        Event::Resource(step) if step.is_stack() => {}
        Event::Resource(step) if step.failed() || step.status.ends_with("_COMPLETE") => {
            ui.detail(&format!(
                "{} {} ({})",
                step.status, step.logical_id, step.resource_type
            ));
        }
        Event::Resource(_) => {}
    }
}

/// The line that ends a deployment: what happened, how long it took, what the migration did.
pub(super) fn summarize(ui: Ui, deployed: &Deployed, begun: Instant) {
    let time = render::duration(begun.elapsed());
    let report = deployed
        .outputs
        .get("MigrationReport")
        .map_or("no migration report", String::as_str);
    match deployed.change {
        Change::None => ui.status("Finished", &format!("nothing changed ({time})")),
        Change::Created => ui.status("Deployed", &format!("a new stack in {time}: {report}")),
        Change::Updated => ui.status("Deployed", &format!("in {time}: {report}")),
    }
}

/// The address of the API. A local cloud has no certificate: its addresses are plain HTTP.
fn url(deployed: &Deployed, target: &Target) -> Option<String> {
    let url = deployed.outputs.get("Url")?;
    let local = target
        .endpoint_url
        .as_deref()
        .is_some_and(|endpoint| endpoint.starts_with("http://"));
    Some(if local {
        url.replacen("https://", "http://", 1)
    } else {
        url.clone()
    })
}
