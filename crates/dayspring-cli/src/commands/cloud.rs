use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use dayspring_cloud::{AutoPause, Cloud, CloudConfig, DatabaseUrl, Identity};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::migrate::parse_duration;
use crate::error::Error;
use crate::shutdown;
use crate::ui::Ui;

/// Run the local cloud alone, for the `aws` CLI, the `cdk` CLI and any AWS SDK
#[derive(Debug, Args)]
pub(crate) struct CloudArgs {
    /// Where AWS's APIs answer
    #[arg(long, default_value_t = 4566)]
    port: u16,
    /// Where deployed stages answer
    #[arg(long, default_value_t = 3000)]
    api_port: u16,
    /// Where everything is kept between runs
    #[arg(long, default_value = ".dayspring/cloud", value_name = "DIR")]
    state: PathBuf,
    /// Answer requests that carry no signature
    #[arg(long)]
    allow_unsigned: bool,
    /// Check each request's signature, date and digest, with the secret in AWS_SECRET_ACCESS_KEY or, without it, `test`
    #[arg(long, conflicts_with = "allow_unsigned")]
    verify_signatures: bool,
    #[command(flatten)]
    databases: DatabaseArgs,
}

/// What the databases of the local cloud do that is not in a template.
#[derive(Debug, Args)]
pub(crate) struct DatabaseArgs {
    /// Pause clusters whose lowest capacity is 0 ACU after so long without work (30s, 5m), as AWS does after 5 minutes or more
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pause_after: Option<Duration>,
    /// How long a paused cluster takes to resume; about 15s on AWS
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "2s", requires = "pause_after")]
    resume_time: Duration,
    /// A MySQL or MariaDB server to take in the place of a private one: mysql://USER:PASSWORD@HOST:PORT
    #[arg(long, value_name = "URL")]
    database_url: Option<DatabaseUrl>,
}

impl DatabaseArgs {
    pub(super) fn url(&self) -> Option<DatabaseUrl> {
        self.database_url.clone()
    }

    pub(super) fn pause(&self) -> Option<AutoPause> {
        self.pause_after.map(|after| AutoPause {
            after,
            resume: self.resume_time,
        })
    }
}

pub(crate) async fn cloud(ui: Ui, args: CloudArgs) -> Result<(), Error> {
    let aws = listen(args.port, "--port").await?;
    let api = listen(args.api_port, "--api-port").await?;
    let config = CloudConfig {
        identity: Identity::default(),
        state: args.state,
        cache: cache(),
        allow_unsigned: args.allow_unsigned,
        signing_secret: args.verify_signatures.then(signing_secret),
        pause: args.databases.pause(),
        database_url: args.databases.url(),
        function_lines: None,
        requests: None,
    };
    let mut cloud = Cloud::start(config, aws, api).await?;
    let warning = tell(ui, cloud.take_warnings());
    ui.status(
        "Serving",
        &format!("deployed stages at http://{}", cloud.api_address()),
    );
    ui.result(&format!("ready http://{}", cloud.aws_address()));
    shutdown::requested().await;
    ui.status("Stopping", "the local cloud");
    cloud.shut_down().await;
    warning.abort();
    Ok(())
}

/// The secret that the clients on this machine most likely have: that of this process's own environment.
fn signing_secret() -> String {
    std::env::var("AWS_SECRET_ACCESS_KEY").unwrap_or_else(|_| "test".to_owned())
}

/// Prints warnings as they come.
pub(super) fn tell(ui: Ui, warnings: Option<mpsc::Receiver<String>>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let Some(mut warnings) = warnings else { return };
        while let Some(warning) = warnings.recv().await {
            ui.warning(&warning);
        }
    })
}

/// Binds a port of the loopback interface; 0 takes any free one.
pub(super) async fn listen(port: u16, flag: &'static str) -> Result<TcpListener, Error> {
    TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|source| Error::Port { port, flag, source })
}

/// The user's cache, as the XDG base directory specification places it.
pub(super) fn cache() -> PathBuf {
    let variable = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    variable("XDG_CACHE_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("dayspring")
}
