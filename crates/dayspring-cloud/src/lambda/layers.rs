//! The operations on layers: <https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html>.

use std::sync::Arc;

use ::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::control::{CodeInput, Done, parse, resource_not_found};
use super::date::Utc;
use super::function::KeptLayer;
use super::service::Service;
use crate::http::{Call, decode_percent};

pub(super) async fn layers(service: &Arc<Service>, call: &Call, rest: &[&str]) -> Option<Done> {
    let done = match (&call.parts.method, rest) {
        (&Method::GET, []) => Ok((StatusCode::OK, Some(list(service)))),
        (&Method::POST, [name, "versions"]) => publish(service, call, &decode_percent(name)).await,
        (&Method::GET, [name, "versions"]) => {
            let name = decode_percent(name);
            let versions: Vec<Value> = service
                .layer_versions(&name)
                .iter()
                .rev()
                .map(|(arn, layer)| shown(arn, layer))
                .collect();
            Ok((StatusCode::OK, Some(json!({"LayerVersions": versions}))))
        }
        (&Method::GET, [name, "versions", number]) => {
            let arn = version_arn(service, name, number);
            service
                .layer(&arn)
                .map(|layer| (StatusCode::OK, Some(whole(service, &arn, &layer))))
                .ok_or_else(|| resource_not_found("The resource you requested does not exist."))
        }
        (&Method::DELETE, [name, "versions", number]) => service
            .delete_layer_version(&version_arn(service, name, number))
            .map(|()| (StatusCode::NO_CONTENT, None)),
        _ => return None,
    };
    Some(done)
}

async fn publish(service: &Arc<Service>, call: &Call, name: &str) -> Done {
    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Input {
        content: CodeInput,
        description: String,
        compatible_runtimes: Vec<String>,
    }
    let input: Input = parse(&call.body)?;
    let zip = input.content.bytes(service)?;
    let blocking = Arc::clone(service);
    let name = name.to_owned();
    let arn = tokio::task::spawn_blocking(move || blocking.publish_layer_version(&name, &zip))
        .await
        .map_err(|error| super::service::internal(&error))??;
    let layer = service
        .layer(&arn)
        .ok_or_else(|| resource_not_found("The resource you requested does not exist."))?;
    let mut answer = whole(service, &arn, &layer);
    answer["Description"] = input.description.into();
    answer["CompatibleRuntimes"] = input.compatible_runtimes.into();
    Ok((StatusCode::CREATED, Some(answer)))
}

/// Each layer with its newest version.
fn list(service: &Service) -> Value {
    let mut newest: std::collections::BTreeMap<String, (String, KeptLayer)> =
        std::collections::BTreeMap::new();
    for (arn, layer) in service.layer_versions("") {
        let (layer_arn, number) = split(&arn);
        let is_newer = newest
            .get(layer_arn)
            .is_none_or(|(other, _)| split(other).1 < number);
        if is_newer {
            newest.insert(layer_arn.to_owned(), (arn, layer));
        }
    }
    let layers: Vec<Value> = newest
        .iter()
        .map(|(layer_arn, (arn, layer))| {
            let name = layer_arn.rsplit(':').next().unwrap_or_default();
            json!({"LayerName": name, "LayerArn": layer_arn, "LatestMatchingVersion": shown(arn, layer)})
        })
        .collect();
    json!({ "Layers": layers })
}

fn version_arn(service: &Service, name: &str, number: &str) -> String {
    let name = decode_percent(name);
    let name = name.rsplit(':').next().unwrap_or_default();
    service.layer_arn(name, number)
}

/// The layer's ARN and the version's number.
fn split(arn: &str) -> (&str, u64) {
    arn.rsplit_once(':').map_or((arn, 0), |(layer, number)| {
        (layer, number.parse().unwrap_or_default())
    })
}

fn shown(arn: &str, layer: &KeptLayer) -> Value {
    let created = Utc::from_unix_millis(layer.created_unix_millis).iso_millis();
    json!({
        "LayerVersionArn": arn,
        "Version": split(arn).1,
        "CreatedDate": format!("{created}+0000"),
    })
}

fn whole(service: &Service, arn: &str, layer: &KeptLayer) -> Value {
    let mut whole = shown(arn, layer);
    whole["LayerArn"] = split(arn).0.into();
    whole["Content"] = json!({
        "Location": format!("file://{}", service.layer_folder(layer).display()),
        "CodeSha256": layer.content.base64(),
        "CodeSize": layer.content_bytes,
    });
    whole
}
