//! Carries a plan out over a [`Session`]. The world may end between any two calls; what the journal says then is enough
//! to go on.
//!
//! 1. Consecutive data statements and their journal rows are one transaction, so both are there or neither.
//! 2. A schema statement commits by itself. `started` is written before it with what it touches, `applied` after it,
//!    with the `started` of the next one where there is one; between the two the database itself says whether it took
//!    effect ([`settle`]). No statement of a script is begun before all that was before it is recorded: a session over a
//!    connection sends both in one packet, in this order ([`Session::write_and_run`]).
//! 3. Session statements are recorded as they are passed, and said again before whatever follows them in their script,
//!    in the same transaction.
//! 4. An answer that was lost is never taken for a failure: a commit is looked up in the journal, a schema statement is
//!    looked for in the process list and then in the definitions.

mod batch;
mod hold;
mod options;
mod parse;
mod schema;
mod settle;
mod transactional;

use std::fmt;

pub use options::{Options, Quiet};

use crate::blocker::Blockers;
use crate::connection::Connection;
use crate::error::{Error, LockWait, StatementFailure};
use crate::fingerprint::Fingerprint;
use crate::journal::{
    Entry, Journal, State, Step, Tables, begin, finish, read_journal, replace_fenced,
};
use crate::lease;
use crate::memory;
use crate::plan::{Action, Decision, Plan, plan};
use crate::refusal::Refusal;
use crate::script::{Script, ScriptId, Scripts, Statement, Version};
use crate::session::{Session, SessionError, Write};
use crate::statement::Class;

/// How often a call is tried again whose failure says nothing about the statement.
const ATTEMPTS_MAX: u32 = 3;

/// What a run tells while it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The plan is made.
    Planned {
        /// Statements that are to run.
        steps: usize,
        /// Statements that are applied already.
        applied: usize,
    },
    /// Another migrator is at work.
    Waiting {
        /// Who.
        owner: &'a str,
        /// For how many seconds its lease holds still.
        expires_in_seconds: i64,
    },
    /// A statement is sent.
    Started {
        /// The script's path.
        path: &'a str,
        /// Its line.
        line: usize,
        /// Its number.
        number: usize,
        /// How many the script has.
        total: usize,
    },
    /// Statements have taken effect. They are recorded, or will be before another one is begun.
    Applied {
        /// The script's path.
        path: &'a str,
        /// The first of them.
        first: usize,
        /// The last of them.
        last: usize,
    },
    /// A statement that was begun by a run that ended is settled.
    Settled {
        /// The script's path.
        path: &'a str,
        /// Its number.
        number: usize,
        /// Whether it had taken effect.
        applied: bool,
    },
    /// A statement runs on after the wait for it ended.
    Following {
        /// The script's path.
        path: &'a str,
        /// Its number.
        number: usize,
        /// The server's word for what it does.
        doing: &'a str,
    },
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Statements that this run applied, or found applied and recorded.
    pub applied: usize,
    /// The newest applied script.
    pub version: Option<Version>,
    /// Whether the database has more than the scripts, as after a rollback of the code.
    pub ahead: bool,
    /// The newest of the scripts.
    pub newest_script: Option<Version>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = match self.version {
            Some(version) => format!("schema at {version}"),
            None => "no scripts applied".to_owned(),
        };
        match (self.applied, self.ahead, self.newest_script) {
            (0, false, _) => write!(f, "nothing to do, {schema}"),
            (0, true, None) => write!(
                f,
                "the schema is ahead of the scripts: {schema}, and there are none"
            ),
            (0, true, Some(newest)) if self.version == Some(newest) => {
                write!(
                    f,
                    "the schema is ahead of the scripts: {newest} has statements that they do not have"
                )
            }
            (0, true, Some(newest)) => {
                write!(
                    f,
                    "the schema is ahead of the scripts: {schema}, the scripts end at {newest}"
                )
            }
            (1, _, _) => write!(f, "1 statement applied, {schema}"),
            (applied, _, _) => write!(f, "{applied} statements applied, {schema}"),
        }
    }
}

/// How a run ended that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is applied.
    Done(Report),
    /// The time was not enough; another run carries on at once.
    HandOver {
        /// What this run came to.
        report: Report,
        /// What it had seen of the quiet that it was waiting for, for [`Options::was_quiet`] of the next.
        quiet: Option<Quiet>,
    },
    /// The past has changed: the database has to be rebuilt from the scripts, in
    /// [`Mode::Development`](crate::Mode::Development) only. Nothing was run.
    Rebuild(Box<Refusal>),
}

/// Applies what is not applied yet. With nothing to do it reads the journal and nothing else.
///
/// # Errors
/// See [`Error`]. Whatever it is, a later run carries on.
pub async fn apply<S: Session>(
    session: &mut S,
    scripts: &Scripts,
    options: &Options,
    observer: &mut (dyn FnMut(Event<'_>) + Send),
) -> Result<Outcome, Error> {
    let journal = read_journal(session, scripts).await?;
    let mut unparsed = None;
    let found = match plan(scripts, &journal, options.phase, options.mode) {
        Ok(Decision::Carry(plan)) if plan.steps.is_empty() => {
            return Ok(Outcome::Done(report(&plan)));
        }
        Ok(Decision::Carry(plan)) => {
            if let Some(characters_max) = session.statement_characters_max() {
                plan.check_lengths(scripts, characters_max)?;
            }
            report(&plan)
        }
        Ok(Decision::Rebuild(refusal)) => return Ok(Outcome::Rebuild(refusal)),
        Err(refusal) => match parse::parse_failure(session, scripts, &refusal).await {
            Some(error) => {
                unparsed = Some(Unparsed { refusal, error });
                Report::default()
            }
            None => return Err(refusal.into()),
        },
    };
    let tables = Tables::of(&journal.database);
    prepare_journal(session, &tables, &journal).await?;
    let mut run = Run {
        session,
        scripts,
        options,
        observer,
        tables,
        database: journal.database,
        token: 0,
        over: None,
        ended_token: None,
        blockers: None,
        due: Vec::new(),
        seen: None,
        known: transactional::Known::default(),
        quiet: None,
        report: Report::default(),
    };
    if !run.take_lease().await? {
        return Ok(Outcome::HandOver {
            report: found,
            quiet: options.was_quiet,
        });
    }
    let ended = run.carry_out(unparsed).await;
    // What has taken effect is recorded, whatever it was that stopped the run.
    let recorded = run.write(None).await;
    let ended = ended.and(recorded);
    // A run that lost its lease frees nothing: the statement names the token.
    let freed = lease::free(run.session, &run.tables, run.token).await;
    match ended {
        Ok(()) => Ok(Outcome::Done(run.report)),
        Err(Stop::HandOver) => Ok(Outcome::HandOver {
            report: run.report,
            quiet: run.quiet,
        }),
        Err(Stop::Rebuild(refusal)) => Ok(Outcome::Rebuild(refusal)),
        Err(Stop::Error(error)) => {
            // The error is worth more than the lease, which ends by itself.
            drop(freed);
            Err(error)
        }
    }
}

pub(crate) async fn prepare_journal<S: Session>(
    session: &mut S,
    tables: &Tables,
    journal: &Journal,
) -> Result<(), Error> {
    if !journal.exists {
        for sql in tables.create() {
            session
                .execute(&sql, &[])
                .await
                .map_err(|source| Error::session("creating the journal", source))?;
        }
    }
    if journal.outdated {
        for (sql, may_be_refused_with) in tables.upgrade() {
            match session.execute(&sql, &[]).await {
                Ok(_) => {}
                Err(SessionError::Refused { code, .. }) if Some(code) == may_be_refused_with => {}
                Err(source) => {
                    return Err(Error::session("bringing the journal up to date", source));
                }
            }
        }
    }
    Ok(())
}

fn report(plan: &Plan) -> Report {
    Report {
        applied: 0,
        version: plan.version,
        ahead: plan.ahead,
        newest_script: plan.newest_script,
    }
}

/// Why a run stops before its plan's end.
#[derive(Debug)]
enum Stop {
    HandOver,
    Rebuild(Box<Refusal>),
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// A refused statement that is no SQL.
struct Unparsed {
    refusal: Box<Refusal>,
    /// The server's words.
    error: SessionError,
}

struct Run<'a, S> {
    session: &'a mut S,
    scripts: &'a Scripts,
    options: &'a Options,
    observer: &'a mut (dyn FnMut(Event<'_>) + Send),
    tables: Tables,
    database: String,
    token: i64,
    /// The connection that the lease names, over which statements are sent.
    over: Option<Connection>,
    /// The token of the one before, if it ended with its connection: nothing that it sent can begin any more.
    ended_token: Option<i64>,
    /// Who kept the statement waiting that was cancelled last.
    blockers: Option<Blockers>,
    /// What the journal is to say before the next statement of a script is sent: it goes out with the next write.
    due: Vec<Due>,
    /// What a statement touches, if it was seen when the one before it had ended.
    seen: Option<(ScriptId, usize, Fingerprint)>,
    known: transactional::Known,
    quiet: Option<Quiet>,
    report: Report,
}

/// A write of the journal that need not be a call, and a wait for the disk, of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// That a script was begun.
    Begin(ScriptId),
    /// That a schema statement which this run began is applied. It renews the lease too: so that is over between two
    /// statements only if one of them took longer than it lasts.
    Finish(ScriptId, usize),
}

impl<S: Session> Run<'_, S> {
    /// Makes the plan again, now that nobody else changes the journal, and carries it out.
    async fn carry_out(&mut self, unparsed: Option<Unparsed>) -> Result<(), Stop> {
        let journal = read_journal(self.session, self.scripts).await?;
        let decision = plan(
            self.scripts,
            &journal,
            self.options.phase,
            self.options.mode,
        );
        let plan = match (decision, unparsed) {
            (Ok(Decision::Carry(plan)), _) => plan,
            (Ok(Decision::Rebuild(refusal)), _) => return Err(Stop::Rebuild(refusal)),
            (Err(refusal), Some(unparsed)) if refusal == unparsed.refusal => {
                return Err(self.fail_unparsed(&journal, unparsed).await);
            }
            (Err(refusal), _) => return Err(Error::from(refusal).into()),
        };
        self.report = report(&plan);
        (self.observer)(Event::Planned {
            steps: plan.steps.len(),
            applied: plan.applied,
        });
        let mut steps = plan.steps.as_slice();
        while let Some(first) = steps.first() {
            let count = steps
                .iter()
                .take_while(|step| step.script == first.script)
                .count();
            let (of_script, rest) = steps.split_at(count);
            steps = rest;
            let Some(script) = self.scripts.get(first.script) else {
                continue;
            };
            let mut from = first.number;
            if first.action == Action::Settle {
                self.write(None).await?;
                if self.settle_recorded(&journal, script, first.number).await? {
                    from += 1;
                }
            }
            if of_script
                .iter()
                .any(|step| step.number >= from && step.number <= script.statements.len())
            {
                let following = steps
                    .first()
                    .filter(|step| step.action == Action::Run)
                    .and_then(|step| {
                        self.scripts
                            .get(step.script)
                            .map(|next| (next, step.number))
                    })
                    .and_then(|(next, number)| Some((next, next.statements.get(number - 1)?)));
                self.run_script(script, from, following).await?;
            }
        }
        Ok(())
    }

    /// Runs a script's statements from one of them on. `following` is the first of the next script.
    async fn run_script(
        &mut self,
        script: &Script,
        from: usize,
        following: Option<(&Script, &Statement)>,
    ) -> Result<(), Stop> {
        self.due.push(Due::Begin(script.id));
        let mut statements = &script.statements[from - 1..];
        while let Some(first) = statements.first() {
            if self.is_late() {
                return Err(Stop::HandOver);
            }
            match &first.analysis.class {
                Class::Schema(_) => {
                    statements = &statements[1..];
                    let next = statements.first().map(|next| (script, next));
                    self.run_schema(script, first, next.or(following)).await?;
                }
                Class::Data | Class::Session { .. } => {
                    let count = self.run_data(script, statements).await?;
                    statements = &statements[count..];
                }
                Class::Refused(why) => {
                    let place = Box::new(script.place_of(first));
                    return Err(Error::from(Box::new(Refusal::Forbidden { place, why })).into());
                }
            }
        }
        Ok(())
    }

    /// Runs the data and session statements that come next, and gives their number.
    async fn run_data(&mut self, script: &Script, statements: &[Statement]) -> Result<usize, Stop> {
        let max = self.session.transaction_statements_max();
        let count = batch::length(script, statements, max);
        let of_batch = &statements[..count];
        let (shared, obstacle) = self.shared(script, of_batch).await?;
        let Some(obstacle) = obstacle else {
            self.run_batch(script, of_batch).await?;
            return Ok(count);
        };
        let alone = &of_batch[shared];
        let may_be_alone = alone.analysis.directive.is_some()
            && alone.analysis.class == Class::Data
            && !batch::is_atomic(of_batch);
        if shared > 0 && (may_be_alone || !batch::is_atomic(of_batch)) {
            self.run_batch(script, &of_batch[..shared]).await?;
            return Ok(shared);
        }
        if !may_be_alone {
            return Err(self.refuse_obstacle(script, alone, obstacle));
        }
        self.run_schema(script, alone, None).await?;
        Ok(1)
    }

    /// Writes one state of one statement by itself.
    async fn record(
        &mut self,
        script: &Script,
        statement: &Statement,
        state: State,
    ) -> Result<(), Stop> {
        self.record_entry(&Entry::of(script, statement, state))
            .await
    }

    async fn record_entry(&mut self, entry: &Entry<'_>) -> Result<(), Stop> {
        let write = replace_fenced(&self.tables, entry, self.token);
        self.write(Some(write)).await
    }

    /// Carries out what is due, and a write with it. Each may be repeated and touches nothing without the lease.
    async fn write(&mut self, write: Option<Write>) -> Result<(), Stop> {
        let writes = self.writes_with_due(write);
        // What cannot be written is not tried again: a later run finds what it would have said.
        self.due.clear();
        self.carry_out_writes(&writes).await
    }

    async fn carry_out_writes(&mut self, writes: &[Write]) -> Result<(), Stop> {
        if writes.is_empty() {
            return Ok(());
        }
        let mut attempt = 1;
        loop {
            match self.session.execute_all(writes).await {
                Ok(matched) if matched.contains(&0) => {
                    return Err(lease::lost(self.session, &self.tables).await.into());
                }
                Ok(_) => return Ok(()),
                Err(source) if attempt == ATTEMPTS_MAX || is_final(&source) => {
                    return Err(Error::session("writing the journal", source).into());
                }
                Err(_) => {}
            }
            attempt += 1;
            self.session.pause(self.options.poll).await;
        }
    }

    /// What is due, and a write after it.
    fn writes_with_due(&self, write: Option<Write>) -> Vec<Write> {
        let due = self.due.iter().filter_map(|due| self.write_of(*due));
        due.chain(write).collect()
    }

    fn write_of(&self, due: Due) -> Option<Write> {
        match due {
            Due::Begin(id) => {
                let script = self.scripts.get(id)?;
                Some(begin(&self.tables, script, self.token))
            }
            Due::Finish(id, number) => Some(finish(
                &self.tables,
                id,
                number,
                self.token,
                self.options.lease,
            )),
        }
    }

    /// Says the session statements before these again. A refusal is that of the session statement.
    async fn replay_session(
        &mut self,
        script: &Script,
        statements: &[Statement],
    ) -> Result<(), Unfinished> {
        let Some(first) = statements.first() else {
            return Ok(());
        };
        let is_computed = |earlier: &Statement| {
            earlier.analysis.class
                == Class::Session {
                    depends_on_data: true,
                }
        };
        let earlier = &script.statements[..first.number - 1];
        let some_computed = earlier.iter().any(is_computed);
        if some_computed {
            self.ask_for_functions().await?;
            // A value may come from a function that writes. What it wrote then stays, and what it writes now is undone;
            // a session's settings and variables are not part of a transaction.
            self.say("SAVEPOINT dayspring_replay").await?;
        }
        for (index, earlier) in earlier.iter().enumerate() {
            if !matches!(earlier.analysis.class, Class::Session { .. }) {
                continue;
            }
            let text = script.text_of(earlier);
            // Nobody wants its value, and a second call may fail.
            if is_computed(earlier)
                && self.calls_function(&self.schema_at(script, earlier.number), text)
                && !memory::is_wanted(earlier, &script.statements[index + 1..], statements)
            {
                continue;
            }
            if let Err(error) = self.session.run(text).await {
                return Err(match error {
                    SessionError::Refused { .. } => {
                        Unfinished::Stop(failure(script, earlier, first.number, error))
                    }
                    other => Unfinished::Again(other),
                });
            }
        }
        if some_computed {
            self.say("ROLLBACK TO SAVEPOINT dayspring_replay").await?;
        }
        Ok(())
    }

    async fn say(&mut self, sql: &str) -> Result<(), Unfinished> {
        let said = self.session.execute(sql, &[]).await;
        said.map(drop).map_err(Unfinished::Again)
    }

    fn is_late(&self) -> bool {
        self.session
            .remaining()
            .is_some_and(|remaining| remaining < self.options.reserve)
    }

    fn tell_started(&mut self, script: &Script, statement: &Statement) {
        (self.observer)(Event::Started {
            path: &script.path,
            line: statement.line,
            number: statement.number,
            total: script.statements.len(),
        });
    }

    fn tell_applied(&mut self, script: &Script, first: usize, last: usize) {
        self.report.applied += last + 1 - first;
        self.report.version = self.report.version.max(Some(script.id.version));
        (self.observer)(Event::Applied {
            path: &script.path,
            first,
            last,
        });
    }
}

/// Why a try did not come to its end.
enum Unfinished {
    /// Nothing of it is in the database: it may be tried again.
    Again(SessionError),
    /// It is over.
    Stop(Stop),
}

impl From<Stop> for Unfinished {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

/// Whether trying again would end the same way. Deadlocks and lock waits may end otherwise.
fn is_final(error: &SessionError) -> bool {
    matches!(error, SessionError::Refused { .. }) && !is_lock_trouble(error)
}

/// Whether a refusal takes back its whole transaction, with the statements before it, and would again: InnoDB's locks
/// have no more room (MySQL 1206, `DB_LOCK_TABLE_FULL`). Its SQLSTATE is that of any error.
fn takes_back_all(error: &SessionError) -> bool {
    matches!(error, SessionError::Refused { code: 1206, .. })
}

/// MySQL's lock wait timeout, of a row or of a table.
fn is_lock_wait(error: &SessionError) -> bool {
    matches!(error, SessionError::Refused { code: 1205, .. })
}

/// Deadlock, lock wait timeout, MariaDB's answer to a row that another changed since the transaction's first look: MySQL
/// 1213, 1205 and 1020, and whatever else has the SQLSTATE of a rolled-back transaction.
fn is_lock_trouble(error: &SessionError) -> bool {
    match error {
        SessionError::Refused {
            code, sql_state, ..
        } => matches!(code, 1020 | 1205 | 1213) || sql_state.starts_with("40"),
        SessionError::NotStarted { .. }
        | SessionError::Unknown { .. }
        | SessionError::StillRunning { .. } => false,
    }
}

fn failure(script: &Script, statement: &Statement, resumes_at: usize, error: SessionError) -> Stop {
    Stop::Error(Error::Failed(Box::new(StatementFailure {
        script: script.id,
        place: script.place_of(statement),
        number: statement.number,
        total: script.statements.len(),
        resumes_at,
        error,
    })))
}

fn lock_wait(
    script: &Script,
    statement: &Statement,
    resumes_at: usize,
    blockers: Blockers,
) -> Stop {
    Stop::Error(Error::LockWait(Box::new(LockWait {
        place: script.place_of(statement),
        number: statement.number,
        total: script.statements.len(),
        resumes_at,
        blockers,
    })))
}

/// The state after a step from `state`; the engine only makes steps that the state allows.
fn after(state: State, step: Step) -> Result<State, Stop> {
    state
        .next(step)
        .map_err(|illegal| Stop::Error(illegal.into()))
}
