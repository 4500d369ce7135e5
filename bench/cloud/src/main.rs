//! How fast does the local cloud answer, beside the emulators that a user would otherwise pick?
//!
//! `cargo run --release -- --help` says what may be chosen.

mod cloud;
mod load;
mod process;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use cloud::Cloud;
use load::{Caller, Http, Measured, Plain, Until};
use process::Server;

const HELP: &str = "\
bench-cloud [--seconds N] [--requests N] [--idle N] [--peers DIR] [--only NAME]

  --seconds N   how long each measurement takes (default 5)
  --requests N  then so many requests more to the cloud, and its memory before and after (a million: 1000000)
  --idle N      so many idle connections to the cloud, and its memory with them (`ulimit -n` is to allow them)
  --peers DIR   where the peers are installed, or are to be (default target/peers)
  --only NAME   cloud, serverless, cargo-lambda, ministack or data-api

DAYSPRING names the binary of the cloud; `cargo build --release -p dayspring-cli` in the repository makes it.";

#[derive(Debug)]
struct Options {
    seconds: u64,
    requests: u64,
    idle: usize,
    peers: PathBuf,
    only: Option<String>,
}

impl Options {
    fn parse() -> Result<Self> {
        let mut options = Self {
            seconds: 5,
            requests: 0,
            idle: 0,
            peers: PathBuf::from("target/peers"),
            only: None,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .with_context(|| format!("{argument} wants a value"))
            };
            match argument.as_str() {
                "--seconds" => options.seconds = value()?.parse()?,
                "--requests" => options.requests = value()?.parse()?,
                "--idle" => options.idle = value()?.parse()?,
                "--peers" => options.peers = value()?.into(),
                "--only" => options.only = Some(value()?),
                _ => bail!("{HELP}"),
            }
        }
        Ok(options)
    }

    fn wants(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == name)
    }
}

fn main() -> Result<()> {
    let options = Options::parse()?;
    let work = std::env::temp_dir().join(format!("bench-cloud-{}", std::process::id()));
    std::fs::create_dir_all(&work)?;
    let result = measure(&options, &work);
    std::fs::remove_dir_all(&work)?;
    result
}

fn measure(options: &Options, work: &Path) -> Result<()> {
    println!("{}", machine()?);
    println!();
    println!(
        "{:<34} {:>8} | {:>8} {:>7} {:>7} | {:>8} {:>7} {:>8} | {:>6} {:>6} | {:>6} {:>6}",
        "",
        "first",
        "1: req/s",
        "p50",
        "p99",
        "16: rq/s",
        "p50",
        "p99",
        "CPU ms",
        "tree",
        "MiB",
        "after"
    );
    // The Data API alone needs no function that runs.
    let bootstrap = if options.only.as_deref() == Some("data-api") {
        std::env::current_exe()?
    } else {
        function()?
    };
    if options.wants("cloud") || options.wants("data-api") {
        the_cloud(options, work, &bootstrap)?;
    }
    if options.wants("cargo-lambda") {
        cargo_lambda(options, work)?;
    }
    if options.wants("serverless") {
        serverless(options, work)?;
    }
    if options.wants("ministack") {
        ministack(options, work)?;
    }
    Ok(())
}

fn the_cloud(options: &Options, work: &Path, bootstrap: &Path) -> Result<()> {
    let program = std::env::var_os("DAYSPRING")
        .map_or_else(
            || PathBuf::from("../../target/release/dayspring"),
            PathBuf::from,
        )
        .canonicalize()
        .context(
            "no binary of the cloud: `cargo build --release -p dayspring-cli`, or set DAYSPRING",
        )?;
    let state = work.join("state");
    let log = work.join("cloud.log");
    let mut cloud = Cloud::start(&program, &state, &log)?;
    let empty = cloud.server.first_answer(cloud.aws, "/_dayspring/health")?;
    let stack = cloud.deploy(bootstrap)?;
    drop(cloud);
    // What a user waits for: the stack is there from before.
    let mut cloud = Cloud::start(&program, &state, &log)?;
    let path = "/prod/hello";
    cloud.server.first_answer(cloud.aws, "/_dayspring/health")?;
    if options.wants("cloud") {
        let first = cloud.server.first_answer(cloud.api, path)?;
        row(
            options,
            "dayspring cloud, REST API, Rust",
            &cloud.server,
            first,
            &|| Http::get(cloud.api, path),
        )?;
        println!(
            "  an empty cloud answers {:.0} ms after its start",
            millis(empty)
        );
        if options.idle > 0 {
            let before = cloud.server.used()?.0.resident_mib;
            let connections: Vec<Http> = (0..options.idle)
                .map(|_| Http::get(cloud.api, path))
                .collect::<Result<_>>()?;
            Http::get(cloud.api, path)?.call()?;
            let with = cloud.server.used()?.0.resident_mib;
            println!(
                "  with {} idle connections: {with:.1} MiB ({before:.1} without), and it answers",
                connections.len()
            );
        }
        if options.requests > 0 {
            let before = cloud.server.used()?.0.resident_mib;
            let measured = load::run(
                callers(16, &|| Http::get(cloud.api, path))?,
                Until::Requests(options.requests),
            )?;
            let after = cloud.server.used()?.0.resident_mib;
            println!(
                "  after {} requests more ({:.0} req/s): {after:.1} MiB ({before:.1} before)",
                measured.requests, measured.per_second
            );
        }
    }
    if options.wants("data-api") {
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
        let account = cloud.account(&stack)?;
        let socket = cloud::database_socket(&state)?;
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
    }
    Ok(())
}

fn cargo_lambda(options: &Options, work: &Path) -> Result<()> {
    let python = venv(options)?;
    let address = cloud::free_port()?;
    let mut server = Server::start(
        Command::new(python.with_file_name("cargo-lambda"))
            .args([
                "lambda",
                "watch",
                "--release",
                "--ignore-changes",
                "--concurrency",
                "16",
            ])
            .args([
                "--invoke-address",
                "127.0.0.1",
                "--invoke-port",
                &address.port().to_string(),
            ])
            .current_dir("function"),
        &work.join("cargo-lambda.log"),
    )?;
    let path = "/lambda-url/bootstrap/hello";
    let first = server.first_answer(address, path)?;
    row(
        options,
        "cargo lambda watch, URL, Rust",
        &server,
        first,
        &|| Http::get(address, path),
    )
}

fn serverless(options: &Options, work: &Path) -> Result<()> {
    let folder = options.peers.join("npm");
    if !folder.join("node_modules/serverless-offline").exists() {
        std::fs::create_dir_all(&folder)?;
        run(Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .args(["serverless@3.40.0", "serverless-offline@13.10.1"]))?;
    }
    for name in ["serverless.yml", "hello.js"] {
        std::fs::copy(Path::new("peers").join(name), folder.join(name))?;
    }
    let (address, lambda) = (cloud::free_port()?, cloud::free_port()?);
    let mut server = Server::start(
        Command::new("node")
            .args([
                "node_modules/serverless/bin/serverless.js",
                "offline",
                "--noPrependStageInUrl",
                "--host",
                "127.0.0.1",
            ])
            .args([
                "--httpPort",
                &address.port().to_string(),
                "--lambdaPort",
                &lambda.port().to_string(),
            ])
            .env("SLS_TELEMETRY_DISABLED", "1")
            .env("SLS_NOTIFICATIONS_MODE", "off")
            .current_dir(&folder),
        &work.join("serverless.log"),
    )?;
    let first = server.first_answer(address, "/hello")?;
    row(
        options,
        "serverless-offline 13, Node",
        &server,
        first,
        &|| Http::get(address, "/hello"),
    )
}

fn ministack(options: &Options, work: &Path) -> Result<()> {
    let python = venv(options)?;
    let address = cloud::free_port()?;
    let mut server = Server::start(
        Command::new(python.with_file_name("ministack"))
            .env("GATEWAY_PORT", address.port().to_string())
            .env("BIND_HOST", "127.0.0.1"),
        &work.join("ministack.log"),
    )?;
    server.first_answer(address, "/_ministack/health")?;
    let output = Command::new(&python)
        .args(["peers/ministack.py", &format!("http://{address}")])
        .output()?;
    if !output.status.success() {
        bail!(
            "MiniStack could not be set up:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let set_up: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let text = |name: &str| set_up[name].as_str().unwrap_or_default().to_owned();
    let path = text("path");
    let first = server.first_answer(address, &path)?;
    row(
        options,
        "MiniStack, REST API, Python",
        &server,
        first,
        &|| Http::get(address, &path),
    )?;
    let body = serde_json::json!({
        "resourceArn": text("cluster"), "secretArn": text("secret"),
        "sql": "SELECT schema_name FROM information_schema.schemata",
    })
    .to_string();
    let headers = "Content-Type: application/json\r\nAuthorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/rds-data/aws4_request, SignedHeaders=host, Signature=0\r\n";
    row(
        options,
        "MiniStack, Data API, no database",
        &server,
        Duration::ZERO,
        &|| Http::post(address, "/Execute", headers, body.as_bytes()),
    )
}

/// Measures at one connection and at sixteen, and prints a line.
fn row<C: Caller + 'static>(
    options: &Options,
    name: &str,
    server: &Server,
    first: Duration,
    connect: &dyn Fn() -> Result<C>,
) -> Result<()> {
    let duration = Until::Elapsed(Duration::from_secs(options.seconds));
    // Processes and connections are there before anything is counted.
    load::run(
        callers(16, connect)?,
        Until::Elapsed(Duration::from_secs(1)),
    )?;
    let idle = server.used()?;
    let one = load::run(callers(1, connect)?, duration)?;
    let sixteen = load::run(callers(16, connect)?, duration)?;
    let after = server.used()?;
    let requests = (one.requests + sixteen.requests) as f64;
    let cpu = |before: Duration, after: Duration| millis(after.saturating_sub(before)) / requests;
    let speed =
        |measured: &Measured| format!("{:>8.0} {:>7.2}", measured.per_second, millis(measured.p50));
    println!(
        "{name:<34} {:>8} | {} {:>7.2} | {} {:>8.2} | {:>6.3} {:>6.3} | {:>6.1} {:>6.1}",
        if first.is_zero() {
            String::new()
        } else {
            format!("{:.0} ms", millis(first))
        },
        speed(&one),
        millis(one.p99),
        speed(&sixteen),
        millis(sixteen.p99),
        cpu(idle.0.cpu, after.0.cpu),
        cpu(idle.1.cpu, after.1.cpu),
        idle.0.resident_mib,
        after.0.resident_mib,
    );
    Ok(())
}

fn callers<C: Caller + 'static>(
    count: usize,
    connect: &dyn Fn() -> Result<C>,
) -> Result<Vec<Box<dyn Caller>>> {
    (0..count)
        .map(|_| connect().map(|caller| Box::new(caller) as Box<dyn Caller>))
        .collect()
}

/// The function's binary.
fn function() -> Result<PathBuf> {
    run(Command::new("cargo")
        .args(["build", "--release", "--quiet"])
        .current_dir("function"))?;
    Ok(PathBuf::from("function/target/release/bootstrap"))
}

/// The Python that has the peers of PyPI.
fn venv(options: &Options) -> Result<PathBuf> {
    let folder = options.peers.join("venv");
    let python = folder.join("bin/python");
    if !folder.join("bin/ministack").exists() || !folder.join("bin/cargo-lambda").exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        run(Command::new(&python).args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "cargo-lambda==1.9.2",
            "ministack==1.5.33",
            "boto3==1.43.106",
        ]))?;
    }
    // Its own folder's parent stays a link, which is how Python knows the folder.
    Ok(std::path::absolute(python)?)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(())
}

fn machine() -> Result<String> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("", |name| name.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism()?;
    let load = std::fs::read_to_string("/proc/loadavg")?;
    let load = load.split(' ').next().unwrap_or_default();
    Ok(format!(
        "{model}, {cores} cores, load average {load} before the first measurement"
    ))
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
