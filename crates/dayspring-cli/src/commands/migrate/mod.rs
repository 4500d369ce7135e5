//! `dayspring migrate`: the migration engine by itself.

mod database;
mod lint;
mod new;
mod options;
mod plan;
mod preview;
mod split;
mod status;
mod up;

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
    Split(split::SplitArgs),
}

pub(crate) async fn migrate(ui: Ui, command: Migrate) -> Result<(), Error> {
    match command {
        Migrate::New(args) => new::new(ui, &args),
        Migrate::Plan(args) => plan::plan(ui, args).await,
        Migrate::Up(args) => up::up(ui, args).await,
        Migrate::Status(args) => status::status(ui, args).await,
        Migrate::Lint(args) => lint::lint(ui, &args),
        Migrate::Split(args) => split::split(ui, &args),
    }
}
