//! Sessions with the database. One that a caller left clean goes to the next caller of the same account and database; one
//! that was left with anything in it is reset first, and never handed on if that fails.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

use super::statement::Trace;
use crate::rds::mariadb::{Account, Endpoint, Kind};

/// Sessions that wait for the next caller, for each account and database.
const IDLE_MAX: usize = 64;

/// Whose a session is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Owner {
    pub(super) account: Account,
    pub(super) database: Option<String>,
}

/// A connection in use.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) connection: Conn,
    owner: Owner,
    generation: u64,
    /// The pool's, when it was made.
    epoch: u64,
    /// What its statements have left in it since it was taken.
    trace: Trace,
}

impl Session {
    /// A statement leaves something in it.
    pub(super) fn mark(&mut self, trace: Trace) {
        self.trace = self.trace.max(trace);
    }
}

/// The idle sessions of one cluster.
#[derive(Debug, Default)]
pub(super) struct Pool {
    // Never held across an await.
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    sessions: HashMap<Owner, Vec<Session>>,
    /// Counts the changes of accounts: an earlier session logged in with what may hold no longer.
    epoch: u64,
}

async fn is_reset(connection: &mut Conn) -> bool {
    connection.reset().await.unwrap_or(false)
}

/// MySQL calls it `NONE`.
async fn has_no_role(connection: &mut Conn) -> bool {
    let role: mysql_async::Result<Option<bool>> = connection
        .query_first("SELECT COALESCE(CURRENT_ROLE(), 'NONE') = 'NONE'")
        .await;
    matches!(role, Ok(Some(true)))
}

impl Pool {
    /// An idle session with this server, or a new one.
    ///
    /// # Errors
    ///
    /// The server refuses the account or the database, or does not answer.
    pub(super) async fn take(
        &self,
        endpoint: &Endpoint,
        owner: Owner,
    ) -> mysql_async::Result<Session> {
        while let Some(mut session) = self.idle_session(endpoint.generation, &owner) {
            // Somebody else's server ends sessions that were idle for long, and its restart is not seen here.
            if endpoint.kind == Kind::Private || session.connection.ping().await.is_ok() {
                return Ok(session);
            }
        }
        let epoch = self.idle().epoch;
        let connection = endpoint
            .connect(&owner.account, owner.database.as_deref())
            .await?;
        Ok(Session {
            connection,
            owner,
            generation: endpoint.generation,
            epoch,
            trace: Trace::None,
        })
    }

    /// Takes a session back.
    pub(super) async fn give(&self, mut session: Session) {
        let clean = match session.trace {
            Trace::None => true,
            Trace::State => is_reset(&mut session.connection).await,
            Trace::Called => {
                is_reset(&mut session.connection).await
                    && has_no_role(&mut session.connection).await
            }
            Trace::Kept => false,
        };
        session.trace = Trace::None;
        if clean && let Err(session) = self.keep(session) {
            // Nobody waits for it and its server rolls back whatever it held.
            drop(session.connection.disconnect().await);
        }
    }

    /// Accounts may have other passwords now, or be gone: none of the sessions until now is handed on.
    pub(super) fn forget(&self) {
        let mut idle = self.idle();
        idle.epoch += 1;
        idle.sessions.clear();
    }

    fn idle_session(&self, generation: u64, owner: &Owner) -> Option<Session> {
        let mut idle = self.idle();
        let sessions = idle.sessions.get_mut(owner)?;
        // Sessions with an earlier run of the server are dead.
        while let Some(session) = sessions.pop() {
            if session.generation == generation {
                return Some(session);
            }
        }
        None
    }

    fn keep(&self, session: Session) -> Result<(), Box<Session>> {
        let mut idle = self.idle();
        if session.epoch != idle.epoch {
            return Err(Box::new(session));
        }
        let sessions = idle.sessions.entry(session.owner.clone()).or_default();
        if sessions.len() < IDLE_MAX {
            sessions.push(session);
            Ok(())
        } else {
            Err(Box::new(session))
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().expect("nothing panics while it is held")
    }
}
