use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use serde::Serialize;

use super::deploy::builds_for_arm;
use crate::build::Tool;
use crate::error::Error;
use crate::render;
use crate::ui::Ui;

/// Show what is missing on this machine, and how to get it
///
/// Nothing is sent anywhere: whether AWS can be reached, and what the credentials may do, is not asked. The exit code is 1
/// where something is missing that `dayspring dev` needs.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Something that a command needs.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    /// What was found, or why there is nothing.
    found: String,
    /// What it is needed for.
    needed_for: &'static str,
    /// How to get it, where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Present,
    /// Something works without it.
    Absent,
    Missing,
}

/// Where containers and workloads find theirs.
const CONTAINER: [&str; 3] = [
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
];

pub(crate) fn doctor(ui: Ui, args: &DoctorArgs) -> Result<(), Error> {
    let mut checks = vec![cargo(), linker(), mariadb()];
    checks.extend(for_lambda());
    checks.push(credentials());
    let missing = checks.iter().filter(|check| check.state == State::Missing);
    let count = missing.count();
    if args.json {
        ui.result(&serde_json::to_string_pretty(&checks).expect("texts are JSON"));
    } else {
        ui.result(render_checks(&checks).trim_end());
    }
    match count {
        0 => Ok(()),
        count => Err(Error::Missing { count }),
    }
}

fn render_checks(checks: &[Check]) -> String {
    let rows: Vec<[String; 4]> = checks
        .iter()
        .map(|check| {
            let state = match check.state {
                State::Present => "ok",
                State::Absent => "-",
                State::Missing => "MISSING",
            };
            [state, check.name, &check.found, check.needed_for].map(str::to_owned)
        })
        .collect();
    let mut text = render::table(&rows);
    for check in checks {
        if let Some(remedy) = check.remedy {
            text.push_str(&format!("\n{}: {remedy}\n", check.name));
        }
    }
    text
}

/// A check whose outcome is a text, or why there is none; without it `state` is what it is.
fn check(
    name: &'static str,
    found: Result<String, String>,
    otherwise: State,
    needed_for: &'static str,
    remedy: &'static str,
) -> Check {
    let (state, found, remedy) = match found {
        Ok(found) => (State::Present, found, None),
        Err(why) => (otherwise, why, Some(remedy)),
    };
    Check {
        name,
        state,
        found,
        needed_for,
        remedy,
    }
}

fn cargo() -> Check {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    check(
        "cargo",
        first_line(Command::new(cargo).arg("--version")),
        State::Missing,
        "building the functions",
        "install Rust with rustup: https://rustup.rs",
    )
}

fn linker() -> Check {
    check(
        "cc",
        first_line(Command::new("cc").arg("--version")),
        State::Missing,
        "linking the functions",
        "`apt-get install build-essential` (Debian, Ubuntu), `dnf install gcc` (Fedora), `xcode-select --install` (macOS)",
    )
}

fn mariadb() -> Check {
    check(
        "mariadbd",
        dayspring_cloud::mariadb_version(),
        State::Missing,
        "the local cloud's database",
        "`apt-get install mariadb-server-core` (Debian, Ubuntu), `brew install mariadb` (macOS), `dnf install mariadb-server` \
         (Fedora)",
    )
}

/// What makes binaries that start in Lambda.
fn for_lambda() -> [Check; 2] {
    let zig = match Tool::found() {
        Tool::Zigbuild => Ok("cargo-zigbuild".to_owned()),
        Tool::Lambda => Ok("cargo-lambda".to_owned()),
        Tool::Cargo => Err("neither cargo-zigbuild nor cargo-lambda".to_owned()),
    };
    let arm = if std::env::consts::ARCH == "aarch64" {
        Ok("this machine's own".to_owned())
    } else if builds_for_arm() {
        Ok("aarch64-unknown-linux-gnu with a linker".to_owned())
    } else {
        Err("no target, or no linker for it".to_owned())
    };
    [
        check(
            "zig",
            zig,
            State::Absent,
            "AWS, where this machine's GLIBC is newer than 2.34",
            "`pip install cargo-zigbuild ziglang`, or `cargo install cargo-zigbuild` beside zig, or cargo-lambda",
        ),
        check(
            "arm64",
            arm,
            State::Absent,
            "functions on ARM, which cost less",
            "`rustup target add aarch64-unknown-linux-gnu`, and cargo-zigbuild or `apt-get install gcc-aarch64-linux-gnu`",
        ),
    ]
}

fn credentials() -> Check {
    let found = if std::env::var_os("AWS_ACCESS_KEY_ID").is_some() {
        Ok("in the environment".to_owned())
    } else if let Ok(profile) = std::env::var("AWS_PROFILE") {
        Ok(format!("profile {profile}"))
    } else if CONTAINER
        .iter()
        .any(|name| std::env::var_os(name).is_some())
    {
        Ok("the container's".to_owned())
    } else {
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let files = ["credentials", "config"].map(|name| {
            let file = home.as_ref()?.join(".aws").join(name);
            file.is_file().then_some(file)
        });
        let found = files.into_iter().flatten().next();
        found
            .map(|file| file.display().to_string())
            .ok_or_else(|| "none in the environment, nor in ~/.aws".to_owned())
    };
    check(
        "credentials",
        found,
        State::Absent,
        "AWS; a local cloud takes any",
        "`aws configure sso`, or AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    )
}

fn first_line(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().next().unwrap_or_default().to_owned();
    if output.status.success() && !line.is_empty() {
        Ok(line)
    } else {
        Err(format!("it ended with {}", output.status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_comes_with_its_remedy() {
        let checks = [
            check("a", Ok("a 1.2".to_owned()), State::Missing, "this", "get a"),
            check("b", Err("no b".to_owned()), State::Missing, "that", "get b"),
            check("c", Err("no c".to_owned()), State::Absent, "more", "get c"),
        ];
        insta::assert_snapshot!(render_checks(&checks), @r"
        ok       a  a 1.2  this
        MISSING  b  no b   that
        -        c  no c   more

        b: get b

        c: get c
        ");
    }
}
