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
    ignored: Ignored,
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
            ignored: Ignored::read(&folder),
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
        match path.strip_prefix(&self.folder) {
            Ok(relative) => {
                is_noise(relative, path.starts_with(&self.scripts)) || self.ignored.has(relative)
            }
            Err(_) => true,
        }
    }
}

/// Whether a change of a path, relative to the project's folder, changes nothing of what is deployed.
fn is_noise(path: &Path, is_script: bool) -> bool {
    let first = path.components().next();
    let first = first.map(|first| first.as_os_str().to_string_lossy().into_owned());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_of_an_editor = (name.starts_with('.') && name != ".cargo")
        || name.starts_with('#')
        || name.ends_with('~')
        || [".swp", ".swx", ".tmp", ".bak", ".orig"]
            .iter()
            .any(|suffix| name.ends_with(suffix))
        || name == "4913"; // Vim's probe for write access
    let is_elsewhere = first.is_none_or(|first| {
        // Cargo's own settings are the one folder of this kind that a build reads.
        first == "target" || first == "cdk.out" || (first.starts_with('.') && first != ".cargo")
    });
    // What is in the folder itself and no input of cargo's: notes, exports, an event for `invoke`.
    let is_loose = path.components().count() == 1
        && !["dayspring.toml", "Cargo.toml", "Cargo.lock"].contains(&&*name)
        && !matches!(
            path.extension().and_then(|extension| extension.to_str()),
            None | Some("rs" | "toml")
        );
    let is_no_script = is_script && path.extension().is_some_and(|extension| extension != "sql");
    is_elsewhere || is_of_an_editor || is_loose || is_no_script
}

/// What the project's `.gitignore` names by plain names, which is nearly all that such files do: `/out`, `*.log`, `notes/`.
/// A pattern that is harder is not understood, and what it names is watched.
#[derive(Debug, Default)]
struct Ignored {
    names: Vec<String>,
    suffixes: Vec<String>,
    roots: Vec<PathBuf>,
}

impl Ignored {
    fn read(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join(".gitignore")).unwrap_or_default();
        Self::parse(&text)
    }

    fn parse(text: &str) -> Self {
        let mut ignored = Self::default();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        // An exception could be to any of them.
        if lines.iter().any(|line| line.starts_with('!')) {
            return ignored;
        }
        for line in lines {
            let plain = line.trim_end_matches('/');
            let is_hard = |text: &str| text.contains(['*', '?', '[', '\\']);
            if plain.is_empty() || line.starts_with('#') {
                continue;
            }
            match plain.strip_prefix('*') {
                Some(suffix) if !is_hard(suffix) && !suffix.contains('/') => {
                    ignored.suffixes.push(suffix.to_owned());
                }
                _ if is_hard(plain) => {}
                _ if plain.contains('/') => {
                    ignored.roots.push(plain.trim_start_matches('/').into());
                }
                _ => ignored.names.push(plain.to_owned()),
            }
        }
        ignored
    }

    fn has(&self, path: &Path) -> bool {
        let parts = || path.iter().map(|part| part.to_string_lossy());
        self.roots.iter().any(|root| path.starts_with(root))
            || parts().any(|part| {
                self.names.iter().any(|name| *name == part)
                    || self
                        .suffixes
                        .iter()
                        .any(|suffix| part.ends_with(suffix.as_str()))
            })
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
        // A system that is slow to tell of the first change tells of it once more.
        while watch.changed().await != Changed::Anything {}
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

    #[test]
    fn only_what_a_build_or_a_migration_reads_is_a_change() {
        let changes = |path: &str| !is_noise(Path::new(path), path.starts_with("scripts/schema"));
        for path in [
            "dayspring.toml",
            "Cargo.toml",
            "Cargo.lock",
            "build.rs",
            ".cargo/config.toml",
            "functions/get_posts.rs",
            "functions/page.html",
            "scripts/schema/v2.sql",
            "src",
        ] {
            assert!(changes(path), "{path}");
        }
        for path in [
            "README.md",
            "event.json",
            ".git/index",
            ".dayspring/cloud/state.json",
            "target/debug/bootstrap",
            "functions/.get_posts.rs.swp",
            "functions/get_posts.rs~",
            "functions/#get_posts.rs#",
            "functions/4913",
            "scripts/schema/notes.md",
        ] {
            assert!(!changes(path), "{path}");
        }
    }

    #[test]
    fn what_git_ignores_by_its_name_is_no_change() {
        let ignored =
            Ignored::parse("# built\n/target\nnotes/\n*.log\nout/web\nfunctions/*.gen.rs\n");
        let has = |path: &str| ignored.has(Path::new(path));
        assert!(
            has("target/debug")
                && has("functions/notes/a.rs")
                && has("out/web/a")
                && has("functions/a.log")
        );
        assert!(!has("functions/a.rs") && !has("out/a") && !has("functions/a.gen.rs"));
        assert!(!Ignored::parse("*.log\n!keep.log\n").has(Path::new("a.log")));
    }
}
