//! The cluster, its parameters and its one instance.

use serde_json::{Map, Value, json};

use crate::logical_id::LogicalId;
use crate::project::Stage;
use crate::resources::{encryption, network, role};
use crate::template::{DeletionPolicy, Named, Resource, attribute, reference, substitute};

/// Parameters that every cluster gets unless the project says otherwise. The wait for locks is not among them: the Data API
/// ends a statement after 45 seconds, and the migrator bounds its own.
const PARAMETERS: [(&str, &str); 1] = [("character_set_server", "utf8mb4")];

/// Nobody connects to it: the Data API does not go through the network. It is not MySQL's usual port, which scanners try.
const PORT: u16 = 13_306;

/// Seconds between two looks of RDS at the operating system below the database.
const MONITORING_INTERVAL: u8 = 60;

/// The account that the functions log in with. The migrator makes it, without any right to change the schema.
const FUNCTION_USER: &str = "functions";

pub(crate) fn resources(stage: &Stage) -> Vec<Named> {
    let database = &stage.database;
    let subnets: Vec<Value> = network::subnets(stage).iter().map(reference).collect();
    let subnet_group = LogicalId::fixed("DatabaseSubnets");
    let parameters = LogicalId::fixed("DatabaseParameters");
    let log_exports: Vec<&str> = database
        .log_exports
        .iter()
        .map(|log| log.as_str())
        .collect();
    let deletion = if stage.development {
        DeletionPolicy::Delete
    } else {
        DeletionPolicy::Snapshot
    };
    let monitoring_role = LogicalId::fixed("DatabaseMonitoringRole");
    let monitored = !stage.development;
    let mut resources = vec![
        (
            subnet_group.clone(),
            Resource::new(
                "AWS::RDS::DBSubnetGroup",
                json!({
                    "DBSubnetGroupDescription": format!("The isolated subnets of {}", stage.stack_name()),
                    "SubnetIds": subnets,
                }),
            ),
        ),
        (
            // A group of its own even where nothing differs: a cluster that began with AWS's must be restarted to
            // change to another.
            parameters.clone(),
            Resource::new(
                "AWS::RDS::DBClusterParameterGroup",
                json!({
                    "Description": format!("The parameters of {}", stage.stack_name()),
                    "Family": database.engine_version.parameter_family(),
                    "Parameters": parameter_values(stage),
                }),
            ),
        ),
        (
            cluster(),
            Resource::new(
                "AWS::RDS::DBCluster",
                json!({
                    // A name of its own makes CloudFormation refuse a replacement, which would begin with an empty database.
                    "DBClusterIdentifier": stage.stack_name(),
                    "Engine": "aurora-mysql",
                    "EngineVersion": database.engine_version.as_str(),
                    "DatabaseName": database.name.as_str(),
                    "MasterUsername": database.username.as_str(),
                    "ManageMasterUserPassword": true,
                    "EnableHttpEndpoint": true,
                    "EnableIAMDatabaseAuthentication": true,
                    "Port": PORT,
                    "ServerlessV2ScalingConfiguration": scaling(stage),
                    "DBSubnetGroupName": reference(&subnet_group),
                    "VpcSecurityGroupIds": [attribute(&network::security_group(), "GroupId")],
                    "DBClusterParameterGroupName": reference(&parameters),
                    "StorageEncrypted": true,
                    "DeletionProtection": database.protection,
                    "BackupRetentionPeriod": database.backup_retention_days,
                    "CopyTagsToSnapshot": true,
                }),
            )
            .with(
                "PreferredBackupWindow",
                database
                    .backup_window
                    .as_ref()
                    .map(|window| window.as_str().into()),
            )
            .with(
                "PreferredMaintenanceWindow",
                database
                    .maintenance_window
                    .as_ref()
                    .map(|window| window.as_str().into()),
            )
            .with(
                "EnableCloudwatchLogsExports",
                (!log_exports.is_empty()).then(|| log_exports.into()),
            )
            .on_deletion(deletion),
        ),
        (
            writer(),
            Resource::new(
                "AWS::RDS::DBInstance",
                json!({
                    "DBClusterIdentifier": reference(&cluster()),
                    "DBInstanceClass": "db.serverless",
                    "Engine": "aurora-mysql",
                    "AutoMinorVersionUpgrade": database.minor_upgrades,
                    "PubliclyAccessible": false,
                }),
            )
            .with(
                "MonitoringInterval",
                monitored.then(|| MONITORING_INTERVAL.into()),
            )
            .with(
                "MonitoringRoleArn",
                monitored.then(|| attribute(&monitoring_role, "Arn")),
            )
            // The data is the cluster's; its instance cannot be snapshotted.
            .on_deletion(DeletionPolicy::Delete),
        ),
        (
            function_secret(),
            Resource::new(
                "AWS::SecretsManager::Secret",
                json!({
                    "Description": format!("The account of the functions of {} in the database", stage.stack_name()),
                    // The migrator writes the password into a statement.
                    "GenerateSecretString": {
                        "SecretStringTemplate": json!({ "username": FUNCTION_USER }).to_string(),
                        "GenerateStringKey": "password",
                        "PasswordLength": 32,
                        "ExcludePunctuation": true,
                    },
                }),
            )
            .with("KmsKeyId", encryption::key_arn(stage))
            .on_deletion(DeletionPolicy::Delete),
        ),
    ];
    if monitored {
        let policy =
            "arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole";
        let resource = Resource::new(
            "AWS::IAM::Role",
            json!({
                "AssumeRolePolicyDocument": role::assumed_by("monitoring.rds.amazonaws.com"),
                "ManagedPolicyArns": [substitute(policy)],
            }),
        );
        resources.push((monitoring_role, resource));
    }
    resources
}

fn parameter_values(stage: &Stage) -> Map<String, Value> {
    let usual = PARAMETERS
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    let own = stage.database.parameters.iter();
    usual
        .chain(own.map(|(name, value)| (name.as_str().to_owned(), Value::from(value.as_str()))))
        .collect()
}

fn scaling(stage: &Stage) -> Value {
    let capacity = stage.database.capacity;
    let mut scaling =
        json!({ "MinCapacity": capacity.min.to_json(), "MaxCapacity": capacity.max.to_json() });
    if let Some(pause_after) = capacity.pause_after {
        scaling["SecondsUntilAutoPause"] = pause_after.as_secs().into();
    }
    scaling
}

pub(crate) fn cluster() -> LogicalId {
    LogicalId::fixed("DatabaseCluster")
}

pub(crate) fn writer() -> LogicalId {
    LogicalId::fixed("DatabaseWriter")
}

pub(crate) fn cluster_arn() -> Value {
    attribute(&cluster(), "DBClusterArn")
}

/// The secret of the master user, which only the migrator may read.
pub(crate) fn master_secret_arn() -> Value {
    attribute(&cluster(), "MasterUserSecret.SecretArn")
}

fn function_secret() -> LogicalId {
    LogicalId::fixed("FunctionSecret")
}

/// The secret of the functions' account.
pub(crate) fn function_secret_arn() -> Value {
    reference(&function_secret())
}
