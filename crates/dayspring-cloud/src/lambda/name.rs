//! How a function is named in a request: by name, by ARN, or by a part of one.

use crate::error::AwsError;

/// The version that changes.
pub(super) const LATEST: &str = "$LATEST";

/// A function, and which of its versions: `$LATEST`, a number or an alias. Nothing means `$LATEST` too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    pub(super) qualifier: Option<&'a str>,
}

/// What is named by `NAME`, `ACCOUNT:function:NAME`, `function:NAME` or a whole ARN, each with or without `:QUALIFIER`, and
/// by the request's own qualifier.
pub(super) fn parse_named<'a>(
    text: &'a str,
    qualifier: Option<&'a str>,
) -> Result<Named<'a>, AwsError> {
    let rest = match text.rsplit_once("function:") {
        Some((before, rest)) if before.is_empty() || before.ends_with(':') => rest,
        _ => text,
    };
    let (name, in_name) = match rest.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier)),
        None => (rest, None),
    };
    if let (Some(one), Some(other)) = (in_name, qualifier)
        && one != other
    {
        return Err(AwsError::bad_request(
            "InvalidParameterValueException",
            "The derived qualifier from the function name does not match the specified qualifier.",
        ));
    }
    Ok(Named {
        name,
        qualifier: in_name.or(qualifier),
    })
}

/// The name, where the request is for the version that changes.
pub(super) fn parse_function_name<'a>(
    text: &'a str,
    qualifier: Option<&'a str>,
) -> Result<&'a str, AwsError> {
    let named = parse_named(text, qualifier)?;
    match named.qualifier {
        None | Some(LATEST) => Ok(named.name),
        Some(other) => Err(not_found(&format!("{}:{other}", named.name))),
    }
}

/// `what` as AWS shows it: an ARN, with the qualifier where the operation has one.
pub(super) fn not_found(what: &str) -> AwsError {
    AwsError::new(
        ::http::StatusCode::NOT_FOUND,
        "ResourceNotFoundException",
        format!("Function not found: {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_in_every_form_of_aws() {
        for text in [
            "get_posts",
            "get_posts:$LATEST",
            "function:get_posts",
            "000000000000:function:get_posts",
            "arn:aws:lambda:us-east-1:000000000000:function:get_posts",
            "arn:aws:lambda:us-east-1:000000000000:function:get_posts:$LATEST",
        ] {
            assert_eq!(parse_function_name(text, None), Ok("get_posts"), "{text}");
        }
        assert_eq!(
            parse_function_name("get_posts", Some("7"))
                .unwrap_err()
                .message,
            "Function not found: get_posts:7"
        );
        let alias = Named {
            name: "get_posts",
            qualifier: Some("live"),
        };
        assert_eq!(parse_named("get_posts", Some("live")), Ok(alias));
        assert_eq!(
            parse_named("000000000000:function:get_posts:live", None),
            Ok(alias)
        );
        assert!(parse_named("get_posts:7", Some("8")).is_err());
    }
}
