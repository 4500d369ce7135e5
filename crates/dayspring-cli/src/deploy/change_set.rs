//! A change set, from its making to its execution.

use std::collections::{BTreeMap, HashSet};

use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{
    Capability, Change as SetChange, ChangeAction, ChangeSetStatus, ChangeSetType,
    Replacement as SetReplacement, Stack, StackStatus, Tag,
};

use super::deployed::Found;
use super::follow::follow;
use super::{Deployment, Observe, Step};
use crate::aws::{Aws, refused};
use crate::error::Error;

/// A template longer than this is passed by its S3 address (CreateChangeSet's reference: 51,200 bytes).
const TEMPLATE_BODY_BYTES_MAX: usize = 51_200;
pub(super) const SERVICE: &str = "CloudFormation";

/// A change set that is made and not carried out yet.
#[derive(Debug)]
pub(crate) struct Proposal {
    /// Of its own: a run beside this one, and one that was interrupted, have others.
    name: String,
    pub(crate) creates: bool,
    /// Whether the stack came into being by this change set.
    made_stack: bool,
    changes: Vec<SetChange>,
}

/// What a change set does to a resource beyond changing it in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replacement {
    pub(crate) resource_type: String,
    pub(crate) kind: ReplacementKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplacementKind {
    Replaced,
    /// Only the execution shows it.
    PerhapsReplaced,
    Removed,
}

impl ReplacementKind {
    pub(crate) fn said(self) -> &'static str {
        match self {
            Self::Replaced => "is REPLACED by a new one",
            Self::PerhapsReplaced => "is perhaps REPLACED by a new one",
            Self::Removed => "is REMOVED",
        }
    }

    /// In JSON; the first two in CloudFormation's words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Replaced => "True",
            Self::PerhapsReplaced => "Conditional",
            Self::Removed => "Removed",
        }
    }
}

/// How the execution of a change set ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Execution {
    Done,
    /// Another deployment came first: the change set is void.
    Overtaken,
}

impl Proposal {
    pub(super) fn count(&self) -> usize {
        self.changes.len()
    }

    /// What would be replaced or removed, by logical id.
    pub(crate) fn replacements(&self) -> BTreeMap<String, Replacement> {
        let replaced = |change: &SetChange| {
            let change = change.resource_change()?;
            let kind = match (change.action(), change.replacement()) {
                (Some(ChangeAction::Remove), _) => ReplacementKind::Removed,
                (_, Some(SetReplacement::True)) => ReplacementKind::Replaced,
                (_, Some(SetReplacement::Conditional)) => ReplacementKind::PerhapsReplaced,
                _ => return None,
            };
            let id = change.logical_resource_id().unwrap_or_default().to_owned();
            let resource_type = change.resource_type().unwrap_or_default().to_owned();
            Some((
                id,
                Replacement {
                    resource_type,
                    kind,
                },
            ))
        };
        self.changes.iter().filter_map(replaced).collect()
    }

    /// Deletes the change set, and the empty stack that it made.
    pub(crate) async fn discard(self, aws: &Aws, stack: &str) -> Result<(), Error> {
        forget(aws, stack, &self.name).await?;
        if !self.made_stack {
            return Ok(());
        }
        match describe(aws, stack).await? {
            Some(found) if found.stack_status() == Some(&StackStatus::ReviewInProgress) => {
                delete(aws, &found).await
            }
            _ => Ok(()),
        }
    }
}

/// What the making of a change set came to.
#[derive(Debug)]
pub(super) enum Proposed {
    Made(Proposal),
    /// Nothing changed.
    Unchanged,
    /// Another deployment came first: it is to be looked at again.
    Overtaken,
}

/// Makes the change set.
pub(super) async fn propose(
    aws: &Aws,
    deployment: &Deployment,
    before: Option<&Stack>,
) -> Result<Proposed, Error> {
    let found = Found::of(before);
    let creates = !matches!(found, Found::Deployed(_));
    let name = format!("dayspring-{:016x}", fastrand::u64(..));
    match create(aws, deployment, &name, creates).await {
        Ok(Some(changes)) => Ok(Proposed::Made(Proposal {
            name,
            creates,
            made_stack: matches!(found, Found::Nothing),
            changes,
        })),
        Ok(None) => Ok(Proposed::Unchanged),
        Err(_) if is_overtaken(aws, &deployment.stack, before, false).await? => {
            Ok(Proposed::Overtaken)
        }
        Err(error) => Err(error),
    }
}

/// Carries a change set out and waits for its end.
pub(super) async fn execute(
    aws: &Aws,
    deployment: &Deployment,
    before: Option<&Stack>,
    proposal: &Proposal,
    observe: Observe<'_>,
) -> Result<Execution, Error> {
    let seen = match begin(aws, deployment, proposal).await {
        Ok(seen) => seen,
        Err(error) => {
            if is_void(&error) || is_overtaken(aws, &deployment.stack, before, true).await? {
                return Ok(Execution::Overtaken);
            }
            return Err(error);
        }
    };
    follow(aws, deployment, seen, observe).await?;
    Ok(Execution::Done)
}

/// Has a change set carried out. Gives the events that were there before.
async fn begin(
    aws: &Aws,
    deployment: &Deployment,
    proposal: &Proposal,
) -> Result<HashSet<String>, Error> {
    let stack = &deployment.stack;
    let seen = if proposal.creates {
        HashSet::new()
    } else {
        event_ids(aws, stack).await?
    };
    aws.cloudformation
        .execute_change_set()
        .stack_name(stack)
        .change_set_name(&proposal.name)
        .send()
        .await
        .map_err(|error| refused(SERVICE, "ExecuteChangeSet", &error))?;
    Ok(seen)
}

/// Whether CloudFormation says that a change set of ours, which was there, is gone or no longer to be executed. The stack may
/// not show it yet.
fn is_void(error: &Error) -> bool {
    matches!(
        error,
        Error::Refused { kind, .. }
            if ["InvalidChangeSetStatus", "ChangeSetNotFound", "ChangeSetNotFoundException"].contains(&kind.as_str())
    )
}

/// Whether another deployment came between, so that what was refused is to be tried anew from a new look.
///
/// The refusals themselves do not tell: CloudFormation says `ValidationError` where the stack is under way, and for mistakes.
/// The stack does.
async fn is_overtaken(
    aws: &Aws,
    stack: &str,
    before: Option<&Stack>,
    is_proposed: bool,
) -> Result<bool, Error> {
    let now = describe(aws, stack).await?;
    Ok(has_moved(before, now.as_ref(), is_proposed))
}

/// Whether somebody else changed a stack. `is_proposed`: a change set of ours was made in the meantime, which puts a stack
/// that did not exist in review.
fn has_moved(before: Option<&Stack>, now: Option<&Stack>, is_proposed: bool) -> bool {
    let state = |stack: &Stack| {
        (
            stack.stack_id().map(str::to_owned),
            stack.stack_status().cloned(),
            stack.last_updated_time().copied(),
        )
    };
    let found = Found::of(before);
    match Found::of(now) {
        Found::Reviewed => matches!(found, Found::Deployed(_)),
        Found::Nothing => is_proposed || matches!(found, Found::Reviewed | Found::Deployed(_)),
        Found::Remains => true,
        Found::Deployed(now) => match found {
            Found::Deployed(before) => state(before) != state(now),
            Found::Nothing | Found::Reviewed | Found::Remains => true,
        },
    }
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

/// The stack once nothing is under way.
pub(super) async fn settled(aws: &Aws, name: &str) -> Result<Option<Stack>, Error> {
    let mut poll = aws.poll();
    loop {
        let stack = describe(aws, name).await?;
        let status = stack.as_ref().and_then(Stack::stack_status);
        if !status.is_some_and(in_progress) {
            return Ok(stack);
        }
        poll.wait().await;
    }
}

pub(super) fn in_progress(status: &StackStatus) -> bool {
    status.as_str().ends_with("_IN_PROGRESS") && *status != StackStatus::ReviewInProgress
}

/// Deletes this very stack: another run may have made one of the same name meanwhile.
pub(super) async fn delete(aws: &Aws, stack: &Stack) -> Result<(), Error> {
    // By its id a deleted stack can still be described.
    let id = stack.stack_id().unwrap_or_default();
    aws.cloudformation
        .delete_stack()
        .stack_name(id)
        .send()
        .await
        .map_err(|error| refused(SERVICE, "DeleteStack", &error))?;
    let settled = settled(aws, id).await?;
    match settled.as_ref().and_then(Stack::stack_status) {
        None | Some(StackStatus::DeleteComplete) => Ok(()),
        Some(status) => Err(Error::Deploy {
            stack: stack.stack_name().unwrap_or_default().to_owned(),
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
        aws.s3.make_bucket(&deployment.bucket).await?;
        let content = deployment.template.clone().into_bytes().into();
        aws.s3
            .put_object(&deployment.bucket, &deployment.template_key, content)
            .await?;
        request = request.template_url(
            aws.s3
                .object_url(&deployment.bucket, &deployment.template_key),
        );
    }
    request
        .send()
        .await
        .map_err(|error| refused(SERVICE, "CreateChangeSet", &error))?;
    let mut poll = aws.poll();
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

/// Deletes a change set, if it is there.
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

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::primitives::DateTime;

    use super::*;

    fn stack(id: &str, status: StackStatus, updated: i64) -> Stack {
        Stack::builder()
            .stack_id(id)
            .stack_name("blog-dev")
            .creation_time(DateTime::from_secs(1))
            .stack_status(status)
            .last_updated_time(DateTime::from_secs(updated))
            .build()
    }

    #[test]
    fn a_stack_tells_whether_somebody_else_changed_it() {
        let deployed = stack("a", StackStatus::UpdateComplete, 5);
        let review = stack("a", StackStatus::ReviewInProgress, 1);
        let creating = stack("a", StackStatus::CreateInProgress, 1);
        let moved = |before: Option<&Stack>, now: Option<&Stack>| {
            [false, true].map(|proposed| has_moved(before, now, proposed))
        };
        for (before, now, expected) in [
            (Some(&deployed), Some(&deployed), [false, false]),
            (None, Some(&review), [false, false]),
            (Some(&review), Some(&review), [false, false]),
            // A refusal of what would have made the stack; and a stack that was deleted under its change set.
            (None, None, [false, true]),
            (Some(&review), None, [true, true]),
            (Some(&deployed), None, [true, true]),
            (None, Some(&creating), [true, true]),
            (Some(&review), Some(&creating), [true, true]),
        ] {
            assert_eq!(moved(before, now), expected, "{before:?} {now:?}");
        }
        for now in [
            stack("a", StackStatus::UpdateInProgress, 5),
            stack("a", StackStatus::UpdateComplete, 6),
            stack("b", StackStatus::UpdateComplete, 5),
            stack("b", StackStatus::RollbackComplete, 5),
        ] {
            assert_eq!(moved(Some(&deployed), Some(&now)), [true, true], "{now:?}");
        }
    }
}
