//! One invocation, from the event to what it came to.
//!
//! 1. A process that is idle takes the event at once.
//! 2. One that has answered but not yet asked for more gets it as soon as it asks, within [`TAKE_BACK_AFTER`]; a client
//!    that sends one request after the other thus stays with one process.
//! 3. Otherwise a process is started. A start that fails is tried a second time within the function's timeout, and what
//!    that comes to is the answer, as on AWS.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Invocation;
use super::date::unix_millis_now;
use super::environment::{CannotStart, Environment};
use super::function::Function;
use super::report::{
    InitPhase, Report, ReportStatus, entrypoint_payload, exit_kind, exit_payload, timeout_payload,
    too_large_payload,
};
use super::session::{Event, Exit, Handover, Now, Offered, Outcome};
use crate::uncancelled::Uncancelled;

/// From the start to the first `next`: <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>.
const INIT_MAX: Duration = Duration::from_secs(10);

/// How long a process may stay busy after its answer before another is started for the next event. Asking again takes
/// microseconds on a quiet machine; on a busy one, a start would make it busier.
const TAKE_BACK_AFTER: Duration = Duration::from_millis(50);

/// As many requests run as are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Throttled;

/// Runs an event. A caller that goes away does not end it.
pub(super) fn run(
    function: Arc<Function>,
    event: Arc<Event>,
) -> Uncancelled<Result<Invocation, Throttled>> {
    Uncancelled::new(async move {
        let Some(_permit) = function.pool.admit() else {
            return Err(Throttled);
        };
        Ok(match run_warm(&function, &event).await {
            Some(invocation) => invocation,
            // On a heap of its own: a process that is there needs no room for the start of another.
            None => Box::pin(run_cold(&function, &event)).await,
        })
    })
}

/// `None` when no process that runs can take it.
async fn run_warm(function: &Function, event: &Arc<Event>) -> Option<Invocation> {
    while let Some(environment) = function.pool.take() {
        let Ok(offered) = environment.session.offer(Arc::clone(event), Now::read()) else {
            // It died idle.
            function.pool.vacate(&environment, Instant::now());
            continue;
        };
        let since = match offered.delivery {
            Handover::Done(since) => since,
            Handover::Awaited(mut handover) => {
                match timeout(TAKE_BACK_AFTER, &mut handover).await {
                    Ok(Ok(since)) => since,
                    Ok(Err(_)) => continue,
                    Err(_) if environment.session.withdraw() => {
                        function.pool.put_off(environment, Instant::now());
                        return None;
                    }
                    // It asked in this very moment.
                    Err(_) => match handover.await {
                        Ok(since) => since,
                        Err(_) => continue,
                    },
                }
            }
        };
        let attended = Attended {
            environment,
            since,
            init: None,
        };
        return Some(attend(function, event, attended, offered.outcome).await);
    }
    None
}

async fn run_cold(function: &Function, event: &Arc<Event>) -> Invocation {
    let attempt = Attempt {
        within: INIT_MAX,
        phase: InitPhase::Init,
    };
    match initialise(function, event, attempt).await {
        Ok((attended, outcome)) => return attend(function, event, attended, outcome).await,
        Err(NotInitialised::NoProcess(reason)) => return no_process(function, event, &reason),
        Err(NotInitialised::Failed {
            environment,
            ending,
        }) => {
            report_failed_start(&environment, &ending);
        }
    }
    let attempt = Attempt {
        within: event.timeout,
        phase: InitPhase::Invoke,
    };
    match initialise(function, event, attempt).await {
        Ok((attended, outcome)) => attend(function, event, attended, outcome).await,
        Err(NotInitialised::NoProcess(reason)) => no_process(function, event, &reason),
        Err(NotInitialised::Failed {
            environment,
            ending,
        }) => {
            report_failed_start(&environment, &ending);
            let attended = Attended {
                since: environment.launched,
                environment,
                init: None,
            };
            finish(function, event, &attended, ending)
        }
    }
}

#[derive(Debug)]
struct Attempt {
    within: Duration,
    phase: InitPhase,
}

#[derive(Debug)]
enum NotInitialised {
    NoProcess(CannotStart),
    Failed {
        environment: Arc<Environment>,
        ending: Ending,
    },
}

/// Starts a process and hands it the event at its first `next`.
async fn initialise(
    function: &Function,
    event: &Arc<Event>,
    attempt: Attempt,
) -> Result<(Attended, oneshot::Receiver<Outcome>), NotInitialised> {
    let environment = function
        .start(attempt.phase)
        .await
        .map_err(NotInitialised::NoProcess)?;
    if attempt.phase == InitPhase::Invoke {
        // The START line comes before what the process prints while it starts.
        environment.session.announce(event, Now::read());
    }
    let failed = |environment: Arc<Environment>, ending| {
        environment.kill();
        Err(NotInitialised::Failed {
            environment,
            ending,
        })
    };
    let Offered { delivery, outcome } =
        match environment.session.offer(Arc::clone(event), Now::read()) {
            Ok(offered) => offered,
            Err(exit) => return failed(environment, Ending::Exited(exit)),
        };
    let since = match delivery {
        Handover::Done(since) => since,
        Handover::Awaited(mut handover) => match timeout(attempt.within, &mut handover).await {
            Ok(Ok(since)) => since,
            Ok(Err(_)) => {
                let ending = Ending::from_outcome(outcome.await);
                return failed(environment, ending);
            }
            Err(_) if environment.session.withdraw() => {
                return failed(environment, Ending::TimedOut);
            }
            Err(_) => match handover.await {
                Ok(since) => since,
                Err(_) => return failed(environment, Ending::TimedOut),
            },
        },
    };
    let init = Some(since.saturating_duration_since(environment.launched));
    let attended = Attended {
        environment,
        since,
        init,
    };
    Ok((attended, outcome))
}

fn report_failed_start(environment: &Environment, ending: &Ending) {
    let took = environment.launched.elapsed();
    let platform = environment.log.platform();
    let lines = platform.init_end(took, &ending.status(), unix_millis_now());
    environment.log.write(lines);
}

/// A process that has the event.
#[derive(Debug)]
struct Attended {
    environment: Arc<Environment>,
    since: Instant,
    init: Option<Duration>,
}

async fn attend(
    function: &Function,
    event: &Event,
    attended: Attended,
    outcome: oneshot::Receiver<Outcome>,
) -> Invocation {
    let deadline = tokio::time::Instant::from_std(attended.since + event.timeout);
    let ending = match tokio::time::timeout_at(deadline, outcome).await {
        Ok(outcome) => Ending::from_outcome(outcome),
        Err(_) => {
            attended.environment.session.expire();
            Ending::TimedOut
        }
    };
    let keep = ending.leaves_a_sound_process();
    if !keep {
        attended.environment.kill();
        function.pool.vacate(&attended.environment, Instant::now());
    }
    let invocation = finish(function, event, &attended, ending);
    if keep {
        function
            .pool
            .give_back(attended.environment, Instant::now());
    }
    invocation
}

/// What the platform makes of an outcome.
#[derive(Debug)]
enum Ending {
    Response(Bytes),
    ResponseTooLarge,
    Error(Bytes),
    InitError { body: Bytes, kind: String },
    Exited(Exit),
    TimedOut,
}

impl Ending {
    fn from_outcome(outcome: Result<Outcome, oneshot::error::RecvError>) -> Self {
        match outcome {
            Ok(Outcome::Response(body)) => Self::Response(body),
            Ok(Outcome::ResponseTooLarge) => Self::ResponseTooLarge,
            Ok(Outcome::Error(body)) => Self::Error(body),
            Ok(Outcome::InitError { body, kind }) => Self::InitError { body, kind },
            Ok(Outcome::Exited(exit)) => Self::Exited(exit),
            // The session went without a word, which only the end of the service does.
            Err(_) => Self::Exited(Exit::Signal(9)),
        }
    }

    fn leaves_a_sound_process(&self) -> bool {
        match self {
            Self::Response(_) | Self::ResponseTooLarge | Self::Error(_) => true,
            Self::InitError { .. } | Self::Exited(_) | Self::TimedOut => false,
        }
    }

    fn status(&self) -> ReportStatus {
        match self {
            Self::Response(_) | Self::Error(_) | Self::ResponseTooLarge => ReportStatus::Success,
            Self::InitError { kind, .. } => ReportStatus::Error(kind.clone().into()),
            Self::Exited(exit) => ReportStatus::Error(exit_kind(*exit).into()),
            Self::TimedOut => ReportStatus::Timeout,
        }
    }
}

fn finish(function: &Function, event: &Event, attended: &Attended, ending: Ending) -> Invocation {
    let now = Instant::now();
    let id = &event.request_id;
    let elapsed = now.saturating_duration_since(attended.since);
    let report = Report {
        request_id: id,
        duration: match ending {
            Ending::TimedOut => event.timeout,
            _ => elapsed,
        },
        memory_mib: function.launch.spec.memory_mib,
        memory_used_mib: attended.environment.memory.max_mib(now),
        init: attended.init,
        status: ending.status(),
    };
    let platform = attended.environment.log.platform();
    let unix_millis = unix_millis_now();
    let mut lines = match ending {
        Ending::Exited(exit) => platform.exited(id, exit),
        Ending::TimedOut => platform.timed_out(id, event.timeout, unix_millis),
        Ending::Response(_)
        | Ending::ResponseTooLarge
        | Ending::Error(_)
        | Ending::InitError { .. } => Vec::new(),
    };
    let produced_bytes = match &ending {
        Ending::Response(body) | Ending::Error(body) => body.len(),
        Ending::ResponseTooLarge
        | Ending::InitError { .. }
        | Ending::Exited(_)
        | Ending::TimedOut => 0,
    };
    lines.extend(platform.end(&report, produced_bytes, unix_millis));
    let log_tail = attended.environment.log.finish(lines);
    let (payload, failed) = match ending {
        Ending::Response(body) => (body, false),
        Ending::Error(body) | Ending::InitError { body, .. } => (body, true),
        Ending::ResponseTooLarge => (too_large_payload().into(), true),
        Ending::Exited(exit) => (exit_payload(id, exit).into(), true),
        Ending::TimedOut => (timeout_payload(id, event.timeout).into(), true),
    };
    Invocation {
        request_id: id.clone(),
        executed_version: function.launch.version.clone(),
        payload,
        function_error: failed.then(|| "Unhandled".to_owned()),
        log_tail,
    }
}

/// There is nothing to run.
fn no_process(function: &Function, event: &Event, reason: &CannotStart) -> Invocation {
    let id = &event.request_id;
    let report = Report {
        request_id: id,
        duration: Duration::ZERO,
        memory_mib: function.launch.spec.memory_mib,
        memory_used_mib: None,
        init: None,
        status: ReportStatus::Error("Runtime.InvalidEntrypoint".into()),
    };
    let target = function.log_target(InitPhase::Invoke);
    let platform = &target.platform;
    let unix_millis = unix_millis_now();
    let mut lines: Vec<String> = platform.start(event, unix_millis).into_iter().collect();
    lines.push(format!("Error: {}", reason.0));
    lines.extend(platform.end(&report, 0, unix_millis));
    let log_tail = lines.join("\n");
    target.put(&lines);
    Invocation {
        request_id: id.clone(),
        executed_version: function.launch.version.clone(),
        payload: entrypoint_payload(id, &reason.0).into(),
        function_error: Some("Unhandled".to_owned()),
        log_tail: log_tail.into(),
    }
}
