//! A transaction that ends by itself: whoever drops it rolls it back.

use std::sync::Arc;

use tokio::time::Instant;

use super::wire::{BeginTransaction, BeginTransactionResult, EndTransaction};
use super::{Batch, CallFailure, Client, Effect, Link, Operation, Query};
use crate::Error;

/// An open transaction. [`Database::transaction`](crate::Database::transaction) lends it to its closure.
///
/// Its statements run one after the other: the Data API refuses a second one while one runs, so they borrow it mutably.
#[derive(Debug)]
pub struct Transaction {
    client: Arc<Client>,
    until: Option<Instant>,
    /// Invariant: `Some` exactly while the transaction is open, so that `drop` knows what is left to do.
    id: Option<String>,
}

impl Transaction {
    /// Opens a transaction. `until` is when its own calls and a rollback of a dropped one end; `begin_until` when
    /// waiting for its begin does.
    ///
    /// A begin whose answer is lost holds no lock and ends by itself, so it may be sent again.
    pub(crate) async fn begin(
        client: Arc<Client>,
        begin_until: Option<Instant>,
        until: Option<Instant>,
    ) -> Result<Self, CallFailure> {
        let input = BeginTransaction {
            resource_arn: &client.settings.cluster_arn,
            secret_arn: &client.settings.secret_arn,
            database: &client.settings.database,
        };
        let begun: BeginTransactionResult = client
            .call(Operation::Begin, &input, Effect::Read, begin_until)
            .await?;
        Ok(Self {
            client,
            until,
            id: Some(begun.transaction_id),
        })
    }

    /// A statement with named parameters, in this transaction.
    pub fn query<'c>(&'c mut self, sql: &'c str) -> Query<'c> {
        Query::new(self.link(), sql)
    }

    /// One statement for many rows of parameters, in this transaction.
    pub fn batch<'c>(&'c mut self, sql: &'c str) -> Batch<'c> {
        Batch::new(self.link(), sql)
    }

    pub(crate) async fn commit(mut self) -> Result<(), CallFailure> {
        let Some(id) = self.id.take() else {
            return Ok(());
        };
        end(&self.client, Operation::Commit, &id, self.until).await
    }

    pub(crate) async fn rollback(mut self) -> Result<(), CallFailure> {
        let Some(id) = self.id.take() else {
            return Ok(());
        };
        end(&self.client, Operation::Rollback, &id, self.until).await
    }

    /// The id that goes with each of its calls.
    pub(crate) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn link(&mut self) -> Link<'_> {
        Link {
            client: &self.client,
            until: self.until,
            transaction: self.id.as_deref(),
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else {
            return;
        };
        // Without a runtime the process is ending, and three idle minutes end the transaction.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let client = self.client.clone();
        let until = self.until;
        let rollback = runtime.spawn(async move {
            if let Err(failure) = end(&client, Operation::Rollback, &id, until).await {
                log_failed_rollback(failure);
            }
        });
        self.client.watch(rollback);
    }
}

/// A rollback that fails is logged and no more: there is an error to tell already, and the Data API rolls an idle
/// transaction back by itself.
pub(crate) fn log_failed_rollback(failure: CallFailure) {
    let error = Error::of_call("ROLLBACK", failure);
    tracing::warn!(%error, "a transaction could not be rolled back; it ends after three idle minutes");
}

async fn end(
    client: &Client,
    operation: Operation,
    id: &str,
    until: Option<Instant>,
) -> Result<(), CallFailure> {
    let input = EndTransaction {
        resource_arn: &client.settings.cluster_arn,
        secret_arn: &client.settings.secret_arn,
        transaction_id: id,
    };
    // The status is words only: `Transaction Committed`, `Rollback Complete`.
    let _: serde_json::Value = client.call(operation, &input, Effect::Write, until).await?;
    Ok(())
}
