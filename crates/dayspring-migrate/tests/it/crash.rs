//! For every call that the engine makes, the world ends before it and after it, or its answer is lost; then a fresh run
//! ends in the same schema, data and journal as one that was never interrupted.

use dayspring_migrate::{Event, Outcome, apply};
use mysql_async::prelude::Queryable;
use tokio::sync::mpsc;

use crate::apply::{World, options, scripts};
use crate::direct::{Direct, Mortal, Side};
use crate::server;

/// No AUTO_INCREMENT: InnoDB does not give the numbers of a rolled-back transaction out again, whoever rolls it back.
const DATA: [(&str, &str); 2] = [
    (
        "v1.sql",
        "CREATE TABLE t (id INT PRIMARY KEY, n INT);\nINSERT INTO t VALUES (1, 1);\nUPDATE t SET n = n + 1;",
    ),
    (
        "v2.sql",
        "INSERT INTO t VALUES (2, 5);\nSET @n = (SELECT SUM(n) FROM t);\nINSERT INTO t VALUES (3, @n);\nUPDATE t SET n = n * 2;",
    ),
];

const SCHEMA: [(&str, &str); 2] = [
    (
        "v1.sql",
        "CREATE TABLE t (id INT PRIMARY KEY, n INT);\nALTER TABLE t ADD COLUMN email VARCHAR(20), ADD INDEX (n);\nCREATE INDEX by_email ON t (email);\nRENAME TABLE t TO u;",
    ),
    (
        "v2.sql",
        "CREATE TABLE gone (id INT);\nDROP TABLE gone;\nCREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END;\nCREATE TRIGGER tr BEFORE INSERT ON u FOR EACH ROW SET NEW.n = 1;\nCREATE OR REPLACE VIEW v AS SELECT id FROM u;\nSET NAMES utf8mb4;\nALTER TABLE u DROP COLUMN email;\nINSERT INTO u (id) VALUES (1);\n-- dayspring: verify SELECT COUNT(*) = 0 FROM u\nTRUNCATE u;",
    ),
];

/// Kinds of statements for which the definitions say little, or that a second time would hurt.
const CLASSES: [(&str, &str); 2] = [
    (
        "v1.sql",
        "CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY);\nINSERT INTO a VALUES (1);\nCREATE TABLE p (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2;\nALTER TABLE p ADD PARTITION PARTITIONS 2;\nCREATE TABLE copy AS SELECT id FROM a;\nALTER TABLE copy ENGINE = InnoDB;\nALTER TABLE copy ADD UNIQUE (id), ADD CHECK (id > 0);",
    ),
    (
        "v2.sql",
        "-- dayspring: verify SELECT COUNT(*) = 0 FROM a\nRENAME TABLE a TO tmp, b TO a, tmp TO b;\nCREATE TABLE IF NOT EXISTS a (other INT);\nCREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1;\nDROP EVENT e;\nCREATE PROCEDURE fill() INSERT INTO a VALUES (7);\n-- dayspring: verify SELECT COUNT(*) FROM a WHERE id = 7\nCALL fill();\nANALYZE TABLE a;\nALTER TABLE a MODIFY id INT NOT NULL;\nDROP TABLE p, copy;\nDROP PROCEDURE fill;",
    ),
];

/// The schema, the rows and the journal of a database, as one text.
async fn snapshot(world: &World) -> String {
    let mut conn = server::connect(&world.opts).await;
    let mut text = String::new();
    let tables: Vec<String> = conn.query("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1").await.unwrap();
    for table in tables {
        let columns = match table.as_str() {
            "dayspring_lease" => continue,
            "dayspring_script" => "version, phase, name",
            "dayspring_statement" => {
                "version, phase, position, class, line, raw_digest, digest, text, state, detail"
            }
            _ => {
                let row: mysql_async::Row = conn
                    .query_first(format!("SHOW CREATE TABLE {table}"))
                    .await
                    .unwrap()
                    .unwrap();
                text.push_str(&row.get::<String, _>(1).unwrap());
                "*"
            }
        };
        let order = if columns == "*" { "1" } else { "1, 2, 3" };
        let sql = format!("SELECT {columns} FROM {table} ORDER BY {order}");
        let rows: Vec<mysql_async::Row> = conn.query(sql).await.unwrap();
        for row in rows {
            let values: Vec<String> = row
                .unwrap()
                .iter()
                .map(|value| value.as_sql(true))
                .collect();
            text.push_str(&format!("{}\n", values.join(", ")));
        }
    }
    let routines: Vec<String> = conn.query("SELECT routine_definition FROM information_schema.routines WHERE routine_schema = DATABASE() UNION ALL SELECT action_statement FROM information_schema.triggers WHERE trigger_schema = DATABASE()").await.unwrap();
    conn.disconnect().await.unwrap();
    text.push_str(&routines.join("\n"));
    text
}

/// Runs until the chosen call; true when the run came to its end before it.
async fn run_until(world: &World, files: &[(&str, &str)], dies_at: u32, side: Side) -> bool {
    let (died, mut death) = mpsc::unbounded_channel();
    let mut session = Mortal {
        inner: Direct::connect(&world.opts).await,
        calls: 0,
        dies_at,
        side,
        died,
    };
    let scripts = scripts(files);
    let options = options();
    let mut observer = |_: Event<'_>| {};
    tokio::select! {
        ended = apply(&mut session, &scripts, &options, &mut observer) => {
            // Where only an answer was lost, the run itself may end well or say that it could not know.
            if let Ok(outcome) = &ended {
                assert!(matches!(outcome, Outcome::Done(_)), "{dies_at} {side:?}: {outcome:?}");
            }
            session.calls < dies_at
        }
        _ = death.recv() => false,
    }
}

async fn check(files: &[(&str, &str)], side: Side) {
    let reference = World::new().await;
    let report = reference.apply(files).await;
    assert!(report.ends_with("applied, schema at v2"), "{report}");
    let expected = snapshot(&reference).await;
    // All calls take some minutes; a fifth of them, another one on each side, is enough between changes.
    let (first, step) = match (std::env::var_os("SLOW_TESTS"), side) {
        (Some(_), _) => (1, 1),
        (None, Side::Before) => (1, 5),
        (None, Side::After) => (2, 5),
        (None, Side::AnswerLost) => (3, 5),
        (None, Side::RequestLost) => (4, 5),
    };
    for dies_at in (first..).step_by(step) {
        let world = World::new().await;
        let came_to_its_end = run_until(&world, files, dies_at, side).await;
        let report = world.apply(files).await;
        assert!(
            report.ends_with("schema at v2"),
            "call {dies_at}, {side:?}: {report}"
        );
        assert_eq!(snapshot(&world).await, expected, "call {dies_at}, {side:?}");
        world
            .run(&format!("DROP DATABASE {}", world.database()))
            .await;
        if came_to_its_end {
            assert!(dies_at > 20, "the run makes more than {dies_at} calls");
            return;
        }
    }
}

#[tokio::test]
async fn data_survives_the_end_of_the_world_before_any_call() {
    check(&DATA, Side::Before).await;
}

#[tokio::test]
async fn data_survives_the_end_of_the_world_after_any_call() {
    check(&DATA, Side::After).await;
}

#[tokio::test]
async fn data_survives_the_loss_of_any_answer() {
    check(&DATA, Side::AnswerLost).await;
}

#[tokio::test]
async fn data_survives_the_loss_of_any_request() {
    check(&DATA, Side::RequestLost).await;
}

#[tokio::test]
async fn the_schema_survives_the_end_of_the_world_before_any_call() {
    check(&SCHEMA, Side::Before).await;
}

#[tokio::test]
async fn the_schema_survives_the_end_of_the_world_after_any_call() {
    check(&SCHEMA, Side::After).await;
}

#[tokio::test]
async fn the_schema_survives_the_loss_of_any_answer() {
    check(&SCHEMA, Side::AnswerLost).await;
}

#[tokio::test]
async fn the_schema_survives_the_loss_of_any_request() {
    check(&SCHEMA, Side::RequestLost).await;
}

#[tokio::test]
async fn other_kinds_of_statements_survive_the_end_of_the_world_before_any_call() {
    check(&CLASSES, Side::Before).await;
}

#[tokio::test]
async fn other_kinds_of_statements_survive_the_end_of_the_world_after_any_call() {
    check(&CLASSES, Side::After).await;
}

#[tokio::test]
async fn other_kinds_of_statements_survive_the_loss_of_any_answer() {
    check(&CLASSES, Side::AnswerLost).await;
}
