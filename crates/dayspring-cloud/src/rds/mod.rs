//! RDS: a private `mariadbd` per cluster, and the RDS Data API before it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Identity;
use crate::error::AwsError;
use crate::http::{Answer, Call};
use crate::secrets::Secrets;

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
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum RdsError {
    #[error(transparent)]
    State(#[from] crate::state::StateError),
}

/// The RDS service. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Rds {}

impl Rds {
    /// Opens the service on its folder, and starts the servers of the clusters of the last run (in the background: a
    /// statement that comes early waits).
    pub(crate) fn open(_config: RdsConfig, _secrets: Secrets) -> Result<Self, RdsError> {
        todo!()
    }

    /// Makes the cluster and starts its server.
    pub(crate) async fn create_cluster(&self, _spec: ClusterSpec) -> Result<Cluster, AwsError> {
        todo!()
    }

    pub(crate) async fn modify_cluster(&self, _spec: ClusterSpec) -> Result<Cluster, AwsError> {
        todo!()
    }

    /// Refused with AWS's words while it is protected. Keeps the data in a snapshot folder when `snapshot` is asked for.
    pub(crate) async fn delete_cluster(
        &self,
        _identifier: &str,
        _snapshot: bool,
    ) -> Result<(), AwsError> {
        todo!()
    }

    /// `AWS::RDS::DBInstance`: a cluster without one answers no statement.
    pub(crate) fn create_instance(
        &self,
        _cluster: &str,
        _identifier: &str,
    ) -> Result<(), AwsError> {
        todo!()
    }

    pub(crate) fn delete_instance(&self, _identifier: &str) -> Result<(), AwsError> {
        todo!()
    }

    /// Answers the RDS Data API.
    pub(crate) async fn data_api(&self, _call: Call) -> Answer {
        todo!()
    }

    /// Stops every server that was started.
    pub(crate) async fn shut_down(&self) {}
}
