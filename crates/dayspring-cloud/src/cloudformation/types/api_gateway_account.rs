//! `AWS::ApiGateway::Account`: recorded.

use super::{Types, provisioned, unchanged};
use crate::cloudformation::provider::Change::InPlace;
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[("CloudWatchRoleArn", InPlace)]),
    attributes: Attributes::Known(&["Id"]),
};

pub(super) fn put(
    types: &Types,
    request: &Request,
    before: Option<Existing>,
) -> Result<Provisioned, Failure> {
    if let Some(before) = before {
        return Ok(unchanged(before));
    }
    let id = super::generated_name(types.world, request, 64);
    Ok(provisioned(id.clone(), [("Id", id.as_str())]))
}
