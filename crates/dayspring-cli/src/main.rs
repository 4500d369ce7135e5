//! The `dayspring` command: the shell around the other crates.
//!
//! Knows neither SQL nor templates nor AWS's answers: it prints, prompts and exits for those that do.

mod aws;
mod build;
mod commands;
mod deploy;
mod diff;
mod elf;
mod error;
mod mysql;
mod package;
mod progress;
mod project;
mod render;
mod running;
mod shutdown;
mod template;
mod ui;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Command;
use crate::ui::Ui;

/// Serverless backends on AWS with a MySQL schema that every deploy migrates: API Gateway, Lambda functions in Rust, and
/// Aurora Serverless through the RDS Data API.
#[derive(Debug, Parser)]
#[command(name = "dayspring", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Help and the version come this way too.
        Err(error) => {
            drop(error.print());
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    let ui = Ui::new();
    let runtime = match arguments.command.runtime().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            ui.note(&format!(
                "error: the process cannot start its threads: {error}"
            ));
            return ExitCode::from(2);
        }
    };
    match runtime.block_on(arguments.command.run(ui)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ui.error(&error);
            error.exit_code()
        }
    }
}
