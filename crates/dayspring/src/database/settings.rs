//! Where the database is and who asks, from a function's environment.

use aws_credential_types::Credentials;
use http::Uri;

use super::signing::Signer;
use crate::Error;

/// The environment that the template and Lambda give to a function.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) endpoint: Uri,
    pub(crate) signer: Signer,
    pub(crate) cluster_arn: String,
    pub(crate) secret_arn: String,
    pub(crate) database: String,
}

impl Settings {
    /// Reads the settings from a function that looks a variable up.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let required = |name: &'static str| {
            variable(name)
                .filter(|value| !value.is_empty())
                .ok_or(Error::Environment {
                    variable: name,
                    problem: "is not set".to_owned(),
                })
        };
        let region = required("AWS_REGION")?;
        Ok(Self {
            endpoint: Self::read_endpoint(
                &variable,
                "AWS_ENDPOINT_URL_RDS_DATA",
                format!("https://rds-data.{region}.amazonaws.com"),
            )?,
            signer: Signer {
                credentials: Credentials::new(
                    required("AWS_ACCESS_KEY_ID")?,
                    required("AWS_SECRET_ACCESS_KEY")?,
                    variable("AWS_SESSION_TOKEN").filter(|value| !value.is_empty()),
                    None,
                    "environment",
                ),
                region,
                service: "rds-data",
            },
            cluster_arn: required("DAYSPRING_CLUSTER_ARN")?,
            secret_arn: required("DAYSPRING_SECRET_ARN")?,
            database: required("DAYSPRING_DATABASE")?,
        })
    }

    /// The endpoint of a service: its own variable's goes before the general one's, as in every AWS SDK, and both before
    /// the region's.
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html> (read 2026-11-22)
    pub(crate) fn read_endpoint(
        variable: impl Fn(&str) -> Option<String>,
        own: &'static str,
        of_region: String,
    ) -> Result<Uri, Error> {
        let (name, endpoint) = [own, "AWS_ENDPOINT_URL"]
            .into_iter()
            .find_map(|name| Some((name, variable(name).filter(|value| !value.is_empty())?)))
            .unwrap_or(("AWS_REGION", of_region));
        parse_endpoint(name, &endpoint)
    }

    /// The endpoint without its trailing slash, to put an operation's path behind.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.endpoint.to_string().trim_end_matches('/'))
    }
}

fn parse_endpoint(variable: &'static str, text: &str) -> Result<Uri, Error> {
    let wrong = |problem: String| Error::Environment { variable, problem };
    let uri: Uri = text
        .parse()
        .map_err(|error| wrong(format!("is not a URL: {error} (`{text}`)")))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(_)) => Ok(uri),
        _ => Err(wrong(format!(
            "must begin with http:// or https:// (`{text}`)"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAMBDA: [(&str, &str); 6] = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        (
            "DAYSPRING_CLUSTER_ARN",
            "arn:aws:rds:eu-central-1:123456789012:cluster:blog",
        ),
        (
            "DAYSPRING_SECRET_ARN",
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:blog",
        ),
        ("DAYSPRING_DATABASE", "blog"),
    ];

    fn read(more: &[(&str, &str)]) -> Result<Settings, String> {
        let all: Vec<(&str, &str)> = more.iter().chain(&LAMBDA).copied().collect();
        Settings::read(|name| {
            let (_, value) = all.iter().find(|(other, _)| *other == name)?;
            Some((*value).to_owned())
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn the_endpoint_is_the_services_variable_then_the_general_one_then_the_regions() {
        let general = ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566/");
        let own = ("AWS_ENDPOINT_URL_RDS_DATA", "http://127.0.0.1:1");
        assert_eq!(
            read(&[general, own]).unwrap().url("/Execute"),
            "http://127.0.0.1:1/Execute"
        );
        assert_eq!(
            read(&[general]).unwrap().url("/Execute"),
            "http://127.0.0.1:4566/Execute"
        );
        assert_eq!(
            read(&[]).unwrap().url("/Execute"),
            "https://rds-data.eu-central-1.amazonaws.com/Execute"
        );
    }

    #[test]
    fn a_missing_or_wrong_variable_is_named() {
        insta::assert_snapshot!(
            read(&[("DAYSPRING_DATABASE", "")]).unwrap_err(),
            @"the environment variable DAYSPRING_DATABASE is not set"
        );
        insta::assert_snapshot!(
            read(&[("AWS_ENDPOINT_URL", "127.0.0.1:4566")]).unwrap_err(),
            @"the environment variable AWS_ENDPOINT_URL must begin with http:// or https:// (`127.0.0.1:4566`)"
        );
    }
}
