//! What a run would do and what is wrong with it: `plan`, `lint` with a database, and the two phases of `up`.

use serde_json::{Value, json};

use super::mariadb::{Database, Printed};
use super::program;

/// A database that has a first script, and scripts of both phases that it does not have.
fn blog() -> Database {
    let database = Database::new();
    database.write(
        "v1.sql",
        "CREATE TABLE post (\n  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,\n  title VARCHAR(50) NOT NULL,\n  \
         views INT NOT NULL,\n  body TEXT\n) ENGINE = InnoDB;\nINSERT INTO post (title, views) VALUES ('a', 1), ('b', 2);\n",
    );
    database.succeed(&["up"]);
    database.rows("ANALYZE TABLE post");
    database.write(
        "v2_slugs.sql",
        "ALTER TABLE post ADD COLUMN slug VARCHAR(60);\n\
         -- dayspring: allow unbounded-rows there are two rows\n\
         UPDATE post SET slug = title;\n\
         ALTER TABLE post MODIFY views BIGINT NOT NULL;\n",
    );
    database.write(
        "v3.sql",
        "CREATE TABLE tag (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, name VARCHAR(50) NOT NULL) ENGINE = InnoDB;\n\
         CREATE INDEX by_name ON tag (name);\nTRUNCATE post;\n"
            .replace("TRUNCATE", "-- dayspring: idempotent\nTRUNCATE")
            .as_str(),
    );
    database.write("v2.contract.sql", "ALTER TABLE post DROP COLUMN body;\n");
    database
}

/// Runs a command that asks an empty database beside how changes run; the server's version is left out.
fn ask(database: &Database, arguments: &[&str]) -> Printed {
    let scratch = Database::new();
    let url = scratch.socket_url();
    let mut printed = database.run(&[arguments, &["--scratch-url", url.as_str()]].concat());
    let version = database.rows("SELECT VERSION()").remove(0);
    let number = version.split('-').next().unwrap();
    for text in [&mut printed.stdout, &mut printed.stderr] {
        *text = text.replace(number, "N").replace(&scratch.name, "scratch");
        if program::is_mysql() {
            *text = text.replace("MySQL N", "MariaDB N");
        }
    }
    printed
}

#[test]
fn a_plan_says_how_each_change_runs_and_what_lint_finds() {
    let database = blog();
    let printed = ask(&database, &["plan"]);
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    insta::assert_snapshot!(printed.stdout, @"
      #  LINE  CLASS    STATEMENT
    scripts/schema/v2_slugs.sql
      1     1  schema   ALTER TABLE post ADD COLUMN slug VARCHAR(60)
                        INSTANT (MariaDB N)
      2     3  data     UPDATE post SET slug = title
                        warning[mixed-script]: if this fails, what is above it stays
                          and the rows of `post` do not change
      3     4  schema   ALTER TABLE post MODIFY views BIGINT NOT NULL
                        COPY, rewrites `post` of about 2 rows in 16 KiB, writers
                          wait (MariaDB N)
    scripts/schema/v3.sql
      1     1  schema   CREATE TABLE tag (id BIGINT UNSIGNED NOT NULL PRIMARY KEY...
      2     2  schema   CREATE INDEX by_name ON tag (name)
      3     4  schema   TRUNCATE post
                        error[truncate]: every row of `post` is deleted, and no
                          rollback brings them back

    After the new code is live, by `up --contract` or by the deploy:

      #  LINE  CLASS    STATEMENT
    scripts/schema/v2.contract.sql
      1     1  schema   ALTER TABLE post DROP COLUMN body
                        INSTANT (MariaDB N)
    ");
    insta::assert_snapshot!(printed.stderr, @"
     Asked root@SOCKET database `blog`
    Trying 3 changes on root@SOCKET database `scratch`
    Linted 1 error and 1 warning: `migrate lint` with this database says what to do
    ");
    assert!(
        printed
            .stdout
            .lines()
            .all(|line| line.chars().count() <= 80)
    );
    let by_the_book = database.succeed(&["plan", "--no-scratch", "--target", "aurora"]);
    insta::assert_snapshot!(by_the_book.stdout, @"
      #  LINE  CLASS    STATEMENT
    scripts/schema/v2_slugs.sql
      1     1  schema   ALTER TABLE post ADD COLUMN slug VARCHAR(60)
                        INSTANT (from the manual)
      2     3  data     UPDATE post SET slug = title
                        warning[mixed-script]: if this fails, what is above it stays
                          and the rows of `post` do not change
      3     4  schema   ALTER TABLE post MODIFY views BIGINT NOT NULL
                        COPY, rewrites `post` of about 2 rows in 16 KiB, writers
                          wait (from the manual)
    scripts/schema/v3.sql
      1     1  schema   CREATE TABLE tag (id BIGINT UNSIGNED NOT NULL PRIMARY KEY...
      2     2  schema   CREATE INDEX by_name ON tag (name)
      3     4  schema   TRUNCATE post
                        error[truncate]: every row of `post` is deleted, and no
                          rollback brings them back

    After the new code is live, by `up --contract` or by the deploy:

      #  LINE  CLASS    STATEMENT
    scripts/schema/v2.contract.sql
      1     1  schema   ALTER TABLE post DROP COLUMN body
                        INSTANT (from the manual)
    ");
}

#[test]
fn a_plan_says_the_same_in_json() {
    let database = blog();
    let printed = ask(&database, &["plan", "--json"]);
    let plan: Value = serde_json::from_str(&printed.stdout).unwrap();
    let [statements, contract] =
        ["statements", "contract"].map(|key| plan[key].as_array().unwrap());
    assert_eq!((statements.len(), contract.len()), (6, 1));
    assert_eq!(
        statements[2]["change"],
        json!({
            "table": "post", "algorithm": "COPY", "rewrites": true, "lets_write": false, "rows": 2, "bytes": 16384,
            "source": "MariaDB N",
        })
    );
    assert_eq!(statements[1].get("change"), None);
    assert_eq!(statements[1]["findings"][0]["rule"], "mixed-script");
    assert_eq!(contract[0]["phase"], "contract");
    assert_eq!(contract[0]["change"]["algorithm"], "INSTANT");
}

#[test]
fn contract_scripts_wait_until_they_are_asked_for() {
    let database = blog();
    let up = database.succeed(&["up"]);
    let last = up.stderr.trim_end().rsplit_once('\n').unwrap().1;
    insta::assert_snapshot!(last, @"     Pending scripts/schema/v2.contract.sql: once the new code is live, run `migrate up --contract`");
    insta::assert_snapshot!(database.succeed(&["status"]).stdout, @"
    SCRIPT                          STATE    STATEMENTS
    scripts/schema/v1.sql           applied  2 of 2
    scripts/schema/v2_slugs.sql     applied  3 of 3
    scripts/schema/v2.contract.sql  pending  0 of 1
    scripts/schema/v3.sql           applied  3 of 3
    ");
    insta::assert_snapshot!(database.succeed(&["plan", "--no-scratch"]).stdout, @"
    nothing to do: the schema is at v3

    After the new code is live, by `up --contract` or by the deploy:

      #  LINE  CLASS    STATEMENT
    scripts/schema/v2.contract.sql
      1     1  schema   ALTER TABLE post DROP COLUMN body
                        INSTANT (from the manual)
    ");
    let json: Value = serde_json::from_str(&database.succeed(&["up", "--json"]).stdout).unwrap();
    assert_eq!(
        json["contract_pending"],
        json!(["scripts/schema/v2.contract.sql"])
    );
    let done = database.succeed(&["up", "--contract"]);
    assert!(
        done.stderr
            .contains("Applied scripts/schema/v2.contract.sql 1\n"),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr
            .contains("Finished 1 statement applied, schema at v3"),
        "{}",
        done.stderr
    );
    assert!(!done.stderr.contains("Pending"), "{}", done.stderr);
    insta::assert_snapshot!(database.succeed(&["plan"]).stdout, @"nothing to do: the schema is at v3");
    let json: Value =
        serde_json::from_str(&database.succeed(&["up", "--contract", "--json"]).stdout).unwrap();
    assert_eq!(
        json,
        json!({ "report": "nothing to do, schema at v3", "version": 3, "applied": 0, "statements": [] })
    );
}

#[test]
fn both_phases_run_in_their_order_where_both_are_asked_for() {
    let database = blog();
    let up = database.succeed(&["up", "--contract", "--json"]);
    let json: Value = serde_json::from_str(&up.stdout).unwrap();
    assert_eq!(json["report"], "7 statements applied, schema at v3");
    let last = json["statements"].as_array().unwrap().last().unwrap();
    assert_eq!(last["script"], "scripts/schema/v2.contract.sql");
}

#[test]
fn lint_looks_at_what_a_database_does_not_have() {
    let database = blog();
    let found = |arguments: &[&str]| -> Vec<String> {
        let printed = ask(
            &database,
            &[&["lint", "--format", "json"], arguments].concat(),
        );
        let findings: Vec<Value> = serde_json::from_str(&printed.stdout).unwrap();
        let of = |finding: &Value| {
            format!(
                "{}:{} {}",
                finding["path"].as_str().unwrap(),
                finding["line"],
                finding["rule"].as_str().unwrap()
            )
        };
        findings.iter().map(of).collect()
    };
    insta::assert_snapshot!(found(&[]).join("\n"), @"
    scripts/schema/v2_slugs.sql:3 mixed-script
    scripts/schema/v3.sql:4 truncate
    ");
    // To an empty database, in which a comment about a table in use is of no use, and stays.
    assert_eq!(found(&["--all"]), Vec::<String>::new());
    let shown = ask(&database, &["lint"]);
    assert_eq!(shown.code, 1);
    insta::assert_snapshot!(shown.stdout, @"
    warning[mixed-script]: if this fails, what is above it stays and the rows of `post` do not change
     --> scripts/schema/v2_slugs.sql:3:1
      |
    3 | UPDATE post SET slug = title;
      | ^^^^^^^^^^^
     help: write the rows' part as a script of its own, which then is one transaction

    error[truncate]: every row of `post` is deleted, and no rollback brings them back
     --> scripts/schema/v3.sql:4:10
      |
    4 | TRUNCATE post;
      |          ^^^^
     help: delete the rows that are meant with DELETE and a WHERE, or swap an empty table in with RENAME TABLE

    1 error and 1 warning; what is meant so is allowed by `-- dayspring: allow RULE REASON` above the statement
    ");
    database.succeed(&["up"]);
    assert_eq!(found(&[]), Vec::<String>::new());
}
