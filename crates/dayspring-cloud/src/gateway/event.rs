//! The event of a Lambda proxy integration, format 1.0:
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>.
//!
//! What is empty is `null`, never missing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::context::RequestContext;

/// What API Gateway keeps to itself: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>,
/// and recorded against it by LocalStack's tests.
const NOT_PASSED_ON: [&str; 12] = [
    "connection",
    "content-length",
    "content-md5",
    "expect",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
];

/// These reach the function spelled so, however they were sent. Recorded in the same place.
const SPELLED: [&str; 3] = ["Authorization", "Host", "User-Agent"];

/// These are the gateway's own.
const FORWARDED: [&str; 3] = ["x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id"];

/// Names with their values, in the order of their first appearance.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Values<'a>(Vec<(Cow<'a, str>, OneOrMore<'a>)>);

/// Nearly every name has one value, which then needs no list.
#[derive(Debug, PartialEq, Eq)]
enum OneOrMore<'a> {
    One(Cow<'a, str>),
    More(Vec<Cow<'a, str>>),
}

impl<'a> OneOrMore<'a> {
    fn push(&mut self, value: Cow<'a, str>) {
        match self {
            Self::One(first) => *self = Self::More(vec![std::mem::take(first), value]),
            Self::More(values) => values.push(value),
        }
    }

    fn all(&self) -> &[Cow<'a, str>] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::More(values) => values,
        }
    }
}

/// What the address of the request adds to its headers.
#[derive(Debug)]
pub(super) struct Forwarded<'a> {
    pub(super) source_ip: String,
    pub(super) port: &'a str,
    pub(super) trace_id: &'a str,
}

/// The parts of a request from which its event is made.
#[derive(Debug)]
pub(super) struct EventParts<'a> {
    /// Without the stage.
    pub(super) path: &'a str,
    pub(super) headers: &'a Values<'a>,
    pub(super) query: &'a Values<'a>,
    pub(super) path_parameters: &'a [(&'a str, Cow<'a, str>)],
    pub(super) body: &'a [u8],
    /// The body's content type is one of the API's `binaryMediaTypes`.
    pub(super) is_binary: bool,
}

/// An event of a browser's request has about this many bytes without its body.
const EVENT_BYTES_USUAL: usize = 2048;

/// The event as JSON.
pub(super) fn render_event(
    context: &RequestContext,
    parts: &EventParts<'_>,
) -> Result<Vec<u8>, serde_json::Error> {
    let (resource_id, resource_path) = context
        .resource
        .as_ref()
        .map_or(("", ""), |(id, path)| (id.as_str(), path.as_str()));
    let body = match parts.body {
        [] => None,
        body if parts.is_binary => Some(Cow::Owned(STANDARD.encode(body))),
        body => Some(String::from_utf8_lossy(body)),
    };
    let mut event = Vec::with_capacity(EVENT_BYTES_USUAL + parts.body.len());
    let rendered = Event {
        resource: resource_path,
        path: parts.path,
        http_method: &context.method,
        headers: parts.headers.last(),
        multi_value_headers: parts.headers.all(),
        query_string_parameters: parts.query.last(),
        multi_value_query_string_parameters: parts.query.all(),
        path_parameters: (!parts.path_parameters.is_empty())
            .then_some(Pairs(parts.path_parameters)),
        stage_variables: (!context.stage.variables.is_empty()).then_some(&context.stage.variables),
        request_context: Context {
            resource_id,
            resource_path,
            http_method: &context.method,
            extended_request_id: &context.extended_request_id,
            request_time: context.request_time(),
            path: &context.path,
            account_id: &context.stage.account_id,
            protocol: context.protocol,
            stage: &context.stage.name,
            domain_prefix: context.domain_prefix(),
            request_time_epoch: context.unix_millis,
            request_id: &context.request_id,
            identity: Identity {
                source_ip: context.source_ip.to_string(),
                user_agent: context.user_agent.as_deref(),
                ..Identity::default()
            },
            domain_name: &context.domain,
            deployment_id: &context.stage.deployment_id,
            api_id: &context.stage.api_id,
        },
        is_base64_encoded: parts.is_binary && body.is_some(),
        body,
    };
    serde_json::to_writer(&mut event, &rendered)?;
    Ok(event)
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    resource: &'a str,
    path: &'a str,
    http_method: &'a str,
    headers: Option<Last<'a>>,
    multi_value_headers: Option<All<'a>>,
    query_string_parameters: Option<Last<'a>>,
    multi_value_query_string_parameters: Option<All<'a>>,
    path_parameters: Option<Pairs<'a>>,
    stage_variables: Option<&'a BTreeMap<String, String>>,
    request_context: Context<'a>,
    body: Option<Cow<'a, str>>,
    is_base64_encoded: bool,
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    resource_id: &'a str,
    resource_path: &'a str,
    http_method: &'a str,
    extended_request_id: &'a str,
    request_time: String,
    path: &'a str,
    account_id: &'a str,
    protocol: &'a str,
    stage: &'a str,
    domain_prefix: &'a str,
    request_time_epoch: u64,
    request_id: &'a str,
    identity: Identity<'a>,
    domain_name: &'a str,
    deployment_id: &'a str,
    api_id: &'a str,
}

#[derive(Debug, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    cognito_identity_pool_id: Option<&'a str>,
    account_id: Option<&'a str>,
    cognito_identity_id: Option<&'a str>,
    caller: Option<&'a str>,
    source_ip: String,
    principal_org_id: Option<&'a str>,
    access_key: Option<&'a str>,
    cognito_authentication_type: Option<&'a str>,
    cognito_authentication_provider: Option<&'a str>,
    user_arn: Option<&'a str>,
    user_agent: Option<&'a str>,
    user: Option<&'a str>,
}

impl<'a> Values<'a> {
    /// The headers that the function sees, in the order and with the names of the client.
    pub(super) fn from_headers(
        headers: impl Iterator<Item = (&'a str, &'a HeaderValue)>,
        forwarded: &'a Forwarded<'_>,
    ) -> Self {
        let is_in =
            |list: &[&str], name: &str| list.iter().any(|one| one.eq_ignore_ascii_case(name));
        let mut values = Self(Vec::with_capacity(16));
        let mut hops = String::new();
        for (name, value) in headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            if name.eq_ignore_ascii_case("x-forwarded-for") {
                hops.push_str(&value);
                hops.push_str(", ");
            } else if !is_in(&NOT_PASSED_ON, name) && !is_in(&FORWARDED, name) {
                let spelled = SPELLED.iter().find(|one| one.eq_ignore_ascii_case(name));
                values.push(Cow::Borrowed(spelled.map_or(name, |one| one)), value);
            }
        }
        hops.push_str(&forwarded.source_ip);
        for (name, value) in [
            ("X-Amzn-Trace-Id", Cow::Borrowed(forwarded.trace_id)),
            ("X-Forwarded-For", Cow::Owned(hops)),
            ("X-Forwarded-Port", Cow::Borrowed(forwarded.port)),
            ("X-Forwarded-Proto", Cow::Borrowed("http")),
        ] {
            values.0.push((Cow::Borrowed(name), OneOrMore::One(value)));
        }
        values
    }

    /// A name that is there already keeps its spelling.
    fn push(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) {
        let mut known = self.0.iter_mut();
        match known.find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            Some((_, values)) => values.push(value),
            None => self.0.push((name, OneOrMore::One(value))),
        }
    }

    /// A query, decoded: `+` is a space, and `;` separates like `&`.
    pub(super) fn from_query(query: &'a str) -> Self {
        let mut values = Self::default();
        for pair in query.split(['&', ';']).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name), decode(value));
            match values.0.iter_mut().find(|(known, _)| *known == name) {
                Some((_, all)) => all.push(value),
                None => values.0.push((name, OneOrMore::One(value))),
            }
        }
        values
    }

    /// The last value of each name.
    pub(super) fn to_pairs(&self) -> Vec<(String, String)> {
        let last = |values: &OneOrMore<'_>| {
            values
                .all()
                .last()
                .map_or_else(String::new, |value| value.to_string())
        };
        self.0
            .iter()
            .map(|(name, values)| (name.to_string(), last(values)))
            .collect()
    }

    fn last(&self) -> Option<Last<'_>> {
        (!self.0.is_empty()).then_some(Last(&self.0))
    }

    fn all(&self) -> Option<All<'_>> {
        (!self.0.is_empty()).then_some(All(&self.0))
    }
}

type Entries<'a> = [(Cow<'a, str>, OneOrMore<'a>)];

/// The last value of each name.
#[derive(Debug)]
struct Last<'a>(&'a Entries<'a>);

impl Serialize for Last<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, values) in self.0 {
            map.serialize_entry(name, &values.all().last())?;
        }
        map.end()
    }
}

/// Every value of each name.
#[derive(Debug)]
struct All<'a>(&'a Entries<'a>);

impl Serialize for All<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, values)| (name, values.all())))
    }
}

#[derive(Debug)]
struct Pairs<'a>(&'a [(&'a str, Cow<'a, str>)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Percent-decoding with `+` as a space; what is no sequence stays as it is.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (*first, tail) {
            (b'%', [high, low, after @ ..]) => match (hex_digit(*high), hex_digit(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high * 16 + low);
                    rest = after;
                }
                _ => bytes.push(b'%'),
            },
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(byte),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> String {
        let values = Values::from_query(text);
        format!(
            "{} {}",
            serde_json::to_string(&values.last()).unwrap(),
            serde_json::to_string(&values.all()).unwrap()
        )
    }

    #[test]
    fn the_last_value_of_a_query_wins_in_the_single_map() {
        assert_eq!(query("x=1&x=2"), r#"{"x":"2"} {"x":["1","2"]}"#);
        assert_eq!(query(""), "null null");
    }

    #[test]
    fn a_query_is_decoded() {
        assert_eq!(
            query("a%20b=c+d%2B&e;f=%zz%C3%A9"),
            "{\"a b\":\"c d+\",\"e\":\"\",\"f\":\"%zzé\"} {\"a b\":[\"c d+\"],\"e\":[\"\"],\"f\":[\"%zzé\"]}"
        );
    }

    #[test]
    fn headers_are_passed_on_as_they_were_sent_but_for_those_of_the_connection() {
        let headers = [
            ("hOST", "localhost:3000"),
            ("aUThorization", "a"),
            ("accept", "text/html"),
            ("Accept", "*/*"),
            ("Connection", "keep-alive"),
            ("content-length", "2"),
            ("x-forwarded-for", "10.0.0.1"),
            ("X-Forwarded-Proto", "gopher"),
            ("X-aPi-key", "k"),
        ]
        .map(|(name, value)| (name, HeaderValue::from_static(value)));
        let forwarded = Forwarded {
            source_ip: "127.0.0.1".to_owned(),
            port: "3000",
            trace_id: "Root=1-0-0",
        };
        let values = Values::from_headers(
            headers.iter().map(|(name, value)| (*name, value)),
            &forwarded,
        );
        insta::assert_snapshot!(serde_json::to_string(&values.last()).unwrap(), @r#"{"Host":"localhost:3000","Authorization":"a","accept":"*/*","X-aPi-key":"k","X-Amzn-Trace-Id":"Root=1-0-0","X-Forwarded-For":"10.0.0.1, 127.0.0.1","X-Forwarded-Port":"3000","X-Forwarded-Proto":"http"}"#);
        insta::assert_snapshot!(serde_json::to_string(&values.all()).unwrap(), @r#"{"Host":["localhost:3000"],"Authorization":["a"],"accept":["text/html","*/*"],"X-aPi-key":["k"],"X-Amzn-Trace-Id":["Root=1-0-0"],"X-Forwarded-For":["10.0.0.1, 127.0.0.1"],"X-Forwarded-Port":["3000"],"X-Forwarded-Proto":["http"]}"#);
    }
}
