//! `AWS::Lambda::Permission`: recorded, not enforced.

use super::properties::Reader;
use super::{Types, generated_name, provisioned, unchanged};
use crate::cloudformation::provider::Change::Replaces;
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("Action", Replaces),
        ("EventSourceToken", Replaces),
        ("FunctionName", Replaces),
        ("FunctionUrlAuthType", Replaces),
        ("InvokedViaFunctionUrl", Replaces),
        ("Principal", Replaces),
        ("PrincipalOrgID", Replaces),
        ("SourceAccount", Replaces),
        ("SourceArn", Replaces),
    ]),
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
    let reader = Reader::new(&request.properties);
    for name in ["Action", "FunctionName", "Principal"] {
        reader.text(name)?;
    }
    let id = generated_name(types.world, request, 100);
    Ok(provisioned(id.clone(), [("Id", id.as_str())]))
}
