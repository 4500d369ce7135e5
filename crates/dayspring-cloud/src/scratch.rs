//! A database server for a few minutes: empty, private, gone at the end.
//!
//! It is the server that a cluster of the local cloud has, with the same options, in a folder of its own in the user's
//! cache. A process that was killed leaves its server behind; the next one that wants a scratch server finds the folder
//! unlocked, ends what still runs on it, and removes it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustix::fs::{FlockOperation, flock};

use crate::rds::{
    ADMIN, Account, Endpoint, Server, ServerConfig, ServerState, Setup, end_leftover, random,
};

/// The folder of all scratch servers in the cache.
const FOLDER: &str = "scratch";

/// Locked for as long as the process lives that the server belongs to.
const LOCK: &str = "lock";

/// A first start on a machine makes the template of the data folder too.
const START_WITHIN: Duration = Duration::from_secs(180);

/// Why there is no scratch server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScratchError {
    /// The folder cannot be used.
    #[error("cannot use the folder {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The server does not start.
    #[error("{message}")]
    Server {
        /// Why, with the end of its log or how to install it.
        message: String,
    },
}

/// A running server with no database in it.
#[derive(Debug)]
pub struct ScratchServer {
    server: Server,
    endpoint: Arc<Endpoint>,
    admin: Account,
    folder: PathBuf,
    _lock: File,
}

impl ScratchServer {
    /// Starts a server in `cache`, which also keeps the template that it is copied from.
    ///
    /// # Errors
    /// No MariaDB is installed, it does not start, or the cache cannot be written.
    pub async fn start(cache: &Path) -> Result<Self, ScratchError> {
        let all = cache.join(FOLDER);
        make_private(&all)?;
        sweep(&all).await;
        let folder = all.join(random::lowercase(8));
        make_private(&folder)?;
        let lock = lock(&folder).map_err(at(&folder))?;
        let account = |user: &str| Account {
            user: user.to_owned(),
            password: random::password(24),
        };
        let setup = Setup {
            admin: account(ADMIN),
            master: account("scratch"),
            database: None,
        };
        let admin = setup.admin.clone();
        let server = Server::start(ServerConfig {
            search_path: std::env::var_os("PATH"),
            cache: cache.to_owned(),
            folder: folder.clone(),
            setup,
        });
        let message = match server.settled(START_WITHIN).await {
            ServerState::Ready(endpoint) => {
                return Ok(Self {
                    server,
                    endpoint,
                    admin,
                    folder,
                    _lock: lock,
                });
            }
            ServerState::Failed(message) => message,
            ServerState::Starting => {
                format!("it did not start within {} s", START_WITHIN.as_secs())
            }
            ServerState::Stopped => "it ended by itself".to_owned(),
        };
        server.stop().await;
        remove(&folder);
        Err(ScratchError::Server { message })
    }

    /// The URL of a database in it, or of the server, for an account with all rights.
    pub fn url(&self, database: Option<&str>) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        format!(
            "mysql://{}:{}@/{}?socket={}",
            encoded(&self.admin.user),
            encoded(&self.admin.password),
            database.map(encoded).unwrap_or_default(),
            encoded(&self.endpoint.socket().to_string_lossy())
        )
    }

    /// Stops the server; it and its data are gone when this returns.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl Drop for ScratchServer {
    /// Without [`ScratchServer::stop`] the server ends in the background, or with this process.
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

/// What cannot be removed now, the next sweep removes.
fn remove(folder: &Path) {
    drop(std::fs::remove_dir_all(folder));
}

/// Removes what earlier processes left. Whatever fails here, a new server does not need it.
async fn sweep(all: &Path) {
    let Ok(entries) = std::fs::read_dir(all) else {
        return;
    };
    for folder in entries.flatten().map(|entry| entry.path()) {
        if let Ok(lock) = lock(&folder) {
            if end_leftover(&folder).await.is_ok() {
                remove(&folder);
            }
            drop(lock);
        }
    }
}

fn lock(folder: &Path) -> std::io::Result<File> {
    let file = File::create(folder.join(LOCK))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

fn make_private(folder: &Path) -> Result<(), ScratchError> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(at(folder))
}

fn at(folder: &Path) -> impl FnOnce(std::io::Error) -> ScratchError {
    let path = folder.to_owned();
    move |source| ScratchError::Folder { path, source }
}

#[cfg(test)]
mod tests {
    use mysql_async::prelude::Queryable as _;

    use super::*;

    #[tokio::test]
    async fn a_scratch_server_answers_and_leaves_nothing_behind() {
        let cache = tempfile::tempdir().unwrap();
        let abandoned = cache.path().join(FOLDER).join("abandoned");
        make_private(&abandoned).unwrap();
        let scratch = ScratchServer::start(cache.path()).await.unwrap();
        assert!(!abandoned.exists());
        let mut conn = scratch
            .endpoint
            .connect(&scratch.admin, None)
            .await
            .unwrap();
        conn.query_drop("CREATE DATABASE blog").await.unwrap();
        let url = scratch.url(Some("blog"));
        assert!(url.contains("@/blog?socket="), "{url}");

        // One that lives is not swept away.
        let other = ScratchServer::start(cache.path()).await.unwrap();
        conn.query_drop("CREATE TABLE blog.t (id INT)")
            .await
            .unwrap();
        other.stop().await;
        scratch.stop().await;
        let left = std::fs::read_dir(cache.path().join(FOLDER)).unwrap();
        assert_eq!(left.count(), 0);
    }
}
