//! The whole stack on this machine: the real command, a real MariaDB, the real functions.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bench;
mod commands;
mod deploy;
mod dev;
mod ledger;
mod lint;
mod migrate;
mod migrations;
mod support;
mod synth;
