//! Mock integrations, as far as they are literals: what an `OPTIONS` method of CORS needs.
//!
//! The request template's `statusCode` chooses the response:
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html>.

use std::collections::BTreeMap;

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderValue, StatusCode};

use super::MockResponse;
use super::literal::parse_header_literals;
use crate::error::AwsError;

const JSON: &str = "application/json";

/// A mock integration, read once.
#[derive(Debug)]
pub(super) struct Mock {
    /// The `statusCode` that each content type's template gives.
    statuses: BTreeMap<String, u16>,
    responses: Vec<Response>,
}

#[derive(Debug)]
struct Response {
    pattern: Option<String>,
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

/// What a mock answers with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MockAnswer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Mock {
    /// Refuses what is no literal.
    pub(super) fn parse(
        request_templates: &BTreeMap<String, String>,
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
            responses,
        })
    }

    /// `None`: the integration cannot answer, which is a 500.
    pub(super) fn answer(&self, content_type: Option<&str>) -> Option<MockAnswer> {
        let content_type = content_type.map_or(JSON, |value| {
            value.split(';').next().unwrap_or_default().trim()
        });
        let code = self.statuses.get(content_type)?.to_string();
        let response = self
            .responses
            .iter()
            .find(|response| response.pattern.as_deref() == Some(code.as_str()))
            .or_else(|| {
                self.responses
                    .iter()
                    .find(|response| response.pattern.is_none())
            })?;
        Some(MockAnswer {
            status: response.status,
            headers: response.headers.clone(),
            body: response.body.clone(),
        })
    }
}

impl Response {
    fn parse(spec: &MockResponse) -> Result<Self, AwsError> {
        let status = StatusCode::from_u16(spec.status_code)
            .map_err(|_| bad(format!("Invalid status code: {}", spec.status_code)))?;
        let mut headers =
            parse_header_literals("method.response.header.", &spec.response_parameters)?;
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
        headers.entry(CONTENT_TYPE).or_insert(content_type);
        Ok(Self {
            pattern: spec
                .selection_pattern
                .clone()
                .filter(|pattern| !pattern.is_empty()),
            status,
            headers,
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

    fn mock(template: &str) -> Result<Mock, AwsError> {
        let map = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<_, _>>()
        };
        Mock::parse(
            &map(&[(JSON, template)]),
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

    #[test]
    fn the_status_of_the_template_chooses_the_response() {
        for template in [
            "{\"statusCode\":200}",
            "{ statusCode: 200 }",
            "{'statusCode' : 204}",
        ] {
            let answer = mock(template).unwrap().answer(None).unwrap();
            assert_eq!(answer.status, 204, "{template}");
            assert_eq!(
                answer.headers["access-control-allow-methods"],
                "GET,OPTIONS"
            );
        }
        let teapot = mock("{\"statusCode\":418}")
            .unwrap()
            .answer(Some("application/json; charset=utf-8"));
        assert_eq!(
            teapot.map(|answer| (answer.status.as_u16(), answer.body)),
            Some((418, "{}".to_owned()))
        );
    }

    #[test]
    fn a_content_type_without_a_template_cannot_be_answered() {
        assert_eq!(
            mock("{\"statusCode\":200}")
                .unwrap()
                .answer(Some("text/plain")),
            None
        );
    }

    #[test]
    fn what_is_no_literal_is_refused() {
        let error = mock("#set($x = 1) {\"statusCode\": 200}").unwrap_err();
        insta::assert_snapshot!(error.message, @r##"the request template of a mock integration is a literal with a `statusCode` in the local cloud, and `application/json` has `#set($x = 1) {"statusCode": 200}`"##);
    }
}
