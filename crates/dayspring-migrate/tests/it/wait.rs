//! Statements that wait for a lock, and migrators that wait for one another.

use std::time::Duration;

use dayspring_migrate::{
    Error, Event, Options, Outcome, Row, Session, SessionError, Value, apply, render_failure,
};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::apply::{World, options, scripts};
use crate::direct::Direct;
use crate::{program, server};

const BASE: (&str, &str) = ("v1.sql", "CREATE TABLE t (id INT PRIMARY KEY, n INT);");
const ALTER: (&str, &str) = (
    "v2.sql",
    "INSERT INTO t VALUES (1, 1);\nALTER TABLE t ADD COLUMN x INT;",
);

/// A connection with a transaction that has read `t`.
async fn reader(world: &World) -> Conn {
    let mut conn = server::connect(&world.opts).await;
    conn.query_drop("START TRANSACTION").await.unwrap();
    conn.query_drop("SELECT * FROM t").await.unwrap();
    conn
}

/// The error as a user sees it, without what differs from run to run.
fn shown(error: &Error, blocker: &Conn) -> String {
    let Error::LockWait(wait) = error else {
        panic!("{error:?}");
    };
    let [found] = wait.blockers.named() else {
        panic!("{error:?}");
    };
    assert_eq!(found.connection, u64::from(blocker.id()));
    render_failure(error, 3000)
        .replace(&found.connection.to_string(), "17")
        .replace(&format!("for {} s", found.age_seconds), "for 42 s")
}

/// What is said of those who are named. MySQL's performance schema shows who has the lock; a MariaDB without its plugin
/// shows who may have it.
fn note(of_mariadb: &'static str) -> &'static str {
    if program::is_mysql() {
        "the lock is held by"
    } else {
        of_mariadb
    }
}

#[tokio::test]
async fn a_wait_for_a_lock_is_bounded_and_who_has_it_is_named() {
    let world = World::new().await;
    world.apply(&[BASE]).await;
    let mut blocker = reader(&world).await;
    let mut session = Direct::connect(&world.opts).await;
    // What a session sees to for its connection.
    session
        .run("SET SESSION lock_wait_timeout = 1")
        .await
        .unwrap();
    let scripts = scripts(&[BASE, ALTER]);
    let error = apply(&mut session, &scripts, &options(), &mut |_: Event<'_>| {})
        .await
        .unwrap_err();
    let note = note("it is held to the end of a transaction, and these are open");
    insta::assert_snapshot!(shown(&error, &blocker).replace(note, "NOTE"), @r"
    error: statement 2 of 2 waited too long for a lock, and was cancelled
     --> scripts/schema/v2.sql:2:1
      |
    2 | ALTER TABLE t ADD COLUMN x INT;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     note: NOTE
           connection 17 of root@localhost, in a transaction for 42 s, idle
     help: wait for it or end it (`KILL 17`), and deploy again: it resumes at 2
    ");
    blocker.query_drop("COMMIT").await.unwrap();
    assert_eq!(
        world.apply(&[BASE, ALTER]).await,
        "1 statement applied, schema at v2"
    );
}

#[tokio::test]
async fn a_lock_that_no_transaction_of_innodb_holds_is_named_by_its_connection() {
    for hold in [
        vec!["LOCK TABLES t READ"],
        // It has the table's lock and has asked for no row.
        vec!["START TRANSACTION", "SELECT * FROM t WHERE 1 = 0"],
    ] {
        let world = World::new().await;
        world.apply(&[BASE]).await;
        let mut blocker = server::connect(&world.opts).await;
        for sql in &hold {
            blocker.query_drop(*sql).await.unwrap();
        }
        let mut session = Direct::connect(&world.opts).await;
        session
            .run("SET SESSION lock_wait_timeout = 1")
            .await
            .unwrap();
        let scripts = scripts(&[BASE, ("v2.sql", "ALTER TABLE t ADD COLUMN x INT;")]);
        let error = apply(&mut session, &scripts, &options(), &mut |_: Event<'_>| {})
            .await
            .unwrap_err();
        let Error::LockWait(wait) = &error else {
            panic!("{hold:?}: {error:?}");
        };
        let first = wait.blockers.named().first().unwrap();
        assert_eq!(first.connection, u64::from(blocker.id()), "{hold:?}");
        let shown = render_failure(&error, 3000);
        let note =
            note("it is held by LOCK TABLES or to the end of a transaction, by one of these");
        assert!(shown.contains(&format!("note: {note}\n")), "{shown}");
        let line = format!("connection {} of root@localhost, idle for ", blocker.id());
        assert!(shown.contains(&line), "{shown}");
        assert!(
            shown.contains(&format!("end it (`KILL {}`)", blocker.id())),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn an_account_that_is_not_shown_the_others_is_told_what_it_lacks() {
    let world = World::new().await;
    world.apply(&[BASE]).await;
    let mut blocker = reader(&world).await;
    let name = world.database();
    world.run(&format!("CREATE USER {name}@localhost")).await;
    let grant = format!("GRANT ALL ON {name}.* TO {name}@localhost");
    world.run(&grant).await;
    let of_account = World {
        opts: world.opts.clone().user(Some(name.as_str())),
    };
    let mut session = Direct::connect(&of_account.opts).await;
    session
        .run("SET SESSION lock_wait_timeout = 1")
        .await
        .unwrap();
    let scripts = scripts(&[BASE, ("v2.sql", "ALTER TABLE t ADD COLUMN x INT;")]);
    let error = apply(&mut session, &scripts, &options(), &mut |_: Event<'_>| {})
        .await
        .unwrap_err();
    insta::assert_snapshot!(render_failure(&error, 3000), @r"
    error: statement 1 of 1 waited too long for a lock, and was cancelled
     --> scripts/schema/v2.sql:1:1
      |
    1 | ALTER TABLE t ADD COLUMN x INT;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     help: grant this account PROCESS to have them named; deploy again when they are done: it resumes at 1
    ");
    blocker.query_drop("COMMIT").await.unwrap();
}

#[tokio::test]
async fn a_statement_that_goes_on_without_its_caller_is_cancelled_while_it_only_waits() {
    let world = World::new().await;
    world.apply(&[BASE]).await;
    let mut blocker = reader(&world).await;
    let mut session = Continuing::connect(&world.opts).await;
    let scripts = scripts(&[BASE, ALTER]);
    let error = apply(&mut session, &scripts, &options(), &mut |_: Event<'_>| {})
        .await
        .unwrap_err();
    assert!(shown(&error, &blocker).contains("in a transaction for 42 s, idle"));
    assert!(session.statements.pop().unwrap().await.unwrap().is_err());
    assert_eq!(
        world
            .ask("SELECT state FROM dayspring_statement WHERE version = 2 AND position = 2")
            .await,
        ["failed"]
    );
    blocker.query_drop("COMMIT").await.unwrap();
    let outcome = apply(&mut session, &scripts, &options(), &mut |_: Event<'_>| {}).await;
    assert!(
        matches!(&outcome, Ok(Outcome::Done(report)) if report.applied == 1),
        "{outcome:?}"
    );
    session.statements.pop().unwrap().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_row_that_others_have_locked_is_named_too() {
    let world = World::new().await;
    world.apply(&[BASE, ALTER]).await;
    let mut blocker = server::connect(&world.opts).await;
    blocker.query_drop("START TRANSACTION").await.unwrap();
    blocker.query_drop("UPDATE t SET n = 2").await.unwrap();
    let mut session = Direct::connect(&world.opts).await;
    session
        .run("SET SESSION innodb_lock_wait_timeout = 1")
        .await
        .unwrap();
    let scripts = scripts(&[BASE, ALTER, ("v3.sql", "SELECT 1;\nUPDATE t SET n = 3;")]);
    let error = apply(&mut session, &scripts, &options(), &mut |_: Event<'_>| {})
        .await
        .unwrap_err();
    insta::assert_snapshot!(shown(&error, &blocker), @r"
    error: statement 2 of 2 waited too long for a lock, and was cancelled
     --> scripts/schema/v3.sql:2:1
      |
    2 | UPDATE t SET n = 3;
      | ^^^^^^^^^^^^^^^^^^
     note: it is held to the end of a transaction, and these are open
           connection 17 of root@localhost, in a transaction for 42 s, idle
     help: wait for it or end it (`KILL 17`), and deploy again: it resumes at 1
    ");
}

#[tokio::test]
async fn a_holder_whose_statement_outlasts_its_lease_keeps_it() {
    let world = World::new().await;
    // Its statement lasts until the lock is let go.
    let lock = world.database();
    let mut blocker = server::connect(&world.opts).await;
    blocker
        .query_drop(format!("SELECT GET_LOCK('{lock}', 600)"))
        .await
        .unwrap();
    let slow = format!(
        "-- dayspring: idempotent\nCREATE TABLE IF NOT EXISTS a AS SELECT GET_LOCK('{lock}', 600) AS n;\nCREATE TABLE b (n INT);"
    );
    let files = [("v1.sql", slow.as_str())];
    let brief = Options {
        lease: Duration::from_millis(1),
        ..options()
    };
    let patient = Options {
        idle: Duration::from_secs(3600),
        ..options()
    };
    let first = world.apply_with(&files, &brief);
    let (seen, mut was_seen) = mpsc::unbounded_channel();
    let second = async {
        let runs = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '/* dayspring%GET_LOCK%' AND db = DATABASE()";
        while world.ask(runs).await != ["1"] {}
        let mut session = Direct::connect(&world.opts).await;
        let mut observer = move |event: Event<'_>| {
            if let Event::Waiting {
                expires_in_seconds: 0,
                ..
            } = event
            {
                seen.send(()).unwrap();
            }
        };
        apply(&mut session, &scripts(&files), &patient, &mut observer).await
    };
    let release = async {
        was_seen.recv().await.unwrap();
        blocker
            .query_drop(format!("SELECT RELEASE_LOCK('{lock}')"))
            .await
            .unwrap();
    };
    let (first, second, ()) = tokio::join!(first, second, release);
    assert!(
        matches!(&first, Ok(Outcome::Done(report)) if report.applied == 2),
        "{first:?}"
    );
    assert!(
        matches!(&second, Ok(Outcome::Done(report)) if report.applied == 0),
        "{second:?}"
    );
}

#[tokio::test]
async fn a_journal_of_the_layout_before_is_brought_up_to_date() {
    let world = World::new().await;
    world.apply(&[BASE]).await;
    world
        .run("ALTER TABLE dayspring_lease DROP COLUMN connection")
        .await;
    world.run("UPDATE dayspring_lease SET format = 1").await;
    assert_eq!(world.apply(&[BASE]).await, "nothing to do, schema at v1");
    assert_eq!(
        world.apply(&[BASE, ALTER]).await,
        "2 statements applied, schema at v2"
    );
    assert_eq!(world.ask("SELECT format FROM dayspring_lease").await, ["2"]);
}

/// A session without a connection of its own, whose statements go on when their caller has stopped waiting: at once.
struct Continuing {
    inner: Direct,
    opts: OptsBuilder,
    in_transaction: bool,
    statements: Vec<JoinHandle<mysql_async::Result<()>>>,
}

impl Continuing {
    async fn connect(opts: &OptsBuilder) -> Self {
        Self {
            inner: Direct::connect(opts).await,
            opts: opts.clone(),
            in_transaction: false,
            statements: Vec::new(),
        }
    }
}

impl Session for Continuing {
    async fn query(
        &mut self,
        sql: &str,
        parameters: &[(&str, Value)],
    ) -> Result<Vec<Row>, SessionError> {
        self.inner.query(sql, parameters).await
    }

    async fn execute(
        &mut self,
        sql: &str,
        parameters: &[(&str, Value)],
    ) -> Result<u64, SessionError> {
        self.inner.execute(sql, parameters).await
    }

    async fn run(&mut self, sql: &str) -> Result<u64, SessionError> {
        if self.in_transaction {
            return self.inner.run(sql).await;
        }
        let mut conn = server::connect(&self.opts).await;
        let sql = sql.to_owned();
        let is_seen = format!(
            "SELECT COUNT(*) FROM information_schema.processlist WHERE id = {} AND info IS NOT NULL",
            conn.id()
        );
        let statement = tokio::spawn(async move { conn.query_drop(sql).await });
        while !statement.is_finished() {
            let rows = self.inner.query(&is_seen, &[]).await?;
            if rows == [[Value::Long(1)]] {
                break;
            }
        }
        self.statements.push(statement);
        Err(SessionError::StillRunning {
            message: "it goes on".to_owned(),
        })
    }

    async fn begin(&mut self) -> Result<(), SessionError> {
        self.in_transaction = true;
        self.inner.begin().await
    }

    async fn commit(&mut self) -> Result<(), SessionError> {
        self.in_transaction = false;
        self.inner.commit().await
    }

    async fn rollback(&mut self) -> Result<(), SessionError> {
        self.in_transaction = false;
        self.inner.rollback().await
    }

    async fn pause(&mut self, duration: Duration) {
        self.inner.pause(duration).await;
    }

    fn remaining(&self) -> Option<Duration> {
        None
    }
}
