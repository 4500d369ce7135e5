//! Which scripts and which database the commands mean: a server by its URL, or a deployed stage through the Data API.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use dayspring::migrator::DataApiSession;
use dayspring_migrate::lint::Level;
use dayspring_migrate::{Journal, Mode, Scripts, read_folder, read_journal};

use crate::aws::{Aws, Target};
use crate::deploy;
use crate::error::{Error, Fault};
use crate::mysql::{DatabaseUrl, MySqlSession};
use crate::project::{self, Loaded};
use crate::running;

/// Where scripts are without a project to say so.
const SCRIPTS: &str = "scripts/schema";

/// Named so that a URL with its password need not stand on a command line.
const URL_VARIABLE: &str = "DATABASE_URL";

const DEFAULT_STAGE: &str = "dev";

/// Which scripts
#[derive(Debug, Clone, Args)]
pub(crate) struct ScriptsArgs {
    /// The project's folder
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// The scripts' folder; otherwise the project's, and `scripts/schema` without a dayspring.toml
    #[arg(long, value_name = "DIR")]
    pub(crate) scripts: Option<PathBuf>,
}

/// Which database
#[derive(Debug, Clone, Args)]
pub(crate) struct DatabaseArgs {
    #[command(flatten)]
    pub(super) scripts: ScriptsArgs,
    /// A MySQL or MariaDB server: mysql://USER:PASSWORD@HOST:PORT/DATABASE. After it may stand ?socket=/PATH,
    /// ssl-mode=DISABLED, PREFERRED (the default), REQUIRED, VERIFY_CA or VERIFY_IDENTITY, and ssl-ca=FILE. Without this and
    /// without --stage and --endpoint-url, the variable DATABASE_URL is read
    #[arg(long, value_name = "URL", conflicts_with_all = ["stage", "endpoint_url", "region"])]
    database_url: Option<String>,
    /// A deployed stage of the project, through the Data API [default: dev]
    #[arg(long, value_name = "STAGE")]
    stage: Option<String>,
    /// Send AWS's calls to this address, such as a local cloud's http://127.0.0.1:4566. Without it the variable
    /// AWS_ENDPOINT_URL is read, then the `dayspring dev` that runs for the project is asked, then AWS
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,
    /// The region; otherwise as every AWS tool finds it
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
}

/// What a project makes of lint's rules, by their names.
pub(super) type LintLevels = BTreeMap<&'static str, Level>;

/// Scripts and the session with their database.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) scripts: Scripts,
    pub(super) session: AnySession,
    pub(super) mode: Mode,
    /// What the `dayspring.toml` makes of lint's rules, if the scripts are those of one.
    pub(super) levels: Option<LintLevels>,
    /// The database in words, without secrets.
    pub(super) place: String,
}

/// A session of one of the two kinds. Each command is written once, for any `S: Session`, and called for both.
#[derive(Debug)]
pub(super) enum AnySession {
    Direct(Box<MySqlSession>),
    DataApi(Box<DataApiSession>),
}

impl Opened {
    pub(super) async fn journal(&mut self) -> Result<Journal, Error> {
        let journal = match &mut self.session {
            AnySession::Direct(session) => read_journal(session.as_mut(), &self.scripts).await,
            AnySession::DataApi(session) => read_journal(session.as_mut(), &self.scripts).await,
        };
        journal.map_err(|error| Error::migration(&error))
    }
}

impl ScriptsArgs {
    /// The folder, and how messages call it.
    pub(super) fn folder(&self) -> Result<(PathBuf, String), Error> {
        if let Some(folder) = self.named() {
            return Ok(folder);
        }
        if !project::exists(&self.dir) {
            return Ok((self.dir.join(SCRIPTS), SCRIPTS.to_owned()));
        }
        let loaded = Loaded::read(&self.dir)?;
        let stage = loaded.stage(DEFAULT_STAGE, &dayspring_stack::Overrides::default())?;
        let folder = stage.scripts_folder().as_str();
        Ok((loaded.folder.join(folder), folder.to_owned()))
    }

    /// What the project makes of lint's rules; nothing without a `dayspring.toml`.
    pub(super) fn levels(&self) -> Result<Option<LintLevels>, Error> {
        if !project::exists(&self.dir) {
            return Ok(None);
        }
        Ok(Some(Loaded::read(&self.dir)?.lint_levels))
    }

    fn named(&self) -> Option<(PathBuf, String)> {
        let folder = self.scripts.clone()?;
        let shown = folder.display().to_string();
        let shown = shown.strip_prefix("./").unwrap_or(&shown);
        let shown = shown.trim_end_matches('/').to_owned();
        Some((folder, shown))
    }
}

impl DatabaseArgs {
    /// Reads the scripts and opens the session. The scripts come first: what is wrong with them needs no database.
    pub(super) async fn open(&self, lock_wait: Duration) -> Result<Opened, Error> {
        match self.url() {
            Some(url) => self.open_server(&url, lock_wait).await,
            None => self.open_stage().await,
        }
    }

    /// Whether a flag names a database; the environment is not asked.
    pub(super) fn is_named(&self) -> bool {
        self.database_url.is_some() || self.names_stage()
    }

    fn names_stage(&self) -> bool {
        self.stage.is_some() || self.endpoint_url.is_some() || self.region.is_some()
    }

    fn url(&self) -> Option<String> {
        let names_stage = self.names_stage();
        self.database_url.clone().or_else(|| {
            let from_environment = std::env::var(URL_VARIABLE).ok();
            from_environment.filter(|url| !url.is_empty() && !names_stage)
        })
    }

    async fn open_server(&self, url: &str, lock_wait: Duration) -> Result<Opened, Error> {
        let url = DatabaseUrl::parse(url)?;
        let (folder, shown) = self.scripts.folder()?;
        let scripts = read_folder(&folder, &shown).map_err(Error::scripts)?;
        let place = url.to_string();
        let session = MySqlSession::connect(url, lock_wait).await?;
        Ok(Opened {
            scripts,
            session: AnySession::Direct(Box::new(session)),
            mode: Mode::Strict,
            levels: self.scripts.levels()?,
            place,
        })
    }

    async fn open_stage(&self) -> Result<Opened, Error> {
        if !project::exists(&self.scripts.dir) {
            return Err(Error::NoDatabase {
                folder: self.scripts.dir.clone(),
            });
        }
        let loaded = Loaded::read(&self.scripts.dir)?;
        let target = self.target();
        let name = self.stage.as_deref().unwrap_or(DEFAULT_STAGE);
        let stage = loaded.stage(name, &super::super::deploy::overrides(&target))?;
        let (folder, shown) = self.scripts.named().unwrap_or_else(|| {
            let folder = stage.scripts_folder().as_str();
            (loaded.folder.join(folder), folder.to_owned())
        });
        let scripts = read_folder(&folder, &shown).map_err(Error::scripts)?;
        let aws = Aws::connect(&target).await?;
        let stack = stage.stack_name();
        let outputs = deploy::outputs(&aws, &stack).await?;
        let session = data_api_session(&aws, &target, &outputs)?;
        Ok(Opened {
            scripts,
            session: AnySession::DataApi(Box::new(session)),
            mode: if stage.is_development() {
                Mode::Development
            } else {
                Mode::Strict
            },
            levels: Some(loaded.lint_levels),
            place: format!("{stack} at {}", target.describe(&aws.region)),
        })
    }

    fn target(&self) -> Target {
        let (endpoint_url, region) = (self.endpoint_url.as_deref(), self.region.as_deref());
        running::target(&self.scripts.dir, endpoint_url, region)
    }
}

pub(super) fn data_api_session(
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
    DataApiSession::from_variables(variable).map_err(|error| Error::Migration {
        fault: Fault::World,
        message: error.to_string(),
    })
}
