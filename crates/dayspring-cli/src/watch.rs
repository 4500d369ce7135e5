//! Changes of a project's files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::error::Error;

/// Editors write a file in several steps: a change counts when nothing followed it for this long.
const QUIET: Duration = Duration::from_millis(60);

/// What changed since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changed {
    /// Only scripts: the functions' binary is the same.
    Scripts,
    Anything,
}

/// A watched project. Dropping it ends the watch.
#[derive(Debug)]
pub(crate) struct Watch {
    folder: PathBuf,
    scripts: PathBuf,
    paths: mpsc::UnboundedReceiver<PathBuf>,
    watcher: RecommendedWatcher,
}

impl Watch {
    /// Watches the folder, but for what builds and runs write into it. `scripts` is relative to the folder.
    pub(crate) fn start(folder: &Path, scripts: &Path) -> Result<Self, Error> {
        // The watcher reports real paths.
        let folder = folder.canonicalize().map_err(Error::read(folder))?;
        let (sender, paths) = mpsc::unbounded_channel();
        let failed = |error: notify::Error| Error::Watch {
            path: folder.clone(),
            message: error.to_string(),
        };
        let mut watcher =
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                let Ok(event) = event else { return };
                if !matches!(event.kind, EventKind::Access(_)) {
                    for path in event.paths {
                        // The receiver is gone only when the watch is over.
                        drop(sender.send(path));
                    }
                }
            })
            .map_err(failed)?;
        watcher
            .watch(&folder, RecursiveMode::NonRecursive)
            .map_err(failed)?;
        let scripts = folder.join(scripts);
        let mut watch = Self {
            folder,
            scripts,
            paths,
            watcher,
        };
        watch.watch_subfolders()?;
        Ok(watch)
    }

    /// Waits for a change, and for the quiet after it.
    pub(crate) async fn changed(&mut self) -> Changed {
        let mut changed = None;
        loop {
            let next = self.paths.recv();
            let path = match changed {
                None => next.await,
                Some(so_far) => match tokio::time::timeout(QUIET, next).await {
                    Ok(path) => path,
                    Err(_) => return so_far,
                },
            };
            let Some(path) = path else {
                // The watcher is gone: nothing will ever change.
                return std::future::pending().await;
            };
            if self.is_noise(&path) {
                continue;
            }
            if path.parent() == Some(&self.folder) && path.is_dir() {
                // A new folder; it is no error if it is gone again.
                drop(self.watcher.watch(&path, RecursiveMode::Recursive));
            }
            let this = if path.starts_with(&self.scripts) {
                Changed::Scripts
            } else {
                Changed::Anything
            };
            changed = Some(if changed.is_none_or(|so_far| so_far == this) {
                this
            } else {
                Changed::Anything
            });
        }
    }

    /// The folder itself is watched flat, and each of its folders whole, so that `target/` costs nothing.
    fn watch_subfolders(&mut self) -> Result<(), Error> {
        for entry in std::fs::read_dir(&self.folder).map_err(Error::read(&self.folder))? {
            let path = entry.map_err(Error::read(&self.folder))?.path();
            if path.is_dir() && !self.is_noise(&path) {
                self.watcher
                    .watch(&path, RecursiveMode::Recursive)
                    .map_err(|error| Error::Watch {
                        path,
                        message: error.to_string(),
                    })?;
            }
        }
        Ok(())
    }

    fn is_noise(&self, path: &Path) -> bool {
        let Ok(relative) = path.strip_prefix(&self.folder) else {
            return true;
        };
        let first = relative
            .components()
            .next()
            .map(|first| first.as_os_str().to_string_lossy().into_owned());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        first.is_none_or(|first| first == "target" || first == "cdk.out" || first.starts_with('.'))
            || name.starts_with('.')
            || name.starts_with('#')
            || name.ends_with('~')
            || name.ends_with(".swp")
            || name == "4913" // Vim's probe for write access
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("scripts/schema")).unwrap();
        std::fs::create_dir_all(folder.path().join("functions")).unwrap();
        std::fs::create_dir_all(folder.path().join("target/debug")).unwrap();
        folder
    }

    fn watch(folder: &tempfile::TempDir) -> Watch {
        Watch::start(folder.path(), Path::new("scripts/schema")).unwrap()
    }

    #[tokio::test]
    async fn a_changed_script_is_told_from_a_changed_source() {
        let folder = project();
        let mut watch = watch(&folder);
        std::fs::write(folder.path().join("scripts/schema/v1.sql"), "SELECT 1;").unwrap();
        assert_eq!(watch.changed().await, Changed::Scripts);
        std::fs::write(folder.path().join("functions/main.rs"), "fn main() {}").unwrap();
        assert_eq!(watch.changed().await, Changed::Anything);
    }

    #[tokio::test]
    async fn what_a_build_writes_is_no_change() {
        let folder = project();
        let mut watch = watch(&folder);
        std::fs::write(folder.path().join("target/debug/bootstrap"), "").unwrap();
        std::fs::create_dir_all(folder.path().join(".dayspring")).unwrap();
        std::fs::write(folder.path().join("functions/.main.rs.swp"), "").unwrap();
        std::fs::write(folder.path().join("scripts/schema/v2.sql"), "SELECT 2;").unwrap();
        assert_eq!(watch.changed().await, Changed::Scripts);
    }
}
