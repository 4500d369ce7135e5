//! The listeners, and which service a request is for.

use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::TcpListener;

use crate::Identity;

/// How the cloud runs.
#[derive(Debug, Clone)]
pub struct CloudConfig {
    pub identity: Identity,
    /// Everything that outlives a run.
    pub state: PathBuf,
    /// What several clouds of this user may share (bootstrapped data folders).
    pub cache: PathBuf,
    /// Answer requests that carry no signature.
    pub allow_unsigned: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot open the state folder {path}")]
    State {
        path: PathBuf,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("cannot read a listener's address")]
    Listener(#[source] std::io::Error),
}

/// A running local cloud.
#[derive(Debug)]
pub struct Cloud {}

impl Cloud {
    /// Serves AWS's APIs on the first listener and deployed stages on the second until [`Cloud::shut_down`].
    pub async fn start(
        _config: CloudConfig,
        _aws: TcpListener,
        _api: TcpListener,
    ) -> Result<Self, StartError> {
        todo!()
    }

    /// Where AWS's APIs answer.
    pub fn aws_address(&self) -> SocketAddr {
        todo!()
    }

    /// Where deployed stages answer.
    pub fn api_address(&self) -> SocketAddr {
        todo!()
    }

    /// Stops serving, ends every child process and writes what has to be kept.
    pub async fn shut_down(self) {}
}
