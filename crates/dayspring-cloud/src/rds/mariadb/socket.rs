//! Where a server's socket lies. A socket's path is limited to about a hundred bytes (`sun_path`: 108 on Linux, 104 on
//! macOS), and a project's folder may be deeper than that.

use std::path::{Path, PathBuf};

use super::{MariadbError, file_error, template};
use crate::rds::random;

const PATH_BYTES_MAX: usize = 100;

/// The socket's path and, where it had to lie elsewhere, the folder that was made for it.
#[derive(Debug)]
pub(super) struct SocketPlace {
    pub(super) path: PathBuf,
    temporary: Option<PathBuf>,
}

impl SocketPlace {
    /// Removes a socket of an earlier run, so that who connects reaches nobody but the server that is started next.
    pub(super) fn clear(&self) -> Result<(), MariadbError> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(file_error("remove", &self.path)(error))
            }
            _ => Ok(()),
        }
    }

    /// In the cluster's folder where the path is short enough, else in a short private folder of its own.
    pub(super) fn choose(folder: &Path, temporary: &Path) -> Result<Self, MariadbError> {
        let path = folder.join("sock");
        if path.as_os_str().len() <= PATH_BYTES_MAX {
            return Ok(Self {
                path,
                temporary: None,
            });
        }
        let temporary = temporary.join(format!("dayspring-{}", random::lowercase(8)));
        template::private_folder(&temporary)?;
        Ok(Self {
            path: temporary.join("sock"),
            temporary: Some(temporary),
        })
    }
}

impl Drop for SocketPlace {
    fn drop(&mut self) {
        if let Some(folder) = &self.temporary {
            // It may be gone already: the system clears its folder for temporary files when it likes.
            drop(std::fs::remove_dir_all(folder));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deep_folder_has_its_socket_in_a_short_one_for_as_long_as_it_is_used() {
        let temporary = tempfile::tempdir().unwrap();
        let near = SocketPlace::choose(Path::new("/a"), temporary.path()).unwrap();
        assert_eq!(near.path, Path::new("/a/sock"));

        let deep = Path::new("/").join("x".repeat(120));
        let place = SocketPlace::choose(&deep, temporary.path()).unwrap();
        let folder = place.path.parent().unwrap().to_owned();
        assert!(folder.is_dir() && folder.starts_with(temporary.path()));
        drop(place);
        assert!(!folder.exists());
    }
}
