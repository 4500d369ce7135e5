//! What a user sees: order, resume, nothing twice, refusals with their place.

use std::time::Duration;

use dayspring_migrate::{
    Error, Event, Mode, Options, Outcome, Scripts, Session, apply, render_failure,
};
use mysql_async::OptsBuilder;
use mysql_async::prelude::Queryable;

use crate::direct::Direct;
use crate::server;

pub(crate) fn options() -> Options {
    Options {
        poll: Duration::from_millis(2),
        idle: Duration::ZERO,
        lock_wait: Duration::from_secs(1),
        ..Options::new("test")
    }
}

pub(crate) fn scripts(files: &[(&str, &str)]) -> Scripts {
    let files = files.iter().map(|(name, sql)| (*name, server::said(sql)));
    Scripts::parse("scripts/schema", files).unwrap()
}

/// A database, and the files that are applied to it.
pub(crate) struct World {
    pub(crate) opts: OptsBuilder,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self {
            opts: server::new_database().await,
        }
    }

    pub(crate) async fn apply_with(
        &self,
        files: &[(&str, &str)],
        options: &Options,
    ) -> Result<Outcome, Error> {
        let mut session = Direct::connect(&self.opts).await;
        let ended = apply(&mut session, &scripts(files), options, &mut |_: Event<
            '_,
        >| {})
        .await;
        session.disconnect().await;
        ended
    }

    /// The report's line, or the error as a user sees it.
    pub(crate) async fn apply(&self, files: &[(&str, &str)]) -> String {
        match self.apply_with(files, &options()).await {
            Ok(Outcome::Done(report)) => report.to_string(),
            Ok(other) => format!("{other:?}"),
            Err(error) => render_failure(&error, 3000),
        }
    }

    /// The first column of a query's rows.
    pub(crate) async fn ask(&self, sql: &str) -> Vec<String> {
        let mut conn = server::connect(&self.opts).await;
        let rows = conn.query(sql).await.unwrap();
        conn.disconnect().await.unwrap();
        rows
    }

    pub(crate) async fn run(&self, sql: &str) {
        let mut conn = server::connect(&self.opts).await;
        conn.query_drop(sql).await.unwrap();
        conn.disconnect().await.unwrap();
    }
}

const LOG: (&str, &str) = (
    "v1.sql",
    "CREATE TABLE log (n INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(20));\nINSERT INTO log (what) VALUES ('v1');",
);

#[tokio::test]
async fn scripts_run_in_the_order_of_their_numbers_and_only_once() {
    let world = World::new().await;
    let files = [
        ("v10.sql", "INSERT INTO log (what) VALUES ('v10');"),
        LOG,
        ("v9.sql", "INSERT INTO log (what) VALUES ('v9');"),
        (
            "v2_two.sql",
            "INSERT INTO log (what) VALUES ('v2'); ALTER TABLE log ADD COLUMN x INT;",
        ),
    ];
    assert_eq!(
        world.apply(&files).await,
        "6 statements applied, schema at v10"
    );
    assert_eq!(
        world.ask("SELECT what FROM log ORDER BY n").await,
        ["v1", "v2", "v9", "v10"]
    );
    assert_eq!(world.apply(&files).await, "nothing to do, schema at v10");
    assert_eq!(world.ask("SELECT COUNT(*) FROM log").await, ["4"]);
}

#[tokio::test]
async fn unchanged_scripts_cause_no_write_at_all() {
    let world = World::new().await;
    world.apply(&[LOG]).await;
    let mut session = ReadOnly(Direct::connect(&world.opts).await);
    let outcome = apply(
        &mut session,
        &scripts(&[LOG]),
        &options(),
        &mut |_: Event<'_>| {},
    )
    .await;
    assert!(matches!(outcome, Ok(Outcome::Done(_))), "{outcome:?}");
}

/// A session that allows nothing but queries.
struct ReadOnly(Direct);

impl Session for ReadOnly {
    async fn query(
        &mut self,
        sql: &str,
        parameters: &[(&str, dayspring_migrate::Value)],
    ) -> Result<Vec<dayspring_migrate::Row>, dayspring_migrate::SessionError> {
        self.0.query(sql, parameters).await
    }

    async fn execute(
        &mut self,
        sql: &str,
        _: &[(&str, dayspring_migrate::Value)],
    ) -> Result<u64, dayspring_migrate::SessionError> {
        panic!("a write: {sql}")
    }

    async fn run(&mut self, sql: &str) -> Result<u64, dayspring_migrate::SessionError> {
        panic!("a statement of a script: {sql}")
    }

    async fn begin(&mut self) -> Result<(), dayspring_migrate::SessionError> {
        panic!("a transaction")
    }

    async fn commit(&mut self) -> Result<(), dayspring_migrate::SessionError> {
        panic!("a transaction")
    }

    async fn rollback(&mut self) -> Result<(), dayspring_migrate::SessionError> {
        panic!("a transaction")
    }

    async fn pause(&mut self, _: Duration) {
        panic!("a wait")
    }

    fn remaining(&self) -> Option<Duration> {
        None
    }
}

#[tokio::test]
async fn a_formatted_script_is_still_the_same() {
    let world = World::new().await;
    world.apply(&[LOG]).await;
    let formatted = "-- The log.\r\nCREATE TABLE log (\r\n  n INT PRIMARY KEY AUTO_INCREMENT,\r\n  what VARCHAR(20)\r\n);\r\nINSERT INTO log (what)\r\nVALUES ('v1')";
    assert_eq!(
        world.apply(&[("v1_renamed.sql", formatted)]).await,
        "nothing to do, schema at v1"
    );
}

#[tokio::test]
async fn a_statement_appended_to_the_newest_script_runs_by_itself() {
    let world = World::new().await;
    world.apply(&[LOG]).await;
    let appended = format!("{}\nINSERT INTO log (what) VALUES ('more');", LOG.1);
    assert_eq!(
        world.apply(&[("v1.sql", &appended)]).await,
        "1 statement applied, schema at v1"
    );
    assert_eq!(
        world.apply(&[("v1.sql", &appended)]).await,
        "nothing to do, schema at v1"
    );
    assert_eq!(
        world.ask("SELECT what FROM log ORDER BY n").await,
        ["v1", "more"]
    );
}

#[tokio::test]
async fn a_failed_statement_is_shown_and_the_next_run_resumes_at_it() {
    let world = World::new().await;
    let broken = "INSERT INTO log (what) VALUES ('a');\nINSERT INTO log (what) VALUES ('b');\n\n  INSERT INTO nowhere\n    VALUES (1);\nINSERT INTO log (what) VALUES ('c');";
    insta::assert_snapshot!(world.apply(&[LOG, ("v2.sql", broken)]).await.replace(&world.database(), "blog"), @r"
    error: statement 3 of 4 failed: Table 'blog.nowhere' doesn't exist (MySQL 1146)
     --> scripts/schema/v2.sql:4:3
      |
    4 |   INSERT INTO nowhere
      |   ^^^^^^^^^^^^^^^^^^^
     help: statements 1 and 2 stay applied; correct this one and deploy again, it resumes at 3
    ");
    assert_eq!(
        world.ask("SELECT what FROM log ORDER BY n").await,
        ["v1", "a", "b"]
    );
    let mended = broken.replace("nowhere\n    VALUES (1)", "log (what) VALUES ('mended')");
    assert_eq!(
        world.apply(&[LOG, ("v2.sql", &mended)]).await,
        "2 statements applied, schema at v2"
    );
    assert_eq!(
        world.ask("SELECT what FROM log ORDER BY n").await,
        ["v1", "a", "b", "mended", "c"]
    );
}

#[tokio::test]
async fn a_syntax_error_is_shown_at_the_line_that_the_database_names() {
    let world = World::new().await;
    let shown = world
        .apply(&[(
            "v1.sql",
            "CREATE TABLE t (\n  id INT,\n  name VARCHAR(20)\n  oops INT\n);",
        )])
        .await;
    let place: Vec<&str> = shown.lines().skip(1).collect();
    insta::assert_snapshot!(place.join("\n"), @r"
     --> scripts/schema/v1.sql:4:3
      |
    1 | CREATE TABLE t (
    2 |   id INT,
    3 |   name VARCHAR(20)
    4 |   oops INT
      |   ^^^^^^^^
     help: nothing of this script is applied; correct this one and deploy again, it starts at 1
    ");
}

#[tokio::test]
async fn a_run_that_fills_a_variable_is_all_or_nothing() {
    let world = World::new().await;
    let script = "INSERT INTO log (what) VALUES ('first'); SET @id = LAST_INSERT_ID(); INSERT INTO log (what) VALUES (CONCAT('after ', @id)); INSERT INTO nowhere VALUES (@id);";
    let shown = world.apply(&[LOG, ("v2.sql", script)]).await;
    assert!(shown.ends_with("help: nothing of this script is applied; correct this one and deploy again, it starts at 1"), "{shown}");
    assert_eq!(world.ask("SELECT COUNT(*) FROM log").await, ["1"]);
    let mended = script
        .replace("nowhere", "log (n)")
        .replace("VALUES (@id);", "VALUES (@id + 10);");
    assert_eq!(
        world.apply(&[LOG, ("v2.sql", &mended)]).await,
        "4 statements applied, schema at v2"
    );
    assert_eq!(world.ask("SELECT COUNT(*) FROM log JOIN (SELECT n FROM log WHERE what = 'first') f WHERE what = CONCAT('after ', f.n)").await, ["1"]);
}

#[tokio::test]
async fn session_statements_are_said_again_before_what_follows_them() {
    let world = World::new().await;
    let files = [
        (
            "v1.sql",
            "CREATE TABLE a (id INT PRIMARY KEY); CREATE TABLE b (a INT, CONSTRAINT f FOREIGN KEY (a) REFERENCES a (id));",
        ),
        (
            "v2.sql",
            "SET foreign_key_checks = 0; INSERT INTO b VALUES (1); DROP TABLE a; INSERT INTO b VALUES (nowhere);",
        ),
    ];
    let shown = world.apply(&files).await;
    assert!(
        shown.starts_with("error: statement 4 of 4 failed: Unknown column"),
        "{shown}"
    );
    let mended = files[1].1.replace("nowhere", "2");
    assert_eq!(
        world.apply(&[files[0], ("v2.sql", &mended)]).await,
        "1 statement applied, schema at v2"
    );
}

#[tokio::test]
async fn an_edited_applied_statement_is_refused_with_both_texts() {
    let world = World::new().await;
    world.apply(&[LOG]).await;
    let edited = LOG.1.replace("'v1'", "'V1'");
    insta::assert_snapshot!(world.apply(&[("v1.sql", &edited)]).await, @"
    error: statement 2 is applied already, with another text
     --> scripts/schema/v1.sql:2:1
      |
    2 | INSERT INTO log (what) VALUES ('V1');
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     note: this line ran as
           INSERT INTO log (what) VALUES ('v1')
     help: restore its text, and write the change as a new statement in a new script
    ");
    let development = Options {
        mode: Mode::Development,
        ..options()
    };
    let outcome = world.apply_with(&[("v1.sql", &edited)], &development).await;
    assert!(matches!(outcome, Ok(Outcome::Rebuild(_))), "{outcome:?}");
    assert_eq!(world.ask("SELECT what FROM log").await, ["v1"]);
}

#[tokio::test]
async fn older_scripts_than_the_journal_are_a_success() {
    let world = World::new().await;
    let more = format!("{}\nINSERT INTO log (what) VALUES ('more');", LOG.1);
    world
        .apply(&[
            ("v1.sql", &more),
            ("v2.sql", "INSERT INTO log (what) VALUES ('v2')"),
        ])
        .await;
    assert_eq!(
        world.apply(&[("v1.sql", &more)]).await,
        "the schema is ahead of the scripts: schema at v2, the scripts end at v1"
    );
    assert_eq!(
        world.apply(&[LOG]).await,
        "the schema is ahead of the scripts: schema at v2, the scripts end at v1"
    );
    assert_eq!(
        world.apply(&[]).await,
        "the schema is ahead of the scripts: schema at v2, and there are none"
    );
}

#[tokio::test]
async fn what_cannot_be_sorted_out_after_a_crash_needs_a_directive() {
    let world = World::new().await;
    insta::assert_snapshot!(world.apply(&[LOG, ("v2.sql", "TRUNCATE log;")]).await, @r"
    error: a crash during this statement could not be sorted out: an emptied table looks as before, and a second TRUNCATE deletes newer rows
     --> scripts/schema/v2.sql:1:1
      |
    1 | TRUNCATE log;
      | ^^^^^^^^^^^^
     help: write `-- dayspring: verify SELECT ...` above it with a query that is true if it took effect, or `-- dayspring: idempotent` if running it twice does no harm
    ");
    assert!(world.ask("SHOW TABLES").await.is_empty());
    let with = [LOG, ("v2.sql", "-- dayspring: idempotent\nTRUNCATE log;")];
    assert_eq!(
        world.apply(&with).await,
        "3 statements applied, schema at v2"
    );
}

#[tokio::test]
async fn a_mistyped_statement_fails_in_the_servers_words_before_anything_runs() {
    let world = World::new().await;
    let typo = "INSERT INTO log (what) VALUES ('a');\nALTER TABEL log ADD x INT;";
    let shown = world.apply(&[LOG, ("v2.sql", typo)]).await;
    let (head, rest) = shown.split_once('\n').unwrap();
    assert!(
        head.starts_with("error: statement 2 of 2 failed: You have an error in your SQL syntax"),
        "{head}"
    );
    assert!(
        head.contains("near 'TABEL log ADD x INT' at line 1 (MySQL 1064)"),
        "{head}"
    );
    insta::assert_snapshot!(rest, @r"
     --> scripts/schema/v2.sql:2:1
      |
    2 | ALTER TABEL log ADD x INT;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^
     help: nothing of this script is applied; correct this one and deploy again, it starts at 1
    ");
    assert_eq!(
        world
            .ask("SELECT CONCAT(version, ' ', position, ' ', state) FROM dayspring_statement")
            .await,
        ["2 2 failed"]
    );
    assert_eq!(
        world.ask("SHOW TABLES LIKE 'log'").await,
        Vec::<String>::new()
    );
    let corrected = typo.replace("TABEL", "TABLE");
    assert_eq!(
        world.apply(&[LOG, ("v2.sql", &corrected)]).await,
        "4 statements applied, schema at v2"
    );
    for typo in [
        "INSRT INTO log (what) VALUES ('a\\'b')",
        "SLECT 1",
        "CREATE TABEL t (id INT)",
    ] {
        let shown = world
            .apply(&[LOG, ("v2.sql", &corrected), ("v3.sql", typo)])
            .await;
        assert!(shown.contains("(MySQL 1064)"), "{shown}");
    }
}

#[tokio::test]
async fn what_the_server_understands_and_the_engine_does_not_stays_refused() {
    let world = World::new().await;
    for sql in [
        "EXECUTE IMMEDIATE 'SELECT 1'",
        "CREATE USER nobody",
        "CALL nowhere()",
    ] {
        let shown = world.apply(&[LOG, ("v2.sql", sql)]).await;
        assert!(
            shown.starts_with("error: a crash during this statement could not be sorted out"),
            "{shown}"
        );
    }
    assert!(world.ask("SHOW TABLES").await.is_empty());
}

#[tokio::test]
async fn stored_programs_need_no_delimiter() {
    let world = World::new().await;
    let script = "CREATE PROCEDURE p() BEGIN INSERT INTO log (what) VALUES ('p'); INSERT INTO log (what) VALUES ('q'); END;\nCREATE TRIGGER t BEFORE INSERT ON log FOR EACH ROW SET NEW.what = UPPER(NEW.what);\nINSERT INTO log (what) VALUES ('x');";
    assert_eq!(
        world.apply(&[LOG, ("v2.sql", script)]).await,
        "5 statements applied, schema at v2"
    );
    assert_eq!(
        world.ask("SELECT what FROM log ORDER BY n").await,
        ["v1", "X"]
    );
}

#[tokio::test]
async fn a_run_whose_time_is_up_hands_over_and_the_next_carries_on() {
    let world = World::new().await;
    let mut session = Direct::connect(&world.opts).await;
    session.remaining = Some(Duration::from_secs(30));
    let outcome = apply(
        &mut session,
        &scripts(&[LOG]),
        &options(),
        &mut |_: Event<'_>| {},
    )
    .await;
    assert!(
        matches!(outcome, Ok(Outcome::HandOver { .. })),
        "{outcome:?}"
    );
    assert_eq!(
        world.apply(&[LOG]).await,
        "2 statements applied, schema at v1"
    );
}

impl World {
    pub(crate) fn database(&self) -> String {
        mysql_async::Opts::from(self.opts.clone())
            .db_name()
            .unwrap()
            .to_owned()
    }
}
