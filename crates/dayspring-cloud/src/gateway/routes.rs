//! Which resource and method a request is for.
//!
//! The match is on the pair: a literal segment is better than `{name}`, that is better than `{name+}`, segment by segment
//! from the left; and when the better resource lacks the method, the request falls through to a less specific one that has
//! it. On one resource an explicit method is better than `ANY`. Measured on AWS by others (the routing cases of floci's
//! pull request 3399 and ministack's 1423).

use std::borrow::Cow;
use std::cmp::Ordering;

/// `ANY` stands for these: <https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-method-settings.html>.
const ANY: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// The resources of a stage, the most specific first.
#[derive(Debug)]
pub(super) struct Routes<T> {
    routes: Vec<Route<T>>,
}

#[derive(Debug)]
struct Route<T> {
    segments: Vec<Segment>,
    /// By method, `ANY` last.
    methods: Vec<(String, T)>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(String),
    Parameter(String),
    Greedy(String),
}

/// A request's target.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Matched<'a, T> {
    pub(super) target: &'a T,
    /// Names and values as they were sent: nothing is decoded.
    pub(super) parameters: Vec<(&'a str, Cow<'a, str>)>,
}

impl<T> Routes<T> {
    /// From resource paths (`/posts/{slug}`), methods and targets.
    pub(super) fn new(resources: impl IntoIterator<Item = (String, Vec<(String, T)>)>) -> Self {
        let mut routes: Vec<Route<T>> = resources
            .into_iter()
            .map(|(path, mut methods)| {
                methods.sort_by_key(|(method, _)| method == "ANY");
                Route {
                    segments: segments(&path).map(Segment::parse).collect(),
                    methods,
                }
            })
            .collect();
        routes.sort_by(|one, other| by_specificity(&one.segments, &other.segments));
        Self { routes }
    }

    /// `path` has no stage. Slashes at its end and doubled ones count for nothing.
    pub(super) fn find<'a>(&'a self, method: &str, path: &'a str) -> Option<Matched<'a, T>> {
        let sent: Vec<&str> = segments(path).collect();
        self.routes.iter().find_map(|route| {
            let parameters = route.parameters(&sent)?;
            let (_, target) = route
                .methods
                .iter()
                .find(|(name, _)| name == method || (name == "ANY" && ANY.contains(&method)))?;
            Some(Matched { target, parameters })
        })
    }
}

impl<T> Route<T> {
    fn parameters<'a>(&'a self, sent: &[&'a str]) -> Option<Vec<(&'a str, Cow<'a, str>)>> {
        let mut parameters = Vec::new();
        for (index, segment) in self.segments.iter().enumerate() {
            let value = *sent.get(index)?;
            match segment {
                Segment::Literal(literal) if literal == value => {}
                Segment::Literal(_) => return None,
                Segment::Parameter(name) => parameters.push((name.as_str(), Cow::Borrowed(value))),
                Segment::Greedy(name) => {
                    let rest = sent.get(index..)?.join("/");
                    parameters.push((name.as_str(), Cow::Owned(rest)));
                    return Some(parameters);
                }
            }
        }
        (sent.len() == self.segments.len()).then_some(parameters)
    }
}

impl Segment {
    fn parse(text: &str) -> Self {
        match text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
        {
            None => Self::Literal(text.to_owned()),
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Self::Greedy(name.to_owned()),
                None => Self::Parameter(name.to_owned()),
            },
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Literal(_) => 0,
            Self::Parameter(_) => 1,
            Self::Greedy(_) => 2,
        }
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

fn by_specificity(one: &[Segment], other: &[Segment]) -> Ordering {
    let ranks = |segments: &[Segment]| segments.iter().map(Segment::rank).collect::<Vec<_>>();
    // The paths themselves only make the order the same on every run.
    ranks(one).cmp(&ranks(other)).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The route that answers and its parameters, of `METHODS PATH` lines.
    #[track_caller]
    fn check(table: &[&str], request: &str, expected: &str) {
        let routes = Routes::new(table.iter().map(|line| {
            let (methods, path) = line.split_once(' ').unwrap();
            let methods = methods
                .split(',')
                .map(|method| (method.to_owned(), format!("{method} {path}")))
                .collect();
            (path.to_owned(), methods)
        }));
        let (method, path) = request.split_once(' ').unwrap();
        let found = routes.find(method, path).map_or_else(
            || "403".to_owned(),
            |matched| {
                let mut text = matched.target.clone();
                for (name, value) in matched.parameters {
                    text = format!("{text} {name}={value}");
                }
                text
            },
        );
        assert_eq!(found, expected, "{request}");
    }

    #[test]
    fn a_literal_is_better_than_a_parameter_and_that_than_a_greedy_one() {
        let table = ["GET /a/{x}", "GET /a/b", "GET /{proxy+}", "GET /a/{proxy+}"];
        check(&table, "GET /a/b", "GET /a/b");
        check(&table, "GET /a/c", "GET /a/{x} x=c");
        check(&table, "GET /a/c/d", "GET /a/{proxy+} proxy=c/d");
        check(&table, "GET /b/c/d", "GET /{proxy+} proxy=b/c/d");
    }

    #[test]
    fn a_resource_without_the_method_is_passed_by() {
        let table = ["GET /posts", "ANY /{proxy+}", "POST /posts/{slug}"];
        check(&table, "POST /posts", "ANY /{proxy+} proxy=posts");
        check(&table, "GET /posts/x", "ANY /{proxy+} proxy=posts/x");
        check(&["GET /posts"], "POST /posts", "403");
    }

    #[test]
    fn an_explicit_method_is_better_than_any_and_head_is_not_get() {
        check(&["ANY,GET /x"], "GET /x", "GET /x");
        check(&["ANY,GET /x"], "HEAD /x", "ANY /x");
        check(&["GET /x"], "HEAD /x", "403");
        check(&["ANY /x"], "TRACE /x", "403");
    }

    #[test]
    fn slashes_at_the_end_and_doubled_ones_count_for_nothing() {
        check(&["GET /a/{x}"], "GET /a/b/", "GET /a/{x} x=b");
        check(&["GET /a/{x}"], "GET //a//b", "GET /a/{x} x=b");
    }

    #[test]
    fn a_greedy_path_does_not_match_the_root() {
        check(&["GET /{proxy+}"], "GET /", "403");
        check(&["GET /", "GET /{proxy+}"], "GET /", "GET /");
    }

    #[test]
    fn nothing_is_decoded() {
        check(&["GET /a/{x}"], "GET /a/b%2Fc%2B", "GET /a/{x} x=b%2Fc%2B");
    }
}
