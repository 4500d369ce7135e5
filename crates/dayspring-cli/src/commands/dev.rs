use std::io::IsTerminal;
use std::time::Instant;

use clap::Args;
use dayspring_cloud::{Cloud, CloudConfig, Identity};
use dayspring_stack::{Stage, synthesize};
use tokio::sync::mpsc;

use super::cloud::{DatabaseArgs, cache, listen, tell};
use super::deploy::{overrides, summarize};
use super::diff::{Comparison, DATABASE, refuse_scripts};
use super::synth::BuildArgs;
use super::{ProjectArgs, StageArgs};
use crate::aws::{Aws, Target};
use crate::deploy::{self, Before, Carried, Change, Deployed, Deployment, Event, Prepared};
use crate::error::Error;
use crate::package::{self, Archive};
use crate::project::Loaded;
use crate::render;
use crate::running::Running;
use crate::shutdown;
use crate::ui::Ui;
use crate::watch::{Changed, Watch};

/// Run the whole stack on this machine, and deploy again whenever a file changes
///
/// Synthesizes the template, deploys it to a local cloud in this process, and serves it: the same template, the same binary
/// and the same calls as on AWS. What it stores is under DIR/.dayspring and is there again at the next start.
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    stage: StageArgs,
    /// Where the API answers
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Where AWS's APIs answer
    #[arg(long, default_value_t = 4566)]
    aws_port: u16,
    /// Where an applied statement has changed, make the database anew from the scripts without asking
    #[arg(long)]
    reset: bool,
    /// Cargo's profile for the functions
    #[arg(long, default_value = "dev", value_name = "NAME")]
    profile: String,
    #[command(flatten)]
    databases: DatabaseArgs,
}

/// How many lines of functions' logs may wait for the terminal; more are dropped, never waited for.
const LINES_MAX: usize = 1000;

pub(crate) async fn dev(ui: Ui, args: DevArgs) -> Result<(), Error> {
    // The mistakes that end the command come before anything is started.
    let loaded = Loaded::read(&args.project.dir)?;
    let api = listen(args.port, "--port").await?;
    let aws = listen(args.aws_port, "--aws-port").await?;
    let (lines, mut printed) = mpsc::channel(LINES_MAX);
    let (requests, mut answered) = mpsc::channel(LINES_MAX);
    let config = CloudConfig {
        identity: Identity::default(),
        state: args.project.dir.join(".dayspring/cloud"),
        cache: cache(),
        allow_unsigned: false,
        signing_secret: None,
        pause: args.databases.pause(),
        database_url: args.databases.url(),
        function_lines: Some(lines),
        requests: Some(requests),
    };
    let mut cloud = Cloud::start(config, aws, api).await?;
    let warning = tell(ui, cloud.take_warnings());
    let printing = tokio::spawn(async move {
        loop {
            tokio::select! {
                Some(line) = printed.recv() => {
                    if let Some(line) = render::log_line(&line.function, &line.line) {
                        ui.detail(&line);
                    }
                }
                Some(request) = answered.recv() => {
                    let time = render::duration(request.duration);
                    ui.status(&request.method, &format!("{} {} ({time})", request.path, request.status));
                }
                else => break,
            }
        }
    });
    let served = tokio::select! {
        served = serve(ui, &args, &cloud, loaded) => served,
        () = shutdown::requested() => Ok(()),
    };
    ui.status("Stopping", "the functions and the database");
    cloud.shut_down().await;
    printing.abort();
    warning.abort();
    served
}

/// Deploys, and deploys again after each change, until it is dropped.
async fn serve(ui: Ui, args: &DevArgs, cloud: &Cloud, loaded: Loaded) -> Result<(), Error> {
    let endpoint_url = format!("http://{}", cloud.aws_address());
    let _running = Running::announce(&args.project.dir, &endpoint_url)?;
    let target = Target {
        endpoint_url: Some(endpoint_url),
        region: None,
    };
    let aws = Aws::connect(&target).await?;
    let stage = loaded.stage(&args.stage.stage, &overrides(&target))?;
    let mut watch = Watch::start(&args.project.dir, stage.scripts_folder().as_str().as_ref())?;
    let mut cycle = Cycle {
        ui,
        args,
        aws,
        target,
        code: None,
    };
    let mut ready = false;
    loop {
        match cycle.run().await {
            Ok((stage, _)) if !ready => {
                ready = true;
                introduce(ui, cloud, &stage);
            }
            Ok(_) => {}
            Err(error) => {
                let state = if ready {
                    "the stack that was up is still serving"
                } else {
                    "nothing is served yet"
                };
                if let Error::Unwritten { path, .. } = &error {
                    // One that `migrate new` has just begun.
                    ui.status("Waiting", &format!("for a statement in {path}; {state}"));
                } else {
                    ui.error(&error);
                    ui.status("Waiting", &format!("for a change; {state}"));
                }
            }
        }
        if watch.changed().await == Changed::Anything {
            cycle.code = None;
        }
    }
}

/// From files to a deployment, again and again.
struct Cycle<'a> {
    ui: Ui,
    args: &'a DevArgs,
    aws: Aws,
    target: Target,
    /// The functions, packed, while no source of them changed.
    code: Option<Archive>,
}

impl Cycle<'_> {
    async fn run(&mut self) -> Result<(Stage, Deployed), Error> {
        let begun = Instant::now();
        let loaded = Loaded::read(&self.args.project.dir)?;
        let stage = loaded.stage(&self.args.stage.stage, &overrides(&self.target))?;
        let scripts = package::pack_scripts(&loaded, &stage)?;
        let code = match &mut self.code {
            Some(code) => code,
            none => {
                let binary = self.args.build().binary(self.ui, &loaded, None).await?;
                none.insert(package::pack_code(
                    &binary,
                    package::compression(&self.target),
                )?)
            }
        };
        let template = synthesize(&stage, &package::assets(code, &scripts)?);
        let deployment = package::deployment(&stage, &template, code, &scripts, &self.aws);
        let deployed = self.carry_out(&loaded, &stage, deployment).await?;
        summarize(self.ui, &deployed, begun);
        Ok((stage, deployed))
    }

    async fn carry_out(
        &self,
        loaded: &Loaded,
        stage: &Stage,
        mut deployment: Deployment,
    ) -> Result<Deployed, Error> {
        let mut observe = |event: Event| show(self.ui, &event);
        let mut rebuild = false;
        loop {
            let prepared = deploy::prepare(&self.aws, &deployment, &mut observe).await?;
            let (before, proposal) = match prepared {
                Prepared::Proposed(before, proposal) => (before, proposal),
                Prepared::Unchanged(before) => {
                    return Ok(Deployed {
                        change: Change::None,
                        outputs: before.outputs,
                        migrated: false,
                    });
                }
                Prepared::Overtaken => continue,
            };
            // CloudFormation would find it out in the middle, in words about a name.
            let is_other_database = proposal
                .replacements()
                .values()
                .any(|replacement| replacement.resource_type == DATABASE);
            if is_other_database {
                proposal.discard(&self.aws, &deployment.stack).await?;
                return Err(Error::OtherDatabase {
                    folder: loaded.folder.join(".dayspring"),
                });
            }
            if !rebuild && self.rebuilds(loaded, stage, &deployment, &before).await? {
                rebuild = true;
                deployment.rebuild();
                proposal.discard(&self.aws, &deployment.stack).await?;
                continue;
            }
            let carried =
                deploy::carry_out(&self.aws, &deployment, &before, &proposal, &mut observe).await?;
            if let Carried::Done(deployed) = carried {
                return Ok(deployed);
            }
        }
    }

    /// Whether the database has to be made anew, which is asked first.
    async fn rebuilds(
        &self,
        loaded: &Loaded,
        stage: &Stage,
        deployment: &Deployment,
        before: &Before,
    ) -> Result<bool, Error> {
        let comparison = Comparison {
            ui: self.ui,
            aws: &self.aws,
            target: &self.target,
            loaded,
            stage,
            deployment,
        };
        let after = serde_json::from_str(&deployment.template).unwrap_or_default();
        let sql = comparison.sql(before, &after, Err).await?;
        if !sql.rebuilds {
            // What the migrator refuses is refused by it.
            return Ok(false);
        }
        let agreed = self.args.reset || {
            self.ui.note(sql.refusal.as_deref().unwrap_or_default());
            let is_asked = std::io::stdin().is_terminal();
            is_asked
                && self
                    .ui
                    .agrees("Make the database anew from the scripts, and lose all that is in it?")
                    .await
        };
        refuse_scripts(&sql, agreed)?;
        self.ui
            .status("Rebuilding", "the database from the scripts");
        Ok(true)
    }
}

impl DevArgs {
    fn build(&self) -> BuildArgs {
        BuildArgs {
            profile: Some(self.profile.clone()),
            bootstrap: None,
        }
    }
}

/// What a deployment to this machine is worth saying of: it is over before its steps could be read.
fn show(ui: Ui, event: &Event) {
    match event {
        Event::RemovingRemains => ui.status("Removing", "what is left of a creation that failed"),
        Event::ChangeSet {
            creates: true,
            changes,
        } => {
            ui.status(
                "Deploying",
                &format!(
                    "a new stack to this machine ({})",
                    render::count(*changes, "resource")
                ),
            );
        }
        Event::ChangeSet {
            creates: false,
            changes,
        } => {
            ui.status("Deploying", &render::count(*changes, "change"));
        }
        Event::UnderWay { .. }
        | Event::UnderWayFailed { .. }
        | Event::Uploading { .. }
        | Event::Resource(_)
        | Event::Migrator(_)
        | Event::Waiting => {}
        Event::MigratorBroken => ui.warning("the migrator does not start"),
    }
}

/// The routes, and the line that says that they answer.
fn introduce(ui: Ui, cloud: &Cloud, stage: &Stage) {
    let base = format!("http://{}/{}", cloud.api_address(), stage.api_stage());
    let rows: Vec<[String; 3]> = stage
        .routes()
        .iter()
        .map(|route| {
            [
                route.method.to_string(),
                format!("{base}/{}", route.path),
                route.function.to_string(),
            ]
        })
        .collect();
    ui.note("");
    ui.note(render::table(&rows).trim_end());
    ui.note("");
    ui.detail(&format!(
        "AWS's APIs answer at http://{} (any access key)",
        cloud.aws_address()
    ));
    ui.detail(
        "a change of a function, a script or dayspring.toml is deployed by itself; Ctrl-C ends it",
    );
    ui.result(&format!("ready {base}"));
}
