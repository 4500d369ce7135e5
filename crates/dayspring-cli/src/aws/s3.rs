//! The few S3 calls of a deploy.

use bytes::Bytes;
use http::{Method, Request, StatusCode};

use super::signed::{Service, Signed};
use crate::error::Error;

/// A client for one region.
#[derive(Debug, Clone)]
pub(crate) struct S3(Signed);

impl S3 {
    pub(super) fn new(signed: Signed) -> Self {
        Self(signed)
    }

    /// Makes a bucket, if it is not there, that blocks public access by default, as all new buckets do since April 2023.
    pub(crate) async fn make_bucket(&self, bucket: &str) -> Result<(), Error> {
        if self.exists("HeadBucket", bucket, "").await? {
            return Ok(());
        }
        // us-east-1 refuses its own name as a constraint (CreateBucket's reference).
        let body = if self.0.region == "us-east-1" {
            String::new()
        } else {
            format!(
                "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>{}\
                 </LocationConstraint></CreateBucketConfiguration>",
                self.0.region
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
        match &self.0.endpoint_url {
            Some(url) => format!("{}/{bucket}/{key}", url.trim_end_matches('/')),
            None => format!("https://{bucket}.s3.{}.amazonaws.com/{key}", self.0.region),
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
        let url = if key.is_empty() && self.0.endpoint_url.is_none() {
            format!("https://{bucket}.s3.{}.amazonaws.com/", self.0.region)
        } else {
            self.object_url(bucket, key)
        };
        let request = Request::builder().method(method).uri(url).body(body);
        let answer = self.0.send(Service::S3, operation, request).await?;
        Ok((answer.status(), answer.into_body()))
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
