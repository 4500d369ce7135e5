//! `AWS::RDS::DBInstance`: the member without which a cluster answers no statement.

use super::properties::Reader;
use super::{Types, generated_name, provisioned};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("AllowMajorVersionUpgrade", InPlace),
        ("AutoMinorVersionUpgrade", InPlace),
        ("AvailabilityZone", InPlace),
        ("CACertificateIdentifier", InPlace),
        ("CopyTagsToSnapshot", InPlace),
        ("DBClusterIdentifier", Replaces),
        ("DBInstanceClass", InPlace),
        ("DBInstanceIdentifier", Replaces),
        ("DBParameterGroupName", InPlace),
        ("DBSubnetGroupName", Replaces),
        ("DatabaseInsightsMode", InPlace),
        ("DeletionProtection", InPlace),
        ("EnablePerformanceInsights", InPlace),
        ("Engine", Replaces),
        ("EngineVersion", InPlace),
        ("MonitoringInterval", InPlace),
        ("MonitoringRoleArn", InPlace),
        ("PerformanceInsightsKMSKeyId", InPlace),
        ("PerformanceInsightsRetentionPeriod", InPlace),
        ("PreferredMaintenanceWindow", InPlace),
        ("PromotionTier", InPlace),
        ("PubliclyAccessible", InPlace),
        ("Tags", InPlace),
    ]),
    attributes: Attributes::Known(&["DBInstanceArn", "DbiResourceId"]),
};

pub(super) fn create(types: &Types, request: &Request) -> Result<Provisioned, Failure> {
    let reader = Reader::new(&request.properties);
    let cluster = reader.text("DBClusterIdentifier")?;
    let identifier = match reader.optional_text("DBInstanceIdentifier")? {
        Some(identifier) => identifier.to_lowercase(),
        None => generated_name(types.world, request, 63).to_lowercase(),
    };
    types.rds.create_instance(&cluster, &identifier)?;
    let arn = types.identity.arn("rds", &format!("db:{identifier}"));
    let resource_id = format!("db-{}", types.world.capitals(26));
    Ok(provisioned(
        identifier,
        [
            ("DBInstanceArn", arn.as_str()),
            ("DbiResourceId", &resource_id),
        ],
    ))
}
