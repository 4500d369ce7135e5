//! What needs a database: each test has one of its own on a private MariaDB, or on
//! the MySQL that `DAYSPRING_TEST_MYSQLD` names.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod apply;
mod baseline;
mod child;
mod classes;
mod client;
mod crash;
mod direct;
mod faults;
mod lease;
mod program;
mod server;
mod settle;
mod split;
mod sql_text;
mod told;
mod wait;
