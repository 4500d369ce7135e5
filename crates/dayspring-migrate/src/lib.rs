//! Decides which SQL statements still have to run, and runs each exactly once.
//!
//! Knows neither AWS, nor HTTP, nor an async runtime, nor the wall clock.

mod session;

pub use session::{Row, Session, SessionError, Value};
