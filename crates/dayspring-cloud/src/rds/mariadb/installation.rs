//! Where MariaDB is installed on this machine, and which version it is.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Places beside `PATH`: Debian keeps servers in `sbin`, which a user's `PATH` often lacks; Homebrew links nothing for
/// a keg that is not the default.
const PLACES: [&str; 5] = [
    "/usr/sbin",
    "/usr/local/sbin",
    "/opt/homebrew/opt/mariadb/bin",
    "/opt/homebrew/bin",
    "/usr/local/opt/mariadb/bin",
];

/// A `mariadbd` with the files that it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Installation {
    /// The server's program.
    pub(crate) program: PathBuf,
    /// Holds `mysql_system_tables.sql`, the messages and the character sets.
    pub(crate) share: PathBuf,
    /// As `mariadbd --version` prints it, for example `10.11.19-MariaDB-0+deb12u1`.
    pub(crate) version: String,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum InstallationError {
    #[error(
        "no `mariadbd` on PATH nor in {}; install MariaDB's server: `apt-get install mariadb-server-core` (Debian, Ubuntu), \
         `brew install mariadb` (macOS), `dnf install mariadb-server` (Fedora)",
        PLACES.join(", ")
    )]
    NotFound,
    #[error(
        "`{program}` has no `mysql_system_tables.sql` near it; install the whole package of MariaDB's server"
    )]
    NoScripts { program: PathBuf },
    #[error("`{program} --version` does not tell a version")]
    NoVersion { program: PathBuf },
    #[error("cannot run `{program} --version`")]
    CannotRun {
        program: PathBuf,
        source: std::io::Error,
    },
}

/// Which MariaDB the local cloud finds on this machine, and where.
///
/// # Errors
///
/// Why it finds none, in words.
pub fn mariadb_version() -> Result<String, String> {
    let path = std::env::var_os("PATH");
    let found = Installation::find(path.as_deref()).map_err(|error| error.to_string())?;
    Ok(format!("{} ({})", found.version, found.program.display()))
}

impl Installation {
    /// Looks for `mariadbd` on the given `PATH` and in the usual places.
    ///
    /// # Errors
    ///
    /// Nothing found, or found without its scripts, or its version is not readable.
    pub(crate) fn find(path: Option<&OsStr>) -> Result<Self, InstallationError> {
        let program = path
            .map(|path| std::env::split_paths(path).collect::<Vec<_>>())
            .unwrap_or_default()
            .into_iter()
            .chain(PLACES.iter().map(PathBuf::from))
            .map(|folder| folder.join("mariadbd"))
            .find(|program| program.is_file())
            .ok_or(InstallationError::NotFound)?;
        let share = share_folder(&program).ok_or_else(|| InstallationError::NoScripts {
            program: program.clone(),
        })?;
        let output = Command::new(&program)
            .args(["--no-defaults", "--version"])
            .output()
            .map_err(|source| InstallationError::CannotRun {
                program: program.clone(),
                source,
            })?;
        let version = parse_version(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| {
            InstallationError::NoVersion {
                program: program.clone(),
            }
        })?;
        Ok(Self {
            program,
            share,
            version,
        })
    }
}

/// The shared files lie beside the program's folder, under a name that the packagers chose. A package that was only
/// unpacked has the same shape as an installed one.
fn share_folder(program: &Path) -> Option<PathBuf> {
    let program = program.canonicalize().ok()?;
    let prefix = program.parent()?.parent()?;
    ["share/mysql", "share/mariadb"]
        .iter()
        .map(|folder| prefix.join(folder))
        .chain(["/usr/share/mysql", "/usr/share/mariadb"].map(PathBuf::from))
        .find(|folder| folder.join("mysql_system_tables.sql").is_file())
}

/// `... Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu ...` to the word after `Ver`.
fn parse_version(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    words.find(|word| *word == "Ver")?;
    words.next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_word_after_ver() {
        let text = "/usr/sbin/mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)\n";
        assert_eq!(
            parse_version(text).as_deref(),
            Some("10.11.19-MariaDB-0+deb12u1")
        );
        assert_eq!(parse_version("mariadbd"), None);
    }

    #[test]
    fn a_missing_server_says_how_to_install_it() {
        insta::assert_snapshot!(
            InstallationError::NotFound,
            @"no `mariadbd` on PATH nor in /usr/sbin, /usr/local/sbin, /opt/homebrew/opt/mariadb/bin, /opt/homebrew/bin, /usr/local/opt/mariadb/bin; install MariaDB's server: `apt-get install mariadb-server-core` (Debian, Ubuntu), `brew install mariadb` (macOS), `dnf install mariadb-server` (Fedora)"
        );
    }
}
