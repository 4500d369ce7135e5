//! A process's own view of the files, where the system lets this user have mounts of a process's own: its code at
//! `/var/task`, which it cannot write, its layers at `/opt`, and a `/tmp` of its own.
//!
//! A process is started through `unshare` (util-linux), which gives it a mount namespace, and a shell, which mounts and
//! becomes the process: its number, its group and its end are those of the program. That costs some ten milliseconds. What
//! works is tried once:
//!
//! 1. All of it: a read-only overlay lays a folder `task` over `/var`, and `/tmp` is in memory with the size that
//!    `EphemeralStorage` names. It cannot be where the process needs something that these would hide (an interpreter in
//!    `/tmp`).
//! 2. Layers at `/opt` alone.
//! 3. Elsewhere (macOS, a container without user namespaces) nothing is mounted, and `LAMBDA_TASK_ROOT` and
//!    `DAYSPRING_LAYER_ROOT` say where code and layers are.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use super::runtimes::Entrypoint;
use super::sandbox::Namespaces;
use super::variables::PATH;

/// Where AWS lays layers.
pub(super) const OPT: &str = "/opt";

/// Where AWS lays code, and the name of that folder in `/var`.
const TASK: &str = "/var/task";
pub(super) const TASK_NAME: &str = "task";

/// A user who may mount needs a mount namespace only; any other becomes the root of a user namespace first.
const WAYS: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];

/// Each script ends where a step fails, with the code that shells have for what cannot be run. A shell of one kind calls
/// the limit of processes `-u`, one of another `-p`; the system counts them for each user namespace, and not for root.
const LAYERS_ONLY: &str = r#"mount --bind "$0" /opt || exit 126; exec "$@""#;
const WHOLE: &str = r#"
if [ -n "$2" ]; then mount --bind "$2" /opt || exit 126; fi
mount -t overlay -o "lowerdir=$0:/var" overlay /var || exit 126
mount -t tmpfs -o "size=$1m,mode=1777,nosuid,nodev" tmpfs /tmp || exit 126
shift 2
cd /var/task || exit 126
ulimit -u 1024 2>/dev/null || ulimit -p 1024 2>/dev/null
exec "$@""#;
/// What is mounted is there already.
const AGAIN: &str = r#"
cd /var/task || exit 126
ulimit -u 1024 2>/dev/null || ulimit -p 1024 2>/dev/null
exec "$@""#;

/// What a process is to find.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) task_root: &'a Path,
    /// A folder whose folder [`TASK_NAME`] has the code, where there is one.
    pub(super) task_view: Option<&'a Path>,
    pub(super) layer_root: Option<&'a Path>,
    /// How large its `/tmp` is.
    pub(super) tmp_mib: u32,
    /// Namespaces of a process before it, with its `/tmp`.
    pub(super) kept: Option<&'a Namespaces>,
}

/// How a process is started, and where it then finds its code and its layers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) entrypoint: Entrypoint,
    pub(super) task_root: PathBuf,
    pub(super) layer_root: Option<PathBuf>,
    /// Its working folder, until it changes that itself.
    pub(super) folder: PathBuf,
    pub(super) has_own_tmp: bool,
}

/// What is known of this machine. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mounts {
    /// `None` where nothing works.
    whole: Arc<OnceLock<Option<Way>>>,
    layers_only: Arc<OnceLock<Option<Way>>>,
}

/// What was seen to work.
#[derive(Debug)]
struct Way {
    unshare: PathBuf,
    flags: &'static [&'static str],
}

impl Mounts {
    /// With as much of its own view as can be. Blocks at its first call.
    pub(super) fn start(&self, entrypoint: Entrypoint, wanted: &Wanted<'_>) -> Start {
        if let Some(start) = self.whole(&entrypoint, wanted) {
            return start;
        }
        if let Some(entrypoint) = self.layers_only(&entrypoint, wanted) {
            return Start {
                entrypoint,
                task_root: wanted.task_root.to_owned(),
                layer_root: Some(PathBuf::from(OPT)),
                folder: wanted.task_root.to_owned(),
                has_own_tmp: false,
            };
        }
        Start {
            entrypoint,
            task_root: wanted.task_root.to_owned(),
            layer_root: wanted.layer_root.map(Path::to_owned),
            folder: wanted.task_root.to_owned(),
            has_own_tmp: false,
        }
    }

    /// Whether code may have to be nested for a view.
    pub(super) fn may_be_whole(&self) -> bool {
        cfg!(target_os = "linux") && !matches!(self.whole.get(), Some(None))
    }

    #[cfg(test)]
    pub(super) fn are_whole(&self) -> bool {
        matches!(self.whole.get(), Some(Some(_)))
    }

    fn whole(&self, entrypoint: &Entrypoint, wanted: &Wanted<'_>) -> Option<Start> {
        let view = wanted.task_view?.to_str()?;
        // They would have to be escaped, and `/var` cannot be laid over itself.
        if view.contains([':', ',', '\\', '"']) || view.starts_with("/var/") {
            return None;
        }
        if !can_run(&entrypoint.program) {
            return None;
        }
        let inside = seen(entrypoint, wanted)?;
        let layer_root = match wanted.layer_root {
            Some(layer_root) => layer_root.to_str()?,
            None => "",
        };
        let size = wanted.tmp_mib.to_string();
        let mounted = [WHOLE, view, &size, layer_root];
        let way = self
            .whole
            .get_or_init(|| find_way(&mounted, "test -x /var/task && test -w /tmp"))
            .as_ref()?;
        let (program, mut arguments) = wanted
            .kept
            .and_then(again)
            .unwrap_or_else(|| (way.unshare.clone(), way.arguments(&mounted)));
        arguments.push(inside.program.display().to_string());
        arguments.extend(inside.arguments);
        Some(Start {
            entrypoint: Entrypoint {
                program,
                arguments,
                variables: inside.variables,
                shown: inside.shown,
            },
            task_root: PathBuf::from(TASK),
            layer_root: wanted.layer_root.map(|_| PathBuf::from(OPT)),
            folder: PathBuf::from("/"),
            has_own_tmp: true,
        })
    }

    fn layers_only(&self, entrypoint: &Entrypoint, wanted: &Wanted<'_>) -> Option<Entrypoint> {
        let layer_root = wanted.layer_root?;
        let program = std::fs::canonicalize(&entrypoint.program).ok()?;
        // What lies under `/opt` would be hidden.
        if program.starts_with(OPT) || wanted.task_root.starts_with(OPT) || !can_run(&program) {
            return None;
        }
        let mounted = [LAYERS_ONLY, layer_root.to_str()?];
        let way = self
            .layers_only
            .get_or_init(|| find_way(&mounted, "test -d /opt"))
            .as_ref()?;
        let mut arguments = way.arguments(&mounted);
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

impl Way {
    /// The shell's script and what it mounts; the program follows.
    fn arguments(&self, mounted: &[&str]) -> Vec<String> {
        let shell = ["--propagation", "slave", "/bin/sh", "-c"];
        let parts = self.flags.iter().chain(&shell).chain(mounted);
        parts.map(|part| (*part).to_owned()).collect()
    }
}

/// Into namespaces that are there.
fn again(kept: &Namespaces) -> Option<(PathBuf, Vec<String>)> {
    let nsenter = find_program("nsenter")?;
    let own = std::process::id();
    let path = |file: &File| format!("/proc/{own}/fd/{}", file.as_raw_fd());
    let mut arguments = vec![format!("--mount={}", path(&kept.mount))];
    if let Some(user) = &kept.user {
        arguments.insert(0, format!("--user={}", path(user)));
        arguments.insert(1, "--preserve-credentials".to_owned());
    }
    arguments.extend(["/bin/sh", "-c", AGAIN, "sh"].map(str::to_owned));
    Some((nsenter, arguments))
}

/// The entrypoint as it is called inside, or `None` where a part of it would be hidden.
fn seen(entrypoint: &Entrypoint, wanted: &Wanted<'_>) -> Option<Entrypoint> {
    let path = |text: &str| seen_path(text, wanted);
    // A program may be a link to what is hidden.
    let real = |program: &Path| {
        let real = std::fs::canonicalize(program).ok()?;
        path(real.to_str()?)
    };
    if let Some(interpreter) = interpreter(&head_of(&entrypoint.program)) {
        path(interpreter.to_str()?)?;
        real(&interpreter)?;
    }
    let program = path(entrypoint.program.to_str()?)?;
    if Path::new(&program) == entrypoint.program {
        real(&entrypoint.program)?;
    }
    let arguments = entrypoint.arguments.iter();
    let variables = entrypoint.variables.iter().map(|(name, value)| {
        let parts: Option<Vec<String>> = value.split(':').map(path).collect();
        Some((*name, parts?.join(":")))
    });
    Some(Entrypoint {
        program: PathBuf::from(program),
        arguments: arguments.map(|text| path(text)).collect::<Option<_>>()?,
        variables: variables.collect::<Option<_>>()?,
        shown: entrypoint.shown.clone(),
    })
}

/// A path as it is inside; what is no absolute path is as it was.
fn seen_path(text: &str, wanted: &Wanted<'_>) -> Option<String> {
    let path = Path::new(text);
    let roots = [(Some(wanted.task_root), TASK), (wanted.layer_root, OPT)];
    for (root, inside) in roots {
        if let Some(rest) = root.and_then(|root| path.strip_prefix(root).ok()) {
            let seen = if rest.as_os_str().is_empty() {
                PathBuf::from(inside)
            } else {
                Path::new(inside).join(rest)
            };
            return Some(seen.display().to_string());
        }
    }
    let hides_opt = wanted.layer_root.is_some();
    let is_hidden = path.starts_with("/tmp")
        || path.starts_with("/var")
        || (hides_opt && path.starts_with(OPT));
    (!is_hidden).then(|| text.to_owned())
}

/// Whether the shell can become it. What it cannot is better told about by the system itself: a program without the right
/// to be run, one for another kind of machine, one whose interpreter is not there.
fn can_run(program: &Path) -> bool {
    let is_executable = |path: &Path| {
        path.metadata()
            .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    let head = head_of(program);
    if !is_executable(program) {
        return false;
    }
    if let Some(interpreter) = interpreter(&head) {
        return is_executable(&interpreter);
    }
    // Of an ELF file: its class, its order of bytes, and its machine.
    let kind = |head: &[u8]| Some((head.get(..6)?.to_owned(), head.get(18..20)?.to_owned()));
    head.starts_with(b"\x7fELF") && kind(&head) == kind(&head_of(Path::new("/bin/sh")))
}

/// What a script says in its first line.
fn interpreter(head: &[u8]) -> Option<PathBuf> {
    let line = String::from_utf8_lossy(head.strip_prefix(b"#!")?);
    let line = line.lines().next().unwrap_or_default();
    Some(line.split_whitespace().next().unwrap_or_default().into())
}

fn head_of(program: &Path) -> Vec<u8> {
    const HEAD_BYTES: u64 = 256;
    let mut head = Vec::new();
    // What cannot be read has an empty one.
    drop(File::open(program).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head)));
    head
}

fn find_way(mounted: &[&str], check: &str) -> Option<Way> {
    let unshare = find_program("unshare")?;
    let found = WAYS.into_iter().find(|flags| {
        let way = Way {
            unshare: unshare.clone(),
            flags,
        };
        Command::new(&way.unshare)
            .args(way.arguments(mounted))
            .args(["/bin/sh", "-c", check])
            .env_clear()
            .env("PATH", PATH)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    });
    let flags = found?;
    Some(Way { unshare, flags })
}

fn find_program(name: &str) -> Option<PathBuf> {
    ["/usr/bin", "/bin"]
        .into_iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entrypoint(program: &str, arguments: &[&str]) -> Entrypoint {
        Entrypoint {
            program: PathBuf::from(program),
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            variables: vec![("PYTHONPATH", "/code/f:/layers/l/python".to_owned())],
            shown: String::new(),
        }
    }

    fn wanted<'a>(task_root: &'a str, layer_root: Option<&'a Path>) -> Wanted<'a> {
        Wanted {
            task_root: Path::new(task_root),
            task_view: None,
            layer_root,
            tmp_mib: 512,
            kept: None,
        }
    }

    #[test]
    fn what_layers_would_hide_is_started_without_them() {
        let mounts = Mounts::default();
        let layer = tempfile::tempdir().unwrap();
        let wrap = |program: &str, task_root: &str| {
            mounts.layers_only(
                &entrypoint(program, &[]),
                &wanted(task_root, Some(layer.path())),
            )
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

    #[test]
    fn paths_are_called_as_they_are_inside_and_what_is_hidden_is_none() {
        let layer = Path::new("/layers/l");
        let with_layer = wanted("/code/f", Some(layer));
        let inside = seen(
            &entrypoint(
                "/bin/sh",
                &["-m", "awslambdaric", "/code/f/x.py", "app.handler"],
            ),
            &with_layer,
        )
        .unwrap();
        assert_eq!(
            inside.arguments,
            ["-m", "awslambdaric", "/var/task/x.py", "app.handler"]
        );
        assert_eq!(inside.variables[0].1, "/var/task:/opt/python");
        let path = |text: &str, wanted: &Wanted<'_>| seen_path(text, wanted);
        assert_eq!(path("/code/f", &with_layer).as_deref(), Some("/var/task"));
        assert_eq!(path("/code/fg", &with_layer).as_deref(), Some("/code/fg"));
        assert_eq!(path("/opt/node/bin/node", &with_layer), None);
        let bare = wanted("/tmp/code/f", None);
        assert_eq!(path("/opt/node", &bare).as_deref(), Some("/opt/node"));
        assert_eq!(path("/tmp/code/f/x", &bare).as_deref(), Some("/var/task/x"));
        assert_eq!(path("/tmp/venv/bin/python", &bare), None);
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let script = folder.path().join("bootstrap");
        std::os::unix::fs::symlink("/bin/sh", folder.path().join("sh")).unwrap();
        let bare = wanted(folder.path().to_str().unwrap(), None);
        for (interpreter, is_seen) in [("/bin/sh", true), ("/tmp/sh", false)] {
            std::fs::write(&script, format!("#!{interpreter} -e\n")).unwrap();
            let script = entrypoint(script.to_str().unwrap(), &[]);
            assert_eq!(seen(&script, &bare).is_some(), is_seen);
        }
        assert_eq!(path("/var/lib/x", &bare), None);
    }

    #[test]
    fn only_what_the_shell_can_become_is_left_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bootstrap");
        let mut foreign = head_of(Path::new("/bin/sh"));
        foreign[18] ^= 0xff;
        for (content, mode, expected) in [
            (&b"#!/bin/sh -e\n"[..], 0o755, true),
            (b"#!/bin/sh -e\n", 0o644, false),
            (b"#!/no/such/program\n", 0o755, false),
            (b"echo a shell would run this\n", 0o755, false),
            (b"", 0o755, false),
            (&foreign, 0o755, false),
        ] {
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(can_run(&path), expected, "{content:?} {mode:o}");
        }
        assert!(can_run(Path::new("/bin/sh")));
        assert!(!can_run(folder.path()));
    }
}
