//! Reads a folder of scripts from the disk. The only place of this crate that knows files.

use std::path::Path;

use crate::script::{ScriptError, Scripts};

/// Reads the scripts in a folder; `shown` is how messages call the folder (`scripts/schema`).
///
/// # Errors
/// A folder or file that cannot be read, and what [`Scripts::parse`] refuses.
pub fn read_folder(folder: &Path, shown: &str) -> Result<Scripts, ScriptError> {
    let unreadable = |path: &Path, error: &std::io::Error| ScriptError::Read {
        path: path.display().to_string(),
        message: error.to_string(),
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let path = entry.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if !name.ends_with(".sql") {
            continue;
        }
        // The folder mostly knows what an entry is; only a link has to be followed.
        let kind = entry
            .file_type()
            .map_err(|error| unreadable(&path, &error))?;
        if kind.is_dir() || kind.is_symlink() && path.is_dir() {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        files.push((name.to_owned(), bytes));
    }
    Scripts::parse(shown, files)
}
