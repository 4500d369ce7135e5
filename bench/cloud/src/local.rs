//! The local cloud with its two functions and its database.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::cloud::{self, Cloud, Stack};
use crate::load::{self, Caller as _, Http, Plain, Until};
use crate::table::{self, Row, millis, row};
use crate::{Function, Options};

/// Gives the rows of the functions, if they are wanted.
pub fn measure(options: &Options, work: &Path) -> Result<Vec<Row>> {
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
    // What a user waits for: from here on the stack is there from before.
    let mut rows = Vec::new();
    if options.wants("cloud") {
        for function in Function::ALL {
            let mut cloud = started(&program, &state, &log)?;
            rows.push(api(options, &mut cloud, function)?);
            if matches!(function, Function::LambdaHttp) {
                let empty = millis(empty);
                println!("  an empty cloud answers {empty:.0} ms after its start");
                endurance(options, &cloud, function)?;
            }
        }
    }
    if options.wants("data-api") {
        data_api(options, &started(&program, &state, &log)?, &state, &stack)?;
    }
    Ok(rows)
}

const HEALTH: &str = "/_dayspring/health";

fn started(program: &Path, state: &Path, log: &Path) -> Result<Cloud> {
    let mut cloud = Cloud::start(program, state, log)?;
    cloud.server.first_answer(cloud.aws, HEALTH)?;
    Ok(cloud)
}

fn path(function: Function) -> String {
    format!("/prod/{}", function.name())
}

fn api(options: &Options, cloud: &mut Cloud, function: Function) -> Result<Row> {
    let path = path(function);
    let first = cloud.server.first_answer(cloud.api, &path)?;
    let name = format!("dayspring cloud, REST API, {function}");
    row(options, &name, &cloud.server, first, &|| {
        Http::get(cloud.api, &path)
    })
}

/// Idle connections and many requests, as far as they are wanted.
fn endurance(options: &Options, cloud: &Cloud, function: Function) -> Result<()> {
    let path = path(function);
    if options.idle > 0 {
        let before = cloud.server.used()?.0.resident_mib;
        let connections: Vec<Http> = (0..options.idle)
            .map(|_| Http::get(cloud.api, &path))
            .collect::<Result<_>>()?;
        Http::get(cloud.api, &path)?.call()?;
        let with = cloud.server.used()?.0.resident_mib;
        println!(
            "  with {} idle connections: {with:.1} MiB ({before:.1} without), and it answers",
            connections.len()
        );
    }
    if options.requests > 0 {
        let before = cloud.server.used()?.0.resident_mib;
        let measured = load::run(
            table::callers(16, &|| Http::get(cloud.api, &path))?,
            Until::Requests(options.requests),
        )?;
        let after = cloud.server.used()?.0.resident_mib;
        println!(
            "  after {} requests more ({:.0} req/s): {after:.1} MiB ({before:.1} before)",
            measured.requests, measured.per_second
        );
    }
    Ok(())
}

fn data_api(options: &Options, cloud: &Cloud, state: &Path, stack: &Stack) -> Result<()> {
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
