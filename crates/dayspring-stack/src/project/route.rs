//! Routes: a method of a path and the function that answers it.

use std::fmt;
use std::str::FromStr;

use crate::error::{Invalid, listed};
use crate::nearest::nearest;
use crate::project::names::FunctionName;

/// A method that a route can have. `Any` stands for all that the path does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are HTTP's own")]
pub enum HttpMethod {
    Any,
    Delete,
    Get,
    Head,
    Options,
    Patch,
    Post,
    Put,
}

impl HttpMethod {
    const ALL: [Self; 8] = [
        Self::Get,
        Self::Post,
        Self::Put,
        Self::Patch,
        Self::Delete,
        Self::Head,
        Self::Options,
        Self::Any,
    ];

    /// `GET`, and `ANY` for all methods.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "ANY",
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

impl fmt::Display for HttpMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for HttpMethod {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|method| method.as_str() == text)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::as_str);
                Invalid {
                    expected: listed(&names.map(str::to_owned), "or"),
                    nearest: nearest(text, names).map(str::to_owned),
                }
            })
    }
}

/// One part of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// `posts`
    Literal(String),
    /// `{slug}`
    Parameter(String),
    /// `{rest+}`: this part and all that follow.
    Greedy(String),
}

impl Segment {
    /// The part as API Gateway spells it.
    #[must_use]
    pub fn path_part(&self) -> String {
        match self {
            Self::Literal(text) => text.clone(),
            Self::Parameter(name) => format!("{{{name}}}"),
            Self::Greedy(name) => format!("{{{name}+}}"),
        }
    }
}

/// The path of a route without a slash at its beginning: `posts/{slug}`. The root's is empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoutePath(Vec<Segment>);

impl RoutePath {
    /// The parts, from the root on.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The path without its last part; none for the root.
    pub(crate) fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, rest)| Self(rest.to_vec()))
    }
}

impl fmt::Display for RoutePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(Segment::path_part).collect();
        formatter.write_str(&parts.join("/"))
    }
}

impl FromStr for RoutePath {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let inner = text.strip_prefix('/').unwrap_or(text);
        if inner.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let segments = inner
            .split('/')
            .map(parse_segment)
            .collect::<Result<Vec<Segment>, Invalid>>()?;
        if segments
            .iter()
            .rev()
            .skip(1)
            .any(|segment| matches!(segment, Segment::Greedy(_)))
        {
            return Err(Invalid::expected("`{name+}` at the end of a path only"));
        }
        let mut names: Vec<&String> = segments
            .iter()
            .filter_map(|segment| match segment {
                Segment::Parameter(name) | Segment::Greedy(name) => Some(name),
                Segment::Literal(_) => None,
            })
            .collect();
        names.sort();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Invalid::expected(
                "parameters with different names in one path",
            ));
        }
        Ok(Self(segments))
    }
}

/// API Gateway's rule for a path part: `a-zA-Z0-9._-:` or a parameter in braces
/// (<https://docs.aws.amazon.com/apigateway/latest/api/API_CreateResource.html>, from memory).
fn parse_segment(text: &str) -> Result<Segment, Invalid> {
    let invalid = || {
        Invalid::expected(
            "parts of letters, digits and `.`, `_`, `-`, `:` or `{name}`, with one slash between them",
        )
    };
    let literal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte);
    let Some(inner) = text.strip_prefix('{') else {
        let valid = !text.is_empty() && text.bytes().all(literal);
        return if valid {
            Ok(Segment::Literal(text.to_owned()))
        } else {
            Err(invalid())
        };
    };
    let inner = inner.strip_suffix('}').ok_or_else(invalid)?;
    let (name, greedy) = inner
        .strip_suffix('+')
        .map_or((inner, false), |name| (name, true));
    if name.is_empty()
        || !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    {
        return Err(invalid());
    }
    Ok(if greedy {
        Segment::Greedy(name.to_owned())
    } else {
        Segment::Parameter(name.to_owned())
    })
}

/// A method of a path and the function that answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: HttpMethod,
    /// The path.
    pub path: RoutePath,
    /// The function.
    pub function: FunctionName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(text.parse::<RoutePath>().unwrap().to_string(), shown);
    }

    #[test]
    fn a_path_may_begin_with_a_slash_and_the_root_is_empty() {
        check("posts/{slug}/comments", "posts/{slug}/comments");
        check("/posts", "posts");
        check("files/{path+}", "files/{path+}");
        check("/", "");
        check("", "");
    }

    #[test]
    fn what_api_gateway_would_refuse_is_refused() {
        for wrong in [
            "posts/", "//posts", "a//b", "{}", "{+}", "{a", "a}", "a{b}", "{a+}/b", "a b",
            "{a}/{a}", "ä", "a?b",
        ] {
            assert!(wrong.parse::<RoutePath>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_wrong_method_names_the_nearest() {
        let invalid = "get".parse::<HttpMethod>().unwrap_err();
        assert_eq!(invalid.nearest.as_deref(), Some("GET"));
        assert_eq!(
            "GTE".parse::<HttpMethod>().unwrap_err().nearest.as_deref(),
            Some("GET")
        );
        assert_eq!("FETCH".parse::<HttpMethod>().unwrap_err().nearest, None);
    }
}
