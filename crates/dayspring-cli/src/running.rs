//! The `dayspring dev` that runs for a project, for other commands to find.

use std::path::{Path, PathBuf};

use crate::aws::Target;
use crate::error::Error;

/// Says where a cloud answers, for as long as it is kept.
#[derive(Debug)]
pub(crate) struct Running {
    file: PathBuf,
}

impl Running {
    pub(crate) fn announce(folder: &Path, endpoint_url: &str) -> Result<Self, Error> {
        let file = file(folder);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent).map_err(Error::write(parent))?;
        }
        std::fs::write(&file, endpoint_url).map_err(Error::write(&file))?;
        Ok(Self { file })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Left behind, it would name an address at which nothing answers, and the next command would say so.
        drop(std::fs::remove_file(&self.file));
    }
}

/// Where the calls of a command go that works on what is deployed: the named endpoint, then AWS_ENDPOINT_URL, then the
/// `dayspring dev` that runs for this project (that is the stack that a person who is developing looks at), then AWS.
pub(crate) fn target(folder: &Path, endpoint_url: Option<&str>, region: Option<&str>) -> Target {
    let from_environment = || std::env::var("AWS_ENDPOINT_URL").ok();
    Target {
        endpoint_url: endpoint_url
            .map(str::to_owned)
            .or_else(from_environment)
            .or_else(|| running_at(folder)),
        region: region.map(str::to_owned),
    }
}

/// Whether the target is the `dayspring dev` that runs for this project.
pub(crate) fn is(folder: &Path, target: &Target) -> bool {
    target.endpoint_url.is_some() && target.endpoint_url == running_at(folder)
}

fn running_at(folder: &Path) -> Option<String> {
    std::fs::read_to_string(file(folder)).ok()
}

fn file(folder: &Path) -> PathBuf {
    folder.join(".dayspring/endpoint-url")
}
