//! One runtime's conversation: the state machine with the parties that wait at it.
//!
//! Two sides meet here. The invoker offers an event and waits for its outcome; the runtime asks for an event and answers
//! it. Whoever comes first is found by the other: the invoker by a channel, the runtime by its [`Line`]. So a request costs
//! one lock on each side and no task of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::line::Line;
use super::process_log::ProcessLog;
use super::report::ReportStatus;
use super::runtime_state::{Refusal, RuntimeCall, RuntimeState};

/// What a runtime gets from `next`.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) request_id: String,
    pub(super) payload: Bytes,
    pub(super) timeout: Duration,
    pub(super) function_arn: String,
    pub(super) trace_id: String,
    /// The decoded `X-Amz-Client-Context`.
    pub(super) client_context: Option<String>,
}

/// An event with the moment, in milliseconds since 1970, at which its time is over.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) event: Arc<Event>,
    pub(super) deadline_unix_millis: u64,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Code(i32),
    Signal(i32),
    /// It was ended because it had more memory than its function may have.
    OutOfMemory,
}

/// What an event came to.
#[derive(Debug)]
pub(super) enum Outcome {
    Response(Bytes),
    ResponseTooLarge,
    /// The runtime's own error object.
    Error(Bytes),
    /// The runtime reported that it cannot start.
    InitError {
        body: Bytes,
        /// `Lambda-Runtime-Function-Error-Type`.
        kind: String,
    },
    /// The process is gone.
    Exited(Exit),
}

/// A moment, on both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) instant: Instant,
    pub(super) unix_millis: u64,
}

impl Now {
    pub(super) fn read() -> Self {
        Self {
            // On the clock of the timers that are held against it.
            instant: tokio::time::Instant::now().into_std(),
            unix_millis: super::date::unix_millis_now(),
        }
    }
}

/// The invoker's end of an offered event.
#[derive(Debug)]
pub(super) struct Offered {
    pub(super) delivery: Handover,
    pub(super) outcome: oneshot::Receiver<Outcome>,
}

/// Whether the runtime has the event.
#[derive(Debug)]
pub(super) enum Handover {
    Done(Instant),
    /// It has not asked yet. The channel closes without a word when it never will.
    Awaited(oneshot::Receiver<Instant>),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Session {
    log: Arc<ProcessLog>,
    launched: Instant,
    /// Held for a few assignments only, never across an await.
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: RuntimeState,
    /// Handed out last.
    current: Option<Delivery>,
    offered: Option<Waiting>,
    /// Who waits for the outcome of `current`.
    outcome: Option<oneshot::Sender<Outcome>>,
    /// The event whose START line is written.
    announced: Option<String>,
    /// Open `next` calls. Only a runtime that calls it twice has more than one; the newest is served first.
    asking: Vec<Arc<Line>>,
    exit: Option<Exit>,
}

#[derive(Debug)]
struct Waiting {
    event: Arc<Event>,
    handed_over: oneshot::Sender<Instant>,
    outcome: oneshot::Sender<Outcome>,
}

impl Session {
    pub(super) fn new(log: Arc<ProcessLog>, launched: Instant) -> Self {
        Self {
            log,
            launched,
            inner: Mutex::new(Inner {
                state: RuntimeState::Started,
                current: None,
                offered: None,
                outcome: None,
                announced: None,
                asking: Vec::new(),
                exit: None,
            }),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Every change below is complete before anything can panic, so a poisoned lock guards sound data.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the START line before the event is taken.
    pub(super) fn announce(&self, event: &Event, now: Now) {
        self.inner().announce(&self.log, event, now);
    }

    /// Whether an event would be taken at once.
    pub(super) fn is_asking(&self) -> bool {
        !self.inner().asking.is_empty()
    }

    /// Offers an event; an error says that the process is gone.
    pub(super) fn offer(&self, event: Arc<Event>, now: Now) -> Result<Offered, Exit> {
        let mut inner = self.inner();
        if let Some(exit) = inner.exit {
            return Err(exit);
        }
        let (outcome, outcome_receiver) = oneshot::channel();
        let delivery =
            if inner.state == RuntimeState::Ready && inner.hand_out(&self.log, &event, now) {
                inner.outcome = Some(outcome);
                Handover::Done(now.instant)
            } else {
                let (handed_over, handover) = oneshot::channel();
                inner.offered = Some(Waiting {
                    event,
                    handed_over,
                    outcome,
                });
                Handover::Awaited(handover)
            };
        Ok(Offered {
            delivery,
            outcome: outcome_receiver,
        })
    }

    /// Takes back what the runtime has not taken; false when it was too late.
    pub(super) fn withdraw(&self) -> bool {
        self.inner().offered.take().is_some()
    }

    /// `GET /runtime/invocation/next` on a connection, which is answered with the event as soon as there is one.
    pub(super) fn next(&self, line: &Arc<Line>, now: Now) -> Result<(), Refusal> {
        let mut inner = self.inner();
        let before = inner.state;
        inner.state = before.after(RuntimeCall::Next, inner.current_id())?;
        if before == RuntimeState::Started {
            let took = now.instant.saturating_duration_since(self.launched);
            let platform = self.log.platform();
            self.log
                .write(platform.init_end(took, &ReportStatus::Success, now.unix_millis));
        }
        line.open();
        match (inner.state, &inner.current) {
            (RuntimeState::Running, Some(current)) => {
                // A runtime that hung up meanwhile asks again.
                line.deliver(current);
            }
            _ if inner.exit.is_some() => line.end(),
            _ => {
                inner.asking.push(Arc::clone(line));
                if let Some(waiting) = inner.offered.take() {
                    if inner.hand_out(&self.log, &waiting.event, now) {
                        inner.outcome = Some(waiting.outcome);
                        // An invoker that is gone leaves the event running, as on AWS.
                        waiting.handed_over.send(now.instant).unwrap_or_default();
                    } else {
                        inner.offered = Some(waiting);
                    }
                }
            }
        }
        Ok(())
    }

    /// A connection is gone.
    pub(super) fn hung_up(&self, line: &Arc<Line>) {
        line.hang_up();
        self.inner()
            .asking
            .retain(|other| !Arc::ptr_eq(other, line));
    }

    /// Whether a response or an error may come for this id. The body is read only then.
    pub(super) fn may_answer(&self, call: RuntimeCall<'_>) -> Result<(), Refusal> {
        let inner = self.inner();
        inner.state.after(call, inner.current_id()).map(drop)
    }

    /// `POST .../response` and `.../error`.
    pub(super) fn answer(&self, call: RuntimeCall<'_>, outcome: Outcome) -> Result<(), Refusal> {
        let mut inner = self.inner();
        inner.state = inner.state.after(call, inner.current_id())?;
        inner.tell(outcome);
        Ok(())
    }

    /// The event's time is over: an answer that comes now is to an event that is not known any more.
    pub(super) fn expire(&self) {
        let mut inner = self.inner();
        inner.current = None;
        inner.outcome = None;
    }

    /// `POST /runtime/init/error`.
    pub(super) fn init_error(&self, body: Bytes, kind: String) -> Result<(), Refusal> {
        let mut inner = self.inner();
        inner.state = inner
            .state
            .after(RuntimeCall::InitError, inner.current_id())?;
        inner.tell(Outcome::InitError { body, kind });
        Ok(())
    }

    /// The process is gone: whoever waits learns it.
    pub(super) fn exited(&self, exit: Exit) {
        let mut inner = self.inner();
        inner.exit = Some(exit);
        for line in inner.asking.drain(..) {
            line.end();
        }
        inner.tell(Outcome::Exited(exit));
    }
}

impl Inner {
    fn current_id(&self) -> Option<&str> {
        self.current
            .as_ref()
            .map(|delivery| delivery.event.request_id.as_str())
    }

    fn announce(&mut self, log: &ProcessLog, event: &Event, now: Now) {
        if self.announced.as_deref() != Some(&event.request_id) {
            log.start(log.platform().start(event, now.unix_millis));
            self.announced = Some(event.request_id.clone());
        }
    }

    /// Gives the event to an open `next`; false when there is none whose connection lives. The START line is written
    /// first, so that nothing the function prints comes before it.
    fn hand_out(&mut self, log: &ProcessLog, event: &Arc<Event>, now: Now) -> bool {
        let timeout_millis = u64::try_from(event.timeout.as_millis()).unwrap_or(u64::MAX);
        let delivery = Delivery {
            event: Arc::clone(event),
            deadline_unix_millis: now.unix_millis.saturating_add(timeout_millis),
        };
        while let Some(line) = self.asking.pop() {
            self.announce(log, event, now);
            if line.deliver(&delivery) {
                self.current = Some(delivery);
                self.state = RuntimeState::Running;
                return true;
            }
        }
        false
    }

    /// Tells the invoker of the running event, or of the one that waits to be taken.
    fn tell(&mut self, outcome: Outcome) {
        let sender = match self.outcome.take() {
            Some(sender) => Some(sender),
            // Dropping the other half says that the event was not taken.
            None => self.offered.take().map(|waiting| waiting.outcome),
        };
        if let Some(sender) = sender {
            // An invoker that is gone does not want to know.
            drop(sender.send(outcome));
        }
    }
}
