//! Faults of the world around a migrator: a server that dies in the middle of a statement, a network that cuts the
//! connection between a request and its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dayspring_migrate::{Event, Outcome, Session, SessionError, apply};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

use crate::apply::{World, options, scripts};
use crate::direct::{Direct, calls_of_inner};
use crate::server::{self, Mortal};

const BASE: (&str, &str) = (
    "v1.sql",
    "CREATE TABLE t (id INT PRIMARY KEY, n INT);\nINSERT INTO t WITH d AS (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9) SELECT n, n FROM (SELECT 1 + a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n + 100000 * f.n AS n FROM d AS a, d AS b, d AS c, d, d AS e, d AS f WHERE f.n < 2) AS numbers;",
);

/// Copies the table, and a second time makes a second index.
const LONG: (&str, &str) = (
    "v2.sql",
    "ALTER TABLE t ADD INDEX (n), ADD COLUMN x INT, ALGORITHM = COPY;\nINSERT INTO t VALUES (0, 0, 0);",
);

const INDEXES: &str = "SELECT DISTINCT index_name FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 't' ORDER BY 1";

#[tokio::test]
async fn a_server_that_is_killed_during_a_schema_statement_is_carried_on_with_when_it_is_back() {
    let mut server = Mortal::start();
    let world = World {
        opts: server.new_database().await,
    };
    assert_eq!(
        world.apply(&[BASE]).await,
        "2 statements applied, schema at v1"
    );
    let mut session = Direct::connect(&world.opts).await;
    let scripts = scripts(&[BASE, LONG]);
    let options = options();
    let mut observer = |_: Event<'_>| {};
    let run = apply(&mut session, &scripts, &options, &mut observer);
    let is_running =
        "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '/* dayspring%'";
    let wait = async { while world.ask(is_running).await != ["1"] {} };
    tokio::select! {
        // On a machine on which it is over before it is seen, a server dies that has just finished it.
        ended = run => assert!(matches!(ended, Ok(Outcome::Done(_))), "{ended:?}"),
        () = wait => {}
    }
    server.kill();
    server.start_again();
    drop(session);
    let report = world.apply(&[BASE, LONG]).await;
    assert!(report.ends_with("schema at v2"), "{report}");
    assert_eq!(world.ask(INDEXES).await, ["n", "PRIMARY"]);
    assert_eq!(world.ask("SELECT COUNT(*) FROM t").await, ["200001"]);
}

/// Fills a table until a row at which it sleeps as long as the gate says.
const COPY: (&str, &str) = (
    "v2.sql",
    "CREATE TABLE copy (id INT PRIMARY KEY) AS SELECT id, SLEEP((SELECT seconds FROM gate) * (id = 150000)) AS slept FROM t;\nDROP TABLE gate, t;",
);

#[tokio::test]
async fn a_server_that_is_killed_while_it_fills_a_new_table_leaves_doubt_and_no_loss() {
    let mut server = Mortal::start();
    let world = World {
        opts: server.new_database().await,
    };
    let base = (
        "v1.sql",
        format!(
            "{}\nCREATE TABLE gate (seconds INT);\nINSERT INTO gate VALUES (600);",
            BASE.1
        ),
    );
    let base = (base.0, base.1.as_str());
    assert_eq!(
        world.apply(&[base]).await,
        "4 statements applied, schema at v1"
    );
    let mut session = Direct::connect(&world.opts).await;
    let (scripts, options) = (scripts(&[base, COPY]), options());
    let mut observer = |_: Event<'_>| {};
    let run = apply(&mut session, &scripts, &options, &mut observer);
    let sleeps = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '/* dayspring%' AND state = 'User sleep'";
    let wait = async { while world.ask(sleeps).await != ["1"] {} };
    tokio::select! {
        ended = run => panic!("{ended:?}"),
        () = wait => {}
    }
    world.run("UPDATE gate SET seconds = 0").await;
    server.kill();
    server.start_again();
    drop(session);
    let state = "SELECT state FROM dayspring_statement WHERE version = 2";
    assert_eq!(world.ask(state).await, ["started"]);
    // MySQL takes the table back; MariaDB keeps it.
    if world.ask("SHOW TABLES LIKE 'copy'").await == ["copy"] {
        let shown = world.apply(&[base, COPY]).await;
        assert!(
            shown.starts_with("error: it cannot be told whether statement 1 of 2 took effect"),
            "{shown}"
        );
        assert!(
            shown.contains("table `copy` is there, and the server was started after"),
            "{shown}"
        );
        world.run("DROP TABLE copy").await;
    }
    assert_eq!(
        world.apply(&[base, COPY]).await,
        "2 statements applied, schema at v2"
    );
    assert_eq!(world.ask("SELECT COUNT(*) FROM copy").await, ["200000"]);
}

/// A session whose server is killed and started again in the place of a statement, and in which another client then has
/// the connection's number.
struct Restarting {
    inner: Direct,
    server: Mortal,
    opts: OptsBuilder,
    bystander: Option<Conn>,
}

impl Session for Restarting {
    calls_of_inner!();

    async fn run(&mut self, sql: &str) -> Result<u64, SessionError> {
        if self.bystander.is_some() || !sql.contains("ALTER TABLE") {
            return self.inner.run(sql).await;
        }
        let number = self.inner.connection().await?.unwrap();
        self.server.kill();
        // The lost connection is found.
        let lost = self.inner.run(sql).await;
        self.server.start_again();
        let mut others = Vec::new();
        while others.last().map(Conn::id).map(u64::from) != Some(number) {
            others.push(server::connect(&self.opts).await);
            let last = others.last().map(Conn::id).map(u64::from);
            assert!(last <= Some(number), "{last:?} is beyond {number}");
        }
        self.bystander = others.pop();
        lost
    }

    async fn pause(&mut self, duration: Duration) {
        self.inner.pause(duration).await;
    }
}

#[tokio::test]
async fn after_a_new_start_of_the_server_nobody_is_ended_for_the_number_of_a_lost_connection() {
    let server = Mortal::start();
    let opts = server.new_database().await;
    let world = World { opts: opts.clone() };
    let base = ("v1.sql", "CREATE TABLE t (id INT);");
    world.apply(&[base]).await;
    // So that the number is none of the first ones of a server.
    let mut session = Restarting {
        inner: Direct::connect(&opts).await,
        server,
        opts,
        bystander: None,
    };
    // A start is known by its second, and one within a few seconds is taken for the same.
    world.run("DO SLEEP(7)").await;
    let alter = ("v2.sql", "ALTER TABLE t ADD COLUMN x INT;");
    let (scripts, options) = (scripts(&[base, alter]), options());
    let ended = apply(&mut session, &scripts, &options, &mut |_: Event<'_>| {}).await;
    assert!(matches!(ended, Ok(Outcome::Done(_))), "{ended:?}");
    let mut bystander = session.bystander.take().unwrap();
    let answer: Option<u8> = bystander.query_first("SELECT 1").await.unwrap();
    assert_eq!(answer, Some(1));
}

/// On which side of the server's work a proxy cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// The request never reaches the server.
    BeforeTheServer,
    /// The request reaches the server, and the answer is not waited for.
    BeforeTheAnswer,
}

/// Passes bytes on, and cuts the connection at its n-th request, counted over all connections, once.
async fn proxy(
    listener: UnixListener,
    server: String,
    cut: Cut,
    cut_at: usize,
    seen: Arc<AtomicUsize>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let Ok(server) = UnixStream::connect(&server).await else {
            return;
        };
        tokio::spawn(pass(client, server, cut, cut_at, seen.clone()));
    }
}

async fn pass(
    mut client: UnixStream,
    mut server: UnixStream,
    cut: Cut,
    cut_at: usize,
    seen: Arc<AtomicUsize>,
) {
    let (mut question, mut answer) = ([0; 65536], [0; 65536]);
    loop {
        tokio::select! {
            read = client.read(&mut question) => {
                let Ok(length @ 1..) = read else { return };
                let number = seen.fetch_add(1, Ordering::Relaxed) + 1;
                if number == cut_at && cut == Cut::BeforeTheServer {
                    return;
                }
                if server.write_all(&question[..length]).await.is_err() {
                    return;
                }
                if number == cut_at {
                    // The server sees the end of the connection when it has done what it was asked.
                    return;
                }
            }
            read = server.read(&mut answer) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&answer[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

const SMALL: [(&str, &str); 2] = [
    (
        "v1.sql",
        "CREATE TABLE t (id INT PRIMARY KEY, n INT);\nINSERT INTO t VALUES (1, 1);\nUPDATE t SET n = n + 1;",
    ),
    (
        "v2.sql",
        "ALTER TABLE t ADD INDEX (n);\nINSERT INTO t VALUES (2, 2);\nUPDATE t SET n = n + 1;",
    ),
];

/// Runs through a proxy that cuts at a request; true when the run ended before it came to that.
async fn run_through_a_cut(world: &World, cut: Cut, cut_at: usize) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let behind = mysql_async::Opts::from(world.opts.clone());
    let seen = Arc::new(AtomicUsize::new(0));
    let proxy = tokio::spawn(proxy(
        listener,
        behind.socket().unwrap().to_owned(),
        cut,
        cut_at,
        seen.clone(),
    ));
    let opts = world
        .opts
        .clone()
        .socket(Some(socket.display().to_string()));
    let mut session = Direct::connect(&opts).await;
    let ended = apply(
        &mut session,
        &scripts(&SMALL),
        &options(),
        &mut |_: Event<'_>| {},
    )
    .await;
    drop(session);
    proxy.abort();
    if let Ok(outcome) = &ended {
        assert!(
            matches!(outcome, Outcome::Done(_)),
            "{cut:?} {cut_at}: {outcome:?}"
        );
    }
    seen.load(Ordering::Relaxed) < cut_at
}

async fn check_cuts(cut: Cut) {
    let is_slow = std::env::var_os("SLOW_TESTS").is_some();
    // The first requests make the connection.
    let mut cut_at = 4;
    loop {
        let world = World {
            opts: server::new_database().await,
        };
        let came_to_its_end = run_through_a_cut(&world, cut, cut_at).await;
        let report = world.apply(&SMALL).await;
        assert!(
            report.ends_with("schema at v2"),
            "{cut:?} {cut_at}: {report}"
        );
        assert_eq!(
            world.ask(INDEXES).await,
            ["n", "PRIMARY"],
            "{cut:?} {cut_at}"
        );
        assert_eq!(
            world
                .ask("SELECT CONCAT(id, ' ', n) FROM t ORDER BY id")
                .await,
            ["1 3", "2 3"],
            "{cut:?} {cut_at}"
        );
        if came_to_its_end {
            assert!(cut_at > 30, "{cut_at}");
            return;
        }
        cut_at += if is_slow { 1 } else { 5 };
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_before_the_server_loses_and_repeats_nothing() {
    check_cuts(Cut::BeforeTheServer).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_before_the_answer_loses_and_repeats_nothing() {
    check_cuts(Cut::BeforeTheAnswer).await;
}
