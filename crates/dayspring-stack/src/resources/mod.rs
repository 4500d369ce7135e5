//! From a stage to the resources of its stack.
//!
//! One stack holds everything: an export that another stack imports can neither be changed nor removed while it is
//! imported, and there is nothing here that is deployed alone. The order of work is in the dependencies: key, network,
//! cluster, writer, migration, functions, API, and last the scripts that wait for the new code. So new code never meets an
//! old schema, and old code never a contracted one.

mod api;
mod database;
mod encryption;
mod functions;
mod migration;
mod network;
mod outputs;
mod role;

use serde_json::{Value, json};

use crate::assembly::{Assets, asset_key};
use crate::digest::Digest;
use crate::logical_id::LogicalId;
use crate::project::{Retention, Stage};
use crate::template::{DeletionPolicy, Named, Resource, Template, substitute};

/// The template of `stage`, whose functions run the code and the scripts of `assets`. The same arguments give the same
/// template, byte for byte.
#[must_use]
pub fn synthesize(stage: &Stage, assets: &Assets) -> Template {
    let mut resources = encryption::resources(stage);
    resources.extend(network::resources(stage));
    resources.extend(database::resources(stage));
    resources.extend(migration::resources(stage, assets));
    resources.extend(functions::resources(stage, assets));
    resources.extend(api::resources(stage));
    resources.extend(migration::contract_resources(stage, assets));
    let description = format!("{}, stage {}, by Dayspring", stage.project, stage.name);
    Template::new(description, resources, outputs::outputs(stage, assets))
}

/// A log group. It is deleted with the stack: one that stayed would keep its name, and the next deploy of the stage
/// would fail to create it.
fn log_group(stage: &Stage, id: LogicalId, name: &str, retention: Retention) -> Named {
    let days = match retention {
        Retention::Days(days) => Some(days.into()),
        Retention::Forever => None,
    };
    let group = Resource::new("AWS::Logs::LogGroup", json!({ "LogGroupName": name }))
        .with("RetentionInDays", days)
        .with("KmsKeyId", encryption::key_arn(stage))
        .on_deletion(DeletionPolicy::Delete);
    (id, group)
}

/// Where CloudFormation finds an archive.
fn in_asset_bucket(stage: &Stage, digest: &Digest) -> Value {
    json!({ "S3Bucket": substitute(&stage.asset_home().bucket()), "S3Key": asset_key(stage.project(), digest) })
}
