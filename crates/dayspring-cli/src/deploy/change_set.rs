//! A change set, from its making to the end of its execution.

use std::collections::{BTreeMap, HashSet};

use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{
    Capability, Change as SetChange, ChangeSetStatus, ChangeSetType, Replacement, Stack,
    StackStatus, Tag,
};

use super::events::{Cause, first_cause};
use super::{Change, Deployment, Event, Step};
use crate::aws::{Aws, Poll, refused};
use crate::error::Error;

/// A template longer than this is passed by its S3 address (CreateChangeSet's reference: 51,200 bytes).
const TEMPLATE_BODY_BYTES_MAX: usize = 51_200;
const CHANGE_SET: &str = "dayspring";
/// The one that is made to be looked at.
const PREVIEW: &str = "dayspring-diff";
pub(super) const SERVICE: &str = "CloudFormation";

/// Makes the change set, carries it out and waits for its end.
pub(super) async fn carry_out(
    aws: &Aws,
    deployment: &Deployment,
    observe: &mut (dyn FnMut(Event) + Send),
) -> Result<Change, Error> {
    let before = settled(aws, &deployment.stack).await?;
    let creates = match before.as_ref().and_then(Stack::stack_status) {
        None | Some(StackStatus::ReviewInProgress) => true,
        // A stack whose creation was rolled back can only be deleted (CloudFormation's guide, "stack status codes").
        Some(
            StackStatus::RollbackComplete | StackStatus::RollbackFailed | StackStatus::CreateFailed,
        ) => {
            observe(Event::RemovingRemains);
            delete(aws, &deployment.stack).await?;
            true
        }
        Some(_) => false,
    };
    let Some(changes) = create(aws, deployment, CHANGE_SET, creates).await? else {
        return Ok(Change::None);
    };
    let changes = changes.len();
    observe(Event::ChangeSet { creates, changes });
    let seen = if creates {
        HashSet::new()
    } else {
        event_ids(aws, &deployment.stack).await?
    };
    aws.cloudformation
        .execute_change_set()
        .stack_name(&deployment.stack)
        .change_set_name(CHANGE_SET)
        .send()
        .await
        .map_err(|error| refused(SERVICE, "ExecuteChangeSet", &error))?;
    follow(aws, &deployment.stack, seen, observe).await?;
    Ok(if creates {
        Change::Created
    } else {
        Change::Updated
    })
}

/// What an update would replace, by logical id: `True`, or `Conditional` where only its execution shows it. Makes a change
/// set and deletes it.
pub(crate) async fn replacements(
    aws: &Aws,
    deployment: &Deployment,
) -> Result<BTreeMap<String, String>, Error> {
    let changes = create(aws, deployment, PREVIEW, false).await?;
    forget(aws, &deployment.stack, PREVIEW).await?;
    let replaced = |change: &SetChange| {
        let change = change.resource_change()?;
        let replacement = change.replacement()?;
        (*replacement != Replacement::False).then(|| {
            let id = change.logical_resource_id().unwrap_or_default();
            (id.to_owned(), replacement.as_str().to_owned())
        })
    };
    Ok(changes.iter().flatten().filter_map(replaced).collect())
}

/// The stack, or `None` where there is none.
pub(super) async fn describe(aws: &Aws, stack: &str) -> Result<Option<Stack>, Error> {
    match aws
        .cloudformation
        .describe_stacks()
        .stack_name(stack)
        .send()
        .await
    {
        Ok(answer) => Ok(answer.stacks().first().cloned()),
        Err(error) => match error.as_service_error() {
            Some(answer)
                if answer
                    .message()
                    .is_some_and(|message| message.contains("does not exist")) =>
            {
                Ok(None)
            }
            _ => Err(refused(SERVICE, "DescribeStacks", &error)),
        },
    }
}

/// The stack once nothing is under way: another deployment is waited for.
pub(super) async fn settled(aws: &Aws, name: &str) -> Result<Option<Stack>, Error> {
    let mut poll = Poll::new();
    loop {
        let stack = describe(aws, name).await?;
        let status = stack.as_ref().and_then(Stack::stack_status);
        if !status.is_some_and(in_progress) {
            return Ok(stack);
        }
        poll.wait().await;
    }
}

fn in_progress(status: &StackStatus) -> bool {
    status.as_str().ends_with("_IN_PROGRESS") && *status != StackStatus::ReviewInProgress
}

async fn delete(aws: &Aws, stack: &str) -> Result<(), Error> {
    // By its id a deleted stack can still be described.
    let id = describe(aws, stack)
        .await?
        .and_then(|stack| stack.stack_id().map(str::to_owned));
    aws.cloudformation
        .delete_stack()
        .stack_name(stack)
        .send()
        .await
        .map_err(|error| refused(SERVICE, "DeleteStack", &error))?;
    let settled = settled(aws, id.as_deref().unwrap_or(stack)).await?;
    match settled.as_ref().and_then(Stack::stack_status) {
        None | Some(StackStatus::DeleteComplete) => Ok(()),
        Some(status) => Err(Error::Deploy {
            stack: stack.to_owned(),
            cause: format!(
                "the remains of its failed creation cannot be deleted ({}): {}",
                status.as_str(),
                settled
                    .as_ref()
                    .and_then(Stack::stack_status_reason)
                    .unwrap_or("no reason given")
            ),
        }),
    }
}

/// Makes the change set and gives its changes, or `None` where nothing changed.
async fn create(
    aws: &Aws,
    deployment: &Deployment,
    name: &str,
    creates: bool,
) -> Result<Option<Vec<SetChange>>, Error> {
    let mut request = aws
        .cloudformation
        .create_change_set()
        .stack_name(&deployment.stack)
        .change_set_name(name)
        .change_set_type(if creates {
            ChangeSetType::Create
        } else {
            ChangeSetType::Update
        })
        .capabilities(Capability::CapabilityIam)
        .capabilities(Capability::CapabilityNamedIam)
        .set_tags(Some(
            deployment
                .tags
                .iter()
                .map(|(key, value)| Tag::builder().key(key).value(value).build())
                .collect(),
        ));
    if deployment.template.len() <= TEMPLATE_BODY_BYTES_MAX {
        request = request.template_body(&deployment.template);
    } else {
        let content = deployment.template.clone().into_bytes().into();
        aws.s3
            .put_object(&deployment.bucket, &deployment.template_key, content)
            .await?;
        request = request.template_url(
            aws.s3
                .object_url(&deployment.bucket, &deployment.template_key),
        );
    }
    forget(aws, &deployment.stack, name).await?;
    request
        .send()
        .await
        .map_err(|error| refused(SERVICE, "CreateChangeSet", &error))?;
    let mut poll = Poll::new();
    loop {
        let set = describe_change_set(aws, &deployment.stack, name, None).await?;
        match set.status() {
            Some(ChangeSetStatus::CreateComplete) => {
                return all_changes(aws, &deployment.stack, name, &set)
                    .await
                    .map(Some);
            }
            Some(ChangeSetStatus::Failed) => {
                let reason = set.status_reason().unwrap_or("no reason given").to_owned();
                forget(aws, &deployment.stack, name).await?;
                // CloudFormation has no code for this: these are its two texts.
                let unchanged = reason.contains("didn't contain changes")
                    || reason.contains("No updates are to be");
                return if unchanged {
                    Ok(None)
                } else {
                    Err(Error::Deploy {
                        stack: deployment.stack.clone(),
                        cause: reason,
                    })
                };
            }
            _ => poll.wait().await,
        }
    }
}

async fn describe_change_set(
    aws: &Aws,
    stack: &str,
    name: &str,
    page: Option<&str>,
) -> Result<DescribeChangeSetOutput, Error> {
    aws.cloudformation
        .describe_change_set()
        .stack_name(stack)
        .change_set_name(name)
        .set_next_token(page.map(str::to_owned))
        .send()
        .await
        .map_err(|error| refused(SERVICE, "DescribeChangeSet", &error))
}

async fn all_changes(
    aws: &Aws,
    stack: &str,
    name: &str,
    first: &DescribeChangeSetOutput,
) -> Result<Vec<SetChange>, Error> {
    let mut changes = first.changes().to_vec();
    let mut page = first.next_token().map(str::to_owned);
    while let Some(token) = page {
        let set = describe_change_set(aws, stack, name, Some(&token)).await?;
        changes.extend_from_slice(set.changes());
        page = set.next_token().map(str::to_owned);
    }
    Ok(changes)
}

/// Removes what an earlier, interrupted run may have left under the same name.
async fn forget(aws: &Aws, stack: &str, name: &str) -> Result<(), Error> {
    let answer = aws
        .cloudformation
        .delete_change_set()
        .stack_name(stack)
        .change_set_name(name)
        .send()
        .await;
    match answer {
        Ok(_) => Ok(()),
        Err(error) => match error.as_service_error() {
            Some(answer)
                if answer
                    .message()
                    .is_some_and(|message| message.contains("does not exist")) =>
            {
                Ok(())
            }
            _ => Err(refused(SERVICE, "DeleteChangeSet", &error)),
        },
    }
}

pub(super) async fn event_ids(aws: &Aws, stack: &str) -> Result<HashSet<String>, Error> {
    Ok(new_events(aws, stack, &HashSet::new())
        .await?
        .into_iter()
        .map(|(id, _)| id)
        .collect())
}

/// The events that are not in `seen`, oldest first. Pages come newest first, so the first known event ends the reading.
pub(super) async fn new_events(
    aws: &Aws,
    stack: &str,
    seen: &HashSet<String>,
) -> Result<Vec<(String, Step)>, Error> {
    let mut new = Vec::new();
    let mut page = None;
    'pages: loop {
        let answer = aws
            .cloudformation
            .describe_stack_events()
            .stack_name(stack)
            .set_next_token(page)
            .send()
            .await
            .map_err(|error| refused(SERVICE, "DescribeStackEvents", &error))?;
        for event in answer.stack_events() {
            let id = event.event_id().unwrap_or_default();
            if seen.contains(id) {
                break 'pages;
            }
            new.push((id.to_owned(), Step::of(event)));
        }
        page = answer.next_token().map(str::to_owned);
        if page.is_none() {
            break;
        }
    }
    new.reverse();
    Ok(new)
}

/// Tells the events until the stack is settled.
async fn follow(
    aws: &Aws,
    name: &str,
    mut seen: HashSet<String>,
    observe: &mut (dyn FnMut(Event) + Send),
) -> Result<(), Error> {
    let mut steps = Vec::new();
    let mut poll = Poll::new();
    loop {
        // The status first: when it says that all is over, the events read after it are complete.
        let stack = describe(aws, name).await?.ok_or(Error::Answer {
            what: "the stack under way",
        })?;
        for (id, step) in new_events(aws, name, &seen).await? {
            seen.insert(id);
            observe(Event::Resource(step.clone()));
            steps.push(step);
        }
        match stack.stack_status() {
            Some(StackStatus::CreateComplete | StackStatus::UpdateComplete) => return Ok(()),
            // The new code serves; what is left is the removal of what was replaced.
            Some(StackStatus::UpdateCompleteCleanupInProgress) => return Ok(()),
            Some(status) if in_progress(status) => poll.wait().await,
            Some(StackStatus::ReviewInProgress) => poll.wait().await,
            status => {
                let status = status.map_or("unknown", StackStatus::as_str);
                let stack_name = name.to_owned();
                return Err(match first_cause(&steps) {
                    Some(Cause::Migration(report)) => Error::Migrate { report },
                    Some(Cause::Resource(cause)) => Error::Deploy {
                        stack: stack_name,
                        cause,
                    },
                    None => Error::Deploy {
                        stack: stack_name,
                        cause: stack
                            .stack_status_reason()
                            .map_or_else(|| format!("it ended in {status}"), str::to_owned),
                    },
                });
            }
        }
    }
}
