//! One migrator at a time.

use std::time::Duration;

use dayspring_migrate::{Error, Options, render_failure};
use mysql_async::prelude::Queryable as _;

use crate::apply::{World, options};
use crate::server;

const INSERT: &str = "CREATE TABLE log (n INT PRIMARY KEY AUTO_INCREMENT, what INT);\nINSERT INTO log (what) VALUES (1);\nINSERT INTO log (what) VALUES (2);";

#[tokio::test]
async fn eight_at_once_apply_every_statement_once() {
    let world = World::new().await;
    let files = [
        ("v1.sql", INSERT),
        (
            "v2.sql",
            "ALTER TABLE log ADD x INT; UPDATE log SET what = what + 10;",
        ),
    ];
    let run = |owner: &'static str| {
        let options = Options {
            owner: owner.to_owned(),
            ..options()
        };
        let world = &world;
        async move { world.apply_with(&files, &options).await }
    };
    let (a, b, c, d, e, f, g, h) = tokio::join!(
        run("a"),
        run("b"),
        run("c"),
        run("d"),
        run("e"),
        run("f"),
        run("g"),
        run("h")
    );
    for ended in [a, b, c, d, e, f, g, h] {
        assert!(ended.is_ok(), "{ended:?}");
    }
    assert_eq!(
        world.ask("SELECT what FROM log ORDER BY n").await,
        ["11", "12"]
    );
}

#[tokio::test]
async fn a_held_lease_is_waited_for_and_its_holder_named() {
    let world = World::new().await;
    world.apply(&[("v1.sql", INSERT)]).await;
    world.run("UPDATE dayspring_lease SET owner = 'someone', expires_at = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR").await;
    let impatient = Options {
        lease_wait: Duration::from_millis(10),
        ..options()
    };
    let files = [
        ("v1.sql", INSERT),
        ("v2.sql", "INSERT INTO log (what) VALUES (3)"),
    ];
    let ended = world.apply_with(&files, &impatient).await;
    assert!(
        matches!(&ended, Err(Error::LeaseHeld { owner, expires_in_seconds: 3000.. }) if owner == "someone"),
        "{ended:?}"
    );
    world
        .run("UPDATE dayspring_lease SET expires_at = UTC_TIMESTAMP(6)")
        .await;
    assert_eq!(
        world.apply(&files).await,
        "1 statement applied, schema at v2"
    );
}

#[tokio::test]
async fn a_lease_that_nobody_has_and_somebody_locks_names_who() {
    let world = World::new().await;
    world.apply(&[("v1.sql", INSERT)]).await;
    let mut blocker = server::connect(&world.opts).await;
    blocker.query_drop("START TRANSACTION").await.unwrap();
    let lock = "SELECT * FROM dayspring_lease FOR UPDATE";
    blocker.query_drop(lock).await.unwrap();
    let impatient = Options {
        lease_wait: Duration::from_millis(10),
        ..options()
    };
    let files = [
        ("v1.sql", INSERT),
        ("v2.sql", "INSERT INTO log (what) VALUES (3)"),
    ];
    let error = world.apply_with(&files, &impatient).await.unwrap_err();
    let Error::LeaseLocked { blockers } = &error else {
        panic!("{error:?}");
    };
    let [found] = blockers.named() else {
        panic!("{error:?}");
    };
    assert_eq!(found.connection, u64::from(blocker.id()));
    let shown = render_failure(&error, 3000);
    let help = format!(
        "help: wait for it or end it (`KILL {}`), and deploy again: nothing was run",
        blocker.id()
    );
    assert!(shown.ends_with(&help), "{shown}");
    blocker.query_drop("COMMIT").await.unwrap();
    assert_eq!(
        world.apply(&files).await,
        "1 statement applied, schema at v2"
    );
}

#[tokio::test]
async fn a_migrator_that_lost_its_lease_writes_nothing_more() {
    let world = World::new().await;
    // The script itself takes the lease away, as a successor would while its holder sleeps.
    let robber =
        "CREATE TABLE a (n INT);\n-- dayspring: idempotent\nCREATE TABLE IF NOT EXISTS b (n INT);";
    world.apply(&[("v1.sql", robber)]).await;
    world.run("CREATE TRIGGER rob AFTER INSERT ON a FOR EACH ROW UPDATE dayspring_lease SET token = token + 1, owner = 'successor'").await;
    let files = [
        ("v1.sql", robber),
        (
            "v2.sql",
            "ALTER TABLE b ADD x INT; INSERT INTO a VALUES (1); ALTER TABLE b ADD y INT; INSERT INTO a VALUES (2);",
        ),
    ];
    let ended = world.apply_with(&files, &options()).await;
    assert!(
        matches!(&ended, Err(Error::LeaseLost { owner }) if owner == "successor"),
        "{ended:?}"
    );
    assert_eq!(world.ask("SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND column_name = 'y'").await, ["0"]);
    assert_eq!(
        world.ask("SELECT owner FROM dayspring_lease").await,
        ["successor"]
    );
}
