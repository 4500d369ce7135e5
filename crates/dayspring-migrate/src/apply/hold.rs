//! The lease in a run's hands: waiting for it, working only over the connection that it names, and ending the connection
//! of a holder that was stopped.

use std::time::Duration;

use super::{ATTEMPTS_MAX, Event, Run, Stop};
use crate::connection::{Connection, Ended, Life};
use crate::error::Error;
use crate::lease::{self, Applicant, Holder, Taken};
use crate::session::{Session, SessionError};

/// How often the lease may be found locked and nobody's, by one who would not wait for it: another is just taking it.
const UNREAD_MAX: u32 = 10;

/// What waiting for the lease has come to.
enum Wait {
    /// It is over: the holder's connection has ended.
    Gone,
    /// It goes on.
    On,
}

/// The connection over which a statement was sent whose answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Former {
    /// None that could be ended: the request may be on its way.
    None,
    /// It has ended: nothing that was sent over it runs or can begin.
    Ended,
    /// It is about to.
    Ending,
}

impl<S: Session> Run<'_, S> {
    /// Waits for the lease; false when the time is up.
    pub(super) async fn take_lease(&mut self) -> Result<bool, Error> {
        let mut waited = Duration::ZERO;
        let mut lost_answers = 0;
        let mut gone: Option<Holder> = None;
        loop {
            let taken = self.try_to_take(gone.as_ref()).await;
            match taken {
                Ok(Taken::Ours(token)) => {
                    self.token = token;
                    self.ended_token = gone.map(|gone| gone.token());
                    return Ok(true);
                }
                Ok(Taken::Held(holder)) => {
                    if let Wait::Gone = self.look_at(&holder).await? {
                        // The row is asked again at once, and tells whether it is still that holder's.
                        gone = Some(holder);
                        continue;
                    }
                    let expires_in_seconds = holder.expires_in_seconds.max(0);
                    if waited >= self.options.lease_wait {
                        return Err(Error::LeaseHeld {
                            owner: holder.owner,
                            expires_in_seconds,
                        });
                    }
                    (self.observer)(Event::Waiting {
                        owner: &holder.owner,
                        expires_in_seconds,
                    });
                }
                Ok(Taken::Again)
                    if waited >= self.options.lease_wait && lost_answers >= UNREAD_MAX =>
                {
                    return Err(lease::locked(self.session, &self.database).await);
                }
                Ok(Taken::Again) => lost_answers += 1,
                Err(SessionError::Refused { code: 1213, .. }) => lost_answers += 1,
                Err(source @ SessionError::Refused { .. }) => {
                    return Err(Error::session("taking the lease", source));
                }
                Err(source) if lost_answers >= ATTEMPTS_MAX => {
                    return Err(Error::session("taking the lease", source));
                }
                Err(_) => lost_answers += 1,
            }
            if self.is_late() {
                return Ok(false);
            }
            self.session.pause(self.options.poll).await;
            waited += self.options.poll;
        }
    }

    async fn try_to_take(&mut self, gone: Option<&Holder>) -> Result<Taken, SessionError> {
        self.over = self.connection().await?;
        let applicant = Applicant {
            owner: &self.options.owner,
            time: self.options.lease,
            over: self.over.as_ref(),
            gone,
        };
        lease::take(self.session, &self.tables, applicant).await
    }

    /// The connection over which the next statement goes.
    async fn connection(&mut self) -> Result<Option<Connection>, SessionError> {
        let Some(id) = self.session.connection().await? else {
            return Ok(None);
        };
        match &self.over {
            Some(over) if over.id == id => Ok(Some(over.clone())),
            Some(_) | None => Connection::of_session(self.session, id).await.map(Some),
        }
    }

    /// Looks whether a holder lives, and ends the connection of one that was stopped: idle, and past its lease.
    async fn look_at(&mut self, holder: &Holder) -> Result<Wait, Error> {
        let Some(over) = &holder.over else {
            return Ok(Wait::On);
        };
        let own = match &self.over {
            Some(own) => own.clone(),
            // From the Data API a connection is seen too; the number is not its own and is not compared.
            None => match Connection::of_session(self.session, 0).await {
                Ok(own) => own,
                Err(_) => return Ok(Wait::On),
            },
        };
        let Ok(life) = over.look(self.session, &own).await else {
            return Ok(Wait::On);
        };
        let is_late = holder.expires_in_seconds <= 0;
        let is_longer = |seconds: i64, than: Duration| {
            u64::try_from(seconds).is_ok_and(|seconds| seconds >= than.as_secs())
        };
        let ends = match life {
            Life::Gone => return Ok(Wait::Gone),
            Life::Idle { seconds } => is_longer(seconds, self.options.idle),
            Life::Working {
                waits_for_lock,
                seconds,
            } => waits_for_lock && is_longer(seconds, self.options.lock_wait),
            Life::Hidden => true,
        };
        if !(is_late && ends) {
            return Ok(Wait::On);
        }
        match over.end(self.session).await {
            Ok(Ended::Gone) => Ok(Wait::Gone),
            // A transaction is being rolled back; the next look is after a pause.
            Ok(Ended::Ending) | Err(_) => Ok(Wait::On),
            Ok(Ended::Denied) => Err(Error::HolderStopped {
                owner: holder.owner.clone(),
                connection: over.id,
            }),
        }
    }

    /// Sees to it that the next statement goes over the connection that the lease names, and that the lease is ours.
    pub(super) async fn pin(&mut self) -> Result<(), Stop> {
        let failed = |source| Error::session("naming the connection in the lease", source);
        let over = self.connection().await.map_err(failed)?;
        if over.is_some() && over == self.over {
            // Whoever takes the lease ends this connection first.
            return Ok(());
        }
        self.over = over;
        let moved = lease::move_to(
            self.session,
            &self.tables,
            self.token,
            self.over.as_ref(),
            self.options.lease,
        );
        match moved.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(lease::lost(self.session, &self.tables).await.into()),
            Err(source) => Err(failed(source).into()),
        }
    }

    /// Ends the connection over which this run sent a statement, if the session has lost it.
    pub(super) async fn end_former_connection(&mut self) -> Result<Former, SessionError> {
        let Some(former) = self.over.clone() else {
            return Ok(Former::None);
        };
        // On the session's own connection nothing runs while it asks.
        let own = self.session.connection().await?;
        if own == Some(former.id) {
            return Ok(Former::Ended);
        }
        let own = Connection::of_session(self.session, own.unwrap_or_default()).await?;
        if former.is_of_another_start(&own) {
            return Ok(Former::Ended);
        }
        Ok(match former.end(self.session).await? {
            Ended::Gone => Former::Ended,
            Ended::Ending => Former::Ending,
            Ended::Denied => Former::None,
        })
    }
}
