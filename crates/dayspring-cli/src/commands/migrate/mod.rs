//! `dayspring migrate`: the migration engine by itself.

mod baseline;
mod database;
mod facts;
mod lint;
mod new;
mod options;
mod plan;
mod planned;
mod preview;
mod scratch;
mod split;
mod status;
mod up;
mod verify;

use clap::Subcommand;

pub(super) use options::parse_duration;
pub(super) use preview::{Preview, journal, preview};

use crate::error::Error;
use crate::ui::Ui;

/// The migration engine by itself
#[derive(Debug, Subcommand)]
pub(crate) enum Migrate {
    New(new::NewArgs),
    Plan(plan::PlanArgs),
    Up(up::UpArgs),
    Status(status::StatusArgs),
    Lint(lint::LintArgs),
    Baseline(baseline::BaselineArgs),
    Verify(verify::VerifyArgs),
    Split(split::SplitArgs),
}

pub(crate) async fn migrate(ui: Ui, command: Migrate) -> Result<(), Error> {
    match command {
        Migrate::New(args) => new::new(ui, &args),
        Migrate::Plan(args) => plan::plan(ui, args).await,
        Migrate::Up(args) => up::up(ui, args).await,
        Migrate::Status(args) => status::status(ui, args).await,
        Migrate::Lint(args) => lint::lint(ui, args).await,
        Migrate::Baseline(args) => baseline::baseline(ui, args).await,
        Migrate::Verify(args) => verify::verify(ui, args).await,
        Migrate::Split(args) => split::split(ui, &args),
    }
}
