//! A server of this test run's own: one for the binary, one database for a test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};

use crate::program::{self, Server, find_program};

struct Running {
    socket: PathBuf,
    databases: AtomicU32,
    /// The shell that ends the server when this process ends and its end of the pipe closes, however it ends.
    _keeper: Child,
}

static SERVER: OnceLock<Running> = OnceLock::new();

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

fn start() -> Running {
    let program = Server::find();
    let folder = tempfile::Builder::new()
        .prefix("dayspring-migrate-")
        .tempdir()
        .unwrap()
        .keep();
    let data = folder.join("data");
    std::fs::create_dir(&data).unwrap();
    program.prepare(command, &data);
    let socket = folder.join("socket");
    let script = r#"folder=$1; shift; "$@" >"$folder/log" 2>&1 & server=$!; read -r _; kill -9 $server; wait $server; rm -rf "$folder""#;
    let keeper = command(Path::new("sh"))
        .args(["-c", script, "sh"])
        .arg(&folder)
        .arg(&program.path)
        .args(program.options())
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
    Running {
        socket,
        databases: AtomicU32::new(0),
        _keeper: keeper,
    }
}

/// The client that belongs to the server.
pub(crate) fn client() -> PathBuf {
    if !program::is_mysql() {
        return find_program("mariadb");
    }
    // In an installation programs are beside each other, or in `sbin` and `bin`.
    let server = Server::find().path;
    let folder = server.parent().unwrap();
    let beside = [folder.join("mysql"), folder.join("../bin/mysql")];
    beside
        .into_iter()
        .find(|program| program.is_file())
        .expect("the client `mysql` is beside the server")
}

/// Statements of the tests that only MariaDB has, and what stands in their place on MySQL.
const OF_MARIADB: [(&str, &str); 7] = [
    ("EXECUTE IMMEDIATE 'SELECT 1'", "EXECUTE s"),
    ("ANALYZE UPDATE ", "UPDATE "),
    ("SET STATEMENT max_statement_time = 9 FOR ", ""),
    ("SET STATEMENT max_statement_time = 60 FOR ", ""),
    ("ENGINE = Aria", "ENGINE = MyISAM"),
    ("CREATE SEQUENCE s;\nALTER SEQUENCE s INCREMENT BY 5;\n", ""),
    ("mysql.global_priv", "mysql.user"),
];

/// A script in the words of the server that the tests run.
pub(crate) fn said(script: &str) -> String {
    let mut said = script.to_owned();
    if program::is_mysql() {
        for (of_mariadb, of_mysql) in OF_MARIADB {
            said = said.replace(of_mariadb, of_mysql);
        }
    }
    said
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
        Server::find().prepare(command, &data);
        let child = Self::spawn(folder.path());
        Self { folder, child }
    }

    fn spawn(folder: &Path) -> Child {
        let program = Server::find();
        command(&program.path)
            .args(program.options())
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
