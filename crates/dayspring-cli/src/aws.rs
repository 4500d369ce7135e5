//! The clients of AWS's services, for AWS itself or for a local cloud by its endpoint.

mod lambda;
mod logs;
mod s3;
mod signed;

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

pub(crate) use lambda::Lambda;
pub(crate) use logs::{LogEvent, Logs};
pub(crate) use s3::S3;
use signed::Signed;

use crate::error::Error;

/// Where a command's calls go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Target {
    /// `None` is AWS itself.
    pub(crate) endpoint_url: Option<String>,
    pub(crate) region: Option<String>,
}

impl Target {
    /// Whether the endpoint is on this machine: then it is a local cloud, which accepts any access key and runs
    /// binaries of this machine's architecture.
    pub(crate) fn is_local(&self) -> bool {
        self.endpoint_url.as_deref().is_some_and(|url| {
            let host = url.split("://").last().unwrap_or_default();
            ["127.0.0.1", "localhost", "[::1]"]
                .iter()
                .any(|local| host.starts_with(local))
        })
    }

    /// Whether the endpoint speaks HTTP without TLS.
    pub(crate) fn is_plain(&self) -> bool {
        let url = self.endpoint_url.as_deref();
        url.is_some_and(|url| url.starts_with("http://"))
    }

    /// The target in words.
    pub(crate) fn describe(&self, region: &str) -> String {
        match &self.endpoint_url {
            Some(url) => url.clone(),
            None => format!("AWS ({region})"),
        }
    }
}

/// The clients, and whose account they act in.
#[derive(Debug, Clone)]
pub(crate) struct Aws {
    pub(crate) cloudformation: aws_sdk_cloudformation::Client,
    pub(crate) s3: S3,
    pub(crate) lambda: Lambda,
    pub(crate) logs: Logs,
    pub(crate) credentials: Credentials,
    pub(crate) region: String,
    pub(crate) account: String,
    /// Whether it is a local cloud, which is asked as often as one likes.
    pub(crate) is_local: bool,
}

impl Aws {
    /// Finds credentials as every AWS tool does, and asks whose they are.
    pub(crate) async fn connect(target: &Target) -> Result<Self, Error> {
        let config = config(target).await;
        let credentials = credentials(&config).await?;
        let region = config.region().ok_or(Error::NoRegion)?.to_string();
        let sts = aws_sdk_sts::Client::new(&config);
        let identity = sts
            .get_caller_identity()
            .send()
            .await
            .map_err(|error| refused("STS", "GetCallerIdentity", &error))?;
        let account = identity
            .account()
            .ok_or(Error::Answer {
                what: "the caller's account",
            })?
            .to_owned();
        let signed = Signed::new(target, credentials.clone(), region.clone());
        Ok(Self {
            cloudformation: aws_sdk_cloudformation::Client::new(&config),
            s3: S3::new(signed.clone(), account.clone()),
            lambda: Lambda::new(signed.clone()),
            logs: Logs::new(signed),
            credentials,
            region,
            account,
            is_local: target.is_local(),
        })
    }

    /// The waits between two looks at something that is under way.
    pub(crate) fn poll(&self) -> Poll {
        Poll::new(self.is_local)
    }
}

async fn config(target: &Target) -> SdkConfig {
    // Where nothing goes further, the machine's certificates need not be read.
    let trusted = if target.is_local() && target.is_plain() {
        TrustStore::empty()
    } else {
        TrustStore::default()
    };
    let tls = TlsContext::builder().with_trust_store(trusted).build();
    // Ring instead of the default: no C toolchain beyond cc, and half the build time.
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls.expect("nothing but a trust store is asked for"))
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
    if let Some(url) = &target.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(region) = &target.region {
        loader = loader.region(Region::new(region.clone()));
    } else if target.is_local() && std::env::var_os("AWS_REGION").is_none() {
        loader = loader.region(Region::new("us-east-1"));
    }
    if target.is_local() && std::env::var_os("AWS_ACCESS_KEY_ID").is_none() {
        loader = loader.credentials_provider(local_credentials());
    }
    loader.load().await
}

/// What a local cloud is signed with where the user has no access key set: it accepts any.
pub(crate) fn local_credentials() -> Credentials {
    Credentials::new("local", "local", None, None, "local cloud")
}

async fn credentials(config: &SdkConfig) -> Result<Credentials, Error> {
    let Some(provider) = config.credentials_provider() else {
        return Err(Error::NoCredentials {
            message: "no provider is configured".to_owned(),
        });
    };
    provider
        .provide_credentials()
        .await
        .map_err(|error| Error::NoCredentials {
            message: said_of_credentials(&chain(&error), std::env::var("AWS_PROFILE").ok()),
        })
}

/// What the chain of providers says when none has any: of each provider a line, of which the profile's alone can be news.
fn said_of_credentials(text: &str, profile: Option<String>) -> String {
    if !text.contains("no credentials found in chain") {
        // A provider that was enabled and failed, as one whose sign-on has expired.
        let mut parts: Vec<&str> = text.split(": ").collect();
        parts.dedup();
        return parts.join(": ");
    }
    let places = "the environment, a container or the instance";
    let why = text.lines().find_map(|line| {
        line.trim()
            .strip_prefix("Profile: the credential provider was not enabled: ")
    });
    match (profile.filter(|profile| !profile.is_empty()), why) {
        (Some(profile), Some(why)) => format!("the profile `{profile}` gives none ({why})"),
        (Some(profile), None) => {
            format!("the profile `{profile}` is not in ~/.aws or gives none, nor does {places}")
        }
        (None, Some(why)) => format!("the default profile gives none ({why})"),
        (None, None) => format!("neither a profile in ~/.aws nor {places} gives any"),
    }
}

/// An SDK's error as ours: a refusal with the service's words, or a service that was not reached.
pub(crate) fn refused<E, R>(
    service: &'static str,
    operation: &'static str,
    error: &aws_sdk_cloudformation::error::SdkError<E, R>,
) -> Error
where
    E: aws_sdk_cloudformation::error::ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    match error.as_service_error() {
        Some(answer) => Error::Refused {
            service,
            operation,
            kind: answer.code().unwrap_or("unknown").to_owned(),
            message: answer.message().unwrap_or("no message").to_owned(),
        },
        None => Error::Unreachable {
            service,
            operation,
            message: chain(error),
        },
    }
}

/// An error with all its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// The waits between two looks at something that is under way: longer and longer, up to what AWS's request limits allow;
/// a local cloud, where a whole deployment takes less than a second, has none.
#[derive(Debug)]
pub(crate) struct Poll {
    next: Duration,
    longest: Duration,
}

impl Poll {
    fn new(is_local: bool) -> Self {
        let (next, longest) = if is_local { (2, 20) } else { (250, 2000) };
        Self {
            next: Duration::from_millis(next),
            longest: Duration::from_millis(longest),
        }
    }

    pub(crate) async fn wait(&mut self) {
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 3 / 2).min(self.longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_credentials_are_said_in_one_line() {
        let text = "the credential provider was not enabled: no credentials found in chain. Attempted:\n  Environment: the \
                    credential provider was not enabled: environment variable not set\n  Profile: the credential provider \
                    was not enabled";
        insta::assert_snapshot!(said_of_credentials(text, None), @"neither a profile in ~/.aws nor the environment, a container or the instance gives any");
        insta::assert_snapshot!(said_of_credentials(text, Some("x".to_owned())), @"the profile `x` is not in ~/.aws or gives none, nor does the environment, a container or the instance");
        let text = format!("{text}: could not find source profile y");
        insta::assert_snapshot!(said_of_credentials(&text, Some("x".to_owned())), @"the profile `x` gives none (could not find source profile y)");
        let text = "an error occurred while loading credentials: an error occurred while loading credentials: failed to load \
                    the cached SSO token";
        insta::assert_snapshot!(said_of_credentials(text, None), @"an error occurred while loading credentials: failed to load the cached SSO token");
    }

    #[test]
    fn only_an_endpoint_on_this_machine_is_a_local_cloud() {
        let target = |url: Option<&str>| Target {
            endpoint_url: url.map(str::to_owned),
            region: None,
        };
        assert!(target(Some("http://127.0.0.1:4566")).is_local());
        assert!(target(Some("http://localhost:4566")).is_local());
        assert!(!target(Some("https://cloudformation.eu-west-1.amazonaws.com")).is_local());
        assert!(!target(None).is_local());
    }
}
