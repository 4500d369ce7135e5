//! The service with a real server, through its HTTP face.

mod dialect;
mod lifecycle;
mod mysqld;
mod statements;
mod transactions;
mod types;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::data_api::Limits;
use super::secret::SecretStore;
use super::{ClusterSpec, Rds, RdsConfig};
use crate::Identity;
use crate::error::AwsError;
use crate::http::Call;
use crate::parity::Notices;

pub(super) const ARN: &str = "arn:aws:rds:us-east-1:000000000000:cluster:test";

/// Secrets in memory.
#[derive(Debug, Default, Clone)]
pub(super) struct MemorySecrets {
    values: Arc<Mutex<HashMap<String, String>>>,
}

impl SecretStore for MemorySecrets {
    fn create(&self, name: &str, value: &str) -> Result<String, AwsError> {
        let arn = format!("arn:aws:secretsmanager:us-east-1:000000000000:secret:{name}-AbCdEf");
        self.values
            .lock()
            .unwrap()
            .insert(arn.clone(), value.to_owned());
        Ok(arn)
    }

    fn value(&self, name_or_arn: &str) -> Option<String> {
        self.values.lock().unwrap().get(name_or_arn).cloned()
    }

    fn delete(&self, name_or_arn: &str) {
        self.values.lock().unwrap().remove(name_or_arn);
    }
}

pub(super) fn spec(identifier: &str) -> ClusterSpec {
    ClusterSpec {
        identifier: identifier.to_owned(),
        engine: "aurora-mysql".to_owned(),
        engine_version: "8.0.mysql_aurora.3.08.0".to_owned(),
        database_name: Some("blog".to_owned()),
        master_username: "admin".to_owned(),
        master_password: None,
        http_endpoint_enabled: true,
        deletion_protection: false,
        may_pause: true,
    }
}

/// Bootstrapped once for all runs of the tests.
pub(super) fn cache() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tmp/mariadb")
}

pub(super) fn config(folder: &Path) -> RdsConfig {
    RdsConfig {
        identity: Identity::default(),
        folder: folder.to_owned(),
        cache: cache(),
        pause: None,
        database_url: None,
        notices: Notices::new().0,
    }
}

pub(super) fn open(folder: &Path, secrets: &MemorySecrets, limits: Limits) -> Rds {
    Rds::open_with(config(folder), Box::new(secrets.clone()), limits).unwrap()
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// Empty where the call succeeded.
    pub(super) kind: String,
    pub(super) body: Value,
}

impl Reply {
    /// The body of a success.
    #[track_caller]
    pub(super) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{} {}", self.kind, self.body);
        self.body
    }

    /// `STATUS KIND: message` of a refusal.
    #[track_caller]
    pub(super) fn refused(&self) -> String {
        assert_ne!(self.status, 200, "{}", self.body);
        let message = self.body["message"].as_str().unwrap();
        format!("{} {}: {message}", self.status, self.kind)
    }
}

pub(super) async fn post(rds: &Rds, path: &str, body: &Value) -> Reply {
    send(rds, path, body.to_string().into_bytes()).await
}

pub(super) async fn send(rds: &Rds, path: &str, body: Vec<u8>) -> Reply {
    let (parts, ()) = ::http::Request::post(path).body(()).unwrap().into_parts();
    let call = Call {
        parts,
        body: Bytes::from(body),
        peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
    };
    let answer = rds.data_api(call).await;
    let status = answer.status().as_u16();
    let kind = answer
        .headers()
        .get("x-amzn-errortype")
        .map(|kind| kind.to_str().unwrap().to_owned())
        .unwrap_or_default();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    Reply {
        status,
        kind,
        body: serde_json::from_slice(&body).unwrap(),
    }
}

/// A server that the tests which run at the same time share.
#[derive(Debug)]
struct Shared {
    runtime: tokio::runtime::Runtime,
    rds: Rds,
    secret: String,
    _folder: tempfile::TempDir,
    _mysqld: Option<mysqld::Mysqld>,
}

static SHARED: Mutex<Weak<Shared>> = Mutex::new(Weak::new());
static HURRIED: Mutex<Weak<Shared>> = Mutex::new(Weak::new());
static MYSQL: Mutex<Weak<Shared>> = Mutex::new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// Limits that are reached only when something hangs.
pub(super) fn patient() -> Limits {
    Limits {
        statement: Duration::from_secs(600),
        start: Duration::from_secs(600),
        ..Limits::default()
    }
}

/// Short enough for a test to live through: only for what lasts until something ends it.
fn hurried() -> Limits {
    Limits {
        statement: Duration::from_secs(1),
        ..patient()
    }
}

fn shared(
    place: &Mutex<Weak<Shared>>,
    limits: Limits,
    mysqld: impl FnOnce() -> Option<mysqld::Mysqld>,
) -> Arc<Shared> {
    let mut shared = place
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(shared) = shared.upgrade() {
        return shared;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let secrets = MemorySecrets::default();
    let mysqld = mysqld();
    let (rds, secret) = runtime.block_on(async {
        let config = RdsConfig {
            database_url: mysqld.as_ref().map(mysqld::Mysqld::url),
            ..config(folder.path())
        };
        let rds = Rds::open_with(config, Box::new(secrets.clone()), limits).unwrap();
        let cluster = rds.create_cluster(spec("test")).await.unwrap();
        rds.create_instance("test", "test-writer").unwrap();
        (rds, cluster.secret_arn.unwrap())
    });
    let new = Arc::new(Shared {
        runtime,
        rds,
        secret,
        _folder: folder,
        _mysqld: mysqld,
    });
    *shared = Arc::downgrade(&new);
    new
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.runtime.block_on(self.rds.shut_down());
    }
}

/// One test's database on the shared server.
#[derive(Debug)]
pub(super) struct Bench {
    shared: Arc<Shared>,
    pub(super) database: String,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::on(shared(&SHARED, patient(), || None))
    }

    /// On a server whose statements have a second.
    pub(super) fn hurried() -> Self {
        Self::on(shared(&HURRIED, hurried(), || None))
    }

    /// On a MySQL, where there is one.
    pub(super) fn mysql() -> Option<Self> {
        let binary = mysqld::binary()?;
        let start = || Some(mysqld::Mysqld::start(&binary));
        Some(Self::on(shared(&MYSQL, patient(), start)))
    }

    fn on(shared: Arc<Shared>) -> Self {
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let bench = Self {
            shared,
            database: format!("test_{number}"),
        };
        let sql = format!("create database if not exists {}", bench.database);
        bench.patiently(json!({ "sql": sql, "database": Value::Null }));
        bench
    }

    /// Runs what may run twice, until it had the time for it.
    #[track_caller]
    pub(super) fn patiently(&self, input: Value) -> Value {
        loop {
            let reply = self.post("/Execute", input.clone());
            if reply.kind != "StatementTimeoutException" {
                return reply.ok();
            }
        }
    }

    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.shared.runtime.block_on(future)
    }

    pub(super) fn spawn<F>(&self, future: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.shared.runtime.spawn(future)
    }

    pub(super) fn rds(&self) -> Rds {
        self.shared.rds.clone()
    }

    /// The input with the cluster, the secret and this test's database, where it names no others.
    pub(super) fn input(&self, input: Value) -> Value {
        let mut body = json!({
            "resourceArn": ARN,
            "secretArn": self.shared.secret,
            "database": self.database,
        });
        for (name, value) in input.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }

    pub(super) fn post(&self, path: &str, input: Value) -> Reply {
        self.block_on(post(&self.shared.rds, path, &self.input(input)))
    }

    #[track_caller]
    pub(super) fn execute(&self, sql: &str) -> Value {
        self.post("/Execute", json!({ "sql": sql })).ok()
    }

    /// The rows, as they are written.
    #[track_caller]
    pub(super) fn rows(&self, sql: &str) -> String {
        self.execute(sql)["records"].to_string()
    }

    #[track_caller]
    pub(super) fn with(&self, sql: &str, parameters: Value) -> Reply {
        self.post("/Execute", json!({ "sql": sql, "parameters": parameters }))
    }

    #[track_caller]
    pub(super) fn refused(&self, input: Value) -> String {
        self.post("/Execute", input).refused()
    }
}
