//! What becomes of a statement that was begun by a run that ended.

use std::time::Duration;

use dayspring_migrate::{Event, Options, Outcome, Session, SessionError, apply};
use mysql_async::prelude::Queryable;
use tokio::sync::mpsc;

use crate::apply::{World, options, scripts};
use crate::direct::{Direct, Mortal, Side, calls_of_inner};
use crate::server;

const BASE: (&str, &str) = (
    "v1.sql",
    "CREATE TABLE t (id INT PRIMARY KEY, n INT);\nCREATE TABLE `u v` (id INT);\nCREATE TABLE w (id INT);",
);
const ALTER: (&str, &str) = ("v2.sql", "ALTER TABLE t ADD COLUMN email VARCHAR(20);");

const COLUMNS: &str = "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 't' ORDER BY ordinal_position";

/// A world whose migrator died beside its call that sends the only statement of v2.
async fn died_at(sql: &str, side: Side) -> World {
    died_over(sql, side, false).await
}

/// Over one connection, or over connections of which nothing is known, as the Data API's.
async fn died_over(sql: &str, side: Side, is_pooled: bool) -> World {
    for dies_at in 1.. {
        let world = World::new().await;
        assert_eq!(
            world.apply(&[BASE]).await,
            "3 statements applied, schema at v1"
        );
        let (died, mut death) = mpsc::unbounded_channel();
        let mut inner = Direct::connect(&world.opts).await;
        inner.is_pooled = is_pooled;
        let mut session = Mortal {
            inner,
            sends_together: false,
            sending: |_| {},
            calls: 0,
            dies_at,
            side,
            died,
        };
        let scripts = scripts(&[BASE, ("v2.sql", sql)]);
        let options = options();
        let mut observer = |_: Event<'_>| {};
        tokio::select! {
            ended = apply(&mut session, &scripts, &options, &mut observer) => panic!("{ended:?}"),
            _ = death.recv() => {}
        }
        drop(session);
        world
            .run("UPDATE dayspring_lease SET expires_at = '2000-01-01'")
            .await;
        let state = world
            .ask("SELECT state FROM dayspring_statement WHERE version = 2 AND state = 'started'")
            .await;
        if state == ["started"] {
            return world;
        }
    }
    unreachable!("the statement is begun at some call")
}

#[tokio::test]
async fn another_change_of_the_same_table_is_doubt_with_evidence_until_a_directive_decides() {
    let world = died_at(ALTER.1, Side::Before).await;
    world.run("ALTER TABLE t ADD COLUMN other VARCHAR(9)").await;
    let shown = world.apply(&[BASE, ALTER]).await;
    insta::assert_snapshot!(shown, @r"
    error: it cannot be told whether statement 1 of 1 took effect
     --> scripts/schema/v2.sql:1:1
      |
    1 | ALTER TABLE t ADD COLUMN email VARCHAR(20);
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     note: the database shows
           table `t` is another:
             + `other` varchar(9) DEFAULT NULL
     help: look at the evidence; write `-- dayspring: verify SELECT ...` above the statement with a query that is true if it took effect, or `-- dayspring: idempotent`, and deploy again
    ");
    assert_eq!(world.apply(&[BASE, ALTER]).await, shown, "doubt stays");
    let verified = format!(
        "-- dayspring: verify SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND column_name = 'email'\n{}",
        ALTER.1
    );
    assert_eq!(
        world.apply(&[BASE, ("v2.sql", &verified)]).await,
        "1 statement applied, schema at v2"
    );
    assert_eq!(world.ask(COLUMNS).await, ["id", "n", "other", "email"]);
}

#[tokio::test]
async fn an_edit_of_a_begun_statement_stands_if_it_did_not_take_effect() {
    let world = died_at(ALTER.1, Side::Before).await;
    let edited = ALTER.1.replace("email", "mail");
    assert_eq!(
        world.apply(&[BASE, ("v2.sql", &edited)]).await,
        "1 statement applied, schema at v2"
    );
    assert_eq!(world.ask(COLUMNS).await, ["id", "n", "mail"]);
}

#[tokio::test]
async fn an_edit_of_a_begun_statement_comes_too_late_if_it_did() {
    let world = died_at(ALTER.1, Side::Before).await;
    world.run(ALTER.1).await;
    let edited = ALTER.1.replace("email", "mail");
    let shown = world.apply(&[BASE, ("v2.sql", &edited)]).await;
    assert!(
        shown.starts_with("error: statement 1 is applied already, with another text"),
        "{shown}"
    );
    assert_eq!(
        world.apply(&[BASE, ALTER]).await,
        "nothing to do, schema at v2"
    );
}

#[tokio::test]
async fn a_statement_that_still_runs_is_followed_to_its_end() {
    let world = died_at(ALTER.1, Side::Before).await;
    // The dead migrator's statement goes on at the server until the lock is let go.
    let mut blocker = server::connect(&world.opts).await;
    blocker
        .query_drop("SELECT GET_LOCK('follow', 600)")
        .await
        .unwrap();
    let mut zombie = server::connect(&world.opts).await;
    let tagged = format!(
        "/* dayspring {} v2 statement 1 token 1 */ SELECT GET_LOCK('follow', 600)",
        world.database()
    );
    let zombie = tokio::spawn(async move { zombie.query_drop(tagged).await });
    let is_waiting = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '/* dayspring%' AND state = 'User lock' AND db = DATABASE()";
    while world.ask(is_waiting).await != ["1"] {}
    let (seen, mut was_seen) = mpsc::unbounded_channel();
    let mut observer = move |event: Event<'_>| {
        if matches!(event, Event::Following { .. }) {
            seen.send(()).unwrap();
        }
    };
    let mut session = Direct::connect(&world.opts).await;
    let scripts = scripts(&[BASE, ALTER]);
    let options = options();
    let follow = apply(&mut session, &scripts, &options, &mut observer);
    let release = async {
        was_seen.recv().await.unwrap();
        // First the effect, then the end, as a real ALTER has them.
        world.run(ALTER.1).await;
        blocker
            .query_drop("SELECT RELEASE_LOCK('follow')")
            .await
            .unwrap();
    };
    let (ended, ()) = tokio::join!(follow, release);
    zombie.await.unwrap().unwrap();
    assert!(
        matches!(&ended, Ok(Outcome::Done(report)) if report.applied == 1),
        "{ended:?}"
    );
    assert_eq!(world.ask(COLUMNS).await, ["id", "n", "email"]);
}

#[tokio::test]
async fn a_drop_of_several_tables_that_came_halfway_is_brought_to_its_end() {
    let drop = "DROP TABLE t, `u v`, w;";
    let world = died_at(drop, Side::Before).await;
    // MariaDB drops one after the other, and each for good.
    world.run("DROP TABLE t").await;
    world.run("CREATE TABLE t_other (id INT)").await;
    assert_eq!(
        world.apply(&[BASE, ("v2.sql", drop)]).await,
        "1 statement applied, schema at v2"
    );
    let left = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name NOT LIKE 'dayspring%'";
    assert_eq!(world.ask(left).await, ["t_other"]);
}

#[tokio::test]
async fn a_query_of_a_comment_is_asked_in_the_database_that_the_script_uses() {
    let other = World::new().await;
    other.run("CREATE TABLE t (id INT)").await;
    other.run("INSERT INTO t VALUES (1)").await;
    // The table of that name in the journal's database is empty.
    let truncate = format!(
        "USE {};\n-- dayspring: verify SELECT COUNT(*) = 0 FROM t\nTRUNCATE t;",
        other.database()
    );
    let world = died_at(&truncate, Side::Before).await;
    assert_eq!(other.ask("SELECT COUNT(*) FROM t").await, ["1"]);
    assert_eq!(
        world.apply(&[BASE, ("v2.sql", &truncate)]).await,
        "1 statement applied, schema at v2"
    );
    assert!(other.ask("SELECT * FROM t").await.is_empty());
}

/// A session without a connection of its own, one of whose requests comes to the server late: after three pauses, or
/// after the next statement.
struct Delaying {
    inner: Direct,
    /// The words of the statement that is late.
    late: &'static str,
    waiting: Option<String>,
    pauses: u32,
}

impl Delaying {
    async fn deliver(&mut self) -> Result<(), SessionError> {
        match self.waiting.take() {
            Some(sql) => self.inner.run(&sql).await.map(drop),
            None => Ok(()),
        }
    }
}

impl Session for Delaying {
    calls_of_inner!();

    async fn run(&mut self, sql: &str) -> Result<u64, SessionError> {
        if sql.ends_with(self.late) && self.pauses == 0 {
            self.waiting = Some(sql.to_owned());
            return Err(SessionError::Unknown {
                message: "no answer".to_owned(),
            });
        }
        let ran = self.inner.run(sql).await;
        if !sql.ends_with(self.late) {
            self.deliver().await?;
        }
        ran
    }

    async fn pause(&mut self, duration: Duration) {
        self.pauses += 1;
        if self.pauses == 3 {
            self.deliver().await.unwrap();
        }
        self.inner.pause(duration).await;
    }
}

#[tokio::test]
async fn a_request_that_comes_late_does_not_undo_what_follows_it() {
    let world = World::new().await;
    world.apply(&[BASE]).await;
    let mut inner = Direct::connect(&world.opts).await;
    inner.is_pooled = true;
    let mut session = Delaying {
        inner,
        late: "DROP TABLE IF EXISTS w",
        waiting: None,
        pauses: 0,
    };
    let again = "DROP TABLE IF EXISTS w;\nCREATE TABLE w (id INT, new INT);";
    let scripts = scripts(&[BASE, ("v2.sql", again)]);
    let options = Options {
        quiet: Duration::from_millis(20),
        ..options()
    };
    let ended = apply(&mut session, &scripts, &options, &mut |_: Event<'_>| {}).await;
    assert!(matches!(ended, Ok(Outcome::Done(_))), "{ended:?}");
    assert_eq!(world.ask("SHOW TABLES LIKE 'w'").await, ["w"]);
}

#[tokio::test]
async fn a_quiet_that_is_longer_than_a_run_may_take_is_waited_for_by_several() {
    let sql = "CREATE TABLE late (id INT);";
    let world = died_over(sql, Side::Before, true).await;
    let mut session = Direct::connect(&world.opts).await;
    session.is_pooled = true;
    // Less than the reserve: each run looks once.
    session.remaining = Some(Duration::from_secs(1));
    let scripts = scripts(&[BASE, ("v2.sql", sql)]);
    let mut options = Options {
        poll: Duration::from_millis(1),
        quiet: Duration::from_millis(3),
        ..options()
    };
    let mut lasted = Vec::new();
    loop {
        let ended = apply(&mut session, &scripts, &options, &mut |_: Event<'_>| {}).await;
        let Ok(Outcome::HandOver { quiet, .. }) = ended else {
            panic!("{ended:?}");
        };
        // Without one the statement was settled, and there was no time to send it.
        let Some(quiet) = quiet else { break };
        lasted.push(quiet.lasted.as_millis());
        options.was_quiet = Some(quiet);
    }
    assert_eq!(lasted, [1, 2, 3]);
    session.remaining = None;
    let ended = apply(&mut session, &scripts, &options, &mut |_: Event<'_>| {}).await;
    assert!(
        matches!(&ended, Ok(Outcome::Done(report)) if report.applied == 1),
        "{ended:?}"
    );
}

#[tokio::test]
async fn a_query_of_a_comment_says_no_with_a_zero_of_any_type() {
    let sql = "-- dayspring: verify SELECT COALESCE(SUM(n), 0) * 0.00 FROM t\nTRUNCATE t;";
    let world = died_at(sql, Side::Before).await;
    world.run("INSERT INTO t VALUES (1, 1)").await;
    assert_eq!(
        world.apply(&[BASE, ("v2.sql", sql)]).await,
        "1 statement applied, schema at v2"
    );
    assert_eq!(world.ask("SELECT COUNT(*) FROM t").await, ["0"]);
}
