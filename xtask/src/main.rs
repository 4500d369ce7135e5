//! The repository's own automation: `cargo xtask demo` and `cargo xtask test`.

mod install;
mod repository;
mod tests_run;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

const USAGE: &str = "\
usage: cargo xtask <command>

  demo [ARGS]  installs MariaDB's server if it is missing, builds, and serves the example on this machine
               (ARGS go to `dayspring dev`, e.g. --port 8080)
  test [ARGS]  the same set-up, then all tests (ARGS go to `cargo test`)";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    let rest: Vec<String> = arguments.collect();
    match command.as_deref() {
        Some("demo") => demo(&rest),
        Some("test") => test(&rest),
        Some("help" | "--help" | "-h") => {
            say(USAGE);
            Ok(())
        }
        Some(other) => bail!("there is no task `{other}`\n\n{USAGE}"),
        None => bail!("name a task\n\n{USAGE}"),
    }
}

fn demo(arguments: &[String]) -> Result<()> {
    install::mariadb_server()?;
    let root = root();
    say("building dayspring (the first time takes a few minutes)");
    run(cargo()
        .current_dir(&root)
        .args(["build", "--locked", "--package", "dayspring-cli"]))?;
    let dayspring = std::env::current_exe()?.with_file_name("dayspring");
    let mut command = Command::new(&dayspring);
    command
        .current_dir(&root)
        .args(["dev", "--dir", "examples/blog"])
        .args(arguments);
    say("$ dayspring dev --dir examples/blog");
    become_process(command)
}

fn test(arguments: &[String]) -> Result<()> {
    install::mariadb_server()?;
    install::mariadb_client()?;
    let judges = install::judges(&root().join("target/judges"))?;
    tests_run::run(&root(), &judges, arguments)
}

/// Takes this process's place, so that signals reach the program itself.
#[cfg(unix)]
fn become_process(mut command: Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    let program = command.get_program().to_owned();
    Err(command.exec()).with_context(|| format!("cannot start {}", program.display()))
}

#[cfg(not(unix))]
fn become_process(mut command: Command) -> Result<()> {
    run(&mut command)
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command to its end and fails when it failed.
fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().display().to_string();
    let status = command
        .status()
        .with_context(|| format!("cannot start `{program}`"))?;
    if !status.success() {
        bail!("`{program}` failed ({status})");
    }
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a folder of the workspace")
        .to_owned()
}

#[expect(
    clippy::print_stderr,
    reason = "a task talks to the person who started it"
)]
fn say(text: &str) {
    eprintln!("{text}");
}
