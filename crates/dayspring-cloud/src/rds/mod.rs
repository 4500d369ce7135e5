//! RDS: a private `mariadbd` per cluster, and the RDS Data API before it.

mod data_api;
mod mariadb;
pub(crate) mod random;
mod secret;
mod store;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ::http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::Identity;
use crate::error::AwsError;
use crate::http::{Answer, Call};
use crate::parity::Notices;
use crate::secrets::Secrets;
pub use data_api::AutoPause;
use data_api::{Database, Fault, Limits};
pub use mariadb::mariadb_version;
pub(crate) use mariadb::{
    ADMIN, Account, Endpoint, Server, ServerConfig, ServerState, Setup, end_leftover,
};
pub use mariadb::{DatabaseUrl, DatabaseUrlError};
use secret::{SecretStore, secret_value};
use store::{Record, Store};

/// How long making a cluster waits for its server: a bootstrap, a copy and a start.
const CREATE_WITHIN: Duration = Duration::from_secs(180);

/// `AWS::RDS::DBCluster`, what matters here of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClusterSpec {
    /// `DBClusterIdentifier`.
    pub(crate) identifier: String,
    pub(crate) engine: String,
    pub(crate) engine_version: String,
    pub(crate) database_name: Option<String>,
    pub(crate) master_username: String,
    /// `ManageMasterUserPassword`: the service makes the secret. Otherwise the password is given.
    pub(crate) master_password: Option<String>,
    pub(crate) http_endpoint_enabled: bool,
    pub(crate) deletion_protection: bool,
    /// Whether its lowest capacity is 0 ACU, so that it pauses when nothing is asked of it.
    #[serde(default)]
    pub(crate) may_pause: bool,
}

/// A cluster that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cluster {
    pub(crate) identifier: String,
    pub(crate) arn: String,
    /// `cluster-ABC...`.
    pub(crate) resource_id: String,
    pub(crate) endpoint_address: String,
    pub(crate) read_endpoint_address: String,
    pub(crate) port: u16,
    /// `MasterUserSecret.SecretArn`, where the service manages the password.
    pub(crate) secret_arn: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct RdsConfig {
    pub(crate) identity: Identity,
    /// Where clusters' data and the state file are kept.
    pub(crate) folder: PathBuf,
    /// Where a bootstrapped data folder is kept per version of `mariadbd`, to be copied for each cluster.
    pub(crate) cache: PathBuf,
    /// When clusters pause that may.
    pub(crate) pause: Option<AutoPause>,
    /// A server of the user's own for all clusters, in the place of private ones.
    pub(crate) database_url: Option<DatabaseUrl>,
    pub(crate) notices: Notices,
}

/// Why the service cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RdsError {
    #[error(transparent)]
    State(#[from] crate::state::StateError),
    #[error("cannot {action} `{path}`")]
    Folder {
        action: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("another local cloud uses `{path}`; stop it, or choose another state folder")]
    InUse { path: PathBuf },
}

/// The RDS service. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Rds {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: RdsConfig,
    limits: Limits,
    secrets: Box<dyn SecretStore>,
    /// Where `mariadbd` is looked for first.
    search_path: Option<OsString>,
    store: Store,
    // Never held across an await.
    databases: Mutex<BTreeMap<String, Database>>,
    /// Held for as long as the service is open: two clouds on one folder would end each other's servers.
    _lock: File,
}

impl Rds {
    /// Opens the service on its folder, and starts the servers of the clusters of the last run (in the background: a
    /// statement that comes early waits).
    ///
    /// Has to be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// The folder cannot be written, its state is damaged, or another cloud uses it.
    pub(crate) fn open(config: RdsConfig, secrets: Secrets) -> Result<Self, RdsError> {
        let limits = Limits {
            pause: config.pause,
            ..Limits::default()
        };
        Self::open_with(config, Box::new(secrets), limits)
    }

    fn open_with(
        mut config: RdsConfig,
        secrets: Box<dyn SecretStore>,
        limits: Limits,
    ) -> Result<Self, RdsError> {
        // A server works in its data folder, so a path that is relative to ours means nothing to it.
        for folder in [&mut config.folder, &mut config.cache] {
            *folder = std::path::absolute(&*folder).map_err(folder_error("find", folder))?;
        }
        let lock = lock_folder(&config.folder)?;
        let store = Store::open(&config.folder)?;
        let shared = Shared {
            config,
            limits,
            secrets,
            search_path: std::env::var_os("PATH"),
            store,
            databases: Mutex::default(),
            _lock: lock,
        };
        for record in shared.store.records() {
            shared.start(&record);
        }
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Makes the cluster and starts its server.
    ///
    /// # Errors
    ///
    /// The identifier is taken or not one, or the server cannot be started.
    pub(crate) async fn create_cluster(&self, spec: ClusterSpec) -> Result<Cluster, AwsError> {
        check_identifier(&spec.identifier)?;
        if self.shared.store.record(&spec.identifier).is_some() {
            return Err(AwsError::bad_request(
                "DBClusterAlreadyExistsFault",
                "DB Cluster already exists",
            ));
        }
        let record = self.shared.new_record(spec)?;
        let identifier = record.spec.identifier.clone();
        let cluster = record.cluster.clone();
        self.shared.set_aside(&identifier).map_err(internal)?;
        self.shared.store.put(record.clone()).map_err(internal)?;
        let database = self.shared.start(&record);
        match database.server().settled(CREATE_WITHIN).await {
            ServerState::Ready(_) => Ok(cluster),
            state => {
                database.stop().await;
                self.shared.forget(&record).map_err(internal)?;
                Err(internal(match state {
                    ServerState::Failed(reason) => reason,
                    _ => format!("the database server of `{identifier}` did not start"),
                }))
            }
        }
    }

    /// Takes over what can change without another cluster: the endpoint, the protection, the version, the password.
    ///
    /// # Errors
    ///
    /// There is no such cluster, or its server does not take the new password.
    pub(crate) async fn modify_cluster(&self, spec: ClusterSpec) -> Result<Cluster, AwsError> {
        let mut record = self.shared.required(&spec.identifier)?;
        if let Some(password) = &spec.master_password
            && record.master.password != *password
        {
            record.master.password.clone_from(password);
            let database = self.shared.database(&spec.identifier)?;
            database
                .set_password(&record.master.account())
                .await
                .map_err(|fault| fault.error)?;
        }
        record.spec = spec;
        let cluster = record.cluster.clone();
        self.shared.store.put(record).map_err(internal)?;
        Ok(cluster)
    }

    /// Refused with AWS's words while it is protected. Keeps the data in a snapshot folder when `snapshot` is asked for.
    ///
    /// # Errors
    ///
    /// There is no such cluster, it is protected, or it still has instances.
    pub(crate) async fn delete_cluster(
        &self,
        identifier: &str,
        snapshot: bool,
    ) -> Result<(), AwsError> {
        let record = self.shared.required(identifier)?;
        if record.spec.deletion_protection {
            return Err(AwsError::bad_request(
                "InvalidParameterCombination",
                "Cannot delete protected Cluster, please disable deletion protection and try again.",
            ));
        }
        if !record.instances.is_empty() {
            return Err(AwsError::bad_request(
                "InvalidDBClusterStateFault",
                "Cluster cannot be deleted, it still contains DB instances in non-deleting state.",
            ));
        }
        let database = self.shared.databases().remove(identifier);
        if let Some(database) = database {
            database.stop().await;
        }
        if snapshot {
            self.shared.set_aside(identifier).map_err(internal)?;
        }
        self.shared.forget(&record).map_err(internal)
    }

    /// `AWS::RDS::DBInstance`: a cluster without one answers no statement.
    ///
    /// # Errors
    ///
    /// There is no such cluster, or the identifier is taken.
    pub(crate) fn create_instance(&self, cluster: &str, identifier: &str) -> Result<(), AwsError> {
        let mut record = self.shared.required(cluster)?;
        if self.shared.store.of_instance(identifier).is_some() {
            return Err(AwsError::bad_request(
                "DBInstanceAlreadyExists",
                "DB instance already exists",
            ));
        }
        record.instances.insert(identifier.to_owned());
        self.shared.store.put(record).map_err(internal)
    }

    /// Takes the instance away.
    ///
    /// # Errors
    ///
    /// There is no such instance.
    pub(crate) fn delete_instance(&self, identifier: &str) -> Result<(), AwsError> {
        let Some(mut record) = self.shared.store.of_instance(identifier) else {
            return Err(AwsError::new(
                StatusCode::NOT_FOUND,
                "DBInstanceNotFound",
                format!("DBInstance {identifier} not found."),
            ));
        };
        record.instances.remove(identifier);
        self.shared.store.put(record).map_err(internal)
    }

    /// Answers the RDS Data API.
    pub(crate) async fn data_api(&self, call: Call) -> Answer {
        data_api::serve(&*self.shared, &call).await
    }

    /// Stops every server that was started.
    pub(crate) async fn shut_down(&self) {
        let databases = std::mem::take(&mut *self.shared.databases());
        let mut stops: JoinSet<()> = databases
            .into_values()
            .map(|database| async move { database.stop().await })
            .collect();
        while stops.join_next().await.is_some() {}
    }
}

impl data_api::Directory for Shared {
    fn database(&self, resource_arn: &str) -> Result<Database, Fault> {
        self.find(resource_arn).map(|found| found.database)
    }

    fn awake(&self, resource_arn: &str) -> Result<Database, Fault> {
        let found = self.find(resource_arn)?;
        if found.may_pause && !found.database.is_awake() {
            return Err(Fault::resuming(&found.writer));
        }
        Ok(found.database)
    }

    fn account(&self, secret: &str) -> Result<Account, Fault> {
        let value = self
            .secrets
            .value(secret)
            .ok_or_else(|| Fault::secret_not_found(secret))?;
        secret::account(&value).ok_or_else(Fault::invalid_secret)
    }
}

/// A cluster that the Data API reaches.
struct Found {
    database: Database,
    /// Its instance's identifier.
    writer: String,
    may_pause: bool,
}

impl Shared {
    fn find(&self, resource_arn: &str) -> Result<Found, Fault> {
        let prefix = self.config.identity.arn("rds", "cluster:");
        let Some(identifier) = resource_arn.strip_prefix(&prefix) else {
            return Err(Fault::validation("Invalid resource ARN"));
        };
        let (writer, may_pause) = self
            .store
            .look(identifier, |record| {
                record
                    .spec
                    .http_endpoint_enabled
                    .then(|| (record.instances.first().cloned(), record.spec.may_pause))
            })
            .flatten()
            .ok_or_else(|| Fault::endpoint_not_enabled(identifier))?;
        let Some(writer) = writer else {
            return Err(Fault::no_instance(identifier));
        };
        let database = self
            .databases()
            .get(identifier)
            .cloned()
            .ok_or_else(|| Fault::unavailable("It was stopped."))?;
        Ok(Found {
            database,
            writer,
            may_pause,
        })
    }

    fn databases(&self) -> MutexGuard<'_, BTreeMap<String, Database>> {
        self.databases
            .lock()
            .expect("nothing panics while it is held")
    }

    fn database(&self, identifier: &str) -> Result<Database, AwsError> {
        self.databases()
            .get(identifier)
            .cloned()
            .ok_or_else(|| not_found(identifier))
    }

    fn required(&self, identifier: &str) -> Result<Record, AwsError> {
        self.store
            .record(identifier)
            .ok_or_else(|| not_found(identifier))
    }

    fn cluster_folder(&self, identifier: &str) -> PathBuf {
        self.config.folder.join("clusters").join(identifier)
    }

    /// Starts the cluster's server in the background.
    fn start(&self, record: &Record) -> Database {
        let url = self.config.database_url.clone();
        let admin = url.as_ref().map_or_else(
            || Account {
                user: ADMIN.to_owned(),
                password: random::password(24),
            },
            DatabaseUrl::account,
        );
        let setup = Setup {
            admin: admin.clone(),
            master: record.master.account(),
            database: record.spec.database_name.clone(),
        };
        let server = match url {
            Some(url) => Server::remote(url, setup),
            None => Server::start(ServerConfig {
                search_path: self.search_path.clone(),
                cache: self.config.cache.clone(),
                folder: self.cluster_folder(&record.spec.identifier),
                setup,
            }),
        };
        let database = Database::new(server, admin, self.limits, self.config.notices.clone());
        self.databases()
            .insert(record.spec.identifier.clone(), database.clone());
        database
    }

    fn new_record(&self, spec: ClusterSpec) -> Result<Record, AwsError> {
        let password = spec
            .master_password
            .clone()
            .unwrap_or_else(|| random::password(32));
        let secret_arn = match spec.master_password {
            Some(_) => None,
            None => Some(self.secrets.create(
                &format!("rds!cluster-{}", random::uuid()),
                &secret_value(&spec.master_username, &password),
            )?),
        };
        let identity = &self.config.identity;
        let domain = format!(
            "{}.{}.rds.amazonaws.com",
            random::lowercase(12),
            identity.region
        );
        let cluster = Cluster {
            arn: identity.arn("rds", &format!("cluster:{}", spec.identifier)),
            resource_id: format!("cluster-{}", random::uppercase(26)),
            endpoint_address: format!("{}.cluster-{domain}", spec.identifier),
            read_endpoint_address: format!("{}.cluster-ro-{domain}", spec.identifier),
            port: 3306,
            secret_arn,
            identifier: spec.identifier.clone(),
        };
        let master = store::Master {
            username: spec.master_username.clone(),
            password,
        };
        Ok(Record {
            spec,
            cluster,
            master,
            instances: std::collections::BTreeSet::new(),
        })
    }

    /// Moves the cluster's folder, if there is one, to the snapshots. Data is never written over.
    fn set_aside(&self, identifier: &str) -> Result<(), RdsError> {
        let folder = self.cluster_folder(identifier);
        if !folder.exists() {
            return Ok(());
        }
        let snapshots = self.config.folder.join("snapshots");
        let target = snapshots.join(format!("{identifier}-{}", random::lowercase(8)));
        fs::create_dir_all(&snapshots).map_err(folder_error("create", &snapshots))?;
        fs::rename(&folder, target).map_err(folder_error("move", &folder))
    }

    /// Removes the cluster with its data and its managed secret.
    fn forget(&self, record: &Record) -> Result<(), RdsError> {
        let identifier = &record.spec.identifier;
        self.databases().remove(identifier);
        self.store.remove(identifier)?;
        if let Some(secret) = &record.cluster.secret_arn {
            self.secrets.delete(secret);
        }
        let folder = self.cluster_folder(identifier);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(folder_error("remove", &folder)(error))
            }
            _ => Ok(()),
        }
    }
}

fn lock_folder(folder: &Path) -> Result<File, RdsError> {
    use std::os::unix::fs::DirBuilderExt as _;
    // Passwords and data lie in it.
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(folder_error("create", folder))?;
    let path = folder.join("lock");
    let file = File::create(&path).map_err(folder_error("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(RdsError::InUse {
            path: folder.to_owned(),
        }),
        Err(fs::TryLockError::Error(source)) => Err(folder_error("lock", &path)(source)),
    }
}

fn folder_error(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> RdsError {
    let path = path.to_owned();
    move |source| RdsError::Folder {
        action,
        path,
        source,
    }
}

/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html>: 1 to 63 letters, digits and
/// hyphens, a letter first, no hyphen last and no two in a row. RDS keeps them in lower case.
fn check_identifier(identifier: &str) -> Result<(), AwsError> {
    let valid = (1..=63).contains(&identifier.len())
        && identifier.starts_with(|first: char| first.is_ascii_lowercase())
        && !identifier.ends_with('-')
        && !identifier.contains("--")
        && identifier
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if valid {
        return Ok(());
    }
    Err(AwsError::bad_request(
        "InvalidParameterValue",
        format!(
            "The parameter DBClusterIdentifier is not a valid identifier: `{identifier}`. Identifiers must begin with a letter; \
             must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
        ),
    ))
}

fn not_found(identifier: &str) -> AwsError {
    AwsError::new(
        StatusCode::NOT_FOUND,
        "DBClusterNotFoundFault",
        format!("DBCluster {identifier} not found."),
    )
}

/// A failure of this machine, with its causes on one line: the service's own answer would hide what is to be done.
fn internal(error: impl Into<Box<dyn std::error::Error>>) -> AwsError {
    let error = error.into();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    AwsError::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", text)
}

#[cfg(test)]
mod tests;
