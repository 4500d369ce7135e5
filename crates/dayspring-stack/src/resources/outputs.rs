//! What the stack tells the outside. Nothing is exported: no other stack must hold this one fast.

use serde_json::Value;

use crate::assembly::Assets;
use crate::logical_id::LogicalId;
use crate::project::Stage;
use crate::resources::{api, database, migration};
use crate::template::{Output, attribute, reference, substitute};

pub(crate) fn outputs(stage: &Stage, assets: &Assets) -> Vec<(LogicalId, Output)> {
    let url = format!(
        "https://${{{}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/${{{}}}",
        api::rest_api(),
        api::stage_id()
    );
    let output =
        |name, description, value: Value| (LogicalId::fixed(name), Output { description, value });
    let mut outputs = vec![
        output("Url", "Where the API answers", substitute(&url)),
        output("RestApiId", "The REST API", reference(&api::rest_api())),
        output(
            "StageName",
            "The stage of the REST API",
            reference(&api::stage_id()),
        ),
        output(
            "ClusterArn",
            "The cluster, for the Data API",
            database::cluster_arn(),
        ),
        output(
            "SecretArn",
            "The secret of the cluster's master user",
            database::master_secret_arn(),
        ),
        output(
            "Database",
            "The database inside the cluster",
            stage.database_name().as_str().into(),
        ),
        output(
            "MigrationReport",
            "What the last migration did",
            attribute(&migration::migration(), "Report"),
        ),
    ];
    if assets.contract {
        outputs.push(output(
            "ContractReport",
            "What the last migration did when the new code was live",
            attribute(&migration::contract_migration(), "Report"),
        ));
    }
    outputs
}
