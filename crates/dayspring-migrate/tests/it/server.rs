//! A MariaDB of this test run's own: one server for the binary, one database for a test.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};

/// Where a server may be that is on no PATH: Debian's and Homebrew's folders.
const FOLDERS: [&str; 5] = [
    "/usr/sbin",
    "/usr/local/sbin",
    "/opt/homebrew/opt/mariadb/bin",
    "/opt/homebrew/bin",
    "/usr/local/opt/mariadb/bin",
];

/// Quick to start and careless with the disk, which a test's database may be.
const OPTIONS: [&str; 16] = [
    "--no-defaults",
    "--skip-networking",
    "--skip-name-resolve",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=8M",
    "--innodb-undo-tablespaces=0",
    "--innodb-data-file-path=ibdata1:4M:autoextend",
    "--innodb-autoextend-increment=1",
    "--innodb-use-native-aio=0",
    "--innodb-stats-persistent=0",
    "--performance-schema=0",
    "--character-set-server=utf8mb4",
    "--max-connections=200",
];

struct Server {
    socket: PathBuf,
    databases: AtomicU32,
    /// The shell that ends the server when this process ends and its end of the pipe closes, however it ends.
    _keeper: Child,
}

static SERVER: OnceLock<Server> = OnceLock::new();

/// A connection's options for a new, empty database.
pub(crate) async fn new_database() -> OptsBuilder {
    let server = SERVER.get_or_init(start);
    let name = format!("test_{}", server.databases.fetch_add(1, Ordering::Relaxed));
    let opts = OptsBuilder::default()
        .socket(Some(server.socket.display().to_string()))
        .user(Some("root"))
        // MariaDB shows a dropped view still to a statement that was prepared before.
        .stmt_cache_size(0)
        .client_found_rows(true)
        .prefer_socket(true);
    let mut conn = connect(&opts).await;
    conn.query_drop(format!("CREATE DATABASE {name}"))
        .await
        .unwrap();
    conn.disconnect().await.unwrap();
    opts.db_name(Some(name))
}

/// Connects, waiting for a server that is still starting.
pub(crate) async fn connect(opts: &OptsBuilder) -> Conn {
    // Five minutes: reached only where it never comes.
    for _ in 0..6000 {
        match Conn::new(opts.clone()).await {
            Ok(conn) => return conn,
            Err(mysql_async::Error::Server(error)) => panic!("{error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    panic!("the server did not start within five minutes");
}

fn start() -> Server {
    let program = find_program("mariadbd");
    let folder = tempfile::Builder::new()
        .prefix("dayspring-migrate-")
        .tempdir()
        .unwrap()
        .keep();
    let data = folder.join("data");
    std::fs::create_dir(&data).unwrap();
    bootstrap(&program, &data);
    let socket = folder.join("socket");
    let script = r#"folder=$1; shift; "$@" >"$folder/log" 2>&1 & server=$!; read -r _; kill -9 $server; wait $server; rm -rf "$folder""#;
    let keeper = command(Path::new("sh"))
        .args(["-c", script, "sh"])
        .arg(&folder)
        .arg(&program)
        .args(OPTIONS)
        .arg(format!("--datadir={}", data.display()))
        .arg(format!("--socket={}", socket.display()))
        // A server that starts deletes the temporary tables of every other in its folder.
        .arg(format!("--tmpdir={}", folder.display()))
        .arg(format!("--pid-file={}", folder.join("pid").display()))
        .arg("--user=root")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Server {
        socket,
        databases: AtomicU32::new(0),
        _keeper: keeper,
    }
}

/// A program of MariaDB's.
pub(crate) fn find_program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(FOLDERS.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .expect("MariaDB is installed (Debian and Ubuntu: mariadb-server-core and mariadb-client-core; macOS: brew install mariadb)")
}

fn bootstrap(program: &Path, data: &Path) {
    let prefix = std::fs::canonicalize(program).unwrap();
    let prefix = prefix.parent().and_then(Path::parent).unwrap();
    let share = ["share/mysql", "share/mariadb"]
        .iter()
        .map(|share| prefix.join(share))
        .find(|share| share.join("mysql_system_tables.sql").is_file())
        .expect("the server's own scripts are beside it");
    let mut child = command(program)
        .args(OPTIONS)
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

#[expect(
    clippy::disallowed_methods,
    reason = "only the engine starts no process; its tests start servers and migrators"
)]
pub(crate) fn command(program: &Path) -> Command {
    Command::new(program)
}

/// A server that a test may kill and start again. What it has committed outlives it.
pub(crate) struct Mortal {
    folder: tempfile::TempDir,
    child: Child,
}

impl Mortal {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        bootstrap(&find_program("mariadbd"), &data);
        let child = Self::spawn(folder.path());
        Self { folder, child }
    }

    fn spawn(folder: &Path) -> Child {
        command(&find_program("mariadbd"))
            .args(OPTIONS)
            // Later options win.
            .arg("--innodb-flush-log-at-trx-commit=1")
            .arg(format!("--datadir={}", folder.join("data").display()))
            .arg(format!("--socket={}", folder.join("socket").display()))
            .arg(format!("--tmpdir={}", folder.display()))
            .arg(format!("--pid-file={}", folder.join("pid").display()))
            .arg("--user=root")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    pub(crate) async fn new_database(&self) -> OptsBuilder {
        let opts = OptsBuilder::default()
            .socket(Some(
                self.folder.path().join("socket").display().to_string(),
            ))
            .user(Some("root"))
            // MariaDB shows a dropped view still to a statement that was prepared before.
            .stmt_cache_size(0)
            .client_found_rows(true)
            .prefer_socket(true);
        let mut conn = connect(&opts).await;
        conn.query_drop("CREATE DATABASE test_mortal")
            .await
            .unwrap();
        opts.db_name(Some("test_mortal"))
    }

    /// Ends it as the machine would that loses its power.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn start_again(&mut self) {
        self.child = Self::spawn(self.folder.path());
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        // It may be dead already, and there is nobody to tell.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
