//! What stays of an execution environment when its process is ended: its `/tmp`.
//!
//! A function that times out or crashes is started anew in the same environment, whose `/tmp` is as it was:
//! <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html> (read 2026-11-23). The `/tmp` is a mount
//! of the process's mount namespace, and a namespace lives as long as somebody has it open. Nothing of it is on disk, so
//! nothing is left when this cloud is killed.

use std::fs::File;

use rustix::process::Pid;
use tokio::sync::watch;

/// The namespaces of a process, held open.
#[derive(Debug)]
pub(super) struct Namespaces {
    pub(super) mount: File,
    /// Where the process has one of its own.
    pub(super) user: Option<File>,
}

impl Namespaces {
    /// Those of a living process, or `None` where it has no mount namespace of its own.
    pub(super) fn of(process: Pid) -> Option<Self> {
        let process = process.as_raw_nonzero();
        let open = |name: &str| {
            let path = format!("/proc/{process}/ns/{name}");
            let is_own = std::fs::read_link(&path).ok()?
                != std::fs::read_link(format!("/proc/self/ns/{name}")).ok()?;
            is_own.then(|| File::open(path).ok()).flatten()
        };
        Some(Self {
            mount: open("mnt")?,
            user: open("user"),
        })
    }
}

/// An environment without a process.
#[derive(Debug)]
pub(super) struct Vacant {
    pub(super) namespaces: Namespaces,
    /// Says that the process and all that it started are gone.
    pub(super) gone: watch::Receiver<bool>,
}

impl Vacant {
    /// Its namespaces, when nothing that ran in them is left.
    pub(super) async fn cleared(mut self) -> Namespaces {
        // The sender goes with the process too.
        drop(self.gone.wait_for(|gone| *gone).await);
        self.namespaces
    }
}

/// Whether a process's environment can be kept.
#[derive(Debug)]
pub(super) enum Keeping {
    /// Its `/tmp` is this machine's.
    Nothing,
    /// Its namespaces are opened when it is sure to be in them.
    Later,
    Kept(Namespaces),
}
