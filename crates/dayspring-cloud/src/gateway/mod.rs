//! API Gateway REST APIs: resources, methods, deployments and stages, and the requests to deployed stages.

mod answer;
mod api;
mod context;
mod control;
mod event;
mod location;
mod mapping;
mod mock;
mod refusal;
mod request;
mod routes;
mod service;
mod stage;
#[cfg(test)]
mod tests;
mod throttle;
mod velocity;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Identity;
use crate::error::AwsError;
use crate::http::{Answer, Call};
use crate::lambda::Lambda;
use crate::logs::Logs;
use crate::state::StateError;

pub(crate) use request::BODY_BYTES_MAX;
use service::Service;
pub(crate) use throttle::ThrottleSpec;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RestApiSpec {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) binary_media_types: Vec<String>,
    #[serde(default)]
    pub(crate) described: ApiDescription,
}

/// What is shown of an API, and changes nothing here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ApiDescription {
    pub(crate) is_regional: bool,
    pub(crate) tags: BTreeMap<String, String>,
}

impl ApiDescription {
    /// `EDGE` where the template does not say.
    fn endpoint_type(&self) -> &'static str {
        if self.is_regional { "REGIONAL" } else { "EDGE" }
    }
}

/// `AWS::ApiGateway::Method`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MethodSpec {
    /// `GET` ... or `ANY`.
    pub(crate) http_method: String,
    pub(crate) api_key_required: bool,
    pub(crate) integration: Integration,
    #[serde(default)]
    pub(crate) described: MethodDescription,
}

/// What is shown of a method, and changes nothing here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MethodDescription {
    pub(crate) operation_name: String,
    pub(crate) request_validator_id: String,
    /// Whether each has to be there.
    pub(crate) request_parameters: BTreeMap<String, bool>,
    /// By status.
    pub(crate) responses: BTreeMap<String, MethodResponse>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MethodResponse {
    pub(crate) parameters: BTreeMap<String, bool>,
    pub(crate) models: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Integration {
    /// `AWS_PROXY` to the function of this ARN (or name).
    LambdaProxy {
        function: String,
        timeout_millis: u32,
    },
    Mock {
        /// By content type; as in the template.
        request_templates: BTreeMap<String, String>,
        #[serde(default)]
        passthrough: Passthrough,
        responses: Vec<MockResponse>,
    },
}

/// What happens to a body of a content type without a template: `PassthroughBehavior`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Passthrough {
    #[default]
    WhenNoMatch,
    WhenNoTemplates,
    Never,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MockResponse {
    pub(crate) status_code: u16,
    pub(crate) selection_pattern: Option<String>,
    /// `method.response.header.NAME` to the mapping expression.
    pub(crate) response_parameters: BTreeMap<String, String>,
    pub(crate) response_templates: BTreeMap<String, String>,
}

/// `AWS::ApiGateway::GatewayResponse`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GatewayResponseSpec {
    /// `DEFAULT_4XX`, `MISSING_AUTHENTICATION_TOKEN`, ...
    pub(crate) response_type: String,
    pub(crate) status_code: Option<u16>,
    /// `gatewayresponse.header.NAME` to the mapping expression.
    pub(crate) response_parameters: BTreeMap<String, String>,
    pub(crate) response_templates: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StageSpec {
    pub(crate) name: String,
    pub(crate) deployment_id: String,
    pub(crate) variables: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) throttles: Vec<ThrottleSpec>,
    /// Log group ARN and format of the access log.
    pub(crate) access_log: Option<(String, String)>,
    #[serde(default)]
    pub(crate) described: StageDescription,
}

/// What is shown of a stage, and changes nothing here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StageDescription {
    pub(crate) description: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) tracing_enabled: bool,
    /// Filled in by the service.
    pub(crate) created_unix_millis: u64,
    pub(crate) updated_unix_millis: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct GatewayConfig {
    pub(crate) identity: Identity,
    /// Where the state file is kept.
    pub(crate) folder: PathBuf,
}

/// Why a mapping template cannot be had here, with its place in the template.
pub(crate) fn unreadable_template(text: &str) -> Option<String> {
    velocity::Template::parse(text).err()
}

/// The API Gateway service. Cheap to clone. Ids are given by the service in AWS's form (10 characters for an API, 6 for
/// resources and deployments).
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    service: Arc<Service>,
}

impl Gateway {
    pub(crate) fn open(
        config: GatewayConfig,
        lambda: Lambda,
        logs: Logs,
    ) -> Result<Self, StateError> {
        Ok(Self {
            service: Arc::new(Service::open(config, lambda, logs)?),
        })
    }

    /// Gives the API's id and the id of its root resource.
    pub(crate) fn create_rest_api(&self, spec: RestApiSpec) -> Result<(String, String), AwsError> {
        self.service.create_rest_api(spec)
    }
    pub(crate) fn update_rest_api(&self, api: &str, spec: RestApiSpec) -> Result<(), AwsError> {
        self.service.update_rest_api(api, spec)
    }
    pub(crate) fn delete_rest_api(&self, api: &str) -> Result<(), AwsError> {
        self.service.delete_rest_api(api)
    }
    pub(crate) fn create_resource(
        &self,
        api: &str,
        parent: &str,
        path_part: &str,
    ) -> Result<String, AwsError> {
        self.service.create_resource(api, parent, path_part)
    }
    pub(crate) fn delete_resource(&self, api: &str, resource: &str) -> Result<(), AwsError> {
        self.service.delete_resource(api, resource)
    }
    /// Makes or replaces a method.
    pub(crate) fn put_method(
        &self,
        api: &str,
        resource: &str,
        spec: MethodSpec,
    ) -> Result<(), AwsError> {
        self.service.put_method(api, resource, spec)
    }
    pub(crate) fn delete_method(
        &self,
        api: &str,
        resource: &str,
        http_method: &str,
    ) -> Result<(), AwsError> {
        self.service.delete_method(api, resource, http_method)
    }
    pub(crate) fn put_gateway_response(
        &self,
        api: &str,
        spec: GatewayResponseSpec,
    ) -> Result<(), AwsError> {
        self.service.put_gateway_response(api, spec)
    }
    pub(crate) fn delete_gateway_response(
        &self,
        api: &str,
        response_type: &str,
    ) -> Result<(), AwsError> {
        self.service.delete_gateway_response(api, response_type)
    }
    /// Takes a snapshot of the API and gives the deployment's id.
    pub(crate) fn create_deployment(
        &self,
        api: &str,
        description: &str,
    ) -> Result<String, AwsError> {
        self.service.create_deployment(api, description)
    }
    /// Refused with AWS's words while a stage points at it.
    pub(crate) fn delete_deployment(&self, api: &str, deployment: &str) -> Result<(), AwsError> {
        self.service.delete_deployment(api, deployment)
    }
    /// Deletes every stage that points at a deployment.
    pub(crate) fn delete_stages_of(&self, api: &str, deployment: &str) -> Result<(), AwsError> {
        self.service.delete_stages_of(api, deployment)
    }
    /// Makes or replaces a stage.
    pub(crate) fn put_stage(&self, api: &str, spec: StageSpec) -> Result<(), AwsError> {
        self.service.put_stage(api, spec)
    }
    pub(crate) fn delete_stage(&self, api: &str, stage: &str) -> Result<(), AwsError> {
        self.service.delete_stage(api, stage)
    }

    /// Answers a request to a deployed stage: `/STAGE/...` while there is one API, `/restapis/ID/STAGE/_user_request_/...`
    /// always.
    pub(crate) async fn answer(&self, call: Call) -> Answer {
        request::answer(&self.service, call).await
    }

    /// Answers API Gateway's own REST API.
    pub(crate) fn control(&self, call: &Call) -> Answer {
        control::answer(&self.service, call)
    }

    /// The answer to a body above [`BODY_BYTES_MAX`], which need not be read to its end.
    pub(crate) fn body_too_long(&self) -> Answer {
        request::body_too_long()
    }
}
