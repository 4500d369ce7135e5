use std::path::Path;
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::json;

use super::super::data_api::Limits;
use super::super::{AutoPause, Rds, RdsConfig, RdsError};
use super::{ARN, MemorySecrets, cache, config, open, patient, post, spec};
use crate::scratch::ScratchServer;

/// A cloud of one cluster on a folder.
struct World {
    rds: Rds,
    secret: String,
}

impl World {
    async fn made(folder: &Path, secrets: &MemorySecrets) -> Self {
        let rds = open(folder, secrets, patient());
        let cluster = rds.create_cluster(spec("test")).await.unwrap();
        rds.create_instance("test", "writer").unwrap();
        Self {
            rds,
            secret: cluster.secret_arn.unwrap(),
        }
    }

    async fn execute(&self, sql: &str) -> super::Reply {
        let input =
            json!({"resourceArn": ARN, "secretArn": self.secret, "database": "blog", "sql": sql});
        post(&self.rds, "/Execute", &input).await
    }

    async fn rows(&self, sql: &str) -> String {
        self.execute(sql).await.ok()["records"].to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_may_be_relative_and_deep() {
    let parent = std::env::current_dir().unwrap().join("../../target/tmp");
    std::fs::create_dir_all(&parent).unwrap();
    let parent = tempfile::tempdir_in(parent.canonicalize().unwrap()).unwrap();
    let name = Path::new(parent.path().file_name().unwrap());
    let folder = Path::new("../../target/tmp")
        .join(name)
        .join("x".repeat(90));
    let world = World::made(&folder, &MemorySecrets::default()).await;
    assert_eq!(world.rows("select 1").await, r#"[[{"longValue":1}]]"#);
    world.rds.shut_down().await;
}

fn server_pid(folder: &Path) -> Pid {
    let text = std::fs::read_to_string(folder.join("clusters/test/mariadbd.pid")).unwrap();
    Pid::from_raw(text.parse().unwrap()).unwrap()
}

async fn wait_until_gone(pid: Pid) {
    while test_kill_process(pid).is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_is_kept_between_runs_and_the_server_ends_with_the_cloud() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = MemorySecrets::default();
    let world = World::made(folder.path(), &secrets).await;
    world.execute("create table t (a int)").await.ok();
    world.execute("insert into t values (7)").await.ok();
    let pid = server_pid(folder.path());
    world.rds.shut_down().await;
    wait_until_gone(pid).await;
    assert!(matches!(
        Rds::open_with(
            world.rds.shared.config.clone(),
            Box::new(secrets.clone()),
            patient()
        ),
        Err(RdsError::InUse { .. })
    ));
    let secret = world.secret.clone();
    drop(world);

    // A statement that comes while the server starts waits for it.
    let world = World {
        rds: open(folder.path(), &secrets, patient()),
        secret,
    };
    assert_eq!(
        world.rows("select a from t").await,
        r#"[[{"longValue":7}]]"#
    );
    world.rds.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_comes_back_with_what_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::made(folder.path(), &MemorySecrets::default()).await;
    world.execute("create table t (a int)").await.ok();
    for _ in 0..20 {
        world.execute("insert into t values (1)").await.ok();
    }
    let pid = server_pid(folder.path());
    kill_process(pid, Signal::KILL).unwrap();
    let rows = loop {
        let reply = world.execute("select count(*) from t").await;
        if reply.status == 200 {
            break reply.body["records"].to_string();
        }
        assert_eq!(reply.kind, "DatabaseUnavailableException");
        assert_eq!(reply.status, 504);
    };
    assert_eq!(rows, r#"[[{"longValue":20}]]"#);
    assert_ne!(server_pid(folder.path()), pid);
    world.rds.shut_down().await;
}

/// Reads the server's command line where Linux shows it.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_outlived_its_cloud_is_ended_by_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = MemorySecrets::default();
    let world = World::made(folder.path(), &secrets).await;
    world.execute("create table t (a int)").await.ok();
    let pid = server_pid(folder.path()).as_raw_nonzero();
    let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    let command: Vec<&str> = command.trim_end_matches('\0').split('\0').collect();
    world.rds.shut_down().await;
    let secret = world.secret.clone();
    drop(world);

    // As a killed cloud leaves it: a process that serves the folder, and its recorded id.
    let mut child = tokio::process::Command::new(command[0])
        .args(&command[1..])
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    // Just after its start a process has no command line yet.
    let line = format!("/proc/{}/cmdline", child.id().unwrap());
    while std::fs::read(&line).unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    std::fs::write(
        folder.path().join("clusters/test/mariadbd.pid"),
        child.id().unwrap().to_string(),
    )
    .unwrap();

    let world = World {
        rds: open(folder.path(), &secrets, patient()),
        secret,
    };
    assert_eq!(
        world.rows("select count(*) from t").await,
        r#"[[{"longValue":0}]]"#
    );
    child.wait().await.unwrap();
    world.rds.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_process_that_serves_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = MemorySecrets::default();
    let world = World::made(folder.path(), &secrets).await;
    world.rds.shut_down().await;
    let secret = world.secret.clone();
    drop(world);
    let mut bystander = std::process::Command::new("sleep")
        .arg("600")
        .spawn()
        .unwrap();
    std::fs::write(
        folder.path().join("clusters/test/mariadbd.pid"),
        bystander.id().to_string(),
    )
    .unwrap();

    let world = World {
        rds: open(folder.path(), &secrets, patient()),
        secret,
    };
    world.execute("select 1").await.ok();
    assert!(bystander.try_wait().unwrap().is_none());
    bystander.kill().unwrap();
    bystander.wait().unwrap();
    world.rds.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_are_refused_in_the_service_s_words() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = MemorySecrets::default();
    let world = World::made(folder.path(), &secrets).await;
    let rds = &world.rds;
    assert_eq!(
        rds.create_cluster(spec("test")).await.unwrap_err().kind,
        "DBClusterAlreadyExistsFault"
    );
    assert_eq!(
        rds.create_cluster(spec("../x")).await.unwrap_err().kind,
        "InvalidParameterValue"
    );
    assert_eq!(
        rds.delete_cluster("test", false).await.unwrap_err().kind,
        "InvalidDBClusterStateFault"
    );
    rds.delete_instance("writer").unwrap();
    assert_eq!(
        world.execute("select 1").await.refused(),
        "404 DatabaseNotFoundException: The DB cluster test doesn't have a DB instance."
    );
    assert_eq!(
        rds.delete_instance("writer").unwrap_err().kind,
        "DBInstanceNotFound"
    );

    let mut protected = spec("test");
    protected.deletion_protection = true;
    protected.http_endpoint_enabled = false;
    rds.modify_cluster(protected).await.unwrap();
    assert_eq!(
        rds.delete_cluster("test", false).await.unwrap_err().message,
        "Cannot delete protected Cluster, please disable deletion protection and try again."
    );
    assert_eq!(
        world.execute("select 1").await.refused(),
        "400 HttpEndpointNotEnabledException: HttpEndpoint isn't enabled for cluster test"
    );
    rds.modify_cluster(spec("test")).await.unwrap();
    rds.delete_cluster("test", true).await.unwrap();
    assert!(secrets.values.lock().unwrap().is_empty());
    let snapshots: Vec<_> = std::fs::read_dir(folder.path().join("snapshots"))
        .unwrap()
        .collect();
    assert_eq!(snapshots.len(), 1);
    assert_eq!(
        rds.delete_cluster("test", true).await.unwrap_err().kind,
        "DBClusterNotFoundFault"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_is_who_the_secret_says_and_its_password_can_change() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = MemorySecrets::default();
    let rds = open(folder.path(), &secrets, patient());
    let mut own = spec("test");
    own.master_password = Some("it's\\one".to_owned());
    let cluster = rds.create_cluster(own.clone()).await.unwrap();
    assert_eq!(cluster.secret_arn, None);
    rds.create_instance("test", "writer").unwrap();
    let secret = |password: &str| {
        use super::super::secret::{SecretStore as _, secret_value};
        secrets
            .create(password, &secret_value("admin", password))
            .unwrap()
    };
    let user = async |secret: String| {
        let input =
            json!({"resourceArn": ARN, "secretArn": secret, "sql": "select current_user()"});
        post(&rds, "/Execute", &input).await
    };
    let first = secret("it's\\one");
    assert_eq!(
        user(first.clone()).await.ok()["records"].to_string(),
        r#"[[{"stringValue":"admin@%"}]]"#
    );
    assert!(
        user(secret("wrong"))
            .await
            .refused()
            .contains("Error code: 1045; SQLState: 28000")
    );

    own.master_password = Some("two".to_owned());
    rds.modify_cluster(own).await.unwrap();
    // No session of the old password is left that would still take it.
    let denied = "Error code: 1045; SQLState: 28000";
    assert!(user(first).await.refused().contains(denied));
    let second = secret("two");
    assert_eq!(user(second.clone()).await.status, 200);
    let input = json!({"resourceArn": ARN, "secretArn": second, "sql": "alter user admin@'%' identified by 'three'"});
    assert_eq!(post(&rds, "/Execute", &input).await.status, 200);
    assert!(user(second).await.refused().contains(denied));
    assert_eq!(user(secret("three")).await.status, 200);
    rds.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_was_idle_is_resuming_at_the_next_call_and_then_answers() {
    let folder = tempfile::tempdir().unwrap();
    // Each call that is not in a transaction finds it paused, and each one after that awake.
    let limits = Limits {
        pause: Some(AutoPause {
            after: Duration::ZERO,
            resume: Duration::ZERO,
        }),
        ..patient()
    };
    let rds = open(folder.path(), &MemorySecrets::default(), limits);
    let cluster = rds.create_cluster(spec("test")).await.unwrap();
    rds.create_instance("test", "writer").unwrap();
    let world = World {
        rds,
        secret: cluster.secret_arn.unwrap(),
    };
    let resuming = "400 DatabaseResumingException: The Aurora DB instance writer is resuming after being auto-paused. Please wait a \
                    few seconds and try again.";
    for _ in 0..2 {
        assert_eq!(world.execute("select 1").await.refused(), resuming);
        assert_eq!(world.rows("select 1").await, r#"[[{"longValue":1}]]"#);
    }
    // A transaction keeps it awake.
    let target = json!({"resourceArn": ARN, "secretArn": world.secret, "database": "blog"});
    let begin = async || post(&world.rds, "/BeginTransaction", &target).await;
    assert_eq!(begin().await.refused(), resuming);
    let id = begin().await.ok()["transactionId"].clone();
    for _ in 0..3 {
        world.execute("select 1").await.ok();
    }
    let mut end = target.clone();
    end["transactionId"] = id;
    post(&world.rds, "/CommitTransaction", &end).await.ok();
    // Its end has no error for a cluster that is paused, which has no transaction anyway, and wakes none.
    let gone = post(&world.rds, "/CommitTransaction", &end).await;
    assert_eq!(gone.kind, "TransactionNotFoundException");
    assert_eq!(world.execute("select 1").await.refused(), resuming);

    // One whose lowest capacity is not 0 ACU never pauses.
    let mut spec = spec("test");
    spec.may_pause = false;
    world.rds.modify_cluster(spec).await.unwrap();
    world.execute("select 1").await.ok();
    world.rds.shut_down().await;
}

/// Passes connections to a port of the loopback on to a socket.
async fn bridge(socket: std::path::PathBuf) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = tokio::net::UnixStream::connect(&socket).await.unwrap();
            tokio::spawn(async move {
                drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_somebody_else_runs_is_used_and_its_data_stays() {
    let theirs = ScratchServer::start(&cache()).await.unwrap();
    let url = theirs.url(None);
    let (account, socket) = url.split_once("@/").unwrap();
    let socket = socket.strip_prefix("?socket=").unwrap();
    let port = bridge(crate::http::decode_percent(socket).into()).await;
    let open = |url: String, folder: &Path, secrets: &MemorySecrets| {
        let config = RdsConfig {
            database_url: Some(url.parse().unwrap()),
            ..config(folder)
        };
        Rds::open_with(config, Box::new(secrets.clone()), patient()).unwrap()
    };
    for (url, expected) in [
        (
            format!("{account}@localhost/?socket={socket}"),
            r#"[[{"longValue":1}]]"#,
        ),
        // The database is there already, and is not made anew.
        (
            format!("{account}@127.0.0.1:{port}"),
            r#"[[{"longValue":2}]]"#,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let rds = open(url, folder.path(), &MemorySecrets::default());
        let cluster = rds.create_cluster(spec("test")).await.unwrap();
        rds.create_instance("test", "writer").unwrap();
        let world = World {
            rds,
            secret: cluster.secret_arn.unwrap(),
        };
        world
            .execute("create table if not exists t (a int)")
            .await
            .ok();
        world.execute("insert into t values (1)").await.ok();
        assert_eq!(world.rows("select count(*) from t").await, expected);
        assert_eq!(
            world
                .rows("select @@time_zone, @@collation_connection = collation('a')")
                .await,
            r#"[[{"stringValue":"+00:00"},{"longValue":1}]]"#
        );
        // A server ends sessions that were idle for long, as this one's owner ends those of the pool here.
        let mut owner =
            mysql_async::Conn::from_url(format!("{account}@localhost/?socket={socket}"))
                .await
                .unwrap();
        let ids: Vec<u64> = owner
            .query("select id from information_schema.processlist where user = 'admin'")
            .await
            .unwrap();
        assert!(!ids.is_empty());
        for id in ids {
            // It may have ended by itself.
            owner.query_drop(format!("kill {id}")).await.ok();
        }
        owner.disconnect().await.unwrap();
        world.execute("select 1").await.ok();
        for statement in ["shutdown", "select 1 into outfile '/nowhere/x'"] {
            let refused = world.execute(statement).await.refused();
            assert!(refused.contains("Error code: 1227;"), "{refused}");
        }
        assert!(!folder.path().join("clusters/test/data").exists());
        world.rds.delete_instance("writer").unwrap();
        world.rds.delete_cluster("test", false).await.unwrap();
        world.rds.shut_down().await;
    }

    let folder = tempfile::tempdir().unwrap();
    let wrong = format!("mysql://nobody:x@127.0.0.1:{port}");
    let rds = open(wrong, folder.path(), &MemorySecrets::default());
    let refused = rds.create_cluster(spec("test")).await.unwrap_err().message;
    assert!(
        refused.contains("refused") && refused.contains("Access denied"),
        "{refused}"
    );
    rds.shut_down().await;
    theirs.stop().await;
}
