//! Mapping expressions: what a response's header is made from.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/request-response-data-mappings.html>. A gateway response
//! may look at the request (`method.request.header.Origin`), an integration's response only at what the gateway knows.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ::http::header::TRANSFER_ENCODING;
use ::http::request::Parts;
use ::http::{HeaderMap, HeaderName, HeaderValue};

use super::context::{Outcome, RequestContext};
use super::event::decode;
use crate::error::AwsError;

/// A header and what it is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeaderMapping {
    name: HeaderName,
    source: Source,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Literal(HeaderValue),
    RequestHeader(String),
    RequestQuery(String),
    RequestPath(String),
    Context(String),
    StageVariable(String),
    /// A header of an integration that has none: a mock's.
    Nothing,
}

/// Who maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    GatewayResponse,
    MockResponse,
}

impl Of {
    fn prefix(self) -> &'static str {
        match self {
            Self::GatewayResponse => "gatewayresponse.header.",
            Self::MockResponse => "method.response.header.",
        }
    }
}

/// A mapped header of these names reaches the client as `x-amzn-Remapped-NAME`. Recorded against AWS by LocalStack's tests
/// (`test_apigateway_header_remapping_aws`).
const REMAPPED: [&str; 14] = [
    "authorization",
    "connection",
    "content-length",
    "content-md5",
    "date",
    "expect",
    "host",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "trailer",
    "upgrade",
    "user-agent",
    "www-authenticate",
];

/// The name under which an integration's header reaches the client; `None`: not at all.
pub(super) fn outgoing_name(name: &HeaderName) -> Option<HeaderName> {
    if name == TRANSFER_ENCODING {
        return None;
    }
    if REMAPPED.contains(&name.as_str()) {
        return HeaderName::try_from(format!("x-amzn-remapped-{name}")).ok();
    }
    Some(name.clone())
}

/// From a resource's `ResponseParameters`.
pub(super) fn parse_header_mappings(
    of: Of,
    parameters: &BTreeMap<String, String>,
) -> Result<Vec<HeaderMapping>, AwsError> {
    parameters
        .iter()
        .map(|(parameter, expression)| {
            let bad = || {
                AwsError::bad_request(
                    "BadRequestException",
                    format!("Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: {expression}] (parameter {parameter})"),
                )
            };
            let name = parameter
                .strip_prefix(of.prefix())
                .and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok())
                .ok_or_else(bad)?;
            let source = Source::parse(of, expression).ok_or_else(bad)?;
            let name = match of {
                Of::GatewayResponse => Some(name),
                Of::MockResponse => outgoing_name(&name),
            };
            Ok(name.map(|name| HeaderMapping { name, source }))
        })
        .filter_map(Result::transpose)
        .collect()
}

/// Lays headers over what is there.
pub(super) fn map_headers(
    mappings: &[HeaderMapping],
    request: &Parts,
    context: &RequestContext,
    outcome: &Outcome,
    headers: &mut HeaderMap,
) {
    for mapping in mappings {
        if let Some(value) = mapping.source.value(request, context, outcome) {
            headers.insert(mapping.name.clone(), value);
        }
    }
}

impl Source {
    fn parse(of: Of, expression: &str) -> Option<Self> {
        let literal = expression
            .strip_prefix('\'')
            .and_then(|expression| expression.strip_suffix('\''));
        if let Some(literal) = literal {
            return HeaderValue::from_str(literal).ok().map(Self::Literal);
        }
        let (source, name) = [
            "method.request.header.",
            "method.request.querystring.",
            "method.request.path.",
            "context.",
            "stageVariables.",
            "integration.response.header.",
        ]
        .iter()
        .find_map(|source| Some((*source, expression.strip_prefix(source)?.to_owned())))
        .filter(|(_, name)| !name.is_empty())?;
        match (source, of) {
            ("method.request.header.", Of::GatewayResponse) => Some(Self::RequestHeader(name)),
            ("method.request.querystring.", Of::GatewayResponse) => Some(Self::RequestQuery(name)),
            ("method.request.path.", Of::GatewayResponse) => Some(Self::RequestPath(name)),
            ("context.", _) => Some(Self::Context(name)),
            ("stageVariables.", _) => Some(Self::StageVariable(name)),
            ("integration.response.header.", Of::MockResponse) => Some(Self::Nothing),
            _ => None,
        }
    }

    /// `None`: there is no such thing in this request, and no header of it.
    fn value(
        &self,
        request: &Parts,
        context: &RequestContext,
        outcome: &Outcome,
    ) -> Option<HeaderValue> {
        let text = |text: &str| HeaderValue::from_str(text).ok();
        match self {
            Self::Literal(value) => Some(value.clone()),
            Self::RequestHeader(name) => request.headers.get(name.as_str()).cloned(),
            Self::RequestQuery(name) => query_value(request, name).and_then(|value| text(&value)),
            Self::RequestPath(name) => {
                let matched = context
                    .stage
                    .routes
                    .find(&context.method, context.path_in_stage())?;
                let mut parameters = matched.parameters.iter();
                let found = parameters.find(|(known, _)| known == name);
                found.and_then(|(_, value)| text(value))
            }
            Self::Context(name) => context
                .variable(name, outcome)
                .and_then(|value| text(&value)),
            Self::StageVariable(name) => context
                .stage
                .variables
                .get(name)
                .and_then(|value| text(value)),
            Self::Nothing => None,
        }
    }
}

/// The last value of this name.
fn query_value<'a>(request: &'a Parts, name: &str) -> Option<Cow<'a, str>> {
    let query = request.uri.query().unwrap_or_default();
    query
        .rsplit('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(known, _)| decode(known) == name)
        .map(|(_, value)| decode(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(of: Of, expression: &str) -> Result<Vec<HeaderMapping>, AwsError> {
        let name = format!("{}Access-Control-Allow-Origin", of.prefix());
        parse_header_mappings(of, &BTreeMap::from([(name, expression.to_owned())]))
    }

    #[test]
    fn a_header_is_made_from_a_literal_or_from_the_request() {
        let source = |of, expression| parse(of, expression).unwrap().remove(0).source;
        assert_eq!(
            source(Of::MockResponse, "'*'"),
            Source::Literal(HeaderValue::from_static("*"))
        );
        assert_eq!(
            source(Of::GatewayResponse, "method.request.header.Origin"),
            Source::RequestHeader("Origin".to_owned())
        );
        assert_eq!(
            source(Of::MockResponse, "context.requestId"),
            Source::Context("requestId".to_owned())
        );
    }

    #[test]
    fn any_other_expression_is_refused() {
        let error = parse(Of::MockResponse, "method.request.header.Origin").unwrap_err();
        insta::assert_snapshot!(error.message, @"Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: method.request.header.Origin] (parameter method.response.header.Access-Control-Allow-Origin)");
        for expression in [
            "*",
            "'",
            "context.",
            "integration.response.header.X",
            "$context.path",
        ] {
            assert!(
                parse(Of::GatewayResponse, expression).is_err(),
                "{expression}"
            );
        }
    }
}
