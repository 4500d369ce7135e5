//! What ends a command, whose mistake it is, and the exit code that says so.

use std::path::PathBuf;
use std::process::ExitCode;

use dayspring_migrate::{Kind, ScriptError};

use crate::render;

/// Whose mistake it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The user's input is wrong: exit code 1.
    Input,
    /// The world failed (network, database, AWS): exit code 2.
    World,
    /// A bug of ours: exit code 3.
    Bug,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot read {path}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot write {path}")]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot pack {path}")]
    Pack {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("there are no scripts in {folder}")]
    NoScripts { folder: PathBuf },
    #[error("there is no dayspring.toml in {folder}")]
    NoProject { folder: PathBuf },
    /// The text is a rendered report of everything that is wrong with the project file.
    #[error("{report}")]
    Project { report: String },
    /// The text is a rendered report of what is wrong with the scripts.
    #[error("{report}")]
    Scripts { report: String },
    /// The same of a script that holds no statement yet.
    #[error("{report}")]
    Unwritten { path: String, report: String },
    #[error("cannot start `{program}`")]
    Spawn {
        program: String,
        source: std::io::Error,
    },
    #[error("the functions do not compile")]
    Build,
    #[error("cargo built no binary named `{name}`")]
    NoBinary { name: String },
    #[error("cannot listen on 127.0.0.1:{port}")]
    Port {
        port: u16,
        flag: &'static str,
        source: std::io::Error,
    },
    #[error("the local cloud does not start")]
    Cloud(#[from] dayspring_cloud::StartError),
    #[error("there is no scratch server to replay the scripts on")]
    Scratch(#[source] dayspring_cloud::scratch::ScratchError),
    #[error("{service} refused {operation}: {message}")]
    Refused {
        service: &'static str,
        operation: &'static str,
        kind: String,
        message: String,
    },
    #[error("{service} cannot be reached for {operation}: {message}")]
    Unreachable {
        service: &'static str,
        operation: &'static str,
        message: String,
    },
    #[error("no credentials for AWS were found: {message}")]
    NoCredentials { message: String },
    #[error("no region is named")]
    NoRegion,
    #[error("deploying {stack} failed: {cause}")]
    Deploy { stack: String, cause: String },
    #[error(
        "the rollback of `{stack}` failed too, and CloudFormation changes nothing of it any more: {cause}"
    )]
    Stuck { stack: String, cause: String },
    #[error("`{stack}` was changed by another deployment meanwhile")]
    Overtaken { stack: String },
    #[error("`{stack}` is left to CloudFormation, which goes on")]
    LeftBehind { stack: String },
    #[error("`{stack}` was not deployed: nobody is there to be asked")]
    NobodyToAsk { stack: String },
    #[error("`{stack}` was not deployed")]
    Declined { stack: String },
    /// The text is the migrator's refusal.
    #[error("{report}")]
    Rebuild { report: String },
    #[error("`{stage}` is no stage for development: its database is not made anew")]
    NotDevelopment { stage: String },
    #[error("`{stack}` is not as the project says")]
    Differs { stack: String },
    /// The list is of lines.
    #[error("this would put a new and empty database in the place of one with data:{list}")]
    Replaces { list: String, names: String },
    #[error(
        "this changes what the database cluster cannot change, such as its name or its master user"
    )]
    OtherDatabase { folder: PathBuf },
    #[error(
        "the functions' binary does not start in Lambda: it needs GLIBC {needs}, and Amazon Linux 2023 has {has}"
    )]
    Glibc { needs: String, has: String },
    #[error(
        "the functions are too large for Lambda: {code} of code and {scripts} of scripts, and it takes less than {limit}"
    )]
    TooLarge {
        code: String,
        scripts: String,
        limit: String,
    },
    #[error("the functions' binary cannot run in Lambda: it is {found}, and it has to be {wanted}")]
    WrongBinary { found: String, wanted: &'static str },
    #[error("destroying {stack} failed: {cause}")]
    Destroy { stack: String, cause: String },
    #[error("there is no stack `{stack}`")]
    NoStack { stack: String },
    #[error("the template of `{stack}` is not JSON, so Dayspring did not write it")]
    Foreign { stack: String },
    #[error("the database of `{stack}` is protected from deletion")]
    Protected { stack: String, stage: String },
    #[error("`{stack}` was not destroyed: its name was not typed")]
    NotConfirmed { stack: String },
    #[error("`{name}` cannot name a project: {message}")]
    NewName { name: String, message: String },
    #[error("the `dayspring` crate is not in {looked_in}")]
    NoLibrary { looked_in: PathBuf },
    #[error("the function `{name}` failed ({kind})")]
    Function { name: String, kind: String },
    #[error("the event is not JSON: {problem}")]
    Payload { problem: String },
    #[error("{count} of what is needed is missing")]
    Missing { count: usize },
    #[error("there is no function `{name}` in this stage")]
    NoFunction { name: String, known: Vec<String> },
    /// The migrator refused or failed: its report, which says all.
    #[error("{report}")]
    Migrate { report: String },
    /// The text is a rendered report.
    #[error("{message}")]
    Migration { fault: Fault, message: String },
    /// The message never holds the URL, which may hold a password.
    #[error("the database URL {problem}")]
    DatabaseUrl { problem: String, help: &'static str },
    #[error("cannot connect to {place}: {message}")]
    Connect {
        place: String,
        message: String,
        help: String,
    },
    #[error("no database is named, and there is no dayspring.toml in {folder}")]
    NoDatabase { folder: PathBuf },
    #[error("`{name}` cannot name a script")]
    ScriptName { name: String },
    #[error("lint finds {} in the scripts", render::count(*count, "error"))]
    Lint { count: usize },
    #[error("lint has no rule `{name}`")]
    LintRule {
        name: String,
        nearest: Option<&'static str>,
    },
    #[error("cannot watch {path}: {message}")]
    Watch { path: PathBuf, message: String },
    #[error("AWS's answer lacks {what}")]
    Answer { what: &'static str },
}

impl Error {
    pub(crate) fn read(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Read { path, source }
    }

    pub(crate) fn write(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Write { path, source }
    }

    pub(crate) fn pack(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Pack { path, source }
    }

    pub(crate) fn scripts(error: ScriptError) -> Self {
        let empty = match &error {
            ScriptError::Empty { path } => Some(path.clone()),
            _ => None,
        };
        let report = dayspring_migrate::render_run_failure(&error.into(), usize::MAX);
        match empty {
            Some(path) => Self::Unwritten { path, report },
            None => Self::Scripts { report },
        }
    }

    pub(crate) fn lint_rule(name: &str) -> Self {
        Self::LintRule {
            name: name.to_owned(),
            nearest: dayspring_migrate::lint::nearest_rule(name).map(|rule| rule.name),
        }
    }

    pub(crate) fn migration(error: &dayspring_migrate::Error) -> Self {
        Self::Migration {
            fault: match error.kind() {
                Kind::User => Fault::Input,
                Kind::World => Fault::World,
                Kind::Ours => Fault::Bug,
            },
            message: dayspring_migrate::render_run_failure(error, usize::MAX),
        }
    }

    pub(crate) fn fault(&self) -> Fault {
        match self {
            Self::Read { .. }
            | Self::Write { .. }
            | Self::Pack { .. }
            | Self::NoProject { .. }
            | Self::NoScripts { .. }
            | Self::Project { .. }
            | Self::Scripts { .. }
            | Self::Unwritten { .. }
            | Self::TooLarge { .. }
            | Self::Build
            | Self::NoBinary { .. }
            | Self::Port { .. }
            | Self::DatabaseUrl { .. }
            | Self::NoDatabase { .. }
            | Self::ScriptName { .. }
            | Self::Lint { .. }
            | Self::LintRule { .. }
            | Self::NewName { .. }
            | Self::NoLibrary { .. }
            | Self::NoFunction { .. }
            | Self::Payload { .. }
            | Self::Missing { .. }
            | Self::Foreign { .. }
            | Self::Protected { .. }
            | Self::NobodyToAsk { .. }
            | Self::Declined { .. }
            | Self::Differs { .. }
            | Self::Rebuild { .. }
            | Self::NotDevelopment { .. }
            | Self::Replaces { .. }
            | Self::OtherDatabase { .. }
            | Self::Glibc { .. }
            | Self::WrongBinary { .. }
            | Self::NotConfirmed { .. } => Fault::Input,
            Self::Migration { fault, .. } => *fault,
            Self::Spawn { .. }
            | Self::Cloud(_)
            | Self::Scratch(_)
            | Self::Refused { .. }
            | Self::Unreachable { .. }
            | Self::NoCredentials { .. }
            | Self::NoRegion
            | Self::Deploy { .. }
            | Self::Stuck { .. }
            | Self::Overtaken { .. }
            | Self::LeftBehind { .. }
            | Self::Destroy { .. }
            | Self::NoStack { .. }
            | Self::Function { .. }
            | Self::Migrate { .. }
            | Self::Connect { .. }
            | Self::Watch { .. } => Fault::World,
            Self::Answer { .. } => Fault::Bug,
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.fault() {
            Fault::Input => 1,
            Fault::World => 2,
            Fault::Bug => 3,
        })
    }

    /// What to do about it, where the message does not say so already.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::NoProject { .. } => Some("name the project's folder with --dir".to_owned()),
            Self::NoScripts { .. } => Some("write the first one, `v1.sql`".to_owned()),
            Self::Spawn { program, .. } => Some(format!("install `{program}` or put it on PATH")),
            Self::NoBinary { name } => Some(format!(
                "the project's Cargo.toml needs [[bin]] with name = \"{name}\": one binary carries every function"
            )),
            Self::Port { flag, .. } => {
                Some(format!("another program listens there: end it, or take another port with {flag}"))
            }
            Self::Refused { kind, .. } if kind == "ExpiredToken" || kind == "InvalidClientTokenId" => {
                Some("renew your credentials (`aws sso login`, or new access keys)".to_owned())
            }
            Self::Unreachable { .. } => {
                Some("check the network, the region and --endpoint-url (is `dayspring cloud` running there?)".to_owned())
            }
            Self::NoRegion => Some(
                "name it with --region or AWS_REGION, or write `region` into the profile".to_owned(),
            ),
            Self::NoCredentials { message } if message.contains("SSO") => {
                Some("sign on again: `aws sso login`, with the --profile that AWS_PROFILE names".to_owned())
            }
            Self::NoCredentials { .. } => Some(
                "set AWS_PROFILE or the AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the account to deploy to".to_owned(),
            ),
            Self::DatabaseUrl { help, .. } => Some((*help).to_owned()),
            Self::NoDatabase { .. } => Some(
                "name a server with --database-url or the variable DATABASE_URL, or a project's folder with --dir"
                    .to_owned(),
            ),
            Self::Connect { help, .. } => Some(help.clone()),
            Self::Scratch(_) => Some(
                "name an empty database of a server of your own with --scratch-url".to_owned(),
            ),
            Self::ScriptName { .. } => {
                Some("use letters, digits, `_` and `-`, as in `add_email`".to_owned())
            }
            Self::NoStack { .. } => Some(
                "deploy it first, or say where it is with --stage, --endpoint-url or --region".to_owned(),
            ),
            Self::Protected { stage, .. } => Some(format!(
                "where its data may go, write `protection = false` into [stages.{stage}.database], deploy, and destroy again"
            )),
            Self::NobodyToAsk { .. } => Some(
                "look at `dayspring diff`, and deploy what it shows with --yes".to_owned(),
            ),
            Self::Rebuild { .. } => Some(
                "or have the database made anew from the scripts, and lose what is in it: `--reset`".to_owned(),
            ),
            Self::NotDevelopment { .. } => Some(
                "write `development = true` into the stage where its data is worth nothing".to_owned(),
            ),
            Self::LeftBehind { .. } | Self::Overtaken { .. } => Some(
                "`dayspring deploy` waits for what is under way, and goes on from there".to_owned(),
            ),
            Self::Stuck { stack, .. } => Some(format!(
                "remove the cause, and `aws cloudformation continue-update-rollback --stack-name {stack}`"
            )),
            Self::Replaces { names, .. } => Some(format!(
                "where that is meant, name it: {names}"
            )),
            Self::OtherDatabase { folder } => Some(format!(
                "take the change back; or stop, delete {} with its data, and start again: the scripts make the database",
                folder.display()
            )),
            Self::Glibc { .. } => Some(
                "install cargo-zigbuild (`cargo install cargo-zigbuild`, `pip install ziglang`) or cargo-lambda, and build again: \
                 they link against an older GLIBC"
                    .to_owned(),
            ),
            Self::TooLarge { .. } => Some(
                "build without debug information: `profile = \"lambda\"` under [build], as `dayspring new` writes it".to_owned(),
            ),
            Self::WrongBinary { .. } => Some(
                "`rustup target add` the target, and install cargo-zigbuild or cargo-lambda; `dayspring doctor` shows what is \
                 missing"
                    .to_owned(),
            ),
            Self::NotConfirmed { .. } => Some("type it as it stands there, or do not be asked with --yes".to_owned()),
            Self::Payload { .. } => Some(
                "as in `--data '{\"id\": 1}'`; a text needs its quotes too".to_owned(),
            ),
            Self::NoFunction { known, .. } => Some(format!("it has {}", known.join(", "))),
            Self::NoLibrary { .. } => Some(
                "no crate is published yet: name a checkout of Dayspring with --dayspring-path".to_owned(),
            ),
            Self::Lint { .. } => {
                Some("each finding says a way out; --explain RULE says why the rule is there".to_owned())
            }
            Self::LintRule {
                nearest: Some(nearest),
                ..
            } => Some(format!("the nearest is `{nearest}`")),
            Self::LintRule { nearest: None, .. } => {
                Some("a rule has the name or the code that a finding shows: `drop-table`, `MY001`".to_owned())
            }
            Self::Answer { .. } => Some("this is a bug of Dayspring's: please report it".to_owned()),
            Self::Read { .. }
            | Self::Write { .. }
            | Self::Pack { .. }
            | Self::Project { .. }
            | Self::Scripts { .. }
            | Self::Unwritten { .. }
            | Self::Build
            | Self::Cloud(_)
            | Self::Refused { .. }
            | Self::Deploy { .. }
            | Self::Declined { .. }
            | Self::Differs { .. }
            | Self::Missing { .. }
            | Self::Destroy { .. }
            | Self::Foreign { .. }
            | Self::NewName { .. }
            | Self::Function { .. }
            | Self::Migrate { .. }
            | Self::Migration { .. }
            | Self::Watch { .. } => None,
        }
    }
}
