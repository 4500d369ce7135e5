//! The database, through the RDS Data API: typed rows, bound parameters, transactions.
//!
//! ```no_run
//! # use dayspring::{Context, Database, Result};
//! # async fn example(context: Context) -> Result<()> {
//! #[derive(serde::Deserialize)]
//! struct Post {
//!     slug: String,
//!     title: String,
//! }
//!
//! let database = Database::connect(&context)?;
//! let posts: Vec<Post> = database
//!     .query("SELECT slug, title FROM posts WHERE author_id = :author ORDER BY id LIMIT :limit")
//!     .bind("author", 1)
//!     .bind("limit", 20)
//!     .fetch_all()
//!     .await?;
//! # drop(posts);
//! # Ok(())
//! # }
//! ```

mod batch;
mod client;
mod query;
mod retry;
mod row;
mod settings;
mod signing;
mod transaction;
mod value;
mod wire;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use lambda_runtime::Context;
use tokio::time::Instant;

use crate::Error;
pub use batch::{Batch, Parameters};
pub(crate) use client::{CallFailure, Client, Operation};
pub use query::{Executed, Query};
#[cfg(test)]
pub(crate) use retry::ServiceError;
pub(crate) use retry::{CallError, Effect, effect_of, is_lost, is_resuming, is_throttled};
pub(crate) use settings::Settings;
pub(crate) use signing::Signer;
pub use transaction::Transaction;
use transaction::log_failed_rollback;
pub use value::Value;
pub(crate) use wire::{ExecuteStatement, ExecuteStatementResult, Field};

/// What a function keeps of its time to answer after its last statement.
const TIME_TO_ANSWER: Duration = Duration::from_millis(200);

/// The database of the project. Cheap to clone; all clones share one set of connections.
#[derive(Debug, Clone)]
pub struct Database {
    client: Arc<Client>,
    /// When waiting and retrying end: a little before the function's own deadline.
    until: Option<Instant>,
}

impl Database {
    /// The process's database, for the time of this invocation: a statement that has to wait for a paused database to
    /// resume is tried again until shortly before the function's deadline, and never after it.
    ///
    /// It opens nothing: the connection was made while the function started.
    ///
    /// # Errors
    ///
    /// [`Error::Environment`] if the function was deployed without a database.
    pub fn connect(context: &Context) -> Result<Self, Error> {
        Ok(Self::of(shared()?, context))
    }

    /// A database of its own, from variables that are looked up by name as [`connect`](Self::connect) looks them up in the
    /// environment: for a test, or for a second database.
    ///
    /// # Errors
    ///
    /// [`Error::Environment`] for a variable that is missing or wrong.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
        context: &Context,
    ) -> Result<Self, Error> {
        let client = Arc::new(Client::new(Settings::read(variable)?));
        Ok(Self::of(client, context))
    }

    fn of(client: Arc<Client>, context: &Context) -> Self {
        let deadline = deadline(context, SystemTime::now(), Instant::now());
        Self {
            client,
            until: deadline
                .map(|deadline| deadline.checked_sub(TIME_TO_ANSWER).unwrap_or(deadline)),
        }
    }

    /// A statement with named parameters, such as `SELECT title FROM posts WHERE id = :id`.
    pub fn query<'c>(&'c self, sql: &'c str) -> Query<'c> {
        Query::new(self.link(), sql)
    }

    /// One statement for many rows of parameters, in one call.
    pub fn batch<'c>(&'c self, sql: &'c str) -> Batch<'c> {
        Batch::new(self.link(), sql)
    }

    /// Runs `work` in a transaction: it is committed when `work` gives `Ok` and rolled back when it gives `Err`, panics
    /// or is dropped.
    ///
    /// ```no_run
    /// # use dayspring::{Context, Database, Result};
    /// # async fn example(context: Context) -> Result<()> {
    /// # let database = Database::connect(&context)?;
    /// let id = database
    ///     .transaction(async |tx| {
    ///         let post = tx.query("INSERT INTO posts (title) VALUES ('a')").execute().await?;
    ///         tx.query("UPDATE users SET posts = posts + 1 WHERE id = 1").execute().await?;
    ///         Ok::<_, dayspring::Error>(post.id)
    ///     })
    ///     .await?;
    /// # drop(id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Schema statements commit implicitly in MySQL, and the Data API ends a transaction that is idle for three minutes.
    ///
    /// # Errors
    ///
    /// Those of `work`; those of the begin; [`Error::Doubtful`] (of `COMMIT`) when no answer to the commit came.
    pub async fn transaction<T, E>(
        &self,
        work: impl AsyncFnOnce(&mut Transaction) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<Error>,
    {
        let mut transaction = Transaction::begin(self.client.clone(), self.until, self.until)
            .await
            .map_err(|failure| Error::of_call("START TRANSACTION", failure))?;
        match work(&mut transaction).await {
            Ok(value) => match transaction.commit().await {
                Ok(()) => Ok(value),
                Err(failure) => Err(Error::of_call("COMMIT", failure).into()),
            },
            Err(error) => {
                if let Err(failure) = transaction.rollback().await {
                    log_failed_rollback(failure);
                }
                Err(error)
            }
        }
    }

    fn link(&self) -> Link<'_> {
        Link {
            client: &self.client,
            until: self.until,
            transaction: None,
        }
    }
}

/// What a statement is sent over: outside a transaction, or inside one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link<'c> {
    client: &'c Client,
    until: Option<Instant>,
    transaction: Option<&'c str>,
}

impl Link<'_> {
    /// Inside a transaction nothing is sent twice: the transaction's fate decides, and it is rolled back on an error.
    fn effect(&self, sql: &str) -> Effect {
        match self.transaction {
            Some(_) => Effect::Write,
            None => effect_of(sql),
        }
    }
}

/// The process's one client, made at its first use from the environment.
pub(crate) fn shared() -> Result<Arc<Client>, Error> {
    static SHARED: OnceLock<Result<Arc<Client>, Error>> = OnceLock::new();
    SHARED
        .get_or_init(|| {
            let settings = Settings::read(|name| std::env::var(name).ok())?;
            Ok(Arc::new(Client::new(settings)))
        })
        .clone()
}

/// The moment at which Lambda ends this invocation, on the monotonic clock.
pub(crate) fn deadline(context: &Context, now: SystemTime, instant: Instant) -> Option<Instant> {
    if context.deadline == 0 {
        return None;
    }
    let left = context.deadline().duration_since(now).unwrap_or_default();
    Some(instant + left)
}
