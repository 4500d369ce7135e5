//! A cluster that pauses: after a time without work it goes to 0 ACU, the first call after that wakes it, and until it is
//! awake every call is refused with `DatabaseResumingException`.
//!
//! Only the refusal is played here; the server itself runs on.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html>

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

/// When a cluster pauses and how long it then takes to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AutoPause {
    /// Without a statement or an open transaction. AWS takes 5 minutes to a day.
    pub after: Duration,
    /// About 15 s on AWS, and more after a day asleep.
    pub resume: Duration,
}

/// Whether a cluster is awake. Time is what the caller says it is.
#[derive(Debug)]
enum State {
    Awake {
        /// Calls that are at work.
        working: u32,
        /// The end of the last one.
        since: Instant,
    },
    Resuming {
        until: Instant,
    },
}

impl State {
    /// Whether a call that arrives now is taken. The one that finds the cluster paused wakes it.
    fn arrive(&mut self, pause: AutoPause, in_transaction: bool, now: Instant) -> bool {
        match self {
            Self::Awake { working, since } => {
                if *working > 0 || in_transaction || now < *since + pause.after {
                    return true;
                }
                *self = Self::Resuming {
                    until: now + pause.resume,
                };
                false
            }
            Self::Resuming { until } if now < *until => false,
            Self::Resuming { .. } => {
                *self = Self::Awake {
                    working: 0,
                    since: now,
                };
                true
            }
        }
    }

    fn begin(&mut self) {
        if let Self::Awake { working, .. } = self {
            *working += 1;
        }
    }

    fn end(&mut self, now: Instant) {
        if let Self::Awake { working, since } = self {
            *working = working.saturating_sub(1);
            *since = now;
        }
    }
}

/// The rest of one cluster: with settings where it pauses at all.
#[derive(Debug)]
pub(super) struct Rest {
    pause: Option<AutoPause>,
    // Never held across an await.
    state: Mutex<State>,
}

/// A call at work. The cluster stays awake until it is dropped.
#[derive(Debug)]
pub(super) struct Working {
    rest: Arc<Rest>,
}

impl Rest {
    pub(super) fn new(pause: Option<AutoPause>) -> Arc<Self> {
        Arc::new(Self {
            pause,
            state: Mutex::new(State::Awake {
                working: 0,
                since: Instant::now(),
            }),
        })
    }

    /// Whether a call is taken. `in_transaction`: whether any transaction is open, which keeps the cluster awake.
    pub(super) fn is_awake(&self, in_transaction: bool) -> bool {
        self.pause
            .is_none_or(|pause| self.state().arrive(pause, in_transaction, Instant::now()))
    }

    pub(super) fn work(self: &Arc<Self>) -> Working {
        if self.pause.is_some() {
            self.state().begin();
        }
        Working {
            rest: Arc::clone(self),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it is held")
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if self.rest.pause.is_some() {
            self.rest.state().end(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_call_after_the_pause_wakes_the_cluster_and_is_refused() {
        let pause = AutoPause {
            after: Duration::from_secs(300),
            resume: Duration::from_secs(15),
        };
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut state = State::Awake {
            working: 0,
            since: begin,
        };
        assert!(state.arrive(pause, false, at(299)));
        state.begin();
        // Work keeps it awake, and so does a transaction between two calls.
        assert!(state.arrive(pause, false, at(1000)));
        state.end(at(1000));
        assert!(state.arrive(pause, true, at(2000)));
        assert!(!state.arrive(pause, false, at(2000)));
        assert!(!state.arrive(pause, false, at(2014)));
        assert!(state.arrive(pause, false, at(2015)));
        assert!(state.arrive(pause, false, at(2300)));
        assert!(!state.arrive(pause, false, at(2315)));
    }
}
