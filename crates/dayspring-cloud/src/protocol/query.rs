//! The query protocol (CloudFormation, STS): a form in, XML out.

use crate::error::AwsError;
use crate::http::{self, Answer, Call};
use crate::protocol::xml::Xml;

/// The input of an operation, or of a structure within it: names with dots, such as `Parameters.member.1.ParameterKey`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads the body, and the query string before it (the protocol allows both).
    pub(crate) fn parse(call: &Call) -> Self {
        let mut fields = http::form_fields(call.parts.uri.query().unwrap_or_default());
        fields.extend(http::form_fields(&String::from_utf8_lossy(&call.body)));
        Self { fields }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value, or the error that AWS answers a missing parameter with.
    pub(crate) fn require(&self, name: &str) -> Result<&str, AwsError> {
        self.get(name).ok_or_else(|| {
            AwsError::validation(
                "ValidationError",
                format!(
                    "Value null at '{}' failed to satisfy constraint: Member must not be null",
                    lower_first(name)
                ),
            )
        })
    }

    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The texts of a list, in the order of their numbers.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        self.structures(name)
            .into_iter()
            .filter_map(|member| member.get("").map(str::to_owned))
            .collect()
    }

    /// The structures of a list, in the order of their numbers.
    pub(crate) fn structures(&self, name: &str) -> Vec<Self> {
        let prefix = format!("{name}.member.");
        let mut members = std::collections::BTreeMap::<u32, Self>::new();
        for (field, value) in &self.fields {
            let Some(rest) = field.strip_prefix(&prefix) else {
                continue;
            };
            let (number, field) = rest.split_once('.').unwrap_or((rest, ""));
            if let Ok(number) = number.parse() {
                members
                    .entry(number)
                    .or_default()
                    .fields
                    .push((field.to_owned(), value.clone()));
            }
        }
        members.into_values().collect()
    }
}

/// A service of the query protocol.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Service {
    pub(crate) namespace: &'static str,
}

impl Service {
    /// `<ActionResponse><ActionResult>...</ActionResult><ResponseMetadata>...`.
    pub(crate) fn answer(
        self,
        action: &str,
        request_id: &str,
        result: impl FnOnce(&mut Xml),
    ) -> Answer {
        let body = Xml::root(&format!("{action}Response"), self.namespace, |xml| {
            xml.nest(&format!("{action}Result"), result);
            xml.nest("ResponseMetadata", |xml| xml.text("RequestId", request_id));
        });
        http::answer(::http::StatusCode::OK, "text/xml", body)
    }

    /// `<ErrorResponse><Error>...`.
    pub(crate) fn error(self, error: &AwsError, request_id: &str) -> Answer {
        let fault = if error.status.is_server_error() {
            "Receiver"
        } else {
            "Sender"
        };
        let body = Xml::root("ErrorResponse", self.namespace, |xml| {
            xml.nest("Error", |xml| {
                xml.text("Type", fault);
                xml.text("Code", &error.kind);
                xml.text("Message", &error.message);
            });
            xml.text("RequestId", request_id);
        });
        http::answer(error.status, "text/xml", body)
    }
}

/// What AWS says of an action that a service does not have.
pub(crate) fn unknown_action(action: &str) -> AwsError {
    AwsError::bad_request(
        "InvalidAction",
        format!("Could not find operation {action}: this cloud does not have it"),
    )
}

fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(characters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Form {
        Form {
            fields: http::form_fields(text),
        }
    }

    #[test]
    fn lists_are_read_in_the_order_of_their_numbers() {
        let form = form(
            "Action=X&Capabilities.member.10=c&Capabilities.member.2=b+b&Capabilities.member.1=a%26\
             &Parameters.member.1.ParameterKey=K&Parameters.member.1.ParameterValue=",
        );
        assert_eq!(form.list("Capabilities"), ["a&", "b b", "c"]);
        let parameters = form.structures("Parameters");
        assert_eq!(parameters.len(), 1);
        assert_eq!(parameters[0].get("ParameterKey"), Some("K"));
        assert_eq!(parameters[0].get("ParameterValue"), Some(""));
    }

    #[test]
    fn an_error_names_type_code_message_and_request() {
        let service = Service {
            namespace: "urn:test",
        };
        let answer = service.error(
            &AwsError::bad_request("ValidationError", "no <stack>"),
            "r-1",
        );
        assert_eq!(answer.status(), 400);
        insta::assert_snapshot!(crate::http::text_of(answer), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <ErrorResponse xmlns="urn:test"><Error><Type>Sender</Type><Code>ValidationError</Code><Message>no &lt;stack&gt;</Message></Error><RequestId>r-1</RequestId></ErrorResponse>
        "#);
    }
}
