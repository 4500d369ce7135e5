//! One statement, its parameters, and what comes back.

use serde::de::DeserializeOwned;

use super::row::from_row;
use super::wire::{ColumnMetadata, Field, SqlParameter, generated_id};
use super::{ExecuteStatement, ExecuteStatementResult, Link, Operation, Value};
use crate::Error;
use crate::error::shortened;

/// A statement on its way: bind its parameters, then fetch or execute it.
#[derive(Debug)]
#[must_use = "a statement does nothing until it is fetched or executed"]
pub struct Query<'c> {
    link: Link<'c>,
    sql: &'c str,
    parameters: Vec<SqlParameter>,
}

/// What a statement did that gives no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Executed {
    /// The rows that it inserted, deleted, or matched to update (also those that an update left as they were).
    pub rows: u64,
    /// The `AUTO_INCREMENT` key that an INSERT made.
    pub id: Option<i64>,
}

impl<'c> Query<'c> {
    pub(crate) fn new(link: Link<'c>, sql: &'c str) -> Self {
        Self {
            link,
            sql,
            parameters: Vec::new(),
        }
    }

    /// Binds `:name` to a value. The value travels beside the statement, never in it.
    pub fn bind(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.parameters.push(value.into().into_parameter(name));
        self
    }

    /// All rows.
    ///
    /// # Errors
    ///
    /// Any of the database's; [`Error::Row`] if a row does not become a `T`.
    pub async fn fetch_all<T: DeserializeOwned>(self) -> Result<Vec<T>, Error> {
        let result = self.send(true).await?;
        result
            .records
            .into_iter()
            .map(|record| self.row(&result.column_metadata, record))
            .collect()
    }

    /// The only row, or `None`.
    ///
    /// # Errors
    ///
    /// As [`fetch_all`](Self::fetch_all); [`Error::ManyRows`] if there is more than one.
    pub async fn fetch_optional<T: DeserializeOwned>(self) -> Result<Option<T>, Error> {
        let mut result = self.send(true).await?;
        match (result.records.pop(), result.records.len()) {
            (None, _) => Ok(None),
            (Some(record), 0) => self.row(&result.column_metadata, record).map(Some),
            (Some(_), others) => Err(Error::ManyRows {
                statement: shortened(self.sql),
                rows: others + 1,
            }),
        }
    }

    /// The only row.
    ///
    /// # Errors
    ///
    /// As [`fetch_optional`](Self::fetch_optional); [`Error::NoRow`] if there is none.
    pub async fn fetch_one<T: DeserializeOwned>(self) -> Result<T, Error> {
        let sql = self.sql;
        self.fetch_optional().await?.ok_or_else(|| Error::NoRow {
            statement: shortened(sql),
        })
    }

    /// Runs a statement that gives no rows.
    ///
    /// # Errors
    ///
    /// Any of the database's. After [`Error::Doubtful`] the statement may have taken effect; it was sent once.
    pub async fn execute(self) -> Result<Executed, Error> {
        let result = self.send(false).await?;
        Ok(Executed {
            rows: u64::try_from(result.number_of_records_updated).unwrap_or(0),
            id: generated_id(&result.generated_fields),
        })
    }

    async fn send(&self, include_result_metadata: bool) -> Result<ExecuteStatementResult, Error> {
        let Link {
            client,
            until,
            transaction,
        } = self.link;
        let settings = &client.settings;
        let input = ExecuteStatement {
            resource_arn: &settings.cluster_arn,
            secret_arn: &settings.secret_arn,
            database: &settings.database,
            sql: self.sql,
            parameters: &self.parameters,
            transaction_id: transaction,
            include_result_metadata,
            continue_after_timeout: false,
        };
        client
            .call(
                Operation::Execute,
                &input,
                self.link.effect(self.sql),
                until,
            )
            .await
            .map_err(|failure| Error::of_call(self.sql, failure))
    }

    fn row<T: DeserializeOwned>(
        &self,
        columns: &[ColumnMetadata],
        record: Vec<Field>,
    ) -> Result<T, Error> {
        from_row(columns, record).map_err(|error| Error::Row {
            statement: shortened(self.sql),
            wanted: std::any::type_name::<T>(),
            problem: error.to_string(),
        })
    }
}
