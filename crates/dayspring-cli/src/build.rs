//! The functions' binary: one `cargo build` for all of them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::error::Error;

/// What to build.
#[derive(Debug, Clone)]
pub(crate) struct Build {
    /// The project's folder.
    pub(crate) folder: PathBuf,
    /// The package, where the folder is a workspace of several.
    pub(crate) package: Option<String>,
    pub(crate) binary: String,
    pub(crate) profile: String,
    /// `None` builds for this machine.
    pub(crate) target: Option<String>,
    pub(crate) tool: Tool,
}

/// What links. Zig brings libraries of every GLIBC and linkers for every processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// `cargo build`: this machine's own linker, against its own GLIBC.
    Cargo,
    /// `cargo zigbuild`
    Zigbuild,
    /// `cargo lambda build`, which brings zig too.
    Lambda,
}

impl Tool {
    /// The best that is installed.
    pub(crate) fn found() -> Self {
        if is_on_path("cargo-zigbuild") {
            Self::Zigbuild
        } else if is_on_path("cargo-lambda") {
            Self::Lambda
        } else {
            Self::Cargo
        }
    }

    /// After the words about a build.
    pub(crate) fn said(self) -> &'static str {
        match self {
            Self::Cargo => "",
            Self::Zigbuild => " by cargo-zigbuild",
            Self::Lambda => " by cargo-lambda",
        }
    }

    fn subcommand(self) -> &'static [&'static str] {
        match self {
            Self::Cargo => &["build"],
            Self::Zigbuild => &["zigbuild"],
            Self::Lambda => &["lambda", "build"],
        }
    }

    /// As the tool wants it: with the GLIBC to link against where it can take one.
    fn target(self, target: Option<&str>) -> Option<String> {
        match (self, target) {
            (Self::Cargo, target) => target.map(str::to_owned),
            (Self::Zigbuild | Self::Lambda, target) => {
                let native = || format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
                let target = target.map_or_else(native, str::to_owned);
                Some(format!("{target}.{GLIBC}"))
            }
        }
    }
}

impl Tool {
    /// Where the binary is after a build. cargo-lambda moves it from where cargo says that it is, `target/TARGET/PROFILE/NAME`,
    /// to `target/lambda/NAME/bootstrap`.
    fn leaves(self, executable: PathBuf, binary: &str) -> PathBuf {
        let target_folder = executable.ancestors().nth(3).map(Path::to_owned);
        match (self, target_folder) {
            (Self::Lambda, Some(folder)) => folder.join("lambda").join(binary).join("bootstrap"),
            (Self::Cargo | Self::Zigbuild | Self::Lambda, _) => executable,
        }
    }
}

/// Lambda's `provided.al2023` has 2.34; what cargo-lambda takes for it is this, which is older and as good.
const GLIBC: &str = "2.26";

pub(crate) fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The part of cargo's `--message-format=json` that is read here.
#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Message {
    CompilerArtifact {
        target: ArtifactTarget,
        executable: Option<PathBuf>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct ArtifactTarget {
    name: String,
}

/// Builds and gives the path of the executable. Cargo's own progress and errors go to standard error as they are.
pub(crate) async fn build(build: &Build) -> Result<PathBuf, Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = build.tool.target(build.target.as_deref());
    let mut command = Command::new(&cargo);
    command
        .args(build.tool.subcommand())
        .args([
            "--message-format=json-render-diagnostics",
            "--bin",
            &build.binary,
        ])
        .args(["--profile", &build.profile])
        .arg("--manifest-path")
        .arg(build.folder.join("Cargo.toml"))
        .args(
            build
                .package
                .iter()
                .flat_map(|package| ["--package", package]),
        )
        .args(target.iter().flat_map(|target| ["--target", target]))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let program = || cargo.to_string_lossy().into_owned();
    let mut child = command.spawn().map_err(|source| Error::Spawn {
        program: program(),
        source,
    })?;
    let stdout = child
        .stdout
        .take()
        .expect("standard output was asked for as a pipe");
    let mut lines = BufReader::new(stdout).lines();
    let mut executable = None;
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(path) = executable_of(&line, &build.binary) {
            executable = Some(path);
        }
    }
    let status = child.wait().await.map_err(|source| Error::Spawn {
        program: program(),
        source,
    })?;
    if !status.success() {
        return Err(Error::Build);
    }
    let executable = executable.ok_or_else(|| Error::NoBinary {
        name: build.binary.clone(),
    })?;
    Ok(build.tool.leaves(executable, &build.binary))
}

fn executable_of(line: &str, binary: &str) -> Option<PathBuf> {
    match serde_json::from_str(line).ok()? {
        Message::CompilerArtifact { target, executable } if target.name == binary => executable,
        Message::CompilerArtifact { .. } | Message::Other => None,
    }
}

/// The names of the functions that a project has: its files `functions/*.rs` but `main.rs`, sorted.
pub(crate) fn functions_found(folder: &Path) -> Result<Vec<String>, Error> {
    let functions = folder.join("functions");
    let mut names = Vec::new();
    let entries = match std::fs::read_dir(&functions) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(names),
        Err(error) => return Err(Error::read(functions)(error)),
    };
    for entry in entries {
        let path = entry.map_err(Error::read(&functions))?.path();
        if path.extension().is_some_and(|extension| extension == "rs")
            && let Some(name) = path.file_stem().and_then(|stem| stem.to_str())
            && name != "main"
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zig_is_told_which_glibc_to_link_against() {
        let arm = Some("aarch64-unknown-linux-gnu");
        assert_eq!(Tool::Cargo.target(arm).as_deref(), arm);
        assert_eq!(Tool::Cargo.target(None), None);
        let zig = Tool::Zigbuild.target(arm);
        assert_eq!(zig.as_deref(), Some("aarch64-unknown-linux-gnu.2.26"));
        assert!(Tool::Zigbuild.target(None).is_some());
    }

    #[test]
    fn the_binary_is_looked_for_where_the_tool_leaves_it() {
        let cargo = PathBuf::from("/t/aarch64-unknown-linux-gnu/lambda/shop");
        let of = |tool: Tool| tool.leaves(cargo.clone(), "shop");
        assert_eq!(of(Tool::Lambda), PathBuf::from("/t/lambda/shop/bootstrap"));
        assert_eq!(of(Tool::Zigbuild), cargo);
        assert_eq!(of(Tool::Cargo), cargo);
    }

    #[test]
    fn the_executable_is_read_from_cargos_messages() {
        let artifact = r#"{"reason":"compiler-artifact","target":{"name":"bootstrap","kind":["bin"]},"executable":"/t/bootstrap"}"#;
        assert_eq!(
            executable_of(artifact, "bootstrap"),
            Some(PathBuf::from("/t/bootstrap"))
        );
        assert_eq!(executable_of(artifact, "other"), None);
        assert_eq!(
            executable_of(r#"{"reason":"build-finished","success":true}"#, "bootstrap"),
            None
        );
        assert_eq!(executable_of("not json", "bootstrap"), None);
    }
}
