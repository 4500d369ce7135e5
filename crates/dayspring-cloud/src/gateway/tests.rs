//! Deployed stages before real processes.

mod access_log;
mod limits;
mod mocks;

use std::time::Duration;

use ::http::Request;
use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::net::TcpListener;

use super::request::BODY_BYTES_MAX;
use super::*;
use crate::lambda::FunctionSpec;
use crate::lambda::tests::{Fixture, logs, open as open_lambda, spec};

struct Api {
    lambda: Fixture,
    logs: Logs,
    gateway: Gateway,
    id: String,
    root: String,
}

/// An API of `METHOD PATH HANDLER` lines; the handler `mock` is CORS's.
async fn api(routes: &[&str], binary_media_types: &[&str]) -> Api {
    let lambda = open_lambda();
    let logs = logs(lambda.folder.path());
    let gateway = open_gateway(&lambda, &logs);
    let (id, root) = gateway
        .create_rest_api(RestApiSpec {
            name: "blog".to_owned(),
            description: String::new(),
            binary_media_types: binary_media_types
                .iter()
                .map(|media_type| (*media_type).to_owned())
                .collect(),
            described: ApiDescription::default(),
        })
        .unwrap();
    let api = Api {
        lambda,
        logs,
        gateway,
        id,
        root,
    };
    let mut known = BTreeMap::from([(String::new(), api.root.clone())]);
    for route in routes {
        let [method, path, handler] = route.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{route}");
        };
        let mut resource = api.root.clone();
        let mut so_far = String::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            so_far = format!("{so_far}/{part}");
            resource = known
                .entry(so_far.clone())
                .or_insert_with(|| {
                    api.gateway
                        .create_resource(&api.id, &resource, part)
                        .unwrap()
                })
                .clone();
        }
        api.put_method(&resource, method, handler).await;
    }
    api.deploy().await;
    api
}

fn open_gateway(lambda: &Fixture, logs: &Logs) -> Gateway {
    let config = GatewayConfig {
        identity: Identity::default(),
        folder: lambda.folder.path().join("apigateway"),
    };
    Gateway::open(config, lambda.lambda.clone(), logs.clone()).unwrap()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

impl Api {
    async fn put_method(&self, resource: &str, method: &str, handler: &str) {
        let integration = if handler == "mock" {
            Integration::Mock {
                request_templates: map(&[("application/json", "{\"statusCode\":204}")]),
                passthrough: Passthrough::Never,
                responses: vec![MockResponse {
                    status_code: 204,
                    selection_pattern: None,
                    response_parameters: map(&[
                        ("method.response.header.Access-Control-Allow-Origin", "'*'"),
                        (
                            "method.response.header.Access-Control-Allow-Methods",
                            "'GET,OPTIONS'",
                        ),
                    ]),
                    response_templates: BTreeMap::new(),
                }],
            }
        } else {
            // `variable:{...}` answers with what follows.
            let (handler, answer) = handler.split_once(':').unwrap_or((handler, ""));
            let name = format!("f{:08x}", fastrand::u32(..));
            let mut function = FunctionSpec {
                environment: map(&[("ANSWER", answer), ("CODE", "1")]),
                ..spec(&name, &format!("{handler}.handler"))
            };
            if handler == "hang" {
                function.timeout_seconds = 1;
            }
            self.lambda.put(function).await;
            Integration::LambdaProxy {
                function: Identity::default().arn("lambda", &format!("function:{name}")),
                timeout_millis: 29_000,
            }
        };
        self.gateway
            .put_method(
                &self.id,
                resource,
                MethodSpec {
                    http_method: method.to_owned(),
                    api_key_required: false,
                    described: MethodDescription::default(),
                    integration,
                },
            )
            .unwrap();
    }

    async fn deploy(&self) -> String {
        let deployment = self.gateway.create_deployment(&self.id, "").unwrap();
        self.put_stage(&deployment, &[]);
        deployment
    }

    fn put_stage(&self, deployment: &str, variables: &[(&str, &str)]) {
        self.gateway
            .put_stage(
                &self.id,
                StageSpec {
                    name: "prod".to_owned(),
                    deployment_id: deployment.to_owned(),
                    variables: map(variables),
                    described: StageDescription::default(),
                    throttles: Vec::new(),
                    access_log: Some((
                        "arn:aws:logs:us-east-1:000000000000:log-group:/api/blog".to_owned(),
                        "$context.status".to_owned(),
                    )),
                },
            )
            .unwrap();
    }

    async fn send(
        &self,
        request: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let (method, url) = request.split_once(' ').unwrap();
        let mut builder = Request::builder()
            .method(method)
            .uri(url)
            .header("host", "127.0.0.1:3000");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let (parts, ()) = builder.body(()).unwrap().into_parts();
        self.gateway
            .answer(Call {
                parts,
                body: body.into(),
                peer: ([127, 0, 0, 1], 5000).into(),
            })
            .await
    }

    /// `STATUS ERROR-TYPE BODY`.
    async fn text(&self, request: &str) -> String {
        let (parts, body) = self.send(request, &[], "").await.into_parts();
        let kind = parts
            .headers
            .get("x-amzn-errortype")
            .map_or("-", |kind| kind.to_str().unwrap());
        let status = parts.status.as_u16();
        format!("{status} {kind} {}", text_of(body).await)
    }

    /// The event that the function saw.
    async fn event(&self, request: &str, headers: &[(&str, &str)], body: &'static str) -> Value {
        let answer = self.send(request, headers, body).await;
        serde_json::from_str(&text_of(answer.into_body()).await).unwrap()
    }
}

async fn text_of(body: http_body_util::Full<Bytes>) -> String {
    let bytes = body.collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_function_gets_the_whole_proxy_event() {
    let api = api(&["GET /posts/{slug} proxy"], &[]).await;
    let headers = [("user-agent", "curl/8"), ("x-a", "1"), ("x-a", "2")];
    let mut event = api
        .event("GET /prod/posts/a%2Fb%20c?x=1&x=2", &headers, "")
        .await;
    let context = &mut event["requestContext"];
    for (name, length) in [
        ("apiId", 10),
        ("resourceId", 6),
        ("deploymentId", 6),
        ("requestId", 36),
        ("extendedRequestId", 16),
        ("requestTime", 26),
    ] {
        let text = context[name].take();
        assert_eq!(text.as_str().unwrap().len(), length, "{name}");
    }
    assert!(context["requestTimeEpoch"].take().as_u64().unwrap() > 1_700_000_000_000);
    assert_eq!(
        context["domainName"].take(),
        format!("{}.execute-api.us-east-1.amazonaws.com", api.id)
    );
    assert_eq!(context["domainPrefix"].take(), api.id);
    let trace = event["headers"]["X-Amzn-Trace-Id"].take();
    assert!(trace.as_str().unwrap().starts_with("Root=1-"));
    event["multiValueHeaders"]["X-Amzn-Trace-Id"].take();
    insta::assert_snapshot!(serde_json::to_string_pretty(&event).unwrap(), @r#"
    {
      "resource": "/posts/{slug}",
      "path": "/posts/a%2Fb%20c",
      "httpMethod": "GET",
      "headers": {
        "Host": "127.0.0.1:3000",
        "User-Agent": "curl/8",
        "x-a": "2",
        "X-Amzn-Trace-Id": null,
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Port": "3000",
        "X-Forwarded-Proto": "http"
      },
      "multiValueHeaders": {
        "Host": [
          "127.0.0.1:3000"
        ],
        "User-Agent": [
          "curl/8"
        ],
        "x-a": [
          "1",
          "2"
        ],
        "X-Amzn-Trace-Id": null,
        "X-Forwarded-For": [
          "127.0.0.1"
        ],
        "X-Forwarded-Port": [
          "3000"
        ],
        "X-Forwarded-Proto": [
          "http"
        ]
      },
      "queryStringParameters": {
        "x": "2"
      },
      "multiValueQueryStringParameters": {
        "x": [
          "1",
          "2"
        ]
      },
      "pathParameters": {
        "slug": "a%2Fb%20c"
      },
      "stageVariables": null,
      "requestContext": {
        "resourceId": null,
        "resourcePath": "/posts/{slug}",
        "httpMethod": "GET",
        "extendedRequestId": null,
        "requestTime": null,
        "path": "/prod/posts/a%2Fb%20c",
        "accountId": "000000000000",
        "protocol": "HTTP/1.1",
        "stage": "prod",
        "domainPrefix": null,
        "requestTimeEpoch": null,
        "requestId": null,
        "identity": {
          "cognitoIdentityPoolId": null,
          "accountId": null,
          "cognitoIdentityId": null,
          "caller": null,
          "sourceIp": "127.0.0.1",
          "principalOrgId": null,
          "accessKey": null,
          "cognitoAuthenticationType": null,
          "cognitoAuthenticationProvider": null,
          "userArn": null,
          "userAgent": "curl/8",
          "user": null
        },
        "domainName": null,
        "deploymentId": null,
        "apiId": null
      },
      "body": null,
      "isBase64Encoded": false
    }
    "#);
    api.lambda.lambda.shut_down().await;
}

#[tokio::test]
async fn the_gateways_own_answers_are_those_of_aws() {
    let api = api(
        &[
            "GET /ok variable:{}",
            "GET /error error",
            "GET /exit exit",
            "GET /hang hang",
            "GET /cookies variable:{\"cookies\":[]}",
            "GET /null variable:null",
            "GET /base64 variable:{\"body\":\"?\",\"isBase64Encoded\":true}",
        ],
        &["*/*"],
    )
    .await;
    let mut answers = Vec::new();
    for request in [
        "GET /prod/ok",
        "GET /prod/ok/",
        "GET /prod/missing",
        "POST /prod/ok",
        "GET /prod",
        "GET /test/ok",
        "GET /prod/error",
        "GET /prod/exit",
        "GET /prod/hang",
        "GET /prod/cookies",
        "GET /prod/null",
        "GET /prod/base64",
    ] {
        answers.push(format!("{request}: {}", api.text(request).await));
    }
    insta::assert_snapshot!(answers.join("\n"), @r#"
    GET /prod/ok: 200 - 
    GET /prod/ok/: 200 - 
    GET /prod/missing: 403 MissingAuthenticationTokenException {"message":"Missing Authentication Token"}
    POST /prod/ok: 403 MissingAuthenticationTokenException {"message":"Missing Authentication Token"}
    GET /prod: 403 MissingAuthenticationTokenException {"message":"Missing Authentication Token"}
    GET /test/ok: 403 ForbiddenException {"message":"Forbidden"}
    GET /prod/error: 502 InternalServerErrorException {"message": "Internal server error"}
    GET /prod/exit: 502 InternalServerErrorException {"message": "Internal server error"}
    GET /prod/hang: 502 InternalServerErrorException {"message": "Internal server error"}
    GET /prod/cookies: 502 InternalServerErrorException {"message": "Internal server error"}
    GET /prod/null: 502 InternalServerErrorException {"message": "Internal server error"}
    GET /prod/base64: 500 InternalServerErrorException {"message": "Internal server error"}
    "#);
    api.lambda.lambda.shut_down().await;
}

#[tokio::test]
async fn bodies_above_the_limits_are_refused_in_both_forms() {
    let api = api(&["POST /x proxy"], &[]).await;
    let send = async |bytes: usize| {
        let answer = api.send("POST /prod/x", &[], vec![b'x'; bytes]).await;
        let status = answer.status().as_u16();
        format!("{status} {}", text_of(answer.into_body()).await)
    };
    assert_eq!(
        send(BODY_BYTES_MAX + 1).await,
        "413 HTTP content length exceeded 10485760 bytes."
    );
    assert_eq!(
        send(7 * 1024 * 1024).await,
        "413 {\"message\": \"Request Too Long\"}"
    );
    api.lambda.lambda.shut_down().await;
}

#[tokio::test]
async fn the_integration_waits_for_its_time_and_a_missing_function_is_a_500() {
    let api = api(&["GET /x variable:{}"], &[]).await;
    let gate = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut function = spec("gated", "gate.handler");
    let address = gate.local_addr().unwrap().to_string();
    function.environment = map(&[("GATE", &address)]);
    api.lambda.put(function).await;
    for (function, method, timeout_millis) in [("gated", "PUT", 50), ("missing", "DELETE", 29_000)]
    {
        let integration = Integration::LambdaProxy {
            function: function.to_owned(),
            timeout_millis,
        };
        api.gateway
            .put_method(
                &api.id,
                &api.root,
                MethodSpec {
                    http_method: method.to_owned(),
                    api_key_required: false,
                    described: MethodDescription::default(),
                    integration,
                },
            )
            .unwrap();
    }
    api.deploy().await;
    assert_eq!(
        api.text("PUT /prod/").await,
        "504 InternalServerErrorException {\"message\": \"Endpoint request timed out\"}"
    );
    assert_eq!(
        api.text("DELETE /prod/").await,
        "500 InternalServerErrorException {\"message\": \"Internal server error\"}"
    );
    api.lambda.lambda.shut_down().await;
}

#[tokio::test]
async fn cors_is_answered_by_the_mock_and_errors_carry_its_headers_too() {
    let api = api(&["GET /posts variable:{}", "OPTIONS /posts mock"], &[]).await;
    api.gateway
        .put_gateway_response(
            &api.id,
            GatewayResponseSpec {
                response_type: "DEFAULT_4XX".to_owned(),
                status_code: None,
                response_parameters: map(&[(
                    "gatewayresponse.header.Access-Control-Allow-Origin",
                    "'*'",
                )]),
                response_templates: map(&[(
                    "application/json",
                    "{\"message\":$context.error.messageString,\"type\":\"$context.error.responseType\"}",
                )]),
            },
        )
        .unwrap();
    let before = api.send("GET /prod/none", &[], "").await;
    assert!(!before.headers().contains_key("access-control-allow-origin"));
    api.deploy().await;

    let options = api.send("OPTIONS /prod/posts", &[], "").await;
    assert_eq!(options.status(), 204);
    assert_eq!(
        options.headers()["access-control-allow-methods"],
        "GET,OPTIONS"
    );
    let none = api.send("GET /prod/none", &[], "").await;
    assert_eq!(none.headers()["access-control-allow-origin"], "*");
    assert_eq!(
        text_of(none.into_body()).await,
        "{\"message\":\"Missing Authentication Token\",\"type\":\"MISSING_AUTHENTICATION_TOKEN\"}"
    );
    api.lambda.lambda.shut_down().await;
}

#[tokio::test]
async fn a_stage_serves_what_was_deployed_and_is_there_after_a_restart() {
    let mut api = api(&["GET /a variable:{}"], &[]).await;
    let resource = api
        .gateway
        .create_resource(&api.id, &api.root, "b")
        .unwrap();
    api.put_method(&resource, "GET", "proxy").await;
    assert!(api.text("GET /prod/b").await.starts_with("403"));
    let deployment = api.gateway.create_deployment(&api.id, "").unwrap();
    assert!(api.text("GET /prod/b").await.starts_with("403"));
    api.put_stage(&deployment, &[("TABLE", "posts")]);
    let event = api.event("GET /prod/b", &[], "").await;
    assert_eq!(event["stageVariables"]["TABLE"], "posts");

    let refused = api.gateway.delete_deployment(&api.id, &deployment);
    assert_eq!(
        refused.unwrap_err().message,
        "Active stages pointing to this deployment must be moved or deleted"
    );
    api.gateway = open_gateway(&api.lambda, &api.logs);
    let path = format!("GET /restapis/{}/prod/_user_request_/b", api.id);
    assert!(api.text(&path).await.starts_with("200"));
    api.gateway.delete_stage(&api.id, "prod").unwrap();
    assert!(api.text("GET /prod/b").await.starts_with("403 Forbidden"));
    api.lambda.lambda.shut_down().await;
}

#[tokio::test]
async fn a_binary_body_reaches_the_function_in_base64() {
    let api = api(&["POST /x proxy"], &["image/png"]).await;
    let png = [("content-type", "image/png; q=1")];
    let event = api.event("POST /prod/x", &png, "\u{1}hi").await;
    assert_eq!(
        (&event["body"], &event["isBase64Encoded"]),
        (&"AWhp".into(), &true.into())
    );
    let text = [("content-type", "text/plain")];
    let event = api.event("POST /prod/x", &text, "hi").await;
    assert_eq!(
        (&event["body"], &event["isBase64Encoded"]),
        (&"hi".into(), &false.into())
    );
    api.lambda.lambda.shut_down().await;
}

#[tokio::test]
async fn two_apis_with_one_stage_name_are_told_apart_by_their_ids() {
    let api = api(&["GET /a variable:{}"], &[]).await;
    let spec = RestApiSpec {
        name: "other".to_owned(),
        description: String::new(),
        binary_media_types: Vec::new(),
        described: ApiDescription::default(),
    };
    let (id, root) = api.gateway.create_rest_api(spec).unwrap();
    let other = Api {
        gateway: api.gateway.clone(),
        logs: api.logs.clone(),
        lambda: open_lambda(),
        id,
        root,
    };
    let mock = other.put_method(&other.root, "GET", "mock");
    tokio::time::timeout(Duration::from_secs(60), mock)
        .await
        .unwrap();
    other.deploy().await;
    assert!(api.text("GET /prod/a").await.starts_with("403 Forbidden"));
    let host = format!("{}.execute-api.us-east-1.localhost:3000", api.id);
    let request = Request::builder().uri("/prod/a").header("host", &host);
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let answer = api
        .gateway
        .answer(Call {
            parts,
            body: Bytes::new(),
            peer: ([127, 0, 0, 1], 5000).into(),
        })
        .await;
    assert_eq!(answer.status(), 200);
    api.lambda.lambda.shut_down().await;
}

#[tokio::test]
async fn a_stage_holds_its_limits_and_each_stage_its_own() {
    let api = api(&["OPTIONS /a mock"], &[]).await;
    let deployment = api.gateway.create_deployment(&api.id, "").unwrap();
    let stage = |name: &str, burst| StageSpec {
        name: name.to_owned(),
        deployment_id: deployment.clone(),
        variables: BTreeMap::new(),
        described: StageDescription::default(),
        throttles: vec![ThrottleSpec {
            resource_path: "/*".to_owned(),
            http_method: "*".to_owned(),
            rate_per_1000_s: 0,
            burst,
        }],
        access_log: None,
    };
    api.gateway.put_stage(&api.id, stage("one", 1)).unwrap();
    api.gateway.put_stage(&api.id, stage("two", 2)).unwrap();
    assert_eq!(api.text("OPTIONS /one/a").await, "204 - ");
    assert_eq!(
        api.text("OPTIONS /one/a").await,
        "429 TooManyRequestsException {\"message\":\"Too Many Requests\"}"
    );
    assert_eq!(api.text("OPTIONS /two/a").await, "204 - ");
    assert_eq!(api.text("OPTIONS /two/a").await, "204 - ");
    assert_eq!(api.text("OPTIONS /prod/a").await, "204 - ");
    let text = api
        .send("OPTIONS /prod/a", &[("content-type", "text/plain")], "x")
        .await;
    assert_eq!(text.status(), 415);
    assert_eq!(
        text_of(text.into_body()).await,
        "{\"message\":\"Unsupported Media Type\"}"
    );
    api.lambda.lambda.shut_down().await;
}

#[tokio::test]
async fn a_gateway_response_may_look_at_the_request_and_its_stage() {
    let api = api(&["OPTIONS /a mock"], &[]).await;
    api.gateway
        .put_gateway_response(
            &api.id,
            GatewayResponseSpec {
                response_type: "MISSING_AUTHENTICATION_TOKEN".to_owned(),
                status_code: Some(404),
                response_parameters: map(&[
                    (
                        "gatewayresponse.header.Access-Control-Allow-Origin",
                        "method.request.header.Origin",
                    ),
                    (
                        "gatewayresponse.header.X-Page",
                        "method.request.querystring.page",
                    ),
                    ("gatewayresponse.header.X-Stage", "context.stage"),
                    ("gatewayresponse.header.X-Table", "stageVariables.TABLE"),
                    ("gatewayresponse.header.X-None", "stageVariables.NONE"),
                ]),
                response_templates: BTreeMap::new(),
            },
        )
        .unwrap();
    let deployment = api.deploy().await;
    api.put_stage(&deployment, &[("TABLE", "posts")]);
    let origin = [("origin", "https://a.example")];
    let answer = api
        .send("GET /prod/none?page=1%2B&page=2%2B", &origin, "")
        .await;
    assert_eq!(answer.status(), 404);
    let header = |name| {
        let value = answer.headers().get(name);
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(
        header("access-control-allow-origin").as_deref(),
        Some("https://a.example")
    );
    assert_eq!(header("x-page").as_deref(), Some("2+"));
    assert_eq!(header("x-stage").as_deref(), Some("prod"));
    assert_eq!(header("x-table").as_deref(), Some("posts"));
    assert_eq!(header("x-none"), None);
    let unknown = api.gateway.put_gateway_response(
        &api.id,
        GatewayResponseSpec {
            response_type: "DEFAULT_6XX".to_owned(),
            status_code: None,
            response_parameters: BTreeMap::new(),
            response_templates: BTreeMap::new(),
        },
    );
    assert_eq!(
        unknown.unwrap_err().message,
        "Invalid response type: DEFAULT_6XX"
    );
    api.lambda.lambda.shut_down().await;
}
