//! The scripts as a layer, the function that runs them, and the custom resource that calls it when they changed.

use serde_json::{Value, json};

use crate::assembly::Assets;
use crate::logical_id::LogicalId;
use crate::project::{MIGRATOR_HANDLER, Stage};
use crate::resources::{api, database, functions, in_asset_bucket, log_group, role};
use crate::template::{Named, Resource, attribute, reference};

/// How long CloudFormation waits, in seconds: as long as it can. The migrator hands over to a fresh invocation of itself
/// when its own time is over, and answers before this is.
const SERVICE_TIMEOUT: u32 = 3600;

pub(crate) fn resources(stage: &Stage, assets: &Assets) -> Vec<Named> {
    let layer = LogicalId::fixed("ScriptsLayer");
    let logs = LogicalId::fixed("MigratorLogs");
    let role = LogicalId::fixed("MigratorRole");
    let migrator = LogicalId::fixed("Migrator");
    let name = stage.migrator_name();
    let settings = &stage.migrator;

    let mut environment = functions::database_environment(stage, database::master_secret_arn());
    environment.insert(
        "DAYSPRING_SCRIPTS".to_owned(),
        stage.scripts.as_str().into(),
    );
    if stage.development {
        environment.insert("DAYSPRING_DEVELOPMENT".to_owned(), "true".into());
    }
    let function = functions::Code {
        name: &name,
        handler: MIGRATOR_HANDLER,
        description: format!("Migrates the schema of {}", stage.stack_name()),
        role: &role,
        logs: &logs,
        memory_mib: settings.memory_mib,
        timeout: settings.timeout,
        reserved_concurrency: settings.reserved_concurrency,
        environment,
    };
    vec![
        (
            layer.clone(),
            Resource::new(
                "AWS::Lambda::LayerVersion",
                json!({
                    "LayerName": format!("{}-scripts", stage.stack_name()),
                    "Description": format!("{} at digest {}", stage.scripts, &assets.scripts.as_str()[..12]),
                    "Content": in_asset_bucket(stage, &assets.scripts),
                    "CompatibleRuntimes": [functions::RUNTIME],
                }),
            ),
        ),
        log_group(
            stage,
            logs.clone(),
            &stage.log_group(&name),
            settings.log_retention,
        ),
        (role.clone(), role::migrator_role(stage, &logs, &name)),
        (
            migrator.clone(),
            function
                .resource(stage, assets)
                .with("Layers", Some(json!([reference(&layer)]))),
        ),
        (
            migration(),
            // A cluster without an instance answers the Data API with DatabaseNotFoundException.
            custom_resource(
                stage,
                assets,
                &[("FunctionSecret", database::function_secret_arn())],
            )
            .after([database::writer()]),
        ),
    ]
}

/// The migration that runs when the new code is live: after every function, and after the API's stage shows the new
/// deployment.
pub(crate) fn contract_resources(stage: &Stage, assets: &Assets) -> Vec<Named> {
    if !assets.contract {
        return Vec::new();
    }
    let functions = stage
        .functions
        .iter()
        .map(|function| functions::function_id(&function.name));
    let live = functions.chain([api::stage_id()]);
    vec![(
        contract_migration(),
        custom_resource(stage, assets, &[("Phase", "contract".into())]).after(live),
    )]
}

fn custom_resource(stage: &Stage, assets: &Assets, more: &[(&str, Value)]) -> Resource {
    let mut properties = json!({
        "ServiceToken": attribute(&LogicalId::fixed("Migrator"), "Arn"),
        "ServiceTimeout": SERVICE_TIMEOUT,
        // The one property that changes, and only when a script did: what makes CloudFormation call.
        "ScriptsDigest": assets.scripts.as_str(),
        "Database": stage.database.name.as_str(),
    });
    for (name, value) in more {
        properties[*name] = value.clone();
    }
    Resource::new("Custom::DayspringMigration", properties)
}

pub(crate) fn migration() -> LogicalId {
    LogicalId::fixed("Migration")
}

pub(crate) fn contract_migration() -> LogicalId {
    LogicalId::fixed("ContractMigration")
}
