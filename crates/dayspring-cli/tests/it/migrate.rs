//! `dayspring migrate` on a MariaDB of its own: real child processes, and connections that are cut.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod adopt;
mod directly;
mod interrupted;
mod mariadb;
mod messages;
mod plan;
#[path = "../../../dayspring-migrate/tests/it/program.rs"]
mod program;
mod proxy;
mod terminal;
