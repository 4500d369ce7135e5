//! The operations on versions and aliases: <https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html>,
//! <https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html>.

use std::sync::Arc;

use ::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::query;
use super::configuration::configuration;
use super::control::{Done, find, invalid, page, parse};
use super::name::{LATEST, Named};
use super::service::Service;
use super::versions::{AliasChange, KeptAlias, Publication, no_alias};
use crate::error::AwsError;
use crate::http::{Call, decode_percent};

pub(super) async fn versions(service: &Arc<Service>, call: &Call, name: &str) -> Option<Done> {
    let done = match call.parts.method {
        Method::GET => list_versions(service, call, name),
        Method::POST => publish(service, call, name).await,
        _ => return None,
    };
    Some(done)
}

fn list_versions(service: &Service, call: &Call, name: &str) -> Done {
    let latest = find(service, name)?;
    let mut shown = configuration(service, &latest);
    let name = &latest.kept.spec.name;
    shown["FunctionArn"] = qualified(service, name, LATEST).into();
    let mut all = vec![shown];
    for version in service.versions(name) {
        all.push(configuration(service, &version));
    }
    Ok((StatusCode::OK, Some(page(call, "Versions", all))))
}

async fn publish(service: &Arc<Service>, call: &Call, name: &str) -> Done {
    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Input {
        description: Option<String>,
        code_sha256: Option<String>,
        revision_id: Option<String>,
    }
    let input: Input = parse(&call.body)?;
    let publication = Publication {
        description: input.description,
        code_sha256: input.code_sha256,
        revision_id: input.revision_id,
    };
    let function = find(service, name)?;
    let (version, _) = service
        .publish(function.kept.spec.name.clone(), publication)
        .await?;
    Ok((StatusCode::CREATED, Some(configuration(service, &version))))
}

pub(super) async fn aliases(
    service: &Arc<Service>,
    call: &Call,
    name: &str,
    rest: &[&str],
) -> Option<Done> {
    let done = match (&call.parts.method, rest) {
        (&Method::GET, []) => list_aliases(service, call, name),
        (&Method::POST, []) => create(service, call, name).await,
        (&Method::GET, [alias]) => get(service, name, alias),
        (&Method::PUT, [alias]) => update(service, call, name, alias).await,
        (&Method::DELETE, [alias]) => match find(service, name) {
            Ok(function) => service
                .delete_alias(function.kept.spec.name.clone(), decode_percent(alias))
                .await
                .map(|()| (StatusCode::NO_CONTENT, None)),
            Err(error) => Err(error),
        },
        _ => return None,
    };
    Some(done)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AliasInput {
    name: Option<String>,
    function_version: Option<String>,
    description: Option<String>,
    revision_id: Option<String>,
    routing_config: Option<RoutingInput>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RoutingInput {
    additional_version_weights: Option<serde_json::Map<String, Value>>,
}

impl AliasInput {
    fn change(self) -> Result<AliasChange, AwsError> {
        let weights = self
            .routing_config
            .and_then(|routing| routing.additional_version_weights);
        if weights.is_some_and(|weights| !weights.is_empty()) {
            return Err(invalid(
                "The local cloud sends every request of an alias to one version (RoutingConfig.AdditionalVersionWeights).",
            ));
        }
        Ok(AliasChange {
            version: self.function_version,
            description: self.description,
            revision_id: self.revision_id,
        })
    }
}

fn list_aliases(service: &Service, call: &Call, name: &str) -> Done {
    let name = &find(service, name)?.kept.spec.name;
    let version = query(call, "FunctionVersion");
    let all = service
        .aliases(name)
        .iter()
        .filter(|(_, alias)| {
            version
                .as_ref()
                .is_none_or(|version| alias.version == *version)
        })
        .map(|(alias_name, alias)| shown(service, name, alias_name, alias))
        .collect();
    Ok((StatusCode::OK, Some(page(call, "Aliases", all))))
}

async fn create(service: &Arc<Service>, call: &Call, name: &str) -> Done {
    let input: AliasInput = parse(&call.body)?;
    let function = find(service, name)?;
    let name = &function.kept.spec.name;
    let alias_name = input.name.clone().unwrap_or_default();
    let alias = service
        .create_alias(name.clone(), alias_name.clone(), input.change()?)
        .await?;
    let shown = shown(service, name, &alias_name, &alias);
    Ok((StatusCode::CREATED, Some(shown)))
}

fn get(service: &Service, name: &str, alias: &str) -> Done {
    let name = &find(service, name)?.kept.spec.name;
    let alias_name = decode_percent(alias);
    let aliases = service.aliases(name);
    let alias = aliases
        .get(&alias_name)
        .ok_or_else(|| no_alias(&qualified(service, name, &alias_name)))?;
    Ok((
        StatusCode::OK,
        Some(shown(service, name, &alias_name, alias)),
    ))
}

async fn update(service: &Arc<Service>, call: &Call, name: &str, alias: &str) -> Done {
    let input: AliasInput = parse(&call.body)?;
    let function = find(service, name)?;
    let name = &function.kept.spec.name;
    let alias_name = decode_percent(alias);
    let alias = service
        .update_alias(name.clone(), alias_name.clone(), input.change()?)
        .await?;
    Ok((
        StatusCode::OK,
        Some(shown(service, name, &alias_name, &alias)),
    ))
}

/// `AliasConfiguration`: <https://docs.aws.amazon.com/lambda/latest/api/API_AliasConfiguration.html>.
fn shown(service: &Service, function: &str, name: &str, alias: &KeptAlias) -> Value {
    json!({
        "AliasArn": qualified(service, function, name),
        "Name": name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision_id,
    })
}

fn qualified(service: &Service, name: &str, qualifier: &str) -> String {
    service.qualified_arn(Named {
        name,
        qualifier: Some(qualifier),
    })
}
