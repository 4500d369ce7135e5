//! One statement for many rows of parameters.

use super::wire::{BatchExecuteStatement, BatchExecuteStatementResult, SqlParameter, generated_id};
use super::{Effect, Link, Operation, Value};
use crate::Error;

/// A statement and the rows of parameters to run it with, sent in one call. The limit is the call's 4 MiB.
///
/// ```no_run
/// # async fn example(database: dayspring::Database) -> Result<(), dayspring::Error> {
/// let mut batch = database.batch("INSERT INTO tags (post_id, name) VALUES (:post_id, :name)");
/// for name in ["aurora", "lambda"] {
///     batch = batch.row(|row| row.bind("post_id", 1).bind("name", name));
/// }
/// batch.execute().await?;
/// # Ok(())
/// # }
/// ```
///
/// Outside a transaction, whether rows before a failing one stay is not documented: use one where it matters.
#[derive(Debug)]
#[must_use = "a batch does nothing until it is executed"]
pub struct Batch<'c> {
    link: Link<'c>,
    sql: &'c str,
    rows: Vec<Vec<SqlParameter>>,
}

/// The parameters of one row of a batch.
#[derive(Debug, Default)]
pub struct Parameters(Vec<SqlParameter>);

impl Parameters {
    /// Binds `:name` to a value in this row.
    #[must_use]
    pub fn bind(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.push(value.into().into_parameter(name));
        self
    }
}

impl<'c> Batch<'c> {
    pub(crate) fn new(link: Link<'c>, sql: &'c str) -> Self {
        Self {
            link,
            sql,
            rows: Vec::new(),
        }
    }

    /// Adds a row of parameters.
    pub fn row(mut self, bind: impl FnOnce(Parameters) -> Parameters) -> Self {
        self.rows.push(bind(Parameters::default()).0);
        self
    }

    /// Runs the statement once for each row and gives the `AUTO_INCREMENT` keys that were made, one entry a row. Without
    /// rows it calls nothing.
    ///
    /// # Errors
    ///
    /// Any of the database's. After [`Error::Doubtful`] the rows may have been written; they were sent once.
    pub async fn execute(self) -> Result<Vec<Option<i64>>, Error> {
        if self.rows.is_empty() {
            return Ok(Vec::new());
        }
        let settings = &self.link.client.settings;
        let input = BatchExecuteStatement {
            resource_arn: &settings.cluster_arn,
            secret_arn: &settings.secret_arn,
            database: &settings.database,
            sql: self.sql,
            parameter_sets: &self.rows,
            transaction_id: self.link.transaction,
        };
        let result: BatchExecuteStatementResult = self
            .link
            .client
            .call(
                Operation::BatchExecute,
                &input,
                Effect::Write,
                self.link.until,
            )
            .await
            .map_err(|failure| Error::of_call(self.sql, failure))?;
        Ok(result
            .update_results
            .iter()
            .map(|result| generated_id(&result.generated_fields))
            .collect())
    }
}
