//! The scripts as a layer, the function that runs them, and the custom resource that calls it when they changed.

use std::time::Duration;

use serde_json::json;

use crate::assembly::Assets;
use crate::logical_id::LogicalId;
use crate::project::{MIGRATOR_HANDLER, Stage};
use crate::resources::{database, functions, in_asset_bucket, log_group, role};
use crate::template::{Named, Resource, attribute, reference};

/// How much longer CloudFormation waits than the migrator may run, so that its answer, not a timeout, ends the wait.
const ANSWER_MARGIN: Duration = Duration::from_secs(60);

pub(crate) fn resources(stage: &Stage, assets: &Assets) -> Vec<Named> {
    let layer = LogicalId::fixed("ScriptsLayer");
    let logs = LogicalId::fixed("MigratorLogs");
    let role = LogicalId::fixed("MigratorRole");
    let migrator = LogicalId::fixed("Migrator");
    let name = stage.migrator_name();
    let settings = &stage.migrator;

    let mut environment = functions::database_environment(stage);
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
            logs.clone(),
            &stage.log_group(&name),
            settings.log_retention,
        ),
        (role.clone(), role::function_role(&logs)),
        (
            migrator.clone(),
            function
                .resource(stage, assets)
                .with("Layers", Some(json!([reference(&layer)]))),
        ),
        (
            migration(),
            Resource::new(
                "Custom::DayspringMigration",
                json!({
                    "ServiceToken": attribute(&migrator, "Arn"),
                    "ServiceTimeout": (settings.timeout + ANSWER_MARGIN).as_secs(),
                    // The one property that changes, and only when a script did: what makes CloudFormation call.
                    "ScriptsDigest": assets.scripts.as_str(),
                    "Database": stage.database.name.as_str(),
                }),
            )
            // A cluster without an instance answers the Data API with DatabaseNotFoundException.
            .after([database::writer()]),
        ),
    ]
}

pub(crate) fn migration() -> LogicalId {
    LogicalId::fixed("Migration")
}
