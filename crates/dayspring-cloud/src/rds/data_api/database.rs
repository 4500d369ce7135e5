//! The database of one cluster as the Data API sees it: sessions, transactions and statements under a time limit.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Column, Conn, ServerError, Value};
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::answer::check_batch;
use super::column::{ColumnMetadata, metadata};
use super::execute::{Documents, Failure, Form, Outcome, Reading, run};
use super::fault::{Fault, Gone};
use super::field::ResultSetOptions;
use super::json_columns::JsonColumns;
use super::pause::{AutoPause, Rest, Working};
use super::pool::{Owner, Pool, Session};
use super::routines::Routines;
use super::statement::{Multiple, Statement, Trace};
use super::statements::Statements;
use super::transactions::{Lifetime, Transactions};
use super::words::{Checked, in_aurora_s_words, with_table};
use crate::parity::Notices;
use crate::rds::mariadb::{Account, Endpoint, Server, ServerState};
use crate::uncancelled::Uncancelled;

/// How long the names of a result's types may take.
const LOOKUP_WITHIN: Duration = Duration::from_secs(10);

/// The service's limits of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// A statement that runs longer is ended, or left alone when the caller asked for that.
    pub(crate) statement: Duration,
    /// Between two calls of a transaction.
    pub(crate) transaction_idle: Duration,
    pub(crate) transaction_total: Duration,
    /// How long a statement waits for a server that starts.
    pub(crate) start: Duration,
    /// When clusters pause that may.
    pub(crate) pause: Option<AutoPause>,
}

/// <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api-operations.html>
impl Default for Limits {
    fn default() -> Self {
        Self {
            statement: Duration::from_secs(45),
            transaction_idle: Duration::from_secs(180),
            transaction_total: Duration::from_secs(24 * 60 * 60),
            start: Duration::from_secs(30),
            pause: None,
        }
    }
}

/// A cluster's server with what the Data API keeps of it. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    server: Server,
    admin: Account,
    limits: Limits,
    pool: Pool,
    transactions: Transactions,
    json_columns: JsonColumns,
    routines: Routines,
    rest: Arc<Rest>,
    statements: Statements,
}

/// Where a call's statements run.
#[derive(Debug)]
pub(super) enum Place {
    /// In a session of their own, committed by themselves.
    Alone(Owner),
    Transaction {
        id: String,
        database: Option<String>,
    },
}

/// What runs: one statement with one or more sets of values.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) statement: Arc<Statement>,
    pub(super) sets: Vec<Vec<Value>>,
    pub(super) form: Form,
    pub(super) options: ResultSetOptions,
    pub(super) continue_after_timeout: bool,
}

impl Database {
    pub(crate) fn new(server: Server, admin: Account, limits: Limits, notices: Notices) -> Self {
        let transactions = Transactions::new(Lifetime {
            idle: limits.transaction_idle,
            total: limits.transaction_total,
        });
        let routines = if server.is_private() {
            Routines::default()
        } else {
            Routines::unseen()
        };
        Self {
            shared: Arc::new(Shared {
                server,
                admin,
                limits,
                pool: Pool::default(),
                transactions,
                json_columns: JsonColumns::default(),
                routines,
                rest: Rest::new(limits.pause),
                statements: Statements::new(notices),
            }),
        }
    }

    pub(crate) fn server(&self) -> &Server {
        &self.shared.server
    }

    /// Reads a statement as this cluster's server takes it.
    ///
    /// # Errors
    ///
    /// There is more than one statement, or no server.
    pub(super) async fn read(&self, sql: &str) -> Result<Arc<Statement>, Fault> {
        let endpoint = self.endpoint().await?;
        self.shared
            .statements
            .read(sql, endpoint.kind.is_mariadb())
            .map_err(|Multiple| Fault::validation("Multistatements aren't supported."))
    }

    /// Whether the cluster takes a call. One that finds it paused wakes it.
    pub(crate) fn is_awake(&self) -> bool {
        let in_transaction = !self.shared.transactions.is_empty();
        self.shared.rest.is_awake(in_transaction)
    }

    /// Ends the transactions and the server.
    pub(crate) async fn stop(&self) {
        self.shared.transactions.clear();
        self.shared.server.stop().await;
    }

    /// Gives the master another password.
    pub(crate) async fn set_password(&self, account: &Account) -> Result<(), Fault> {
        let endpoint = self.endpoint().await?;
        let change = async {
            let mut admin = endpoint.connect(&self.shared.admin, None).await?;
            admin.query_drop(account.password_statement("%")).await?;
            admin.disconnect().await
        };
        change
            .await
            .map_err(|error| Failure::from(error).into_fault())?;
        self.shared.pool.forget();
        Ok(())
    }

    /// Runs the work, and gives an outcome for each of its sets.
    ///
    /// # Errors
    ///
    /// The database is not there, refuses, or takes longer than a statement may.
    pub(super) async fn run(&self, place: Place, work: Work) -> Result<Vec<Outcome>, Fault> {
        let working = self.shared.rest.work();
        let continue_after_timeout = work.continue_after_timeout;
        let (session, transaction) = match place {
            Place::Alone(owner) => (self.session(owner).await?, None),
            Place::Transaction { id, database } => {
                if continue_after_timeout {
                    return Err(Fault::validation(
                        "continueAfterTimeout isn't supported in a transaction",
                    ));
                }
                let session = self.shared.transactions.take(&id, database.as_deref())?;
                (session, Some(id))
            }
        };
        let (sender, mut receiver) = oneshot::channel();
        // It goes on when the client hangs up, and behind the answer, so the session always finds its way back.
        let mut task = Uncancelled::new(carry_out(
            Arc::clone(&self.shared),
            session,
            transaction,
            work,
            sender,
            working,
        ));
        // The answer is looked for and not waited for: it comes while the task below runs, which is this one, and a waiting
        // receiver would have it run once more for nothing, and another thread woken to see to that.
        let result = std::future::poll_fn(|context| {
            let ended = Pin::new(&mut task).poll(context).is_ready();
            match receiver.try_recv() {
                Ok(result) => Poll::Ready(result),
                Err(TryRecvError::Empty) if !ended => Poll::Pending,
                Err(_) => Poll::Ready(Err(Failure::Connection)),
            }
        });
        result.await.map_err(Failure::into_fault)
    }

    /// Begins a transaction and gives its id.
    pub(super) async fn begin(&self, owner: Owner) -> Result<String, Fault> {
        let _working = self.shared.rest.work();
        let database = owner.database.clone();
        let mut session = self.session(owner).await?;
        session
            .connection
            .query_drop("START TRANSACTION")
            .await
            .map_err(|error| Failure::from(error).into_fault())?;
        Ok(self.shared.transactions.open(session, database))
    }

    /// Ends a transaction by `COMMIT` or `ROLLBACK`.
    pub(super) async fn end(&self, id: &str, statement: &'static str) -> Result<(), Fault> {
        let working = self.shared.rest.work();
        let session = self.shared.transactions.take(id, None)?;
        self.shared.transactions.end(id, Gone::Expired);
        let shared = Arc::clone(&self.shared);
        // A task of its own for the same reason.
        let ended = tokio::spawn(async move {
            let _working = working;
            let mut session = session;
            session.connection.query_drop(statement).await?;
            session.mark(Trace::State);
            // The answer does not wait for the reset.
            tokio::spawn(async move { shared.give(session).await });
            Ok(())
        });
        ended
            .await
            .unwrap_or_else(|error| Err(mysql_async::Error::Other(error.into())))
            .map_err(|error| Failure::from(error).into_fault())
    }

    /// `ColumnMetadata` of a result's columns.
    pub(super) async fn metadata(&self, columns: &[Column]) -> Vec<ColumnMetadata> {
        let json = self.shared.among(columns).await;
        columns
            .iter()
            .zip(json)
            .map(|(column, json)| metadata(column, json))
            .collect()
    }

    async fn session(&self, owner: Owner) -> Result<Session, Fault> {
        let endpoint = self.endpoint().await?;
        self.shared
            .pool
            .take(&endpoint, owner)
            .await
            .map_err(|error| Failure::from(error).into_fault())
    }

    /// Where the server answers; waits while it starts.
    async fn endpoint(&self) -> Result<Arc<Endpoint>, Fault> {
        match self.shared.server.settled(self.shared.limits.start).await {
            ServerState::Ready(endpoint) => Ok(endpoint),
            ServerState::Starting => Err(Fault::unavailable("It is still starting.")),
            ServerState::Stopped => Err(Fault::unavailable("It was stopped.")),
            ServerState::Failed(reason) => Err(Fault::unavailable(&reason)),
        }
    }
}

impl Documents for Shared {
    async fn among(&self, columns: &[Column]) -> Vec<bool> {
        let none = || vec![false; columns.len()];
        match self.server.state() {
            ServerState::Ready(endpoint) if endpoint.kind.is_mariadb() => {}
            _ => return none(),
        }
        // Not in the caller's own session: FOUND_ROWS() and its like belong to the caller.
        let admin = async || self.admin_connection().await;
        // A locked table would hold the answer up for the sake of a type's name.
        tokio::time::timeout(LOOKUP_WITHIN, self.json_columns.of(columns, admin))
            .await
            .unwrap_or_else(|_| none())
    }
}

impl Shared {
    /// A session of the service's own, where the server answers.
    async fn admin_connection(&self) -> Option<Conn> {
        match self.server.state() {
            ServerState::Ready(endpoint) => endpoint.connect(&self.admin, None).await.ok(),
            _ => None,
        }
    }

    /// A refusal of MariaDB's as MySQL says it.
    async fn in_mysql_s_words(&self, error: ServerError, statement: &Statement) -> ServerError {
        let Some(checked) = Checked::of(&error) else {
            return with_table(in_aurora_s_words(&error), statement.table.as_deref());
        };
        let admin = async || self.admin_connection().await;
        let json =
            tokio::time::timeout(LOOKUP_WITHIN, self.json_columns.has(&checked, admin)).await;
        checked.refusal(json.unwrap_or_default())
    }

    /// Ends a session from outside, and with it the statement that it runs.
    async fn kill(&self, connection_id: u32) {
        if let Some(mut admin) = self.admin_connection().await {
            // It may have come to its end by itself.
            drop(admin.query_drop(format!("KILL {connection_id}")).await);
            drop(admin.disconnect().await);
        }
    }

    /// Ends a session that cannot go on. The driver reads a result to its end before it hangs up, and that may be never:
    /// the server is told to stop.
    async fn hang_up(&self, session: Session, unread: bool) {
        if unread {
            self.kill(session.connection.id()).await;
        }
        drop(session);
    }

    /// What a statement left in its session, by its own text or by a routine that it called.
    fn trace(&self, statement: &Statement) -> Trace {
        if self.routines.may_be() {
            statement.trace.max(Trace::Called)
        } else {
            statement.trace
        }
    }

    /// Takes a session back that no answer waits for any more.
    async fn give(&self, session: Session) {
        self.routines
            .look(async || self.admin_connection().await)
            .await;
        self.pool.give(session).await;
    }
}

/// Runs the work within the time that a statement has, and puts the session back where it came from.
async fn carry_out(
    shared: Arc<Shared>,
    mut session: Session,
    transaction: Option<String>,
    work: Work,
    sender: oneshot::Sender<Result<Vec<Outcome>, Failure>>,
    working: Working,
) {
    let mut sender = Some(sender);
    let mut answer = |result| {
        if let Some(sender) = sender.take() {
            // Nobody listens any more when the client hung up.
            drop(sender.send(result));
        }
    };
    if work.statement.makes_routine {
        shared.routines.made();
    }
    let connection_id = session.connection.id();
    let result = {
        let mut running = std::pin::pin!(run_sets(
            &shared,
            &mut session,
            &work,
            transaction.is_some()
        ));
        match tokio::time::timeout(shared.limits.statement, &mut running).await {
            Ok(result) => result,
            Err(_) if work.continue_after_timeout => {
                answer(Err(Failure::Time(connection_id)));
                running.await
            }
            Err(_) => {
                shared.kill(connection_id).await;
                Err(Failure::Time(connection_id))
            }
        }
    };
    session.mark(shared.trace(&work.statement));
    let result = match result {
        Err(Failure::Server(error)) if work.statement.on_mariadb => Err(Failure::Server(
            shared.in_mysql_s_words(error, &work.statement).await,
        )),
        result => result,
    };
    // Before the answer: whoever has it may find the cluster idle.
    drop(working);
    if work.statement.changes_schema {
        shared.json_columns.forget();
    }
    if work.statement.changes_accounts {
        shared.pool.forget();
    }
    match (transaction, &result) {
        (Some(id), Err(failure)) if failure.ends_session() => {
            shared.transactions.end(&id, Gone::Terminated);
            let unread = failure.is_unread();
            answer(result);
            shared.hang_up(session, unread).await;
        }
        (Some(id), Err(failure)) if failure.is_deadlock() => {
            shared.transactions.end(&id, Gone::Aborted);
            answer(result);
        }
        (Some(id), _) => {
            shared.transactions.give(&id, session);
            answer(result);
        }
        (None, Err(failure)) if failure.ends_session() => {
            let unread = failure.is_unread();
            answer(result);
            shared.hang_up(session, unread).await;
        }
        (None, _) => {
            answer(result);
            shared.give(session).await;
        }
    }
}

/// A batch outside a transaction takes effect as a whole: what is committed automatically is the call.
async fn run_sets(
    shared: &Shared,
    session: &mut Session,
    work: &Work,
    in_transaction: bool,
) -> Result<Vec<Outcome>, Failure> {
    let connection = &mut session.connection;
    if work.statement.looks_back && !in_transaction && !connection.reset().await? {
        return Err(Failure::Connection);
    }
    let own_transaction = work.sets.len() > 1 && !in_transaction;
    if own_transaction {
        connection.query_drop("START TRANSACTION").await?;
    }
    let mut outcomes = Vec::with_capacity(work.sets.len());
    for values in &work.sets {
        match run(
            connection,
            &work.statement,
            values.clone(),
            Reading {
                form: work.form,
                options: work.options,
                documents: shared,
            },
        )
        .await
        {
            Ok(outcome) => outcomes.push(outcome),
            Err(failure) => {
                if own_transaction && !failure.ends_session() {
                    connection.query_drop("ROLLBACK").await?;
                }
                return Err(failure);
            }
        }
    }
    // Before the commit: what is refused has taken no effect.
    check_batch(&outcomes).map_err(Failure::Result)?;
    if own_transaction {
        connection.query_drop("COMMIT").await?;
    }
    Ok(outcomes)
}
