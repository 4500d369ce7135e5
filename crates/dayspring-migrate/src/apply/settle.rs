//! A statement that was begun and whose end is not known: first it must have ended, then the database says how.

use std::time::Duration;

use super::hold::Former;
use super::{Event, Quiet, Run, Stop, Unfinished, after};
use crate::apply::schema::tag;
use crate::blocker::{self, Blockers};
use crate::connection::{IS_BUSY, is_lock_wait, process_list, whole};
use crate::error::Error;
use crate::fingerprint::{Fingerprint, Verdict, decide};
use crate::journal::{Entry, Journal, State, StatementRecord, Step, read_token};
use crate::refusal::Refusal;
use crate::script::{Script, Statement};
use crate::session::{Session, SessionError, Value};
use crate::statement::{Analysis, Class, Object, Recovery, analyse, used_database};

impl<S: Session> Run<'_, S> {
    /// Settles what an earlier run left; true when the statement is applied.
    pub(super) async fn settle_recorded(
        &mut self,
        journal: &Journal,
        script: &Script,
        number: usize,
    ) -> Result<bool, Stop> {
        let Some(record) = journal.record(script.id, number) else {
            return Ok(false);
        };
        let now = script.statements.get(number - 1);
        match now.filter(|statement| statement.digest == record.digest) {
            Some(statement) => {
                let applied = self.settle(script, statement, &record.state).await?;
                (self.observer)(Event::Settled {
                    path: &script.path,
                    number,
                    applied,
                });
                Ok(applied)
            }
            None => self.settle_edited(script, record, now).await,
        }
    }

    /// The statement was edited after it was begun. If it did not take effect, the edit stands; else it came too late.
    async fn settle_edited(
        &mut self,
        script: &Script,
        record: &StatementRecord,
        now: Option<&Statement>,
    ) -> Result<bool, Stop> {
        let text = record.text.clone().unwrap_or_default();
        let mut analysis = analyse(&text, None).by_itself();
        // A directive above the new text speaks of the old one too: there is nowhere else to write it.
        if let (Class::Schema(Recovery::Undecidable(_)), Some(now)) = (&analysis.class, now) {
            analysis.class = now.analysis.by_itself().class;
        }
        let entry = |state| Entry {
            id: script.id,
            number: record.number,
            class: "schema",
            line: now.map_or(0, |statement| statement.line),
            raw_digest: crate::Digest::of_bytes(text.as_bytes()),
            digest: record.digest,
            text: &text,
            state,
        };
        let place =
            || script.place_of(now.unwrap_or(&script.statements[script.statements.len() - 1]));
        match self
            .settled_verdict(script, record.number, &text, &analysis, &record.state)
            .await?
        {
            Verdict::NotApplied => {
                let pending = after(record.state.clone(), Step::FindAbsent)?;
                self.record_entry(&entry(pending)).await?;
                (self.observer)(Event::Settled {
                    path: &script.path,
                    number: record.number,
                    applied: false,
                });
                Ok(false)
            }
            Verdict::Partly(_) => {
                let evidence =
                    "some of what the statement dropped is gone, and the rest is as before"
                        .to_owned();
                let doubt = Step::Doubt {
                    evidence: evidence.clone(),
                };
                self.record_entry(&entry(after(record.state.clone(), doubt)?))
                    .await?;
                Err(in_doubt(place(), record.number, script, evidence))
            }
            Verdict::Applied => {
                let applied = after(record.state.clone(), Step::Succeed)?;
                self.record_entry(&entry(applied)).await?;
                let refusal = match now {
                    Some(statement) => Refusal::Edited {
                        place: Box::new(place()),
                        number: record.number,
                        now: script.text_of(statement).to_owned(),
                        recorded: Some(text),
                    },
                    None => Refusal::Removed {
                        path: script.path.clone(),
                        number: record.number,
                        recorded: Some(text),
                    },
                };
                Err(Error::from(Box::new(refusal)).into())
            }
            Verdict::InDoubt(evidence) => {
                let doubt = after(
                    record.state.clone(),
                    Step::Doubt {
                        evidence: evidence.clone(),
                    },
                )?;
                self.record_entry(&entry(doubt)).await?;
                Err(in_doubt(place(), record.number, script, evidence))
            }
        }
    }

    /// Waits until a begun statement has ended and asks the database what became of it. True: applied and recorded.
    /// False: it has no effect and may be sent.
    pub(super) async fn settle(
        &mut self,
        script: &Script,
        statement: &Statement,
        state: &State,
    ) -> Result<bool, Stop> {
        let text = script.text_of(statement);
        // Only where its rows are in no transaction is a data statement written down before it is sent.
        let analysis = statement.analysis.by_itself();
        self.known.forget(&analysis);
        match self
            .settled_verdict(script, statement.number, text, &analysis, state)
            .await?
        {
            Verdict::NotApplied => Ok(false),
            Verdict::Partly(rest) => {
                // Until it is recorded, a crash here finds the same state, or the one after it.
                match self.send_text(script, statement, &rest, false).await {
                    Ok(()) => {}
                    Err(Unfinished::Stop(stop)) => return Err(stop),
                    Err(Unfinished::Again(source)) => {
                        return Err(Error::session(
                            "dropping the rest of what a statement drops",
                            source,
                        )
                        .into());
                    }
                }
                let applied = after(state.clone(), Step::Succeed)?;
                self.record(script, statement, applied).await?;
                self.tell_applied(script, statement.number, statement.number);
                Ok(true)
            }
            Verdict::Applied => {
                let applied = after(state.clone(), Step::Succeed)?;
                self.record(script, statement, applied).await?;
                self.tell_applied(script, statement.number, statement.number);
                Ok(true)
            }
            Verdict::InDoubt(evidence) => {
                let doubt = after(
                    state.clone(),
                    Step::Doubt {
                        evidence: evidence.clone(),
                    },
                )?;
                self.record(script, statement, doubt).await?;
                Err(in_doubt(
                    script.place_of(statement),
                    statement.number,
                    script,
                    evidence,
                ))
            }
        }
    }

    async fn verdict(
        &mut self,
        script: &Script,
        number: usize,
        sql: &str,
        analysis: &Analysis,
        state: &State,
    ) -> Result<Verdict, Stop> {
        let before = match state {
            State::Started { before } | State::InDoubt { before, .. } => before.as_ref(),
            State::Pending | State::Applied | State::Failed { .. } => None,
        };
        let failed = |source| {
            Stop::from(Error::session(
                "looking at what a statement touches",
                source,
            ))
        };
        match (&analysis.class, before) {
            (Class::Schema(Recovery::Idempotent), _) => Ok(Verdict::NotApplied),
            (Class::Schema(Recovery::Verify(query)), _) => {
                Ok(if self.verify(script, number, query).await? {
                    Verdict::Applied
                } else {
                    Verdict::NotApplied
                })
            }
            (Class::Schema(Recovery::Fingerprint), Some(before)) => {
                let schema = self.schema_at(script, number);
                let now = Fingerprint::take(self.session, analysis, &schema)
                    .await
                    .map_err(failed)?;
                let verdict = decide(sql, analysis, before, &now);
                match &analysis.touched[..] {
                    [made] if analysis.fills && verdict == Verdict::Applied => self
                        .filled(script, number, &made.object)
                        .await
                        .map_err(failed),
                    _ => Ok(verdict),
                }
            }
            (Class::Schema(Recovery::Undecidable(why)), _) => {
                Ok(Verdict::InDoubt((*why).to_owned()))
            }
            (Class::Schema(Recovery::Fingerprint), None) => Ok(Verdict::InDoubt(
                "the journal does not say what was before it".to_owned(),
            )),
            (Class::Data | Class::Session { .. } | Class::Refused(_), _) => Ok(Verdict::InDoubt(
                "the journal says of it what is only said of schema statements".to_owned(),
            )),
        }
    }

    /// Asks what a comment says, in the session that the statement has: after USE a name means another table.
    async fn verify(&mut self, script: &Script, number: usize, query: &str) -> Result<bool, Stop> {
        let failed = |source| Stop::from(Error::session("asking what a comment says", source));
        let statements = script
            .statements
            .get(number - 1..number)
            .unwrap_or_default();
        let needs_session = script
            .statements
            .iter()
            .take(number - 1)
            .any(|earlier| matches!(earlier.analysis.class, Class::Session { .. }));
        let answer = if needs_session {
            self.session.begin().await.map_err(failed)?;
            let answer = match self.replay_session(script, statements).await {
                Ok(()) => self.session.query(query, &[]).await.map_err(failed),
                Err(Unfinished::Again(source)) => Err(failed(source)),
                Err(Unfinished::Stop(stop)) => Err(stop),
            };
            drop(self.session.rollback().await);
            answer?
        } else {
            self.session.query(query, &[]).await.map_err(failed)?
        };
        let value = answer.first().and_then(|row| row.first());
        Ok(value.is_some_and(is_true))
    }

    /// MariaDB keeps the table when the server dies while it is filled, without its rows or with some of them. So it is
    /// whole if the server has run ever since the statement was about to be sent.
    async fn filled(
        &mut self,
        script: &Script,
        number: usize,
        table: &Object,
    ) -> Result<Verdict, SessionError> {
        // The server's age first: time that passes between the two answers makes doubt, and never a table whole.
        let sql = "SHOW GLOBAL STATUS LIKE 'Uptime'";
        let uptime = self.session.query(sql, &[]).await?;
        let uptime = uptime.first().and_then(|row| row.get(1)).and_then(whole);
        let sql = format!(
            "SELECT TIMESTAMPDIFF(SECOND, changed_at, UTC_TIMESTAMP()) FROM {} \
             WHERE version = {} AND phase = '{}' AND position = {number}",
            self.tables.statement,
            script.id.version.number(),
            script.id.phase.name()
        );
        let age = self.session.query(&sql, &[]).await?;
        let age = age.first().and_then(|row| row.first()).and_then(whole);
        Ok(match (age, uptime) {
            // Both are cut to whole seconds.
            (Some(age), Some(uptime)) if uptime > age + 1 => Verdict::Applied,
            _ => Verdict::InDoubt(format!(
                "{table} is there, and the server was started after the statement was sent: it may not have all its rows"
            )),
        })
    }

    /// Asks the database once no server session runs the statement, whoever sent it, and none can begin to. Where
    /// nothing of it is to be seen and the request may be on its way, it is asked again until the quiet has lasted. A
    /// statement is not sent again before it is settled, so one that was seen to run is not on its way.
    async fn settled_verdict(
        &mut self,
        script: &Script,
        number: usize,
        sql: &str,
        analysis: &Analysis,
        state: &State,
    ) -> Result<Verdict, Stop> {
        let token = read_token(self.session, &self.tables, script.id, number)
            .await
            .map_err(|source| Error::session("reading the journal", source))?;
        let is_own = token == Some(self.token);
        // Doubt was only told when it was quiet. A statement that may run again needs the quiet too: one that is still on
        // its way could begin after those that follow it, as a DROP TABLE IF EXISTS after the CREATE TABLE.
        let mut needs_quiet = matches!(state, State::Started { .. })
            && !(token.is_some() && token == self.ended_token);
        let mut quiet = match (token, self.options.was_quiet) {
            (Some(token), Some(was)) if token == was.token => was.lasted,
            _ => Duration::ZERO,
        };
        let mut followed = Duration::ZERO;
        let mut cancelled = None;
        loop {
            if let Some(running) = self.running(script, number).await? {
                needs_quiet = false;
                (self.observer)(Event::Following {
                    path: &script.path,
                    number,
                    doing: &running.doing,
                });
                if followed >= self.options.follow {
                    return Err(Stop::HandOver);
                }
                if running.waits_longer_than(self.options.lock_wait) {
                    cancelled = Some(self.cancel(script, number, analysis, running.id).await?);
                }
            } else {
                let former = if is_own {
                    self.end_former_connection().await.map_err(ending)?
                } else {
                    Former::None
                };
                needs_quiet &= former != Former::Ended;
                // While it is being ended the statement may still be rolled back.
                if former != Former::Ending {
                    let verdict = self.verdict(script, number, sql, analysis, state).await?;
                    if verdict == Verdict::Applied || !needs_quiet || quiet >= self.options.quiet {
                        self.blockers = cancelled;
                        return Ok(verdict);
                    }
                    quiet += self.options.poll;
                }
            }
            if self.is_late() {
                self.quiet = token.map(|token| Quiet {
                    token,
                    lasted: quiet,
                });
                return Err(Stop::HandOver);
            }
            self.session.pause(self.options.poll).await;
            followed += self.options.poll;
            self.keep_lease().await?;
        }
    }

    /// Cancels a statement that does nothing but wait for a lock, having looked who has it.
    async fn cancel(
        &mut self,
        script: &Script,
        number: usize,
        analysis: &Analysis,
        connection: i64,
    ) -> Result<Blockers, Stop> {
        let schema = self.schema_at(script, number);
        let found = blocker::find(self.session, &schema, &analysis.touched, Some(connection)).await;
        match self
            .session
            .execute(&format!("KILL QUERY {connection}"), &[])
            .await
        {
            // Refused: it has ended meanwhile, which the next look shows.
            Ok(_) | Err(SessionError::Refused { .. }) => Ok(found),
            Err(source) => Err(Error::session("cancelling a statement that waits", source).into()),
        }
    }

    /// What the server is doing with a statement, if it is running it.
    async fn running(&mut self, script: &Script, number: usize) -> Result<Option<Running>, Stop> {
        // No pattern: what a backslash is in one depends on the `sql_mode`.
        let begins = format!("/* {} token ", tag(&self.database, script, number));
        let sql = format!(
            "SELECT CAST(p.id AS SIGNED), CAST(p.state AS CHAR), CAST(p.time AS SIGNED), {IS_BUSY} \
             FROM information_schema.processlist p \
             WHERE p.id <> CONNECTION_ID() AND (LOCATE(:begins, p.info) = 1 OR {IS_BUSY})"
        );
        let parameters = [("begins", Value::Text(begins))];
        let rows = process_list(self.session, &sql, &parameters)
            .await
            .map_err(|source| Error::session("looking for a running statement", source))?;
        Ok(rows.first().map(|row| match row.as_slice() {
            [Value::Long(id), Value::Text(doing), Value::Long(seconds)] => Running {
                id: *id,
                doing: doing.clone(),
                seconds: u64::try_from(*seconds).unwrap_or(0),
            },
            _ => Running::default(),
        }))
    }

    async fn keep_lease(&mut self) -> Result<(), Stop> {
        match crate::lease::renew(self.session, &self.tables, self.token, self.options.lease).await
        {
            Ok(true) => Ok(()),
            Ok(false) => Err(crate::lease::lost(self.session, &self.tables).await.into()),
            Err(source) => Err(Error::session("renewing the lease", source).into()),
        }
    }

    /// The database in which a statement's names without one are: that of the last USE before it.
    pub(super) fn schema_at(&self, script: &Script, number: usize) -> String {
        let before = script.statements.iter().take(number - 1).rev();
        before
            .filter(|statement| matches!(statement.analysis.class, Class::Session { .. }))
            .find_map(|statement| used_database(script.text_of(statement)))
            .unwrap_or_else(|| self.database.clone())
    }
}

/// A statement in the process list.
#[derive(Debug, Default)]
struct Running {
    id: i64,
    /// The server's word for what it does.
    doing: String,
    seconds: u64,
}

impl Running {
    fn waits_longer_than(&self, lock_wait: Duration) -> bool {
        is_lock_wait(&self.doing) && self.seconds >= lock_wait.as_secs()
    }
}

fn ending(source: SessionError) -> Stop {
    Error::session("ending the connection that was lost", source).into()
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Long(number) => *number != 0,
        // A sum of decimals is a text: 0.00.
        Value::Text(text) => !text.is_empty() && text.parse() != Ok(0.0),
    }
}

fn in_doubt(place: crate::Place, number: usize, script: &Script, evidence: String) -> Stop {
    Stop::Error(Error::InDoubt {
        place: Box::new(place),
        number,
        total: script.statements.len(),
        evidence,
    })
}
