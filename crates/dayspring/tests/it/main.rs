//! The client and the migrator against a Data API that does as each test says.
#![expect(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach the functions beside them"
)]

mod client;
mod manners;
mod mariadb;
mod migrator;
#[path = "../../../dayspring-migrate/tests/it/program.rs"]
mod program;
mod server;
mod transaction;
