//! A private MariaDB server per cluster: found on this machine, bootstrapped once per version, copied for each cluster,
//! started on a unix socket, supervised, and ended with the cloud.
//!
//! Durability. A development database is data: what was committed survives the server's death at any moment. Each commit
//! reaches the operating system (`innodb_flush_log_at_trx_commit=2`) and torn pages are repaired (doublewrite is on).
//! Only a power cut can take the last second.
//!
//! Nothing outlives the cloud. A stopping cloud asks its servers to stop and ends those that linger. A cloud that was
//! killed leaves its servers behind: the next one on the same folder finds them by the recorded process id, makes sure that
//! the process really serves that data folder, and ends it first.

mod account;
mod installation;
mod leftover;
mod options;
mod remote;
mod server;
mod socket;
mod template;

pub(crate) use account::{ADMIN, Account, Setup};
pub use installation::mariadb_version;
use installation::{Installation, InstallationError};
pub use remote::{DatabaseUrl, DatabaseUrlError};
pub(crate) use server::{Endpoint, Kind, Server, ServerConfig, ServerState};

/// Why a server does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MariadbError {
    #[error(transparent)]
    Installation(#[from] InstallationError),
    #[error("cannot {action} `{path}`")]
    File {
        action: &'static str,
        path: std::path::PathBuf,
        source: std::io::Error,
    },
    #[error("cannot start `{program}`")]
    Spawn {
        program: std::path::PathBuf,
        source: std::io::Error,
    },
    #[error("`mariadbd --bootstrap` failed: {log}")]
    Bootstrap { log: String },
    #[error("the database server ended while it was starting: {log}")]
    EndedEarly { log: String },
    #[error("the database server did not answer within {seconds} s: {log}")]
    NotReady { seconds: u64, log: String },
    #[error("process {pid} of an earlier run still serves the data folder and cannot be ended")]
    Leftover { pid: i32 },
}

/// Ends the server that an earlier process left on a cluster's folder, if it still runs.
pub(crate) async fn end_leftover(folder: &std::path::Path) -> Result<(), MariadbError> {
    leftover::end(&folder.join("mariadbd.pid"), &folder.join("data")).await
}

/// Gives an I/O error the action and the path that it is about.
fn file_error(
    action: &'static str,
    path: &std::path::Path,
) -> impl FnOnce(std::io::Error) -> MariadbError {
    let path = path.to_owned();
    move |source| MariadbError::File {
        action,
        path,
        source,
    }
}

/// The last lines of a log, for a message.
fn log_tail(path: &std::path::Path) -> String {
    const LINES: usize = 12;
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
