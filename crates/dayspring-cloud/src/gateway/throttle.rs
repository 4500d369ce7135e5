//! Throttling: a token bucket for each method of a stage, as its method settings say.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html>. The account's own
//! limit is not held here.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};

/// A limit of a stage's method settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ThrottleSpec {
    /// `/*`, or a path with `~1` for each slash but the first.
    pub(crate) resource_path: String,
    /// `*`, or a method.
    pub(crate) http_method: String,
    /// Requests in a thousand seconds: AWS takes fractions of a request per second.
    pub(crate) rate_per_1000_s: u64,
    pub(crate) burst: u32,
}

impl ThrottleSpec {
    fn is_for(&self, path: &str, method: &str) -> bool {
        let of_path = self.resource_path == "/*" || unescape(&self.resource_path) == path;
        of_path && (self.http_method == "*" || self.http_method == method)
    }

    /// A setting that names more is the better one.
    fn rank(&self) -> (bool, bool) {
        (self.resource_path != "/*", self.http_method != "*")
    }
}

/// `/~1posts~1{slug}` is `/posts/{slug}`.
fn unescape(path: &str) -> String {
    path.strip_prefix("/~1")
        .map_or_else(|| path.to_owned(), |path| format!("/{path}"))
        .replace("~1", "/")
}

/// See the module.
#[derive(Debug)]
pub(super) struct Throttle {
    rate_per_s: f64,
    burst: f64,
    /// Tokens, and when they were counted. Held for a few assignments only.
    bucket: Mutex<Option<(f64, Instant)>>,
}

impl Throttle {
    /// That of a method, if a setting is for it.
    pub(super) fn find(specs: &[ThrottleSpec], path: &str, method: &str) -> Option<Self> {
        let spec = specs
            .iter()
            .filter(|spec| spec.is_for(path, method))
            .max_by_key(|spec| spec.rank())?;
        let thousandths = u32::try_from(spec.rate_per_1000_s).unwrap_or(u32::MAX);
        Some(Self {
            rate_per_s: f64::from(thousandths) / 1000.0,
            burst: f64::from(spec.burst),
            bucket: Mutex::new(None),
        })
    }

    /// Whether a request of this moment is within the limit.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, at) = bucket.unwrap_or((self.burst, now));
        let grown = now.saturating_duration_since(at).as_secs_f64() * self.rate_per_s;
        let tokens = (tokens + grown).min(self.burst);
        let admits = tokens >= 1.0;
        *bucket = Some((if admits { tokens - 1.0 } else { tokens }, now));
        admits
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn spec(path: &str, method: &str, rate_per_1000_s: u64, burst: u32) -> ThrottleSpec {
        ThrottleSpec {
            resource_path: path.to_owned(),
            http_method: method.to_owned(),
            rate_per_1000_s,
            burst,
        }
    }

    #[test]
    fn a_burst_is_admitted_and_then_the_rate() {
        let throttle = Throttle::find(&[spec("/*", "*", 2000, 3)], "/", "GET").unwrap();
        let begin = Instant::now();
        let admitted = |millis: u64| throttle.admits(begin + Duration::from_millis(millis));
        assert_eq!(
            [0, 0, 0, 0, 400].map(admitted),
            [true, true, true, false, false]
        );
        assert_eq!(
            [500, 500, 900, 1000].map(admitted),
            [true, false, false, true]
        );
        assert_eq!([60_000; 4].map(admitted), [true, true, true, false]);
    }

    #[test]
    fn the_setting_that_names_more_is_for_a_method() {
        let specs = [
            spec("/*", "*", 1000, 1),
            spec("/~1posts~1{slug}", "GET", 1000, 2),
        ];
        let burst = |path, method| Throttle::find(&specs, path, method).unwrap().burst;
        assert_eq!(burst("/posts/{slug}", "GET"), 2.0);
        assert_eq!(burst("/posts/{slug}", "PUT"), 1.0);
        assert!(Throttle::find(&specs[1..], "/", "GET").is_none());
    }
}
