//! A private MySQL for the tests that can run on one. It is started only where [`BINARY`] names it.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::rds::DatabaseUrl;

/// Names a `mysqld` of MySQL 8.0 or later.
pub(super) const BINARY: &str = "DAYSPRING_TEST_MYSQLD";

/// Between two looks at whether it serves.
const PAUSE: Duration = Duration::from_millis(50);

pub(super) fn binary() -> Option<OsString> {
    std::env::var_os(BINARY)
}

/// A server on a socket in a folder of its own; both end with it.
#[derive(Debug)]
pub(super) struct Mysqld {
    child: Child,
    folder: tempfile::TempDir,
}

impl Mysqld {
    pub(super) fn start(binary: &OsString) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = command(binary, folder.path())
            .arg("--initialize-insecure")
            .status()
            .unwrap();
        assert!(made.success(), "{BINARY} cannot make a data folder");
        let child = command(binary, folder.path())
            .args(["--skip-networking", "--mysqlx=0"])
            .spawn()
            .unwrap();
        let mut server = Self { child, folder };
        server.wait();
        server
    }

    fn wait(&mut self) {
        let socket = self.folder.path().join("socket");
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{BINARY} ended: {ended:?}");
            std::thread::sleep(PAUSE);
        }
    }

    /// Its first account, which has no password.
    pub(super) fn url(&self) -> DatabaseUrl {
        let socket = self.folder.path().join("socket");
        let url = format!("mysql://root@localhost/?socket={}", socket.display());
        url.parse().unwrap()
    }
}

impl Drop for Mysqld {
    fn drop(&mut self) {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        drop(ended);
    }
}

fn command(binary: &OsString, folder: &Path) -> Command {
    let mut command = Command::new(binary);
    for (option, name) in [
        ("datadir", "data"),
        ("socket", "socket"),
        ("pid-file", "pid"),
        ("log-error", "log"),
    ] {
        command.arg(format!("--{option}={}", folder.join(name).display()));
    }
    if rustix::process::geteuid().is_root() {
        command.arg("--user=root");
    }
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}
