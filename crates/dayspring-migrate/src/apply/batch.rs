//! Consecutive data and session statements: one transaction with their journal rows.

use super::{
    ATTEMPTS_MAX, Due, Run, Stop, Unfinished, after, failure, is_lock_trouble, is_lock_wait,
    lock_wait, takes_back_all,
};
use crate::blocker;
use crate::error::Error;
use crate::journal::{Entry, State, Step, replace_in_transaction};
use crate::lease;
use crate::script::{Script, Statement};
use crate::session::{Session, SessionError, Value, Write};
use crate::statement::Class;

/// Journal rows that one statement writes: their texts stay far below the Data API's 4 MiB for a request.
const ROWS_MAX: usize = 100;

/// How many of the statements belong to the transaction that begins here.
pub(super) fn length(script: &Script, statements: &[Statement], max: usize) -> usize {
    let count = statements
        .iter()
        .take_while(|statement| is_of_batch(statement))
        .count();
    let before = statements.first().map_or(0, |first| first.number - 1);
    if script.statements[..before + count].iter().any(binds) {
        count
    } else {
        count.min(max)
    }
}

/// Whether all of them commit or none.
pub(super) fn is_atomic(statements: &[Statement]) -> bool {
    statements.iter().any(binds)
}

fn binds(statement: &Statement) -> bool {
    statement.analysis.memory.binds()
}

fn is_of_batch(statement: &Statement) -> bool {
    matches!(
        statement.analysis.class,
        Class::Data | Class::Session { .. }
    )
}

/// How far a try came.
struct Tried {
    /// Statements that are applied and, with their rows, committed.
    applied: usize,
    /// What stopped it before its end.
    stopped: Option<Stop>,
}

impl<S: Session> Run<'_, S> {
    pub(super) async fn run_batch(
        &mut self,
        script: &Script,
        statements: &[Statement],
    ) -> Result<(), Stop> {
        // Only that the script was begun may wait for the transaction's end.
        if self.due.iter().any(|due| matches!(due, Due::Finish(..))) {
            self.write(None).await?;
        }
        let mut attempt = 1;
        loop {
            match self.try_batch(script, statements).await {
                Ok(tried) => {
                    if let (Some(first), true) = (statements.first(), tried.applied > 0) {
                        self.tell_applied(script, first.number, first.number + tried.applied - 1);
                    }
                    return tried.stopped.map_or(Ok(()), Err);
                }
                Err(Unfinished::Stop(stop)) => {
                    drop(self.session.rollback().await);
                    return Err(stop);
                }
                Err(Unfinished::Again(source)) => {
                    drop(self.session.rollback().await);
                    if attempt == ATTEMPTS_MAX {
                        return Err(
                            Error::session(format!("running {}", script.path), source).into()
                        );
                    }
                }
            }
            attempt += 1;
            self.session.pause(self.options.poll).await;
        }
    }

    async fn try_batch(
        &mut self,
        script: &Script,
        statements: &[Statement],
    ) -> Result<Tried, Unfinished> {
        let Some(first) = statements.first() else {
            return Ok(Tried {
                applied: 0,
                stopped: None,
            });
        };
        self.session.begin().await.map_err(Unfinished::Again)?;
        self.hold_lease().await?;
        self.replay_session(script, statements).await?;
        // What a session remembers of the data is lost with it, so nothing of such a run may stay alone.
        let atomic = is_atomic(statements);
        let texts: Vec<&str> = statements
            .iter()
            .map(|statement| script.text_of(statement))
            .collect();
        let mut applied = 0;
        let mut failed = None;
        let mut stopped = None;
        while applied < statements.len() && stopped.is_none() {
            if applied > 0 && !atomic && self.is_late() {
                stopped = Some(Stop::HandOver);
                break;
            }
            self.tell_started(script, &statements[applied]);
            let ran = self.session.run_some(&texts[applied..]).await;
            let begun = ran.done + usize::from(ran.error.is_some());
            for statement in statements[applied..].iter().take(begun).skip(1) {
                self.tell_started(script, statement);
            }
            applied += ran.done;
            if let (Some(error), Some(statement)) = (ran.error, statements.get(applied)) {
                let resumes_at = if atomic {
                    first.number
                } else {
                    statement.number
                };
                let error = self.refused(script, first, statement, error).await?;
                failed = Some(Entry::of(
                    script,
                    statement,
                    after(
                        State::Pending,
                        Step::Fail {
                            error: error.to_string(),
                        },
                    )?,
                ));
                stopped = Some(failure(script, statement, resumes_at, error));
            }
        }
        if let (true, Some(failed)) = (atomic, &failed) {
            drop(self.session.rollback().await);
            // The row of the failure alone; what was before it is as it never was.
            self.record_entry(failed).await?;
            return Ok(Tried {
                applied: 0,
                stopped,
            });
        }
        let mut entries = Vec::with_capacity(applied + 1);
        for statement in &statements[..applied] {
            let succeeded = after(State::Pending, Step::Succeed)?;
            entries.push(Entry::of(script, statement, succeeded));
        }
        entries.extend(failed);
        let due: Vec<Write> = self
            .due
            .iter()
            .filter_map(|due| self.write_of(*due))
            .collect();
        let rows = entries
            .chunks(ROWS_MAX)
            .map(|rows| replace_in_transaction(&self.tables, rows, self.token));
        let writes: Vec<Write> = due.into_iter().chain(rows).collect();
        self.session
            .execute_all(&writes)
            .await
            .map_err(Unfinished::Again)?;
        match self.session.commit().await {
            Ok(()) => {}
            Err(error @ (SessionError::Unknown { .. } | SessionError::StillRunning { .. })) => {
                let last = entries.last().map_or(first.number, |entry| entry.number);
                if !self.was_committed(script, last).await? {
                    return Err(Unfinished::Again(error));
                }
            }
            Err(error) => return Err(Unfinished::Again(error)),
        }
        self.due.clear();
        Ok(Tried { applied, stopped })
    }

    /// The server's refusal of a statement, which stays refused when it is sent again.
    async fn refused(
        &mut self,
        script: &Script,
        first: &Statement,
        statement: &Statement,
        error: SessionError,
    ) -> Result<SessionError, Unfinished> {
        match error {
            error if takes_back_all(&error) => Err(Unfinished::Stop(failure(
                script,
                statement,
                first.number,
                error,
            ))),
            SessionError::Refused { .. } if !is_lock_trouble(&error) => Ok(error),
            error if is_lock_wait(&error) => {
                let schema = self.schema_at(script, statement.number);
                let found = blocker::find(self.session, &schema, &[], None).await;
                Err(lock_wait(script, statement, first.number, found).into())
            }
            // The Data API stopped it after its 45 s, and would again.
            SessionError::StillRunning { .. } => Err(Unfinished::Stop(failure(
                script,
                statement,
                first.number,
                error,
            ))),
            error => Err(Unfinished::Again(error)),
        }
    }

    /// Renews the lease inside the open transaction, which so holds its row.
    pub(super) async fn hold_lease(&mut self) -> Result<(), Unfinished> {
        match lease::renew(self.session, &self.tables, self.token, self.options.lease).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                drop(self.session.rollback().await);
                let lost = lease::lost(self.session, &self.tables).await;
                Err(Unfinished::Stop(lost.into()))
            }
            Err(error) => Err(Unfinished::Again(error)),
        }
    }

    /// Whether a transaction whose commit gave no answer was committed. It held the lease's row, so once that row can
    /// be had it has ended one way or the other, and its journal row says which.
    async fn was_committed(&mut self, script: &Script, number: usize) -> Result<bool, Unfinished> {
        drop(self.session.rollback().await);
        self.session.begin().await.map_err(undecided)?;
        self.hold_lease().await?;
        let sql = format!(
            "SELECT COUNT(*) FROM {} WHERE version = {} AND phase = '{}' AND position = {number} AND token = {}",
            self.tables.statement,
            script.id.version.number(),
            script.id.phase.name(),
            self.token
        );
        let rows = self.session.query(&sql, &[]).await.map_err(undecided)?;
        drop(self.session.rollback().await);
        Ok(rows.first().and_then(|row| row.first()) == Some(&Value::Long(1)))
    }
}

/// The answer of the commit is lost and the journal cannot be asked: the next run will.
fn undecided(source: SessionError) -> Unfinished {
    Unfinished::Stop(Error::session("asking whether a transaction was committed", source).into())
}
