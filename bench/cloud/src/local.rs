//! The local cloud with its two functions and its database.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::cloud::{self, Cloud, Stack};
use crate::load::{self, Caller as _, Http, Plain, Until};
use crate::table::{self, Row, WARM, millis, row};
use crate::{Function, Options, run};

/// A state folder in which the stack is deployed: what a user waits for is a start from there.
#[derive(Debug)]
pub struct Local {
    program: PathBuf,
    /// As it was after the deployment, for each cloud to begin with: the log of earlier requests would be in its memory.
    deployed: PathBuf,
    state: PathBuf,
    log: PathBuf,
    stack: Stack,
    /// From the start of a cloud without a stack to its first answer.
    empty: Duration,
}

impl Local {
    pub fn deploy(options: &Options, work: &Path) -> Result<Self> {
        let program = std::env::var_os("DAYSPRING")
            .map_or_else(
                || PathBuf::from("../../target/release/dayspring"),
                PathBuf::from,
            )
            .canonicalize()
            .context(
                "no binary of the cloud: `cargo build --release -p dayspring-cli`, or set DAYSPRING",
            )?;
        let (state, log) = (work.join("state"), work.join("cloud.log"));
        let mut functions = Vec::new();
        for function in Function::ALL {
            // The Data API alone needs no function that runs.
            let bootstrap = if options.wants("cloud") {
                function.binary()
            } else {
                std::env::current_exe()?
            };
            functions.push((function.name(), bootstrap));
        }
        let mut cloud = Cloud::start(&program, &state, &log)?;
        let empty = cloud.server.first_answer(cloud.aws, HEALTH)?;
        let stack = cloud.deploy(&functions)?;
        drop(cloud);
        let deployed = work.join("deployed");
        std::fs::rename(&state, &deployed)?;
        Ok(Self {
            program,
            deployed,
            state,
            log,
            stack,
            empty,
        })
    }

    fn start(&self) -> Result<Cloud> {
        if self.state.exists() {
            std::fs::remove_dir_all(&self.state)?;
        }
        run(Command::new("cp")
            .arg("-a")
            .args([&self.deployed, &self.state]))?;
        let mut cloud = Cloud::start(&self.program, &self.state, &self.log)?;
        cloud.server.first_answer(cloud.aws, HEALTH)?;
        Ok(cloud)
    }

    pub fn api(&self, options: &Options, function: Function) -> Result<Row> {
        let path = path(function);
        let mut cloud = self.start()?;
        let first = cloud.server.first_answer(cloud.api, &path)?;
        let name = format!("dayspring cloud, REST API, {function}");
        row(options, &name, &cloud.server, first, &|| {
            Http::get(cloud.api, &path)
        })
    }

    /// Idle connections and many requests, as far as they are wanted.
    pub fn endurance(&self, options: &Options, function: Function) -> Result<()> {
        let empty = millis(self.empty);
        println!("  an empty cloud answers {empty:.0} ms after its start");
        let path = path(function);
        let cloud = self.start()?;
        let callers = || table::callers(16, &|| Http::get(cloud.api, &path));
        load::run(callers()?, WARM)?;
        let resident = || -> Result<f64> { Ok(cloud.server.used()?.0.resident_mib) };
        if options.idle > 0 {
            let before = resident()?;
            let connections: Vec<Http> = (0..options.idle)
                .map(|_| Http::get(cloud.api, &path))
                .collect::<Result<_>>()?;
            Http::get(cloud.api, &path)?.call()?;
            let with = resident()?;
            println!(
                "  with {} idle connections: {with:.1} MiB ({before:.1} without), and it answers",
                connections.len()
            );
        }
        if options.requests > 0 {
            let before = resident()?;
            let measured = load::run(callers()?, Until::Requests(options.requests))?;
            let after = resident()?;
            println!(
                "  after {} requests more ({:.0} req/s): {after:.1} MiB ({before:.1} before)",
                measured.requests, measured.per_second
            );
        }
        Ok(())
    }

    pub fn data_api(&self, options: &Options) -> Result<()> {
        let cloud = &self.start()?;
        let (state, stack) = (&self.state, &self.stack);
        const STATEMENT: &str =
            "SELECT schema_name FROM information_schema.schemata WHERE schema_name = 'bench'";
        let body = serde_json::json!({
            "resourceArn": stack.cluster, "secretArn": stack.secret, "database": "bench", "sql": STATEMENT
        })
        .to_string();
        let headers = "Content-Type: application/json\r\n";
        let connect = || Http::post(cloud.aws, "/Execute", headers, body.as_bytes());
        // The database starts with the first statement.
        connect()?.call()?;
        row(
            options,
            "dayspring cloud, Data API SELECT",
            &cloud.server,
            Duration::ZERO,
            &connect,
        )?;
        let account = cloud.account(stack)?;
        let socket = cloud::database_socket(state)?;
        let plain = |prepared| -> Result<Plain> {
            let socket = socket.to_str().context("a socket's path is text")?;
            let options = mysql::OptsBuilder::new()
                .socket(Some(socket))
                .user(Some(&account.0))
                .pass(Some(&account.1))
                .db_name(Some("bench"));
            let connection = mysql::Conn::new(options)?;
            Ok(Plain {
                connection,
                statement: STATEMENT,
                prepared,
            })
        };
        for (name, prepared) in [
            ("the same over MySQL's protocol", false),
            ("the same, prepared", true),
        ] {
            row(options, name, &cloud.server, Duration::ZERO, &|| {
                plain(prepared)
            })?;
        }
        Ok(())
    }
}

const HEALTH: &str = "/_dayspring/health";

fn path(function: Function) -> String {
    format!("/prod/{}", function.name())
}
