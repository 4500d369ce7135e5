//! The whole stack on this machine: the real command, a real MariaDB, the real functions.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod commands;
mod deploy;
mod dev;
mod lint;
mod migrate;
mod support;
mod synth;
