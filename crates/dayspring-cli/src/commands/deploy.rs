use std::io::IsTerminal;
use std::time::Instant;

use clap::Args;
use dayspring_stack::{Architecture, Overrides, Stage, synthesize};

use super::diff::{Comparison, Detail};
use super::synth::BuildArgs;
use super::{ProjectArgs, StageArgs, TargetArgs};
use crate::aws::{Aws, Target};
use crate::build::Tool;
use crate::deploy::{
    self, Before, Carried, Change, Deployed, Deployment, Event, Prepared, Proposal,
};
use crate::error::Error;
use crate::package;
use crate::progress::Progress;
use crate::project::Loaded;
use crate::render;
use crate::shutdown;
use crate::ui::Ui;

/// Build, upload, migrate and deploy, to AWS or to a local cloud by its endpoint
///
/// Shows what would change, and asks. What is under way already, from another run or an interrupted one, is waited for.
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
    /// Let this resource be replaced by a new one though it holds data, such as DatabaseCluster
    #[arg(long, value_name = "RESOURCE")]
    replace: Vec<String>,
    /// Where an applied statement has changed, make the database anew from the scripts; what is in it is lost. Only for a
    /// stage that is for development
    #[arg(long)]
    reset: bool,
}

/// How often others may be first.
const ROUNDS_MAX: usize = 20;

pub(crate) async fn deploy(ui: Ui, args: DeployArgs) -> Result<(), Error> {
    let begun = Instant::now();
    let target = args.target.target();
    let loaded = Loaded::read(&args.project.dir)?;
    let stage = loaded.stage(&args.stage.stage, &overrides(&target))?;
    if !args.yes && !std::io::stdin().is_terminal() {
        return Err(Error::NobodyToAsk {
            stack: stage.stack_name(),
        });
    }
    if args.reset && !stage.is_development() {
        return Err(Error::NotDevelopment {
            stage: stage.name().to_string(),
        });
    }
    let scripts = package::pack_scripts(&loaded, &stage)?;
    let code = async {
        let build_for = (!target.is_local()).then_some(&stage);
        let binary = args.build.binary(ui, &loaded, build_for).await?;
        if let (Some(stage), true) = (build_for, args.build.is_named()) {
            package::check_binary(&binary, stage)?;
        }
        package::pack_code(&binary, package::compression(&target))
    };
    // Credentials that are missing end the build too.
    let (aws, code) = tokio::try_join!(Aws::connect(&target), code)?;
    let template = synthesize(&stage, &package::assets(&code, &scripts)?);
    let deployment = package::deployment(&stage, &template, &code, &scripts, &aws);
    ui.status(
        "Deploying",
        &format!("{} to {}", deployment.stack, target.describe(&aws.region)),
    );
    let mut deploying = Deploying {
        ui,
        args: &args,
        loaded: &loaded,
        stage: &stage,
        target: &target,
        aws: &aws,
        deployment,
        rebuild: false,
    };
    let deployed = deploying.run().await?;
    summarize(ui, &deployed, begun);
    let mut outputs = deployed.outputs;
    if let Some(url) = outputs.remove("Url") {
        // They are said already.
        outputs.retain(|name, _| !name.ends_with("Report"));
        ui.note_outputs(&outputs);
        ui.result(&plain_url(&url, &target));
    }
    Ok(())
}

/// What was agreed to.
enum Agreed {
    Deploy,
    /// The database is made anew.
    Rebuild,
}

/// A deployment and all that it needs.
struct Deploying<'d> {
    ui: Ui,
    args: &'d DeployArgs,
    loaded: &'d Loaded,
    stage: &'d Stage,
    target: &'d Target,
    aws: &'d Aws,
    deployment: Deployment,
    /// Whether it is agreed that the database is made anew.
    rebuild: bool,
}

impl Deploying<'_> {
    async fn run(&mut self) -> Result<Deployed, Error> {
        for _ in 0..ROUNDS_MAX {
            let mut progress = Progress::new(self.ui);
            let prepared = deploy::prepare(self.aws, &self.deployment, &mut |event| {
                progress.show(&event);
            })
            .await;
            progress.end();
            let (before, proposal) = match prepared? {
                Prepared::Unchanged(before) => {
                    return Ok(Deployed {
                        change: Change::None,
                        outputs: before.outputs,
                        migrated: false,
                    });
                }
                Prepared::Proposed(before, proposal) => (before, proposal),
                Prepared::Overtaken => {
                    self.say_overtaken();
                    continue;
                }
            };
            match self.agree(&before, &proposal).await {
                Ok(Agreed::Deploy) => {}
                Ok(Agreed::Rebuild) => {
                    // The change set has to say it.
                    proposal.discard(self.aws, &self.deployment.stack).await?;
                    self.deployment.rebuild();
                    self.rebuild = true;
                    continue;
                }
                Err(error) => {
                    self.give_up(proposal).await?;
                    return Err(error);
                }
            }
            match self.carry_out(&before, proposal).await? {
                Carried::Done(deployed) => return Ok(deployed),
                Carried::Overtaken => self.say_overtaken(),
            }
        }
        Err(Error::Overtaken {
            stack: self.deployment.stack.clone(),
        })
    }

    fn say_overtaken(&self) {
        self.ui.status(
            "Overtaken",
            "another deployment was first: looking again at what is there",
        );
    }

    /// Shows what would change, refuses what must not be, and asks.
    async fn agree(&self, before: &Before, proposal: &Proposal) -> Result<Agreed, Error> {
        if self.rebuild {
            return Ok(Agreed::Deploy);
        }
        let comparison = Comparison {
            ui: self.ui,
            aws: self.aws,
            target: self.target,
            loaded: self.loaded,
            stage: self.stage,
            deployment: &self.deployment,
        };
        let found = comparison
            .found(before, proposal.replacements(), |error| {
                // Who may deploy need not be allowed to read.
                self.ui
                    .warning(&format!("what is applied cannot be read: {error}"));
                Ok(())
            })
            .await?;
        let detail = if self.args.yes && proposal.creates {
            Detail::Sql
        } else {
            Detail::All
        };
        let shown = found.render(detail, self.ui.width());
        if !shown.is_empty() {
            self.ui.note(&format!("\n{}\n", shown.trim_end()));
        }
        found.refuse_replacement(&self.args.replace)?;
        // Asked for, or to be asked for below.
        found.refuse_scripts(self.args.reset || !self.args.yes)?;
        let question = if found.rebuilds() && !self.args.reset {
            "Deploy this, and lose all that is in the database?"
        } else {
            "Deploy this?"
        };
        if self.args.yes || self.ui.agrees(question).await {
            return Ok(if found.rebuilds() {
                Agreed::Rebuild
            } else {
                Agreed::Deploy
            });
        }
        Err(Error::Declined {
            stack: self.deployment.stack.clone(),
        })
    }

    /// Removes what was proposed, unless that is interrupted too.
    async fn give_up(&self, proposal: Proposal) -> Result<(), Error> {
        tokio::select! {
            discarded = proposal.discard(self.aws, &self.deployment.stack) => discarded,
            () = shutdown::requested() => Ok(()),
        }
    }

    async fn carry_out(&self, before: &Before, proposal: Proposal) -> Result<Carried, Error> {
        let mut progress = Progress::new(self.ui);
        let mut is_begun = false;
        let mut observe = |event: Event| {
            // It is told before CloudFormation is asked to carry it out: from then on that may be under way.
            is_begun |= matches!(event, Event::ChangeSet { .. });
            progress.show(&event);
        };
        let carried = tokio::select! {
            carried = deploy::carry_out(self.aws, &self.deployment, before, &proposal, &mut observe) => Some(carried),
            () = shutdown::requested() => None,
        };
        progress.end();
        let stack = || self.deployment.stack.clone();
        match carried {
            Some(carried) => carried,
            None if is_begun => Err(Error::LeftBehind { stack: stack() }),
            None => {
                self.give_up(proposal).await?;
                Err(Error::Declined { stack: stack() })
            }
        }
    }
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

/// Whether Rust's target for ARM is installed, and what links for it: zig, or a linker that cargo was told of or that has
/// its usual name.
pub(super) fn builds_for_arm() -> bool {
    let has_linker = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::var_os("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER").is_some()
            || std::env::split_paths(&path)
                .any(|folder| folder.join("aarch64-linux-gnu-gcc").is_file())
    };
    // The compiler is asked last: its start takes more than all else that `synth` does.
    (Tool::found() != Tool::Cargo || has_linker()) && has_arm_target()
}

fn has_arm_target() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let target = std::process::Command::new(rustc)
        .args([
            "--print",
            "target-libdir",
            "--target",
            "aarch64-unknown-linux-gnu",
        ])
        .output();
    target.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success() && std::path::Path::new(&folder).is_dir()
    })
}

/// The line that ends a deployment: what happened, how long it took, what the migration did.
pub(super) fn summarize(ui: Ui, deployed: &Deployed, begun: Instant) {
    let time = render::duration(begun.elapsed());
    let output = |name: &str| deployed.outputs.get(name).map(String::as_str);
    let report = output("MigrationReport").unwrap_or("no migration report");
    let report = match (deployed.migrated, output("ContractReport")) {
        // What the output says is of an earlier deployment.
        (false, _) => "no script changed".to_owned(),
        (true, Some(contract)) => format!("{report}; contract scripts: {contract}"),
        (true, None) => report.to_owned(),
    };
    match deployed.change {
        Change::None => ui.status("Finished", &format!("nothing changed ({time})")),
        Change::Created => ui.status("Deployed", &format!("a new stack in {time}: {report}")),
        Change::Updated => ui.status("Deployed", &format!("in {time}: {report}")),
    }
}

/// The address of the API. A local cloud has no certificate: its addresses are plain HTTP.
pub(super) fn plain_url(url: &str, target: &Target) -> String {
    if target.is_plain() {
        url.replacen("https://", "http://", 1)
    } else {
        url.to_owned()
    }
}
