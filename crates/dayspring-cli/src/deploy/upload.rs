//! Artifacts to the bucket: each under the digest of its content, so that only what changed is sent.

use bytes::Bytes;

use super::{Deployment, Event, Observe};
use crate::aws::Aws;
use crate::error::Error;

/// A file that the template refers to.
#[derive(Debug, Clone)]
pub(crate) struct Artifact {
    /// What it is, in a word or two.
    pub(crate) name: &'static str,
    pub(crate) key: String,
    pub(crate) content: Bytes,
}

pub(super) async fn upload(
    aws: &Aws,
    deployment: &Deployment,
    observe: Observe<'_>,
) -> Result<(), Error> {
    let bucket = &deployment.bucket;
    aws.s3.make_bucket(bucket).await?;
    for artifact in &deployment.artifacts {
        if aws.s3.has_object(bucket, &artifact.key).await? {
            continue;
        }
        observe(Event::Uploading {
            name: artifact.name,
            bytes: artifact.content.len(),
        });
        aws.s3
            .put_object(bucket, &artifact.key, artifact.content.clone())
            .await?;
    }
    Ok(())
}
