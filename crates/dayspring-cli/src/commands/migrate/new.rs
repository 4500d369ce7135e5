use std::io::Write as _;
use std::path::Path;

use clap::Args;
use dayspring_migrate::{ScriptId, Scripts};

use super::database::ScriptsArgs;
use crate::error::Error;
use crate::ui::Ui;

/// Write the next script, numbered after the last, and print its path
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// What it does, as in `add_email`
    name: String,
    #[command(flatten)]
    scripts: ScriptsArgs,
}

const NAME_CHARS_MAX: usize = 100;

pub(super) fn new(ui: Ui, args: &NewArgs) -> Result<(), Error> {
    let name = checked(&args.name)?;
    let (folder, shown) = args.scripts.folder()?;
    std::fs::create_dir_all(&folder).map_err(Error::write(&folder))?;
    let number = 1 + newest(&folder, &shown)?;
    let file_name = format!("v{number}_{name}.sql");
    let path = folder.join(&file_name);
    let mut file = std::fs::File::create_new(&path).map_err(Error::write(&path))?;
    file.write_all(header(&name).as_bytes())
        .map_err(Error::write(&path))?;
    ui.result(
        &path
            .strip_prefix(".")
            .unwrap_or(&path)
            .display()
            .to_string(),
    );
    Ok(())
}

fn checked(name: &str) -> Result<String, Error> {
    let fits = !name.is_empty()
        && name.len() <= NAME_CHARS_MAX
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if fits {
        Ok(name.to_owned())
    } else {
        Err(Error::ScriptName {
            name: name.to_owned(),
        })
    }
}

/// The highest number of the scripts that are there. Only their names count: the last one may be unfinished.
fn newest(folder: &Path, shown: &str) -> Result<u64, Error> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::read(folder))? {
        let name = entry.map_err(Error::read(folder))?.file_name();
        names.extend(name.to_str().map(str::to_owned));
    }
    // The engine's own rules for names, on scripts that have nothing wrong but perhaps those.
    let files = names.iter().map(|name| (name, "SELECT 1"));
    Scripts::parse(shown, files).map_err(Error::scripts)?;
    let numbers = names
        .iter()
        .filter_map(|name| ScriptId::parse(name))
        .map(|id| id.version.number());
    Ok(numbers.max().unwrap_or(0))
}

fn header(name: &str) -> String {
    let words = name.replace(['_', '-'], " ");
    format!(
        "-- {words}\n--\n-- Once a statement here is applied it stays as it is; a later change is a new script.\n\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_word_that_every_file_system_knows() {
        assert!(
            ["add_email", "Add-Email2"]
                .iter()
                .all(|name| checked(name).is_ok())
        );
        assert!(
            ["", "a b", "../a", "a.contract", "é"]
                .iter()
                .all(|name| checked(name).is_err())
        );
        assert!(checked(&"a".repeat(101)).is_err());
    }
}
