//! The whole stack on this machine: the real command, a real MariaDB, the real functions.

mod deploy;
mod dev;
mod support;
mod synth;
