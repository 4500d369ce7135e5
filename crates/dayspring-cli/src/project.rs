//! A project's folder, read.

use std::path::{Path, PathBuf};

use dayspring_stack::{Overrides, Project, Stage};

use crate::build::functions_found;
use crate::error::Error;

const PROJECT_FILE: &str = "dayspring.toml";

/// Whether a folder is a project's.
pub(crate) fn exists(folder: &Path) -> bool {
    folder.join(PROJECT_FILE).is_file()
}

/// A project as its folder holds it now.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) folder: PathBuf,
    pub(crate) project: Project,
}

impl Loaded {
    /// Reads and checks the project file, against the functions that are there.
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(PROJECT_FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::NoProject {
                    folder: folder.to_owned(),
                });
            }
            Err(error) => return Err(Error::read(path)(error)),
        };
        let functions = functions_found(folder)?;
        let functions: Vec<&str> = functions.iter().map(String::as_str).collect();
        let project =
            Project::parse(PROJECT_FILE, &text, &functions).map_err(|errors| Error::Project {
                report: errors.render(),
            })?;
        Ok(Self {
            folder: folder.to_owned(),
            project,
        })
    }

    pub(crate) fn stage(&self, name: &str, overrides: &Overrides) -> Result<Stage, Error> {
        self.project
            .stage(name, overrides)
            .map_err(|errors| Error::Project {
                report: errors.render(),
            })
    }
}
