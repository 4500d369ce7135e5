//! The commands, a file each.

mod cloud;
mod deploy;
mod destroy;
mod dev;
mod diff;
mod doctor;
mod invoke;
mod logs;
mod migrate;
mod new;
mod outputs;
mod synth;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use dayspring_stack::{Overrides, Stage};
use tokio::runtime::Builder;

use crate::aws::Target;
use crate::error::Error;
use crate::project::Loaded;
use crate::running;
use crate::ui::Ui;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(new::NewArgs),
    Dev(dev::DevArgs),
    Synth(synth::SynthArgs),
    Diff(diff::DiffArgs),
    Deploy(deploy::DeployArgs),
    Destroy(destroy::DestroyArgs),
    Outputs(outputs::OutputsArgs),
    Invoke(invoke::InvokeArgs),
    Logs(logs::LogsArgs),
    #[command(subcommand)]
    Migrate(migrate::Migrate),
    Cloud(cloud::CloudArgs),
    Doctor(doctor::DoctorArgs),
}

impl Command {
    /// What it runs on: a thread for the cloud where one runs beside the command, and no second one: each request is a
    /// few short steps, which threads would only hand over to each other. All others hold one conversation with one server:
    /// between threads each answer would be handed over, which takes as long as the way to a server nearby.
    pub(crate) fn runtime(&self) -> Builder {
        if !matches!(self, Self::Dev(_) | Self::Cloud(_)) {
            return Builder::new_current_thread();
        }
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1);
        builder
    }

    pub(crate) async fn run(self, ui: Ui) -> Result<(), Error> {
        match self {
            Self::New(args) => new::new(ui, &args),
            Self::Dev(args) => dev::dev(ui, args).await,
            Self::Synth(args) => synth::synth(ui, args).await,
            Self::Diff(args) => diff::diff(ui, args).await,
            Self::Deploy(args) => deploy::deploy(ui, args).await,
            Self::Destroy(args) => destroy::destroy(ui, &args).await,
            Self::Outputs(args) => outputs::outputs(ui, &args).await,
            Self::Invoke(args) => invoke::invoke(ui, &args).await,
            Self::Logs(args) => logs::logs(ui, &args).await,
            Self::Migrate(command) => migrate::migrate(ui, command).await,
            Self::Cloud(args) => cloud::cloud(ui, args).await,
            Self::Doctor(args) => doctor::doctor(ui, &args),
        }
    }
}

/// Which project a command works on.
#[derive(Debug, Clone, Args)]
pub(crate) struct ProjectArgs {
    /// The project's folder
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

/// Which stage of it.
#[derive(Debug, Clone, Args)]
pub(crate) struct StageArgs {
    /// The stage: a deployment of the project with settings of its own
    #[arg(long, default_value = "dev", value_name = "STAGE")]
    pub(crate) stage: String,
}

/// Which cloud it talks to.
#[derive(Debug, Clone, Args)]
pub(crate) struct TargetArgs {
    /// Send AWS's calls to this address, such as a local cloud's http://127.0.0.1:4566
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// The region; otherwise as every AWS tool finds it
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
}

impl TargetArgs {
    pub(crate) fn target(&self) -> Target {
        Target {
            endpoint_url: self.endpoint_url.clone(),
            region: self.region.clone(),
        }
    }
}

/// Which deployed stage of a project, and where.
#[derive(Debug, Clone, Args)]
pub(crate) struct DeployedArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    #[command(flatten)]
    pub(crate) stage: StageArgs,
    /// Send AWS's calls to this address, such as a local cloud's http://127.0.0.1:4566. Without it the variable
    /// AWS_ENDPOINT_URL is read, then the `dayspring dev` that runs for the project is asked, then AWS
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,
    /// The region; otherwise as every AWS tool finds it
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
}

impl DeployedArgs {
    pub(crate) fn target(&self) -> Target {
        let (endpoint_url, region) = (self.endpoint_url.as_deref(), self.region.as_deref());
        running::target(&self.project.dir, endpoint_url, region)
    }

    /// The stage as the project file has it now.
    pub(crate) fn stage(&self) -> Result<Stage, Error> {
        Loaded::read(&self.project.dir)?.stage(&self.stage.stage, &Overrides::default())
    }
}
