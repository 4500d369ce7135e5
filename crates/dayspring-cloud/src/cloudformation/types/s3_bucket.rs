//! `AWS::S3::Bucket`: made in S3. Its settings (encryption, versioning, life cycle, ...) are recorded.

use super::properties::Reader;
use super::{Types, generated_name, provisioned, unchanged};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("AbacStatus", InPlace),
        ("AccelerateConfiguration", InPlace),
        ("AccessControl", InPlace),
        ("AnalyticsConfigurations", InPlace),
        ("BucketEncryption", InPlace),
        ("BucketName", Replaces),
        ("CorsConfiguration", InPlace),
        ("IntelligentTieringConfigurations", InPlace),
        ("InventoryConfigurations", InPlace),
        ("LifecycleConfiguration", InPlace),
        ("LoggingConfiguration", InPlace),
        ("MetadataConfiguration", InPlace),
        ("MetadataTableConfiguration", InPlace),
        ("MetricsConfigurations", InPlace),
        ("NotificationConfiguration", InPlace),
        ("ObjectLockConfiguration", InPlace),
        ("ObjectLockEnabled", InPlace),
        ("OwnershipControls", InPlace),
        ("PublicAccessBlockConfiguration", InPlace),
        ("ReplicationConfiguration", InPlace),
        ("Tags", InPlace),
        ("VersioningConfiguration", InPlace),
        ("WebsiteConfiguration", InPlace),
    ]),
    attributes: Attributes::Known(&[
        "Arn",
        "DomainName",
        "DualStackDomainName",
        "RegionalDomainName",
        "WebsiteURL",
    ]),
};

pub(super) fn put(
    types: &Types,
    request: &Request,
    before: Option<Existing>,
) -> Result<Provisioned, Failure> {
    if let Some(before) = before {
        return Ok(unchanged(before));
    }
    let reader = Reader::new(&request.properties);
    let name = match reader.optional_text("BucketName")? {
        Some(name) => name,
        None => generated_name(types.world, request, 63).to_lowercase(),
    };
    types.s3.create_bucket(&name)?;
    let region = &types.identity.region;
    Ok(provisioned(
        name.clone(),
        [
            // A bucket's ARN has neither region nor account.
            ("Arn", format!("arn:aws:s3:::{name}").as_str()),
            ("DomainName", &format!("{name}.s3.amazonaws.com")),
            (
                "DualStackDomainName",
                &format!("{name}.s3.dualstack.{region}.amazonaws.com"),
            ),
            (
                "RegionalDomainName",
                &format!("{name}.s3.{region}.amazonaws.com"),
            ),
            (
                "WebsiteURL",
                &format!("http://{name}.s3-website-{region}.amazonaws.com"),
            ),
        ],
    ))
}
