//! A database server of this test run's own, and a Data API over it that is as small as the migrator's calls allow.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder, Params, Row};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::program::Server;
use crate::server::{Call, Reply};

struct Running {
    socket: PathBuf,
    databases: AtomicU32,
    /// The shell that ends the server when this process ends, however it ends.
    _keeper: Child,
}

static SERVER: OnceLock<Running> = OnceLock::new();

/// A new, empty database.
async fn new_database() -> OptsBuilder {
    let server = SERVER.get_or_init(start);
    let name = format!("test_{}", server.databases.fetch_add(1, Ordering::Relaxed));
    let opts = OptsBuilder::default()
        .socket(Some(server.socket.display().to_string()))
        .user(Some("root"))
        .client_found_rows(true)
        .prefer_socket(true);
    let mut conn = connect(&opts).await;
    conn.query_drop(format!("CREATE DATABASE {name}"))
        .await
        .unwrap();
    opts.db_name(Some(name))
}

/// Connects, waiting for a server that is still starting.
async fn connect(opts: &OptsBuilder) -> Conn {
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
        .prefix("dayspring-migrator-")
        .tempdir()
        .unwrap()
        .keep();
    let data = folder.join("data");
    std::fs::create_dir(&data).unwrap();
    program.prepare(|path| Command::new(path), &data);
    let socket = folder.join("socket");
    let script = r#"folder=$1; shift; "$@" >"$folder/log" 2>&1 & server=$!; read -r _; kill -9 $server; wait $server; rm -rf "$folder""#;
    let keeper = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(&folder)
        .arg(&program.path)
        .args(program.options())
        .arg("--user=root")
        .arg(format!("--datadir={}", data.display()))
        .arg(format!("--socket={}", socket.display()))
        .arg(format!("--tmpdir={}", folder.display()))
        .arg(format!("--pid-file={}", folder.join("pid").display()))
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

/// What a call takes whose statement is over with its answer: reached only when something hangs.
const PATIENCE: Duration = Duration::from_secs(300);

/// The Data API of one database: every call outside a transaction has a connection of its own.
pub(crate) struct DataApi {
    opts: OptsBuilder,
    transactions: Mutex<HashMap<String, Conn>>,
    numbers: AtomicU32,
    /// After this a call whose statement may go on is answered with a timeout, and its statement goes on.
    call_time: Duration,
    /// How a statement of a transaction begins that is answered with a timeout after this, and is over with its
    /// transaction.
    pub(crate) transaction_time: std::sync::Mutex<Option<(&'static str, Duration)>>,
}

impl DataApi {
    pub(crate) async fn new(call_time: Duration) -> Self {
        Self {
            opts: new_database().await,
            transactions: Mutex::default(),
            numbers: AtomicU32::new(0),
            call_time,
            transaction_time: std::sync::Mutex::default(),
        }
    }

    /// Runs a statement, which a timeout ends together with its connection.
    async fn execute_in_time(&self, mut conn: Conn, body: &Value) -> (Option<Conn>, Reply) {
        let sql = body["sql"].as_str().unwrap_or_default();
        let time = *self.transaction_time.lock().unwrap();
        let Some((_, time)) = time.filter(|(begins, _)| sql.starts_with(begins)) else {
            let reply = execute(&mut conn, body).await;
            return (Some(conn), reply);
        };
        let id = conn.id();
        match tokio::time::timeout(time, execute(&mut conn, body)).await {
            Ok(reply) => (Some(conn), reply),
            Err(_) => {
                let mut other = connect(&self.opts).await;
                other.query_drop(format!("KILL {id}")).await.unwrap();
                let message = "Database query timed out".to_owned();
                (
                    None,
                    Reply::Error(400, "StatementTimeoutException", message),
                )
            }
        }
    }

    /// A connection of another program.
    pub(crate) async fn connect(&self) -> Conn {
        connect(&self.opts).await
    }

    /// The first column of a query's rows.
    pub(crate) async fn ask(&self, sql: &str) -> Vec<String> {
        connect(&self.opts).await.query(sql).await.unwrap()
    }

    pub(crate) async fn answer(&self, call: &Call) -> Reply {
        let id = call.body["transactionId"].as_str().unwrap_or_default();
        match call.path.as_str() {
            "/BeginTransaction" => {
                let id = self.numbers.fetch_add(1, Ordering::Relaxed).to_string();
                let mut conn = connect(&self.opts).await;
                conn.query_drop("START TRANSACTION").await.unwrap();
                self.transactions.lock().await.insert(id.clone(), conn);
                Reply::Ok(json!({ "transactionId": id }))
            }
            "/CommitTransaction" => self.end(id, "COMMIT").await,
            "/RollbackTransaction" => self.end(id, "ROLLBACK").await,
            _ if id.is_empty() => {
                let mut conn = connect(&self.opts).await;
                let body = call.body.clone();
                let time = if body["continueAfterTimeout"] == true {
                    self.call_time
                } else {
                    PATIENCE
                };
                let statement = tokio::spawn(async move { execute(&mut conn, &body).await });
                match tokio::time::timeout(time, statement).await {
                    Ok(reply) => reply.unwrap(),
                    Err(_) => {
                        Reply::Error(400, "StatementTimeoutException", "it timed out".to_owned())
                    }
                }
            }
            _ => {
                let Some(conn) = self.transactions.lock().await.remove(id) else {
                    return gone(id);
                };
                let (conn, reply) = self.execute_in_time(conn, &call.body).await;
                if let Some(conn) = conn {
                    self.transactions.lock().await.insert(id.to_owned(), conn);
                }
                reply
            }
        }
    }

    async fn end(&self, id: &str, sql: &str) -> Reply {
        match self.transactions.lock().await.remove(id) {
            Some(mut conn) => {
                conn.query_drop(sql).await.unwrap();
                Reply::Ok(json!({ "transactionStatus": "ended" }))
            }
            None => gone(id),
        }
    }
}

fn gone(id: &str) -> Reply {
    let message = format!("Transaction {id} is not found");
    Reply::Error(404, "TransactionNotFoundException", message)
}

async fn execute(conn: &mut Conn, body: &Value) -> Reply {
    let sql = body["sql"].as_str().unwrap();
    let named: HashMap<Vec<u8>, mysql_async::Value> = body["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|parameter| {
            let name = parameter["name"].as_str().unwrap().as_bytes().to_vec();
            let value = match (
                parameter["value"]["longValue"].as_i64(),
                parameter["value"]["stringValue"].as_str(),
            ) {
                (Some(number), _) => number.into(),
                (None, Some(text)) => text.into(),
                (None, None) => mysql_async::Value::NULL,
            };
            (name, value)
        })
        .collect();
    let parameters = if named.is_empty() {
        Params::Empty
    } else {
        Params::Named(named)
    };
    let mut rows: Result<Vec<Row>, mysql_async::Error> = conn.exec(sql, parameters).await;
    // What cannot be prepared goes as text.
    if matches!(&rows, Err(mysql_async::Error::Server(error)) if error.code == 1295) {
        rows = conn.query(sql).await;
    }
    match rows {
        Ok(rows) => {
            let records: Vec<Vec<Value>> = rows
                .into_iter()
                .map(|row| row.unwrap().into_iter().map(field).collect())
                .collect();
            Reply::Ok(json!({ "records": records, "numberOfRecordsUpdated": conn.affected_rows() }))
        }
        Err(mysql_async::Error::Server(error)) => {
            let message = format!(
                "{}; Error code: {}; SQLState: {}",
                error.message, error.code, error.state
            );
            Reply::Error(400, "DatabaseErrorException", message)
        }
        Err(error) => panic!("{error}"),
    }
}

fn field(value: mysql_async::Value) -> Value {
    match value {
        mysql_async::Value::NULL => json!({ "isNull": true }),
        mysql_async::Value::Int(number) => json!({ "longValue": number }),
        mysql_async::Value::UInt(number) => json!({ "longValue": number }),
        mysql_async::Value::Bytes(bytes) => {
            json!({ "stringValue": String::from_utf8_lossy(&bytes) })
        }
        other => json!({ "stringValue": other.as_sql(true) }),
    }
}
