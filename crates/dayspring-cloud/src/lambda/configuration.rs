//! A function's configuration as `GetFunctionConfiguration` writes it.

use serde_json::{Value, json};

use super::function::Function;
use super::service::Service;

/// `FunctionConfiguration`: <https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html>.
pub(super) fn configuration(service: &Service, function: &Function) -> Value {
    let kept = &function.kept;
    let spec = &kept.spec;
    let mut value = json!({
        "FunctionName": spec.name,
        "FunctionArn": function.arn,
        "Runtime": spec.runtime,
        "Role": spec.role,
        "Handler": spec.handler,
        "CodeSize": kept.code_bytes,
        "Description": spec.description,
        "Timeout": spec.timeout_seconds,
        "MemorySize": spec.memory_mib,
        "LastModified": kept.modified(),
        "CodeSha256": kept.code.base64(),
        "Version": function.launch.version,
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": kept.revision_id,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": spec.architectures,
        "EphemeralStorage": {"Size": spec.tmp_mib},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": spec.log_format.shown(&spec.log_group),
    });
    if let Some(object) = value.as_object_mut() {
        for (name, given) in &kept.settings.recorded {
            match (object.get_mut(name), given) {
                // What was not given keeps its default.
                (Some(Value::Object(shown)), Value::Object(given)) => {
                    shown.extend(given.clone());
                }
                _ => {
                    object.insert(name.clone(), given.clone());
                }
            }
        }
        if !spec.environment.is_empty() {
            object.insert(
                "Environment".to_owned(),
                json!({"Variables": spec.environment}),
            );
        }
        if !spec.layers.is_empty() {
            let layers: Vec<Value> = spec
                .layers
                .iter()
                .map(|arn| json!({"Arn": arn, "CodeSize": service.layer_bytes(arn).unwrap_or(0)}))
                .collect();
            object.insert("Layers".to_owned(), Value::Array(layers));
        }
    }
    value
}
