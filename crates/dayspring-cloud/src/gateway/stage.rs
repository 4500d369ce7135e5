//! A deployed stage, made ready for requests: routes, integrations and responses are read once, when it is deployed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::api::{Api, Apis, Deployment};
use super::context::ContextTemplate;
use super::mock::Mock;
use super::refusal::GatewayResponse;
use super::routes::Routes;
use super::throttle::{Throttle, ThrottleSpec};
use super::{Integration, MethodSpec, StageSpec};
use crate::Identity;
use crate::error::AwsError;

/// Every deployed stage. A request looks at one table from its begin to its end.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// By API and stage.
    stages: HashMap<String, HashMap<String, Arc<Stage>>>,
}

#[derive(Debug)]
pub(super) struct Stage {
    pub(super) account_id: String,
    pub(super) api_id: String,
    /// `ID.execute-api.REGION.amazonaws.com`.
    pub(super) domain: String,
    pub(super) name: String,
    pub(super) deployment_id: String,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) routes: Routes<Method>,
    pub(super) responses: Vec<GatewayResponse>,
    binary_media_types: Vec<String>,
    pub(super) access_log: Option<AccessLog>,
}

/// A method of a resource.
#[derive(Debug)]
pub(super) struct Method {
    pub(super) resource_id: String,
    pub(super) resource_path: String,
    pub(super) api_key_required: bool,
    pub(super) throttle: Option<Throttle>,
    pub(super) integration: ReadyIntegration,
}

#[derive(Debug)]
pub(super) enum ReadyIntegration {
    LambdaProxy { function: String, timeout: Duration },
    Mock(Mock),
}

/// Where a stage's requests are logged, and how.
#[derive(Debug)]
pub(super) struct AccessLog {
    pub(super) group: String,
    pub(super) stream: String,
    pub(super) format: ContextTemplate,
}

impl Table {
    pub(super) fn new(apis: &Apis, identity: &Identity) -> Result<Self, AwsError> {
        let mut stages: HashMap<String, HashMap<String, Arc<Stage>>> = HashMap::new();
        for (id, api) in &apis.apis {
            for spec in api.stages.values() {
                let stage = Stage::new(id, api, spec, identity)?;
                stages
                    .entry(id.clone())
                    .or_default()
                    .insert(spec.name.clone(), Arc::new(stage));
            }
        }
        Ok(Self { stages })
    }

    /// Without an API: the one that has the stage, if only one has.
    pub(super) fn find(&self, api: Option<&str>, stage: &str) -> Option<&Arc<Stage>> {
        match api {
            Some(api) => self.stages.get(api)?.get(stage),
            None => {
                let mut having = self.stages.values().filter_map(|stages| stages.get(stage));
                let found = having.next()?;
                having.next().is_none().then_some(found)
            }
        }
    }
}

impl Stage {
    fn new(
        api_id: &str,
        api: &Api,
        spec: &StageSpec,
        identity: &Identity,
    ) -> Result<Self, AwsError> {
        let deployment = api.deployments.get(&spec.deployment_id).ok_or_else(|| {
            AwsError::bad_request("BadRequestException", "Deployment id does not exist")
        })?;
        Ok(Self {
            account_id: identity.account.clone(),
            api_id: api_id.to_owned(),
            domain: format!("{api_id}.execute-api.{}.amazonaws.com", identity.region),
            name: spec.name.clone(),
            deployment_id: spec.deployment_id.clone(),
            variables: spec.variables.clone(),
            routes: routes(deployment, &spec.throttles)?,
            responses: deployment
                .gateway_responses
                .iter()
                .map(GatewayResponse::parse)
                .collect::<Result<_, _>>()?,
            binary_media_types: deployment.binary_media_types.clone(),
            access_log: spec.access_log.as_ref().map(|(group, format)| AccessLog {
                group: group_name(group).to_owned(),
                stream: stream_name(api_id, &spec.name),
                format: ContextTemplate::parse(format),
            }),
        })
    }

    /// Whether bodies of this media type are binary. Parameters of the type count for nothing.
    pub(super) fn is_binary(&self, media_type: Option<&str>) -> bool {
        let media_type = media_type
            .and_then(|value| value.split([';', ',']).next())
            .map(str::trim);
        self.binary_media_types.iter().any(|binary| {
            binary == "*/*" || media_type.is_some_and(|value| value.eq_ignore_ascii_case(binary))
        })
    }
}

fn routes(deployment: &Deployment, throttles: &[ThrottleSpec]) -> Result<Routes<Method>, AwsError> {
    let mut resources = Vec::new();
    for (id, resource) in &deployment.resources {
        let mut methods = Vec::new();
        for (name, spec) in &resource.methods {
            let mut method = method(id, &resource.path, spec)?;
            method.throttle = Throttle::find(throttles, &resource.path, name);
            methods.push((name.clone(), method));
        }
        resources.push((resource.path.clone(), methods));
    }
    Ok(Routes::new(resources))
}

/// Also the check of a method that is put: what cannot be made ready is refused there.
pub(super) fn method(
    resource_id: &str,
    resource_path: &str,
    spec: &MethodSpec,
) -> Result<Method, AwsError> {
    let integration = match &spec.integration {
        Integration::LambdaProxy {
            function,
            timeout_millis,
        } => ReadyIntegration::LambdaProxy {
            function: function.clone(),
            timeout: Duration::from_millis((*timeout_millis).into()),
        },
        Integration::Mock {
            request_templates,
            passthrough,
            responses,
        } => ReadyIntegration::Mock(Mock::parse(request_templates, *passthrough, responses)?),
    };
    Ok(Method {
        resource_id: resource_id.to_owned(),
        resource_path: resource_path.to_owned(),
        api_key_required: spec.api_key_required,
        throttle: None,
        integration,
    })
}

/// `arn:aws:logs:REGION:ACCOUNT:log-group:NAME`, with `:*` or without, names the group `NAME`.
fn group_name(arn: &str) -> &str {
    arn.split_once(":log-group:")
        .map_or(arn, |(_, name)| name.strip_suffix(":*").unwrap_or(name))
}

/// Thirty-two hexadecimals, as AWS names such a stream; the same for a stage on every run.
fn stream_name(api: &str, stage: &str) -> String {
    use std::fmt::Write;
    Sha256::digest(format!("{api}/{stage}"))
        .iter()
        .take(16)
        .fold(String::new(), |mut name, byte| {
            write!(name, "{byte:02x}").expect("a String takes what is written to it");
            name
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_group_is_found_in_its_arn() {
        for arn in [
            "arn:aws:logs:us-east-1:000000000000:log-group:/api/blog",
            "arn:aws:logs:us-east-1:000000000000:log-group:/api/blog:*",
            "/api/blog",
        ] {
            assert_eq!(group_name(arn), "/api/blog");
        }
        assert_eq!(stream_name("abc", "prod").len(), 32);
    }
}
