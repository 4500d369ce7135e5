//! One function for each that the project names, with a role and a log group of its own.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::assembly::Assets;
use crate::logical_id::LogicalId;
use crate::project::{Function, FunctionName, Stage};
use crate::resources::{database, encryption, in_asset_bucket, log_group, migration, role};
use crate::template::{Named, Resource, attribute, reference};

/// The runtime that starts a `bootstrap` of one's own.
pub(crate) const RUNTIME: &str = "provided.al2023";

pub(crate) fn resources(stage: &Stage, assets: &Assets) -> Vec<Named> {
    stage
        .functions
        .iter()
        .flat_map(|function| function_resources(stage, assets, function))
        .collect()
}

fn function_resources(stage: &Stage, assets: &Assets, function: &Function) -> [Named; 3] {
    let name = stage.function_name(&function.name);
    let logs = LogicalId::named("Logs", function.name.as_str(), '_');
    let role = LogicalId::named("Role", function.name.as_str(), '_');
    let mut environment = database_environment(stage, database::function_secret_arn());
    if let Some(cors) = &stage.api.cors {
        environment.insert(
            "DAYSPRING_CORS_ORIGIN".to_owned(),
            cors.origin.as_str().into(),
        );
        if cors.credentials {
            environment.insert("DAYSPRING_CORS_CREDENTIALS".to_owned(), "true".into());
        }
    }
    environment.extend(
        function
            .environment
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_str().into())),
    );
    let policies: Vec<&str> = function
        .policies
        .iter()
        .map(|policy| policy.as_str())
        .collect();
    let policies = (!policies.is_empty()).then(|| policies.into());
    let code = Code {
        name: &name,
        handler: &function.name.handler(),
        description: format!("functions/{}.rs of {}", function.name, stage.stack_name()),
        role: &role,
        logs: &logs,
        memory_mib: function.memory_mib,
        timeout: function.timeout,
        reserved_concurrency: function.reserved_concurrency,
        environment,
    };
    [
        log_group(
            stage,
            logs.clone(),
            &stage.log_group(&name),
            function.log_retention,
        ),
        (
            role.clone(),
            role::function_role(stage, &logs).with("ManagedPolicyArns", policies),
        ),
        // New code never meets an old schema.
        (
            function_id(&function.name),
            code.resource(stage, assets).after([migration::migration()]),
        ),
    ]
}

pub(crate) fn function_id(name: &FunctionName) -> LogicalId {
    LogicalId::named("Function", name.as_str(), '_')
}

/// What a function needs to find its database, and to log in with the account of a secret.
pub(crate) fn database_environment(stage: &Stage, secret_arn: Value) -> Map<String, Value> {
    let mut environment = Map::new();
    environment.insert("DAYSPRING_CLUSTER_ARN".to_owned(), database::cluster_arn());
    environment.insert("DAYSPRING_SECRET_ARN".to_owned(), secret_arn);
    environment.insert(
        "DAYSPRING_DATABASE".to_owned(),
        stage.database.name.as_str().into(),
    );
    environment
}

/// A function that runs the project's `bootstrap`.
pub(crate) struct Code<'c> {
    pub(crate) name: &'c str,
    pub(crate) handler: &'c str,
    pub(crate) description: String,
    pub(crate) role: &'c LogicalId,
    pub(crate) logs: &'c LogicalId,
    pub(crate) memory_mib: u32,
    pub(crate) timeout: Duration,
    pub(crate) reserved_concurrency: Option<u32>,
    pub(crate) environment: Map<String, Value>,
}

impl Code<'_> {
    pub(crate) fn resource(self, stage: &Stage, assets: &Assets) -> Resource {
        Resource::new(
            "AWS::Lambda::Function",
            json!({
                "FunctionName": self.name,
                "Description": self.description,
                "Runtime": RUNTIME,
                "Architectures": [stage.architecture().as_str()],
                "Handler": self.handler,
                "Code": in_asset_bucket(stage, &assets.code),
                "Role": attribute(self.role, "Arn"),
                "MemorySize": self.memory_mib,
                "Timeout": self.timeout.as_secs(),
                "Environment": { "Variables": self.environment },
                "LoggingConfig": { "LogFormat": "JSON", "LogGroup": reference(self.logs) },
            }),
        )
        .with("KmsKeyArn", encryption::key_arn(stage))
        .with(
            "ReservedConcurrentExecutions",
            self.reserved_concurrency.map(Value::from),
        )
    }
}
