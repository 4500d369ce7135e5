//! API Gateway's event to a request, and a response to what API Gateway takes.

use lambda_http::aws_lambda_events::apigw::ApiGatewayProxyResponse;
use lambda_http::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, HeaderMap, HeaderValue, VARY,
};
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::{Body, Context, Request, RequestExt};

use crate::Response;

/// The request that a handler sees. Its path is that of the resource (`/posts`), whatever the stage is called:
/// lambda_http puts the stage before it, so the stage is kept from it and given back to the request's context.
pub(crate) fn request(event: LambdaRequest, context: &Context) -> Request {
    let (event, stage) = match event {
        LambdaRequest::ApiGatewayV1(mut event) => {
            let stage = event.request_context.stage.take();
            (LambdaRequest::ApiGatewayV1(event), stage)
        }
        other => (other, None),
    };
    let mut request: Request = event.into();
    if let Some(RequestContext::ApiGatewayV1(context)) = request.extensions_mut().get_mut() {
        context.stage = stage;
    }
    request.with_lambda_context(context.clone())
}

/// What browsers are told about reading answers from another origin, as the template has configured it. `OPTIONS` is
/// answered by API Gateway itself; this is for the answers of functions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cors {
    origin: Option<HeaderValue>,
    credentials: bool,
}

impl Cors {
    /// From `DAYSPRING_CORS_ORIGIN` (no header without it) and `DAYSPRING_CORS_CREDENTIALS` (`true`, or not).
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            origin: variable("DAYSPRING_CORS_ORIGIN")
                .and_then(|origin| HeaderValue::try_from(origin).ok()),
            credentials: variable("DAYSPRING_CORS_CREDENTIALS").as_deref() == Some("true"),
        }
    }

    /// Adds the headers, unless the handler has set an origin of its own.
    fn add_to(&self, headers: &mut HeaderMap) {
        let Some(origin) = &self.origin else {
            return;
        };
        if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if origin != "*" {
            // A shared cache must not give one origin's answer to another.
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        if self.credentials {
            headers.insert(
                ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
        }
    }
}

/// The answer to API Gateway. Every answer, errors included, carries the CORS headers that make it readable in a
/// browser. The headers go out as lists, because the single form loses all but one `set-cookie`.
pub(crate) fn answer(response: Response, cors: &Cors) -> ApiGatewayProxyResponse {
    let (parts, body) = response.into_parts();
    let mut answer = ApiGatewayProxyResponse::default();
    answer.status_code = i64::from(parts.status.as_u16());
    answer.multi_value_headers = parts.headers;
    cors.add_to(&mut answer.multi_value_headers);
    answer.is_base64_encoded = matches!(body, Body::Binary(_));
    answer.body = match body {
        Body::Empty => None,
        body => Some(body),
    };
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{answer as answers, request as requests};

    const EVENT: &str = r#"{
        "resource": "/posts/{slug}", "path": "/posts/a%20b", "httpMethod": "GET",
        "headers": {"Host": "id.execute-api.eu-central-1.amazonaws.com", "Accept": "*/*"},
        "multiValueHeaders": {"Host": ["id.execute-api.eu-central-1.amazonaws.com"], "Accept": ["*/*"]},
        "queryStringParameters": {"limit": "2"}, "multiValueQueryStringParameters": {"limit": ["2"]},
        "pathParameters": {"slug": "a%20b"}, "stageVariables": null,
        "requestContext": {"accountId": "123456789012", "apiId": "id", "httpMethod": "GET", "identity": {},
            "path": "/prod/posts/a%20b", "requestId": "r", "resourceId": "x", "resourcePath": "/posts/{slug}", "stage": "prod"},
        "body": null, "isBase64Encoded": false}"#;

    fn cors(environment: &[(&str, &str)]) -> Cors {
        Cors::read(|name| {
            let (_, value) = environment.iter().find(|(other, _)| *other == name)?;
            Some((*value).to_owned())
        })
    }

    #[test]
    fn a_handler_sees_the_path_without_the_stage_and_its_parameters() {
        let event: LambdaRequest = serde_json::from_str(EVENT).unwrap();
        let request = request(event, &Context::default());
        assert_eq!(request.uri().path(), "/posts/a%20b");
        assert_eq!(requests::path(&request, "slug"), Ok("a b".to_owned()));
        assert_eq!(requests::query::<u8>(&request, "limit"), Ok(Some(2)));
        assert_eq!(requests::public_path(&request), "/prod/posts/a%20b");
        let Some(RequestContext::ApiGatewayV1(context)) = request.request_context_ref() else {
            panic!("the context is lost");
        };
        assert_eq!(context.stage.as_deref(), Some("prod"));
    }

    #[test]
    fn an_answer_is_exactly_what_a_rest_api_takes() {
        let response = answers::ok(&serde_json::json!({"a": 1})).unwrap();
        let answer = answer(response, &cors(&[("DAYSPRING_CORS_ORIGIN", "*")]));
        insta::assert_snapshot!(
            serde_json::to_string(&answer).unwrap(),
            @r#"{"statusCode":200,"headers":{},"multiValueHeaders":{"content-type":["application/json"],"access-control-allow-origin":["*"]},"body":"{\"a\":1}","isBase64Encoded":false}"#
        );
    }

    #[test]
    fn the_origin_is_the_handlers_own_or_the_templates() {
        let mut response = answers::no_content();
        let template = cors(&[
            ("DAYSPRING_CORS_ORIGIN", "https://blog.example"),
            ("DAYSPRING_CORS_CREDENTIALS", "true"),
        ]);
        let found = answer(response.clone(), &template);
        assert_eq!(
            found.multi_value_headers["access-control-allow-origin"],
            "https://blog.example"
        );
        assert_eq!(
            found.multi_value_headers["access-control-allow-credentials"],
            "true"
        );
        assert_eq!(found.multi_value_headers["vary"], "origin");
        assert_eq!(found.body, None);
        assert!(
            answer(response.clone(), &cors(&[]))
                .multi_value_headers
                .is_empty()
        );
        response.headers_mut().insert(
            ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("https://own.example"),
        );
        let found = answer(response, &template);
        assert_eq!(
            found.multi_value_headers["access-control-allow-origin"],
            "https://own.example"
        );
        assert_eq!(found.multi_value_headers.len(), 1);
    }

    #[test]
    fn a_new_things_location_is_under_the_path_that_the_caller_used() {
        let event: LambdaRequest =
            serde_json::from_str(&EVENT.replace("/posts/a%20b", "/posts")).unwrap();
        let request = request(event, &Context::default());
        let response = answers::created(&request, "ü", &()).unwrap();
        assert_eq!(response.headers()["location"], "/prod/posts/%C3%BC");
    }
}
