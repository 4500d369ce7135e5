//! A small project whose migrations go wrong in every way, deployed to a local cloud by `dayspring deploy`. What it answers
//! shows which release of it serves and what its scripts wrote. It is built once for all tests: a release is a variable.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::relay::Relay;
use crate::support::{Server, request, root, url_on_this_machine};

const MANIFEST: &str = r#"[package]
name = "ledger"
version = "0.1.0"
edition = "2024"

[[bin]]
name = "ledger"
path = "functions/main.rs"

[dependencies]
dayspring = { path = "DAYSPRING" }
serde = { version = "1", features = ["derive"] }

[workspace]

[profile.dev]
debug = false
"#;

const MAIN: &str = "dayspring::functions! { get_notes }\n";

const GET_NOTES: &str = r#"use dayspring::{Context, Database, Request, Response, Result, answer};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Note {
    text: String,
}

#[derive(Serialize)]
struct Answer {
    release: String,
    notes: Vec<String>,
}

pub async fn handler(_: Request, context: Context) -> Result<Response> {
    let database = Database::connect(&context)?;
    let notes: Vec<Note> = database.query("SELECT text FROM notes ORDER BY id").fetch_all().await?;
    let release = std::env::var("RELEASE").unwrap_or_default();
    Ok(answer::ok(&Answer { release, notes: notes.into_iter().map(|note| note.text).collect() })?)
}
"#;

/// The table that the function reads, and a first note.
const V1: &str = "CREATE TABLE notes (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, text VARCHAR(200) NOT NULL);\n\
                  INSERT INTO notes (text) VALUES ('first');\n";

/// The stage that the tests deploy: not one for development.
pub(crate) const STAGE: &str = "live";

/// The project in a folder of its own, and a cloud for it.
pub(crate) struct Ledger {
    folder: tempfile::TempDir,
    pub(crate) cloud: Server,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self::started_by(Command::new(DAYSPRING))
    }

    /// With a cloud that is started by this command: `dayspring`, or one that runs it.
    pub(crate) fn started_by(command: Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = at_home(command, folder.path());
        command.args([
            "cloud",
            "--port",
            "0",
            "--api-port",
            "0",
            "--state",
            "state",
        ]);
        let ledger = Self {
            cloud: Server::start(command),
            folder,
        };
        ledger.write("functions/main.rs", MAIN);
        ledger.write("functions/get_notes.rs", GET_NOTES);
        ledger.write("scripts/schema/v1.sql", V1);
        ledger.configure("1", "");
        ledger
    }

    /// Writes the project file: which release the function says it is, and what else there is to say.
    pub(crate) fn configure(&self, release: &str, more: &str) {
        let text = format!(
            "name = \"ledger\"\n\n[functions.get_notes]\nenvironment = {{ RELEASE = \"{release}\" }}\n\n[routes]\n\
             notes = [{{ method = \"GET\", function = \"get_notes\" }}]\n\n[stages.{STAGE}.database]\nprotection = false\n\n\
             {more}\n"
        );
        self.write("dayspring.toml", &text);
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// How many databases left a last snapshot in the cloud.
    pub(crate) fn snapshots(&self) -> usize {
        let folder = self.folder.path().join("state/rds/snapshots");
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    }

    pub(crate) fn remove(&self, path: &str) {
        std::fs::remove_file(self.folder.path().join(path)).unwrap();
    }

    /// `dayspring ARGS` for the stage in the cloud.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_for(STAGE, arguments)
    }

    /// `dayspring ARGS` for any stage in the cloud.
    pub(crate) fn command_for(&self, stage: &str, arguments: &[&str]) -> Command {
        self.command_at(&self.cloud.url, stage, arguments)
    }

    fn command_at(&self, url: &str, stage: &str, arguments: &[&str]) -> Command {
        let mut command = dayspring(self.folder.path());
        command.args(arguments);
        command.args(["--stage", stage, "--endpoint-url", url]);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(crate) fn deploy_command(&self) -> Command {
        self.deploy_command_for(STAGE)
    }

    pub(crate) fn deploy_command_for(&self, stage: &str) -> Command {
        self.deploy_to(&self.cloud.url, stage)
    }

    /// By another way to the cloud than the straight one.
    pub(crate) fn deploy_command_through(&self, relay: &Relay) -> Command {
        self.deploy_to(&relay.url, STAGE)
    }

    fn deploy_to(&self, url: &str, stage: &str) -> Command {
        let mut command = self.command_at(url, stage, &["deploy", "--yes"]);
        command.arg("--bootstrap").arg(bootstrap());
        command
    }

    /// One that asks first.
    pub(crate) fn asking_deploy_command(&self) -> Command {
        let mut command = self.command(&["deploy"]);
        command.arg("--bootstrap").arg(bootstrap());
        command
    }

    /// Deploys; it has to succeed. Gives what was printed.
    #[track_caller]
    pub(crate) fn deploy(&self) -> String {
        let output = self.deploy_command().output().unwrap();
        let printed = stderr(&output);
        assert!(output.status.success(), "{printed}");
        printed
    }

    /// Deploys; it has to fail as what the world did. Gives what was printed.
    #[track_caller]
    pub(crate) fn fail_to_deploy(&self) -> String {
        let output = self.deploy_command().output().unwrap();
        let printed = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{printed}");
        printed
    }

    /// The release that serves, and the notes.
    #[track_caller]
    pub(crate) fn serves(&self) -> (String, Vec<String>) {
        self.serves_for(STAGE)
    }

    #[track_caller]
    pub(crate) fn serves_for(&self, stage: &str) -> (String, Vec<String>) {
        let outputs = self.outputs_for(stage);
        let base = url_on_this_machine(outputs["Url"].as_str().unwrap());
        let url = format!("{base}/notes");
        let answer = request("GET", &url, &[], "");
        assert_eq!(answer.status, 200, "{answer:?}");
        let answer = answer.json();
        let notes = answer["notes"].as_array().unwrap();
        (
            answer["release"].as_str().unwrap().to_owned(),
            notes
                .iter()
                .map(|note| note.as_str().unwrap().to_owned())
                .collect(),
        )
    }

    #[track_caller]
    pub(crate) fn outputs_for(&self, stage: &str) -> Value {
        let mut command = self.command_for(stage, &["outputs", "--json"]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The state of each script, in order: `v1 applied`.
    #[track_caller]
    pub(crate) fn scripts(&self) -> Vec<String> {
        let output = self.run(&["migrate", "status", "--json"]);
        assert!(output.status.success(), "{}", stderr(&output));
        let status: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text =
            |script: &Value, name: &str| script[name].as_str().unwrap_or_default().to_owned();
        status["scripts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|script| {
                let script_path = text(script, "script");
                let name = script_path.rsplit('/').next().unwrap_or_default();
                format!("{name} {}", text(script, "state"))
            })
            .collect()
    }
}

const DAYSPRING: &str = env!("CARGO_BIN_EXE_dayspring");

fn dayspring(folder: &Path) -> Command {
    at_home(Command::new(DAYSPRING), folder)
}

/// In the project's folder, and with nothing of the user's own settings.
fn at_home(mut command: Command, folder: &Path) -> Command {
    command
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env_remove("AWS_ENDPOINT_URL")
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_REGION")
        .stdin(Stdio::null());
    command
}

/// The project's binary, built by the first test that asks.
fn bootstrap() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = root().join("target/e2e-ledger");
        let library = root().join("crates/dayspring");
        let manifest = MANIFEST.replace("DAYSPRING", library.to_str().unwrap());
        for (path, text) in [
            ("Cargo.toml", manifest.as_str()),
            ("functions/main.rs", MAIN),
            ("functions/get_notes.rs", GET_NOTES),
        ] {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            // Written only where it differs: cargo goes by the time of the change.
            if std::fs::read_to_string(&path).ok().as_deref() != Some(text) {
                std::fs::write(&path, text).unwrap();
            }
        }
        std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--target-dir"])
            .arg(root().join("target/e2e"))
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", stderr(&built));
        root().join("target/e2e/debug/ledger")
    })
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr)
        .trim_end()
        .to_owned()
}
