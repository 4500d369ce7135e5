//! Migrations as part of deploys, by the whole path: the command, CloudFormation, the migrator in Lambda, the Data API,
//! MariaDB.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use crate::ledger::{Ledger, STAGE, stderr};
use crate::relay::Relay;

/// More than Lambda lets a function's environment be, so that its update fails.
fn too_much() -> String {
    "x".repeat(4096)
}

fn insert(note: &str) -> String {
    format!("INSERT INTO notes (text) VALUES ('{note}');\n")
}

fn serving(release: &str, notes: &[&str]) -> (String, Vec<String>) {
    (
        release.to_owned(),
        notes.iter().map(|note| (*note).to_owned()).collect(),
    )
}

#[test]
fn a_changed_script_is_applied_and_an_unchanged_one_is_not_even_looked_at() {
    let ledger = Ledger::new();
    let printed = ledger.deploy();
    assert!(
        printed.contains("2 statements applied, schema at v1"),
        "{printed}"
    );
    assert_eq!(ledger.serves(), serving("1", &["first"]));

    assert!(ledger.deploy().contains("nothing changed"));

    // Code alone: the migrator is not called.
    ledger.configure("2", "");
    let printed = ledger.deploy();
    assert!(
        printed.contains("UPDATE_COMPLETE FunctionGetNotes"),
        "{printed}"
    );
    assert!(!printed.contains("Migration"), "{printed}");
    assert!(printed.contains("no script changed"), "{printed}");
    assert_eq!(ledger.serves(), serving("2", &["first"]));

    ledger.write("scripts/schema/v2.sql", &insert("second"));
    let printed = ledger.deploy();
    assert!(
        printed.contains("1 statement applied, schema at v2"),
        "{printed}"
    );
    assert_eq!(ledger.serves(), serving("2", &["first", "second"]));
    assert!(ledger.deploy().contains("nothing changed"));

    // Gone with everything but a last snapshot, and created again with an empty database.
    let destroyed = ledger.run(&["destroy", "--yes"]);
    let said = stderr(&destroyed);
    assert!(destroyed.status.success(), "{said}");
    assert!(
        said.contains("a last snapshot of its database is kept"),
        "{said}"
    );
    assert_eq!(ledger.snapshots(), 1);
    let printed = ledger.deploy();
    assert!(
        printed.contains("3 statements applied, schema at v2"),
        "{printed}"
    );
    assert_eq!(ledger.serves(), serving("2", &["first", "second"]));

    // No second snapshot, and the migrator is not called for it.
    let destroyed = ledger.run(&["destroy", "--yes", "--no-snapshot"]);
    let said = stderr(&destroyed);
    assert!(destroyed.status.success(), "{said}");
    assert!(!said.contains("snapshot"), "{said}");
    assert!(!said.contains("UPDATE_COMPLETE Migration"), "{said}");
    assert!(said.contains("DELETE_COMPLETE DatabaseCluster"), "{said}");
    assert_eq!(ledger.snapshots(), 1);
}

#[test]
fn two_stages_of_a_project_live_side_by_side_and_one_outlives_the_other() {
    let ledger = Ledger::new();
    ledger.deploy();
    // The second one with a newer release and a script more; the first one is not touched.
    ledger.configure("2", "");
    ledger.write("scripts/schema/v2.sql", &insert("second"));
    let other = ledger.deploy_command_for("dev").output().unwrap();
    assert!(other.status.success(), "{}", stderr(&other));
    let live = ledger.outputs_for(STAGE);
    let dev = ledger.outputs_for("dev");
    for name in ["Url", "RestApiId", "ClusterArn", "SecretArn"] {
        assert_ne!(live[name], dev[name], "{name}");
    }
    assert_eq!(dev["MigrationReport"], "3 statements applied, schema at v2");
    assert_eq!(ledger.serves(), serving("1", &["first"]));
    assert_eq!(ledger.serves_for("dev"), serving("2", &["first", "second"]));

    let mut destroy = ledger.command_for("dev", &["destroy", "--yes"]);
    let destroyed = destroy.output().unwrap();
    assert!(destroyed.status.success(), "{}", stderr(&destroyed));
    let gone = ledger.command_for("dev", &["outputs"]).output().unwrap();
    assert_eq!(gone.status.code(), Some(2));
    assert_eq!(ledger.serves(), serving("1", &["first"]));
    assert_eq!(ledger.outputs_for(STAGE), live);
    // And is deployed further.
    assert!(
        ledger
            .deploy()
            .contains("1 statement applied, schema at v2")
    );
    assert_eq!(ledger.serves(), serving("2", &["first", "second"]));
}

#[test]
fn a_script_that_fails_leaves_the_old_code_serving_and_is_carried_on_with() {
    let ledger = Ledger::new();
    ledger.deploy();
    let good = insert("second");
    ledger.configure("2", "");
    ledger.write(
        "scripts/schema/v2.sql",
        &format!(
            "{good}CREATE TABLE extra (id INT PRIMARY KEY);\nINSERT INTO nowhere VALUES (1);\n"
        ),
    );
    let printed = ledger.fail_to_deploy();
    // The cause and nothing after it but the way out.
    let (_, report) = printed.split_once("\nerror: ").unwrap();
    insta::assert_snapshot!(report, @r"
    statement 3 of 3 failed: Table 'ledger.nowhere' doesn't exist (MySQL 1146)
     --> scripts/schema/v2.sql:3:1
      |
    3 | INSERT INTO nowhere VALUES (1);
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     help: statements 1 and 2 stay applied; correct this one and deploy again, it resumes at 3
    ");
    assert_eq!(ledger.serves(), serving("1", &["first", "second"]));
    assert_eq!(ledger.scripts(), ["v1.sql applied", "v2.sql failed"]);

    ledger.write(
        "scripts/schema/v2.sql",
        &format!(
            "{good}CREATE TABLE extra (id INT PRIMARY KEY);\n{}",
            insert("third")
        ),
    );
    let printed = ledger.deploy();
    assert!(
        printed.contains("1 statement applied, schema at v2"),
        "{printed}"
    );
    assert_eq!(ledger.serves(), serving("2", &["first", "second", "third"]));
}

#[test]
fn code_that_is_refused_after_its_migration_is_rolled_back_with_the_schema_ahead() {
    let ledger = Ledger::new();
    ledger.deploy();
    ledger.write("scripts/schema/v2.sql", &insert("second"));
    ledger.write("scripts/schema/v3.contract.sql", "DROP TABLE notes;\n");
    ledger.configure(&too_much(), "");
    let printed = ledger.fail_to_deploy();
    assert!(
        printed.contains("error: deploying ledger-live failed: FunctionGetNotes"),
        "{printed}"
    );
    // The contract script waits for code that is live.
    assert_eq!(ledger.serves(), serving("1", &["first", "second"]));
    assert_eq!(
        ledger.scripts(),
        [
            "v1.sql applied",
            "v2.sql applied",
            "v3.contract.sql pending"
        ]
    );

    // The old code can be deployed again: the schema is ahead of it, and that is well.
    ledger.remove("scripts/schema/v2.sql");
    ledger.remove("scripts/schema/v3.contract.sql");
    ledger.configure("1b", "");
    ledger.deploy();
    assert_eq!(ledger.serves(), serving("1b", &["first", "second"]));

    ledger.write("scripts/schema/v2.sql", &insert("second"));
    ledger.write(
        "scripts/schema/v3.contract.sql",
        "ALTER TABLE notes ADD COLUMN seen_by_old_code INT;\nINSERT INTO notes (text) VALUES ('contracted');\n",
    );
    ledger.configure("2", "");
    let printed = ledger.deploy();
    let function = printed.find("UPDATE_COMPLETE FunctionGetNotes").unwrap();
    let contract = printed.find("CREATE_COMPLETE ContractMigration").unwrap();
    assert!(function < contract, "{printed}");
    assert!(
        printed.contains("contract scripts: 2 statements applied"),
        "{printed}"
    );
    assert_eq!(
        ledger.serves(),
        serving("2", &["first", "second", "contracted"])
    );
}

#[test]
fn a_migration_longer_than_an_invocation_is_handed_over_until_it_is_done() {
    let ledger = Ledger::new();
    ledger.deploy();
    // Each statement fits into an invocation of 20 seconds but the last, which is followed until the server has done it.
    // A quarter of it is left to hand over: a shorter limit would leave a machine that stands still for seconds no time.
    let mut script = String::new();
    for number in 1..=3 {
        script += &format!(
            "CREATE TABLE t{number} (id INT PRIMARY KEY);\nINSERT INTO t{number} SELECT SLEEP(3);\n"
        );
    }
    script += "CREATE TABLE slow AS SELECT SLEEP(24) AS slept;\n";
    script += &insert("at last");
    ledger.write("scripts/schema/v2.sql", &script);
    ledger.configure("2", "[migrator]\ntimeout = \"20s\"");
    let printed = ledger.deploy();
    assert!(
        printed.contains("8 statements applied, schema at v2"),
        "{printed}"
    );
    assert_eq!(ledger.serves(), serving("2", &["first", "at last"]));
    let logs = ledger.run(&["logs", "dayspring.migrate", "--json", "--since", "1h"]);
    let logs = String::from_utf8_lossy(&logs.stdout).into_owned();
    let invocations = logs.matches("handed over to a fresh invocation").count();
    assert!(invocations >= 2, "{invocations} in:\n{logs}");
}

#[test]
fn of_two_deploys_at_once_each_is_carried_out_whole() {
    let ledger = Ledger::new();
    let spawn = || {
        let mut command = ledger.deploy_command();
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    // Twice a new stack, then twice a change of it.
    for number in [2, 3] {
        ledger.write(
            &format!("scripts/schema/v{number}.sql"),
            "INSERT INTO notes (text) SELECT 'slept' FROM (SELECT SLEEP(0.5)) AS s;\n",
        );
        let both = [spawn(), spawn()].map(|child| child.wait_with_output().unwrap());
        for output in &both {
            assert!(output.status.success(), "{}", stderr(output));
        }
    }
    assert_eq!(ledger.serves(), serving("1", &["first", "slept", "slept"]));
}

/// Where another deploy is when a request of the first one reaches the cloud.
#[derive(Clone, Copy, Debug)]
enum Other {
    UnderWay,
    Done,
}

#[test]
fn a_new_stack_that_another_deploy_makes_before_any_request_is_looked_at_again() {
    for other in [Other::UnderWay, Other::Done] {
        // Each in a cloud of its own: the bucket is new as well.
        let requests = (1..).take_while(|request| {
            let ledger = Ledger::new();
            let still_to_be_executed = overtake(&ledger, 2, *request, other);
            assert_eq!(ledger.serves(), serving("1", &["first", "slept"]));
            still_to_be_executed
        });
        // From the account to the execution.
        assert!(requests.count() >= 11);
    }
}

#[test]
fn a_stack_that_another_deploy_changes_before_any_request_is_looked_at_again() {
    let ledger = Ledger::new();
    ledger.deploy();
    let mut notes = vec!["first"];
    for other in [Other::UnderWay, Other::Done] {
        let requests = (1..).take_while(|request| {
            let still_to_be_executed = overtake(&ledger, notes.len() + 1, *request, other);
            notes.push("slept");
            assert_eq!(ledger.serves(), serving("1", &notes), "{request} {other:?}");
            still_to_be_executed
        });
        assert!(requests.count() >= 11);
    }
}

/// Deploys one more script, and has another deploy of it come before that request, counted from 1. Gives whether the change
/// set was still to be executed.
#[track_caller]
fn overtake(ledger: &Ledger, script: usize, request: usize, other: Other) -> bool {
    ledger.write(
        &format!("scripts/schema/v{script}.sql"),
        "INSERT INTO notes (text) SELECT 'slept' FROM (SELECT SLEEP(0.3)) AS s;\n",
    );
    let overtaking = ledger.deploy_command();
    let requests = Mutex::new((0, Some(overtaking)));
    let is_executed = Arc::new(AtomicBool::new(false));
    let was_executed = Arc::clone(&is_executed);
    let (sender, overtaken) = channel();
    let relay = Relay::before(ledger.cloud.address(), move |_, body| {
        let mut requests = requests.lock().unwrap();
        requests.0 += 1;
        if requests.0 < request {
            if String::from_utf8_lossy(body).contains("Action=ExecuteChangeSet&") {
                is_executed.store(true, Ordering::Relaxed);
            }
            return;
        }
        let Some(mut command) = requests.1.take() else {
            return;
        };
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        if let Other::UnderWay = other {
            // It is followed by the migration.
            lines.find(|line| line.as_ref().unwrap().contains("COMPLETE ScriptsLayer"));
        } else {
            lines.by_ref().for_each(drop);
        }
        sender.send((child, lines)).unwrap();
    });
    let output = ledger.deploy_command_through(&relay).output().unwrap();
    let printed = stderr(&output);
    assert!(
        output.status.success(),
        "{other:?} before request {request}: {printed}"
    );
    let (mut child, lines) = overtaken.recv().unwrap();
    lines.for_each(drop);
    assert!(child.wait().unwrap().success(), "{other:?} {request}");
    !was_executed.load(Ordering::Relaxed)
}

#[test]
fn nothing_is_deployed_unasked_and_no_database_is_lost_unnamed() {
    let ledger = Ledger::new();
    let unasked = ledger.run(&["deploy"]);
    assert_eq!(unasked.status.code(), Some(1));
    insta::assert_snapshot!(stderr(&unasked), @r"
    error: `ledger-live` was not deployed: nobody is there to be asked
     help: look at `dayspring diff`, and deploy what it shows with --yes
    ");
    ledger.deploy();

    // Another name of the database is another database.
    ledger.configure("2", "[database]\nname = \"other\"");
    let refused = ledger.deploy_command().output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let (_, report) = stderr(&refused)
        .split_once("\nerror: ")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    insta::assert_snapshot!(report, @r"
    this would put a new and empty database in the place of one with data:
      DatabaseCluster is REPLACED by a new one (Properties.DatabaseName)
     help: where that is meant, name it: --replace DatabaseCluster
    ");
    assert_eq!(ledger.serves(), serving("1", &["first"]));

    // An applied statement that was changed is refused before anything is touched.
    ledger.configure("2", "");
    ledger.write("scripts/schema/v1.sql", "CREATE TABLE notes (id INT);\n");
    let refused = ledger.deploy_command().output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let printed = stderr(&refused);
    assert!(
        printed.contains("is applied already, with another text"),
        "{printed}"
    );
    assert!(!printed.contains("Executing"), "{printed}");
}

#[test]
fn a_stage_for_development_is_rebuilt_from_scripts_whose_past_has_changed() {
    let ledger = Ledger::new();
    let development = "[stages.live]\ndevelopment = true";
    ledger.configure("1", development);
    ledger.deploy();
    // Without a table of its own for the database the stage is not what `configure` writes otherwise.
    ledger.write(
        "scripts/schema/v1.sql",
        "CREATE TABLE notes (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, text TEXT NOT NULL);\n\
         INSERT INTO notes (text) VALUES ('rewritten');\n",
    );
    let refused = ledger.deploy_command().output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let printed = stderr(&refused);
    assert!(
        printed.contains("is applied already, with another text"),
        "{printed}"
    );
    assert!(printed.contains("`--reset`"), "{printed}");
    assert_eq!(ledger.serves(), serving("1", &["first"]));

    // Rolled back, the stack is not stuck, though its scripts are no longer the database's.
    ledger.configure(&too_much(), development);
    let failed = ledger.deploy_command().arg("--reset").output().unwrap();
    assert_eq!(failed.status.code(), Some(2), "{}", stderr(&failed));
    assert!(
        stderr(&failed).contains("failed: FunctionGetNotes"),
        "{}",
        stderr(&failed)
    );
    assert_eq!(ledger.serves(), serving("1", &["rewritten"]));
    ledger.configure("2", development);
    ledger.deploy();
    assert_eq!(ledger.serves(), serving("2", &["rewritten"]));

    ledger.write(
        "scripts/schema/v1.sql",
        "CREATE TABLE notes (id INT PRIMARY KEY, text TEXT);\n",
    );
    let reset = ledger.deploy_command().arg("--reset").output().unwrap();
    let printed = stderr(&reset);
    assert!(reset.status.success(), "{printed}");
    assert!(
        printed.contains("1 statement applied, schema at v1"),
        "{printed}"
    );
    assert_eq!(ledger.serves(), serving("2", &[]));
    // That it was let is not kept.
    assert!(ledger.deploy().contains("nothing changed"));

    // Where data counts there is no such thing.
    ledger.configure("2", "");
    let refused = ledger.deploy_command().arg("--reset").output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    insta::assert_snapshot!(stderr(&refused), @r"
    error: `live` is no stage for development: its database is not made anew
     help: write `development = true` into the stage where its data is worth nothing
    ");
}
