//! Decides which SQL statements still have to run, and runs each exactly once.
//!
//! Knows neither AWS, nor HTTP, nor an async runtime, nor the wall clock.
#![warn(missing_docs)]

mod digest;
mod lexer;
mod session;
mod split;

pub use digest::Digest;
pub use session::{Row, Session, SessionError, Value};
pub use split::{Piece, SplitError, SplitErrorKind, StatementSpan, pieces, split};
