//! What can be changed by a request: deployments and stages, and an API may be deleted.

use std::collections::BTreeMap;

use ::http::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Done, render, unanswered};
use crate::error::AwsError;
use crate::gateway::api::{Api, not_found};
use crate::gateway::service::Service;
use crate::gateway::{StageDescription, StageSpec};
use crate::http::Call;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DeploymentInput {
    stage_name: Option<String>,
    stage_description: Option<String>,
    description: Option<String>,
    variables: BTreeMap<String, String>,
    tracing_enabled: bool,
    cache_cluster_enabled: bool,
    canary_settings: Option<serde_json::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StageInput {
    stage_name: Option<String>,
    deployment_id: Option<String>,
    description: Option<String>,
    variables: BTreeMap<String, String>,
    tracing_enabled: bool,
    tags: BTreeMap<String, String>,
    cache_cluster_enabled: bool,
    canary_settings: Option<serde_json::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Patch {
    patch_operations: Vec<PatchOperation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PatchOperation {
    op: String,
    path: String,
    value: Option<String>,
}

pub(super) fn edit(service: &Service, call: &Call, segments: &[&str]) -> Done {
    let method = &call.parts.method;
    match (method, segments) {
        (&Method::DELETE, ["restapis", id]) => {
            service.read_api(id, |_| Ok(()))?;
            service.delete_rest_api(id)?;
            Ok((StatusCode::ACCEPTED, None))
        }
        (&Method::POST, ["restapis", id, "deployments"]) => create_deployment(service, call, id),
        (&Method::PATCH, ["restapis", id, "deployments", deployment]) => {
            update_deployment(service, call, id, deployment)
        }
        (&Method::DELETE, ["restapis", id, "deployments", deployment]) => {
            service.read_api(id, |_| Ok(()))?;
            service.delete_deployment(id, deployment)?;
            Ok((StatusCode::ACCEPTED, None))
        }
        (&Method::POST, ["restapis", id, "stages"]) => create_stage(service, call, id),
        (&Method::PATCH, ["restapis", id, "stages", stage]) => {
            update_stage(service, call, id, stage)
        }
        (&Method::DELETE, ["restapis", id, "stages", stage]) => {
            service.read_api(id, |_| Ok(()))?;
            service.delete_stage(id, stage)?;
            Ok((StatusCode::ACCEPTED, None))
        }
        // There is no cache: it is always empty.
        (
            &Method::DELETE,
            [
                "restapis",
                id,
                "stages",
                stage,
                "cache",
                "data" | "authorizers",
            ],
        ) => {
            service.read_api(id, |api| stage_of(api, stage).map(drop))?;
            Ok((StatusCode::ACCEPTED, None))
        }
        _ => Err(unanswered(method.as_str(), segments)),
    }
}

pub(super) fn stage_of<'a>(api: &'a Api, name: &str) -> Result<&'a StageSpec, AwsError> {
    api.stages
        .get(name)
        .ok_or_else(|| not_found("Invalid stage identifier specified"))
}

/// A deployment, and the stage that serves it where one is named.
fn create_deployment(service: &Service, call: &Call, id: &str) -> Done {
    let input: DeploymentInput = input(call)?;
    refuse_cache(input.cache_cluster_enabled, input.canary_settings.is_some())?;
    let before = service.read_api(id, |api| {
        Ok(input
            .stage_name
            .as_ref()
            .and_then(|name| api.stages.get(name).cloned()))
    })?;
    let deployment =
        service.create_deployment(id, input.description.as_deref().unwrap_or_default())?;
    if let Some(name) = input.stage_name {
        let mut spec = before.unwrap_or_else(|| StageSpec {
            name,
            deployment_id: String::new(),
            variables: BTreeMap::new(),
            throttles: Vec::new(),
            access_log: None,
            described: StageDescription::default(),
        });
        spec.deployment_id.clone_from(&deployment);
        spec.variables.extend(input.variables);
        if let Some(description) = input.stage_description {
            spec.described.description = description;
        }
        spec.described.tracing_enabled |= input.tracing_enabled;
        service.put_stage(id, spec)?;
    }
    let shown = service.read_api(id, |api| {
        let found = api.deployments.get(&deployment);
        let found = found.ok_or_else(|| not_found("Invalid Deployment identifier specified"))?;
        Ok(render::deployment(&deployment, found, false))
    })?;
    Ok((StatusCode::CREATED, Some(shown)))
}

fn update_deployment(service: &Service, call: &Call, id: &str, deployment: &str) -> Done {
    let patch: Patch = input(call)?;
    let mut description = None;
    for operation in patch.patch_operations {
        match (operation.op.as_str(), operation.path.as_str()) {
            ("replace", "/description") => description = operation.value,
            _ => return Err(invalid_patch(&operation)),
        }
    }
    let shown = service.change_api(id, |api| {
        let found = api.deployments.get_mut(deployment);
        let found = found.ok_or_else(|| not_found("Invalid Deployment identifier specified"))?;
        if let Some(description) = description {
            found.description = description;
        }
        Ok(render::deployment(deployment, found, false))
    })?;
    Ok((StatusCode::OK, Some(shown)))
}

fn create_stage(service: &Service, call: &Call, id: &str) -> Done {
    let input: StageInput = input(call)?;
    refuse_cache(input.cache_cluster_enabled, input.canary_settings.is_some())?;
    let name = input.stage_name.unwrap_or_default();
    let is_there = service.read_api(id, |api| Ok(api.stages.contains_key(&name)))?;
    if is_there {
        return Err(AwsError::new(
            StatusCode::CONFLICT,
            "ConflictException",
            "Stage already exists",
        ));
    }
    let described = StageDescription {
        description: input.description.unwrap_or_default(),
        tags: input.tags,
        tracing_enabled: input.tracing_enabled,
        ..StageDescription::default()
    };
    let spec = StageSpec {
        name: name.clone(),
        deployment_id: input.deployment_id.unwrap_or_default(),
        variables: input.variables,
        throttles: Vec::new(),
        access_log: None,
        described,
    };
    service.put_stage(id, spec)?;
    let shown = service.read_api(id, |api| Ok(render::stage(stage_of(api, &name)?)))?;
    Ok((StatusCode::CREATED, Some(shown)))
}

fn update_stage(service: &Service, call: &Call, id: &str, name: &str) -> Done {
    let patch: Patch = input(call)?;
    let mut spec = service.read_api(id, |api| stage_of(api, name).cloned())?;
    for operation in patch.patch_operations {
        apply(&mut spec, operation)?;
    }
    service.put_stage(id, spec)?;
    let shown = service.read_api(id, |api| Ok(render::stage(stage_of(api, name)?)))?;
    Ok((StatusCode::OK, Some(shown)))
}

/// <https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html#UpdateStage-Patch>, as far as a stage has it here.
fn apply(spec: &mut StageSpec, operation: PatchOperation) -> Result<(), AwsError> {
    let variable = operation
        .path
        .strip_prefix("/variables/")
        .map(str::to_owned);
    match (
        operation.op.as_str(),
        operation.path.as_str(),
        &operation.value,
        variable,
    ) {
        ("replace", "/deploymentId", Some(value), _) => spec.deployment_id.clone_from(value),
        ("replace", "/description", Some(value), _) => spec.described.description.clone_from(value),
        ("replace", "/tracingEnabled", Some(value), _) if value == "true" || value == "false" => {
            spec.described.tracing_enabled = value == "true";
        }
        ("replace" | "add", _, Some(value), Some(name)) => {
            spec.variables.insert(name, value.clone());
        }
        ("remove", _, _, Some(name)) => {
            spec.variables.remove(&name);
        }
        _ => return Err(invalid_patch(&operation)),
    }
    Ok(())
}

fn invalid_patch(operation: &PatchOperation) -> AwsError {
    AwsError::bad_request(
        "BadRequestException",
        format!(
            "Invalid patch path '{}' specified for op '{}': the local cloud changes a stage's deploymentId, description, tracingEnabled and variables, and a deployment's description",
            operation.path, operation.op
        ),
    )
}

fn refuse_cache(caches: bool, is_canary: bool) -> Result<(), AwsError> {
    let lack = match (caches, is_canary) {
        (true, _) => "does not cache answers (cacheClusterEnabled)",
        (_, true) => "has no canaries (canarySettings)",
        _ => return Ok(()),
    };
    Err(AwsError::bad_request(
        "BadRequestException",
        format!("the local cloud {lack}"),
    ))
}

/// A request without a body asks for nothing in particular.
fn input<T: DeserializeOwned + Default>(call: &Call) -> Result<T, AwsError> {
    if call.body.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(&call.body)
        .map_err(|error| AwsError::bad_request("SerializationException", error.to_string()))
}
