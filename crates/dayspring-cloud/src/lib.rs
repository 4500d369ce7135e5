//! The local cloud: one process that answers AWS's protocols for what a Dayspring template uses.
//!
//! Knows neither the project file nor the command line: all that reaches it comes over AWS's wire protocols.

mod cloudformation;
mod error;
mod gateway;
mod http;
mod identity;
mod lambda;
mod logs;
mod parity;
mod protocol;
mod rds;
mod routing;
mod s3;
pub mod scratch;
mod secrets;
mod server;
mod socket;
mod ssm;
mod state;
mod sts;
mod uncancelled;
mod world;

pub use identity::Identity;
pub use lambda::FunctionLine;
pub use rds::{AutoPause, DatabaseUrl, DatabaseUrlError, mariadb_version};
pub use server::{Cloud, CloudConfig, StageRequest, StartError};
#[doc(hidden)]
pub use state::{WriteStep, observe_state_writes};
