//! What is under way, told as it happens: the stack's events, and the migrator's own log while it runs.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use aws_sdk_cloudformation::types::{Stack, StackStatus};

use super::change_set::{describe, event_ids, in_progress, new_events};
use super::events::{Cause, Event, Step, first_cause};
use super::{Deployment, Observe};
use crate::aws::Aws;
use crate::error::Error;

/// A migration that is over sooner has nothing to tell of its way.
const SHORT: Duration = Duration::from_millis(300);

/// Between two looks into the migrator's log; see `commands/logs`.
const LOG_PAUSE: Duration = Duration::from_secs(2);
const LOG_PAUSE_LOCAL: Duration = Duration::from_millis(100);

/// Waits for what another run began, or this one before it was interrupted. Gives the stack as it then is.
pub(super) async fn settle(
    aws: &Aws,
    deployment: &Deployment,
    observe: Observe<'_>,
) -> Result<Option<Stack>, Error> {
    let name = &deployment.stack;
    loop {
        let stack = describe(aws, name).await?;
        match stack.as_ref().and_then(Stack::stack_status) {
            // Its clean-up changes nothing any more, but an update is refused until it is over.
            Some(status) if in_progress(status) => {
                observe(Event::UnderWay {
                    status: status.as_str().to_owned(),
                });
                let seen = event_ids(aws, name).await?;
                // How it ended is no matter: this run brings its own.
                if let Err(error) = until_settled(aws, deployment, seen, observe).await {
                    observe(Event::UnderWayFailed {
                        reason: error.to_string(),
                    });
                }
            }
            _ => return Ok(stack),
        }
    }
}

/// Tells the events until the deployment is done. What is left then is the removal of what was replaced.
pub(super) async fn follow(
    aws: &Aws,
    deployment: &Deployment,
    seen: HashSet<String>,
    observe: Observe<'_>,
) -> Result<(), Error> {
    until(aws, deployment, seen, observe, |status| {
        !in_progress(status) || *status == StackStatus::UpdateCompleteCleanupInProgress
    })
    .await
}

async fn until_settled(
    aws: &Aws,
    deployment: &Deployment,
    seen: HashSet<String>,
    observe: Observe<'_>,
) -> Result<(), Error> {
    until(aws, deployment, seen, observe, |status| {
        !in_progress(status)
    })
    .await
}

async fn until(
    aws: &Aws,
    deployment: &Deployment,
    mut seen: HashSet<String>,
    observe: Observe<'_>,
    is_over: impl Fn(&StackStatus) -> bool,
) -> Result<(), Error> {
    let name = &deployment.stack;
    let mut steps = Vec::new();
    let mut poll = aws.poll();
    let mut migration = Migration::default();
    let is_end = |status: &StackStatus| *status != StackStatus::ReviewInProgress && is_over(status);
    loop {
        // The status first: when it says that all is over, the events read after it are complete.
        let Some(stack) = describe(aws, name).await? else {
            // Deleted, which only another run can have done.
            return Ok(());
        };
        for (id, step) in new_events(aws, name, &seen).await? {
            seen.insert(id);
            migration.see(&step);
            observe(Event::Resource(step.clone()));
            let status = (step.is_stack() && step.logical_id == *name)
                .then(|| StackStatus::from(step.status.as_str()));
            let reason = step.reason.clone();
            steps.push(step);
            // What comes after it is of the next deployment, which may be under way by now.
            if let Some(status) = status.filter(&is_end) {
                return ended(deployment, &status, reason.as_deref(), &steps);
            }
        }
        if let Some(status) = stack.stack_status().filter(|status| is_end(status)) {
            return ended(deployment, status, stack.stack_status_reason(), &steps);
        }
        migration.tell(aws, deployment, observe).await;
        observe(Event::Waiting);
        poll.wait().await;
    }
}

fn ended(
    deployment: &Deployment,
    status: &StackStatus,
    reason: Option<&str>,
    steps: &[Step],
) -> Result<(), Error> {
    let name = deployment.stack.clone();
    match status {
        StackStatus::CreateComplete
        | StackStatus::UpdateComplete
        | StackStatus::UpdateCompleteCleanupInProgress => return Ok(()),
        StackStatus::UpdateRollbackFailed => {
            let cause = steps
                .iter()
                .rev()
                .find(|step| step.failed() && !step.is_stack())
                .map_or_else(String::new, Step::describe);
            return Err(Error::Stuck { stack: name, cause });
        }
        _ => {}
    }
    Err(match first_cause(steps) {
        Some(Cause::Migration(report)) => Error::Migrate { report },
        Some(Cause::Resource(cause)) => Error::Deploy { stack: name, cause },
        None => Error::Deploy {
            stack: name,
            cause: reason.map_or_else(|| format!("it ended in {}", status.as_str()), str::to_owned),
        },
    })
}

/// A migration that is under way, and what of its log was told.
#[derive(Debug, Default)]
struct Migration {
    running: Option<Running>,
    told: HashSet<String>,
    said_broken: bool,
}

#[derive(Debug)]
struct Running {
    /// On the clock of the cloud, in milliseconds since 1970.
    since: u64,
    seen_at: Instant,
    looked_at: Option<Instant>,
}

impl Migration {
    fn see(&mut self, step: &Step) {
        if !step.is_migration() {
            return;
        }
        self.running = step.status.ends_with("_IN_PROGRESS").then(|| Running {
            since: step.at_ms,
            seen_at: Instant::now(),
            looked_at: None,
        });
    }

    /// Tells what the migrator logged since the last look. A log that cannot be read is no reason to fail.
    async fn tell(&mut self, aws: &Aws, deployment: &Deployment, observe: Observe<'_>) {
        let pause = if aws.is_local {
            LOG_PAUSE_LOCAL
        } else {
            LOG_PAUSE
        };
        let Some(running) = &mut self.running else {
            return;
        };
        let looked_lately = running.looked_at.is_some_and(|at| at.elapsed() < pause);
        if running.seen_at.elapsed() < SHORT || looked_lately {
            return;
        }
        running.looked_at = Some(Instant::now());
        let since = running.since;
        let Ok(lines) = aws.logs.events(&deployment.migrator_log, since).await else {
            return;
        };
        for line in lines {
            if !self.told.insert(line.event_id) {
                continue;
            }
            // Lambda's own words for a process that ended before it took its event.
            let broken = [
                "Runtime.ExitError",
                "Runtime.InvalidEntrypoint",
                "Runtime exited",
            ]
            .iter()
            .any(|words| line.message.contains(words));
            observe(Event::Migrator(line.message));
            if broken && !self.said_broken {
                self.said_broken = true;
                observe(Event::MigratorBroken);
            }
        }
    }
}
