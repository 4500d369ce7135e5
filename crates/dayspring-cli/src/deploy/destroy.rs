//! Deletes a stack and follows that to its end.

use std::collections::HashSet;

use aws_sdk_cloudformation::types::{Stack, StackStatus};

use super::change_set::{SERVICE, describe, event_ids, new_events, settled};
use super::events::{Cause, first_cause};
use super::{Event, Observe};
use crate::aws::{Aws, refused};
use crate::error::Error;

/// Deletes the stack, and tells `observe` each step as it happens.
pub(crate) async fn destroy(aws: &Aws, name: &str, observe: Observe<'_>) -> Result<(), Error> {
    let found = describe(aws, name).await?;
    let Some(id) = found.as_ref().and_then(Stack::stack_id) else {
        return Err(Error::NoStack {
            stack: name.to_owned(),
        });
    };
    // A deletion that an interrupted run began is carried on with; anything else that is under way is waited for.
    if found.as_ref().and_then(Stack::stack_status) != Some(&StackStatus::DeleteInProgress) {
        settled(aws, id).await?;
    }
    let seen = event_ids(aws, id).await?;
    aws.cloudformation
        .delete_stack()
        .stack_name(id)
        .send()
        .await
        .map_err(|error| refused(SERVICE, "DeleteStack", &error))?;
    follow(aws, name, id, seen, observe).await
}

/// Tells the events until the stack is gone. By its id a deleted stack can still be described.
async fn follow(
    aws: &Aws,
    name: &str,
    id: &str,
    mut seen: HashSet<String>,
    observe: Observe<'_>,
) -> Result<(), Error> {
    let mut steps = Vec::new();
    let mut poll = aws.poll();
    loop {
        let Some(stack) = describe(aws, id).await? else {
            return Ok(());
        };
        for (event, step) in new_events(aws, id, &seen).await? {
            seen.insert(event);
            observe(Event::Resource(step.clone()));
            steps.push(step);
        }
        match stack.stack_status() {
            Some(StackStatus::DeleteComplete) => return Ok(()),
            Some(StackStatus::DeleteFailed) => {
                let cause = match first_cause(&steps) {
                    Some(Cause::Resource(cause) | Cause::Migration(cause)) => cause,
                    None => stack
                        .stack_status_reason()
                        .unwrap_or("no reason given")
                        .to_owned(),
                };
                return Err(Error::Destroy {
                    stack: name.to_owned(),
                    cause,
                });
            }
            _ => poll.wait().await,
        }
    }
}
