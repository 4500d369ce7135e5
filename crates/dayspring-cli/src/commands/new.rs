use std::path::{Path, PathBuf};

use clap::Args;
use dayspring_stack::ProjectName;

use crate::error::Error;
use crate::template::{self, File};
use crate::ui::Ui;

/// Write a project that runs as it is
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// The project's name, and its folder's: lower-case letters, digits and dashes
    name: String,
    /// The folder of the `dayspring` crate, or of a checkout that has it under crates/. Otherwise the checkout that this
    /// command was built from
    #[arg(long, value_name = "PATH")]
    dayspring_path: Option<PathBuf>,
}

/// Where this command's own source was when it was built.
const BUILT_FROM: &str = env!("CARGO_MANIFEST_DIR");

pub(crate) fn new(ui: Ui, args: &NewArgs) -> Result<(), Error> {
    let name: ProjectName = args
        .name
        .parse()
        .map_err(|invalid: dayspring_stack::Invalid| Error::NewName {
            name: args.name.clone(),
            message: invalid.to_string(),
        })?;
    let library = library(args.dayspring_path.as_deref())?;
    let folder = PathBuf::from(name.as_str());
    // Fails where there is something already, even an empty folder: it is somebody's.
    std::fs::create_dir(&folder).map_err(Error::write(&folder))?;
    for File { path, text } in template::files(&name, &library) {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(Error::write(parent))?;
        }
        std::fs::write(&path, text).map_err(Error::write(&path))?;
    }
    ui.status("Created", &format!("{name}/"));
    ui.detail(&format!("cd {name} && dayspring dev"));
    ui.result(name.as_str());
    Ok(())
}

/// The absolute path of the `dayspring` crate: there is no published one yet.
fn library(named: Option<&Path>) -> Result<PathBuf, Error> {
    let crate_in = |folder: &Path| {
        let candidates = [folder.to_owned(), folder.join("crates/dayspring")];
        candidates.into_iter().find(|folder| is_library(folder))
    };
    let found = match named {
        Some(folder) => crate_in(folder),
        None => Path::new(BUILT_FROM)
            .parent()
            .and_then(|crates| crate_in(&crates.join("dayspring"))),
    };
    let folder = found.ok_or_else(|| Error::NoLibrary {
        looked_in: named.map_or_else(|| PathBuf::from(BUILT_FROM), Path::to_owned),
    })?;
    std::fs::canonicalize(&folder).map_err(Error::read(folder))
}

fn is_library(folder: &Path) -> bool {
    std::fs::read_to_string(folder.join("Cargo.toml"))
        .is_ok_and(|manifest| manifest.lines().any(|line| line == "name = \"dayspring\""))
}
