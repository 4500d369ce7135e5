//! `dayspring migrate`: the migration engine by itself.

mod database;
mod split;
mod status;

use clap::Subcommand;

use crate::error::Error;
use crate::ui::Ui;

/// The migration engine by itself
#[derive(Debug, Subcommand)]
pub(crate) enum Migrate {
    Status(status::StatusArgs),
    Split(split::SplitArgs),
}

pub(crate) async fn migrate(ui: Ui, command: Migrate) -> Result<(), Error> {
    match command {
        Migrate::Status(args) => status::status(ui, args).await,
        Migrate::Split(args) => split::split(ui, &args),
    }
}
