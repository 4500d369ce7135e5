//! Which API and stage a URL is for.

/// A URL's parts, as far as they name a stage.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Location<'a> {
    /// `None`: the one API that has the stage.
    pub(super) api: Option<&'a str>,
    pub(super) stage: &'a str,
    /// What follows the stage: empty, or a path that begins with a slash.
    pub(super) rest: &'a str,
    /// The host's name when it names the API, as it does on AWS.
    pub(super) domain: Option<&'a str>,
}

/// Reads `ID.execute-api.REGION.HOST/STAGE/...`, `/restapis/ID/STAGE/_user_request_/...` and `/STAGE/...`.
pub(super) fn parse_location<'a>(host: Option<&'a str>, path: &'a str) -> Location<'a> {
    let path = path.strip_prefix('/').unwrap_or(path);
    if let Some(located) = parse_user_request(path) {
        return located;
    }
    let (stage, rest) = split_segment(path);
    let domain = host
        .map(|host| host.split_once(':').map_or(host, |(name, _)| name))
        .and_then(|name| Some((name.split_once(".execute-api.")?.0, name)));
    Location {
        api: domain.map(|(api, _)| api),
        stage,
        rest,
        domain: domain.map(|(_, name)| name),
    }
}

fn parse_user_request(path: &str) -> Option<Location<'_>> {
    let (api, rest) = split_segment(path.strip_prefix("restapis/")?);
    let (stage, rest) = split_segment(rest.strip_prefix('/')?);
    let rest = rest.strip_prefix("/_user_request_")?;
    (rest.is_empty() || rest.starts_with('/')).then_some(Location {
        api: Some(api),
        stage,
        rest,
        domain: None,
    })
}

/// The first segment, and the rest with its slash.
fn split_segment(path: &str) -> (&str, &str) {
    path.find('/')
        .map_or((path, ""), |slash| path.split_at(slash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, path: &str) -> String {
        let located = parse_location(Some(host), path);
        format!(
            "{} {} {:?}",
            located.api.unwrap_or("-"),
            located.stage,
            located.rest
        )
    }

    #[test]
    fn a_stage_is_named_in_three_forms() {
        let host = "127.0.0.1:3000";
        assert_eq!(check(host, "/prod/posts/a"), "- prod \"/posts/a\"");
        assert_eq!(check(host, "/prod"), "- prod \"\"");
        assert_eq!(check(host, "/prod/"), "- prod \"/\"");
        assert_eq!(
            check(host, "/restapis/abc/prod/_user_request_/posts"),
            "abc prod \"/posts\""
        );
        assert_eq!(
            check(host, "/restapis/abc/prod/_user_request_"),
            "abc prod \"\""
        );
        assert_eq!(
            check("abc.execute-api.us-east-1.localhost:3000", "/prod/posts"),
            "abc prod \"/posts\""
        );
    }

    #[test]
    fn a_stage_may_be_called_restapis() {
        assert_eq!(check("localhost", "/restapis/a/b"), "- restapis \"/a/b\"");
    }
}
