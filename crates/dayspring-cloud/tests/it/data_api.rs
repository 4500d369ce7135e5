//! The Data API as its users' own libraries see it. Each judge works in a database of its own, in one cluster.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Running, send, signed_for, text_of};
use crate::judge;

/// A cluster that was deployed as projects deploy theirs.
pub(crate) struct Cluster {
    cloud: Option<Running>,
    pub(crate) arn: String,
    pub(crate) secret: String,
    _folder: TempDir,
}

const TEMPLATE: &str = r#"{
  "Resources": {
    "Cluster": {"Type": "AWS::RDS::DBCluster", "DeletionPolicy": "Delete", "Properties": {
      "Engine": "aurora-mysql", "EngineVersion": "8.0.mysql_aurora.3.10.0", "DatabaseName": "blog", "MasterUsername": "admin",
      "ManageMasterUserPassword": true, "EnableHttpEndpoint": true,
      "ServerlessV2ScalingConfiguration": {"MinCapacity": 0, "MaxCapacity": 4}}},
    "Writer": {"Type": "AWS::RDS::DBInstance", "Properties": {
      "DBClusterIdentifier": {"Ref": "Cluster"}, "DBInstanceClass": "db.serverless", "Engine": "aurora-mysql"}}
  },
  "Outputs": {
    "Arn": {"Value": {"Fn::GetAtt": "Cluster.DBClusterArn"}},
    "Secret": {"Value": {"Fn::GetAtt": "Cluster.MasterUserSecret.SecretArn"}}
  }
}"#;

impl Cluster {
    pub(crate) fn deploy(folder: TempDir, cloud: Running) -> Self {
        let stack = ("StackName", "data");
        let (status, body) =
            cloud.cloudformation("CreateStack", &[stack, ("TemplateBody", TEMPLATE)]);
        assert_eq!(status, 200, "{body}");
        assert_eq!(cloud.settled("data"), "CREATE_COMPLETE");
        let (_, body) = cloud.cloudformation("DescribeStacks", &[stack]);
        let output = |name: &str| {
            let (_, rest) = body
                .split_once(&format!("<OutputKey>{name}</OutputKey>"))
                .unwrap();
            text_of(rest, "OutputValue")
        };
        Self {
            arn: output("Arn"),
            secret: output("Secret"),
            cloud: Some(cloud),
            _folder: folder,
        }
    }

    pub(crate) fn cloud(&self) -> &Running {
        self.cloud.as_ref().unwrap()
    }

    /// Sends a statement; gives status and body.
    pub(crate) fn execute(&self, sql: &str) -> (u16, Value) {
        let body =
            json!({"resourceArn": self.arn, "secretArn": self.secret, "sql": sql}).to_string();
        let headers = [("Authorization", &*signed_for("rds-data"))];
        let answer = send(
            self.cloud().aws,
            "POST",
            "/Execute",
            &headers,
            body.as_bytes(),
        );
        (answer.status, serde_json::from_str(&answer.body).unwrap())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(cloud) = self.cloud.take() {
            cloud.stop();
        }
    }
}

/// The cluster that the judges which run at the same time share.
static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A database in the shared cluster.
struct Court {
    cluster: Arc<Cluster>,
    database: String,
}

impl Court {
    fn open() -> Self {
        let mut shared = SHARED
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let cluster = shared.upgrade().unwrap_or_else(|| {
            let folder = tempfile::tempdir().unwrap();
            let cloud = Running::on(&folder);
            let cluster = Arc::new(Cluster::deploy(folder, cloud));
            *shared = Arc::downgrade(&cluster);
            cluster
        });
        drop(shared);
        let database = format!("judge_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let (status, body) = cluster.execute(&format!("create database {database}"));
        assert_eq!(status, 200, "{body}");
        Self { cluster, database }
    }

    fn variables(&self) -> [(&str, &str); 3] {
        [
            ("CLUSTER_ARN", &*self.cluster.arn),
            ("SECRET_ARN", &*self.cluster.secret),
            ("DATABASE", &*self.database),
        ]
    }

    #[track_caller]
    fn python(&self, script: &str) {
        judge::python(script, self.cluster.cloud(), &self.variables());
    }

    #[track_caller]
    fn node(&self, script: &str) {
        judge::node(script, self.cluster.cloud(), &self.variables());
    }
}

#[test]
fn boto3_reads_every_answer_and_the_service_s_model_has_all_of_it() {
    Court::open().python(include_str!("../judges/data_api_boto3.py"));
}

#[test]
fn python_s_database_api_works_over_aurora_data_api() {
    Court::open().python(include_str!("../judges/data_api_aurora.py"));
}

#[test]
fn aws_s_sdk_for_javascript_reads_every_answer() {
    Court::open().node(include_str!("../judges/data_api_sdk.mjs"));
}

#[test]
fn data_api_client_and_knex_work() {
    Court::open().node(include_str!("../judges/data_api_client.cjs"));
}

#[test]
fn kysely_and_drizzle_work() {
    Court::open().node(include_str!("../judges/data_api_builders.mjs"));
}

#[test]
fn typeorm_works() {
    Court::open().node(include_str!("../judges/data_api_typeorm.cjs"));
}
