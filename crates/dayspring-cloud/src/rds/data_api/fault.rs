//! What the Data API refuses with: kinds, statuses and texts of Serverless v2 and provisioned clusters.
//!
//! <https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html#API_ExecuteStatement_Errors>

use ::http::StatusCode;

use crate::error::AwsError;

/// An error of this API; one kind carries the connection that the statement runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) error: AwsError,
    pub(crate) db_connection_id: Option<u32>,
}

/// Why a transaction is not there. The texts are those of the user guide's page on troubleshooting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gone {
    /// Never there, committed, rolled back or expired.
    Expired,
    /// By a call that ran too long or whose result was too large, or the database restarted.
    Terminated,
    /// By the database, as after a deadlock.
    Aborted,
}

impl Fault {
    fn new(status: StatusCode, kind: &str, message: impl Into<String>) -> Self {
        Self {
            error: AwsError::new(status, kind, message),
            db_connection_id: None,
        }
    }

    fn bad_request(kind: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, kind, message)
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::bad_request("ValidationException", message)
    }

    /// A value of an enumeration that there is not.
    pub(crate) fn not_in_enum(member: &str, value: &str, values: &str) -> Self {
        Self::validation(format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy enum \
             value set: [{values}]"
        ))
    }

    /// The body is not what the protocol asks for.
    pub(crate) fn serialization(message: impl Into<String>) -> Self {
        Self::bad_request("SerializationException", message)
    }

    pub(crate) fn unknown_operation() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "UnknownOperationException",
            "The requested operation is not known",
        )
    }

    /// `ExecuteSql`, which these clusters never had.
    pub(crate) fn deprecated_operation() -> Self {
        Self::bad_request(
            "BadRequestException",
            "This API is deprecated and not available. Use ExecuteStatement API instead",
        )
    }

    pub(crate) fn too_large_request() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLargeException",
            "Request size exceeded 4 MiB",
        )
    }

    /// The database's own words with its code and state, which clients find at the text's end.
    pub(crate) fn database(error: &mysql_async::ServerError) -> Self {
        Self::database_error(format!(
            "{}; Error code: {}; SQLState: {}",
            error.message, error.code, error.state
        ))
    }

    pub(crate) fn database_error(message: impl Into<String>) -> Self {
        Self::bad_request("DatabaseErrorException", message)
    }

    pub(crate) fn statement_timeout(db_connection_id: u32) -> Self {
        Self {
            db_connection_id: Some(db_connection_id),
            ..Self::bad_request("StatementTimeoutException", "Request timed out")
        }
    }

    pub(crate) fn result_too_large() -> Self {
        Self::bad_request(
            "UnsupportedResultException",
            "Database returned more than the allowed response size limit",
        )
    }

    /// The same of a batch, which has no `UnsupportedResultException` in the service's model.
    pub(crate) fn batch_too_large() -> Self {
        Self::database_error("Database returned more than the allowed response size limit")
    }

    pub(crate) fn unsupported_type(name: &str) -> Self {
        Self::bad_request(
            "UnsupportedResultException",
            format!("The result contains the unsupported data type {name}"),
        )
    }

    pub(crate) fn duplicate_label(label: &str) -> Self {
        Self::bad_request(
            "UnsupportedResultException",
            format!("The result contains the column label {label} more than once"),
        )
    }

    pub(crate) fn busy_transaction() -> Self {
        Self::database_error("Transaction is still running a query")
    }

    pub(crate) fn transaction_not_found(id: &str, gone: Gone) -> Self {
        let cause = match gone {
            Gone::Expired => "Transaction may be expired.",
            Gone::Terminated => "One previous call resulted in a termination of your transaction.",
            Gone::Aborted => "Transaction has been aborted due to an error from a previous call.",
        };
        Self::new(
            StatusCode::NOT_FOUND,
            "TransactionNotFoundException",
            format!("Transaction {id} is not found. {cause}"),
        )
    }

    pub(crate) fn endpoint_not_enabled(cluster: &str) -> Self {
        Self::bad_request(
            "HttpEndpointNotEnabledException",
            format!("HttpEndpoint isn't enabled for cluster {cluster}"),
        )
    }

    pub(crate) fn no_instance(cluster: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "DatabaseNotFoundException",
            format!("The DB cluster {cluster} doesn't have a DB instance."),
        )
    }

    /// The cluster was paused, and this call or an earlier one has woken it.
    pub(crate) fn resuming(instance: &str) -> Self {
        Self::bad_request(
            "DatabaseResumingException",
            format!(
                "The Aurora DB instance {instance} is resuming after being auto-paused. Please wait a few seconds and try again."
            ),
        )
    }

    /// The server starts, died, or cannot be started; the last two with the reason, which AWS does not tell.
    pub(crate) fn unavailable(reason: &str) -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "DatabaseUnavailableException",
            format!("The writer instance in the DB cluster isn't available. {reason}"),
        )
    }

    pub(crate) fn secret_not_found(secret: &str) -> Self {
        Self::bad_request(
            "SecretsErrorException",
            format!("Secrets Manager can't find the specified secret {secret}."),
        )
    }

    pub(crate) fn invalid_secret() -> Self {
        Self::bad_request(
            "InvalidSecretException",
            "The Secrets Manager secret used with the request isn't valid: it has to hold a username and a password.",
        )
    }
}
