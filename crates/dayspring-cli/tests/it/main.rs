//! The whole stack on this machine: the real command, a real MariaDB, the real functions.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod aws_cli;
mod bench;
mod cdk;
mod commands;
mod deploy;
mod dev;
mod interrupted;
mod judges;
mod ledger;
mod lint;
mod migrate;
mod migrations;
mod ministack;
mod relay;
mod support;
mod synth;
mod terminal;
