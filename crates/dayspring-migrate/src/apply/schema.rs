//! A schema statement: `started` before it, `applied` after it.

use super::{
    ATTEMPTS_MAX, Due, Run, Stop, Unfinished, after, failure, is_final, is_lock_trouble,
    is_lock_wait, lock_wait,
};
use crate::blocker::{self, Blockers};
use crate::error::Error;
use crate::fingerprint::Fingerprint;
use crate::journal::{Entry, State, Step, replace_fenced};
use crate::lease;
use crate::script::{Script, Statement};
use crate::session::{Recorded, Session, SessionError};
use crate::statement::{Class, Recovery};

const IDEMPOTENT: Class = Class::Schema(Recovery::Idempotent);

/// Whether only the moment when it runs shows what it does: a procedure's call, or rows that no transaction holds.
fn is_opaque(statement: &Statement) -> bool {
    statement.analysis.is_opaque || statement.analysis.class == Class::Data
}

impl<S: Session> Run<'_, S> {
    /// Runs a schema statement. `next` is the one after it, which may be in another script.
    pub(super) async fn run_schema(
        &mut self,
        script: &Script,
        statement: &Statement,
        next: Option<(&Script, &Statement)>,
    ) -> Result<(), Stop> {
        let before = self.before(script, statement).await?;
        let started = after(State::Pending, Step::Start { before })?;
        // A definition that is refused has done nothing; a procedure may have committed something before.
        let may_have_committed =
            is_opaque(statement) && statement.analysis.by_itself().class != IDEMPOTENT;
        let mut is_recorded = false;
        let mut attempt = 1;
        loop {
            self.tell_started(script, statement);
            let sent = if is_recorded {
                self.send(script, statement).await
            } else {
                self.record_and_send(script, statement, &started, next)
                    .await
            };
            let error = match sent {
                Ok(()) => break,
                Err(Unfinished::Stop(stop)) => return Err(stop),
                Err(Unfinished::Again(error)) => error,
            };
            is_recorded = true;
            match &error {
                SessionError::Refused { .. } if is_lock_wait(&error) => {
                    let schema = self.schema_at(script, statement.number);
                    let touched = &statement.analysis.touched;
                    let found = blocker::find(self.session, &schema, touched, None).await;
                    return Err(self
                        .give_up_waiting(script, statement, started, found)
                        .await);
                }
                SessionError::Refused { .. }
                    if attempt == ATTEMPTS_MAX
                        || may_have_committed
                        || !is_lock_trouble(&error) =>
                {
                    let failed = after(
                        started,
                        Step::Fail {
                            error: error.to_string(),
                        },
                    )?;
                    self.record(script, statement, failed).await?;
                    return Err(failure(script, statement, statement.number, error));
                }
                SessionError::Refused { .. } | SessionError::NotStarted { .. } => {}
                SessionError::Unknown { .. } | SessionError::StillRunning { .. } => {
                    if self.settle(script, statement, &started).await? {
                        return Ok(());
                    }
                    if let Some(found) = self.blockers.take() {
                        return Err(self
                            .give_up_waiting(script, statement, started, found)
                            .await);
                    }
                }
            }
            if attempt == ATTEMPTS_MAX {
                return Err(Error::session(
                    format!("running statement {} of {}", statement.number, script.path),
                    error,
                )
                .into());
            }
            attempt += 1;
            self.session.pause(self.options.poll).await;
        }
        after(started, Step::Succeed)?;
        self.known.forget(&statement.analysis);
        self.due.push(Due::Finish(script.id, statement.number));
        self.tell_applied(script, statement.number, statement.number);
        Ok(())
    }

    /// Records that a statement is about to be sent, and sends it: in one call where the session can do that. After
    /// this it is recorded, unless the run stops.
    async fn record_and_send(
        &mut self,
        script: &Script,
        statement: &Statement,
        started: &State,
        next: Option<(&Script, &Statement)>,
    ) -> Result<(), Unfinished> {
        if needs_session(script, statement) || is_opaque(statement) {
            self.record(script, statement, started.clone()).await?;
            return self.send(script, statement).await;
        }
        self.pin().await?;
        let entry = Entry::of(script, statement, started.clone());
        let started_write = replace_fenced(&self.tables, &entry, self.token);
        let writes = self.writes_with_due(Some(started_write));
        let tagged = self.tagged(script, statement.number, script.text_of(statement));
        let next = next.filter(|(_, next)| {
            next.analysis.class == Class::Schema(Recovery::Fingerprint) && !is_opaque(next)
        });
        let look = next.and_then(|(script, next)| {
            Fingerprint::only_look(&next.analysis, &self.schema_at(script, next.number))
        });
        let recorded = self
            .session
            .write_and_run(&writes, &tagged, look.as_deref())
            .await;
        match recorded {
            Recorded::Ran { answer, seen } => {
                self.due.clear();
                if let (Some((script, next)), Some(seen)) = (next, seen) {
                    let seen = Fingerprint::of_only_look(&next.analysis, seen);
                    self.seen = seen.map(|seen| (script.id, next.number, seen));
                }
                answer.map_err(Unfinished::Again)
            }
            Recorded::Untouched => {
                self.due.clear();
                let lost = lease::lost(self.session, &self.tables).await;
                Err(Unfinished::Stop(lost.into()))
            }
            Recorded::Unwritten(source) => {
                if is_final(&source) {
                    self.due.clear();
                    return Err(Stop::from(Error::session("writing the journal", source)).into());
                }
                self.session.pause(self.options.poll).await;
                self.record(script, statement, started.clone()).await?;
                self.send(script, statement).await
            }
            // What was to be recorded is said again: with this token it reads the same, whichever of the two is later.
            // What became of the statement is settled after that.
            Recorded::Unknown(source) => {
                self.record(script, statement, started.clone()).await?;
                Err(Unfinished::Again(source))
            }
        }
    }

    /// Records a statement that was cancelled while it waited for a lock.
    async fn give_up_waiting(
        &mut self,
        script: &Script,
        statement: &Statement,
        started: State,
        blockers: Blockers,
    ) -> Stop {
        let stop = lock_wait(script, statement, statement.number, blockers);
        let failed = Step::Fail {
            error: "it waited too long for a lock".to_owned(),
        };
        let recorded = match after(started, failed) {
            Ok(failed) => self.record(script, statement, failed).await,
            Err(stop) => Err(stop),
        };
        recorded.map_or_else(|stop| stop, |()| stop)
    }

    async fn before(
        &mut self,
        script: &Script,
        statement: &Statement,
    ) -> Result<Option<Fingerprint>, Stop> {
        // Nothing was sent since it was seen.
        let seen = self.seen.take();
        if statement.analysis.class != Class::Schema(Recovery::Fingerprint) {
            return Ok(None);
        }
        if let Some((id, number, seen)) = seen
            && (id, number) == (script.id, statement.number)
        {
            return Ok(Some(seen));
        }
        let schema = self.schema_at(script, statement.number);
        let taken = Fingerprint::take(self.session, &statement.analysis, &schema).await;
        taken
            .map(Some)
            .map_err(|source| Error::session("looking at what a statement touches", source).into())
    }

    /// Sends a statement with its tag. After session statements it needs their session, which only a transaction
    /// keeps. A definition commits that itself; what a procedure did is committed here, and until then no other
    /// migrator gets past the lease's row.
    async fn send(&mut self, script: &Script, statement: &Statement) -> Result<(), Unfinished> {
        self.send_text(
            script,
            statement,
            script.text_of(statement),
            is_opaque(statement),
        )
        .await
    }

    pub(super) async fn send_text(
        &mut self,
        script: &Script,
        statement: &Statement,
        text: &str,
        is_opaque: bool,
    ) -> Result<(), Unfinished> {
        let tagged = self.tagged(script, statement.number, text);
        self.pin().await?;
        if !needs_session(script, statement) && !is_opaque {
            return self
                .session
                .run(&tagged)
                .await
                .map(drop)
                .map_err(Unfinished::Again);
        }
        let not_started = |error: SessionError| {
            Unfinished::Again(SessionError::NotStarted {
                message: error.to_string(),
            })
        };
        self.session.begin().await.map_err(not_started)?;
        let mut prepared = Ok(());
        if is_opaque {
            prepared = self.hold_lease().await;
        }
        if prepared.is_ok() {
            prepared = self
                .replay_session(script, std::slice::from_ref(statement))
                .await;
        }
        let mut sent = match prepared {
            // The statement itself was not sent, whatever became of those before it.
            Err(Unfinished::Again(error)) => Err(not_started(error)),
            Err(stop) => Err(stop),
            Ok(()) => self
                .session
                .run(&tagged)
                .await
                .map(drop)
                .map_err(Unfinished::Again),
        };
        if sent.is_ok() && is_opaque {
            sent = self.session.commit().await.map_err(|error| {
                Unfinished::Again(match error {
                    refused @ SessionError::Refused { .. } => refused,
                    // It may have committed by itself before.
                    other => SessionError::Unknown {
                        message: other.to_string(),
                    },
                })
            });
        }
        // A definition has committed; this only gives the session back.
        drop(self.session.rollback().await);
        sent
    }

    fn tagged(&self, script: &Script, number: usize, text: &str) -> String {
        let tag = tag(&self.database, script, number);
        format!("/* {tag} token {} */ {text}", self.token)
    }
}

/// Whether session statements before it are to be said again for it.
fn needs_session(script: &Script, statement: &Statement) -> bool {
    script.statements[..statement.number - 1]
        .iter()
        .any(|earlier| matches!(earlier.analysis.class, Class::Session { .. }))
}

/// The comment that marks a statement in the process list.
pub(super) fn tag(database: &str, script: &Script, number: usize) -> String {
    let mut name = String::new();
    for char in database.chars() {
        // What could end a comment or a word is written as a number, so that no two databases have one name here.
        if char.is_alphanumeric() || char == '_' {
            name.push(char);
        } else {
            name.push_str(&format!("-{:x}-", u32::from(char)));
        }
    }
    format!("dayspring {name} {} statement {number}", script.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scripts;

    #[test]
    fn a_tag_is_a_comment_s_text_and_names_one_database() {
        let scripts = Scripts::parse("", [("v2.sql", "SELECT 1")]).unwrap();
        let script = scripts.iter().next().unwrap();
        let shown = ["blog_dev", "blog-dev", "blogdev", "a */ b"].map(|name| tag(name, script, 3));
        insta::assert_snapshot!(shown.join("\n"), @r"
        dayspring blog_dev v2 statement 3
        dayspring blog-2d-dev v2 statement 3
        dayspring blogdev v2 statement 3
        dayspring a-20--2a--2f--20-b v2 statement 3
        ");
    }
}
