//! Layers at `/opt`, where the system lets this user have mounts of a process's own.
//!
//! A process that has layers is started through `unshare` (util-linux), which gives it a mount namespace, and a shell,
//! which mounts its layers and becomes the process: its number, its group and its end are those of the program. Some ten
//! milliseconds are what that costs, and a function without layers does not pay them. Whether it works is tried once.
//! Elsewhere (macOS, a container without user namespaces) `DAYSPRING_LAYER_ROOT` says where the layers are.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use super::runtimes::Entrypoint;

/// Where AWS lays layers.
pub(super) const OPT: &str = "/opt";

/// Ends the shell where a step fails, with the code that shells have for what cannot be run.
const SCRIPT: &str = r#"mount --bind "$0" /opt || exit 126; exec "$@""#;

/// A user who may mount needs a mount namespace only; any other becomes the root of a user namespace first.
const WAYS: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];

/// What is known of this machine. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mounts {
    /// `None` where nothing works.
    way: Arc<OnceLock<Option<Way>>>,
}

/// What was seen to work.
#[derive(Debug)]
struct Way {
    unshare: PathBuf,
    flags: &'static [&'static str],
}

impl Mounts {
    /// The program started with the layers at `/opt`, or `None` where that cannot be. Blocks at its first call.
    pub(super) fn wrap(
        &self,
        entrypoint: &Entrypoint,
        task_root: &Path,
        layer_root: &Path,
    ) -> Option<Entrypoint> {
        let program = std::fs::canonicalize(&entrypoint.program).ok()?;
        // What lies under `/opt` would be hidden; a program that cannot be run is better told about by the system itself.
        let can_run = program.metadata().ok()?.permissions().mode() & 0o111 != 0;
        if program.starts_with(OPT) || task_root.starts_with(OPT) || !can_run {
            return None;
        }
        let way = self.way.get_or_init(|| find_way(layer_root)).as_ref()?;
        let mut arguments: Vec<String> = way.flags.iter().map(|flag| (*flag).to_owned()).collect();
        arguments.extend(["/bin/sh", "-c", SCRIPT].map(str::to_owned));
        arguments.push(layer_root.display().to_string());
        arguments.push(entrypoint.program.display().to_string());
        arguments.extend(entrypoint.arguments.iter().cloned());
        Some(Entrypoint {
            program: way.unshare.clone(),
            arguments,
            variables: entrypoint.variables.clone(),
            shown: entrypoint.shown.clone(),
        })
    }
}

fn find_way(layer_root: &Path) -> Option<Way> {
    let unshare = ["/usr/bin/unshare", "/bin/unshare"]
        .into_iter()
        .map(PathBuf::from)
        .find(|program| program.is_file())?;
    let works = |flags: &&[&str]| {
        Command::new(&unshare)
            .args(*flags)
            .args(["/bin/sh", "-c", SCRIPT])
            .arg(layer_root)
            .args(["/usr/bin/env", "test", "-d", OPT])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    let flags = WAYS.into_iter().find(works)?;
    Some(Way { unshare, flags })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mounts_would_hide_is_started_without_them() {
        let entrypoint = |program: &str| Entrypoint {
            program: PathBuf::from(program),
            arguments: Vec::new(),
            variables: Vec::new(),
            shown: String::new(),
        };
        let mounts = Mounts::default();
        let layer = tempfile::tempdir().unwrap();
        let wrap = |program: &str, task_root: &str| {
            mounts.wrap(&entrypoint(program), Path::new(task_root), layer.path())
        };
        assert_eq!(wrap("/bin/sh", "/opt/project/code"), None);
        assert_eq!(wrap("/opt/no/such/program", "/code"), None);
        let no_program = layer.path().join("text");
        std::fs::write(&no_program, "").unwrap();
        assert_eq!(wrap(&no_program.display().to_string(), "/code"), None);
        if let Some(wrapped) = wrap("/bin/sh", "/code") {
            assert!(wrapped.arguments.ends_with(&["/bin/sh".to_owned()]));
        }
    }
}
