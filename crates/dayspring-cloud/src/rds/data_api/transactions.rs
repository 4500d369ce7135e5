//! Open transactions: each holds a session of its own between calls, until it is ended or its time is over.
//!
//! A transaction that no call used for three minutes, or that is a day old, is rolled back and its id is gone: else a
//! client that died would hold its locks for ever.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::fault::{Fault, Gone};
use super::pool::Session;
use crate::rds::random;

/// Ended transactions whose end is remembered, so that a late call learns of it.
const REMEMBERED_MAX: usize = 1000;

/// The service's ids are base64 texts of about this many bytes, and at most 192 characters.
const ID_BYTES: usize = 132;

/// How long a transaction lives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lifetime {
    pub(super) idle: Duration,
    pub(super) total: Duration,
}

impl Lifetime {
    /// When a transaction ends that began then and was last used then.
    fn end(self, began: Instant, used: Instant) -> Instant {
        (used + self.idle).min(began + self.total)
    }
}

/// The transactions of one cluster. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Transactions {
    table: Arc<Mutex<Table>>,
    lifetime: Lifetime,
}

#[derive(Debug, Default)]
struct Table {
    open: HashMap<String, Entry>,
    ended: VecDeque<(String, Gone)>,
}

#[derive(Debug)]
struct Entry {
    database: Option<String>,
    began: Instant,
    state: State,
    /// Ends the transaction when its time is over.
    timer: AbortHandle,
}

#[derive(Debug)]
enum State {
    Idle {
        session: Box<Session>,
        since: Instant,
    },
    /// A call has the session.
    Busy,
}

impl Transactions {
    pub(super) fn new(lifetime: Lifetime) -> Self {
        Self {
            table: Arc::default(),
            lifetime,
        }
    }

    /// Keeps a session in which a transaction was begun, and gives it an id.
    pub(super) fn open(&self, session: Session, database: Option<String>) -> String {
        let id = random::base64(ID_BYTES);
        let now = Instant::now();
        // The table is held meanwhile, so that the timer's first look finds the entry.
        let mut table = self.table();
        let timer = tokio::spawn(watch(
            Arc::downgrade(&self.table),
            self.lifetime,
            id.clone(),
        ));
        table.open.insert(
            id.clone(),
            Entry {
                database,
                began: now,
                state: State::Idle {
                    session: Box::new(session),
                    since: now,
                },
                timer: timer.abort_handle(),
            },
        );
        id
    }

    /// Hands the session to a call.
    ///
    /// # Errors
    ///
    /// There is no such transaction, another call has its session, or it was begun on another database.
    pub(super) fn take(&self, id: &str, database: Option<&str>) -> Result<Session, Fault> {
        let mut table = self.table();
        let Some(entry) = table.open.get_mut(id) else {
            let gone = table
                .ended
                .iter()
                .find(|(ended, _)| ended == id)
                .map_or(Gone::Expired, |(_, gone)| *gone);
            return Err(Fault::transaction_not_found(id, gone));
        };
        if database.is_some() && database != entry.database.as_deref() {
            return Err(Fault::validation(
                "Database name is not the same as when transaction was created",
            ));
        }
        match std::mem::replace(&mut entry.state, State::Busy) {
            State::Idle { session, .. } => Ok(*session),
            State::Busy => Err(Fault::busy_transaction()),
        }
    }

    /// Takes the session back after a call. Nothing happens if the transaction was ended meanwhile: the session ends, and
    /// the server rolls back.
    pub(super) fn give(&self, id: &str, session: Session) {
        if let Some(entry) = self.table().open.get_mut(id) {
            entry.state = State::Idle {
                session: Box::new(session),
                since: Instant::now(),
            };
        }
    }

    /// Forgets the transaction.
    pub(super) fn end(&self, id: &str, gone: Gone) {
        let mut table = self.table();
        if let Some(entry) = table.open.remove(id) {
            entry.timer.abort();
            table.remember(id, gone);
        }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.table().open.is_empty()
    }

    /// Ends all of them; their sessions end with their server.
    pub(super) fn clear(&self) {
        let mut table = self.table();
        for (_, entry) in table.open.drain() {
            entry.timer.abort();
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        lock(&self.table)
    }
}

impl Table {
    fn remember(&mut self, id: &str, gone: Gone) {
        if self.ended.len() == REMEMBERED_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back((id.to_owned(), gone));
    }
}

/// Never held across an await.
fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().expect("nothing panics while it is held")
}

/// What the timer does next.
enum Next {
    Look(Instant),
    RollBack(Box<Session>),
    Nothing,
}

async fn watch(table: Weak<Mutex<Table>>, lifetime: Lifetime, id: String) {
    let mut wake = Instant::now();
    loop {
        tokio::time::sleep_until(wake).await;
        let Some(table) = table.upgrade() else {
            return;
        };
        match look(&table, lifetime, &id) {
            Next::Look(at) => wake = at,
            Next::Nothing => return,
            Next::RollBack(mut session) => {
                // Should the server be gone, then so is the transaction.
                drop(session.connection.query_drop("ROLLBACK").await);
                drop(session.connection.disconnect().await);
                return;
            }
        }
    }
}

fn look(table: &Mutex<Table>, lifetime: Lifetime, id: &str) -> Next {
    let now = Instant::now();
    let mut table = lock(table);
    let Some(entry) = table.open.get_mut(id) else {
        return Next::Nothing;
    };
    let end = match &entry.state {
        State::Idle { since, .. } => lifetime.end(entry.began, *since),
        // A call is never interrupted; the transaction cannot be idle for too long before this.
        State::Busy => return Next::Look(now + lifetime.idle.min(lifetime.total)),
    };
    if now < end {
        return Next::Look(end);
    }
    let Some(entry) = table.open.remove(id) else {
        return Next::Nothing;
    };
    table.remember(id, Gone::Expired);
    match entry.state {
        State::Idle { session, .. } => Next::RollBack(session),
        State::Busy => Next::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_ends_three_minutes_after_its_last_use_and_a_day_after_it_began() {
        let lifetime = Lifetime {
            idle: Duration::from_secs(180),
            total: Duration::from_secs(24 * 60 * 60),
        };
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        assert_eq!(lifetime.end(began, began), at(180));
        assert_eq!(lifetime.end(began, at(80_000)), at(80_180));
        assert_eq!(lifetime.end(began, at(86_390)), at(86_400));
    }
}
