//! What a Lambda function imports: dispatch, requests and responses, the database, and the migrator.
//!
//! Knows neither templates, nor the command line, nor the local cloud.
//!
//! A project has one binary. Its `main.rs` names the functions, each of which is a module with a `handler`:
//!
//! ```text
//! dayspring::functions! { get_posts, create_posts }
//! ```
//!
//! ```
//! use dayspring::{Context, Database, Request, Response, Result, answer};
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Post {
//!     slug: String,
//!     title: String,
//! }
//!
//! pub async fn handler(_event: Request, context: Context) -> Result<Response> {
//!     let database = Database::connect(&context)?;
//!     let posts: Vec<Post> = database.query("SELECT slug, title FROM posts").fetch_all().await?;
//!     Ok(answer::ok(&posts)?)
//! }
//! ```
//!
//! `?` turns a [`Problem`] into its response, and any other error into a 500 that is logged and tells the caller nothing.
#![warn(missing_docs)]

pub mod answer;
mod database;
mod error;
pub mod function;
mod http;
mod log;
pub mod migrator;
pub mod paging;
mod problem;
pub mod request;

pub use database::{Batch, Database, Executed, Parameters, Query, Transaction, Value};
pub use error::Error;
pub use lambda_http::http::{Method, StatusCode};
pub use lambda_http::{Body, Context, Request, RequestExt};
pub use problem::{Checks, Failure, Invalid, Problem};
/// Structured logs: `dayspring::tracing::info!(slug, "post created")` becomes one line of JSON with the request's id.
pub use tracing;

/// What a handler answers with.
pub type Response = lambda_http::Response<Body>;

/// What a handler gives: `?` works on a [`Problem`] and on any error.
pub type Result<T, E = Failure> = std::result::Result<T, E>;
