//! The bootstrapped data folder: made once per version and options in the user's cache, copied for each cluster.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};

use super::{Installation, MariadbError, file_error, options};
use crate::rds::random;

/// The scripts of the package that make the system tables. Help tables, the `sys` schema and the performance schema
/// are left out: they cost seconds and nobody reads them here.
const SCRIPTS: [&str; 2] = ["mysql_system_tables.sql", "mysql_system_tables_data.sql"];

/// The package's own accounts, among them a root without a password, give way to the ones of `Setup`.
const NO_ACCOUNTS: &str =
    "DELETE FROM mysql.global_priv WHERE User = 'root';\nDELETE FROM mysql.proxies_priv;\n";

/// Makes `data`, a folder that a server can be started on. Blocks for as long as a bootstrap or a copy takes.
///
/// # Errors
///
/// The bootstrap fails, or a folder cannot be written.
pub(super) fn provide(
    installation: &Installation,
    cache: &Path,
    data: &Path,
) -> Result<(), MariadbError> {
    if data.exists() {
        return Ok(());
    }
    let template = cache.join(template_name(installation));
    if !template.exists() {
        bootstrap(installation, cache, &template)?;
    }
    // A copy that was cut short never has the final name.
    let unfinished = data.with_extension("new");
    remove_folder(&unfinished)?;
    copy_folder(&template, &unfinished)?;
    fs::rename(&unfinished, data).map_err(file_error("rename", &unfinished))
}

/// `mariadb-10.11.19-MariaDB-0+deb12u1-0123456789ab`.
fn template_name(installation: &Installation) -> String {
    let mut hash = Sha256::new();
    hash.update(installation.share.as_os_str().as_encoded_bytes());
    hash.update(NO_ACCOUNTS);
    for option in options::template_options() {
        hash.update(b"\0");
        hash.update(option);
    }
    let digits: String = hash
        .finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let version: String = installation
        .version
        .chars()
        .map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '+' | '_' => character,
            _ => '_',
        })
        .collect();
    format!("mariadb-{version}-{digits}")
}

/// Bootstraps in a folder of its own and gives it its name at the end, so that two processes can do it at once: the
/// second to finish finds the name taken and drops its own.
fn bootstrap(
    installation: &Installation,
    cache: &Path,
    template: &Path,
) -> Result<(), MariadbError> {
    private_folder(cache)?;
    let unfinished = cache.join(format!(".new-{}", random::lowercase(12)));
    private_folder(&unfinished)?;
    private_folder(&options::temporary_folder(&unfinished))?;
    let result = run_bootstrap(installation, &unfinished).and_then(|()| {
        match fs::rename(&unfinished, template) {
            Ok(()) => Ok(()),
            Err(_) if template.exists() => remove_folder(&unfinished),
            Err(source) => Err(file_error("rename", &unfinished)(source)),
        }
    });
    remove_folder(&options::temporary_folder(&unfinished))?;
    if result.is_err() {
        remove_folder(&unfinished)?;
    }
    result
}

fn run_bootstrap(installation: &Installation, data: &Path) -> Result<(), MariadbError> {
    let mut input = b"CREATE DATABASE mysql;\nUSE mysql;\n".to_vec();
    for script in SCRIPTS {
        let path = installation.share.join(script);
        input.extend(fs::read(&path).map_err(file_error("read", &path))?);
        input.push(b'\n');
    }
    input.extend(NO_ACCOUNTS.as_bytes());

    let log_path = data.with_extension("log");
    let log = fs::File::create(&log_path).map_err(file_error("create", &log_path))?;
    let mut child = Command::new(&installation.program)
        .args(options::bootstrap(installation, data))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map_err(|source| MariadbError::Spawn {
            program: installation.program.clone(),
            source,
        })?;
    // A server that ends early closes the pipe; its log says why, so the write's own error tells nothing more.
    let written = child
        .stdin
        .take()
        .is_some_and(|mut stdin| stdin.write_all(&input).is_ok());
    let status = child
        .wait()
        .map_err(file_error("wait for", &installation.program))?;
    let tail = super::log_tail(&log_path);
    fs::remove_file(&log_path).map_err(file_error("remove", &log_path))?;
    if written && status.success() {
        Ok(())
    } else {
        Err(MariadbError::Bootstrap { log: tail })
    }
}

/// Makes a folder that only its owner can read.
pub(super) fn private_folder(folder: &Path) -> Result<(), MariadbError> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(file_error("create", folder))
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), MariadbError> {
    private_folder(to)?;
    let entries: Vec<PathBuf> = fs::read_dir(from)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect()
        })
        .map_err(file_error("read", from))?;
    for entry in entries {
        let target = to.join(entry.file_name().unwrap_or_default());
        if entry.is_dir() {
            copy_folder(&entry, &target)?;
        } else {
            fs::copy(&entry, &target).map_err(file_error("copy", &entry))?;
        }
    }
    Ok(())
}

fn remove_folder(folder: &Path) -> Result<(), MariadbError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(file_error("remove", folder)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_processes_may_bootstrap_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let installation = Installation::find(std::env::var_os("PATH").as_deref()).unwrap();
        let cache = folder.path().join("cache");
        std::thread::scope(|scope| {
            for name in ["a", "b"] {
                let (installation, cache) = (&installation, &cache);
                let data = folder.path().join(name);
                scope.spawn(move || provide(installation, cache, &data).unwrap());
            }
        });
        for name in ["a", "b"] {
            let data = folder.path().join(name);
            assert!(data.join("ibdata1").is_file() && data.join("mysql/global_priv.MAD").is_file());
        }
        // Nothing unfinished is left.
        assert_eq!(fs::read_dir(&cache).unwrap().count(), 1);
    }
}
