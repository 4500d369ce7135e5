//! What the cloud remembers between runs: one JSON file per service, replaced atomically.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

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

/// A moment of a write. Tests end the process at each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteStep {
    /// The new value is in a file beside the old one.
    Written,
    /// It is in its place.
    Replaced,
}

static OBSERVER: OnceLock<fn(&Path, WriteStep)> = OnceLock::new();

/// Has every write of a state file announced from now on, for tests that end the process there.
#[doc(hidden)]
pub fn observe_state_writes(observer: fn(&Path, WriteStep)) {
    OBSERVER.get_or_init(|| observer);
}

fn announce(path: &Path, step: WriteStep) {
    if let Some(observer) = OBSERVER.get() {
        observer(path, step);
    }
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
        // Not for people to read: a stack's file is written after every resource.
        let text = serde_json::to_vec(value).map_err(|source| failed(source.into()))?;
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let new = self.path.with_extension("json.new");
        write_private(&new, &text).map_err(failed)?;
        announce(&self.path, WriteStep::Written);
        std::fs::rename(&new, &self.path).map_err(failed)?;
        announce(&self.path, WriteStep::Replaced);
        Ok(())
    }
}

/// Writes a file that its owner alone may read: secrets are among what is kept.
fn write_private(path: &std::path::Path, text: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::File::options();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_there_again_and_a_damaged_file_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/state.json");
        let file = StateFile::new(path.clone());
        assert_eq!(file.load::<Vec<u32>>().unwrap(), Vec::<u32>::new());
        file.save(&vec![1, 2]).unwrap();
        assert_eq!(file.load::<Vec<u32>>().unwrap(), [1, 2]);
        std::fs::write(&path, "[1,").unwrap();
        let error = file.load::<Vec<u32>>().unwrap_err();
        assert!(
            error.to_string().contains(&path.display().to_string()),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_is_kept_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        StateFile::new(path.clone()).save(&1).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
