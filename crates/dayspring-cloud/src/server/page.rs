//! Requests that a web page of somebody else had a browser send.
//!
//! A browser sends any page's requests to this machine's ports. Where no signature is checked, a page could so have code
//! deployed here and run, or read the data of a database: its own credentials in the query string pass for a signature. What
//! the browser itself says of a request no page can change: `Origin` and `Sec-Fetch-Site` are forbidden header names
//! (<https://fetch.spec.whatwg.org/#forbidden-request-header>, <https://www.w3.org/TR/fetch-metadata/>, read 2026-11-23).

use ::http::request::Parts;

use crate::http::{header, host};

/// Whether a browser sent it for a page that is not of this machine: by the page's origin; where a browser names none, by
/// its word that the page is of another site, or by a host's name that only seems to be this machine's.
pub(super) fn is_of_a_strangers_page(parts: &Parts) -> bool {
    match (header(parts, "origin"), header(parts, "sec-fetch-site")) {
        (Some(origin), _) => {
            let host = origin.split_once("://").map_or("", |(_, host)| host);
            !is_this_machine(host)
        }
        (None, Some("cross-site")) => true,
        (None, Some(_)) => !is_this_machine(host(parts)),
        (None, None) => false,
    }
}

/// Whether a host, with or without a port, can only be this machine.
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_loopback = name
        .parse()
        .is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    is_loopback || name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(headers: &[(&str, &str)], expected: bool) {
        let mut request = ::http::Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        assert_eq!(is_of_a_strangers_page(&parts), expected, "{headers:?}");
    }

    #[test]
    fn programs_and_pages_of_this_machine_are_no_strangers() {
        let here = ("host", "127.0.0.1:4566");
        check(&[here], false);
        check(&[("host", "s3.eu-west-1.amazonaws.com")], false);
        for origin in [
            "http://localhost:5173",
            "http://127.0.0.1",
            "http://[::1]:3000",
            "http://app.localhost:8080",
        ] {
            let said = [("origin", origin), ("sec-fetch-site", "cross-site"), here];
            check(&said, false);
        }
        for typed in ["none", "same-origin", "same-site"] {
            check(&[("sec-fetch-site", typed), here], false);
        }
    }

    #[test]
    fn a_page_of_another_site_is_one_whatever_it_calls_this_machine() {
        for origin in [
            "https://evil.example",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example:4566",
            "null",
            "",
        ] {
            check(&[("origin", origin), ("host", "127.0.0.1:4566")], true);
        }
        check(
            &[("sec-fetch-site", "cross-site"), ("host", "localhost")],
            true,
        );
        // A name of theirs that leads here.
        let rebound = [
            ("sec-fetch-site", "same-origin"),
            ("host", "evil.example:4566"),
        ];
        check(&rebound, true);
    }
}
