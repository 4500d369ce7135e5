//! What an execution environment has of its own: `/tmp`, and code that cannot be written.

use super::*;

/// A process that tells what it finds. `None` where this machine gives no process mounts of its own.
async fn opened() -> Option<Fixture> {
    let cloud = open();
    cloud.put(spec("f", "tmp.handler")).await;
    cloud.invoke("f", "\"\"").await;
    cloud.asking(1).await;
    if cloud.lambda.service.has_views() {
        return Some(cloud);
    }
    cloud.lambda.shut_down().await;
    None
}

impl Fixture {
    /// The names in `/tmp` after a file of this name was written.
    async fn names(&self, function: &str, write: &'static str) -> String {
        let seen = json(&self.invoke(function, write).await.payload);
        seen["names"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn code_is_where_it_is_on_aws_and_cannot_be_written() {
    let Some(cloud) = opened().await else {
        return;
    };
    let seen = json(&cloud.invoke("f", "\"\"").await.payload);
    assert_eq!(seen["root"], "/var/task");
    assert_eq!(seen["code"], "Err(ReadOnlyFilesystem)");
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn tmp_is_the_environments_own_and_as_large_as_its_function_says() {
    let Some(cloud) = opened().await else {
        return;
    };
    assert_eq!(cloud.names("f", "\"one\"").await, "one");
    cloud.asking(1).await;
    assert_eq!(cloud.names("f", "\"two\"").await, "one two");
    let mut other = spec("g", "tmp.handler");
    other.tmp_mib = 1024;
    cloud.put(other).await;
    let seen = json(&cloud.invoke("g", "\"three\"").await.payload);
    assert_eq!(seen["names"], "three");
    let mount = seen["mount"].as_str().unwrap();
    assert!(mount.contains("size=1048576k"), "{mount}");
    assert!(!Path::new("/tmp/one").exists() && !Path::new("/tmp/three").exists());
    // New code runs in a new environment.
    let mut changed = spec("f", "tmp.handler");
    changed.description = "another".to_owned();
    cloud.put(changed).await;
    assert_eq!(cloud.names("f", "\"\"").await, "");
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn tmp_stays_when_a_process_is_ended_by_what_it_did() {
    let Some(cloud) = opened().await else {
        return;
    };
    assert_eq!(cloud.names("f", "\"one\"").await, "one");
    for (end, kind) in [
        ("\"exit\"", "Runtime.ExitError"),
        ("\"hang\"", "Sandbox.Timedout"),
    ] {
        cloud.asking(1).await;
        let before = json(&cloud.invoke("f", "\"\"").await.payload);
        cloud.asking(1).await;
        let hangs = kind == "Sandbox.Timedout";
        if hangs {
            // The clock jumps to the end of its time.
            tokio::time::pause();
        }
        let ended = json(&cloud.invoke("f", end).await.payload);
        if hangs {
            tokio::time::resume();
        }
        assert_eq!(ended["errorType"], kind);
        let after = json(&cloud.invoke("f", "\"\"").await.payload);
        assert_eq!(after["names"], "one", "{end}");
        assert_ne!(after["pid"], before["pid"]);
    }
    cloud.lambda.shut_down().await;
}
