//! What the gateway itself answers: its error bodies and codes, and the API's own gateway responses.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html>. The bodies are
//! written to the byte, with a space after the colon where AWS has one.

use ::http::header::CONTENT_TYPE;
use ::http::request::Parts;
use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::GatewayResponseSpec;
use super::context::{ContextTemplate, ErrorContext, Outcome, RequestContext};
use super::mapping::{HeaderMapping, Of, map_headers, parse_header_mappings};
use crate::error::AwsError;

/// Why a request is not answered by its function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No method of the stage is for it.
    MissingAuthenticationToken,
    /// The method wants an API key.
    Forbidden,
    /// More requests than the stage's method settings allow.
    Throttled,
    /// No template is for the content type.
    UnsupportedMediaType,
    /// A template wants the body as JSON, and it is none.
    BadBody,
    /// The event would be larger than Lambda takes.
    RequestTooLarge,
    /// The function failed, or its answer is malformed.
    BadGateway,
    /// Lambda refused to run it.
    IntegrationFailure,
    /// The integration cannot answer.
    Internal,
    /// The function took longer than the integration waits.
    Timeout,
    /// The answer says that it is base64, and is not.
    ConfigurationError,
}

/// A refusal as it is sent.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

/// Every type that a gateway response can be of, with the status that it has by itself:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html>.
pub(super) const DEFAULT_RESPONSES: [(&str, Option<u16>); 21] = [
    ("ACCESS_DENIED", Some(403)),
    ("API_CONFIGURATION_ERROR", Some(500)),
    ("AUTHORIZER_CONFIGURATION_ERROR", Some(500)),
    ("AUTHORIZER_FAILURE", Some(500)),
    ("BAD_REQUEST_BODY", Some(400)),
    ("BAD_REQUEST_PARAMETERS", Some(400)),
    ("DEFAULT_4XX", None),
    ("DEFAULT_5XX", None),
    ("EXPIRED_TOKEN", Some(403)),
    ("INTEGRATION_FAILURE", Some(504)),
    ("INTEGRATION_TIMEOUT", Some(504)),
    ("INVALID_API_KEY", Some(403)),
    ("INVALID_SIGNATURE", Some(403)),
    ("MISSING_AUTHENTICATION_TOKEN", Some(403)),
    ("QUOTA_EXCEEDED", Some(429)),
    ("REQUEST_TOO_LARGE", Some(413)),
    ("RESOURCE_NOT_FOUND", Some(404)),
    ("THROTTLED", Some(429)),
    ("UNAUTHORIZED", Some(401)),
    ("UNSUPPORTED_MEDIA_TYPE", Some(415)),
    ("WAF_FILTERED", Some(403)),
];

/// `None`: there is no such type. `Some(None)`: it has no status of its own.
#[expect(clippy::option_option, reason = "the types of a class have no status")]
pub(super) fn default_status(kind: &str) -> Option<Option<u16>> {
    let found = DEFAULT_RESPONSES.iter().find(|(known, _)| *known == kind);
    found.map(|(_, status)| *status)
}

/// An API's gateway response, read once.
#[derive(Debug, Clone)]
pub(super) struct GatewayResponse {
    response_type: String,
    status: Option<StatusCode>,
    headers: Vec<HeaderMapping>,
    /// Content type and body.
    template: Option<(HeaderValue, ContextTemplate)>,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::MissingAuthenticationToken | Self::Forbidden => StatusCode::FORBIDDEN,
            Self::BadBody => StatusCode::BAD_REQUEST,
            Self::Throttled => StatusCode::TOO_MANY_REQUESTS,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RequestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BadGateway => StatusCode::BAD_GATEWAY,
            Self::IntegrationFailure | Self::Internal | Self::ConfigurationError => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    fn response_type(self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MISSING_AUTHENTICATION_TOKEN",
            Self::Forbidden => "INVALID_API_KEY",
            Self::BadBody => "DEFAULT_4XX",
            Self::Throttled => "THROTTLED",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::RequestTooLarge => "REQUEST_TOO_LARGE",
            Self::IntegrationFailure => "INTEGRATION_FAILURE",
            Self::BadGateway | Self::Internal => "DEFAULT_5XX",
            Self::Timeout => "INTEGRATION_TIMEOUT",
            Self::ConfigurationError => "API_CONFIGURATION_ERROR",
        }
    }

    /// `x-amzn-ErrorType`.
    fn error_type(self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::Forbidden => "ForbiddenException",
            Self::Throttled => "TooManyRequestsException",
            Self::UnsupportedMediaType | Self::BadBody => "BadRequestException",
            Self::RequestTooLarge => "RequestTooLargeException",
            Self::BadGateway
            | Self::IntegrationFailure
            | Self::Internal
            | Self::Timeout
            | Self::ConfigurationError => "InternalServerErrorException",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "Missing Authentication Token",
            Self::Forbidden => "Forbidden",
            Self::RequestTooLarge => "Request Too Long",
            Self::BadBody => "Could not parse request body into json",
            Self::Throttled => "Too Many Requests",
            Self::UnsupportedMediaType => "Unsupported Media Type",
            Self::BadGateway
            | Self::IntegrationFailure
            | Self::Internal
            | Self::ConfigurationError => "Internal server error",
            Self::Timeout => "Endpoint request timed out",
        }
    }

    fn body(self) -> String {
        match self {
            Self::MissingAuthenticationToken
            | Self::Forbidden
            | Self::Throttled
            | Self::BadBody
            | Self::UnsupportedMediaType => {
                format!("{{\"message\":\"{}\"}}", self.message())
            }
            Self::RequestTooLarge
            | Self::BadGateway
            | Self::IntegrationFailure
            | Self::Internal
            | Self::Timeout
            | Self::ConfigurationError => format!("{{\"message\": \"{}\"}}", self.message()),
        }
    }

    /// The answer, with the API's own response of this type, or of its class, laid over it.
    pub(super) fn render(
        self,
        responses: &[GatewayResponse],
        request: &Parts,
        context: &RequestContext,
        outcome: &mut Outcome,
    ) -> Refused {
        let status = self.status();
        let class = if status.is_client_error() {
            "DEFAULT_4XX"
        } else {
            "DEFAULT_5XX"
        };
        let of_type = |wanted: &str| {
            responses
                .iter()
                .find(|response| response.response_type == wanted)
        };
        let response = of_type(self.response_type()).or_else(|| of_type(class));
        outcome.error = Some(ErrorContext {
            message: self.message(),
            response_type: self.response_type(),
        });
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(
            HeaderName::from_static("x-amzn-errortype"),
            HeaderValue::from_static(self.error_type()),
        );
        let mut refused = Refused {
            status,
            headers,
            body: self.body(),
        };
        if let Some(response) = response {
            response.lay_over(&mut refused, request, context, outcome);
        }
        refused
    }
}

impl GatewayResponse {
    /// Refuses what cannot be answered with here.
    pub(super) fn parse(spec: &GatewayResponseSpec) -> Result<Self, AwsError> {
        let status = spec
            .status_code
            .map(|code| {
                StatusCode::from_u16(code).map_err(|_| {
                    AwsError::bad_request(
                        "BadRequestException",
                        format!("Invalid status code: {code}"),
                    )
                })
            })
            .transpose()?;
        if default_status(&spec.response_type).is_none() {
            return Err(AwsError::bad_request(
                "BadRequestException",
                format!("Invalid response type: {}", spec.response_type),
            ));
        }
        let headers = parse_header_mappings(Of::GatewayResponse, &spec.response_parameters)?;
        let template = match spec
            .response_templates
            .get_key_value("application/json")
            .or_else(|| spec.response_templates.iter().next())
        {
            Some((content_type, template)) => Some((
                HeaderValue::from_str(content_type).map_err(|_| {
                    AwsError::bad_request(
                        "BadRequestException",
                        format!("Invalid content type specified: {content_type}"),
                    )
                })?,
                ContextTemplate::parse_body(template),
            )),
            None => None,
        };
        Ok(Self {
            response_type: spec.response_type.clone(),
            status,
            headers,
            template,
        })
    }

    fn lay_over(
        &self,
        refused: &mut Refused,
        request: &Parts,
        context: &RequestContext,
        outcome: &Outcome,
    ) {
        if let Some(status) = self.status {
            refused.status = status;
        }
        if let Some((content_type, template)) = &self.template {
            refused.body = template.render(context, outcome);
            refused.headers.insert(CONTENT_TYPE, content_type.clone());
        }
        map_headers(
            &self.headers,
            request,
            context,
            outcome,
            &mut refused.headers,
        );
    }
}
