//! API Gateway's own REST API: what there is, deployments and stages. Whatever else its clients can do is done by a
//! template here, and refused by its name.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/api/API_Operations.html>; names and shapes are those of botocore's model
//! `apigateway/2015-07-09`.

mod edit;
mod pages;
mod render;

use ::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::api::{Api, not_found};
use super::service::Service;
use crate::error::AwsError;
use crate::http::{self, Answer, Call, decode_percent, form_fields};
use crate::protocol::rest_json;
use pages::Page;

/// A status and, where the operation has one, a body.
type Done = Result<(StatusCode, Option<Value>), AwsError>;

/// A request's query, decoded.
struct Query(Vec<(String, String)>);

impl Query {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether `embed` names this.
    fn embeds(&self, what: &str) -> bool {
        let embedded = self.0.iter().filter(|(name, _)| name == "embed");
        embedded
            .flat_map(|(_, value)| value.split(','))
            .any(|name| name == what)
    }
}

pub(super) fn answer(service: &Service, call: &Call) -> Answer {
    let path = call.parts.uri.path();
    let segments: Vec<String> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(decode_percent)
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let query = Query(form_fields(call.parts.uri.query().unwrap_or_default()));
    let done = match call.parts.method {
        Method::GET => read(service, &segments, &query).map(|body| (StatusCode::OK, Some(body))),
        _ => edit::edit(service, call, &segments),
    };
    match done {
        Ok((status, Some(body))) => http::answer(status, "application/json", body.to_string()),
        Ok((status, None)) => http::empty(status),
        Err(error) => rest_json::error(&error),
    }
}

fn read(service: &Service, segments: &[&str], query: &Query) -> Result<Value, AwsError> {
    match segments {
        ["account"] => Ok(render::account()),
        // Nothing can make any of these here.
        [
            "apikeys"
            | "clientcertificates"
            | "domainnameaccessassociations"
            | "domainnames"
            | "usageplans"
            | "vpclinks",
        ]
        | ["restapis", _, "authorizers"] => Ok(json!({"item": []})),
        ["restapis"] => service.read(|apis| {
            let apis = apis.apis.iter();
            let page = Page::of(
                apis.map(|(id, api)| (id.as_str(), render::rest_api(id, api))),
                query,
            )?;
            Ok(page.render())
        }),
        ["restapis", id, rest @ ..] => {
            service.read_api(id, |api| read_api(service, id, api, rest, query))
        }
        ["tags", arn @ ..] => service.read(|apis| {
            let arn = arn.join("/");
            let (_, name) = arn.split_once("/restapis/").unwrap_or_default();
            let (id, rest) = name.split_once('/').unwrap_or((name, ""));
            let api = apis
                .apis
                .get(id)
                .ok_or_else(|| not_found("Invalid API identifier specified"))?;
            let tags = match rest.strip_prefix("stages/") {
                Some(stage) => &edit::stage_of(api, stage)?.described.tags,
                None => &api.spec.described.tags,
            };
            Ok(json!({"tags": tags}))
        }),
        _ => Err(unanswered("GET", segments)),
    }
}

fn read_api(
    service: &Service,
    id: &str,
    api: &Api,
    segments: &[&str],
    query: &Query,
) -> Result<Value, AwsError> {
    match segments {
        [] => Ok(render::rest_api(id, api)),
        ["resources"] => {
            let embeds = query.embeds("methods");
            let resources = api.resources.iter();
            let resources = resources.map(|(id, resource)| {
                (id.as_str(), render::resource(service, id, resource, embeds))
            });
            Ok(Page::of(resources, query)?.render())
        }
        ["resources", id, rest @ ..] => {
            let resource = api
                .resources
                .get(*id)
                .ok_or_else(|| not_found("Invalid Resource identifier specified"))?;
            let ["methods", verb, rest @ ..] = rest else {
                return match rest {
                    [] => Ok(render::resource(
                        service,
                        id,
                        resource,
                        query.embeds("methods"),
                    )),
                    _ => Err(unanswered("GET", segments)),
                };
            };
            let method = resource
                .methods
                .get(*verb)
                .ok_or_else(|| not_found("Invalid Method identifier specified"))?;
            let shown = render::method(service, id, method);
            let part = match rest {
                [] => Some(shown),
                ["integration"] => shown.get("methodIntegration").cloned(),
                ["integration", "responses", status] => shown
                    .pointer(&format!("/methodIntegration/integrationResponses/{status}"))
                    .cloned(),
                ["responses", status] => shown
                    .pointer(&format!("/methodResponses/{status}"))
                    .cloned(),
                _ => return Err(unanswered("GET", segments)),
            };
            part.ok_or_else(|| not_found("Invalid Response status code specified"))
        }
        ["deployments"] => {
            let deployments = api.deployments.iter();
            let deployments = deployments
                .map(|(id, deployment)| (id.as_str(), render::deployment(id, deployment, false)));
            Ok(Page::of(deployments, query)?.render())
        }
        ["deployments", id] => {
            let deployment = api
                .deployments
                .get(*id)
                .ok_or_else(|| not_found("Invalid Deployment identifier specified"))?;
            Ok(render::deployment(
                id,
                deployment,
                query.embeds("apisummary"),
            ))
        }
        ["stages"] => {
            let wanted = query.get("deploymentId");
            let stages = api.stages.values();
            let stages =
                stages.filter(|stage| wanted.is_none_or(|wanted| stage.deployment_id == wanted));
            let stages: Vec<Value> = stages.map(render::stage).collect();
            Ok(json!({"item": stages}))
        }
        ["stages", name] => Ok(render::stage(edit::stage_of(api, name)?)),
        ["gatewayresponses"] => Ok(json!({"item": render::gateway_responses(api)})),
        ["gatewayresponses", kind] => render::gateway_response(api, kind)
            .ok_or_else(|| not_found("Invalid gateway response type specified")),
        _ => Err(unanswered("GET", segments)),
    }
}

/// An operation that this cloud does not have.
fn unanswered(method: &str, segments: &[&str]) -> AwsError {
    AwsError::new(
        StatusCode::NOT_FOUND,
        "UnknownOperationException",
        format!(
            "the local cloud does not answer {method} /{}",
            segments.join("/")
        ),
    )
}
