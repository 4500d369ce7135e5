//! How fast does the local cloud answer, beside the emulators that a user would otherwise pick?
//!
//! `cargo run --release -- --help` says what may be chosen.

mod cloud;
mod load;
mod local;
mod peers;
mod process;
mod table;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use local::Local;

const HELP: &str = "\
bench-cloud [--seconds N] [--rounds N] [--requests N] [--idle N] [--peers DIR] [--only NAME]

  --seconds N   how long each measurement takes (default 5)
  --rounds N    how often the cloud and cargo lambda are measured, in turns, for the ratios (default 3)
  --requests N  then so many requests more to the cloud, and its memory before and after (a million: 1000000)
  --idle N      so many idle connections to the cloud, and its memory with them (`ulimit -n` is to allow them)
  --peers DIR   where the peers are installed, or are to be (default target/peers)
  --only NAME   cloud, serverless, cargo-lambda, ministack or data-api

DAYSPRING names the binary of the cloud; `cargo build --release -p dayspring-cli` in the repository makes it.";

#[derive(Debug)]
struct Options {
    seconds: u64,
    rounds: usize,
    requests: u64,
    idle: usize,
    peers: PathBuf,
    only: Option<String>,
}

impl Options {
    fn parse() -> Result<Self> {
        let mut options = Self {
            seconds: 5,
            rounds: 3,
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
                "--rounds" => options.rounds = value()?.parse()?,
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

/// The two functions that every emulator of a `provided` runtime runs.
#[derive(Debug, Clone, Copy)]
pub enum Function {
    /// As its users write one.
    LambdaHttp,
    /// No library at all, so that what is left is the emulator.
    Bare,
}

impl Function {
    const ALL: [Self; 2] = [Self::LambdaHttp, Self::Bare];

    /// Where its source is.
    fn folder(self) -> &'static str {
        match self {
            Self::LambdaHttp => "function",
            Self::Bare => "bare",
        }
    }

    /// Its part of the API's path, and its name in the stack.
    fn name(self) -> &'static str {
        match self {
            Self::LambdaHttp => "hello",
            Self::Bare => "bare",
        }
    }

    /// Builds its binary, which the local cloud is given and `cargo lambda` finds.
    fn build(self) -> Result<()> {
        run(Command::new("cargo")
            .args(["build", "--release", "--quiet"])
            .current_dir(self.folder()))
    }

    fn binary(self) -> PathBuf {
        Path::new(self.folder()).join("target/release/bootstrap")
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LambdaHttp => "lambda_http",
            Self::Bare => "bare",
        })
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
    if options.wants("cloud") || options.wants("cargo-lambda") {
        for function in Function::ALL {
            function.build()?;
        }
    }
    println!("{}\n", table::machine()?);
    table::head();
    let local = if options.wants("cloud") || options.wants("data-api") {
        Some(Local::deploy(options, work)?)
    } else {
        None
    };
    let cloud = local.as_ref().filter(|_| options.wants("cloud"));
    // In turns, because a machine is not as fast in one minute as it is in the next.
    let mut pairs = [Vec::new(), Vec::new()];
    for _ in 0..options.rounds {
        for (function, pairs) in Function::ALL.into_iter().zip(&mut pairs) {
            let ours = cloud
                .map(|local| local.api(options, function))
                .transpose()?;
            let theirs = options
                .wants("cargo-lambda")
                .then(|| peers::cargo_lambda(options, work, function))
                .transpose()?;
            pairs.extend(ours.zip(theirs));
        }
    }
    if let Some(local) = cloud {
        local.endurance(options, Function::LambdaHttp)?;
    }
    if let Some(local) = local.as_ref().filter(|_| options.wants("data-api")) {
        local.data_api(options)?;
    }
    if options.wants("serverless") {
        peers::serverless(options, work)?;
    }
    if options.wants("ministack") {
        peers::ministack(options, work)?;
    }
    for (function, pairs) in Function::ALL.iter().zip(&pairs) {
        if !pairs.is_empty() {
            println!(
                "\ndayspring cloud / cargo lambda watch, {function}, median and range of the rounds"
            );
            table::ratios(pairs);
        }
    }
    Ok(())
}

pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(())
}
