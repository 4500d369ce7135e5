//! What a function answered, as an HTTP response: the output format of a Lambda proxy integration.
//!
//! Any subset of five keys; any other key, and anything of another type, is malformed: recorded against AWS.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};

/// These reach the client under another name.
const REMAPPED: [&str; 5] = [
    "connection",
    "content-length",
    "date",
    "server",
    "www-authenticate",
];

/// These do not reach it: they are the connection's own.
const DROPPED: [&str; 4] = ["te", "trailer", "transfer-encoding", "upgrade"];

/// A function's answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ProxyAnswer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// How the function wrote the headers' names, which is how its client sees them.
    pub(super) names: Vec<String>,
}

/// Why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// Not of the format; the text says where.
    Malformed(String),
    /// `isBase64Encoded`, and the body is not.
    NotBase64,
}

/// Reads a function's output. `decodes` says whether this client accepts one of the API's binary media types.
pub(super) fn parse_answer(payload: &[u8], decodes: bool) -> Result<ProxyAnswer, NoAnswer> {
    let malformed = |message: String| NoAnswer::Malformed(message);
    if payload.trim_ascii_start().first() != Some(&b'{') {
        return Err(malformed("it is not an object".to_owned()));
    }
    let output: Output<'_> =
        serde_json::from_slice(payload).map_err(|error| malformed(error.to_string()))?;
    let status = output
        .status_code
        .map_or(Ok(StatusCode::OK), |Status(code)| {
            StatusCode::from_u16(code)
                .ok()
                .filter(|status| !status.is_informational())
                .ok_or_else(|| malformed(format!("`{code}` is no status code")))
        })?;
    // With room for the gateway's own.
    let mut headers = HeaderMap::with_capacity(8);
    let mut names = Vec::new();
    for (name, values) in output.multi_value_headers.into_iter().flatten() {
        for Text(value) in values {
            append(&mut headers, &name, &value)?;
        }
        names.push(name);
    }
    let multi_value: Vec<HeaderName> = headers.keys().cloned().collect();
    for (name, Text(value)) in output.headers.into_iter().flatten() {
        let known = HeaderName::from_bytes(outgoing_name(&name).as_bytes())
            .is_ok_and(|name| multi_value.contains(&name));
        if !known {
            append(&mut headers, &name, &value)?;
            names.push(name);
        }
    }
    headers
        .entry(CONTENT_TYPE)
        .or_insert(HeaderValue::from_static("application/json"));
    let body = output.body.unwrap_or_default();
    let body = if output.is_base64_encoded.unwrap_or(false) && decodes {
        STANDARD
            .decode(body.as_bytes())
            .map_err(|_| NoAnswer::NotBase64)?
            .into()
    } else {
        Bytes::from(body.into_owned())
    };
    Ok(ProxyAnswer {
        status,
        headers,
        body,
        names,
    })
}

fn append(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), NoAnswer> {
    if DROPPED
        .iter()
        .any(|dropped| name.eq_ignore_ascii_case(dropped))
    {
        return Ok(());
    }
    let bad = || NoAnswer::Malformed(format!("`{name}: {value}` is no header"));
    let name = HeaderName::from_bytes(outgoing_name(name).as_bytes()).map_err(|_| bad())?;
    let value = HeaderValue::from_str(value).map_err(|_| bad())?;
    headers.append(name, value);
    Ok(())
}

fn outgoing_name(name: &str) -> Cow<'_, str> {
    if REMAPPED
        .iter()
        .any(|remapped| name.eq_ignore_ascii_case(remapped))
    {
        Cow::Owned(format!("x-amzn-remapped-{name}"))
    } else {
        Cow::Borrowed(name)
    }
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Output<'a> {
    #[serde(default)]
    status_code: Option<Status>,
    #[serde(default)]
    headers: Option<BTreeMap<String, Text>>,
    #[serde(default)]
    multi_value_headers: Option<BTreeMap<String, Vec<Text>>>,
    #[serde(default, borrow)]
    body: Option<Cow<'a, str>>,
    #[serde(default)]
    is_base64_encoded: Option<bool>,
}

/// A whole number, or a text that is one.
#[derive(Debug)]
struct Status(u16);

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StatusVisitor;
        impl Visitor<'_> for StatusVisitor {
            type Value = Status;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a status code")
            }

            fn visit_u64<E: serde::de::Error>(self, code: u64) -> Result<Status, E> {
                u16::try_from(code)
                    .map(Status)
                    .map_err(|_| E::custom(format_args!("`{code}` is no status code")))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Status, E> {
                text.parse()
                    .map(Status)
                    .map_err(|_| E::custom(format_args!("`{text}` is no status code")))
            }
        }
        deserializer.deserialize_any(StatusVisitor)
    }
}

/// A header's value: a text, `true` or `false`.
#[derive(Debug)]
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl Visitor<'_> for TextVisitor {
            type Value = Text;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a header value")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }

            fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Text, E> {
                Ok(Text(text))
            }

            fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }
        }
        deserializer
            .deserialize_any(TextVisitor)
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `STATUS name: value; ... | body`, or why not.
    fn answer(payload: &str, decodes: bool) -> String {
        match parse_answer(payload.as_bytes(), decodes) {
            Ok(answer) => {
                let headers: Vec<String> = answer
                    .headers
                    .iter()
                    .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
                    .collect();
                format!(
                    "{} {} | {}",
                    answer.status.as_u16(),
                    headers.join("; "),
                    String::from_utf8(answer.body.to_vec()).unwrap()
                )
            }
            Err(NoAnswer::Malformed(reason)) => format!("malformed: {reason}"),
            Err(NoAnswer::NotBase64) => "not base64".to_owned(),
        }
    }

    #[test]
    fn any_subset_of_the_keys_is_an_answer() {
        for (payload, expected) in [
            ("{}", "200 content-type: application/json | "),
            (
                r#"{"statusCode":"201","body":"x"}"#,
                "201 content-type: application/json | x",
            ),
            (
                r#"{"statusCode":204,"headers":null,"multiValueHeaders":null,"body":null,"isBase64Encoded":null}"#,
                "204 content-type: application/json | ",
            ),
            (
                r#"{"headers":{"Content-Type":"text/plain","X-On":true}}"#,
                "200 content-type: text/plain; x-on: true | ",
            ),
        ] {
            assert_eq!(answer(payload, false), expected, "{payload}");
        }
    }

    #[test]
    fn what_is_malformed_is_named() {
        let answers = [
            "null",
            "[200]",
            "\"x\"",
            r#"{"statusCode":200,"cookies":[]}"#,
            r#"{"statusCode":"two"}"#,
            r#"{"statusCode":20}"#,
            r#"{"statusCode":100}"#,
            r#"{"body":{"a":1}}"#,
            r#"{"headers":{"X-Count":1}}"#,
            r#"{"headers":{"a b":"c"}}"#,
        ]
        .map(|payload| answer(payload, false));
        insta::assert_snapshot!(answers.join("\n"), @r"
        malformed: it is not an object
        malformed: it is not an object
        malformed: it is not an object
        malformed: unknown field `cookies`, expected one of `statusCode`, `headers`, `multiValueHeaders`, `body`, `isBase64Encoded` at line 1 column 27
        malformed: `two` is no status code at line 1 column 19
        malformed: `20` is no status code
        malformed: `100` is no status code
        malformed: invalid type: map, expected a string at line 1 column 8
        malformed: invalid type: integer `1`, expected a header value at line 1 column 23
        malformed: `a b: c` is no header
        ");
    }

    #[test]
    fn many_values_win_over_one_and_some_names_are_the_gateways_own() {
        assert_eq!(
            answer(
                r#"{"headers":{"x-a":"single","Date":"d","Transfer-Encoding":"chunked"},"multiValueHeaders":{"X-A":["1","2"]}}"#,
                false
            ),
            "200 x-a: 1; x-a: 2; x-amzn-remapped-date: d; content-type: application/json | "
        );
    }

    #[test]
    fn base64_is_decoded_for_a_client_that_accepts_binary() {
        let payload = r#"{"body":"aGk=","isBase64Encoded":true}"#;
        assert!(answer(payload, true).ends_with("| hi"));
        assert!(answer(payload, false).ends_with("| aGk="));
        assert_eq!(
            answer(r#"{"body":"?","isBase64Encoded":true}"#, true),
            "not base64"
        );
    }
}
