use std::path::PathBuf;

use clap::Args;
use dayspring_stack::{Architecture, AssetHome, Overrides, Qualifier, Stage, synthesize, zip};

use super::deploy::overrides;
use super::{ProjectArgs, StageArgs, TargetArgs};
use crate::aws::Aws;
use crate::build::{Build, Tool, build};
use crate::error::Error;
use crate::package;
use crate::project::Loaded;
use crate::ui::Ui;

/// Print the CloudFormation template, and write a cloud assembly that the `cdk` CLI accepts
#[derive(Debug, Args)]
pub(crate) struct SynthArgs {
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    stage: StageArgs,
    #[command(flatten)]
    build: BuildArgs,
    /// Where the assembly is written
    #[arg(
        long,
        env = "CDK_OUTDIR",
        default_value = "cdk.out",
        value_name = "DIR"
    )]
    out: PathBuf,
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    target: TargetArgs,
}

/// For `cdk deploy`: where the archives and the template go.
#[derive(Debug, Args)]
struct HomeArgs {
    /// Have the `cdk` CLI use the bucket and the roles of the account's CDK bootstrap stack
    #[arg(long)]
    bootstrapped: bool,
    /// The qualifier of that bootstrap stack
    #[arg(long, requires = "bootstrapped", default_value_t, value_name = "NAME")]
    qualifier: Qualifier,
    /// Make Dayspring's bucket in the caller's account first, if it is not there: for `cdk deploy` in an account without
    /// a bootstrap stack
    #[arg(long, conflicts_with = "bootstrapped")]
    make_bucket: bool,
}

/// How the functions' binary comes into being.
#[derive(Debug, Clone, Args)]
pub(super) struct BuildArgs {
    /// Cargo's profile; otherwise the one that dayspring.toml names
    #[arg(long, value_name = "NAME")]
    pub(super) profile: Option<String>,
    /// Package this binary instead of building one
    #[arg(long, value_name = "FILE", conflicts_with = "profile")]
    pub(super) bootstrap: Option<PathBuf>,
}

pub(crate) async fn synth(ui: Ui, args: SynthArgs) -> Result<(), Error> {
    let loaded = Loaded::read(&args.project.dir)?;
    let target = args.target.target();
    let overrides = Overrides {
        asset_home: args.home.asset_home(),
        ..overrides(&target)
    };
    let stage = loaded.stage(&args.stage.stage, &overrides)?;
    let build_for = (!target.is_local()).then_some(&stage);
    let binary = args.build.binary(ui, &loaded, build_for).await?;
    let code = package::pack_code(&binary, zip::Compression::Deflated)?;
    let scripts = package::pack_scripts(&loaded, &stage)?;
    let assets = package::assets(&code, &scripts)?;
    let template = synthesize(&stage, &assets);
    std::fs::create_dir_all(&args.out).map_err(Error::write(&args.out))?;
    code.write(&args.out)?;
    scripts.write(&args.out)?;
    for file in dayspring_stack::assembly(&stage, &template, &assets) {
        let path = args.out.join(&file.name);
        std::fs::write(&path, &file.bytes).map_err(Error::write(&path))?;
    }
    if args.home.make_bucket {
        let aws = Aws::connect(&target).await?;
        let bucket = stage.asset_home().bucket_in(&aws.account, &aws.region);
        aws.s3.make_bucket(&bucket).await?;
    }
    // The `cdk` CLI prints the template itself where it is asked for, and gives the app's output to the reader of its own.
    if std::env::var_os("CDK_CLI_VERSION").is_none() {
        ui.result(template.to_json().trim_end());
    }
    Ok(())
}

impl HomeArgs {
    fn asset_home(&self) -> AssetHome {
        if self.bootstrapped {
            AssetHome::Bootstrapped(self.qualifier.clone())
        } else {
            AssetHome::Own
        }
    }
}

impl BuildArgs {
    /// The same, with this profile where none is named.
    pub(super) fn or_profile(&self, profile: &str) -> Self {
        Self {
            profile: Some(self.profile.clone().unwrap_or_else(|| profile.to_owned())),
            bootstrap: self.bootstrap.clone(),
        }
    }

    /// The binary to package: the named one, or one that is built now. For a `stage` it is built for that stage's
    /// processors, otherwise for this machine's.
    pub(super) async fn binary(
        &self,
        ui: Ui,
        loaded: &Loaded,
        stage: Option<&Stage>,
    ) -> Result<PathBuf, Error> {
        if let Some(binary) = &self.bootstrap {
            return Ok(binary.clone());
        }
        let settings = loaded.project.build();
        let profile = self
            .profile
            .as_deref()
            .or(settings.profile())
            .unwrap_or("release")
            .to_owned();
        let target = stage.and_then(|stage| cross_target(stage.architecture()));
        let how = target
            .as_ref()
            .map_or_else(|| profile.clone(), |target| format!("{profile}, {target}"));
        let tool = match stage {
            Some(_) => Tool::found(),
            None => Tool::Cargo,
        };
        ui.status(
            "Building",
            &format!("{} ({how}){}", loaded.project.name(), tool.said()),
        );
        let binary = build(&Build {
            folder: loaded.folder.clone(),
            package: settings.package().map(str::to_owned),
            binary: settings.bin().unwrap_or("bootstrap").to_owned(),
            profile,
            target,
            tool,
        })
        .await?;
        if let Some(stage) = stage {
            package::check_binary(&binary, stage)?;
        }
        Ok(binary)
    }

    /// Whether the binary is one that was named, which nobody has checked.
    pub(super) fn is_named(&self) -> bool {
        self.bootstrap.is_some()
    }
}

/// The target to build for, or `None` where this machine's own runs in Lambda.
fn cross_target(architecture: Architecture) -> Option<String> {
    let wanted = match architecture {
        Architecture::Arm64 => "aarch64",
        Architecture::X86_64 => "x86_64",
    };
    let native = cfg!(target_os = "linux") && std::env::consts::ARCH == wanted;
    (!native).then(|| format!("{wanted}-unknown-linux-gnu"))
}
