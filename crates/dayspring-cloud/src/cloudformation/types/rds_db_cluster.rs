//! `AWS::RDS::DBCluster`: made in RDS, with a database server of its own.

use super::properties::Reader;
use super::{Types, generated_name};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};
use crate::rds::{Cluster, ClusterSpec};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("AssociatedRoles", InPlace),
        ("AutoMinorVersionUpgrade", InPlace),
        ("AvailabilityZones", Replaces),
        ("BacktrackWindow", InPlace),
        ("BackupRetentionPeriod", InPlace),
        ("CopyTagsToSnapshot", InPlace),
        ("DBClusterIdentifier", Replaces),
        ("DBClusterParameterGroupName", InPlace),
        ("DBSubnetGroupName", Replaces),
        ("DatabaseInsightsMode", InPlace),
        ("DatabaseName", Replaces),
        ("DeletionProtection", InPlace),
        ("EnableCloudwatchLogsExports", InPlace),
        ("EnableHttpEndpoint", InPlace),
        ("EnableIAMDatabaseAuthentication", InPlace),
        ("Engine", InPlace),
        ("EngineMode", Replaces),
        ("EngineVersion", InPlace),
        ("KmsKeyId", Replaces),
        ("ManageMasterUserPassword", InPlace),
        ("MasterUserPassword", InPlace),
        ("MasterUserSecret", InPlace),
        ("MasterUsername", Replaces),
        ("MonitoringInterval", InPlace),
        ("MonitoringRoleArn", InPlace),
        ("NetworkType", InPlace),
        ("PerformanceInsightsEnabled", InPlace),
        ("PerformanceInsightsKmsKeyId", InPlace),
        ("PerformanceInsightsRetentionPeriod", InPlace),
        ("Port", InPlace),
        ("PreferredBackupWindow", InPlace),
        ("PreferredMaintenanceWindow", InPlace),
        ("ServerlessV2ScalingConfiguration", InPlace),
        ("StorageEncrypted", Replaces),
        ("StorageType", InPlace),
        ("Tags", InPlace),
        ("VpcSecurityGroupIds", InPlace),
    ]),
    attributes: Attributes::Known(&[
        "DBClusterArn",
        "DBClusterResourceId",
        "Endpoint",
        "Endpoint.Address",
        "Endpoint.Port",
        "MasterUserSecret.SecretArn",
        "ReadEndpoint",
        "ReadEndpoint.Address",
    ]),
};

pub(super) async fn create(types: &Types, request: &Request) -> Result<Provisioned, Failure> {
    let reader = Reader::new(&request.properties);
    let identifier = match reader.optional_text("DBClusterIdentifier")? {
        Some(identifier) => identifier.to_lowercase(),
        None => generated_name(types.world, request, 63).to_lowercase(),
    };
    let cluster = types.rds.create_cluster(spec(&reader, identifier)?).await?;
    Ok(describe(cluster))
}

pub(super) async fn update(
    types: &Types,
    request: &Request,
    before: Existing,
) -> Result<Provisioned, Failure> {
    let reader = Reader::new(&request.properties);
    let cluster = types
        .rds
        .modify_cluster(spec(&reader, before.physical_id)?)
        .await?;
    Ok(describe(cluster))
}

fn spec(reader: &Reader<'_>, identifier: String) -> Result<ClusterSpec, Failure> {
    Ok(ClusterSpec {
        identifier,
        engine: reader.text("Engine")?,
        engine_version: reader.optional_text("EngineVersion")?.unwrap_or_default(),
        database_name: reader.optional_text("DatabaseName")?,
        master_username: reader.text("MasterUsername")?,
        master_password: if reader.boolean("ManageMasterUserPassword")? {
            None
        } else {
            Some(reader.text("MasterUserPassword")?)
        },
        http_endpoint_enabled: reader.boolean("EnableHttpEndpoint")?,
        deletion_protection: reader.boolean("DeletionProtection")?,
        may_pause: match reader.structure("ServerlessV2ScalingConfiguration")? {
            Some(scaling) => scaling.number::<f64>("MinCapacity")? == Some(0.0),
            None => false,
        },
    })
}

fn describe(cluster: Cluster) -> Provisioned {
    let port = cluster.port.to_string();
    let mut described = super::provisioned(
        cluster.identifier,
        [
            ("DBClusterArn", cluster.arn.as_str()),
            ("DBClusterResourceId", &cluster.resource_id),
            ("Endpoint", &cluster.endpoint_address),
            ("Endpoint.Address", &cluster.endpoint_address),
            ("Endpoint.Port", &port),
            ("ReadEndpoint", &cluster.read_endpoint_address),
            ("ReadEndpoint.Address", &cluster.read_endpoint_address),
        ],
    );
    if let Some(secret) = cluster.secret_arn {
        described
            .attributes
            .insert("MasterUserSecret.SecretArn".to_owned(), secret.into());
    }
    described
}
