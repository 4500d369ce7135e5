//! What the cloud remembers between runs: one JSON file per service, replaced atomically.

use std::path::PathBuf;

use serde::{Serialize, de::DeserializeOwned};

/// A service's file under the state folder.
#[derive(Debug, Clone)]
pub(crate) struct StateFile {
    path: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error("cannot read the state file {path}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("the state file {path} is damaged; move it away to start afresh")]
    Damaged {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("cannot write the state file {path}")]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
}

impl StateFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The stored value, or the default where nothing was stored yet.
    pub(crate) fn load<T: DeserializeOwned + Default>(&self) -> Result<T, StateError> {
        let text = match std::fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(T::default()),
            Err(source) => {
                return Err(StateError::Read {
                    path: self.path.clone(),
                    source,
                });
            }
        };
        serde_json::from_slice(&text).map_err(|source| StateError::Damaged {
            path: self.path.clone(),
            source,
        })
    }

    /// Replaces the stored value: a reader sees the old one or the new one, never a part.
    pub(crate) fn save<T: Serialize>(&self, value: &T) -> Result<(), StateError> {
        let failed = |source| StateError::Write {
            path: self.path.clone(),
            source,
        };
        let text = serde_json::to_vec_pretty(value).map_err(|source| failed(source.into()))?;
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let new = self.path.with_extension("json.new");
        std::fs::write(&new, text).map_err(failed)?;
        std::fs::rename(&new, &self.path).map_err(failed)
    }
}
