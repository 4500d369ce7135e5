//! The few S3 calls of a deploy, signed by hand: the SDK's S3 crate alone would double this crate's build time.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::{Target, chain};
use crate::error::Error;

/// A client for one region.
#[derive(Debug, Clone)]
pub(crate) struct S3 {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    endpoint_url: Option<String>,
    credentials: Credentials,
    region: String,
}

/// No upload of a deploy takes longer, unless the line is dead.
const TIMEOUT: Duration = Duration::from_secs(600);

impl S3 {
    pub(crate) fn new(target: &Target, credentials: Credentials, region: String) -> Self {
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

    /// Whether the bucket is there and ours.
    pub(crate) async fn has_bucket(&self, bucket: &str) -> Result<bool, Error> {
        self.exists("HeadBucket", bucket, "").await
    }

    /// Makes a bucket that blocks public access by default, as all new buckets do since April 2023.
    pub(crate) async fn create_bucket(&self, bucket: &str) -> Result<(), Error> {
        // us-east-1 refuses its own name as a constraint (CreateBucket's reference).
        let body = if self.region == "us-east-1" {
            String::new()
        } else {
            format!(
                "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>{}\
                 </LocationConstraint></CreateBucketConfiguration>",
                self.region
            )
        };
        let (status, body) = self
            .send("CreateBucket", Method::PUT, bucket, "", body.into())
            .await?;
        accept("CreateBucket", status, &body)
    }

    /// Whether the object is there.
    pub(crate) async fn has_object(&self, bucket: &str, key: &str) -> Result<bool, Error> {
        self.exists("HeadObject", bucket, key).await
    }

    /// Stores an object.
    pub(crate) async fn put_object(
        &self,
        bucket: &str,
        key: &str,
        body: Bytes,
    ) -> Result<(), Error> {
        let (status, body) = self
            .send("PutObject", Method::PUT, bucket, key, body)
            .await?;
        accept("PutObject", status, &body)
    }

    /// The address of an object, as CloudFormation's `TemplateURL` wants it.
    pub(crate) fn object_url(&self, bucket: &str, key: &str) -> String {
        match &self.endpoint_url {
            Some(url) => format!("{}/{bucket}/{key}", url.trim_end_matches('/')),
            None => format!("https://{bucket}.s3.{}.amazonaws.com/{key}", self.region),
        }
    }

    async fn exists(
        &self,
        operation: &'static str,
        bucket: &str,
        key: &str,
    ) -> Result<bool, Error> {
        let (status, body) = self
            .send(operation, Method::HEAD, bucket, key, Bytes::new())
            .await?;
        match status {
            StatusCode::NOT_FOUND => Ok(false),
            StatusCode::FORBIDDEN => Err(Error::Refused {
                service: "S3",
                operation,
                kind: "AccessDenied".to_owned(),
                message: format!(
                    "`{bucket}` belongs to another account, or these credentials may not use it"
                ),
            }),
            status => accept(operation, status, &body).map(|()| true),
        }
    }

    async fn send(
        &self,
        operation: &'static str,
        method: Method,
        bucket: &str,
        key: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), Error> {
        let unreachable = |message: String| Error::Unreachable {
            service: "S3",
            operation,
            message,
        };
        let url = if key.is_empty() && self.endpoint_url.is_none() {
            format!("https://{bucket}.s3.{}.amazonaws.com/", self.region)
        } else {
            self.object_url(bucket, key)
        };
        let request = Request::builder()
            .method(method)
            .uri(url)
            .body(())
            .map_err(|error| unreachable(error.to_string()))?;
        let request = self
            .sign(request, &body)
            .map_err(unreachable)?
            .map(|()| Full::new(body));
        let answer = async {
            let answer = self
                .client
                .request(request)
                .await
                .map_err(|error| chain(&error))?;
            let status = answer.status();
            let body = answer
                .into_body()
                .collect()
                .await
                .map_err(|error| chain(&error))?
                .to_bytes();
            Ok::<_, String>((status, body))
        };
        match tokio::time::timeout(TIMEOUT, answer).await {
            Ok(answer) => answer.map_err(unreachable),
            Err(_) => Err(unreachable(format!(
                "no answer within {} s",
                TIMEOUT.as_secs()
            ))),
        }
    }

    fn sign(&self, mut request: Request<()>, body: &[u8]) -> Result<Request<()>, String> {
        let identity = self.credentials.clone().into();
        // S3 signs the path as it is sent (SigV4's reference, "canonical URI").
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let uri = request.uri().to_string();
        let signable = SignableRequest::new(
            request.method().as_str(),
            &uri,
            std::iter::empty(),
            SignableBody::Bytes(body),
        )
        .map_err(|error| error.to_string())?;
        let (instructions, _) = sign(signable, &parameters)
            .map_err(|error| error.to_string())?
            .into_parts();
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}

fn accept(operation: &'static str, status: StatusCode, body: &[u8]) -> Result<(), Error> {
    if status.is_success() {
        return Ok(());
    }
    let body = String::from_utf8_lossy(body);
    let element = |name: &str| {
        let (_, rest) = body.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
    };
    Err(Error::Refused {
        service: "S3",
        operation,
        kind: element("Code").unwrap_or_else(|| status.to_string()),
        message: element("Message").unwrap_or_else(|| format!("HTTP status {status}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_carries_the_services_words() {
        let body = b"<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>";
        let error = accept("PutObject", StatusCode::NOT_FOUND, body).unwrap_err();
        insta::assert_snapshot!(error, @"S3 refused PutObject: The specified bucket does not exist");
        let error = accept("PutObject", StatusCode::BAD_GATEWAY, b"").unwrap_err();
        insta::assert_snapshot!(error, @"S3 refused PutObject: HTTP status 502 Bad Gateway");
    }
}
