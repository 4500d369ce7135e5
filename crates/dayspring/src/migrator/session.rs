//! The migration engine's session over the Data API.
//!
//! The engine decides what may be done twice, so nothing doubtful is repeated here. What is certain to have had no effect
//! (a database that is still resuming, throttling, a connection that could not be made) is tried again while there is
//! time; a read outside a transaction too.
//!
//! A migrator that was stopped must not send a schema statement when it wakes up, long after another has taken over, and
//! no row can keep it from that. Its signature can: a schema statement is signed with a date that lies before the moment
//! when the lease was last confirmed, so that AWS refuses it two minutes after that moment, whenever it is signed. A
//! successor decides no earlier than that: the lease lasts 90 s, and then it waits for 60 s of quiet. Inside a
//! transaction nothing is needed: it is gone after three idle minutes.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dayspring_migrate::{Row, Session, SessionError, Value};
use tokio::time::Instant;

use crate::database::{
    self, CallError, CallFailure, Client, Effect, ExecuteStatement, ExecuteStatementResult, Field,
    Operation, Settings, Transaction, effect_of, is_lost,
};
use crate::error::MySqlError;

/// How long a request is taken after the date in its signature
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>, read 2026-11-23).
const SIGNATURE_AGE_MAX: Duration = Duration::from_secs(300);

/// How long after the lease was confirmed a schema statement is taken.
const SENDING_TIME: Duration = Duration::from_secs(120);

/// What is kept of the engine's time after a statement that runs to its end: to record that it is still running.
const TIME_AFTER_RUN: Duration = Duration::from_secs(10);

/// The most characters of a statement
/// (<https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html>, read 2026-11-22).
const STATEMENT_CHARACTERS_MAX: usize = 65_536;

/// A session of the engine. Outside a transaction each statement may run on another server session.
#[derive(Debug)]
pub struct DataApiSession {
    client: Arc<Client>,
    /// When the engine must be done.
    until: Option<Instant>,
    /// When the process ends: the rollback of a dropped transaction still has this long.
    deadline: Option<Instant>,
    transaction: Option<Transaction>,
    /// When the last of the engine's own writes outside a transaction was sent that succeeded. The one before a schema
    /// statement is always that which confirms the lease.
    confirmed_at: Option<SystemTime>,
}

impl DataApiSession {
    /// A session from variables that are looked up by name, as [`Database::from_variables`](crate::Database::from_variables)
    /// does, for a program that is no Lambda function: it may take as long as it takes. A paused database is waited for
    /// about two minutes.
    ///
    /// # Errors
    ///
    /// [`Error::Environment`](crate::Error::Environment) for a variable that is missing or wrong.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, crate::Error> {
        let client = Arc::new(Client::new(Settings::read(variable)?));
        Ok(Self::new(client, None, None))
    }

    pub(crate) fn new(
        client: Arc<Client>,
        until: Option<Instant>,
        deadline: Option<Instant>,
    ) -> Self {
        Self {
            client,
            until,
            deadline,
            transaction: None,
            confirmed_at: None,
        }
    }

    async fn send(
        &self,
        sql: &str,
        parameters: &[(&str, Value)],
        effect: Effect,
        continue_after_timeout: bool,
    ) -> Result<ExecuteStatementResult, SessionError> {
        let (until, date) = if continue_after_timeout {
            (self.until_after_run(), self.date_of_run())
        } else {
            (self.until, None)
        };
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, value)| database_value(value).into_parameter(name))
            .collect();
        let settings = &self.client.settings;
        let input = ExecuteStatement {
            resource_arn: &settings.cluster_arn,
            secret_arn: &settings.secret_arn,
            database: &settings.database,
            sql,
            parameters: &parameters,
            transaction_id: self.transaction.as_ref().and_then(Transaction::id),
            include_result_metadata: false,
            continue_after_timeout,
        };
        self.client
            .call_dated(Operation::Execute, &input, effect, until, date)
            .await
            .map_err(session_error)
    }

    fn until_after_run(&self) -> Option<Instant> {
        let until = self.until?;
        let left = until.saturating_duration_since(Instant::now());
        until.checked_sub(TIME_AFTER_RUN.min(left / 4))
    }

    fn date_of_run(&self) -> Option<SystemTime> {
        self.confirmed_at?
            .checked_sub(SIGNATURE_AGE_MAX - SENDING_TIME)
    }

    fn effect(&self, sql: &str) -> Effect {
        match self.transaction {
            Some(_) => Effect::Write,
            None => effect_of(sql),
        }
    }
}

impl Session for DataApiSession {
    async fn query(
        &mut self,
        sql: &str,
        parameters: &[(&str, Value)],
    ) -> Result<Vec<Row>, SessionError> {
        let result = self.send(sql, parameters, self.effect(sql), false).await?;
        Ok(result
            .records
            .into_iter()
            .map(|record| record.into_iter().map(engine_value).collect())
            .collect())
    }

    async fn execute(
        &mut self,
        sql: &str,
        parameters: &[(&str, Value)],
    ) -> Result<u64, SessionError> {
        let sent_at = SystemTime::now();
        let result = self.send(sql, parameters, self.effect(sql), false).await?;
        if self.transaction.is_none() {
            self.confirmed_at = Some(sent_at);
        }
        Ok(u64::try_from(result.number_of_records_updated).unwrap_or(0))
    }

    async fn run(&mut self, sql: &str) -> Result<u64, SessionError> {
        // The Data API refuses to let a statement of a transaction go on after its answer.
        let continue_after_timeout = self.transaction.is_none();
        let result = self
            .send(sql, &[], Effect::Write, continue_after_timeout)
            .await?;
        Ok(u64::try_from(result.number_of_records_updated).unwrap_or(0))
    }

    async fn begin(&mut self) -> Result<(), SessionError> {
        let transaction = Transaction::begin(self.client.clone(), self.until, self.deadline)
            .await
            .map_err(session_error)?;
        self.transaction = Some(transaction);
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), SessionError> {
        match self.transaction.take() {
            Some(transaction) => transaction.commit().await.map_err(session_error),
            None => Ok(()),
        }
    }

    async fn rollback(&mut self) -> Result<(), SessionError> {
        match self.transaction.take() {
            Some(transaction) => transaction.rollback().await.map_err(session_error),
            None => Ok(()),
        }
    }

    async fn pause(&mut self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn statement_characters_max(&self) -> Option<usize> {
        Some(STATEMENT_CHARACTERS_MAX)
    }

    fn remaining(&self) -> Option<Duration> {
        let until = self.until?;
        Some(until.saturating_duration_since(Instant::now()))
    }
}

/// What is known of a statement after a failed call, in the engine's words.
fn session_error(failure: CallFailure) -> SessionError {
    let error = match failure.error {
        CallError::NotSent(message) => return SessionError::NotStarted { message },
        CallError::Lost(message) | CallError::Unreadable(message) => {
            return SessionError::Unknown { message };
        }
        CallError::Answered(error) => error,
    };
    let message = format!("{} ({})", error.message, error.kind);
    if error.kind == "StatementTimeoutException" {
        return SessionError::StillRunning { message };
    }
    if error.status >= 500 {
        return SessionError::Unknown { message };
    }
    if is_lost(&error) {
        return SessionError::Unknown { message };
    }
    match MySqlError::parse(&error.message) {
        Some(mysql) => SessionError::Refused {
            code: mysql.code,
            sql_state: mysql.sql_state.to_owned(),
            message: mysql.message.to_owned(),
        },
        None => SessionError::NotStarted { message },
    }
}

fn database_value(value: &Value) -> database::Value {
    match value {
        Value::Null => database::Value::Null,
        Value::Long(number) => database::Value::Long(*number),
        Value::Text(text) => database::Value::Text(text.clone()),
    }
}

/// A field as the engine knows values. The server's own tables give some texts as binary strings.
fn engine_value(field: Field) -> Value {
    match field {
        Field::IsNull(_) => Value::Null,
        Field::BooleanValue(value) => Value::Long(i64::from(value)),
        Field::LongValue(value) => Value::Long(value),
        Field::DoubleValue(value) => Value::Text(value.to_string()),
        Field::StringValue(text) => Value::Text(text),
        Field::BlobValue(text) => {
            let bytes = STANDARD.decode(&text).unwrap_or_else(|_| text.into_bytes());
            Value::Text(String::from_utf8_lossy(&bytes).into_owned())
        }
        Field::ArrayValue(value) => Value::Text(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::ServiceError;

    fn answered(status: u16, kind: &str, message: &str) -> CallError {
        CallError::Answered(ServiceError {
            status,
            kind: kind.to_owned(),
            message: message.to_owned(),
        })
    }

    #[track_caller]
    fn check(error: CallError, expected: &str) {
        let failure = CallFailure {
            error,
            doubtful: false,
        };
        let found = format!("{:?}", session_error(failure));
        let kind = found.split(' ').next().unwrap();
        assert_eq!(kind, expected);
    }

    #[test]
    fn a_session_of_a_program_has_no_end_of_its_own() {
        let variable = |name: &str| {
            let value = match name {
                "DAYSPRING_CLUSTER_ARN" => "arn:aws:rds:eu-central-1:123456789012:cluster:blog-dev",
                "DAYSPRING_SECRET_ARN" => {
                    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x"
                }
                "AWS_REGION" => "eu-central-1",
                _ => "x",
            };
            (!name.starts_with("AWS_ENDPOINT")).then(|| value.to_owned())
        };
        let session = DataApiSession::from_variables(variable).unwrap();
        // With one, a migration of more than a minute would be handed over to nobody.
        assert_eq!(session.remaining(), None);
    }

    #[test]
    fn what_is_known_of_a_statement_follows_from_the_answer() {
        let mysql = "Table 'a' already exists; Error code: 1050; SQLState: 42S01";
        check(answered(400, "DatabaseErrorException", mysql), "Refused");
        check(
            answered(
                400,
                "DatabaseErrorException",
                "Transaction is still running a query",
            ),
            "NotStarted",
        );
        for lost in [
            "Communications link failure",
            "Communications link failure; Error code: 0; SQLState: 08S01",
            "Server shutdown in progress; Error code: 1053; SQLState: 08S01",
            "Connection was killed; Error code: 1927; SQLState: 70100",
        ] {
            check(answered(400, "DatabaseErrorException", lost), "Unknown");
        }
        check(
            answered(
                400,
                "DatabaseErrorException",
                "Query execution was interrupted; Error code: 1317; SQLState: 70100",
            ),
            "Refused",
        );
        check(
            answered(400, "DatabaseResumingException", "m"),
            "NotStarted",
        );
        check(answered(403, "AccessDeniedException", "m"), "NotStarted");
        check(
            answered(404, "TransactionNotFoundException", "m"),
            "NotStarted",
        );
        check(
            answered(400, "StatementTimeoutException", "m"),
            "StillRunning",
        );
        check(
            answered(500, "InternalServerErrorException", "m"),
            "Unknown",
        );
        check(
            answered(504, "DatabaseUnavailableException", "m"),
            "Unknown",
        );
        check(CallError::NotSent("m".to_owned()), "NotStarted");
        check(CallError::Lost("m".to_owned()), "Unknown");
    }
}
