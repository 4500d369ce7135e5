//! The processes of one version of a function: as many as there are requests at once, the idle ones kept for a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::control::CONCURRENCY_MAX;
use super::environment::Environment;
use super::sandbox::Vacant;

/// See the module.
#[derive(Debug)]
pub(super) struct Pool {
    /// Held for a few assignments only, never across an await.
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    concurrency_max: u32,
    running: u32,
    /// The one used last is at the end and is used next, so that the others grow old.
    idle: Vec<Idle>,
    /// Environments whose process was ended by what it did, with the moment of its end. The last is used next.
    vacant: Vec<(Vacant, Instant)>,
    /// The function was replaced or deleted: what comes back is ended.
    retired: bool,
}

#[derive(Debug)]
struct Idle {
    environment: Arc<Environment>,
    since: Instant,
}

/// The right to run one request. Ends when it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    pool: Arc<Pool>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.pool.inner().running -= 1;
    }
}

impl Pool {
    pub(super) fn new(reserved_concurrency: Option<u32>) -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::new(Inner {
                concurrency_max: reserved_concurrency.unwrap_or(CONCURRENCY_MAX),
                running: 0,
                idle: Vec::new(),
                vacant: Vec::new(),
                retired: false,
            }),
        })
    }

    /// Sets how many requests may run at once. Those that run go on.
    pub(super) fn allow(&self, reserved_concurrency: Option<u32>) {
        self.inner().concurrency_max = reserved_concurrency.unwrap_or(CONCURRENCY_MAX);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None`: as many as are allowed run already.
    pub(super) fn admit(self: &Arc<Self>) -> Option<Permit> {
        let mut inner = self.inner();
        if inner.running >= inner.concurrency_max {
            return None;
        }
        // Invariant: one for each living `Permit`.
        inner.running += 1;
        drop(inner);
        Some(Permit {
            pool: Arc::clone(self),
        })
    }

    /// An idle process that waits for an event, or else one that has answered and is about to ask for more.
    pub(super) fn take(&self) -> Option<Arc<Environment>> {
        let mut inner = self.inner();
        let last = inner.idle.len().checked_sub(1)?;
        let index = inner
            .idle
            .iter()
            .rposition(|idle| idle.environment.session.is_asking())
            .unwrap_or(last);
        // Order is kept: the oldest stays in front.
        Some(inner.idle.remove(index).environment)
    }

    /// A process has answered.
    pub(super) fn give_back(&self, environment: Arc<Environment>, now: Instant) {
        let mut inner = self.inner();
        if inner.retired {
            environment.kill();
        } else {
            inner.idle.push(Idle {
                environment,
                since: now,
            });
        }
    }

    /// A process is still busy with what it does after an answer: it is taken again last.
    pub(super) fn put_off(&self, environment: Arc<Environment>, now: Instant) {
        let mut inner = self.inner();
        if inner.retired {
            environment.kill();
        } else {
            inner.idle.insert(
                0,
                Idle {
                    environment,
                    since: now,
                },
            );
        }
    }

    /// The process of an environment is ended by what it did: the next one has its `/tmp`.
    pub(super) fn vacate(&self, environment: &Environment, now: Instant) {
        let mut inner = self.inner();
        if !inner.retired
            && let Some(vacant) = environment.vacate()
        {
            inner.vacant.push((vacant, now));
        }
    }

    /// The environment that lost its process last.
    pub(super) fn take_vacant(&self) -> Option<Vacant> {
        self.inner().vacant.pop().map(|(vacant, _)| vacant)
    }

    /// A process is gone. One that was idle ended by itself.
    pub(super) fn forget(&self, environment: &Environment, now: Instant) {
        let number = environment.number();
        let mut inner = self.inner();
        let before = inner.idle.len();
        inner
            .idle
            .retain(|idle| idle.environment.number() != number);
        let was_idle = inner.idle.len() < before;
        drop(inner);
        if was_idle {
            self.vacate(environment, now);
        }
    }

    /// Ends what was idle for long.
    pub(super) fn end_idle(&self, idle_max: Duration, now: Instant) {
        let mut inner = self.inner();
        inner
            .vacant
            .retain(|(_, since)| now.saturating_duration_since(*since) < idle_max);
        inner.idle.retain(|idle| {
            let keep = now.saturating_duration_since(idle.since) < idle_max;
            if !keep {
                idle.environment.kill();
            }
            keep
        });
    }

    /// Ends the idle ones now and the others when they have answered.
    pub(super) fn retire(&self) {
        let mut inner = self.inner();
        inner.retired = true;
        inner.vacant.clear();
        for idle in inner.idle.drain(..) {
            idle.environment.kill();
        }
    }
}
