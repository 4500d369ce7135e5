//! Decides which SQL statements still have to run, and runs each exactly once.
//!
//! Knows neither AWS, nor HTTP, nor an async runtime, nor the wall clock.
//!
//! A caller hands in files and a [`Session`], and gets an [`Outcome`] or an [`Error`] that [`render_failure`] turns into
//! text:
//!
//! ```
//! use dayspring_migrate::{Event, Options, Outcome, Scripts, Session, apply, render_failure};
//!
//! async fn migrate<S: Session>(session: &mut S, files: Vec<(String, Vec<u8>)>) -> Result<String, String> {
//!     let failed = |error: dayspring_migrate::Error| render_failure(&error, 3000);
//!     let scripts = Scripts::parse("scripts/schema", files).map_err(|error| failed(error.into()))?;
//!     let options = Options::new("request 7");
//!     let mut observer = |_: Event<'_>| {};
//!     match apply(session, &scripts, &options, &mut observer).await.map_err(failed)? {
//!         Outcome::Done(report) => Ok(report.to_string()), // `3 statements applied, schema at v4`
//!         Outcome::HandOver { report, .. } => Ok(format!("{report}; call again, it carries on")),
//!         Outcome::Rebuild(_) => unreachable!("only in Mode::Development"),
//!     }
//! }
//! ```
//!
//! What a run would do, without doing it: [`read_journal`] and then [`plan()`]; what is applied: [`status()`].
#![warn(missing_docs)]

mod apply;
pub mod baseline;
mod blocker;
mod connection;
mod digest;
mod error;
mod fingerprint;
mod folder;
mod journal;
mod lease;
mod lexer;
pub mod lint;
mod memory;
mod place;
mod plan;
mod refusal;
mod render;
pub mod schema;
mod script;
mod session;
mod split;
mod statement;
mod status;

pub use apply::{Event, Options, Outcome, Quiet, Report, apply};
pub use blocker::{Blocker, Blockers};
pub use digest::Digest;
pub use error::{Again, Error, Kind, LockWait, StatementFailure};
pub use fingerprint::{Fingerprint, Verdict, decide};
pub use folder::read_folder;
pub use journal::{
    FORMAT, IllegalTransition, Journal, ScriptRecord, State, StatementRecord, Step, read_journal,
};
pub use place::{Place, visible};
pub use plan::{Action, Decision, Mode, Plan, PlannedStep, plan};
pub use refusal::Refusal;
pub use render::{render_failure, render_run_failure};
pub use script::{Phase, Script, ScriptError, ScriptId, Scripts, Statement, Version};
pub use session::{Ran, Recorded, Row, Session, SessionError, Value, Write, write_then_run};
pub use split::{Piece, Reading, SplitError, SplitErrorKind, StatementSpan, pieces, split};
pub use statement::{
    After, Analysis, Class, Directive, Memory, Object, ObjectKind, Recovery, Touched, analyse,
};
pub use status::{ScriptStatus, Standing, status};
