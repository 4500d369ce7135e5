//! S3: buckets and objects as files, and the wire protocol that a deploy needs.

mod chunked;
mod store;
mod wire;

use std::path::PathBuf;

use bytes::Bytes;

use crate::error::AwsError;
use crate::http::{Answer, Call};
use crate::identity::Identity;
use crate::state::StateError;
use crate::world::World;

/// The object store. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct S3 {
    store: std::sync::Arc<store::Store>,
    identity: Identity,
}

impl S3 {
    /// Opens the store on its folder: buckets and objects of the last run are there again.
    pub(crate) fn open(
        folder: PathBuf,
        identity: Identity,
        world: World,
    ) -> Result<Self, StateError> {
        Ok(Self {
            store: std::sync::Arc::new(store::Store::open(folder, world)?),
            identity,
        })
    }

    pub(crate) fn create_bucket(&self, name: &str) -> Result<(), AwsError> {
        self.store.create_bucket(name)
    }

    /// Deletes a bucket, which has to be empty.
    pub(crate) fn delete_bucket(&self, name: &str) -> Result<(), AwsError> {
        self.store.delete_bucket(name)
    }

    /// The object's bytes, or `None`.
    pub(crate) fn object(&self, bucket: &str, key: &str) -> Option<Bytes> {
        let object = self.store.find(bucket, key).ok()?;
        self.store.content(&object).ok()
    }

    /// The object that a URL names, in any of the forms in which clients write one: path style on any host, or the
    /// bucket in front of the host.
    pub(crate) fn object_at_url(&self, url: &str) -> Option<Bytes> {
        let uri: ::http::Uri = url.parse().ok()?;
        let (bucket, key) = if uri.scheme_str() == Some("s3") {
            (
                uri.host()?.to_owned(),
                crate::http::decode_percent(uri.path().trim_start_matches('/')),
            )
        } else {
            wire::bucket_and_key(uri.host()?, uri.path())
        };
        self.object(&bucket, &key)
    }

    /// Answers S3's REST API.
    pub(crate) fn answer(&self, call: &Call) -> Answer {
        wire::answer(&self.store, &self.identity, call)
    }
}
