//! What a user would otherwise pick, installed below the folder of peers the first time.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::cloud::free_port;
use crate::load::Http;
use crate::process::Server;
use crate::table::{Row, row};
use crate::{Function, Options, run};

pub fn cargo_lambda(options: &Options, work: &Path, function: Function) -> Result<Row> {
    let python = venv(options)?;
    let address = free_port()?;
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
            .current_dir(function.folder()),
        &work.join("cargo-lambda.log"),
    )?;
    let path = "/lambda-url/bootstrap/hello";
    let first = server.first_answer(address, path)?;
    row(
        options,
        &format!("cargo lambda watch, URL, {function}"),
        &server,
        first,
        &|| Http::get(address, path),
    )
}

pub fn serverless(options: &Options, work: &Path) -> Result<Row> {
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
    let (address, lambda) = (free_port()?, free_port()?);
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

pub fn ministack(options: &Options, work: &Path) -> Result<Row> {
    let python = venv(options)?;
    let address = free_port()?;
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
