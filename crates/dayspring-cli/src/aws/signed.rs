//! Requests that are signed by hand, for services of which a command needs one or two calls: an SDK crate for each would
//! double this crate's build time.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::{Target, chain};
use crate::error::Error;

/// A client for one region.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    pub(super) endpoint_url: Option<String>,
    credentials: Credentials,
    pub(super) region: String,
}

/// A service, and how requests to it are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    S3,
    Lambda,
    Logs,
}

impl Service {
    /// As messages call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::S3 => "S3",
            Self::Lambda => "Lambda",
            Self::Logs => "CloudWatch Logs",
        }
    }

    /// In the scope of a signature and in the host's name.
    fn id(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Lambda => "lambda",
            Self::Logs => "logs",
        }
    }

    /// No answer takes longer, unless the line is dead: an upload; a function, which runs 15 minutes at most; a page.
    fn timeout(self) -> Duration {
        Duration::from_secs(match self {
            Self::S3 => 600,
            Self::Lambda => 960,
            Self::Logs => 60,
        })
    }

    fn settings(self) -> SigningSettings {
        let mut settings = SigningSettings::default();
        if self == Self::S3 {
            // S3 signs the path as it is sent (SigV4's reference, "canonical URI").
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        settings
    }
}

impl Signed {
    pub(super) fn new(target: &Target, credentials: Credentials, region: String) -> Self {
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .build();
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            endpoint_url: target.endpoint_url.clone(),
            credentials,
            region,
        }
    }

    /// The address of a path of a service.
    pub(super) fn url(&self, service: Service, path: &str) -> String {
        match &self.endpoint_url {
            Some(url) => format!("{}{path}", url.trim_end_matches('/')),
            None => format!(
                "https://{}.{}.amazonaws.com{path}",
                service.id(),
                self.region
            ),
        }
    }

    pub(super) async fn send(
        &self,
        service: Service,
        operation: &'static str,
        request: http::Result<Request<Bytes>>,
    ) -> Result<Response<Bytes>, Error> {
        let unreachable = |message: String| Error::Unreachable {
            service: service.name(),
            operation,
            message,
        };
        let request = request.map_err(|error| unreachable(error.to_string()))?;
        let request = self.sign(service, request).map_err(unreachable)?;
        let answer = async {
            let answer = self.client.request(request.map(Full::new)).await;
            let (head, body) = answer.map_err(|error| chain(&error))?.into_parts();
            let body = body.collect().await.map_err(|error| chain(&error))?;
            Ok::<_, String>(Response::from_parts(head, body.to_bytes()))
        };
        let timeout = service.timeout();
        match tokio::time::timeout(timeout, answer).await {
            Ok(answer) => answer.map_err(unreachable),
            Err(_) => Err(unreachable(format!(
                "no answer within {} s",
                timeout.as_secs()
            ))),
        }
    }

    fn sign(
        &self,
        service: Service,
        mut request: Request<Bytes>,
    ) -> Result<Request<Bytes>, String> {
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service.id())
            .time(SystemTime::now())
            .settings(service.settings())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let uri = request.uri().to_string();
        let headers = request
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable = SignableRequest::new(
            request.method().as_str(),
            &uri,
            headers,
            SignableBody::Bytes(request.body()),
        )
        .map_err(|error| error.to_string())?;
        let (instructions, _) = sign(signable, &parameters)
            .map_err(|error| error.to_string())?
            .into_parts();
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}

/// What a JSON service says of a refusal: the kind is in a header (Lambda) or in the body (Logs), and the message has a
/// capital letter or has not.
pub(super) fn refusal(
    service: Service,
    operation: &'static str,
    answer: &Response<Bytes>,
) -> Error {
    let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let status = answer.status();
    let header = answer.headers().get("x-amzn-errortype");
    let kind = header
        .and_then(|kind| kind.to_str().ok())
        .or_else(|| body["__type"].as_str())
        .unwrap_or(status.as_str());
    // Some append the address of a schema, or come before it.
    let kind = kind.split(':').next().unwrap_or(kind);
    let kind = kind.rsplit('#').next().unwrap_or(kind);
    let message = body["message"].as_str().or(body["Message"].as_str());
    Error::Refused {
        service: service.name(),
        operation,
        kind: kind.to_owned(),
        message: message.map_or_else(|| format!("HTTP status {status}"), str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_services_refusal_carries_its_words() {
        let kind_and_text = |answer| match refusal(Service::Logs, "FilterLogEvents", &answer) {
            Error::Refused { kind, message, .. } => format!("{kind}: {message}"),
            error => panic!("{error}"),
        };
        let by_header = Response::builder()
            .header(
                "x-amzn-errortype",
                "ResourceNotFoundException:http://internal",
            )
            .body(Bytes::from_static(
                br#"{"Type":"User","Message":"Function not found"}"#,
            ))
            .unwrap();
        insta::assert_snapshot!(kind_and_text(by_header), @"ResourceNotFoundException: Function not found");
        let by_body =
            br#"{"__type":"com.amazonaws#ResourceNotFoundException","message":"no group"}"#;
        let by_body = Response::new(Bytes::from_static(by_body));
        insta::assert_snapshot!(kind_and_text(by_body), @"ResourceNotFoundException: no group");
        let by_status = Response::builder().status(502).body(Bytes::new()).unwrap();
        insta::assert_snapshot!(kind_and_text(by_status), @"502: HTTP status 502 Bad Gateway");
    }
}
