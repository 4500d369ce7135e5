//! All connections of a port. One on which nothing is under way costs a socket and a small task: no timer and no other
//! waiter of its own. Somebody who looks at all of them now and then closes those that are idle for long, and at the end
//! all that are idle.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::connection::Patience;

/// How many times an idle connection is looked at until it is closed.
const LOOKS: u32 = 31;

/// See the module.
#[derive(Debug)]
pub(super) struct Connections {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    members: HashMap<Id, (AbortHandle, Arc<Life>)>,
    look: Interval,
}

#[derive(Debug)]
struct Shared {
    patience: Patience,
    begun: Instant,
    ending: AtomicBool,
}

/// Whether something is under way on a connection, which decides who may end it.
#[derive(Debug)]
pub(super) struct Life {
    shared: Arc<Shared>,
    state: AtomicU64,
}

/// [`Life`]: its own task ends it.
const BUSY: u64 = 0;

/// It is being closed.
const CLOSED: u64 = 1;

/// It is idle since so many milliseconds more after the port began.
const IDLE: u64 = 2;

impl Life {
    pub(super) fn patience(&self) -> &Patience {
        &self.shared.patience
    }

    /// The exchange that is under way is the last.
    pub(super) fn is_ending(&self) -> bool {
        // Sequentially consistent, as all of this: whoever rests sees the end, or the end sees who rests.
        self.shared.ending.load(Ordering::SeqCst)
    }

    /// Nothing is under way from now on. False: the connection is to end.
    #[must_use]
    pub(super) fn rest(&self) -> bool {
        let now = self.shared.millis(Instant::now());
        self.state.store(IDLE + now, Ordering::SeqCst);
        !self.is_ending()
    }

    /// Something is under way. False: it comes too late.
    #[must_use]
    pub(super) fn wake(&self) -> bool {
        let state = self.state.load(Ordering::SeqCst);
        state != CLOSED && self.replace(state, BUSY)
    }

    fn replace(&self, state: u64, next: u64) -> bool {
        self.state
            .compare_exchange(state, next, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
    }

    /// Whether it is idle since this moment or longer, and is now to be closed.
    fn close(&self, idle_since_max: u64) -> bool {
        let state = self.state.load(Ordering::SeqCst);
        state >= IDLE && state - IDLE <= idle_since_max && self.replace(state, CLOSED)
    }
}

impl Shared {
    fn millis(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.begun);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX - IDLE)
    }
}

impl Connections {
    pub(super) fn new(patience: Patience) -> Self {
        let mut look = interval((patience.idle / LOOKS).max(Duration::from_millis(1)));
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            shared: Arc::new(Shared {
                patience,
                begun: Instant::now(),
                ending: AtomicBool::new(false),
            }),
            tasks: JoinSet::new(),
            members: HashMap::new(),
            look,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Adds one, as the task that serves it. It is busy until it says otherwise.
    pub(super) fn add<F>(&mut self, serve: impl FnOnce(Arc<Life>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let life = Arc::new(Life {
            shared: Arc::clone(&self.shared),
            state: AtomicU64::new(BUSY),
        });
        let task = self.tasks.spawn(serve(Arc::clone(&life)));
        self.members.insert(task.id(), (task, life));
    }

    /// Waits until there is something to do about them and does it. To be called again and again; it may be dropped at any
    /// time.
    pub(super) async fn tend(&mut self) {
        tokio::select! {
            Some(ended) = self.tasks.join_next_with_id() => {
                let id = match ended {
                    Ok((id, ())) => id,
                    Err(error) => error.id(),
                };
                self.members.remove(&id);
            }
            _ = self.look.tick() => {
                let idle = u64::try_from(self.shared.patience.idle.as_millis()).unwrap_or(u64::MAX);
                let now = self.shared.millis(Instant::now());
                if let Some(since) = now.checked_sub(idle) {
                    self.close(since);
                }
            }
        }
    }

    /// From now on, no connection begins another exchange.
    pub(super) fn end(&self) {
        self.shared.ending.store(true, Ordering::SeqCst);
        self.close(u64::MAX);
    }

    /// Ends what is still under way, too.
    pub(super) async fn shutdown(&mut self) {
        self.tasks.shutdown().await;
    }

    fn close(&self, idle_since_max: u64) {
        for (task, life) in self.members.values() {
            if life.close(idle_since_max) {
                task.abort();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_idle_connection_is_closed_and_then_it_does_not_wake() {
        let life = Life {
            shared: Arc::new(Shared {
                patience: Patience::USUAL,
                begun: Instant::now(),
                ending: AtomicBool::new(false),
            }),
            state: AtomicU64::new(BUSY),
        };
        assert!(!life.close(u64::MAX), "it is busy");
        assert!(life.rest());
        assert!(life.wake() && !life.close(u64::MAX), "it is busy again");
        assert!(life.rest());
        assert!(life.close(u64::MAX) && !life.wake());
        life.shared.ending.store(true, Ordering::SeqCst);
        assert!(!life.rest(), "nothing begins after the end");
    }
}
