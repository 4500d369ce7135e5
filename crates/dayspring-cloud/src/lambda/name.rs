//! How a function is named in a request: by name, by ARN, or by a part of one.

use crate::error::AwsError;

/// The name in `NAME`, `ACCOUNT:function:NAME`, `function:NAME` or a whole ARN, each with or without `:QUALIFIER`. Only the
/// newest version is kept here, so that a qualifier other than `$LATEST` names nothing.
pub(super) fn parse_function_name<'a>(
    text: &'a str,
    qualifier: Option<&'a str>,
) -> Result<&'a str, AwsError> {
    let rest = match text.rsplit_once("function:") {
        Some((before, rest)) if before.is_empty() || before.ends_with(':') => rest,
        _ => text,
    };
    let (name, in_name) = match rest.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier)),
        None => (rest, None),
    };
    match in_name.or(qualifier) {
        None | Some("$LATEST") => Ok(name),
        Some(other) => Err(not_found(&format!("{name}:{other}"))),
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
    }
}
