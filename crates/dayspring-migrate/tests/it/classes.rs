//! Statements that are not what their first word says, that lean on what a session remembers, or whose effect no
//! transaction holds.

use crate::apply::World;
use crate::server::Mortal;

const LOG: (&str, &str) = ("v1.sql", "CREATE TABLE log (n INT);");

async fn log(world: &World) -> Vec<String> {
    world.ask("SELECT n FROM log ORDER BY n").await
}

/// The first line of what a run says.
async fn first_line(world: &World, files: &[(&str, &str)]) -> String {
    let shown = world.apply(files).await;
    shown.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn what_a_procedure_does_after_session_statements_stays() {
    let world = World::new().await;
    let call = "CREATE PROCEDURE p(n INT) INSERT INTO log VALUES (n);\nSET @n = 7;\n\
                -- dayspring: verify SELECT COUNT(*) FROM log WHERE n = 7\nCALL p(@n);\n\
                SET @n = 7;\nPREPARE s FROM 'INSERT INTO log VALUES (?)';\n\
                -- dayspring: verify SELECT COUNT(*) > 1 FROM log\nEXECUTE s USING @n;";
    assert_eq!(
        world.apply(&[LOG, ("v2.sql", call)]).await,
        "7 statements applied, schema at v2"
    );
    assert_eq!(log(&world).await, ["7", "7"]);
}

#[tokio::test]
async fn a_procedure_that_fails_in_its_middle_leaves_nothing() {
    let world = World::new().await;
    let script = "CREATE PROCEDURE p() BEGIN INSERT INTO log VALUES (1); INSERT INTO nowhere VALUES (1); END;\n\
                  -- dayspring: verify SELECT COUNT(*) > 0 FROM log\nCALL p();";
    assert!(
        first_line(&world, &[LOG, ("v2.sql", script)])
            .await
            .starts_with("error: statement 2 of 2 failed: Table")
    );
    assert!(log(&world).await.is_empty());
}

#[tokio::test]
async fn a_procedure_that_committed_before_a_deadlock_is_not_called_again() {
    let world = World::new().await;
    let script = "CREATE PROCEDURE p() BEGIN INSERT INTO log VALUES (1); COMMIT; \
                  SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'Deadlock'; END;\n\
                  -- dayspring: verify SELECT COUNT(*) > 1 FROM log\nCALL p();";
    assert_eq!(
        first_line(&world, &[LOG, ("v2.sql", script)]).await,
        "error: statement 2 of 2 failed: Deadlock (MySQL 1213)"
    );
    assert_eq!(log(&world).await, ["1"]);
}

#[tokio::test]
async fn what_an_error_takes_back_with_its_transaction_is_not_recorded() {
    let world = World::new().await;
    let trigger = "CREATE TRIGGER full BEFORE INSERT ON log FOR EACH ROW IF NEW.n = 2 THEN \
                   SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1206, MESSAGE_TEXT = 'Too many locks'; END IF;";
    world.run(LOG.1.trim_end_matches(';')).await;
    world.run(trigger).await;
    let script = "INSERT INTO log VALUES (1);\nINSERT INTO log VALUES (2);";
    let shown = world.apply(&[("v2.sql", script)]).await;
    assert!(
        shown.starts_with("error: statement 2 of 2 failed: Too many locks (MySQL 1206)"),
        "{shown}"
    );
    assert!(shown.ends_with("it starts at 1"), "{shown}");
    assert!(log(&world).await.is_empty());
    world.run("DROP TRIGGER full").await;
    world.apply(&[("v2.sql", script)]).await;
    assert_eq!(log(&world).await, ["1", "2"]);
}

#[tokio::test]
async fn a_statement_in_the_dress_of_another_is_not_said_again() {
    let world = World::new().await;
    let script = "INSERT INTO log VALUES (1);\nANALYZE UPDATE log SET n = n + 1;\n\
                  SET STATEMENT max_statement_time = 9 FOR UPDATE log SET n = n + 10;\nALTER TABLE log ADD m INT;\n\
                  INSERT INTO nowhere VALUES (1);";
    let shown = first_line(&world, &[LOG, ("v2.sql", script)]).await;
    assert!(shown.contains("statement 5 of 5 failed"), "{shown}");
    let mended = script.replace("nowhere VALUES (1)", "log (n) VALUES (99)");
    assert_eq!(
        world.apply(&[LOG, ("v2.sql", &mended)]).await,
        "1 statement applied, schema at v2"
    );
    assert_eq!(log(&world).await, ["12", "99"]);
}

#[tokio::test]
async fn a_function_that_writes_writes_once_though_its_value_is_set_again() {
    let world = World::new().await;
    let script = "CREATE FUNCTION f(x INT) RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO log (n) VALUES (x); RETURN x; END;\n\
                  SET @a = f(1);\nINSERT INTO log VALUES (@a + 1);\nALTER TABLE log ADD m INT;\n\
                  INSERT INTO log (n) VALUES (3);";
    assert_eq!(
        world.apply(&[LOG, ("v2.sql", script)]).await,
        "6 statements applied, schema at v2"
    );
    assert_eq!(log(&world).await, ["1", "2", "3"]);
}

#[tokio::test]
async fn what_a_statement_before_it_did_is_recalled_or_nothing_is_done() {
    let world = World::new().await;
    let base = (
        "v1.sql",
        "CREATE TABLE parent (id INT PRIMARY KEY AUTO_INCREMENT);\nCREATE TABLE child (parent INT, n INT);",
    );
    let script =
        "INSERT INTO parent VALUES ();\nINSERT INTO child VALUES (LAST_INSERT_ID(), nowhere);";
    let shown = world.apply(&[base, ("v2.sql", script)]).await;
    assert!(shown.ends_with("it starts at 1"), "{shown}");
    assert_eq!(world.ask("SELECT COUNT(*) FROM parent").await, ["0"]);
    let mended = script.replace("nowhere", "5");
    assert_eq!(
        world.apply(&[base, ("v2.sql", &mended)]).await,
        "2 statements applied, schema at v2"
    );
    assert_eq!(
        world
            .ask("SELECT n FROM child JOIN parent ON parent.id = child.parent")
            .await,
        ["5"]
    );
    let appended = format!("{mended}\nINSERT INTO child VALUES (LAST_INSERT_ID(), 6);");
    assert_eq!(
        first_line(&world, &[base, ("v2.sql", &appended)]).await,
        "error: the value of a variable that this statement uses would be lost in a crash"
    );
}

#[tokio::test]
async fn a_variable_that_a_data_statement_fills_binds_those_after_it() {
    let world = World::new().await;
    let script = "INSERT INTO log VALUES (4);\nSELECT @n := MAX(n) FROM log;\nINSERT INTO log VALUES (@n + nowhere);";
    let shown = world.apply(&[LOG, ("v2.sql", script)]).await;
    assert!(shown.ends_with("it starts at 1"), "{shown}");
    let mended = script.replace("nowhere", "1");
    world.apply(&[LOG, ("v2.sql", &mended)]).await;
    assert_eq!(log(&world).await, ["4", "5"]);
}

#[tokio::test]
async fn the_journal_and_its_database_are_not_for_scripts() {
    let world = World::new().await;
    let drop = format!("DROP DATABASE {};", world.database());
    for sql in [
        "DROP TABLE dayspring_statement;",
        "DELETE FROM dayspring_lease;",
        &drop,
    ] {
        let shown = first_line(&world, &[LOG, ("v2.sql", sql)]).await;
        assert!(
            shown.starts_with("error: this statement cannot be part of a migration"),
            "{sql}: {shown}"
        );
    }
}

const ENGINES: (&str, &str) = (
    "v1.sql",
    "CREATE TABLE log (n INT);\nCREATE TABLE m (n INT) ENGINE = MyISAM;\nCREATE TABLE a (n INT) ENGINE = Aria;\n\
     CREATE TABLE h (n INT) ENGINE = MEMORY;\nCREATE TABLE base (n INT);\nCREATE VIEW v AS SELECT n FROM m;\n\
     CREATE TRIGGER t AFTER INSERT ON base FOR EACH ROW INSERT INTO m VALUES (NEW.n);\n\
     CREATE FUNCTION f(x INT) RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO a VALUES (x); RETURN x; END;\n\
     CREATE FUNCTION g(x INT) RETURNS INT RETURN x + 1;\n\
     CREATE TABLE parts (n INT) PARTITION BY HASH (n) PARTITIONS 2;",
);

#[tokio::test]
async fn rows_that_no_transaction_holds_are_refused_before_they_are_written() {
    let world = World::new().await;
    for sql in [
        "INSERT INTO m VALUES (1)",
        "REPLACE INTO a VALUES (1)",
        "UPDATE h SET n = 2",
        "DELETE FROM m",
        "INSERT INTO v VALUES (1)",
        "INSERT INTO base VALUES (1)",
        "INSERT INTO log VALUES (f(1))",
        "SELECT f(1)",
        "SET @x = f(1)",
    ] {
        let shown = world
            .apply(&[
                ENGINES,
                ("v2.sql", &format!("INSERT INTO log VALUES (9);\n{sql};")),
            ])
            .await;
        assert!(
            shown.starts_with("error: a crash during this statement could not be sorted out: "),
            "{sql}: {shown}"
        );
        assert!(
            shown.contains("--> scripts/schema/v2.sql:2:1"),
            "{sql}: {shown}"
        );
    }
    assert_eq!(world.ask("SELECT COUNT(*) FROM m").await, ["0"]);
    assert_eq!(world.ask("SELECT COUNT(*) FROM a").await, ["0"]);
    // What came before it is applied, once.
    assert_eq!(log(&world).await, ["9"]);
    let direct = "INSERT INTO log VALUES (9);\nINSERT INTO m VALUES (1);";
    insta::assert_snapshot!(world.apply(&[ENGINES, ("v2.sql", direct)]).await, @r"
    error: a crash during this statement could not be sorted out: `m` is a table of MyISAM, and no transaction holds its rows
     --> scripts/schema/v2.sql:2:1
      |
    2 | INSERT INTO m VALUES (1);
      | ^^^^^^^^^^^^^^^^^^^^^^^^
     help: make the table InnoDB; or write `-- dayspring: verify SELECT ...` above the statement with a query that is true if it took effect, or `-- dayspring: idempotent` if running it twice does no harm
    ");
    let fine = "INSERT INTO log VALUES (9);\nINSERT INTO log SELECT n FROM m;\nINSERT INTO log VALUES (g(1));\nINSERT INTO parts VALUES (1);";
    assert_eq!(
        world.apply(&[ENGINES, ("v2.sql", fine)]).await,
        "3 statements applied, schema at v2"
    );
}

#[tokio::test]
async fn a_directive_lets_rows_be_written_that_no_transaction_holds() {
    let world = World::new().await;
    let script = "INSERT INTO log VALUES (1);\n-- dayspring: verify SELECT COUNT(*) FROM m\nINSERT INTO m VALUES (1);\n\
                  INSERT INTO log VALUES (2);\n-- dayspring: idempotent\nREPLACE INTO h VALUES (f(3));";
    assert_eq!(
        world.apply(&[ENGINES, ("v2.sql", script)]).await,
        "14 statements applied, schema at v2"
    );
    assert_eq!(log(&world).await, ["1", "2"]);
    assert_eq!(
        world
            .ask("SELECT n FROM m UNION ALL SELECT n FROM a UNION ALL SELECT n FROM h")
            .await,
        ["1", "3", "3"]
    );
}

#[tokio::test]
async fn a_server_that_reads_backslashes_otherwise_is_told_from_others() {
    let mut server = Mortal::start();
    let world = World {
        opts: server.new_database().await,
    };
    world
        .run("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES'")
        .await;
    let base = ("v1.sql", "CREATE TABLE t (a VARCHAR(20));");
    let script = r"INSERT INTO t VALUES ('it\'s');";
    insta::assert_snapshot!(world.apply(&[base, ("v2.sql", script)]).await, @r"
    error: the server's sql_mode has NO_BACKSLASH_ESCAPES or ANSI_QUOTES, and it would read the backslash in this statement otherwise
     --> scripts/schema/v2.sql:1:1
      |
    1 | INSERT INTO t VALUES ('it\'s');
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     help: say `SET sql_mode = '...'` above it, with the mode that it is written for
    ");
    let with = format!("SET sql_mode = 'STRICT_TRANS_TABLES';\n{script}");
    assert_eq!(
        world.apply(&[base, ("v2.sql", &with)]).await,
        "3 statements applied, schema at v2"
    );
    assert_eq!(world.ask("SELECT a FROM t").await, ["it's"]);
    server.kill();
}
