//! `AWS::Lambda::Version`: the function as it is when the resource is made.

use super::properties::Reader;
use super::{Types, provisioned};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("CodeSha256", Replaces),
        ("Description", Replaces),
        ("FunctionName", Replaces),
        ("ProvisionedConcurrencyConfig", InPlace),
        ("RuntimePolicy", Replaces),
    ]),
    attributes: Attributes::Known(&["FunctionArn", "Version"]),
};

pub(super) async fn create(types: &Types, request: &Request) -> Result<Provisioned, Failure> {
    let reader = Reader::new(&request.properties);
    let version = types
        .lambda
        .publish_version(
            &reader.text("FunctionName")?,
            reader.optional_text("CodeSha256")?,
            reader.optional_text("Description")?,
        )
        .await?;
    let attributes = [
        ("FunctionArn", version.arn.as_str()),
        ("Version", version.number.as_str()),
    ];
    Ok(provisioned(version.arn.clone(), attributes))
}
