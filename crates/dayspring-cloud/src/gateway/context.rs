//! What is known about a request: the `$context` variables.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html>

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::stage::Stage;
use crate::lambda::date::Utc;

/// See the module.
#[derive(Debug)]
pub(super) struct RequestContext {
    pub(super) stage: Arc<Stage>,
    pub(super) request_id: String,
    pub(super) extended_request_id: String,
    pub(super) trace_id: String,
    pub(super) unix_millis: u64,
    pub(super) method: String,
    /// With the stage.
    pub(super) path: String,
    pub(super) protocol: &'static str,
    pub(super) domain: String,
    pub(super) source_ip: IpAddr,
    pub(super) user_agent: Option<String>,
    /// Id and path of the resource, where one answers.
    pub(super) resource: Option<(String, String)>,
}

/// What became of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) status: u16,
    pub(super) response_bytes: usize,
    pub(super) latency: Duration,
    pub(super) integration_latency: Option<Duration>,
    /// What Lambda answered with.
    pub(super) integration_status: Option<u16>,
    /// What the function's code, or a mock, answered with.
    pub(super) function_status: Option<u16>,
    /// The id of the invocation.
    pub(super) integration_request_id: Option<String>,
    /// Why the integration has no answer.
    pub(super) integration_error: Option<String>,
    pub(super) error: Option<ErrorContext>,
}

/// `$context.error`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ErrorContext {
    pub(super) message: &'static str,
    pub(super) response_type: &'static str,
}

impl RequestContext {
    pub(super) fn domain_prefix(&self) -> &str {
        self.domain
            .split_once('.')
            .map_or(self.domain.as_str(), |(prefix, _)| prefix)
    }

    /// Without the stage.
    pub(super) fn path_in_stage(&self) -> &str {
        let path = self.path.strip_prefix('/').unwrap_or(&self.path);
        path.find('/')
            .and_then(|slash| path.get(slash..))
            .unwrap_or("/")
    }

    pub(super) fn request_time(&self) -> String {
        Utc::from_unix_millis(self.unix_millis).common_log()
    }

    /// The value of `$context.NAME`, or `None` where it has none.
    pub(super) fn variable<'a>(&'a self, name: &str, outcome: &'a Outcome) -> Option<Cow<'a, str>> {
        let owned = |text: String| Some(Cow::Owned(text));
        let status = |status: Option<u16>| status.map(|status| Cow::Owned(status.to_string()));
        let millis = |latency: Duration| Some(Cow::Owned(latency.as_millis().to_string()));
        let error = |part: fn(&ErrorContext) -> String| {
            outcome.error.as_ref().map(|error| Cow::Owned(part(error)))
        };
        match name {
            "accountId" => borrowed(&self.stage.account_id),
            "apiId" => borrowed(&self.stage.api_id),
            "deploymentId" => borrowed(&self.stage.deployment_id),
            "stage" => borrowed(&self.stage.name),
            "domainName" => borrowed(&self.domain),
            "domainPrefix" => borrowed(self.domain_prefix()),
            "requestId" => borrowed(&self.request_id),
            "extendedRequestId" => borrowed(&self.extended_request_id),
            "xrayTraceId" => borrowed(&self.trace_id),
            "httpMethod" => borrowed(&self.method),
            "path" => borrowed(&self.path),
            "protocol" => borrowed(self.protocol),
            "requestTime" => owned(self.request_time()),
            "requestTimeEpoch" => owned(self.unix_millis.to_string()),
            "resourceId" => self.resource.as_ref().and_then(|(id, _)| borrowed(id)),
            "resourcePath" => self.resource.as_ref().and_then(|(_, path)| borrowed(path)),
            "identity.sourceIp" => owned(self.source_ip.to_string()),
            "identity.userAgent" => self.user_agent.as_deref().and_then(borrowed),
            "status" => owned(outcome.status.to_string()),
            "responseLength" => owned(outcome.response_bytes.to_string()),
            "responseLatency" => millis(outcome.latency),
            "integrationLatency" | "integration.latency" => {
                outcome.integration_latency.and_then(millis)
            }
            "integrationStatus" | "integration.integrationStatus" => {
                status(outcome.integration_status)
            }
            "integration.status" => status(outcome.function_status),
            "integration.requestId" | "awsEndpointRequestId" => {
                outcome.integration_request_id.as_deref().and_then(borrowed)
            }
            "integration.error" | "integrationErrorMessage" => {
                outcome.integration_error.as_deref().and_then(borrowed)
            }
            "endpointType" => borrowed("REGIONAL"),
            "error.message" => error(|error| error.message.to_owned()),
            "error.messageString" => error(|error| format!("\"{}\"", error.message)),
            "error.responseType" => error(|error| error.response_type.to_owned()),
            _ => None,
        }
    }
}

/// These are for access logs alone.
const LOGGED_ONLY: [&str; 12] = [
    "awsEndpointRequestId",
    "endpointType",
    "integration.error",
    "integration.integrationStatus",
    "integration.latency",
    "integration.requestId",
    "integration.status",
    "integrationErrorMessage",
    "integrationLatency",
    "integrationStatus",
    "responseLatency",
    "responseLength",
];

impl RequestContext {
    /// The value of `$context.NAME` in a mapping template.
    pub(super) fn template_variable(&self, name: &str) -> Option<String> {
        if name == "status" || LOGGED_ONLY.contains(&name) {
            return None;
        }
        self.variable(name, &Outcome::default())
            .map(Cow::into_owned)
    }
}

fn borrowed(text: &str) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(text))
}

/// A text with `$context.NAME` in it: an access log's format. In a gateway response's body, which is no Velocity either,
/// `$stageVariables.NAME` too:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-gateway-response-using-the-console.html>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ContextTemplate {
    pieces: Vec<Piece>,
}

/// What a variable begins with, and what it is.
type Sign = (&'static str, fn(String) -> Piece);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(String),
    StageVariable(String),
}

impl ContextTemplate {
    /// An access log's format.
    pub(super) fn parse(text: &str) -> Self {
        Self::parse_signs(text, &[("$context.", Piece::Variable)])
    }

    /// A gateway response's body.
    pub(super) fn parse_body(text: &str) -> Self {
        let signs: [Sign; 2] = [
            ("$context.", Piece::Variable),
            ("$stageVariables.", Piece::StageVariable),
        ];
        Self::parse_signs(text, &signs)
    }

    fn parse_signs(text: &str, signs: &[Sign]) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        let first = |rest: &str| {
            let found = signs
                .iter()
                .filter_map(|sign| Some((rest.find(sign.0)?, *sign)));
            found.min_by_key(|(start, _)| *start)
        };
        while let Some((start, (sign, piece))) = first(rest) {
            let (before, found) = rest.split_at(start);
            let name = found.get(sign.len()..).unwrap_or_default();
            let end = name
                .find(|character: char| {
                    !(character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-'))
                })
                .unwrap_or(name.len());
            // A full stop at the end belongs to the sentence.
            let variable = name.get(..end).unwrap_or_default().trim_end_matches('.');
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(piece(variable.to_owned()));
            rest = name.get(variable.len()..).unwrap_or_default();
        }
        pieces.push(Piece::Text(rest.to_owned()));
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        Self { pieces }
    }

    /// A variable without a value is a hyphen, as in AWS's logs.
    pub(super) fn render(&self, context: &RequestContext, outcome: &Outcome) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Variable(name) => {
                    text.push_str(context.variable(name, outcome).as_deref().unwrap_or("-"));
                }
                Piece::StageVariable(name) => {
                    let value = context.stage.variables.get(name);
                    text.push_str(value.map_or("", String::as_str));
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_taken_apart_at_its_variables() {
        let variable = |name: &str| Piece::Variable(name.to_owned());
        let text = |text: &str| Piece::Text(text.to_owned());
        assert_eq!(
            ContextTemplate::parse(r#"{"ip":"$context.identity.sourceIp","s":$context.status}."#)
                .pieces,
            [
                text(r#"{"ip":""#),
                variable("identity.sourceIp"),
                text(r#"","s":"#),
                variable("status"),
                text("}."),
            ]
        );
        assert_eq!(
            ContextTemplate::parse("$context.path. $stage").pieces,
            [variable("path"), text(". $stage")]
        );
    }
}
