//! `AWS::Lambda::LayerVersion`: every property makes a new version.

use super::lambda_function::code;
use super::properties::Reader;
use super::{Types, generated_name, provisioned};
use crate::cloudformation::provider::Change::Replaces;
use crate::cloudformation::provider::{
    Attributes, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("CompatibleArchitectures", Replaces),
        ("CompatibleRuntimes", Replaces),
        ("Content", Replaces),
        ("Description", Replaces),
        ("LayerName", Replaces),
        ("LicenseInfo", Replaces),
    ]),
    attributes: Attributes::Known(&["LayerVersionArn"]),
};

pub(super) fn create(types: &Types, request: &Request) -> Result<Provisioned, Failure> {
    let reader = Reader::new(&request.properties);
    let content = code(types, &reader, "Content")?;
    let name = match reader.optional_text("LayerName")? {
        Some(name) => name,
        None => generated_name(types.world, request, 140),
    };
    let arn = types.lambda.publish_layer_version(&name, content)?;
    Ok(provisioned(
        arn.clone(),
        [("LayerVersionArn", arn.as_str())],
    ))
}
