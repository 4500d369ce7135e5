//! The REST API: a resource for each part of a path, a method for each route, the answers to preflights, and the
//! deployment that puts a snapshot of all of it behind the stage.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::logical_id::LogicalId;
use crate::project::{Cors, Endpoint, HttpMethod, Route, RoutePath, Segment, Stage};
use crate::resources::{functions, log_group, role};
use crate::template::{DeletionPolicy, Named, Resource, attribute, reference, substitute};

pub(crate) fn resources(stage: &Stage) -> Vec<Named> {
    let snapshot = snapshot(stage);
    let deployment = deployment(&snapshot);
    let stage_resource = stage_resource(stage, &deployment.0);
    let mut resources = snapshot;
    resources.extend(
        stage
            .routes
            .iter()
            .map(|route| permission(stage, route))
            .collect::<BTreeMap<_, _>>(),
    );
    resources.push(deployment);
    resources.extend(access_log(stage));
    resources.push((stage_id(), stage_resource));
    resources
}

pub(crate) fn rest_api() -> LogicalId {
    LogicalId::fixed("RestApi")
}

pub(crate) fn stage_id() -> LogicalId {
    LogicalId::fixed("ApiStage")
}

/// Everything that a deployment takes a snapshot of. The order of the routes in the file does not show.
fn snapshot(stage: &Stage) -> Vec<Named> {
    let mut methods: BTreeMap<&RoutePath, BTreeMap<HttpMethod, &Route>> = BTreeMap::new();
    for route in &stage.routes {
        methods
            .entry(&route.path)
            .or_default()
            .insert(route.method, route);
    }
    let mut resources = vec![
        (rest_api(), rest_api_resource(stage)),
        (validator(), validator_resource()),
    ];
    resources.extend(paths(stage).iter().filter_map(path_resource));
    for (path, routes) in &methods {
        resources.extend(routes.values().map(|route| method(route)));
        if let Some(cors) = stage
            .api
            .cors
            .as_ref()
            .filter(|_| !routes.contains_key(&HttpMethod::Options))
        {
            let binary = !stage.api.binary_media_types.is_empty();
            resources.push(preflight(
                path,
                &allowed_methods(routes.keys().copied()),
                cors,
                binary,
            ));
        }
    }
    if let Some(cors) = &stage.api.cors {
        resources.push((
            LogicalId::fixed("ApiClientErrors"),
            gateway_response("DEFAULT_4XX", cors),
        ));
        resources.push((
            LogicalId::fixed("ApiServerErrors"),
            gateway_response("DEFAULT_5XX", cors),
        ));
    }
    resources
}

fn rest_api_resource(stage: &Stage) -> Resource {
    let endpoint = match stage.api.endpoint {
        Endpoint::Regional => "REGIONAL",
        Endpoint::Edge => "EDGE",
    };
    let binary: Vec<&str> = stage
        .api
        .binary_media_types
        .iter()
        .map(|media_type| media_type.as_str())
        .collect();
    Resource::new(
        "AWS::ApiGateway::RestApi",
        json!({
            "Name": stage.stack_name(),
            "Description": format!("The API of {}", stage.stack_name()),
            "EndpointConfiguration": { "Types": [endpoint] },
        }),
    )
    .with(
        "BinaryMediaTypes",
        (!binary.is_empty()).then(|| binary.into()),
    )
}

fn validator() -> LogicalId {
    LogicalId::fixed("ApiRequestValidator")
}

/// What API Gateway checks before it calls a function: the parameters that a method declares as required.
fn validator_resource() -> Resource {
    Resource::new(
        "AWS::ApiGateway::RequestValidator",
        json!({
            "Name": "everything",
            "RestApiId": reference(&rest_api()),
            "ValidateRequestBody": true,
            "ValidateRequestParameters": true,
        }),
    )
}

/// Every path of a route and every path above it, each above those below it.
fn paths(stage: &Stage) -> BTreeSet<RoutePath> {
    let mut paths = BTreeSet::new();
    for route in &stage.routes {
        let mut next = Some(route.path.clone());
        while let Some(path) = next {
            next = path.parent();
            paths.insert(path);
        }
    }
    paths
}

fn path_id(path: &RoutePath) -> LogicalId {
    LogicalId::named("Path", &path.to_string(), '/')
}

/// The reference to a path: the root's resource comes with the API.
fn path_reference(path: &RoutePath) -> Value {
    if path.segments().is_empty() {
        attribute(&rest_api(), "RootResourceId")
    } else {
        reference(&path_id(path))
    }
}

fn path_resource(path: &RoutePath) -> Option<Named> {
    let part = path.segments().last()?.path_part();
    let parent = path_reference(&path.parent()?);
    let resource = Resource::new(
        "AWS::ApiGateway::Resource",
        json!({ "RestApiId": reference(&rest_api()), "ParentId": parent, "PathPart": part }),
    );
    Some((path_id(path), resource))
}

fn method_id(kind: &str, method: HttpMethod, path: &RoutePath) -> LogicalId {
    let name = method.as_str();
    let prefix = format!("{kind}{}{}", &name[..1], name[1..].to_ascii_lowercase());
    LogicalId::named(&prefix, &path.to_string(), '/')
}

fn method(route: &Route) -> Named {
    let uri = format!(
        "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{}.Arn}}/invocations",
        functions::function_id(&route.function)
    );
    let resource = Resource::new(
        "AWS::ApiGateway::Method",
        json!({
            "RestApiId": reference(&rest_api()),
            "ResourceId": path_reference(&route.path),
            "HttpMethod": route.method.as_str(),
            "AuthorizationType": "NONE",
            "RequestValidatorId": reference(&validator()),
            "Integration": { "Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": substitute(&uri) },
        }),
    );
    (method_id("Method", route.method, &route.path), resource)
}

/// `ANY` stands for every method.
fn allowed_methods(methods: impl Iterator<Item = HttpMethod>) -> String {
    let every = [
        HttpMethod::Delete,
        HttpMethod::Get,
        HttpMethod::Head,
        HttpMethod::Patch,
        HttpMethod::Post,
        HttpMethod::Put,
    ];
    let mut allowed = BTreeSet::from([HttpMethod::Options]);
    for method in methods {
        match method {
            HttpMethod::Any => allowed.extend(every),
            HttpMethod::Delete
            | HttpMethod::Get
            | HttpMethod::Head
            | HttpMethod::Options
            | HttpMethod::Patch
            | HttpMethod::Post
            | HttpMethod::Put => {
                allowed.insert(method);
            }
        }
    }
    let names: Vec<&str> = allowed.into_iter().map(HttpMethod::as_str).collect();
    names.join(",")
}

/// The headers that tell a browser who may read an answer.
fn origin_headers(cors: &Cors) -> Vec<(&'static str, String)> {
    let mut headers = vec![("Access-Control-Allow-Origin", cors.origin.to_string())];
    if cors.credentials {
        headers.push(("Access-Control-Allow-Credentials", "true".to_owned()));
    }
    if cors.origin.as_str() != "*" {
        headers.push(("Vary", "Origin".to_owned()));
    }
    headers
}

/// The answer to a browser's question before the request, without a function.
fn preflight(path: &RoutePath, methods: &str, cors: &Cors, binary: bool) -> Named {
    let names: Vec<&str> = cors.headers.iter().map(|name| name.as_str()).collect();
    let mut headers = origin_headers(cors);
    headers.push(("Access-Control-Allow-Headers", names.join(",")));
    headers.push(("Access-Control-Allow-Methods", methods.to_owned()));
    headers.push(("Access-Control-Max-Age", cors.max_age.as_secs().to_string()));
    let parameter = |name: &str| format!("method.response.header.{name}");
    let values: Map<String, Value> = headers
        .iter()
        .map(|(name, value)| (parameter(name), format!("'{value}'").into()))
        .collect();
    let declared: Map<String, Value> = headers
        .iter()
        .map(|(name, _)| (parameter(name), true.into()))
        .collect();
    let mut integration = json!({
        "Type": "MOCK",
        "RequestTemplates": { "application/json": "{\"statusCode\": 204}" },
        "IntegrationResponses": [{ "StatusCode": "204", "ResponseParameters": values }],
    });
    if binary {
        // A body that counts as binary would not reach the template above.
        integration["ContentHandling"] = "CONVERT_TO_TEXT".into();
    }
    let resource = Resource::new(
        "AWS::ApiGateway::Method",
        json!({
            "RestApiId": reference(&rest_api()),
            "ResourceId": path_reference(path),
            "HttpMethod": "OPTIONS",
            "AuthorizationType": "NONE",
            "Integration": integration,
            "MethodResponses": [{ "StatusCode": "204", "ResponseParameters": declared }],
        }),
    );
    (method_id("Method", HttpMethod::Options, path), resource)
}

/// API Gateway's own errors must be readable for the page, too.
fn gateway_response(kind: &str, cors: &Cors) -> Resource {
    let parameters: Map<String, Value> = origin_headers(cors)
        .into_iter()
        .map(|(name, value)| {
            (
                format!("gatewayresponse.header.{name}"),
                format!("'{value}'").into(),
            )
        })
        .collect();
    Resource::new(
        "AWS::ApiGateway::GatewayResponse",
        json!({ "RestApiId": reference(&rest_api()), "ResponseType": kind, "ResponseParameters": parameters }),
    )
}

/// Lets the API call the function for this route and no other.
fn permission(stage: &Stage, route: &Route) -> Named {
    let method = if route.method == HttpMethod::Any {
        "*"
    } else {
        route.method.as_str()
    };
    let parts = route.path.segments().iter().map(|segment| match segment {
        Segment::Literal(text) => text.as_str(),
        Segment::Parameter(_) | Segment::Greedy(_) => "*",
    });
    let path: Vec<&str> = parts.collect();
    let source = format!(
        "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{}}}/{}/{method}/{}",
        rest_api(),
        stage.api_stage(),
        path.join("/")
    );
    let resource = Resource::new(
        "AWS::Lambda::Permission",
        json!({
            "Action": "lambda:InvokeFunction",
            "FunctionName": attribute(&functions::function_id(&route.function), "Arn"),
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": substitute(&source),
        }),
    );
    (method_id("Permission", route.method, &route.path), resource)
}

/// A deployment is a snapshot that never changes, so its name carries a digest of what it is a snapshot of: another
/// route makes another deployment, and the stage moves to it.
fn deployment(snapshot: &[Named]) -> Named {
    let content: Vec<String> = snapshot
        .iter()
        .map(|(id, resource)| format!("{id} {}", resource.to_value()))
        .collect();
    let after = snapshot.iter().filter(|(_, resource)| {
        matches!(
            resource.kind(),
            "AWS::ApiGateway::Method" | "AWS::ApiGateway::GatewayResponse"
        )
    });
    let resource = Resource::new(
        "AWS::ApiGateway::Deployment",
        json!({ "RestApiId": reference(&rest_api()) }),
    )
    .after(after.map(|(id, _)| id.clone()));
    (
        LogicalId::of_content("ApiDeployment", &content.join("\n")),
        resource,
    )
}

fn stage_resource(stage: &Stage, deployment: &LogicalId) -> Resource {
    let mut settings = Map::new();
    if let Some(throttle) = &stage.api.throttle {
        settings.insert("ThrottlingRateLimit".to_owned(), throttle.rate.into());
        settings.insert("ThrottlingBurstLimit".to_owned(), throttle.burst.into());
    }
    // API Gateway's own log of what failed. It makes the group itself, and neither AWS nor the stack ever deletes it, so a
    // development stage does without.
    if !stage.development && stage.api.access_log.is_some() {
        settings.insert("LoggingLevel".to_owned(), "ERROR".into());
    }
    let settings = (!settings.is_empty()).then(|| {
        settings.insert("HttpMethod".to_owned(), "*".into());
        settings.insert("ResourcePath".to_owned(), "/*".into());
        json!([settings])
    });
    let resource = Resource::new(
        "AWS::ApiGateway::Stage",
        json!({
            "RestApiId": reference(&rest_api()),
            "DeploymentId": reference(deployment),
            "StageName": stage.api_stage(),
            "TracingEnabled": stage.api.tracing,
        }),
    )
    .with("MethodSettings", settings);
    let Some(log) = &stage.api.access_log else {
        return resource;
    };
    let destination = json!({ "DestinationArn": attribute(&access_log_id(), "Arn"), "Format": access_log_format() });
    resource
        .with("AccessLogSetting", Some(destination))
        .after(log.account_role.then(account_id))
}

fn access_log_id() -> LogicalId {
    LogicalId::fixed("ApiAccessLogs")
}

fn account_id() -> LogicalId {
    LogicalId::fixed("ApiAccount")
}

/// One line of JSON for each request.
fn access_log_format() -> String {
    json!({
        "requestId": "$context.requestId",
        "time": "$context.requestTime",
        "ip": "$context.identity.sourceIp",
        "method": "$context.httpMethod",
        "path": "$context.path",
        "resource": "$context.resourcePath",
        "status": "$context.status",
        "bytes": "$context.responseLength",
        "milliseconds": "$context.responseLatency",
        "functionRequestId": "$context.integration.requestId",
        "functionStatus": "$context.integration.integrationStatus",
        "functionMilliseconds": "$context.integration.latency",
        "error": "$context.error.message",
        "userAgent": "$context.identity.userAgent",
    })
    .to_string()
}

/// The log of requests, and the role with which API Gateway writes logs in this account and region.
///
/// There is one such role for all APIs of an account and region, whoever set it last. So it stays when the stack goes:
/// taking it away would silence the logs of every other API.
fn access_log(stage: &Stage) -> Vec<Named> {
    let Some(log) = &stage.api.access_log else {
        return Vec::new();
    };
    let name = format!("/aws/apigateway/{}", stage.stack_name());
    let mut resources = vec![log_group(stage, access_log_id(), &name, log.retention)];
    if log.account_role {
        let role = LogicalId::fixed("ApiAccountRole");
        let policy = "arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs";
        let role_resource = Resource::new(
            "AWS::IAM::Role",
            json!({
                "AssumeRolePolicyDocument": role::assumed_by("apigateway.amazonaws.com"),
                "ManagedPolicyArns": [substitute(policy)],
            }),
        );
        resources.push((
            role.clone(),
            role_resource.on_deletion(DeletionPolicy::Retain),
        ));
        let account = Resource::new(
            "AWS::ApiGateway::Account",
            json!({ "CloudWatchRoleArn": attribute(&role, "Arn") }),
        )
        // In an account that never had an API the setting cannot be made before there is one.
        .after([rest_api()])
        .on_deletion(DeletionPolicy::Retain);
        resources.push((account_id(), account));
    }
    resources
}
