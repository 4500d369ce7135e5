//! What a function's process is started as: its own `bootstrap`, or an interpreter of this machine in place of one of
//! AWS's managed runtimes.
//!
//! A managed runtime is an interpreter and a runtime interface client. The client that AWS publishes (`awslambdaric`,
//! `aws-lambda-ric`) is taken where it is found: in the function's code, in a layer, or beside the interpreter.
//! Elsewhere a small one of this cloud's own speaks the Runtime API.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use super::environment::{CannotStart, Launch};
use crate::error::AwsError;
use crate::parity::Touched;

const PYTHON_CLIENT: &str = include_str!("runtimes/python.py");
const NODE_CLIENT: &str = include_str!("runtimes/node.mjs");

/// Prints the version and whether `awslambdaric` can be imported.
const PYTHON_PROBE: &str = "import sys, importlib.util as u; print('%d.%d' % sys.version_info[:2], 'yes' if u.find_spec('awslambdaric') else 'no')";

/// A runtime that can be run here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Runtime<'a> {
    Provided,
    /// `3.13`.
    Python(&'a str),
    /// `22`.
    Node(&'a str),
}

impl<'a> Runtime<'a> {
    /// Reads `provided.al2023`, `python3.13` or `nodejs22.x`.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if matches!(text, "provided.al2023" | "provided.al2") {
            return Some(Self::Provided);
        }
        let is_number =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(version) = text.strip_prefix("python")
            && version.strip_prefix("3.").is_some_and(is_number)
        {
            return Some(Self::Python(version));
        }
        let version = text.strip_prefix("nodejs")?.strip_suffix(".x")?;
        is_number(version).then_some(Self::Node(version))
    }

    /// Refuses a runtime that cannot be run here.
    pub(super) fn check(text: &str, function: &str) -> Result<(), AwsError> {
        if Runtime::parse(text).is_some() {
            return Ok(());
        }
        Err(AwsError::bad_request(
            "InvalidParameterValueException",
            format!(
                "The runtime `{text}` of the function `{function}` cannot be run here: the local cloud runs provided.al2023 and provided.al2 (an executable `bootstrap`), python3.* and nodejs*.x (with the interpreter of this machine)."
            ),
        ))
    }
}

/// A program with what it is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entrypoint {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    /// Laid over the variables of every function, where the function does not set them itself.
    pub(super) variables: Vec<(&'static str, String)>,
    /// The program as AWS would name it.
    pub(super) shown: String,
}

/// Where interpreters are looked for, and which were found. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interpreters {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// In the order of preference; each is a program or a name to look up in `folders`.
    python: Option<PathBuf>,
    node: Option<PathBuf>,
    /// A `node_modules` that has `aws-lambda-ric`.
    node_modules: Option<PathBuf>,
    folders: Vec<PathBuf>,
    /// Where this cloud's own clients are written.
    clients: PathBuf,
    /// What was learned of an interpreter. Locked for a look only.
    probed: Mutex<HashMap<PathBuf, Option<Python>>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Python {
    version: String,
    has_client: bool,
}

impl Interpreters {
    /// `DAYSPRING_PYTHON`, `DAYSPRING_NODE` and `DAYSPRING_NODE_MODULES` where they are set, then what is on `PATH`.
    /// `clients` is a folder of this cloud's own.
    pub(crate) fn from_environment(clients: PathBuf) -> Self {
        let path = |name| std::env::var_os(name).map(PathBuf::from);
        Self {
            inner: Arc::new(Inner {
                python: path("DAYSPRING_PYTHON"),
                node: path("DAYSPRING_NODE"),
                node_modules: path("DAYSPRING_NODE_MODULES"),
                folders: std::env::var_os("PATH")
                    .map(|path| std::env::split_paths(&path).collect())
                    .unwrap_or_default(),
                clients,
                probed: Mutex::default(),
            }),
        }
    }

    /// These and no others.
    #[cfg(test)]
    pub(super) fn of(
        python: Option<PathBuf>,
        node: Option<PathBuf>,
        node_modules: Option<PathBuf>,
        clients: PathBuf,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                python,
                node,
                node_modules,
                clients,
                ..Inner::default()
            }),
        }
    }

    /// What the function's process is started as. Blocks while an interpreter is asked for its version, once.
    pub(super) fn entrypoint(&self, launch: &Launch) -> Result<Entrypoint, CannotStart> {
        match Runtime::parse(&launch.spec.runtime) {
            Some(Runtime::Python(version)) => self.python(launch, version),
            Some(Runtime::Node(_)) => self.node(launch),
            Some(Runtime::Provided) | None => bootstrap(launch),
        }
    }

    fn python(&self, launch: &Launch, version: &str) -> Result<Entrypoint, CannotStart> {
        let inner = &self.inner;
        let exact = self.look_up(&format!("python{version}"));
        let found = [
            inner.python.clone(),
            exact,
            self.look_up("python3"),
            self.look_up("python"),
        ]
        .into_iter()
        .flatten()
        .find_map(|program| self.probe(&program).map(|python| (program, python)));
        let Some((program, python)) = found else {
            return Err(CannotStart(format!(
                "no Python for the runtime python{version}: neither python{version} nor python3 is on PATH; install Python 3, or name one in DAYSPRING_PYTHON"
            )));
        };
        self.stand_in(launch, &program, &python.version);
        let bundled = launch.task_root.join("awslambdaric").is_dir();
        let client = if python.has_client || bundled {
            vec![
                "-m".to_owned(),
                "awslambdaric".to_owned(),
                launch.spec.handler.clone(),
            ]
        } else {
            vec![self.client("python.py", PYTHON_CLIENT)?]
        };
        let mut search = vec![launch.task_root.clone()];
        if let Some(layer) = &launch.layer_root {
            search.push(layer.join("python"));
            search.push(layer.join(format!("python/lib/python{version}/site-packages")));
        }
        Ok(Entrypoint {
            program,
            arguments: client,
            variables: vec![
                ("PYTHONPATH", joined(&search)),
                (
                    "AWS_EXECUTION_ENV",
                    format!("AWS_Lambda_{}", launch.spec.runtime),
                ),
            ],
            shown: "/var/runtime/bootstrap".to_owned(),
        })
    }

    fn node(&self, launch: &Launch) -> Result<Entrypoint, CannotStart> {
        let inner = &self.inner;
        let Some(program) = inner.node.clone().or_else(|| self.look_up("node")) else {
            return Err(CannotStart(format!(
                "no Node.js for the runtime {}: node is not on PATH; install Node.js, or name one in DAYSPRING_NODE",
                launch.spec.runtime
            )));
        };
        self.stand_in(launch, &program, "its version");
        let modules = launch
            .layer_root
            .iter()
            .map(|layer| layer.join("nodejs/node_modules"))
            .collect::<Vec<_>>();
        let client = std::iter::once(launch.task_root.join("node_modules"))
            .chain(modules.iter().cloned())
            .chain(inner.node_modules.clone())
            .map(|folder| folder.join("aws-lambda-ric/bin/index.mjs"))
            .find(|client| client.is_file());
        let arguments = match client {
            Some(client) => vec![client.display().to_string(), launch.spec.handler.clone()],
            None => vec![self.client("node.mjs", NODE_CLIENT)?],
        };
        Ok(Entrypoint {
            program,
            arguments,
            variables: vec![
                ("NODE_PATH", joined(&modules)),
                (
                    "AWS_EXECUTION_ENV",
                    format!("AWS_Lambda_{}", launch.spec.runtime),
                ),
            ],
            shown: "/var/runtime/bootstrap".to_owned(),
        })
    }

    fn stand_in(&self, launch: &Launch, program: &Path, version: &str) {
        let what = format!(
            "the function {} ({}) runs on {} ({version})",
            launch.spec.name,
            launch.spec.runtime,
            program.display()
        );
        launch.notices.touch(Touched::ManagedRuntime, &what);
    }

    /// The path of this cloud's own client, which is written when it is first needed.
    fn client(&self, name: &str, text: &str) -> Result<String, CannotStart> {
        let path = self.inner.clients.join(name);
        let is_there = std::fs::read_to_string(&path).is_ok_and(|found| found == text);
        if !is_there {
            std::fs::create_dir_all(&self.inner.clients)
                .and_then(|()| std::fs::write(&path, text))
                .map_err(|error| CannotStart(format!("{}: {error}", path.display())))?;
        }
        Ok(path.display().to_string())
    }

    fn look_up(&self, name: &str) -> Option<PathBuf> {
        self.inner
            .folders
            .iter()
            .map(|folder| folder.join(name))
            .find(|program| program.is_file())
    }

    fn probe(&self, program: &Path) -> Option<Python> {
        let known = self
            .inner
            .probed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(program)
            .cloned();
        if let Some(known) = known {
            return known;
        }
        let output = Command::new(program)
            .args(["-c", PYTHON_PROBE])
            .stdin(Stdio::null())
            .output();
        let python = output
            .ok()
            .filter(|output| output.status.success())
            .and_then(|output| parse_probe(&String::from_utf8_lossy(&output.stdout)));
        self.inner
            .probed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(program.to_owned(), python.clone());
        python
    }
}

/// `3.11 yes`.
fn parse_probe(text: &str) -> Option<Python> {
    let (version, has_client) = text.trim().split_once(' ')?;
    Some(Python {
        version: version.to_owned(),
        has_client: has_client == "yes",
    })
}

fn joined(folders: &[PathBuf]) -> String {
    let folders: Vec<String> = folders
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    folders.join(":")
}

/// The code's `bootstrap`, or a layer's.
fn bootstrap(launch: &Launch) -> Result<Entrypoint, CannotStart> {
    let places = [
        (Some(&launch.task_root), "/var/task/bootstrap"),
        (launch.layer_root.as_ref(), "/opt/bootstrap"),
    ];
    places
        .into_iter()
        .filter_map(|(folder, shown)| Some((folder?.join("bootstrap"), shown)))
        .find(|(program, _)| program.is_file())
        .map(|(program, shown)| Entrypoint {
            program,
            arguments: Vec::new(),
            variables: Vec::new(),
            shown: shown.to_owned(),
        })
        .ok_or_else(|| {
            CannotStart(
                "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]".to_owned(),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_that_can_be_run_are_known() {
        assert_eq!(Runtime::parse("provided.al2023"), Some(Runtime::Provided));
        assert_eq!(Runtime::parse("python3.13"), Some(Runtime::Python("3.13")));
        assert_eq!(Runtime::parse("nodejs22.x"), Some(Runtime::Node("22")));
        for other in [
            "python2.7",
            "python3.x",
            "nodejs",
            "nodejs22",
            "java21",
            "provided",
            "",
        ] {
            assert_eq!(Runtime::parse(other), None, "{other}");
        }
    }

    #[test]
    fn an_interpreter_says_what_it_is() {
        assert_eq!(
            parse_probe("3.11 yes\n"),
            Some(Python {
                version: "3.11".to_owned(),
                has_client: true
            })
        );
        assert_eq!(parse_probe("Traceback"), None);
    }
}
