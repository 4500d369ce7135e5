//! Brings a template to a stack: upload, change set, execution, events, outputs. The same calls go to AWS and to a local
//! cloud.

mod change_set;
mod deployed;
mod destroy;
mod events;
mod upload;

use std::collections::BTreeMap;

pub(crate) use change_set::replacements;
pub(crate) use deployed::{Database, database_of, is_there, status, template};
pub(crate) use destroy::destroy;
pub(crate) use events::{Event, Step};
pub(crate) use upload::Artifact;

use crate::aws::Aws;
use crate::error::Error;

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
}

/// What a deployment came to.
#[derive(Debug)]
pub(crate) struct Deployed {
    pub(crate) change: Change,
    pub(crate) outputs: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    None,
    Created,
    Updated,
}

/// Deploys, and tells `observe` each step as it happens.
pub(crate) async fn deploy(
    aws: &Aws,
    deployment: &Deployment,
    observe: &mut (dyn FnMut(Event) + Send),
) -> Result<Deployed, Error> {
    upload::upload(aws, deployment, observe).await?;
    let change = change_set::carry_out(aws, deployment, observe).await?;
    let outputs = outputs(aws, &deployment.stack).await?;
    Ok(Deployed { change, outputs })
}

/// The outputs of a stack.
pub(crate) async fn outputs(aws: &Aws, stack: &str) -> Result<BTreeMap<String, String>, Error> {
    let stack = change_set::describe(aws, stack)
        .await?
        .ok_or_else(|| Error::NoStack {
            stack: stack.to_owned(),
        })?;
    Ok(stack
        .outputs()
        .iter()
        .filter_map(|output| {
            Some((
                output.output_key()?.to_owned(),
                output.output_value()?.to_owned(),
            ))
        })
        .collect())
}
