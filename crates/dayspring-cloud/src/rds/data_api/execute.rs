//! Runs one statement on one connection and reads its result, as far as the service's limits let it.

use std::sync::Arc;

use mysql_async::prelude::{Protocol, Queryable as _};
use mysql_async::{Column, Conn, Params, QueryResult, ServerError, Value};

use super::column::{self, Kind};
use super::fault::Fault;
use super::field::{ResultSetOptions, field, write_json};
use super::statement::Statement;

/// <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.limitations.html>
pub(super) const RESPONSE_BYTES_MAX: usize = 1 << 20;

/// <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api-json.html>
const FORMATTED_BYTES_MAX: usize = 10 << 20;

/// `ER_UNSUPPORTED_PS`: a statement that the server does not prepare.
const NOT_PREPARABLE: u16 = 1295;

/// `ER_LOCK_DEADLOCK`: the server has rolled the whole transaction back.
const DEADLOCK: u16 = 1213;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Records,
    Json,
}

/// Who knows the columns that hold JSON documents.
pub(super) trait Documents: Sync {
    /// Which of a result's columns MySQL would call JSON, where its server does not say.
    fn among(&self, columns: &[Column]) -> impl Future<Output = Vec<bool>> + Send;
}

/// How a result is read.
#[derive(Debug)]
pub(super) struct Reading<'a, D> {
    pub(super) form: Form,
    pub(super) options: ResultSetOptions,
    pub(super) documents: &'a D,
}

/// What a statement gave.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Rows as a JSON array of arrays of fields, or of objects.
    Rows {
        json: Vec<u8>,
        columns: Arc<[Column]>,
    },
    Changed {
        rows: u64,
        insert_id: Option<u64>,
    },
}

/// Why there is no outcome.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server refused. The session goes on.
    Server(ServerError),
    /// The result cannot be answered. Rows of it are still on their way, so the session cannot go on.
    Result(Fault),
    /// It took longer than a statement may, on the connection of this number.
    Time(u32),
    /// The session is gone.
    Connection,
}

impl Failure {
    pub(super) fn ends_session(&self) -> bool {
        match self {
            Self::Server(_) => false,
            Self::Result(_) | Self::Time(_) | Self::Connection => true,
        }
    }

    /// Whether the server may still have rows to send.
    pub(super) fn is_unread(&self) -> bool {
        matches!(self, Self::Result(_))
    }

    pub(super) fn is_deadlock(&self) -> bool {
        matches!(self, Self::Server(error) if error.code == DEADLOCK)
    }

    pub(super) fn into_fault(self) -> Fault {
        match self {
            Self::Server(error) => Fault::database(&error),
            Self::Result(fault) => fault,
            Self::Time(connection_id) => Fault::statement_timeout(connection_id),
            Self::Connection => Fault::unavailable("The connection to the database was lost."),
        }
    }
}

impl From<mysql_async::Error> for Failure {
    fn from(error: mysql_async::Error) -> Self {
        match error {
            mysql_async::Error::Server(error) => Self::Server(error),
            _ => Self::Connection,
        }
    }
}

/// Runs the statement by the prepared protocol. A statement that the server does not prepare, or that is not to be
/// prepared, goes by the text protocol, if it has no parameters.
pub(super) async fn run(
    connection: &mut Conn,
    statement: &Statement,
    values: Vec<Value>,
    reading: Reading<'_, impl Documents>,
) -> Result<Outcome, Failure> {
    if statement.shows && values.is_empty() {
        return run_text(connection, statement, reading).await;
    }
    let prepared = match connection.prep(statement.sql.as_str()).await {
        // A `?` of the user's own is no parameter: as text the server refuses it with its own words.
        Ok(prepared) if usize::from(prepared.num_params()) == values.len() => prepared,
        Ok(_) => return run_text(connection, statement, reading).await,
        Err(mysql_async::Error::Server(error))
            if error.code == NOT_PREPARABLE && values.is_empty() =>
        {
            return run_text(connection, statement, reading).await;
        }
        // The driver's own reading of the text, which sees a placeholder where there is none.
        Err(mysql_async::Error::Driver(mysql_async::DriverError::MixedParams))
            if values.is_empty() =>
        {
            return run_text(connection, statement, reading).await;
        }
        Err(error) => return Err(error.into()),
    };
    let parameters = if values.is_empty() {
        Params::Empty
    } else {
        Params::Positional(values)
    };
    let result = connection.exec_iter(&prepared, parameters).await?;
    read(result, reading).await
}

async fn run_text(
    connection: &mut Conn,
    statement: &Statement,
    reading: Reading<'_, impl Documents>,
) -> Result<Outcome, Failure> {
    let result = connection.query_iter(statement.sql.as_str()).await?;
    read(result, reading).await
}

async fn read<P: Protocol>(
    mut result: QueryResult<'_, 'static, P>,
    reading: Reading<'_, impl Documents>,
) -> Result<Outcome, Failure> {
    let columns = result.columns().unwrap_or_default();
    if columns.is_empty() {
        let outcome = Outcome::Changed {
            rows: result.affected_rows(),
            insert_id: result.last_insert_id().filter(|id| *id != 0),
        };
        result.drop_result().await?;
        return Ok(outcome);
    }
    let mut rows = Rows::new(&columns, reading.form, reading.options)?;
    if columns.iter().any(column::may_be_json) {
        let json = reading.documents.among(&columns).await;
        rows.mark_json(&json);
    }
    while let Some(row) = result.next().await? {
        rows.push(row.unwrap_raw())?;
    }
    // A procedure sends more than one result; the service answers with the first.
    result.drop_result().await?;
    Ok(Outcome::Rows {
        json: rows.finish(),
        columns,
    })
}

/// Rows that are being written.
struct Rows {
    json: Vec<u8>,
    kinds: Vec<Kind>,
    /// `"label":` of each column, for the JSON form.
    labels: Vec<Vec<u8>>,
    form: Form,
    options: ResultSetOptions,
}

impl Rows {
    fn new(columns: &[Column], form: Form, options: ResultSetOptions) -> Result<Self, Failure> {
        let kinds: Vec<Kind> = columns.iter().map(column::kind).collect();
        if kinds.contains(&Kind::Unsupported) {
            return Err(Failure::Result(Fault::unsupported_type("GEOMETRY")));
        }
        let labels = match form {
            Form::Records => Vec::new(),
            Form::Json => labels(columns)?,
        };
        Ok(Self {
            json: vec![b'['],
            kinds,
            labels,
            form,
            options,
        })
    }

    fn mark_json(&mut self, json: &[bool]) {
        for (kind, json) in self.kinds.iter_mut().zip(json) {
            if *json {
                *kind = Kind::Json;
            }
        }
    }

    fn push(&mut self, values: Vec<Option<Value>>) -> Result<(), Failure> {
        if self.json.len() > 1 {
            self.json.push(b',');
        }
        let (open, close, bytes_max) = match self.form {
            Form::Records => (b'[', b']', RESPONSE_BYTES_MAX),
            Form::Json => (b'{', b'}', FORMATTED_BYTES_MAX),
        };
        self.json.push(open);
        for (index, (kind, value)) in self.kinds.iter().zip(values).enumerate() {
            if index > 0 {
                self.json.push(b',');
            }
            let field = field(*kind, self.options, value.unwrap_or(Value::NULL));
            match self.form {
                Form::Records => field.write(&mut self.json),
                Form::Json => {
                    self.json.extend(&self.labels[index]);
                    field.write_plain(&mut self.json);
                }
            }
        }
        self.json.push(close);
        if self.json.len() > bytes_max {
            return Err(Failure::Result(Fault::result_too_large()));
        }
        Ok(())
    }

    fn finish(mut self) -> Vec<u8> {
        self.json.push(b']');
        self.json
    }
}

fn labels(columns: &[Column]) -> Result<Vec<Vec<u8>>, Failure> {
    let mut labels: Vec<Vec<u8>> = Vec::with_capacity(columns.len());
    for column in columns {
        let mut label = Vec::new();
        write_json(&mut label, &*column.name_str());
        label.push(b':');
        if labels.contains(&label) {
            return Err(Failure::Result(Fault::duplicate_label(&column.name_str())));
        }
        labels.push(label);
    }
    Ok(labels)
}
