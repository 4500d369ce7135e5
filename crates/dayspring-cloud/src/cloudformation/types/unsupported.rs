//! What AWS would act on and this cloud does not, said by a property's value. Refused when a template is read: what is
//! passed over in silence here would be missed on AWS, or the other way round.

use serde_json::{Map, Value};

use crate::gateway::unreadable_template;

/// Why a resource of this type cannot be had here as its properties have it. Only what is written in the template itself
/// is looked at: a value that comes from an intrinsic function is not yet known.
pub(super) fn unsupported(type_name: &str, properties: &Map<String, Value>) -> Option<String> {
    match type_name {
        "AWS::ApiGateway::RestApi" => rest_api(properties),
        "AWS::ApiGateway::Method" => method(properties),
        "AWS::ApiGateway::Stage" => stage(properties),
        _ => None,
    }
}

fn rest_api(properties: &Map<String, Value>) -> Option<String> {
    let types = properties
        .get("EndpointConfiguration")
        .and_then(|configuration| configuration.get("Types"))
        .and_then(Value::as_array);
    if types.is_some_and(|types| types.iter().any(|kind| kind == "PRIVATE")) {
        return Some("this cloud has no private APIs (EndpointConfiguration)".to_owned());
    }
    if is_true(properties, "DisableExecuteApiEndpoint") {
        return Some(
            "this cloud has no custom domains, and without its own endpoint an API has no other (DisableExecuteApiEndpoint)"
                .to_owned(),
        );
    }
    if is_text(properties, "ApiKeySourceType", "AUTHORIZER") {
        return Some("this cloud has no authorizers (ApiKeySourceType)".to_owned());
    }
    [
        ("Policy", "does not apply resource policies"),
        ("MinimumCompressionSize", "does not compress answers"),
    ]
    .into_iter()
    .find(|(name, _)| properties.contains_key(*name))
    .map(|(name, lack)| format!("this cloud {lack} ({name})"))
}

fn method(properties: &Map<String, Value>) -> Option<String> {
    let kind = properties.get("AuthorizationType").and_then(Value::as_str);
    if let Some(kind) = kind.filter(|kind| *kind != "NONE") {
        return Some(format!(
            "this cloud has no authorizers and would let everybody in (AuthorizationType {kind})"
        ));
    }
    if let Some(name) = ["AuthorizerId", "AuthorizationScopes"]
        .into_iter()
        .find(|name| properties.contains_key(*name))
    {
        return Some(format!(
            "this cloud has no authorizers and would let everybody in ({name})"
        ));
    }
    if let Some(declared) = validated(properties) {
        return Some(format!(
            "this cloud does not validate requests (RequestValidatorId with {declared})"
        ));
    }
    let integration = properties.get("Integration").and_then(Value::as_object)?;
    match integration.get("Type").and_then(Value::as_str) {
        Some("AWS_PROXY") => proxy(integration),
        Some("MOCK") => mock(integration),
        None => None,
        Some(other) => Some(format!(
            "this cloud has integrations of the types AWS_PROXY and MOCK, and not {other}"
        )),
    }
}

/// What a method declares that its validator would check: a body's model, or a parameter that must be there. A request
/// that has matched a path has that path's parameters.
fn validated(properties: &Map<String, Value>) -> Option<&'static str> {
    properties.get("RequestValidatorId")?;
    let declares = |name: &str, counts: fn(&str, &Value) -> bool| {
        properties
            .get(name)
            .and_then(Value::as_object)
            .is_some_and(|members| members.iter().any(|(key, value)| counts(key, value)))
    };
    if declares("RequestModels", |_, _| true) {
        return Some("RequestModels");
    }
    let must_be_there = |key: &str, value: &Value| {
        !key.starts_with("method.request.path.") && *value != false && value != "false"
    };
    declares("RequestParameters", must_be_there).then_some("RequestParameters")
}

fn proxy(integration: &Map<String, Value>) -> Option<String> {
    let method = integration
        .get("IntegrationHttpMethod")
        .and_then(Value::as_str);
    if let Some(method) = method.filter(|method| *method != "POST") {
        return Some(format!(
            "a function is invoked by POST, and API Gateway answers every request with 500 (IntegrationHttpMethod {method})"
        ));
    }
    if is_text(integration, "ResponseTransferMode", "STREAM") {
        return Some("this cloud does not stream answers (ResponseTransferMode)".to_owned());
    }
    let asynchronous = integration
        .get("RequestParameters")
        .and_then(Value::as_object)
        .is_some_and(|parameters| !parameters.is_empty());
    asynchronous.then(|| {
        "this cloud passes no parameters of its own to a function (Integration/RequestParameters)"
            .to_owned()
    })
}

/// The first of a mock's templates that cannot be had here.
fn mock(integration: &Map<String, Value>) -> Option<String> {
    let templates = |holder: &Map<String, Value>, name: &str| {
        let found = holder.get(name).and_then(Value::as_object).cloned();
        found.unwrap_or_default()
    };
    let mut all = vec![(
        "RequestTemplates",
        templates(integration, "RequestTemplates"),
    )];
    let responses = integration
        .get("IntegrationResponses")
        .and_then(Value::as_array);
    for response in responses.into_iter().flatten().filter_map(Value::as_object) {
        all.push((
            "ResponseTemplates",
            templates(response, "ResponseTemplates"),
        ));
    }
    all.iter().find_map(|(name, templates)| {
        templates.iter().find_map(|(content_type, template)| {
            let reason = unreadable_template(template.as_str()?)?;
            Some(format!("{name} {content_type}: {reason}"))
        })
    })
}

fn stage(properties: &Map<String, Value>) -> Option<String> {
    let caches = |setting: &Value| {
        setting
            .as_object()
            .is_some_and(|setting| is_true(setting, "CachingEnabled"))
    };
    let by_method = properties
        .get("MethodSettings")
        .and_then(Value::as_array)
        .is_some_and(|settings| settings.iter().any(caches));
    (by_method || is_true(properties, "CacheClusterEnabled")).then(|| {
        "this cloud does not cache answers (CacheClusterEnabled, CachingEnabled)".to_owned()
    })
}

fn is_true(properties: &Map<String, Value>, name: &str) -> bool {
    properties
        .get(name)
        .is_some_and(|value| *value == true || value == "true")
}

fn is_text(properties: &Map<String, Value>, name: &str, text: &str) -> bool {
    properties.get(name).is_some_and(|value| value == text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_would_be_passed_over_is_refused_by_its_name() {
        let refused: Vec<String> = [
            ("RestApi", json!({"Policy": {}})),
            ("RestApi", json!({"MinimumCompressionSize": 0})),
            ("RestApi", json!({"DisableExecuteApiEndpoint": "true"})),
            ("RestApi", json!({"EndpointConfiguration": {"Types": ["PRIVATE"]}})),
            ("RestApi", json!({"ApiKeySourceType": "AUTHORIZER"})),
            ("Method", json!({"AuthorizationType": "AWS_IAM"})),
            ("Method", json!({"AuthorizationType": "NONE", "AuthorizerId": {"Ref": "A"}})),
            ("Method", json!({"RequestValidatorId": {"Ref": "V"}, "RequestModels": {"application/json": "M"}})),
            ("Method", json!({"RequestValidatorId": {"Ref": "V"}, "RequestParameters": {"method.request.querystring.q": true}})),
            ("Method", json!({"Integration": {"Type": "HTTP_PROXY"}})),
            ("Method", json!({"Integration": {"Type": "AWS_PROXY", "IntegrationHttpMethod": "GET"}})),
            ("Method", json!({"Integration": {"Type": "AWS_PROXY", "ResponseTransferMode": "STREAM"}})),
            ("Method", json!({"Integration": {"Type": "AWS_PROXY", "RequestParameters": {"integration.request.header.X-Amz-Invocation-Type": "'Event'"}}})),
            ("Method", json!({"Integration": {"Type": "MOCK", "RequestTemplates": {"application/json": "{\n#macro(x)#end}"}}})),
            ("Method", json!({"Integration": {"Type": "MOCK", "IntegrationResponses": [{"ResponseTemplates": {"text/plain": "$util.now()"}}]}})),
            ("Stage", json!({"CacheClusterEnabled": true})),
            ("Stage", json!({"MethodSettings": [{"CachingEnabled": true}]})),
        ]
        .into_iter()
        .map(|(kind, properties)| {
            let properties = properties.as_object().unwrap();
            unsupported(&format!("AWS::ApiGateway::{kind}"), properties).unwrap()
        })
        .collect();
        insta::assert_snapshot!(refused.join("\n"), @r"
        this cloud does not apply resource policies (Policy)
        this cloud does not compress answers (MinimumCompressionSize)
        this cloud has no custom domains, and without its own endpoint an API has no other (DisableExecuteApiEndpoint)
        this cloud has no private APIs (EndpointConfiguration)
        this cloud has no authorizers (ApiKeySourceType)
        this cloud has no authorizers and would let everybody in (AuthorizationType AWS_IAM)
        this cloud has no authorizers and would let everybody in (AuthorizerId)
        this cloud does not validate requests (RequestValidatorId with RequestModels)
        this cloud does not validate requests (RequestValidatorId with RequestParameters)
        this cloud has integrations of the types AWS_PROXY and MOCK, and not HTTP_PROXY
        a function is invoked by POST, and API Gateway answers every request with 500 (IntegrationHttpMethod GET)
        this cloud does not stream answers (ResponseTransferMode)
        this cloud passes no parameters of its own to a function (Integration/RequestParameters)
        RequestTemplates application/json: this cloud does not have the directive `#macro` of Velocity (line 2, column 1)
        ResponseTemplates text/plain: this cloud does not have `now` of `$util` in templates (line 1, column 6)
        this cloud does not cache answers (CacheClusterEnabled, CachingEnabled)
        this cloud does not cache answers (CacheClusterEnabled, CachingEnabled)
        ");
    }

    #[test]
    fn what_is_had_here_is_let_through() {
        let method = json!({
            "AuthorizationType": "NONE",
            "RequestValidatorId": {"Ref": "V"},
            "RequestParameters": {"method.request.path.id": true, "method.request.querystring.q": false},
            "Integration": {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "RequestParameters": {}},
        });
        let refused = unsupported("AWS::ApiGateway::Method", method.as_object().unwrap());
        assert_eq!(refused, None);
    }
}
