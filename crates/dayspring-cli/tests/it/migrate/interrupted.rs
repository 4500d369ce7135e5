//! Runs that are cut, killed and crowded: every statement takes effect once.

use std::process::Child;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::mariadb::Database;
use super::proxy::{At, Fault};

/// The proxy reads what it cuts.
const PLAIN: &str = "?ssl-mode=DISABLED";

/// Each statement shows it when it runs twice: by an error, or by its rows. No column counts by itself: a counter is not
/// rolled back with a transaction that is repeated.
fn write_scripts(database: &Database) {
    database.write(
        "v1.sql",
        "CREATE TABLE a (b INT);\nINSERT INTO a (b) VALUES (10);\nINSERT INTO a (b) SELECT b + 1 FROM a;\n\
         ALTER TABLE a ADD c INT;\n",
    );
    database.write(
        "v2.sql",
        "SET @n = 7;\nINSERT INTO a (b) VALUES (@n);\nCREATE INDEX b ON a (b);\nUPDATE a SET b = b * 2;\n",
    );
}

#[test]
fn a_connection_that_is_cut_at_any_command_loses_and_repeats_nothing() {
    let reference = Database::new();
    write_scripts(&reference);
    let proxy = reference.proxy();
    let first = reference.run_at(&reference.url_through(&proxy, PLAIN), &["up"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let commands = proxy.commands();
    assert!(commands > 30, "the proxy sees every command: {commands}");
    let expected = reference.dump();

    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let case = next.fetch_add(1, Ordering::Relaxed);
                    let number = 1 + case / 2;
                    if number > commands {
                        return;
                    }
                    let fault = [Fault::CutBefore, Fault::CutAfter][case % 2];
                    cut_and_carry_on(At::Number(number), fault, &expected);
                }
            });
        }
    });
}

#[track_caller]
fn cut_and_carry_on(at: At, fault: Fault, expected: &[String]) {
    let database = Database::new();
    write_scripts(&database);
    let proxy = database.proxy();
    proxy.strike(at.clone(), fault);
    let cut = database.run_at(&database.url_through(&proxy, PLAIN), &["up"]);
    assert!(
        [0, 2].contains(&cut.code),
        "{at:?} {fault:?}: {}",
        cut.stderr
    );
    let again = database.run(&["up", "--lease-wait", "60s"]);
    assert_eq!(
        again.code, 0,
        "{at:?} {fault:?}: {}\nthen: {}",
        cut.stderr, again.stderr
    );
    assert_eq!(
        database.dump(),
        expected,
        "{at:?} {fault:?}: {}",
        cut.stderr
    );
}

#[test]
fn a_lost_answer_to_a_statement_is_asked_for() {
    let reference = Database::new();
    write_scripts(&reference);
    reference.succeed(&["up"]);
    let expected = reference.dump();
    for text in ["INSERT INTO a (b) VALUES (10)", "ALTER TABLE a", "COMMIT"] {
        cut_and_carry_on(At::Text(text), Fault::CutAfter, &expected);
        cut_and_carry_on(At::Text(text), Fault::CutBefore, &expected);
    }
}

#[test]
fn a_connection_that_the_server_does_not_know_to_be_lost_blocks_nothing() {
    let reference = Database::new();
    write_scripts(&reference);
    reference.succeed(&["up"]);
    for text in ["INSERT INTO a (b) VALUES (10)", "ALTER TABLE a", "COMMIT"] {
        let database = Database::new();
        write_scripts(&database);
        let proxy = database.proxy();
        proxy.strike(At::Text(text), Fault::Vanish);
        let arguments = ["up", "--lock-wait", "20s"];
        let run = database.run_at(&database.url_through(&proxy, PLAIN), &arguments);
        assert_eq!(run.code, 0, "{text}: {}", run.stderr);
        assert_eq!(database.dump(), reference.dump(), "{text}");
    }
}

/// A run that has sent a statement and hears nothing.
fn held(database: &Database, text: &'static str) -> Child {
    let proxy = database.proxy();
    proxy.strike(At::Text(text), Fault::Hold);
    let url = database.url_through(&proxy, PLAIN);
    let child = database
        .command(&["up", "--database-url", &url])
        .spawn()
        .unwrap();
    proxy.wait();
    child
}

#[test]
fn a_run_that_is_killed_is_carried_on_at_once() {
    let reference = Database::new();
    write_scripts(&reference);
    reference.succeed(&["up"]);
    for text in [
        "INSERT INTO a (b) VALUES (10)",
        "ALTER TABLE a",
        "UPDATE a SET",
    ] {
        let database = Database::new();
        write_scripts(&database);
        let mut child = held(&database, text);
        child.kill().unwrap();
        child.wait().unwrap();
        // Half of what the lease of the dead would hold.
        let again = database.run(&["up", "--lease-wait", "60s"]);
        assert_eq!(again.code, 0, "{text}: {}", again.stderr);
        assert_eq!(database.dump(), reference.dump(), "{text}");
    }
}

#[test]
fn a_run_that_lives_is_waited_for_and_named() {
    let database = Database::new();
    write_scripts(&database);
    let mut child = held(&database, "ALTER TABLE a");
    let process = child.id().to_string();
    let refused = database.run(&["up", "--lease-wait", "0s"]);
    let owner = database.rows("SELECT owner FROM dayspring_lease").remove(0);
    assert!(owner.contains(&process), "{owner}");
    assert_eq!(refused.code, 2);
    let message = refused.stderr.replace(&owner, "OWNER");
    let (before, rest) = message.split_once("by itself in ").unwrap();
    let (_, after) = rest.split_once(' ').unwrap();
    insta::assert_snapshot!(format!("{before}by itself in N {after}"), @"
       Migrating root@SOCKET database `blog`
    error: `OWNER` is migrating this database
     help: wait until it is done, and run it again; if it is dead, its lease ends by itself in N s at most
    ");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn eight_at_once_apply_each_statement_once() {
    let database = Database::new();
    for number in 1..=6 {
        database.write(
            &format!("v{number}.sql"),
            &format!("CREATE TABLE t{number} (id INT AUTO_INCREMENT PRIMARY KEY);\nINSERT INTO t{number} VALUES ();\n"),
        );
    }
    let arguments = ["up", "--json", "--database-url", &database.socket_url()];
    let children: Vec<Child> = (0..8)
        .map(|_| database.command(&arguments).spawn().unwrap())
        .collect();
    let mut applied = 0;
    for child in children {
        let printed = database.printed(&child.wait_with_output().unwrap());
        assert_eq!(printed.code, 0, "{}", printed.stderr);
        let report: Value = serde_json::from_str(&printed.stdout).unwrap();
        assert_eq!(report["version"], 6);
        applied += report["applied"].as_u64().unwrap();
    }
    assert_eq!(applied, 12);
    for number in 1..=6 {
        assert_eq!(
            database.rows(&format!("SELECT COUNT(*) FROM t{number}")),
            ["1"]
        );
    }
}

#[test]
fn a_definition_and_what_is_recorded_before_it_are_one_command() {
    let commands = |definitions: usize| {
        let database = Database::new();
        let sql: String = (0..definitions)
            .map(|number| format!("CREATE TABLE t{number} (id INT);\n"))
            .collect();
        database.write("v1.sql", &sql);
        let proxy = database.proxy();
        let run = database.run_at(&database.url_through(&proxy, PLAIN), &["up"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        proxy.commands()
    };
    assert_eq!(commands(7), commands(3) + 4);
}

#[test]
fn a_refused_definition_is_shown_without_what_was_sent_behind_it() {
    let database = Database::new();
    database.write(
        "v1.sql",
        "CREATE TABLE a (b INT);\nALTER TABLE a ADD c INT ADD d INT;\nALTER TABLE a ADD e INT;\n",
    );
    let run = database.run(&["up"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("near 'ADD d INT' at line 1"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("SHOW CREATE"), "{}", run.stderr);
    assert_eq!(
        database.rows("SELECT CONCAT(position, ' ', state) FROM dayspring_statement ORDER BY 1"),
        ["1 applied", "2 failed"]
    );
    database.write(
        "v1.sql",
        "CREATE TABLE a (b INT);\nALTER TABLE a ADD c INT, ADD d INT;\nALTER TABLE a ADD e INT;\n",
    );
    database.succeed(&["up"]);
    assert_eq!(database.rows("SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'a'"), ["4"]);
}

#[test]
fn a_definition_is_not_sent_where_the_lease_is_anothers() {
    let database = Database::new();
    database.write("v1.sql", "CREATE TABLE a (b INT);\n");
    database.succeed(&["up"]);
    database.write("v2.sql", "CREATE TABLE c (d INT);\n");
    // It takes the lease under the next token, and finds a later one when it writes.
    database.rows("CREATE TRIGGER dayspring_taken BEFORE UPDATE ON dayspring_lease FOR EACH ROW SET NEW.token = NEW.token + (NEW.owner <> '')");
    let run = database.run(&["up", "--lease-wait", "1s"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert_eq!(
        database.rows("SHOW TABLES LIKE 'c'"),
        Vec::<String>::new(),
        "{}",
        run.stderr
    );
}
