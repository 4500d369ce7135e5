//! The server that tests run: a MariaDB, or the MySQL whose program `DAYSPRING_TEST_MYSQLD` names. The tests of
//! the command line and of the migrator have this file too.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where a program may be that is on no PATH: Debian's and Homebrew's folders.
const FOLDERS: [&str; 5] = [
    "/usr/sbin",
    "/usr/local/sbin",
    "/opt/homebrew/opt/mariadb/bin",
    "/opt/homebrew/bin",
    "/usr/local/opt/mariadb/bin",
];

/// Quick to start and careless with the disk, which a test's database may be.
const OPTIONS: [&str; 12] = [
    "--no-defaults",
    "--skip-networking",
    "--skip-name-resolve",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    "--innodb-buffer-pool-size=32M",
    "--innodb-autoextend-increment=1",
    "--innodb-use-native-aio=0",
    "--innodb-stats-persistent=0",
    "--character-set-server=utf8mb4",
    "--max-connections=200",
];

const MARIADB_OPTIONS: [&str; 4] = [
    "--innodb-log-file-size=8M",
    "--innodb-undo-tablespaces=0",
    "--innodb-data-file-path=ibdata1:4M:autoextend",
    "--performance-schema=0",
];

/// Without a binary log, as Aurora and MariaDB are where nobody asks for one; with the performance schema, which is the
/// default; and what cannot be parsed is logged too. A statement may be as long as MariaDB takes them.
const MYSQL_OPTIONS: [&str; 6] = [
    "--max-allowed-packet=16M",
    "--log-raw",
    "--innodb-redo-log-capacity=32M",
    "--innodb-data-file-path=ibdata1:5M:autoextend",
    "--disable-log-bin",
    "--mysqlx=0",
];

/// Whether the tests run MySQL.
pub(crate) fn is_mysql() -> bool {
    named_mysql().is_some()
}

fn named_mysql() -> Option<PathBuf> {
    std::env::var_os("DAYSPRING_TEST_MYSQLD").map(PathBuf::from)
}

/// A server's program.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) path: PathBuf,
    is_mysql: bool,
}

impl Server {
    pub(crate) fn find() -> Self {
        let mysql = named_mysql();
        Self {
            is_mysql: is_mysql(),
            path: mysql.unwrap_or_else(|| find_program("mariadbd")),
        }
    }

    pub(crate) fn options(&self) -> impl Iterator<Item = &'static str> {
        let own: &[&str] = if self.is_mysql {
            &MYSQL_OPTIONS
        } else {
            &MARIADB_OPTIONS
        };
        OPTIONS.iter().chain(own).copied()
    }

    /// Fills an empty data folder.
    pub(crate) fn prepare(&self, command: fn(&Path) -> Command, data: &Path) {
        if self.is_mysql {
            copy(&self.mysql_folder(command), data);
        } else {
            self.bootstrap_mariadb(command, data);
        }
    }

    fn bootstrap_mariadb(&self, command: fn(&Path) -> Command, data: &Path) {
        let prefix = std::fs::canonicalize(&self.path).unwrap();
        let prefix = prefix.parent().and_then(Path::parent).unwrap();
        let share = ["share/mysql", "share/mariadb"]
            .iter()
            .map(|share| prefix.join(share))
            .find(|share| share.join("mysql_system_tables.sql").is_file())
            .expect("the server's own scripts are beside it");
        let mut child = command(&self.path)
            .args(self.options())
            .args(["--bootstrap", "--innodb-fast-shutdown=1", "--user=root"])
            .arg(format!("--tmpdir={}", data.display()))
            .arg(format!("--datadir={}", data.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input
            .write_all(b"create database mysql;\nuse mysql;\n")
            .unwrap();
        for file in ["mysql_system_tables.sql", "mysql_system_tables_data.sql"] {
            input
                .write_all(&std::fs::read(share.join(file)).unwrap())
                .unwrap();
        }
        drop(input);
        assert!(
            child.wait().unwrap().success(),
            "the server prepares its data folder"
        );
    }

    /// A data folder of this version, which takes MySQL seconds to make and is kept beside the build.
    fn mysql_folder(&self, command: fn(&Path) -> Command) -> PathBuf {
        let version = command(&self.path)
            .args(["--no-defaults", "--version"])
            .output()
            .unwrap();
        let version = String::from_utf8(version.stdout).unwrap();
        let version = version.split_whitespace().nth(2).unwrap();
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mysql-{version}"));
        if !kept.is_dir() {
            let new = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
            let data = new.path().join("data");
            let output = command(&self.path)
                .args(self.options())
                .args(["--initialize-insecure", "--user=root"])
                .arg(format!("--datadir={}", data.display()))
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
            // Another process may have been quicker.
            if std::fs::rename(&data, &kept).is_err() {
                assert!(kept.is_dir(), "the data folder can be kept");
            }
        }
        kept
    }
}

pub(crate) fn find_program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(FOLDERS.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .expect("MariaDB is installed (Debian and Ubuntu: mariadb-server-core and mariadb-client-core; macOS: brew install mariadb)")
}

/// Copies what is in a folder into one that is there.
fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}
