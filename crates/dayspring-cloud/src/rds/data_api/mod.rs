//! The RDS Data API, as Serverless v2 and provisioned clusters of Aurora MySQL answer it.
//!
//! Statements are bound by the server (prepared statements), never by pasting values into text. A client
//! that hangs up changes nothing: its statement goes on, and a session always returns to the pool or to its transaction.

mod answer;
mod column;
mod database;
mod execute;
mod fault;
mod field;
mod json_columns;
mod json_text;
mod parameter;
mod pause;
mod pool;
mod request;
mod routines;
mod statement;
mod statements;
mod transactions;
mod words;

pub(crate) use database::{Database, Limits};
pub(crate) use fault::Fault;
pub use pause::AutoPause;

use crate::http::{Answer, Call};
use crate::rds::mariadb::Account;
use database::{Place, Work};
use execute::{Form, Outcome};
use field::{ResultSetOptions, ResultSetOptionsInput};
use pool::Owner;
use request::Target;

/// What the API asks of the services around it.
pub(crate) trait Directory {
    /// The database of the cluster.
    ///
    /// # Errors
    ///
    /// There is no such cluster, its endpoint is off, or it has no instance.
    fn database(&self, resource_arn: &str) -> Result<Database, Fault>;

    /// The database of the cluster, if it is awake. A call that finds it paused wakes it.
    ///
    /// # Errors
    ///
    /// The same, and it was paused.
    fn awake(&self, resource_arn: &str) -> Result<Database, Fault>;

    /// The account that a secret holds.
    ///
    /// # Errors
    ///
    /// There is no such secret, or it holds something else.
    fn account(&self, secret: &str) -> Result<Account, Fault>;
}

/// Answers one request.
pub(crate) async fn serve(directory: &impl Directory, call: &Call) -> Answer {
    match dispatch(directory, call).await {
        Ok(body) => answer::success(body),
        Err(fault) => answer::refusal(&fault),
    }
}

async fn dispatch(directory: &impl Directory, call: &Call) -> Result<Vec<u8>, Fault> {
    request::check_size(&call.parts.headers, &call.body)?;
    if call.parts.method != ::http::Method::POST {
        return Err(Fault::unknown_operation());
    }
    let body = &call.body;
    match call.parts.uri.path() {
        "/Execute" => execute(directory, request::read(body)?).await,
        "/BatchExecute" => batch_execute(directory, request::read(body)?).await,
        "/BeginTransaction" => begin(directory, &request::read(body)?).await,
        "/CommitTransaction" => {
            end(
                directory,
                &request::read(body)?,
                "COMMIT",
                "Transaction Committed",
            )
            .await
        }
        "/RollbackTransaction" => {
            end(
                directory,
                &request::read(body)?,
                "ROLLBACK",
                "Rollback Complete",
            )
            .await
        }
        "/ExecuteSql" => Err(Fault::deprecated_operation()),
        _ => Err(Fault::unknown_operation()),
    }
}

async fn execute(directory: &impl Directory, input: request::Execute) -> Result<Vec<u8>, Fault> {
    // What the request says by itself comes first, as everywhere at AWS.
    let target = input.target()?;
    let sql = request::sql(input.sql.as_deref())?;
    let form = form(input.format_records_as.as_deref())?;
    let options = input.result_set_options.as_ref();
    let options = options.map_or(
        Ok(ResultSetOptions::default()),
        ResultSetOptionsInput::check,
    )?;
    let (database, account) = find(directory, target)?;
    let statement = database.read(sql).await?;
    let parameters = input.parameters.as_deref().unwrap_or_default();
    let work = Work {
        sets: vec![parameter::bind(&statement.names, parameters)?],
        statement,
        form,
        options,
        continue_after_timeout: input.continue_after_timeout.unwrap_or_default(),
    };
    let place = place(target, account, input.transaction_id.as_deref())?;
    let outcomes = database.run(place, work).await?;
    let outcome = outcomes
        .into_iter()
        .next()
        .expect("one set of values gives one outcome");
    let wants_metadata = input.include_result_metadata.unwrap_or_default();
    let metadata = match (&outcome, form) {
        (Outcome::Rows { columns, .. }, Form::Records) if wants_metadata => {
            Some(database.metadata(columns).await)
        }
        _ => None,
    };
    Ok(answer::execute(outcome, form, metadata.as_deref()))
}

async fn batch_execute(
    directory: &impl Directory,
    input: request::BatchExecute,
) -> Result<Vec<u8>, Fault> {
    let target = input.target()?;
    let sql = request::sql(input.sql.as_deref())?;
    let (database, account) = find(directory, target)?;
    let statement = database.read(sql).await?;
    let sets = match input.parameter_sets.as_deref() {
        None | Some([]) => &[Vec::new()],
        Some(sets) => sets,
    };
    let sets = sets
        .iter()
        .map(|set| parameter::bind(&statement.names, set))
        .collect::<Result<_, _>>()?;
    let work = Work {
        statement,
        sets,
        form: Form::Records,
        options: ResultSetOptions::default(),
        continue_after_timeout: false,
    };
    let place = place(target, account, input.transaction_id.as_deref())?;
    let outcomes = database.run(place, work).await?;
    Ok(answer::batch(&outcomes))
}

async fn begin(directory: &impl Directory, input: &request::Begin) -> Result<Vec<u8>, Fault> {
    let target = input.target()?;
    let (database, account) = find(directory, target)?;
    let id = database
        .begin(Owner {
            account,
            database: target.database.map(str::to_owned),
        })
        .await?;
    Ok(serde_json::json!({ "transactionId": id })
        .to_string()
        .into_bytes())
}

async fn end(
    directory: &impl Directory,
    input: &request::EndTransaction,
    statement: &'static str,
    status: &str,
) -> Result<Vec<u8>, Fault> {
    let target = input.target()?;
    let id = request::transaction_id(input.transaction_id.as_deref())?;
    // A paused cluster has no transaction, and these two operations have no error that says that it resumes.
    let database = directory.database(target.resource)?;
    directory.account(target.secret)?;
    database.end(id, statement).await?;
    Ok(serde_json::json!({ "transactionStatus": status })
        .to_string()
        .into_bytes())
}

fn find(directory: &impl Directory, target: Target<'_>) -> Result<(Database, Account), Fault> {
    let database = directory.awake(target.resource)?;
    let account = directory.account(target.secret)?;
    Ok((database, account))
}

fn place(target: Target<'_>, account: Account, transaction: Option<&str>) -> Result<Place, Fault> {
    let database = target.database.map(str::to_owned);
    Ok(match transaction {
        Some(id) => Place::Transaction {
            id: request::transaction_id(Some(id))?.to_owned(),
            database,
        },
        None => Place::Alone(Owner { account, database }),
    })
}

fn form(format: Option<&str>) -> Result<Form, Fault> {
    match format {
        None | Some("NONE") => Ok(Form::Records),
        Some("JSON") => Ok(Form::Json),
        Some(other) => Err(Fault::not_in_enum("formatRecordsAs", other, "NONE, JSON")),
    }
}
