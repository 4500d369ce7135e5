//! What there is, in the shapes of the model.

use serde_json::{Map, Value, json};

use crate::gateway::api::{Api, Deployment, Resource};
use crate::gateway::refusal::{DEFAULT_RESPONSES, default_status};
use crate::gateway::service::Service;
use crate::gateway::{
    GatewayResponseSpec, Integration, MethodSpec, MockResponse, Passthrough, StageSpec,
};
use crate::protocol::time::epoch_seconds;

/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetAccount.html>.
pub(super) fn account() -> Value {
    json!({
        "throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0},
        "features": ["UsagePlans"],
        "apiKeyVersion": "4",
    })
}

pub(super) fn rest_api(id: &str, api: &Api) -> Value {
    let spec = &api.spec;
    let mut shown = json!({
        "id": id,
        "name": spec.name,
        "createdDate": epoch_seconds(api.created_unix_millis),
        "apiKeySource": "HEADER",
        "endpointConfiguration": {"types": [spec.described.endpoint_type()], "ipAddressType": "ipv4"},
        "tags": spec.described.tags,
        "disableExecuteApiEndpoint": false,
        "rootResourceId": api.root,
    });
    add_text(&mut shown, "description", &spec.description);
    if !spec.binary_media_types.is_empty() {
        add(
            &mut shown,
            "binaryMediaTypes",
            json!(spec.binary_media_types),
        );
    }
    shown
}

pub(super) fn resource(service: &Service, id: &str, resource: &Resource, embeds: bool) -> Value {
    let mut shown = json!({"id": id, "path": resource.path});
    if let Some(parent) = &resource.parent {
        add(&mut shown, "parentId", json!(parent));
        add(&mut shown, "pathPart", json!(resource.path_part));
    }
    if !resource.methods.is_empty() {
        let methods = resource.methods.iter();
        let methods: Map<String, Value> = methods
            .map(|(verb, spec)| {
                let shown = if embeds {
                    method(service, id, spec)
                } else {
                    json!({})
                };
                (verb.clone(), shown)
            })
            .collect();
        add(&mut shown, "resourceMethods", methods.into());
    }
    shown
}

pub(super) fn method(service: &Service, resource_id: &str, spec: &MethodSpec) -> Value {
    let described = &spec.described;
    let mut shown = json!({
        "httpMethod": spec.http_method,
        "authorizationType": "NONE",
        "apiKeyRequired": spec.api_key_required,
        "methodIntegration": integration(service, resource_id, &spec.integration),
    });
    add_text(&mut shown, "operationName", &described.operation_name);
    add_text(
        &mut shown,
        "requestValidatorId",
        &described.request_validator_id,
    );
    if !described.request_parameters.is_empty() {
        add(
            &mut shown,
            "requestParameters",
            json!(described.request_parameters),
        );
    }
    if !described.responses.is_empty() {
        let responses = described.responses.iter();
        let responses: Map<String, Value> = responses
            .map(|(status, response)| {
                let mut shown = json!({"statusCode": status});
                if !response.parameters.is_empty() {
                    add(&mut shown, "responseParameters", json!(response.parameters));
                }
                if !response.models.is_empty() {
                    add(&mut shown, "responseModels", json!(response.models));
                }
                (status.clone(), shown)
            })
            .collect();
        add(&mut shown, "methodResponses", responses.into());
    }
    shown
}

fn integration(service: &Service, resource_id: &str, integration: &Integration) -> Value {
    let mut shown = json!({
        "passthroughBehavior": "WHEN_NO_MATCH",
        "timeoutInMillis": 29000,
        "cacheNamespace": resource_id,
        "cacheKeyParameters": [],
    });
    match integration {
        Integration::LambdaProxy {
            function,
            timeout_millis,
        } => {
            let region = service.region();
            let uri = format!(
                "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations"
            );
            add(&mut shown, "type", json!("AWS_PROXY"));
            add(&mut shown, "httpMethod", json!("POST"));
            add(&mut shown, "uri", json!(uri));
            add(&mut shown, "timeoutInMillis", json!(timeout_millis));
            add(&mut shown, "responseTransferMode", json!("BUFFERED"));
        }
        Integration::Mock {
            request_templates,
            passthrough,
            responses,
        } => {
            let passthrough = match passthrough {
                Passthrough::WhenNoMatch => "WHEN_NO_MATCH",
                Passthrough::WhenNoTemplates => "WHEN_NO_TEMPLATES",
                Passthrough::Never => "NEVER",
            };
            let responses: Map<String, Value> = responses
                .iter()
                .map(|response| (response.status_code.to_string(), mock_response(response)))
                .collect();
            add(&mut shown, "type", json!("MOCK"));
            add(&mut shown, "passthroughBehavior", json!(passthrough));
            if !request_templates.is_empty() {
                add(&mut shown, "requestTemplates", json!(request_templates));
            }
            if !responses.is_empty() {
                add(&mut shown, "integrationResponses", responses.into());
            }
        }
    }
    shown
}

fn mock_response(response: &MockResponse) -> Value {
    let mut shown = json!({"statusCode": response.status_code.to_string()});
    add_text(
        &mut shown,
        "selectionPattern",
        response.selection_pattern.as_deref().unwrap_or_default(),
    );
    if !response.response_parameters.is_empty() {
        add(
            &mut shown,
            "responseParameters",
            json!(response.response_parameters),
        );
    }
    if !response.response_templates.is_empty() {
        add(
            &mut shown,
            "responseTemplates",
            json!(response.response_templates),
        );
    }
    shown
}

pub(super) fn deployment(id: &str, deployment: &Deployment, with_summary: bool) -> Value {
    let mut shown = json!({
        "id": id,
        "createdDate": epoch_seconds(deployment.created_unix_millis),
    });
    add_text(&mut shown, "description", &deployment.description);
    if with_summary {
        let mut summary = Map::new();
        for resource in deployment.resources.values() {
            let methods = resource.methods.values();
            let methods: Map<String, Value> = methods
                .map(|method| {
                    let snapshot = json!({"authorizationType": "NONE", "apiKeyRequired": method.api_key_required});
                    (method.http_method.clone(), snapshot)
                })
                .collect();
            if !methods.is_empty() {
                summary.insert(resource.path.clone(), methods.into());
            }
        }
        add(&mut shown, "apiSummary", summary.into());
    }
    shown
}

pub(super) fn stage(stage: &StageSpec) -> Value {
    let described = &stage.described;
    let mut shown = json!({
        "deploymentId": stage.deployment_id,
        "stageName": stage.name,
        "cacheClusterEnabled": false,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "methodSettings": method_settings(stage),
        "tracingEnabled": described.tracing_enabled,
        "tags": described.tags,
        "createdDate": epoch_seconds(described.created_unix_millis),
        "lastUpdatedDate": epoch_seconds(described.updated_unix_millis),
    });
    add_text(&mut shown, "description", &described.description);
    if !stage.variables.is_empty() {
        add(&mut shown, "variables", json!(stage.variables));
    }
    if let Some((group, format)) = &stage.access_log {
        let settings = json!({"destinationArn": group, "format": format});
        add(&mut shown, "accessLogSettings", settings);
    }
    shown
}

/// The limits; of the other settings the values that hold where nobody says.
fn method_settings(stage: &StageSpec) -> Map<String, Value> {
    let setting = |rate_per_1000_s: u64, burst: u32| {
        let rate = f64::from(u32::try_from(rate_per_1000_s).unwrap_or(u32::MAX)) / 1000.0;
        json!({
            "metricsEnabled": false,
            "dataTraceEnabled": false,
            "throttlingBurstLimit": burst,
            "throttlingRateLimit": rate,
            "cachingEnabled": false,
            "cacheTtlInSeconds": 300,
            "cacheDataEncrypted": false,
            "requireAuthorizationForCacheControl": true,
            "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
        })
    };
    let name =
        |path: &str, verb: &str| format!("{}/{verb}", path.strip_prefix('/').unwrap_or(path));
    let throttles = stage.throttles.iter();
    throttles
        .map(|limit| {
            let shown = setting(limit.rate_per_1000_s, limit.burst);
            (name(&limit.resource_path, &limit.http_method), shown)
        })
        .collect()
}

pub(super) fn gateway_responses(api: &Api) -> Vec<Value> {
    DEFAULT_RESPONSES
        .iter()
        .filter_map(|(kind, _)| gateway_response(api, kind))
        .collect()
}

/// `None`: there is no such type.
pub(super) fn gateway_response(api: &Api, kind: &str) -> Option<Value> {
    let status = default_status(kind)?;
    let mut shown = match api.gateway_responses.get(kind) {
        Some(spec) => own_response(spec),
        None => json!({
            "responseType": kind,
            "responseParameters": {},
            "responseTemplates": {"application/json": "{\"message\":$context.error.messageString}"},
            "defaultResponse": true,
        }),
    };
    let own = api
        .gateway_responses
        .get(kind)
        .and_then(|spec| spec.status_code);
    if let Some(status) = own.or(status) {
        add(&mut shown, "statusCode", json!(status.to_string()));
    }
    Some(shown)
}

fn own_response(spec: &GatewayResponseSpec) -> Value {
    json!({
        "responseType": spec.response_type,
        "responseParameters": spec.response_parameters,
        "responseTemplates": spec.response_templates,
        "defaultResponse": false,
    })
}

fn add(shown: &mut Value, name: &str, value: Value) {
    if let Some(members) = shown.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// An empty text is not there.
fn add_text(shown: &mut Value, name: &str, text: &str) {
    if !text.is_empty() {
        add(shown, name, json!(text));
    }
}
