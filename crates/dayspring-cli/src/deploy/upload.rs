//! Artifacts to the bucket: each under the digest of its content, so that only what changed is sent.

use super::{Deployment, Event, Observe};
use crate::aws::Aws;
use crate::error::Error;
use crate::package::Content;

/// A file that the template refers to.
#[derive(Debug, Clone)]
pub(crate) struct Artifact {
    /// What it is, in a word or two.
    pub(crate) name: &'static str,
    pub(crate) key: String,
    pub(crate) content: Content,
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
        let content = artifact.content.packed()?;
        observe(Event::Uploading {
            name: artifact.name,
            bytes: content.len(),
        });
        aws.s3.put_object(bucket, &artifact.key, content).await?;
    }
    Ok(())
}
