//! `AWS::ApiGateway::Stage`: the name under which a deployment answers.

use super::properties::Reader;
use super::{Types, provisioned};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Failure, Properties, Provisioned, Request, Schema,
};
use crate::gateway::StageSpec;

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("AccessLogSetting", InPlace),
        ("CacheClusterEnabled", InPlace),
        ("CacheClusterSize", InPlace),
        ("ClientCertificateId", InPlace),
        ("DeploymentId", InPlace),
        ("Description", InPlace),
        ("DocumentationVersion", InPlace),
        ("MethodSettings", InPlace),
        ("RestApiId", Replaces),
        ("StageName", Replaces),
        ("Tags", InPlace),
        ("TracingEnabled", InPlace),
        ("Variables", InPlace),
    ]),
    attributes: Attributes::Known(&[]),
};

pub(super) fn put(types: &Types, request: &Request) -> Result<Provisioned, Failure> {
    let reader = Reader::new(&request.properties);
    let name = reader.text("StageName")?;
    let access_log = match reader.structure("AccessLogSetting")? {
        Some(setting) => {
            let group = setting.optional_text("DestinationArn")?;
            group.zip(setting.optional_text("Format")?)
        }
        None => None,
    };
    let spec = StageSpec {
        name: name.clone(),
        deployment_id: reader.text("DeploymentId")?,
        variables: reader.map("Variables")?,
        access_log,
    };
    types.gateway.put_stage(&reader.text("RestApiId")?, spec)?;
    Ok(provisioned(name, []))
}
