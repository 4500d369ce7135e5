//! The commands, a file each.

mod cloud;
mod deploy;
mod dev;
mod migrate;
mod new;
mod synth;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::aws::Target;
use crate::error::Error;
use crate::ui::Ui;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(new::NewArgs),
    Dev(dev::DevArgs),
    Synth(synth::SynthArgs),
    Deploy(deploy::DeployArgs),
    #[command(subcommand)]
    Migrate(migrate::Migrate),
    Cloud(cloud::CloudArgs),
}

impl Command {
    pub(crate) async fn run(self, ui: Ui) -> Result<(), Error> {
        match self {
            Self::New(args) => new::new(ui, &args),
            Self::Dev(args) => dev::dev(ui, args).await,
            Self::Synth(args) => synth::synth(ui, args).await,
            Self::Deploy(args) => deploy::deploy(ui, args).await,
            Self::Migrate(command) => migrate::migrate(ui, command).await,
            Self::Cloud(args) => cloud::cloud(ui, args).await,
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
