//! Mock integrations: a request template's `statusCode` chooses the response, whose template is the body.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html>. Templates that say the same
//! to every request, as those of CORS do, are read once, when they are deployed.

use std::collections::BTreeMap;

use ::http::{HeaderValue, StatusCode};
use regex_lite::Regex;

use super::mapping::{HeaderMapping, Of, parse_header_mappings};
use super::velocity::{Failure, Overrides, Scope, Template};
use super::{MockResponse, Passthrough};
use crate::error::AwsError;

const JSON: &str = "application/json";

/// A mock integration, read once.
#[derive(Debug)]
pub(super) struct Mock {
    /// By content type.
    requests: BTreeMap<String, Status>,
    passthrough: Passthrough,
    responses: Vec<Response>,
}

/// What a request template gives.
#[derive(Debug)]
enum Status {
    /// The same for every request; `None` where there is no `statusCode`.
    Literal(Option<u16>),
    Template(Template),
}

#[derive(Debug)]
struct Response {
    pattern: Option<Regex>,
    status: StatusCode,
    headers: Vec<HeaderMapping>,
    content_type: HeaderValue,
    body: Template,
}

/// What a mock answers with.
#[derive(Debug)]
pub(super) struct MockAnswer<'a> {
    pub(super) status: StatusCode,
    /// Laid over the content type.
    pub(super) headers: &'a [HeaderMapping],
    pub(super) content_type: HeaderValue,
    pub(super) body: String,
    /// Laid over all others.
    pub(super) overrides: Overrides,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoMock {
    /// No template is for the request's content type, and its body may not pass without.
    UnsupportedMediaType,
    /// A template wants the body as JSON, and it is none.
    Body,
    /// No status, no response for it, or a template that failed: a 500.
    Unanswerable(String),
}

impl From<Failure> for NoMock {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Body => Self::Body,
            Failure::Template(reason) => Self::Unanswerable(reason),
        }
    }
}

impl Mock {
    /// Refuses templates that cannot be had here.
    pub(super) fn parse(
        request_templates: &BTreeMap<String, String>,
        passthrough: Passthrough,
        responses: &[MockResponse],
    ) -> Result<Self, AwsError> {
        let mut requests = BTreeMap::new();
        for (content_type, text) in request_templates {
            let template = parse_template("request", content_type, text)?;
            let status = match template.literal() {
                Some(literal) => Status::Literal(status_of(literal)),
                None => Status::Template(template),
            };
            requests.insert(content_type.clone(), status);
        }
        let responses = responses
            .iter()
            .map(Response::parse)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            requests,
            passthrough,
            responses,
        })
    }

    /// `request` is what templates see of the request, its body with it.
    pub(super) fn answer(
        &self,
        content_type: Option<&str>,
        request: &Scope<'_>,
    ) -> Result<MockAnswer<'_>, NoMock> {
        let content_type = content_type.map_or(JSON, |value| {
            value.split(';').next().unwrap_or_default().trim()
        });
        let mut overrides = Overrides::default();
        let status = match (self.requests.get(content_type), self.passthrough) {
            (Some(Status::Literal(status)), _) => *status,
            (Some(Status::Template(template)), _) => {
                status_of(&template.render(request, &mut overrides)?)
            }
            (None, Passthrough::WhenNoMatch) => passed_status(request.body),
            (None, Passthrough::WhenNoTemplates) if self.requests.is_empty() => {
                passed_status(request.body)
            }
            (None, Passthrough::WhenNoTemplates | Passthrough::Never) => {
                return Err(NoMock::UnsupportedMediaType);
            }
        };
        let unanswerable = |reason: &str| NoMock::Unanswerable(reason.to_owned());
        let code = status.ok_or_else(|| {
            unanswerable("Unable to parse statusCode. It should be an integer that is defined in the request template.")
        })?;
        let response = self.response(&code.to_string()).ok_or_else(|| {
            unanswerable("No match for output mapping and no default output mapping configured.")
        })?;
        // A mock has no answer of its own for the response's template to look at.
        let answered = Scope {
            body: "",
            ..*request
        };
        let body = response.body.render(&answered, &mut overrides)?;
        let status = match overrides.status() {
            Some(status) => status.parse().map_err(|_| {
                unanswerable("`$context.responseOverride.status` is no status code")
            })?,
            None => response.status,
        };
        Ok(MockAnswer {
            status,
            headers: &response.headers,
            content_type: response.content_type.clone(),
            body,
            overrides,
        })
    }

    /// The first whose pattern the whole status matches, else the one without a pattern.
    fn response(&self, code: &str) -> Option<&Response> {
        let mut responses = self.responses.iter();
        responses
            .find(|response| {
                response
                    .pattern
                    .as_ref()
                    .is_some_and(|pattern| pattern.is_match(code))
            })
            .or_else(|| {
                self.responses
                    .iter()
                    .find(|response| response.pattern.is_none())
            })
    }
}

/// A body that reaches the mock as it is may say the status itself.
fn passed_status(body: &str) -> Option<u16> {
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
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
        let body = parse_template("response", content_type, text)?;
        let content_type = HeaderValue::from_str(content_type)
            .map_err(|_| bad(format!("Invalid content type specified: {content_type}")))?;
        let pattern = spec
            .selection_pattern
            .as_deref()
            .filter(|pattern| !pattern.is_empty());
        let pattern = pattern.map(|pattern| {
            Regex::new(&format!("^(?:{pattern})$")).map_err(|_| {
                bad(format!(
                    "this cloud cannot read the selection pattern `{pattern}`"
                ))
            })
        });
        Ok(Self {
            pattern: pattern.transpose()?,
            status,
            headers,
            content_type,
            body,
        })
    }
}

fn parse_template(of: &str, content_type: &str, text: &str) -> Result<Template, AwsError> {
    Template::parse(text).map_err(|reason| {
        bad(format!("Invalid mapping template specified: the {of} template of a mock integration for `{content_type}`: {reason}"))
    })
}

/// The number after `statusCode`, quoted or not: both are written, and both work.
fn status_of(text: &str) -> Option<u16> {
    let (_, after) = text.split_once("statusCode")?;
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
    use super::super::velocity::Parameters;
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
        let scope = Scope {
            body,
            parameters: &Parameters::default,
            context: &|_| None,
            stage_variables: &BTreeMap::new(),
        };
        match mock.answer(content_type, &scope) {
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
        assert_eq!(
            text(Passthrough::WhenNoMatch, "hello"),
            "Unanswerable(\"Unable to parse statusCode. It should be an integer that is defined in the request template.\")"
        );
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
    fn the_whole_status_is_held_against_a_pattern() {
        let teapots = |pattern: &str| {
            let response = |selection_pattern: Option<&str>, status_code| MockResponse {
                status_code,
                selection_pattern: selection_pattern.map(str::to_owned),
                response_parameters: BTreeMap::new(),
                response_templates: BTreeMap::new(),
            };
            let template = BTreeMap::from([(JSON.to_owned(), "{\"statusCode\":418}".to_owned())]);
            let responses = [response(None, 200), response(Some(pattern), 418)];
            let mock = Mock::parse(&template, Passthrough::Never, &responses).unwrap();
            answer(&mock, None, "")
        };
        assert_eq!(teapots("4\\d{2}"), "418 ");
        assert_eq!(teapots("404|418"), "418 ");
        assert_eq!(teapots("4"), "200 ");
    }

    #[test]
    fn what_is_no_template_here_is_refused_with_its_place() {
        let error = mock(
            "{\n  #macro(x) #end \"statusCode\": 200}",
            Passthrough::Never,
        )
        .unwrap_err();
        insta::assert_snapshot!(error.message, @"Invalid mapping template specified: the request template of a mock integration for `application/json`: this cloud does not have the directive `#macro` of Velocity (line 2, column 3)");
    }
}
