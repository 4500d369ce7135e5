use std::io::{IsTerminal, Write};
use std::time::Instant;

use clap::Args;
use dayspring_stack::{Architecture, Overrides, synthesize};

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
    let code = package::pack_code(&binary, package::compression(&target))?;
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
    if let Some(url) = deployed.outputs.get("Url") {
        ui.result(&plain_url(url, &target));
    }
    Ok(())
}

/// A local cloud runs binaries of this machine's processors. Lambda runs both, ARM for less money: it is taken where this
/// machine can build for it.
pub(super) fn overrides(target: &Target) -> Overrides {
    let native = if std::env::consts::ARCH == "aarch64" {
        Architecture::Arm64
    } else {
        Architecture::X86_64
    };
    if target.is_local() {
        return Overrides {
            architecture: Some(native),
            ..Overrides::default()
        };
    }
    let usual = if native == Architecture::Arm64 || builds_for_arm() {
        Architecture::Arm64
    } else {
        Architecture::X86_64
    };
    Overrides {
        usual_architecture: Some(usual),
        ..Overrides::default()
    }
}

/// Whether Rust's target for ARM is installed, and a linker that it was told of or that has its usual name.
fn builds_for_arm() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let target = std::process::Command::new(rustc)
        .args([
            "--print",
            "target-libdir",
            "--target",
            "aarch64-unknown-linux-gnu",
        ])
        .output();
    let installed = target.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success() && std::path::Path::new(&folder).is_dir()
    });
    let linker = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::var_os("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER").is_some()
            || std::env::split_paths(&path)
                .any(|folder| folder.join("aarch64-linux-gnu-gcc").is_file())
    };
    installed && linker()
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
pub(super) fn show(ui: Ui, event: &Event) {
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
    let output = |name: &str| deployed.outputs.get(name).map(String::as_str);
    let report = output("MigrationReport").unwrap_or("no migration report");
    let report = match output("ContractReport") {
        Some(contract) => format!("{report}; contract scripts: {contract}"),
        None => report.to_owned(),
    };
    match deployed.change {
        Change::None => ui.status("Finished", &format!("nothing changed ({time})")),
        Change::Created => ui.status("Deployed", &format!("a new stack in {time}: {report}")),
        Change::Updated => ui.status("Deployed", &format!("in {time}: {report}")),
    }
}

/// The address of the API. A local cloud has no certificate: its addresses are plain HTTP.
pub(super) fn plain_url(url: &str, target: &Target) -> String {
    let plain = target
        .endpoint_url
        .as_deref()
        .is_some_and(|endpoint| endpoint.starts_with("http://"));
    if plain {
        url.replacen("https://", "http://", 1)
    } else {
        url.to_owned()
    }
}
