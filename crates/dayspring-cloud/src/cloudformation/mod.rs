//! CloudFormation: templates, change sets, stacks, events, and the engine that provisions.
//!
//! A request is read in `api`, which also writes the answer; what it asks for is done in `operations`; what takes time
//! runs in the background in `engine`, over the resource types of `types`.

mod api;
mod change_set;
mod drift;
mod engine;
mod goal;
mod graph;
mod hidden;
mod interruptions;
mod intrinsics;
mod ledger;
mod nearest;
mod operations;
mod policy;
mod provider;
mod render;
mod stack;
mod template;
mod types;
mod yaml;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinSet;

use crate::http::{Answer, Call};
use crate::secrets::Secrets;
use crate::ssm::Ssm;
use crate::state::{StateError, StateFile};
pub(crate) use api::SERVICE as QUERY;
use engine::Engine;
use goal::Surroundings;
use ledger::Ledger;
use provider::Provider;
#[cfg(test)]
pub(crate) use types::knows_property;
pub(crate) use types::{RESPONSE_BYTES_MAX, RESPONSE_PATH, Responses, Types};

/// The CloudFormation service of this cloud.
pub(crate) type CloudFormation = Service<Types>;

/// CloudFormation over the resource types of a provider. Cheap to clone.
#[derive(Debug)]
pub(crate) struct Service<P> {
    engine: Arc<Engine<P>>,
    /// Where `TemplateURL` is read.
    templates: crate::s3::S3,
    /// The operations under way.
    tasks: Arc<Mutex<JoinSet<()>>>,
    /// Held by the request that is changing something.
    turn: Arc<Mutex<()>>,
}

impl<P> Clone for Service<P> {
    fn clone(&self) -> Self {
        Self {
            engine: Arc::clone(&self.engine),
            templates: self.templates.clone(),
            tasks: Arc::clone(&self.tasks),
            turn: Arc::clone(&self.turn),
        }
    }
}

/// What CloudFormation looks up in other services.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    pub(crate) ssm: Ssm,
    pub(crate) secrets: Secrets,
    pub(crate) s3: crate::s3::S3,
    /// `AWS::URLSuffix`: the host and port under which deployed stages answer.
    pub(crate) url_suffix: String,
}

impl CloudFormation {
    /// Opens the stacks of the last run.
    pub(crate) fn open(folder: &Path, types: Types, sources: Sources) -> Result<Self, StateError> {
        let (identity, world) = (types.identity.clone(), types.world);
        Self::with(folder, types, sources, identity, world)
    }
}

impl<P: Provider> Service<P> {
    fn with(
        folder: &Path,
        provider: P,
        sources: Sources,
        identity: crate::Identity,
        world: crate::world::World,
    ) -> Result<Self, StateError> {
        let ledger = Ledger::open(StateFile::new(folder.join("stacks.json")), world)?;
        let surroundings = Surroundings {
            identity,
            url_suffix: sources.url_suffix,
            secrets: Arc::new(DynamicReferences {
                ssm: sources.ssm,
                secrets: sources.secrets,
            }),
        };
        Ok(Self {
            engine: Arc::new(Engine {
                provider,
                ledger,
                surroundings,
                running: engine::Running::default(),
            }),
            templates: sources.s3,
            tasks: Arc::default(),
            turn: Arc::default(),
        })
    }

    /// Answers the query API.
    pub(crate) fn answer(&self, call: &Call) -> Answer {
        api::answer(self, call)
    }

    /// Waits until no other request is changing anything.
    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts the operations under way. The next start finds their stacks failed, with a reason that says so.
    pub(crate) async fn shut_down(&self) {
        let mut tasks =
            std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
    }

    fn spawn(&self, operation: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that are done are let go of, so that the set holds only what runs.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(operation);
    }
}

#[derive(Debug)]
struct DynamicReferences {
    ssm: Ssm,
    secrets: Secrets,
}

impl intrinsics::Secrets for DynamicReferences {
    fn resolve(&self, service: &str, key: &str) -> Option<String> {
        match service {
            "ssm" | "ssm-secure" => {
                // NAME or NAME:VERSION; a name has no colon, only the newest version is kept.
                self.ssm.value(key.split(':').next().unwrap_or(key))
            }
            "secretsmanager" => {
                // ID, then SecretString, a key of its JSON, and a version; an ARN as the ID has six colons in it.
                let (id, rest) = if key.starts_with("arn:") {
                    let end = key
                        .match_indices(':')
                        .nth(6)
                        .map_or(key.len(), |(at, _)| at);
                    (&key[..end], key[end..].trim_start_matches(':'))
                } else {
                    key.split_once(':').unwrap_or((key, ""))
                };
                let value = self.secrets.value(id)?;
                match rest.split(':').nth(1).filter(|key| !key.is_empty()) {
                    None => Some(value),
                    Some(key) => {
                        let value: serde_json::Value = serde_json::from_str(&value).ok()?;
                        value.get(key).map(template::scalar_text)
                    }
                }
            }
            _ => None,
        }
    }
}
