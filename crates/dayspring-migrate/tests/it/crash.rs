//! For every call that the engine makes, the world ends before it and after it, or its answer is lost; then a fresh run
//! ends in the same schema, data and journal as one that was never interrupted.

use std::time::Duration;

use dayspring_migrate::{Event, Options, Outcome, apply};
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

/// What procedures, functions, triggers and prepared statements do, and statements that carry another.
const STORED: [(&str, &str); 2] = [
    (
        "v1.sql",
        "CREATE TABLE t (id INT PRIMARY KEY, n INT);\nCREATE TABLE log (n INT PRIMARY KEY, m INT);\nCREATE FUNCTION f(x INT) RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO log (n) VALUES (x); RETURN x; END;\nCREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW INSERT INTO log (n) VALUES (NEW.n);\nCREATE PROCEDURE p(IN x INT) BEGIN INSERT INTO log (n) VALUES (x); UPDATE t SET n = n + x; END;",
    ),
    (
        "v2.sql",
        "INSERT INTO t VALUES (1, 0 + f(10) + 1);\nSET @x = f(20);\nINSERT INTO t VALUES (2, @x + 1);\nALTER TABLE t ADD COLUMN m INT;\nSET @y = 30;\n-- dayspring: verify SELECT COUNT(*) FROM log WHERE n = 30\nCALL p(@y);\nPREPARE s FROM 'INSERT INTO t (id, n) VALUES (3, ?)';\nSET @z = 40;\n-- dayspring: verify SELECT COUNT(*) FROM t WHERE id = 3\nEXECUTE s USING @z;\nDEALLOCATE PREPARE s;\nANALYZE UPDATE t SET n = n + 1;\nSET STATEMENT max_statement_time = 60 FOR UPDATE t SET n = n * 2;\nSELECT @top := MAX(n) FROM t;\nINSERT INTO log (n) VALUES (@top);",
    ),
];

/// Rows that no transaction holds.
const ENGINES: [(&str, &str); 2] = [
    (
        "v1.sql",
        "CREATE TABLE m (n INT) ENGINE = MyISAM;\nCREATE TABLE a (id INT PRIMARY KEY, n INT) ENGINE = Aria;\nCREATE TABLE t (id INT PRIMARY KEY);",
    ),
    (
        "v2.sql",
        "INSERT INTO t VALUES (1);\n-- dayspring: verify SELECT COUNT(*) FROM m\nINSERT INTO m VALUES (1);\nINSERT INTO t VALUES (2);\n-- dayspring: idempotent\nREPLACE INTO a VALUES (1, 1);\nSET @x = 5;\n-- dayspring: verify SELECT COUNT(*) > 1 FROM m\nINSERT INTO m VALUES (@x);\nALTER TABLE a ADD k INT, ENGINE = MyISAM;\nINSERT INTO t VALUES (3);",
    ),
];

/// Objects beside tables, and statements about the server. `{db}` is the database's name.
const OBJECTS: [(&str, &str); 2] = [
    (
        "v1.sql",
        "CREATE DATABASE {db}_x;\nCREATE TABLE {db}_x.t (id INT PRIMARY KEY, n INT);\nCREATE TABLE a LIKE {db}_x.t;\nCREATE TABLE a_new LIKE a;\nRENAME TABLE a TO a_old, a_new TO a;\nDROP TABLE a_old, {db}_x.t;\nDROP DATABASE {db}_x;\nCREATE SEQUENCE s;\nALTER SEQUENCE s INCREMENT BY 5;\nCREATE TABLE c (id INT PRIMARY KEY) SELECT 1 AS id;\nALTER TABLE a AUTO_INCREMENT = 100;\nOPTIMIZE TABLE a;\nFLUSH TABLE a;\nSET GLOBAL long_query_time = 10;",
    ),
    (
        "v2.sql",
        "CREATE USER IF NOT EXISTS 'u_{db}'@'localhost' IDENTIFIED BY 'x';\nALTER USER 'u_{db}'@'localhost' IDENTIFIED BY 'y';\nGRANT SELECT ON {db}.* TO 'u_{db}'@'localhost';\n-- dayspring: verify SELECT COUNT(*) = 0 FROM mysql.db WHERE User = 'u_{db}'\nREVOKE SELECT ON {db}.* FROM 'u_{db}'@'localhost';\n-- dayspring: verify SELECT COUNT(*) = 0 FROM mysql.global_priv WHERE User = 'u_{db}'\nDROP USER 'u_{db}'@'localhost';\nCREATE TABLE q (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20));\nCREATE TABLE x (id INT PRIMARY KEY);\nINSERT INTO x VALUES (1);\n-- dayspring: verify SELECT COUNT(*) FROM q PARTITION (p0)\nALTER TABLE q EXCHANGE PARTITION p0 WITH TABLE x;\nCREATE EVENT e ON SCHEDULE AT '2037-01-01' ON COMPLETION PRESERVE DISABLE DO SELECT 1;\nDROP TABLE IF EXISTS c, missing;\nALTER TABLE a CHANGE id n INT, CHANGE n id INT;\nCREATE OR REPLACE VIEW v AS SELECT 1 AS one;\nDROP VIEW v;",
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
            // A digest of a text with the database's name is another in each.
            "dayspring_statement" => {
                "version, phase, position, class, line, IF(INSTR(text, DATABASE()), '', CONCAT(raw_digest, digest)), text, state, detail"
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
    text.replace(&world.database(), "{db}")
}

/// The files with the database's name.
fn named(world: &World, files: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let name = world.database();
    let named = |(path, sql): &(&'static str, &str)| (*path, sql.replace("{db}", &name));
    files.iter().map(named).collect()
}

/// How the engine reaches the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Over a connection of its own, whose end shows its own.
    Connection,
    /// The same, and what can go together is sent together.
    Packets,
    /// As over the Data API: the lease's time shows it, and a begun statement may still be on its way.
    Pool,
}

impl Way {
    fn options(self) -> Options {
        match self {
            Self::Connection | Self::Packets => options(),
            Self::Pool => Options {
                lease: Duration::from_millis(50),
                quiet: Duration::from_millis(10),
                ..options()
            },
        }
    }

    async fn session(self, world: &World) -> Direct {
        let mut session = Direct::connect(&world.opts).await;
        session.is_pooled = self == Self::Pool;
        session
    }

    /// The report of a run that nobody disturbs, or its error.
    async fn apply(self, world: &World, files: &[(&str, &str)]) -> String {
        let mut session = self.session(world).await;
        let mut observer = |_: Event<'_>| {};
        match apply(
            &mut session,
            &scripts(files),
            &self.options(),
            &mut observer,
        )
        .await
        {
            Ok(Outcome::Done(report)) => report.to_string(),
            other => format!("{other:?}"),
        }
    }
}

/// Runs until the chosen call; true when the run came to its end before it.
async fn run_until(
    world: &World,
    way: Way,
    files: &[(&str, &str)],
    dies_at: u32,
    side: Side,
) -> bool {
    let (died, mut death) = mpsc::unbounded_channel();
    let mut session = Mortal {
        inner: way.session(world).await,
        sends_together: way == Way::Packets,
        sending: |_| {},
        calls: 0,
        dies_at,
        side,
        died,
    };
    let scripts = scripts(files);
    let options = way.options();
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

fn borrowed<'a>(files: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    files
        .iter()
        .map(|(path, sql)| (*path, sql.as_str()))
        .collect()
}

async fn check(files: &[(&'static str, &str)], side: Side) {
    check_over(Way::Connection, files, side).await;
}

async fn check_over(way: Way, files: &[(&'static str, &str)], side: Side) {
    let reference = World::new().await;
    // What was sent in the first seconds of a server may have been sent before them.
    let mut conn = server::connect(&reference.opts).await;
    loop {
        let uptime = "SHOW GLOBAL STATUS LIKE 'Uptime'";
        let uptime: Option<(String, u64)> = conn.query_first(uptime).await.unwrap();
        if uptime.unwrap().1 > 5 {
            break;
        }
    }
    conn.disconnect().await.unwrap();
    let of_reference = named(&reference, files);
    let report = reference.apply(&borrowed(&of_reference)).await;
    assert!(report.ends_with("applied, schema at v2"), "{report}");
    let expected = snapshot(&reference).await;
    // All calls take some minutes; an eighth of them, others on each side, is enough between changes.
    let (first, step) = match (std::env::var_os("SLOW_TESTS"), side) {
        (Some(_), _) => (1, 1),
        (None, Side::Before) => (1, 8),
        (None, Side::After) => (3, 8),
        (None, Side::AnswerLost) => (5, 8),
        (None, Side::RequestLost) => (7, 8),
        (None, Side::Between) => (1, 3),
        (None, Side::LostBetween) => (2, 3),
    };
    for dies_at in (first..).step_by(step) {
        let world = World::new().await;
        let of_world = named(&world, files);
        let files = &borrowed(&of_world);
        let came_to_its_end = run_until(&world, way, files, dies_at, side).await;
        let report = way.apply(&world, files).await;
        assert!(
            report.ends_with("schema at v2"),
            "call {dies_at}, {side:?}: {report}"
        );
        assert_eq!(snapshot(&world).await, expected, "call {dies_at}, {side:?}");
        world
            .run(&format!("DROP DATABASE {}", world.database()))
            .await;
        if came_to_its_end {
            let least = match side {
                Side::Between | Side::LostBetween => 5,
                Side::Before | Side::After | Side::AnswerLost | Side::RequestLost => 20,
            };
            assert!(
                dies_at > least,
                "the run makes more than {dies_at} calls of the kind"
            );
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

#[tokio::test]
async fn what_stored_programs_do_survives_the_end_of_the_world_before_any_call() {
    check(&STORED, Side::Before).await;
}

#[tokio::test]
async fn what_stored_programs_do_survives_the_end_of_the_world_after_any_call() {
    check(&STORED, Side::After).await;
}

#[tokio::test]
async fn what_stored_programs_do_survives_the_loss_of_any_answer() {
    check(&STORED, Side::AnswerLost).await;
}

#[tokio::test]
async fn what_stored_programs_do_survives_the_loss_of_any_request() {
    check(&STORED, Side::RequestLost).await;
}

#[tokio::test]
async fn rows_that_no_transaction_holds_survive_the_end_of_the_world_before_any_call() {
    check(&ENGINES, Side::Before).await;
}

#[tokio::test]
async fn rows_that_no_transaction_holds_survive_the_end_of_the_world_after_any_call() {
    check(&ENGINES, Side::After).await;
}

#[tokio::test]
async fn rows_that_no_transaction_holds_survive_the_loss_of_any_answer() {
    check(&ENGINES, Side::AnswerLost).await;
}

#[tokio::test]
async fn rows_that_no_transaction_holds_survive_the_loss_of_any_request() {
    check(&ENGINES, Side::RequestLost).await;
}

#[tokio::test]
async fn other_objects_and_the_servers_settings_survive_the_end_of_the_world_before_any_call() {
    check(&OBJECTS, Side::Before).await;
}

#[tokio::test]
async fn other_objects_and_the_servers_settings_survive_the_end_of_the_world_after_any_call() {
    check(&OBJECTS, Side::After).await;
}

#[tokio::test]
async fn other_objects_and_the_servers_settings_survive_the_loss_of_any_answer() {
    check(&OBJECTS, Side::AnswerLost).await;
}

#[tokio::test]
async fn other_objects_and_the_servers_settings_survive_the_loss_of_any_request() {
    check(&OBJECTS, Side::RequestLost).await;
}

#[tokio::test]
async fn over_a_pool_of_connections_the_schema_survives_the_end_of_the_world_after_any_call() {
    check_over(Way::Pool, &SCHEMA, Side::After).await;
}

#[tokio::test]
async fn over_a_pool_of_connections_the_schema_survives_the_loss_of_any_answer() {
    check_over(Way::Pool, &SCHEMA, Side::AnswerLost).await;
}

#[tokio::test]
async fn over_a_pool_of_connections_what_stored_programs_do_survives_the_end_of_the_world_before_any_call()
 {
    check_over(Way::Pool, &STORED, Side::Before).await;
}

#[tokio::test]
async fn over_a_pool_of_connections_data_survives_the_loss_of_any_answer() {
    check_over(Way::Pool, &DATA, Side::AnswerLost).await;
}

#[tokio::test]
async fn sent_in_packets_the_schema_survives_the_end_of_the_world_before_any_packet() {
    check_over(Way::Packets, &SCHEMA, Side::Before).await;
}

#[tokio::test]
async fn sent_in_packets_the_schema_survives_the_end_of_the_world_in_any_packet() {
    check_over(Way::Packets, &SCHEMA, Side::Between).await;
}

#[tokio::test]
async fn sent_in_packets_the_schema_survives_the_end_of_the_world_after_any_packet() {
    check_over(Way::Packets, &SCHEMA, Side::After).await;
}

#[tokio::test]
async fn sent_in_packets_the_schema_survives_the_loss_of_any_answer() {
    check_over(Way::Packets, &SCHEMA, Side::AnswerLost).await;
}

#[tokio::test]
async fn sent_in_packets_the_schema_survives_the_loss_of_any_request() {
    check_over(Way::Packets, &SCHEMA, Side::RequestLost).await;
}

#[tokio::test]
async fn sent_in_packets_the_schema_survives_the_loss_of_a_packets_second_half() {
    check_over(Way::Packets, &SCHEMA, Side::LostBetween).await;
}

#[tokio::test]
async fn sent_in_packets_other_kinds_of_statements_survive_the_end_of_the_world_in_any_packet() {
    check_over(Way::Packets, &CLASSES, Side::Between).await;
}

#[tokio::test]
async fn sent_in_packets_other_kinds_of_statements_survive_the_loss_of_any_answer() {
    check_over(Way::Packets, &CLASSES, Side::AnswerLost).await;
}

#[tokio::test]
async fn sent_in_packets_other_objects_survive_the_loss_of_a_packets_second_half() {
    check_over(Way::Packets, &OBJECTS, Side::LostBetween).await;
}

#[tokio::test]
async fn sent_in_packets_other_objects_survive_the_end_of_the_world_after_any_packet() {
    check_over(Way::Packets, &OBJECTS, Side::After).await;
}
