//! Buckets and objects on disk: one index, and a file per distinct content, named by its SHA-256.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, TryLockError};

use ::http::StatusCode;
use bytes::Bytes;
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::error::AwsError;
use crate::state::{StateError, StateFile};
use crate::world::{World, hex};

#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    file: StateFile,
    index: Mutex<Index>,
    /// Shared by those who keep a content that nothing names yet; who removes what nothing names has it alone.
    unnamed: RwLock<()>,
    world: World,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Index {
    buckets: BTreeMap<String, Bucket>,
    /// Multipart uploads that were begun.
    #[serde(default)]
    uploads: BTreeMap<String, Upload>,
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct Bucket {
    /// Milliseconds since 1970.
    pub(super) created: u64,
    pub(super) objects: BTreeMap<String, Object>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Object {
    /// Names the content's file.
    pub(super) sha256: String,
    /// Without its quotes.
    pub(super) etag: String,
    pub(super) size_bytes: usize,
    /// Milliseconds since 1970.
    pub(super) modified: u64,
    pub(super) content_type: String,
    /// `x-amz-meta-*` and the like, by lower-case name.
    pub(super) headers: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Upload {
    bucket: String,
    key: String,
    content_type: String,
    headers: BTreeMap<String, String>,
    parts: BTreeMap<u32, Object>,
}

impl Store {
    pub(super) fn open(folder: PathBuf, world: World) -> Result<Self, StateError> {
        let file = StateFile::new(folder.join("index.json"));
        let index = file.load()?;
        Ok(Self {
            folder,
            file,
            index: Mutex::new(index),
            unnamed: RwLock::default(),
            world,
        })
    }

    pub(super) fn buckets(&self) -> Vec<(String, u64)> {
        self.read(|index| {
            index
                .buckets
                .iter()
                .map(|(name, bucket)| (name.clone(), bucket.created))
                .collect()
        })
    }

    /// A copy of the bucket's listing.
    pub(super) fn bucket(&self, name: &str) -> Result<Bucket, AwsError> {
        self.read(|index| index.buckets.get(name).cloned())
            .ok_or_else(no_such_bucket)
    }

    pub(super) fn has_bucket(&self, name: &str) -> bool {
        self.read(|index| index.buckets.contains_key(name))
    }

    pub(super) fn create_bucket(&self, name: &str) -> Result<(), AwsError> {
        let created = self.world.now_millis();
        self.change(|index| {
            if index.buckets.contains_key(name) {
                return Err(AwsError::new(
                    StatusCode::CONFLICT,
                    "BucketAlreadyOwnedByYou",
                    "Your previous request to create the named bucket succeeded and you already own it.",
                ));
            }
            index.buckets.insert(
                name.to_owned(),
                Bucket {
                    created,
                    objects: BTreeMap::new(),
                },
            );
            Ok(())
        })
    }

    pub(super) fn delete_bucket(&self, name: &str) -> Result<(), AwsError> {
        self.change(|index| {
            let bucket = index.buckets.get(name).ok_or_else(no_such_bucket)?;
            if !bucket.objects.is_empty() {
                return Err(AwsError::new(
                    StatusCode::CONFLICT,
                    "BucketNotEmpty",
                    "The bucket you tried to delete is not empty",
                ));
            }
            index.buckets.remove(name);
            Ok(())
        })
    }

    pub(super) fn find(&self, bucket: &str, key: &str) -> Result<Object, AwsError> {
        self.read(|index| {
            let bucket = index.buckets.get(bucket).ok_or_else(no_such_bucket)?;
            bucket.objects.get(key).cloned().ok_or_else(no_such_key)
        })
    }

    pub(super) fn content(&self, object: &Object) -> Result<Bytes, AwsError> {
        std::fs::read(self.folder.join("content").join(&object.sha256))
            .map(Bytes::from)
            .map_err(|error| internal(&error))
    }

    pub(super) fn put(
        &self,
        bucket: &str,
        key: &str,
        content: &[u8],
        content_type: &str,
        headers: BTreeMap<String, String>,
    ) -> Result<Object, AwsError> {
        if !self.has_bucket(bucket) {
            return Err(no_such_bucket());
        }
        let _unnamed = self.keeping();
        let object = self.keep(content, content_type, headers)?;
        self.change(|index| {
            let bucket = index.buckets.get_mut(bucket).ok_or_else(no_such_bucket)?;
            bucket.objects.insert(key.to_owned(), object.clone());
            Ok(object.clone())
        })
    }

    /// Deleting what is not there is no error.
    pub(super) fn delete(&self, bucket: &str, key: &str) -> Result<(), AwsError> {
        self.change(|index| {
            let bucket = index.buckets.get_mut(bucket).ok_or_else(no_such_bucket)?;
            bucket.objects.remove(key);
            Ok(())
        })?;
        self.sweep();
        Ok(())
    }

    pub(super) fn begin_upload(
        &self,
        bucket: &str,
        key: &str,
        content_type: &str,
        headers: BTreeMap<String, String>,
    ) -> Result<String, AwsError> {
        let id = self.world.hex_digits(64);
        self.change(|index| {
            if !index.buckets.contains_key(bucket) {
                return Err(no_such_bucket());
            }
            index.uploads.insert(
                id.clone(),
                Upload {
                    bucket: bucket.to_owned(),
                    key: key.to_owned(),
                    content_type: content_type.to_owned(),
                    headers,
                    parts: BTreeMap::new(),
                },
            );
            Ok(id.clone())
        })
    }

    pub(super) fn put_part(
        &self,
        upload: &str,
        number: u32,
        content: &[u8],
    ) -> Result<Object, AwsError> {
        let _unnamed = self.keeping();
        let part = self.keep(content, "", BTreeMap::new())?;
        self.change(|index| {
            let upload = index.uploads.get_mut(upload).ok_or_else(no_such_upload)?;
            upload.parts.insert(number, part.clone());
            Ok(part.clone())
        })
    }

    /// Joins the parts in the order of their numbers.
    pub(super) fn complete_upload(&self, id: &str) -> Result<Object, AwsError> {
        let upload = self
            .read(|index| index.uploads.get(id).cloned())
            .ok_or_else(no_such_upload)?;
        let mut content = Vec::new();
        for part in upload.parts.values() {
            content.extend_from_slice(&self.content(part)?);
        }
        let object = self.put(
            &upload.bucket,
            &upload.key,
            &content,
            &upload.content_type,
            upload.headers,
        )?;
        self.abort_upload(id)?;
        Ok(object)
    }

    pub(super) fn abort_upload(&self, id: &str) -> Result<(), AwsError> {
        self.change(|index| {
            index
                .uploads
                .remove(id)
                .map(|_| ())
                .ok_or_else(no_such_upload)
        })?;
        self.sweep();
        Ok(())
    }

    /// Writes the content's file, unless it is there.
    fn keep(
        &self,
        content: &[u8],
        content_type: &str,
        headers: BTreeMap<String, String>,
    ) -> Result<Object, AwsError> {
        let sha256 = hex(&Sha256::digest(content));
        let folder = self.folder.join("content");
        let path = folder.join(&sha256);
        if !path.exists() {
            let new = folder.join(format!("{}.new", self.world.hex_digits(16)));
            std::fs::create_dir_all(&folder)
                .and_then(|()| std::fs::write(&new, content))
                .and_then(|()| std::fs::rename(&new, &path))
                .map_err(|error| internal(&error))?;
        }
        Ok(Object {
            sha256,
            etag: hex(&Md5::digest(content)),
            size_bytes: content.len(),
            modified: self.world.now_millis(),
            content_type: content_type.to_owned(),
            headers,
        })
    }

    fn keeping(&self) -> RwLockReadGuard<'_, ()> {
        self.unnamed.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the files that no object names any more. A file that cannot be removed now goes with a later sweep, and so
    /// do all while a content is being kept that is not yet named.
    fn sweep(&self) {
        let _alone = match self.unnamed.try_write() {
            Ok(alone) => alone,
            Err(TryLockError::Poisoned(alone)) => alone.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let named: std::collections::BTreeSet<&str> = index
            .buckets
            .values()
            .flat_map(|bucket| bucket.objects.values())
            .chain(
                index
                    .uploads
                    .values()
                    .flat_map(|upload| upload.parts.values()),
            )
            .map(|object| object.sha256.as_str())
            .collect();
        let Ok(entries) = std::fs::read_dir(self.folder.join("content")) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if !name.ends_with(".new") && !named.contains(name.as_ref()) {
                std::fs::remove_file(entry.path()).ok();
            }
        }
    }

    fn read<T>(&self, look: impl FnOnce(&Index) -> T) -> T {
        look(&self.index.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut Index) -> Result<T, AwsError>,
    ) -> Result<T, AwsError> {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        // On disk and in memory, or in neither.
        let mut changed = index.clone();
        let result = change(&mut changed)?;
        self.file.save(&changed).map_err(|error| internal(&error))?;
        *index = changed;
        Ok(result)
    }
}

fn no_such_bucket() -> AwsError {
    AwsError::new(
        StatusCode::NOT_FOUND,
        "NoSuchBucket",
        "The specified bucket does not exist",
    )
}

fn no_such_key() -> AwsError {
    AwsError::new(
        StatusCode::NOT_FOUND,
        "NoSuchKey",
        "The specified key does not exist.",
    )
}

fn no_such_upload() -> AwsError {
    AwsError::new(
        StatusCode::NOT_FOUND,
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    )
}

fn internal(error: &dyn std::error::Error) -> AwsError {
    AwsError::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "InternalError",
        format!("We encountered an internal error: {error}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_that_nothing_names_yet_outlives_a_deletion() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().to_owned(), World::real()).unwrap();
        store.create_bucket("b").unwrap();
        let keep = |content| store.keep(content, "", BTreeMap::new()).unwrap();
        let unnamed = store.keeping();
        let object = keep(b"new");
        store.delete("b", "other").unwrap();
        drop(unnamed);
        assert_eq!(store.content(&object).unwrap(), "new");
        store.delete("b", "other").unwrap();
        assert!(store.content(&object).is_err(), "the next sweep removes it");
    }
}
