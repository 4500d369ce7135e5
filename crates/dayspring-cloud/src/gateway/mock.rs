//! Mock integrations, as far as they are literals: what an `OPTIONS` method of CORS needs.
//!
//! The request template's `statusCode` chooses the response:
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html>.

use std::collections::BTreeMap;

use ::http::{HeaderValue, StatusCode};

use super::mapping::{HeaderMapping, Of, parse_header_mappings};
use super::{MockResponse, Passthrough};
use crate::error::AwsError;

const JSON: &str = "application/json";

/// A mock integration, read once.
#[derive(Debug)]
pub(super) struct Mock {
    /// The `statusCode` that each content type's template gives.
    statuses: BTreeMap<String, u16>,
    passthrough: Passthrough,
    responses: Vec<Response>,
}

#[derive(Debug)]
struct Response {
    pattern: Option<String>,
    status: StatusCode,
    headers: Vec<HeaderMapping>,
    content_type: HeaderValue,
    body: String,
}

/// What a mock answers with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MockAnswer<'a> {
    pub(super) status: StatusCode,
    /// Laid over the content type.
    pub(super) headers: &'a [HeaderMapping],
    pub(super) content_type: HeaderValue,
    pub(super) body: &'a str,
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoMock {
    /// No template is for the request's content type, and its body may not pass without.
    UnsupportedMediaType,
    /// No status, or no response for it: a 500.
    Unanswerable,
}

impl Mock {
    /// Refuses what is no literal.
    pub(super) fn parse(
        request_templates: &BTreeMap<String, String>,
        passthrough: Passthrough,
        responses: &[MockResponse],
    ) -> Result<Self, AwsError> {
        let mut statuses = BTreeMap::new();
        for (content_type, template) in request_templates {
            let status = parse_status(template).ok_or_else(|| {
                bad(format!(
                    "the request template of a mock integration is a literal with a `statusCode` in the local cloud, and `{content_type}` has `{template}`"
                ))
            })?;
            statuses.insert(content_type.clone(), status);
        }
        let responses = responses
            .iter()
            .map(Response::parse)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            statuses,
            passthrough,
            responses,
        })
    }

    pub(super) fn answer(
        &self,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<MockAnswer<'_>, NoMock> {
        let content_type = content_type.map_or(JSON, |value| {
            value.split(';').next().unwrap_or_default().trim()
        });
        let status = match (self.statuses.get(content_type), self.passthrough) {
            (Some(status), _) => Some(*status),
            (None, Passthrough::WhenNoMatch) => passed_status(body),
            (None, Passthrough::WhenNoTemplates) if self.statuses.is_empty() => passed_status(body),
            (None, Passthrough::WhenNoTemplates | Passthrough::Never) => {
                return Err(NoMock::UnsupportedMediaType);
            }
        };
        let code = status.ok_or(NoMock::Unanswerable)?.to_string();
        let response = self
            .responses
            .iter()
            .find(|response| response.pattern.as_deref() == Some(code.as_str()))
            .or_else(|| {
                self.responses
                    .iter()
                    .find(|response| response.pattern.is_none())
            })
            .ok_or(NoMock::Unanswerable)?;
        Ok(MockAnswer {
            status: response.status,
            headers: &response.headers,
            content_type: response.content_type.clone(),
            body: &response.body,
        })
    }
}

/// A body that reaches the mock as it is may say the status itself.
fn passed_status(body: &[u8]) -> Option<u16> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    body.get("statusCode")?.as_u64()?.try_into().ok()
}

impl Response {
    fn parse(spec: &MockResponse) -> Result<Self, AwsError> {
        let status = StatusCode::from_u16(spec.status_code)
            .map_err(|_| bad(format!("Invalid status code: {}", spec.status_code)))?;
        let headers = parse_header_mappings(Of::MockResponse, &spec.response_parameters)?;
        let (content_type, text) = spec
            .response_templates
            .get_key_value(JSON)
            .or_else(|| spec.response_templates.iter().next())
            .map_or((JSON, ""), |(content_type, text)| {
                (content_type.as_str(), text.as_str())
            });
        if text.contains(['$', '#']) {
            return Err(bad(format!(
                "the response template of a mock integration is a literal in the local cloud, and `{content_type}` has `{text}`"
            )));
        }
        let content_type = HeaderValue::from_str(content_type)
            .map_err(|_| bad(format!("Invalid content type specified: {content_type}")))?;
        Ok(Self {
            pattern: spec
                .selection_pattern
                .clone()
                .filter(|pattern| !pattern.is_empty()),
            status,
            headers,
            content_type,
            body: text.to_owned(),
        })
    }
}

/// The number after `statusCode`, quoted or not: both are written, and both work.
fn parse_status(template: &str) -> Option<u16> {
    if template.contains(['$', '#']) {
        return None;
    }
    let (_, after) = template.split_once("statusCode")?;
    let digits: String = after
        .trim_start_matches(['"', '\''])
        .trim_start()
        .strip_prefix(':')?
        .trim_start()
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

fn bad(message: String) -> AwsError {
    AwsError::bad_request("BadRequestException", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mock(template: &str, passthrough: Passthrough) -> Result<Mock, AwsError> {
        let map = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<_, _>>()
        };
        Mock::parse(
            &map(&[(JSON, template)]),
            passthrough,
            &[
                MockResponse {
                    status_code: 204,
                    selection_pattern: None,
                    response_parameters: map(&[(
                        "method.response.header.Access-Control-Allow-Methods",
                        "'GET,OPTIONS'",
                    )]),
                    response_templates: map(&[]),
                },
                MockResponse {
                    status_code: 418,
                    selection_pattern: Some("418".to_owned()),
                    response_parameters: map(&[]),
                    response_templates: map(&[(JSON, "{}")]),
                },
            ],
        )
    }

    /// Status and body, or why not.
    fn answer(mock: &Mock, content_type: Option<&str>, body: &str) -> String {
        match mock.answer(content_type, body.as_bytes()) {
            Ok(answer) => format!("{} {}", answer.status.as_u16(), answer.body),
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn the_status_of_the_template_chooses_the_response() {
        for template in [
            "{\"statusCode\":200}",
            "{ statusCode: 200 }",
            "{'statusCode' : 204}",
        ] {
            let mock = mock(template, Passthrough::Never).unwrap();
            assert_eq!(answer(&mock, None, ""), "204 ", "{template}");
        }
        let teapot = mock("{\"statusCode\":418}", Passthrough::Never).unwrap();
        let json = Some("application/json; charset=utf-8");
        assert_eq!(answer(&teapot, json, ""), "418 {}");
    }

    #[test]
    fn a_content_type_without_a_template_passes_or_is_refused() {
        let text = |passthrough, body| {
            let mock = mock("{\"statusCode\":200}", passthrough).unwrap();
            answer(&mock, Some("text/plain"), body)
        };
        assert_eq!(text(Passthrough::WhenNoMatch, "hello"), "Unanswerable");
        assert_eq!(
            text(Passthrough::WhenNoMatch, "{\"statusCode\":418}"),
            "418 {}"
        );
        assert_eq!(text(Passthrough::Never, "hello"), "UnsupportedMediaType");
        assert_eq!(
            text(Passthrough::WhenNoTemplates, "hello"),
            "UnsupportedMediaType"
        );
    }

    #[test]
    fn what_is_no_literal_is_refused() {
        let error = mock("#set($x = 1) {\"statusCode\": 200}", Passthrough::Never).unwrap_err();
        insta::assert_snapshot!(error.message, @r##"the request template of a mock integration is a literal with a `statusCode` in the local cloud, and `application/json` has `#set($x = 1) {"statusCode": 200}`"##);
    }
}
