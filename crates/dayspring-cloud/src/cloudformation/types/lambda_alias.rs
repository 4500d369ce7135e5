//! `AWS::Lambda::Alias`: a name for one version.

use super::properties::Reader;
use super::{Types, provisioned};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("Description", InPlace),
        ("FunctionName", Replaces),
        ("FunctionVersion", InPlace),
        ("Name", Replaces),
        ("ProvisionedConcurrencyConfig", InPlace),
        ("RoutingConfig", InPlace),
    ]),
    attributes: Attributes::Known(&["AliasArn"]),
};

pub(super) async fn put(
    types: &Types,
    request: &Request,
    before: Option<Existing>,
) -> Result<Provisioned, Failure> {
    let reader = Reader::new(&request.properties);
    if let Some(routing) = reader.structure("RoutingConfig")?
        && !routing.list("AdditionalVersionWeights")?.is_empty()
    {
        return Err(Failure::new(
            "this cloud sends every request of an alias to one version (RoutingConfig.AdditionalVersionWeights)",
        ));
    }
    let arn = types
        .lambda
        .put_alias(
            &reader.text("FunctionName")?,
            &reader.text("Name")?,
            reader.text("FunctionVersion")?,
            reader.optional_text("Description")?,
            before.is_some(),
        )
        .await?;
    Ok(provisioned(arn.clone(), [("AliasArn", arn.as_str())]))
}
