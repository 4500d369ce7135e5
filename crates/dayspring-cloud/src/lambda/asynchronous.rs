//! Invocations whose caller does not wait: tried up to three times.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html> (read 2026-11-22).

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::Invocation;
use super::function::EventInvoke;
use super::invoke::{self, Throttled};
use super::name::Named;
use super::service::Service;
use super::session::Event;

/// How often a failing event is tried again, where the function does not say otherwise.
const RETRIES_MAX: u32 = 2;

/// The greatest age of an event, where the function does not say otherwise.
const AGE_MAX: Duration = Duration::from_secs(6 * 60 * 60);

/// A throttled event is tried again after a second, and then less and less often.
const THROTTLED_FIRST: Duration = Duration::from_secs(1);
const THROTTLED_MAX: Duration = Duration::from_secs(5 * 60);

/// How often an event was tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Attempts {
    failed: u32,
    throttled: u32,
}

/// How long and how often a function wants an event to be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limits {
    retries_max: u32,
    age_max: Duration,
}

impl Limits {
    fn of(config: Option<&EventInvoke>) -> Self {
        let age = config.and_then(|config| config.event_age_seconds_max);
        Self {
            retries_max: config
                .and_then(|config| config.retry_attempts_max)
                .unwrap_or(RETRIES_MAX),
            age_max: age.map_or(AGE_MAX, |seconds| Duration::from_secs(seconds.into())),
        }
    }
}

/// When to try again: `None` when the event is done, or given up.
fn retry_after(
    attempts: Attempts,
    last: Result<bool, Throttled>,
    age: Duration,
    limits: Limits,
) -> Option<Duration> {
    let wait = match last {
        Ok(true) => return None,
        Ok(false) if attempts.failed > limits.retries_max => return None,
        Ok(false) => match attempts.failed {
            1 => Duration::from_secs(60),
            2 => Duration::from_secs(120),
            _ => return None,
        },
        Err(Throttled) => {
            let doublings = attempts.throttled.saturating_sub(1).min(16);
            (THROTTLED_FIRST * 2_u32.pow(doublings)).min(THROTTLED_MAX)
        }
    };
    (age + wait < limits.age_max).then_some(wait)
}

/// Runs an event until it succeeds or is given up. A function that is replaced meanwhile is tried as it is then.
pub(super) async fn run(
    service: Weak<Service>,
    (name, qualifier): (String, Option<String>),
    event: Arc<Event>,
    mut closing: watch::Receiver<bool>,
) {
    let since = Instant::now();
    let mut attempts = Attempts::default();
    loop {
        let found = service.upgrade().and_then(|service| {
            let named = Named {
                name: &name,
                qualifier: qualifier.as_deref(),
            };
            // How events are tried is set of the function, whatever its version.
            Some((service.resolve(named)?, service.find(&name)?))
        });
        let Some((function, latest)) = found else {
            return;
        };
        let limits = Limits::of(latest.kept.settings.event_invoke.as_ref());
        let last = invoke::run(function, Arc::clone(&event))
            .await
            .map(|invocation: Invocation| invocation.function_error.is_none());
        match last {
            Ok(_) => attempts.failed += 1,
            Err(Throttled) => attempts.throttled += 1,
        }
        let Some(wait) = retry_after(attempts, last, since.elapsed(), limits) else {
            return;
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = closing.wait_for(|closing| *closing) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YOUNG: Duration = Duration::from_secs(1);

    fn failed(times: u32) -> Option<Duration> {
        let attempts = Attempts {
            failed: times,
            throttled: 0,
        };
        retry_after(attempts, Ok(false), YOUNG, Limits::of(None))
    }

    #[test]
    fn a_failing_event_is_tried_three_times() {
        let waits = [failed(1), failed(2), failed(3)];
        assert_eq!(
            waits.map(|wait| wait.map(|wait| wait.as_secs())),
            [Some(60), Some(120), None]
        );
        assert_eq!(
            retry_after(Attempts::default(), Ok(true), YOUNG, Limits::of(None)),
            None
        );
    }

    #[test]
    fn a_function_says_how_often_and_how_long_an_event_is_tried() {
        let limits = Limits::of(Some(&EventInvoke {
            retry_attempts_max: Some(1),
            event_age_seconds_max: Some(90),
            ..EventInvoke::default()
        }));
        let failed = |times, age| {
            let attempts = Attempts {
                failed: times,
                throttled: 0,
            };
            retry_after(attempts, Ok(false), Duration::from_secs(age), limits)
        };
        assert_eq!(failed(1, 1), Some(Duration::from_secs(60)));
        assert_eq!(failed(2, 1), None);
        assert_eq!(failed(1, 31), None);
    }

    #[test]
    fn a_throttled_event_is_tried_until_it_is_six_hours_old() {
        let attempts = |throttled| Attempts {
            failed: 0,
            throttled,
        };
        let wait = |throttled, age| {
            retry_after(attempts(throttled), Err(Throttled), age, Limits::of(None))
        };
        assert_eq!(wait(1, YOUNG), Some(Duration::from_secs(1)));
        assert_eq!(wait(40, YOUNG), Some(Duration::from_secs(300)));
        assert_eq!(wait(40, AGE_MAX), None);
    }
}
