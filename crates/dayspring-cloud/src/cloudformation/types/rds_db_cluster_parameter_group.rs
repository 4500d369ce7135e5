//! `AWS::RDS::DBClusterParameterGroup`: recorded.

use super::properties::Reader;
use super::{Types, generated_name, provisioned, unchanged};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("DBClusterParameterGroupName", Replaces),
        ("Description", Replaces),
        ("Family", Replaces),
        ("Parameters", InPlace),
        ("Tags", InPlace),
    ]),
    attributes: Attributes::Known(&["DBClusterParameterGroupArn"]),
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
    reader.text("Family")?;
    let name = match reader.optional_text("DBClusterParameterGroupName")? {
        Some(name) => name.to_lowercase(),
        None => generated_name(types.world, request, 255).to_lowercase(),
    };
    let arn = types.identity.arn("rds", &format!("cluster-pg:{name}"));
    Ok(provisioned(
        name,
        [("DBClusterParameterGroupArn", arn.as_str())],
    ))
}
