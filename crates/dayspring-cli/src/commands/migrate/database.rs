//! The database of a deployed stage, through the Data API.

use std::path::Path;
use std::time::Duration;

use dayspring::migrator::DataApiSession;
use dayspring_migrate::{Journal, Scripts, read_folder, read_journal};

use crate::aws::{Aws, Target};
use crate::commands::{ProjectArgs, StageArgs, TargetArgs};
use crate::deploy;
use crate::error::Error;
use crate::project::Loaded;
use crate::running;

/// How long to wait for a cluster that is paused: AWS says about 15 s, and longer after a day of sleep.
const PATIENCE: Duration = Duration::from_secs(120);

/// The scripts as they are, and the journal of the database that they were applied to.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) scripts: Scripts,
    pub(super) journal: Journal,
    /// The stack and where it is, in words.
    pub(super) place: String,
}

pub(super) async fn compare(
    project: &ProjectArgs,
    stage: &StageArgs,
    target: &TargetArgs,
) -> Result<Compared, Error> {
    let loaded = Loaded::read(&project.dir)?;
    let target = target_or_running(target.target(), &project.dir);
    let stage = loaded.stage(&stage.stage, &super::super::deploy::overrides(&target))?;
    let folder = stage.scripts_folder().as_str();
    let scripts = read_folder(&loaded.folder.join(folder), folder).map_err(Error::scripts)?;
    let aws = Aws::connect(&target).await?;
    let stack = stage.stack_name();
    let outputs = deploy::outputs(&aws, &stack).await?;
    let mut session = session(&aws, &target, &outputs)?;
    let journal = read_journal(&mut session, &scripts)
        .await
        .map_err(|error| Error::migration(&error))?;
    Ok(Compared {
        scripts,
        journal,
        place: format!("{stack} at {}", target.describe(&aws.region)),
    })
}

/// Without a named endpoint a `dayspring dev` that runs for this project is meant: that is the database that a person who
/// is developing looks at.
fn target_or_running(target: Target, folder: &Path) -> Target {
    match target.endpoint_url {
        Some(_) => target,
        None => Target {
            endpoint_url: running::endpoint_url(folder),
            ..target
        },
    }
}

fn session(
    aws: &Aws,
    target: &Target,
    outputs: &std::collections::BTreeMap<String, String>,
) -> Result<DataApiSession, Error> {
    let output = |name: &'static str| {
        outputs
            .get(name)
            .cloned()
            .ok_or(Error::Answer { what: name })
    };
    let (cluster, secret, database) = (
        output("ClusterArn")?,
        output("SecretArn")?,
        output("Database")?,
    );
    let variable = |name: &str| match name {
        "DAYSPRING_CLUSTER_ARN" => Some(cluster.clone()),
        "DAYSPRING_SECRET_ARN" => Some(secret.clone()),
        "DAYSPRING_DATABASE" => Some(database.clone()),
        "AWS_REGION" => Some(aws.region.clone()),
        "AWS_ENDPOINT_URL" => target.endpoint_url.clone(),
        "AWS_ACCESS_KEY_ID" => Some(aws.credentials.access_key_id().to_owned()),
        "AWS_SECRET_ACCESS_KEY" => Some(aws.credentials.secret_access_key().to_owned()),
        "AWS_SESSION_TOKEN" => aws.credentials.session_token().map(str::to_owned),
        _ => None,
    };
    DataApiSession::from_variables(variable, PATIENCE).map_err(|error| Error::Migration {
        message: error.to_string(),
    })
}
