//! The few S3 calls of a deploy.
//!
//! The name of the bucket can be guessed from the account's number, so somebody else may have made it before, and could
//! exchange what is deployed. Each call therefore names the account that has to own it
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html>, read 2026-11-23).

use bytes::Bytes;
use http::{Method, Request, StatusCode};

use super::Poll;
use super::signed::{Service, Signed};
use crate::error::Error;

/// Whose the bucket has to be, or the call is refused with 403.
const EXPECTED_OWNER: &str = "x-amz-expected-bucket-owner";

/// How often a bucket that another deploy makes at the same moment is looked for: over ten seconds on AWS, where it is there
/// within one.
const BUCKET_LOOKS: usize = 12;

/// A client for one region and the buckets of one account.
#[derive(Debug, Clone)]
pub(crate) struct S3 {
    signed: Signed,
    account: String,
}

impl S3 {
    pub(super) fn new(signed: Signed, account: String) -> Self {
        Self { signed, account }
    }

    /// Makes a bucket, if it is not there, that blocks public access by default, as all new buckets do since April 2023.
    pub(crate) async fn make_bucket(&self, bucket: &str) -> Result<(), Error> {
        // us-east-1 refuses its own name as a constraint (CreateBucket's reference).
        let body = if self.signed.region == "us-east-1" {
            Bytes::new()
        } else {
            Bytes::from(format!(
                "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>{}\
                 </LocationConstraint></CreateBucketConfiguration>",
                self.signed.region
            ))
        };
        let mut poll = Poll::new(self.signed.endpoint_url.is_some());
        let mut refused = Ok(());
        for _ in 0..BUCKET_LOOKS {
            if self.exists("HeadBucket", bucket, "").await? {
                return Ok(());
            }
            let (status, answer) = self
                .send("CreateBucket", Method::PUT, bucket, "", body.clone())
                .await?;
            refused = accept("CreateBucket", status, &answer);
            // A conflict is `BucketAlreadyOwnedByYou` when another deploy was first, `OperationAborted` while that makes it
            // (S3's list of error codes), and `BucketAlreadyExists` when it is somebody else's, which HeadBucket refuses.
            if status != StatusCode::CONFLICT {
                break;
            }
            poll.wait().await;
        }
        refused
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
        match &self.signed.endpoint_url {
            Some(url) => format!("{}/{bucket}/{key}", url.trim_end_matches('/')),
            None => format!(
                "https://{bucket}.s3.{}.amazonaws.com/{key}",
                self.signed.region
            ),
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
        let request = self.request(operation, method, bucket, key, body);
        let answer = self.signed.send(Service::S3, operation, request).await?;
        Ok((answer.status(), answer.into_body()))
    }

    fn request(
        &self,
        operation: &str,
        method: Method,
        bucket: &str,
        key: &str,
        body: Bytes,
    ) -> http::Result<Request<Bytes>> {
        let url = if key.is_empty() && self.signed.endpoint_url.is_none() {
            format!("https://{bucket}.s3.{}.amazonaws.com/", self.signed.region)
        } else {
            self.object_url(bucket, key)
        };
        let mut request = Request::builder().method(method).uri(url);
        // A bucket that is being made has no owner yet; S3 refuses a name that is taken.
        if operation != "CreateBucket" {
            request = request.header(EXPECTED_OWNER, &self.account);
        }
        request.body(body)
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
    use crate::aws::{Target, local_credentials};

    #[test]
    fn a_bucket_of_another_account_is_not_used() {
        let target = Target::default();
        let signed = Signed::new(&target, local_credentials(), "eu-west-1".to_owned());
        let s3 = S3::new(signed, "123456789012".to_owned());
        let owner = |operation: &str| {
            let request = s3.request(operation, Method::PUT, "b", "k", Bytes::new());
            let headers = request.unwrap().headers().clone();
            headers
                .get(EXPECTED_OWNER)
                .map(|owner| owner.to_str().unwrap().to_owned())
        };
        assert_eq!(owner("PutObject").as_deref(), Some("123456789012"));
        assert_eq!(owner("HeadObject").as_deref(), Some("123456789012"));
        assert_eq!(owner("CreateBucket"), None);
    }

    #[test]
    fn a_refusal_carries_the_services_words() {
        let body = b"<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>";
        let error = accept("PutObject", StatusCode::NOT_FOUND, body).unwrap_err();
        insta::assert_snapshot!(error, @"S3 refused PutObject: The specified bucket does not exist");
        let error = accept("PutObject", StatusCode::BAD_GATEWAY, b"").unwrap_err();
        insta::assert_snapshot!(error, @"S3 refused PutObject: HTTP status 502 Bad Gateway");
    }
}
