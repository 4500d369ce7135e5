//! Brings a template to a stack: upload, change set, execution, events, outputs. The same calls go to AWS and to a local
//! cloud.

mod change_set;
mod deployed;
mod destroy;
mod events;
mod follow;
mod upload;

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::Stack;
use serde_json::Value;

use change_set::{Execution, Proposed};
pub(crate) use change_set::{Proposal, Replacement, ReplacementKind};
use deployed::Found;
pub(crate) use deployed::{database_of, status, template};
pub(crate) use destroy::destroy;
pub(crate) use events::{Event, Step};
pub(crate) use upload::Artifact;

use crate::aws::Aws;
use crate::error::Error;

/// Who is told what happens.
pub(crate) type Observe<'o> = &'o mut (dyn FnMut(Event) + Send);

/// What is to be deployed.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) stack: String,
    pub(crate) tags: BTreeMap<String, String>,
    /// The template's JSON.
    pub(crate) template: String,
    pub(crate) bucket: String,
    pub(crate) artifacts: Vec<Artifact>,
    /// The key under which a template too large for a request is stored.
    pub(crate) template_key: String,
    /// The log group of the migrator.
    pub(crate) migrator_log: String,
}

/// What a deployment came to.
#[derive(Debug)]
pub(crate) struct Deployed {
    pub(crate) change: Change,
    pub(crate) outputs: BTreeMap<String, String>,
    /// Whether the migrator was called.
    pub(crate) migrated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    None,
    Created,
    Updated,
}

/// What stands where a deployment goes, once nothing is under way there.
#[derive(Debug)]
pub(crate) struct Before {
    stack: Option<Stack>,
    /// The template that was deployed; null where there is none.
    pub(crate) template: Value,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) outputs: BTreeMap<String, String>,
}

/// What is to be carried out.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// It is as it should be.
    Unchanged(Before),
    Proposed(Before, Proposal),
    /// Another deployment was first: it has to be prepared again.
    Overtaken,
}

/// How carrying a proposal out ended.
#[derive(Debug)]
pub(crate) enum Carried {
    Done(Deployed),
    /// Another deployment was first: it has to be prepared again.
    Overtaken,
}

/// The property of the migration that lets it make the database anew: the migrator's contract, which only a stage for
/// development heeds.
const REBUILD: &str = "Rebuild";

impl Deployment {
    /// Has the migrator make the database anew from the scripts.
    pub(crate) fn rebuild(&mut self) {
        let mut template: Value = serde_json::from_str(&self.template).unwrap_or_default();
        let properties = &mut template["Resources"]["Migration"]["Properties"];
        properties[REBUILD] = properties["ScriptsDigest"].clone();
        self.template = format!("{template:#}\n");
    }
}

/// Waits for what is under way, and looks at what is there.
pub(crate) async fn look(
    aws: &Aws,
    deployment: &Deployment,
    observe: Observe<'_>,
) -> Result<Before, Error> {
    let stack = follow::settle(aws, deployment, observe).await?;
    let mut before = Before {
        stack,
        template: Value::Null,
        tags: BTreeMap::new(),
        outputs: BTreeMap::new(),
    };
    if let Found::Deployed(stack) = Found::of(before.stack.as_ref()) {
        before.template = template(aws, &deployment.stack).await?;
        // It was for one deployment: that it is gone is no change.
        if let Some(properties) =
            before.template["Resources"]["Migration"]["Properties"].as_object_mut()
        {
            properties.shift_remove(REBUILD);
        }
        before.tags = tags_of(stack);
        before.outputs = outputs_of(stack);
    }
    Ok(before)
}

/// Compares with what is there, and makes the change set where that is not the same.
pub(crate) async fn prepare(
    aws: &Aws,
    deployment: &Deployment,
    observe: Observe<'_>,
) -> Result<Prepared, Error> {
    let before = look(aws, deployment, observe).await?;
    let found = Found::of(before.stack.as_ref());
    if matches!(found, Found::Deployed(_)) {
        let after: Value = serde_json::from_str(&deployment.template).unwrap_or_default();
        // Spares the making of a change set, which takes CloudFormation seconds, as the `cdk` CLI does.
        if before.template == after && before.tags == deployment.tags {
            return Ok(Prepared::Unchanged(before));
        }
    }
    if let (Found::Remains, Some(stack)) = (found, &before.stack) {
        observe(Event::RemovingRemains);
        change_set::delete(aws, stack).await?;
    }
    Ok(
        match change_set::propose(aws, deployment, before.stack.as_ref()).await? {
            Proposed::Made(proposal) => Prepared::Proposed(before, proposal),
            Proposed::Unchanged => Prepared::Unchanged(before),
            Proposed::Overtaken => Prepared::Overtaken,
        },
    )
}

/// What an update would replace or remove, by logical id. Makes a change set and deletes it.
pub(crate) async fn replacements(
    aws: &Aws,
    deployment: &Deployment,
    before: &Before,
) -> Result<BTreeMap<String, Replacement>, Error> {
    let found = Found::of(before.stack.as_ref());
    if !matches!(found, Found::Deployed(_)) {
        return Ok(BTreeMap::new());
    }
    let proposal = match change_set::propose(aws, deployment, before.stack.as_ref()).await? {
        Proposed::Made(proposal) => proposal,
        Proposed::Unchanged => return Ok(BTreeMap::new()),
        Proposed::Overtaken => return Err(overtaken(deployment)),
    };
    let replacements = proposal.replacements();
    proposal.discard(aws, &deployment.stack).await?;
    Ok(replacements)
}

/// Uploads what the bucket lacks, carries the change set out and waits for its end.
pub(crate) async fn carry_out(
    aws: &Aws,
    deployment: &Deployment,
    before: &Before,
    proposal: &Proposal,
    observe: Observe<'_>,
) -> Result<Carried, Error> {
    upload::upload(aws, deployment, observe).await?;
    observe(Event::ChangeSet {
        creates: proposal.creates,
        changes: proposal.count(),
    });
    let mut migrated = false;
    let mut watch = |event: Event| {
        migrated |= matches!(&event, Event::Resource(step) if step.is_migration());
        observe(event);
    };
    let stack = before.stack.as_ref();
    match change_set::execute(aws, deployment, stack, proposal, &mut watch).await? {
        Execution::Overtaken => Ok(Carried::Overtaken),
        Execution::Done => Ok(Carried::Done(Deployed {
            change: if proposal.creates {
                Change::Created
            } else {
                Change::Updated
            },
            outputs: outputs(aws, &deployment.stack).await?,
            migrated,
        })),
    }
}

/// Changes a stack so that its database is deleted without a last snapshot. Gives whether it did: what is being deleted,
/// or never came to be, is not changed any more.
pub(crate) async fn forgo_snapshot(
    aws: &Aws,
    mut deployment: Deployment,
    observe: Observe<'_>,
) -> Result<bool, Error> {
    let before = look(aws, &deployment, observe).await?;
    let found = Found::of(before.stack.as_ref());
    if !matches!(found, Found::Deployed(_)) {
        return Ok(false);
    }
    let mut template = before.template.clone();
    deployed::forgo_snapshot(&mut template);
    deployment.template = format!("{template:#}\n");
    deployment.tags.clone_from(&before.tags);
    let stack = before.stack.as_ref();
    let proposal = match change_set::propose(aws, &deployment, stack).await? {
        Proposed::Made(proposal) => proposal,
        Proposed::Unchanged => return Ok(true),
        Proposed::Overtaken => return Err(overtaken(&deployment)),
    };
    match change_set::execute(aws, &deployment, stack, &proposal, observe).await? {
        Execution::Done => {
            change_set::settled(aws, &deployment.stack).await?;
            Ok(true)
        }
        Execution::Overtaken => Err(overtaken(&deployment)),
    }
}

fn overtaken(deployment: &Deployment) -> Error {
    Error::Overtaken {
        stack: deployment.stack.clone(),
    }
}

/// The outputs of a stack.
pub(crate) async fn outputs(aws: &Aws, stack: &str) -> Result<BTreeMap<String, String>, Error> {
    let stack = change_set::describe(aws, stack)
        .await?
        .ok_or_else(|| Error::NoStack {
            stack: stack.to_owned(),
        })?;
    Ok(outputs_of(&stack))
}

fn outputs_of(stack: &Stack) -> BTreeMap<String, String> {
    let outputs = stack.outputs().iter().filter_map(|output| {
        Some((
            output.output_key()?.to_owned(),
            output.output_value()?.to_owned(),
        ))
    });
    outputs.collect()
}

fn tags_of(stack: &Stack) -> BTreeMap<String, String> {
    let tags = stack.tags().iter();
    tags.filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())))
        .collect()
}
