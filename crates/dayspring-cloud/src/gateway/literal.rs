//! Mapping expressions that are quoted literals: `method.response.header.X` to `'value'`.

use std::collections::BTreeMap;

use ::http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::AwsError;

/// What the local cloud says about any other expression.
pub(super) const HEADER_LITERAL: &str =
    "Invalid mapping expression specified: the local cloud takes a literal in single quotes";

/// Headers from parameters whose names begin with `prefix`.
pub(super) fn parse_header_literals(
    prefix: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<HeaderMap, AwsError> {
    let mut headers = HeaderMap::new();
    for (parameter, expression) in parameters {
        let bad = || {
            AwsError::bad_request(
                "BadRequestException",
                format!("{HEADER_LITERAL}, and `{parameter}` has `{expression}`"),
            )
        };
        let name = parameter
            .strip_prefix(prefix)
            .and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok())
            .ok_or_else(bad)?;
        let value = expression
            .strip_prefix('\'')
            .and_then(|expression| expression.strip_suffix('\''))
            .and_then(|literal| HeaderValue::from_str(literal).ok())
            .ok_or_else(bad)?;
        headers.append(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_becomes_a_header_and_anything_else_is_refused() {
        let parameters = |expression: &str| {
            BTreeMap::from([(
                "method.response.header.Access-Control-Allow-Origin".to_owned(),
                expression.to_owned(),
            )])
        };
        let headers = parse_header_literals("method.response.header.", &parameters("'*'")).unwrap();
        assert_eq!(headers["access-control-allow-origin"], "*");
        let error = parse_header_literals(
            "method.response.header.",
            &parameters("integration.response.header.x"),
        );
        insta::assert_snapshot!(error.unwrap_err().message, @"Invalid mapping expression specified: the local cloud takes a literal in single quotes, and `method.response.header.Access-Control-Allow-Origin` has `integration.response.header.x`");
    }
}
