//! Migrators that are real processes, to be stopped and killed. A child is this test binary, running one of its tests.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use dayspring_migrate::{Event, Options, apply, render_failure};
use mysql_async::OptsBuilder;
use tokio::sync::mpsc;

use crate::apply::{World, options, scripts};
use crate::direct::{Direct, Mortal, Side};
use crate::server;

/// What a child is told, each in a variable of its own.
const SOCKET: &str = "MIGRATE_CHILD_SOCKET";
const DATABASE: &str = "MIGRATE_CHILD_DATABASE";
const FILES: &str = "MIGRATE_CHILD_FILES";
const POINT: &str = "MIGRATE_CHILD_POINT";

/// Where a child announces itself and waits for a line on its standard input.
#[derive(Debug, Clone, Copy)]
enum Point {
    /// Between writing `started` and sending the last statement.
    BeforeSending,
    /// On one side of its n-th call.
    Call(u32, Side),
}

impl Point {
    fn write(self) -> String {
        match self {
            Self::BeforeSending => "sending".to_owned(),
            Self::Call(number, Side::Before) => format!("{number} before"),
            Self::Call(number, _) => format!("{number} after"),
        }
    }

    fn parse(text: &str) -> Self {
        match text.split_once(' ') {
            None => Self::BeforeSending,
            Some((number, "before")) => Self::Call(number.parse().unwrap(), Side::Before),
            Some((number, _)) => Self::Call(number.parse().unwrap(), Side::After),
        }
    }
}

fn announce(word: &str) {
    let mut stdout = std::io::stdout();
    stdout.write_all(format!("\n{word}\n").as_bytes()).unwrap();
    stdout.flush().unwrap();
}

fn announce_the_last_statement(sql: &str) {
    if sql.starts_with("/* dayspring") && sql.contains(INDEX.1.trim_end_matches(';')) {
        announce("announced");
        wait_for_a_line();
    }
}

fn wait_for_a_line() {
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

/// The child's side: does nothing in a run of the tests.
#[tokio::test]
async fn a_child_migrates_what_its_parent_says() {
    let variable = |name: &str| {
        let value = std::env::var_os(name)?;
        Some(value.into_string().unwrap())
    };
    let Some(socket) = variable(SOCKET) else {
        return;
    };
    let opts = OptsBuilder::default()
        .socket(Some(socket))
        .user(Some("root"))
        // MariaDB shows a dropped view still to a statement that was prepared before.
        .stmt_cache_size(0)
        .client_found_rows(true)
        .prefer_socket(true)
        .db_name(variable(DATABASE));
    let files = variable(FILES).unwrap();
    let files: Vec<(&str, &str)> = files
        .split("-- file: ")
        .filter_map(|file| file.split_once('\n'))
        .collect();
    let scripts = scripts(&files);
    let point = Point::parse(&variable(POINT).unwrap());
    let (died, mut death) = mpsc::unbounded_channel();
    let (dies_at, side) = match point {
        Point::Call(number, side) => (number, side),
        Point::BeforeSending => (0, Side::Before),
    };
    let mut session = Mortal {
        inner: Direct::connect(&opts).await,
        sends_together: false,
        sending: match point {
            Point::BeforeSending => announce_the_last_statement,
            Point::Call(..) => |_| {},
        },
        calls: 0,
        dies_at,
        side,
        died,
    };
    let options = Options {
        lease: Duration::from_secs(1),
        ..options()
    };
    let mut observer = |_: Event<'_>| {};
    tokio::select! {
        ended = apply(&mut session, &scripts, &options, &mut observer) => {
            let shown = match ended {
                Ok(outcome) => format!("{outcome:?}"),
                Err(error) => render_failure(&error, 3000),
            };
            announce(&format!("ended {}", shown.lines().next().unwrap_or_default()));
        }
        _ = death.recv() => {
            announce("announced");
            wait_for_a_line();
        }
    }
}

/// A migrator in a process of its own.
struct Migrator {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Migrator {
    fn start(world: &World, files: &[(&str, &str)], point: Point) -> Self {
        let files: String = files
            .iter()
            .map(|(name, sql)| format!("-- file: {name}\n{sql}\n"))
            .collect();
        let opts = mysql_async::Opts::from(world.opts.clone());
        let mut child = server::command(&std::env::current_exe().unwrap())
            .args([
                "--exact",
                "child::a_child_migrates_what_its_parent_says",
                "--nocapture",
            ])
            .env(SOCKET, opts.socket().unwrap())
            .env(DATABASE, opts.db_name().unwrap())
            .env(FILES, files)
            .env(POINT, point.write())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            stdin: child.stdin.take().unwrap(),
            stdout: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// The next line that it announces: `announced`, or `ended` and how.
    fn hear(&mut self) -> String {
        let mut line = String::new();
        while self.stdout.read_line(&mut line).unwrap() > 0 {
            let said = line.trim_end();
            if said == "announced" || said.starts_with("ended ") {
                return said.to_owned();
            }
            line.clear();
        }
        panic!("the child ended without a word");
    }

    fn signal(&self, signal: &str) {
        let sent = server::command(std::path::Path::new("kill"))
            .args([signal, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

const BASE: (&str, &str) = (
    "v1.sql",
    "CREATE TABLE t (id INT PRIMARY KEY, n INT);\nINSERT INTO t VALUES (1, 1);",
);

/// A second time makes a second index.
const INDEX: (&str, &str) = ("v2.sql", "ALTER TABLE t ADD INDEX (n);");

const INDEXES: &str = "SELECT DISTINCT index_name FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 't' ORDER BY 1";

#[tokio::test]
async fn a_migrator_that_was_stopped_past_its_lease_sends_nothing_when_it_wakes_up() {
    let world = World::new().await;
    world.apply(&[BASE]).await;
    let mut stopped = Migrator::start(&world, &[BASE, INDEX], Point::BeforeSending);
    assert_eq!(stopped.hear(), "announced");
    stopped.signal("-STOP");
    // It goes on at once when it wakes up.
    stopped.stdin.write_all(b"go\n").unwrap();
    assert_eq!(
        world.apply(&[BASE, INDEX]).await,
        "1 statement applied, schema at v2"
    );
    stopped.signal("-CONT");
    assert_eq!(
        stopped.hear(),
        "ended error: `another migrator` has taken this migration over"
    );
    stopped.child.wait().unwrap();
    assert_eq!(world.ask(INDEXES).await, ["n", "PRIMARY"]);
    assert_eq!(
        world.apply(&[BASE, INDEX]).await,
        "nothing to do, schema at v2"
    );
}

#[tokio::test]
async fn a_killed_migrators_work_is_carried_on_at_once_by_another() {
    let world = World::new().await;
    world.apply(&[BASE]).await;
    let mut killed = Migrator::start(&world, &[BASE, INDEX], Point::BeforeSending);
    assert_eq!(killed.hear(), "announced");
    // Nobody can wait for this lease to be over.
    world
        .run("UPDATE dayspring_lease SET expires_at = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR")
        .await;
    killed.kill();
    assert_eq!(
        world.apply(&[BASE, INDEX]).await,
        "1 statement applied, schema at v2"
    );
    assert_eq!(world.ask(INDEXES).await, ["n", "PRIMARY"]);
}

#[tokio::test]
async fn a_migrator_killed_at_any_call_loses_and_repeats_nothing() {
    let files = [
        BASE,
        (
            "v2.sql",
            "ALTER TABLE t ADD INDEX (n);\nINSERT INTO t VALUES (2, 2);\nUPDATE t SET n = n + 1;",
        ),
    ];
    let is_slow = std::env::var_os("SLOW_TESTS").is_some();
    for number in 1.. {
        // Every call is the in-process matrix's; here a few of them, by a real signal.
        let number = if is_slow { number } else { number * 4 };
        for side in [Side::Before, Side::After] {
            let world = World::new().await;
            let mut child = Migrator::start(&world, &files, Point::Call(number, side));
            let came_to_its_end = child.hear().starts_with("ended ");
            child.kill();
            let report = world.apply(&files).await;
            assert!(
                report.ends_with("schema at v2"),
                "{number} {side:?}: {report}"
            );
            assert_eq!(
                world.ask(INDEXES).await,
                ["n", "PRIMARY"],
                "{number} {side:?}"
            );
            assert_eq!(
                world
                    .ask("SELECT CONCAT(id, ' ', n) FROM t ORDER BY id")
                    .await,
                ["1 2", "2 3"],
                "{number} {side:?}"
            );
            if came_to_its_end {
                return;
            }
        }
    }
}
