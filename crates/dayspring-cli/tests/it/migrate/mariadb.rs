//! A server of this test run's own, a MariaDB or the MySQL that `DAYSPRING_TEST_MYSQLD` names: one for the binary, one
//! database and one folder for a test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::runtime::Runtime;

use super::program::{self, Server};
use super::proxy::Proxy;

struct Running {
    socket: PathBuf,
    databases: AtomicU32,
    /// The shell that ends the server when this process ends and its end of the pipe closes, however it ends.
    _keeper: Child,
}

static SERVER: OnceLock<Running> = OnceLock::new();

/// A new, empty database, and a folder whose `scripts/schema` the commands find.
pub(super) struct Database {
    pub(super) name: String,
    folder: tempfile::TempDir,
    socket: PathBuf,
    runtime: Runtime,
}

/// What a command printed.
pub(super) struct Printed {
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Database {
    pub(super) fn new() -> Self {
        let server = SERVER.get_or_init(start);
        let number = server.databases.fetch_add(1, Ordering::Relaxed);
        let database = Self {
            name: format!("test_{number}"),
            folder: tempfile::tempdir().unwrap(),
            socket: server.socket.clone(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
        };
        database.runtime.block_on(async {
            let mut conn = patiently(&database.options(None)).await;
            let sql = format!("CREATE DATABASE {}", database.name);
            conn.query_drop(sql).await.unwrap();
            conn.disconnect().await.unwrap();
        });
        database
    }

    fn options(&self, name: Option<&str>) -> OptsBuilder {
        OptsBuilder::default()
            .socket(Some(self.socket.display().to_string()))
            .user(Some("root"))
            .db_name(name)
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn write(&self, file_name: &str, text: &str) {
        let folder = self.folder().join("scripts/schema");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(file_name), text).unwrap();
    }

    pub(super) fn remove(&self, file_name: &str) {
        fs::remove_file(self.folder().join("scripts/schema").join(file_name)).unwrap();
    }

    pub(super) fn socket_url(&self) -> String {
        format!(
            "mysql://root@/{}?socket={}",
            self.name,
            self.socket.display()
        )
    }

    /// The database by TCP through a proxy.
    pub(super) fn url_through(&self, proxy: &Proxy, parameters: &str) -> String {
        let port = proxy.port();
        format!("mysql://root@127.0.0.1:{port}/{}{parameters}", self.name)
    }

    pub(super) fn proxy(&self) -> Proxy {
        Proxy::start(&self.socket)
    }

    /// A connection that the test uses itself.
    pub(super) fn connect(&self) -> Open<'_> {
        let options = self.options(Some(&self.name));
        let conn = self.runtime.block_on(patiently(&options));
        Open {
            conn,
            runtime: &self.runtime,
        }
    }

    /// The rows of a query, their values joined by a space.
    pub(super) fn rows(&self, sql: &str) -> Vec<String> {
        self.connect().rows(sql)
    }

    /// Everything that the scripts are to change, and what the journal says of it.
    pub(super) fn dump(&self) -> Vec<String> {
        let tables = self.rows(&format!(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = '{}' AND table_name NOT LIKE \
             'dayspring%' ORDER BY table_name",
            self.name
        ));
        let mut dump = Vec::new();
        for table in tables {
            dump.extend(self.rows(&format!("SHOW CREATE TABLE {table}")));
            dump.extend(self.rows(&format!("SELECT * FROM {table} ORDER BY 1")));
        }
        let journal =
            "SELECT version, position, state FROM dayspring_statement ORDER BY version, position";
        dump.extend(self.rows(journal));
        dump
    }

    /// `dayspring migrate ARGUMENTS` in the folder, without a database named yet.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dayspring"));
        command
            .arg("migrate")
            .args(arguments)
            .current_dir(self.folder())
            .env("NO_COLOR", "1")
            .env_remove("DATABASE_URL")
            .env_remove("COLUMNS")
            .env_remove("AWS_ENDPOINT_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command on the database by its socket.
    pub(super) fn run(&self, arguments: &[&str]) -> Printed {
        self.run_at(&self.socket_url(), arguments)
    }

    pub(super) fn run_at(&self, url: &str, arguments: &[&str]) -> Printed {
        let mut command = self.command(arguments);
        let output = command.args(["--database-url", url]).output().unwrap();
        self.printed(&output)
    }

    /// Runs a command that must succeed.
    #[track_caller]
    pub(super) fn succeed(&self, arguments: &[&str]) -> Printed {
        let printed = self.run(arguments);
        assert_eq!(printed.code, 0, "{}", printed.stderr);
        printed
    }

    /// What a command printed, with this run's names for the server and the database replaced.
    pub(super) fn printed(&self, output: &Output) -> Printed {
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let text = text.replace(&self.socket.display().to_string(), "SOCKET");
            in_mariadbs_words(&text.replace(&self.name, "blog"))
        };
        Printed {
            code: output.status.code().unwrap(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

/// What MySQL says, and the words of MariaDB's for it that the tests have.
const OF_MYSQL: [(&str, &str); 7] = [
    ("your MySQL server version", "your MariaDB server version"),
    // Where in the line it stopped to understand.
    ("near 'MODFY email TEXT'", "near 'email TEXT'"),
    ("for key 'users.email'", "for key 'email'"),
    (
        "Referencing column 'user_id' and referenced column 'id' in foreign key constraint 'posts_ibfk_1' are \
         incompatible. (MySQL 3780)",
        "Can't create table `blog`.`posts` (errno: 150 \"Foreign key constraint is incorrectly formed\"); Create  table \
         `blog`.`posts` with foreign key (user_id) constraint failed. Field type or character set for column 'user_id' does \
         not match referenced column 'id'. (MySQL 1005)",
    ),
    // It knows who has it.
    (
        "the lock is held by",
        "it is held to the end of a transaction, and these are open",
    ),
    ("'blog.us␛[31mer'", "'blog.us\\001B[31mer'"),
    ("for table 'users'", "for table `blog`.`users`"),
];

fn in_mariadbs_words(text: &str) -> String {
    let mut said = text.to_owned();
    if program::is_mysql() {
        for (of_mysql, of_mariadb) in OF_MYSQL {
            said = said.replace(of_mysql, of_mariadb);
        }
    }
    said
}

/// A connection of the test's own.
pub(super) struct Open<'a> {
    conn: Conn,
    runtime: &'a Runtime,
}

impl Open<'_> {
    pub(super) fn id(&self) -> u32 {
        self.conn.id()
    }

    pub(super) fn say(&mut self, sql: &str) {
        self.runtime.block_on(self.conn.query_drop(sql)).unwrap();
    }

    pub(super) fn rows(&mut self, sql: &str) -> Vec<String> {
        let rows: Vec<mysql_async::Row> = self.runtime.block_on(self.conn.query(sql)).unwrap();
        let words = |row: mysql_async::Row| {
            let values = row.unwrap().into_iter();
            let words = values.map(|value| value.as_sql(true).trim_matches('\'').to_owned());
            words.collect::<Vec<_>>().join(" ")
        };
        rows.into_iter().map(words).collect()
    }
}

/// Connects, waiting for a server that is still starting.
async fn patiently(options: &OptsBuilder) -> Conn {
    // Five minutes: reached only where it never comes.
    for _ in 0..6000 {
        match Conn::new(options.clone()).await {
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
        .prefix("dayspring-cli-")
        .tempdir()
        .unwrap()
        .keep();
    let data = folder.join("data");
    fs::create_dir(&data).unwrap();
    program.prepare(|path| Command::new(path), &data);
    write_certificate(&folder);
    let socket = folder.join("socket");
    let script = r#"folder=$1; shift; "$@" >"$folder/log" 2>&1 & server=$!; read -r _; kill -9 $server; wait $server; rm -rf "$folder""#;
    let at = |option: &str, file: &str| format!("--{option}={}", folder.join(file).display());
    let keeper = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(&folder)
        .arg(&program.path)
        .args(program.options())
        .arg(at("datadir", "data"))
        .arg(at("socket", "socket"))
        // A server that starts deletes the temporary tables of every other in its folder.
        .arg(at("tmpdir", ""))
        .arg(at("pid-file", "pid"))
        .arg(at("ssl-cert", "cert.pem"))
        .arg(at("ssl-key", "key.pem"))
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

/// The file that makes the server's certificate trusted.
pub(super) fn authority() -> PathBuf {
    let server = SERVER.get_or_init(start);
    server.socket.with_file_name("ca.pem")
}

/// A file with another authority.
pub(super) fn other_authority() -> PathBuf {
    authority().with_file_name("other-ca.pem")
}

fn write_certificate(folder: &Path) {
    let (authority, pem) = make_authority();
    fs::write(folder.join("ca.pem"), pem).unwrap();
    fs::write(folder.join("other-ca.pem"), make_authority().1).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = names.signed_by(&key, &authority).unwrap();
    fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

fn make_authority() -> (Issuer<'static, KeyPair>, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    (Issuer::new(params, key), pem)
}
