//! `verify` and `baseline`: a live schema compared with the scripts, and databases that other tools built.

use serde_json::Value;

use super::mariadb::{Database, Printed};
use super::program;

const USERS: &str = "CREATE TABLE users (\n  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,\n  \
                     email VARCHAR(100) NULL,\n  made_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP\n);\n\
                     INSERT INTO users (email) VALUES ('a@example.org');\n";

const POSTS: &str = "CREATE TABLE posts (\n  id INT PRIMARY KEY,\n  author INT UNSIGNED NOT NULL,\n  \
                     data JSON,\n  price DECIMAL(9,2) NOT NULL DEFAULT 0,\n  \
                     CONSTRAINT price_is_positive CHECK (price >= 0),\n  \
                     CONSTRAINT posts_author FOREIGN KEY (author) REFERENCES users (id) ON DELETE CASCADE\n);\n\
                     CREATE INDEX by_price ON posts (price);\n";

const REST: &str = "CREATE VIEW dear AS SELECT id FROM posts WHERE price > 10;\n\
                    CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN x * 2;\n\
                    CREATE TRIGGER lower_email BEFORE INSERT ON users FOR EACH ROW SET NEW.email = LOWER(NEW.email);\n\
                    CREATE EVENT clean ON SCHEDULE EVERY 1 DAY DO DELETE FROM posts WHERE price = 0;\n";

/// A database that is what its scripts make, without a journal.
fn built_otherwise() -> Database {
    let database = Database::new();
    for (name, text) in [
        ("v1_users.sql", USERS),
        ("v2_posts.sql", POSTS),
        ("v3_rest.sql", REST),
    ] {
        database.write(name, text);
        say_all(&database, text);
    }
    database
}

fn say_all(database: &Database, text: &str) {
    let mut open = database.connect();
    for statement in text.split_inclusive(";\n") {
        open.say(statement.trim_end().trim_end_matches(';'));
    }
}

/// Runs a command that replays in an empty database beside.
fn run(database: &Database, arguments: &[&str]) -> Printed {
    let scratch = Database::new();
    let url = scratch.socket_url();
    let printed = database.run(&[arguments, &["--scratch-url", url.as_str()]].concat());
    let tables = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()";
    assert_eq!(scratch.rows(tables), ["0"], "it is emptied again");
    printed
}

#[track_caller]
fn succeed(database: &Database, arguments: &[&str]) -> Printed {
    let printed = run(database, arguments);
    assert_eq!(printed.code, 0, "{}{}", printed.stdout, printed.stderr);
    printed
}

fn journal(database: &Database) -> Vec<String> {
    database
        .rows("SELECT version, position, state FROM dayspring_statement ORDER BY version, position")
}

fn has_journal(database: &Database) -> bool {
    !database
        .rows("SHOW TABLES LIKE 'dayspring\\_statement'")
        .is_empty()
}

#[test]
fn a_schema_that_the_scripts_made_is_verified_on_a_private_server() {
    let database = built_otherwise();
    let cache = tempfile::tempdir().unwrap();
    let mut command = database.command(&["baseline", "--yes"]);
    let command = command
        .env("XDG_CACHE_HOME", cache.path())
        .env("DATABASE_URL", database.socket_url());
    let printed = database.printed(&command.output().unwrap());
    assert_eq!(printed.code, 0, "{}{}", printed.stdout, printed.stderr);
    insta::assert_snapshot!(printed.stderr, @"
       Replaying 8 statements on a scratch MariaDB
        Compared the schema is what the scripts up to v3 make
        Recorded 8 statements as applied, root@SOCKET database `blog` is at v3
    ");
    let mut command = database.command(&["verify"]);
    let command = command
        .env("XDG_CACHE_HOME", cache.path())
        .env("DATABASE_URL", database.socket_url());
    let printed = database.printed(&command.output().unwrap());
    assert_eq!(printed.code, 0, "{}{}", printed.stdout, printed.stderr);
    assert_eq!(printed.stdout, "the schema is what the scripts make\n");
    let left = std::fs::read_dir(cache.path().join("dayspring/scratch")).unwrap();
    assert_eq!(left.count(), 0, "no server is left");
}

#[test]
fn up_after_a_baseline_runs_only_what_is_newer() {
    let database = built_otherwise();
    database.write("v4.sql", "ALTER TABLE users ADD name TEXT;\n");
    let shown = succeed(&database, &["baseline", "--at", "v3"]);
    assert!(
        shown
            .stderr
            .ends_with("nothing is recorded yet: --yes records 8 statements up to v3 as applied\n"),
        "{}",
        shown.stderr
    );
    assert!(!has_journal(&database));
    succeed(&database, &["baseline", "--at", "v3", "--yes"]);
    assert_eq!(journal(&database).len(), 8);
    let up = database.succeed(&["up"]);
    assert!(
        up.stderr.contains("Applied scripts/schema/v4.sql 1"),
        "{}",
        up.stderr
    );
    assert!(
        up.stderr.contains("1 statement applied, schema at v4"),
        "{}",
        up.stderr
    );
    assert_eq!(database.rows("SELECT COUNT(*) FROM users"), ["1"]);
    succeed(&database, &["verify"]);
    // What the journal has beyond it is not taken back.
    let again = run(&database, &["baseline", "--at", "v3", "--yes"]);
    assert_eq!(again.code, 1);
    insta::assert_snapshot!(again.stderr, @"
    error: the journal has `scripts/schema/v4.sql` already, which is not among the scripts up to v3
     help: a baseline is for a database that Dayspring does not know yet; `migrate status` shows what it has
    ");
    let again = succeed(&database, &["baseline", "--at", "v4", "--yes"]);
    assert!(
        again.stderr.contains("Recorded 0 statements"),
        "{}",
        again.stderr
    );
}

#[test]
fn a_run_that_met_the_tables_is_followed_by_a_baseline() {
    let database = built_otherwise();
    assert_eq!(database.run(&["up"]).code, 1);
    assert_eq!(journal(&database), ["1 1 failed"]);
    succeed(&database, &["baseline", "--yes"]);
    let up = database.succeed(&["up"]);
    assert!(
        up.stderr.contains("nothing to do, schema at v3"),
        "{}",
        up.stderr
    );
}

#[test]
fn a_lease_that_a_killed_run_left_is_not_waited_for() {
    let database = Database::new();
    database.write("v1.sql", USERS);
    database.succeed(&["up"]);
    database.write("v2.sql", "CREATE TABLE b (id INT PRIMARY KEY);\n");
    let dead = database.connect().id();
    let mut open = database.connect();
    open.say("CREATE TABLE b (id INT PRIMARY KEY)");
    let seen = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {dead}");
    while open.rows(&seen) != ["0"] {}
    // As a run that was killed leaves it.
    let status = if program::is_mysql() {
        "performance_schema.global_status"
    } else {
        "information_schema.global_status"
    };
    let lease = |id: u32| {
        format!(
            "UPDATE dayspring_lease SET owner = 'a run', expires_at = UTC_TIMESTAMP(6) + INTERVAL 90 SECOND, \
             connection = CONCAT(token, ' {id} ', UNIX_TIMESTAMP() - (SELECT CAST(variable_value AS SIGNED) FROM \
             {status} WHERE variable_name = 'UPTIME'), ' root@localhost')"
        )
    };
    let of_test = open.id();
    open.say(&lease(of_test));
    let held = run(&database, &["baseline", "--yes"]);
    assert_eq!(held.code, 2, "{}", held.stderr);
    assert!(
        held.stderr.contains("`a run` is migrating this database"),
        "{}",
        held.stderr
    );
    open.say(&lease(dead));
    succeed(&database, &["baseline", "--yes"]);
    assert_eq!(journal(&database).last().unwrap(), "2 1 applied");
}

#[test]
fn a_false_baseline_is_refused_and_may_be_forced() {
    let database = built_otherwise();
    database.write("v4.sql", "ALTER TABLE users ADD name TEXT;\n");
    let refused = run(&database, &["baseline", "--at", "v4", "--yes"]);
    assert_eq!(refused.code, 1);
    insta::assert_snapshot!(refused.stdout, @"table users: column name TEXT NULL: is missing");
    assert!(!has_journal(&database));
    let missing = run(&database, &["baseline", "--at", "v9", "--yes"]);
    insta::assert_snapshot!(missing.stderr, @"
    error: there is no script `v9`
     help: the newest is `scripts/schema/v4.sql`
    ");
    let forced = database.succeed(&["baseline", "--at", "v4", "--yes", "--unchecked"]);
    assert!(
        forced.stderr.contains("Recorded 9 statements"),
        "{}",
        forced.stderr
    );
}

#[test]
fn verify_tells_each_kind_of_difference() {
    let database = built_otherwise();
    succeed(&database, &["baseline", "--yes"]);
    say_all(
        &database,
        "ALTER TABLE users MODIFY email VARCHAR(254) NOT NULL, ADD age INT, ADD UNIQUE by_email (email);\n\
         ALTER TABLE users MODIFY made_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP AFTER id;\n\
         ALTER TABLE posts DROP FOREIGN KEY posts_author, DROP CONSTRAINT price_is_positive, DROP KEY by_price;\n\
         ALTER TABLE posts DROP COLUMN data, COMMENT = 'all', ENGINE = MyISAM;\n\
         CREATE OR REPLACE VIEW dear AS SELECT id FROM posts WHERE price > 11;\n\
         DROP FUNCTION twice;\n\
         DROP TRIGGER lower_email;\n\
         ALTER EVENT clean ON SCHEDULE EVERY 2 DAY;\n\
         CREATE TABLE notes (id INT PRIMARY KEY);\n\
         CREATE TABLE schema_migrations (version VARCHAR(128) PRIMARY KEY);\n",
    );
    let printed = run(&database, &["verify"]);
    assert_eq!(printed.code, 1);
    insta::assert_snapshot!(printed.stdout, @"
    table notes: the scripts have none
    table posts: comment 'all': the scripts have none
    table posts: engine: MyISAM, the scripts say InnoDB
    table posts: column data JSON NULL: is missing
    table posts: index by_price (price): is missing
    table posts: foreign key posts_author (author) REFERENCES users (id) ON DELETE CASCADE: is missing
    table posts: check price_is_positive price >= 0: is missing
    table users: column age INT NULL: the scripts have none
    table users: column email: VARCHAR(254) NOT NULL, the scripts say VARCHAR(100) NULL
    table users: index by_email UNIQUE (email): the scripts have none
    table users: order of the columns: id, made_at, email, the scripts say id, email, made_at
    view dear: select posts.id AS id from posts where posts.price > 11, the scripts say select posts.id AS id from posts where posts.price > 10
    function twice: is missing
    trigger lower_email: is missing
    event clean: EVERY 2 DAY DELETE FROM posts WHERE price = 0, the scripts say EVERY 1 DAY DELETE FROM posts WHERE price = 0
    ");
    assert!(
        printed.stderr.contains(
            "error: the schema is not what the applied scripts make: 15 differences\n help: "
        ),
        "{}",
        printed.stderr
    );
    let json: Value = serde_json::from_str(&run(&database, &["verify", "--json"]).stdout).unwrap();
    assert_eq!(json["same"], false);
    assert_eq!(json["replayed"], 8);
    assert_eq!(json["differences"][0]["kind"], "table");
}

#[test]
fn what_the_user_may_not_see_is_said_to_be_hidden() {
    let database = built_otherwise();
    succeed(&database, &["baseline", "--yes"]);
    let user = format!("half_blind_{}", database.name);
    say_all(
        &database,
        &format!(
            "CREATE USER {user}@localhost IDENTIFIED BY 'x';\n\
             GRANT SELECT, ALTER, REFERENCES, EXECUTE ON {}.* TO {user}@localhost;\n",
            database.name
        ),
    );
    let url = database
        .socket_url()
        .replace("root@", &format!("{user}:x@"));
    let scratch = Database::new();
    let printed = database.run_at(&url, &["verify", "--scratch-url", &scratch.socket_url()]);
    assert_eq!(printed.code, 1, "{}", printed.stderr);
    insta::assert_snapshot!(printed.stdout, @"
    view dear: hidden from this database user, the scripts say select posts.id AS id from posts where posts.price > 10
    function twice: hidden from this database user, the scripts say (RETURNS INT, IN x INT) DETERMINISTIC RETURN x * 2
    trigger lower_email: is missing
    event clean: is missing
    ");
    assert!(
        printed
            .stderr
            .contains("help: a database user without the rights SHOW VIEW, TRIGGER, EVENT and SHOW_ROUTINE does not see"),
        "{}",
        printed.stderr
    );
}

#[test]
fn what_is_pending_is_not_replayed_and_rows_of_programs_are_not_needed() {
    let database = Database::new();
    database.write("v1.sql", USERS);
    database.succeed(&["up"]);
    database.connect().say("INSERT INTO users (id) VALUES (7)");
    database.write("v2.sql", POSTS);
    database.write(
        "v3.sql",
        "INSERT INTO posts (id, author) VALUES (1, 7);\nALTER TABLE posts ADD title TEXT;\n",
    );
    database.succeed(&["up"]);
    database.write("v4.sql", "CREATE TABLE later (id INT PRIMARY KEY);\n");
    let printed = succeed(&database, &["verify"]);
    assert!(
        printed
            .stderr
            .contains("Passed over scripts/schema/v3.sql:1, which only changes rows: "),
        "{}",
        printed.stderr
    );
}

#[test]
fn a_database_that_no_script_made_is_no_list_of_differences_alone() {
    let database = built_otherwise();
    let printed = run(&database, &["verify"]);
    assert_eq!(printed.code, 1);
    assert!(
        printed
            .stdout
            .contains("table posts: the scripts have none"),
        "{}",
        printed.stdout
    );
    let (_, error) = printed.stderr.split_once("error: ").unwrap();
    insta::assert_snapshot!(error, @"
    no script is applied to this database, and it is not empty
     help: `dayspring migrate baseline` adopts a database that was built otherwise
    ");
}

#[test]
fn tables_from_before_a_script_altered_the_database_are_as_they_were() {
    let database = Database::new();
    database.write(
        "v1.sql",
        "CREATE TABLE before_it (a TEXT);\nALTER DATABASE CHARACTER SET latin1;\nCREATE TABLE after_it (a TEXT);\n",
    );
    database.succeed(&["up"]);
    let cache = tempfile::tempdir().unwrap();
    let mut command = database.command(&["verify"]);
    let command = command
        .env("XDG_CACHE_HOME", cache.path())
        .env("DATABASE_URL", database.socket_url());
    let printed = database.printed(&command.output().unwrap());
    assert_eq!(printed.stdout, "the schema is what the scripts make\n");
}

#[test]
fn a_scratch_database_is_left_with_the_character_set_that_it_had() {
    let database = built_otherwise();
    let scratch = Database::new();
    let alter = format!("ALTER DATABASE {} CHARACTER SET latin1", scratch.name);
    scratch.connect().say(&alter);
    let printed = database.run(&["baseline", "--scratch-url", &scratch.socket_url()]);
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    assert_eq!(scratch.rows("SELECT @@character_set_database"), ["latin1"]);
}

#[test]
fn a_scratch_database_is_emptied_when_the_comparison_is_interrupted() {
    let database = Database::new();
    let scratch = Database::new();
    database.write(
        "v1.sql",
        "CREATE TABLE a (n INT);\nINSERT INTO a SELECT SLEEP(3600);\n",
    );
    let mut command = database.command(&["baseline", "--scratch-url", &scratch.socket_url()]);
    let child = command
        .env("DATABASE_URL", database.socket_url())
        .spawn()
        .unwrap();
    let sleeps = format!(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE db = '{}' AND info LIKE 'INSERT INTO a%'",
        scratch.name
    );
    let mut open = database.connect();
    while open.rows(&sleeps) != ["1"] {}
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let printed = database.printed(&child.wait_with_output().unwrap());
    assert_eq!(printed.code, 1, "{}", printed.stderr);
    assert!(
        printed
            .stderr
            .ends_with("error: interrupted; nothing was changed\n"),
        "{}",
        printed.stderr
    );
    assert!(
        scratch.rows("SHOW TABLES").is_empty(),
        "it is emptied again"
    );
}

#[test]
fn a_scratch_database_with_something_in_it_is_left_alone() {
    let database = built_otherwise();
    let url = database.socket_url();
    let printed = database.run(&["baseline", "--scratch-url", &url]);
    assert_eq!(printed.code, 1);
    assert!(
        printed
            .stderr
            .contains("the scratch database `blog` is not empty"),
        "{}",
        printed.stderr
    );
    assert_eq!(database.rows("SELECT COUNT(*) FROM users"), ["1"]);
}

#[test]
fn scripts_that_name_a_database_are_not_replayed_on_a_server_that_may_have_it() {
    let database = Database::new();
    let script = "CREATE TABLE IF NOT EXISTS t (id INT);\nINSERT INTO t VALUES (1);\n";
    database.write("v1.sql", &format!("USE {};\n{script}", database.name));
    database.succeed(&["up"]);
    let printed = run(&database, &["verify"]);
    assert_eq!(printed.code, 1);
    let (_, error) = printed.stderr.split_once("error: ").unwrap();
    insta::assert_snapshot!(error, @"
    this statement names a database, and the server of --scratch-url may have it: nothing was run there
     --> scripts/schema/v1.sql:1:1
     help: leave --scratch-url away, for a private MariaDB, or the database's name
    ");
    assert_eq!(database.rows("SELECT COUNT(*) FROM t"), ["1"]);
}

#[test]
fn a_scratch_database_with_a_routine_in_it_is_left_alone() {
    let database = built_otherwise();
    let scratch = Database::new();
    scratch.connect().say("CREATE PROCEDURE mine() SELECT 1");
    let url = scratch.socket_url();
    let printed = database.run(&["baseline", "--scratch-url", &url]);
    assert_eq!(printed.code, 1);
    let routines =
        "SELECT routine_name FROM information_schema.routines WHERE routine_schema = DATABASE()";
    assert_eq!(scratch.rows(routines), ["mine"]);
}

/// Imports a history, which must be there unchanged afterwards.
#[track_caller]
fn import(database: &Database, tool: &str, table: &str) -> Printed {
    let before = database.rows(&format!("SELECT * FROM {table}"));
    let printed = run(database, &["baseline", "--from", tool, "--yes"]);
    assert_eq!(database.rows(&format!("SELECT * FROM {table}")), before);
    printed
}

#[track_caller]
fn imported(database: &Database, tool: &str, table: &str) -> String {
    let printed = import(database, tool, table);
    assert_eq!(printed.code, 0, "{}{}", printed.stdout, printed.stderr);
    let nothing = database.succeed(&["up"]);
    assert!(
        nothing.stderr.contains("nothing to do, schema at v3"),
        "{}",
        nothing.stderr
    );
    printed.stdout
}

#[track_caller]
fn refused(database: &Database, tool: &str, table: &str) -> String {
    let printed = import(database, tool, table);
    assert_eq!(printed.code, 1, "{}", printed.stdout);
    assert!(!has_journal(database));
    printed.stderr
}

#[test]
fn flyways_history_is_imported() {
    let database = built_otherwise();
    say_all(
        &database,
        "CREATE TABLE `flyway_schema_history` (`installed_rank` INT NOT NULL, `version` VARCHAR(50), \
         `description` VARCHAR(200) NOT NULL, `type` VARCHAR(20) NOT NULL, `script` VARCHAR(1000) NOT NULL, \
         `checksum` INT, `installed_by` VARCHAR(100) NOT NULL, \
         `installed_on` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, `execution_time` INT NOT NULL, \
         `success` BOOL NOT NULL, CONSTRAINT `flyway_schema_history_pk` PRIMARY KEY (`installed_rank`)) \
         ENGINE=InnoDB;\n\
         INSERT INTO flyway_schema_history VALUES (1, '1', '<< Flyway Baseline >>', 'BASELINE', 'x', NULL, 'root', \
         NOW(), 0, 1), (2, '2', 'posts', 'SQL', 'V2__posts.sql', 7, 'root', NOW(), 9, 1), (3, '3.1', 'rest', 'SQL', \
         'V3.1__rest.sql', 7, 'root', NOW(), 9, 0);\n",
    );
    insta::assert_snapshot!(refused(&database, "flyway", "flyway_schema_history"), @"
    error: flyway says that a migration failed: version `3.1`, description `rest`, type and success `SQL 0`, installed_rank `3`, script `V3.1__rest.sql`
     help: bring the migration to its end with flyway first, or undo it; then try again
    ");
    say_all(
        &database,
        "UPDATE flyway_schema_history SET success = 1;\n\
         INSERT INTO flyway_schema_history VALUES (4, NULL, 'report', 'SQL', 'R__report.sql', 7, 'root', NOW(), 9, 1);\n",
    );
    insta::assert_snapshot!(imported(&database, "flyway", "flyway_schema_history"), @"
    MIGRATION  NAME                   SCRIPT
    1          << Flyway Baseline >>  scripts/schema/v1_users.sql and all before it
    2          posts                  scripts/schema/v2_posts.sql
    3.1        rest                   scripts/schema/v3_rest.sql
               report                 none: it has no number
    ");
}

#[test]
fn sqlxs_history_is_imported() {
    let database = built_otherwise();
    say_all(
        &database,
        "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
         installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, \
         checksum BLOB NOT NULL, execution_time BIGINT NOT NULL);\n\
         INSERT INTO _sqlx_migrations VALUES (20230101120000, 'users', NOW(), TRUE, X'00', 1), \
         (20230102120000, 'posts', NOW(), TRUE, X'00', 1), (20230103120000, 'rest', NOW(), FALSE, X'00', -1);\n",
    );
    let said = refused(&database, "sqlx", "_sqlx_migrations");
    assert!(
        said.starts_with("error: sqlx says that a migration failed or is still running: version `20230103120000`, description `rest`, success `0`"),
        "{said}"
    );
    say_all(&database, "UPDATE _sqlx_migrations SET success = TRUE;\n");
    insta::assert_snapshot!(imported(&database, "sqlx", "_sqlx_migrations"), @"
    MIGRATION       NAME   SCRIPT
    20230101120000  users  scripts/schema/v1_users.sql
    20230102120000  posts  scripts/schema/v2_posts.sql
    20230103120000  rest   scripts/schema/v3_rest.sql
    ");
}

#[test]
fn refinerys_history_is_imported() {
    let database = built_otherwise();
    say_all(
        &database,
        "CREATE TABLE refinery_schema_history (version INT4 PRIMARY KEY, name VARCHAR(255), applied_on VARCHAR(255), \
         checksum VARCHAR(255));\n\
         INSERT INTO refinery_schema_history VALUES (1, 'users', '2023-01-01T12:00:00Z', '7'), (3, 'rest', '2023', '7');\n",
    );
    insta::assert_snapshot!(refused(&database, "refinery", "refinery_schema_history"), @"
    error: the history of refinery has no `scripts/schema/v2_posts.sql`, and has later ones
     help: apply it with the old tool first, give it a number after the others, or say with --at vN up to which script the database is
    ");
    say_all(
        &database,
        "INSERT INTO refinery_schema_history VALUES (2, 'posts', '2023', '7');\n",
    );
    imported(&database, "refinery", "refinery_schema_history");
}

#[test]
fn dbmates_history_is_imported() {
    let database = built_otherwise();
    say_all(
        &database,
        "CREATE TABLE schema_migrations (version VARCHAR(128) PRIMARY KEY);\n\
         INSERT INTO schema_migrations VALUES ('20230101120000');\n",
    );
    insta::assert_snapshot!(refused(&database, "dbmate", "schema_migrations"), @"
    error: no script is dbmate's migration `20230101120000`
     help: name the script as the migration is numbered or called (`v3_create_users.sql`), or say with --at vN up to which script the database is
    ");
    let said = refused(&database, "golang-migrate", "schema_migrations");
    assert!(
        said.contains("the table `schema_migrations` is another tool's"),
        "{said}"
    );
    say_all(
        &database,
        "UPDATE schema_migrations SET version = '001';\nINSERT INTO schema_migrations VALUES ('002'), ('003');\n",
    );
    imported(&database, "dbmate", "schema_migrations");
}

#[test]
fn golang_migrates_history_is_imported() {
    let database = built_otherwise();
    say_all(
        &database,
        "CREATE TABLE schema_migrations (version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT NULL);\n\
         INSERT INTO schema_migrations VALUES (3, TRUE);\n",
    );
    insta::assert_snapshot!(refused(&database, "golang-migrate", "schema_migrations"), @"
    error: golang-migrate says that a migration is dirty: version `3`, dirty `1`
     help: bring the migration to its end with golang-migrate first, or undo it; then try again
    ");
    let said = refused(&database, "dbmate", "schema_migrations");
    assert!(said.contains("is golang-migrate's"), "{said}");
    say_all(&database, "UPDATE schema_migrations SET dirty = FALSE;\n");
    insta::assert_snapshot!(imported(&database, "golang-migrate", "schema_migrations"), @"
    MIGRATION  NAME  SCRIPT
    3                scripts/schema/v3_rest.sql and all before it
    ");
}

#[test]
fn alembics_history_is_imported() {
    let database = built_otherwise();
    database.remove("v3_rest.sql");
    database.write("v3_ae1027a6acf_rest.sql", REST);
    say_all(
        &database,
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, \
         CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));\n",
    );
    let said = refused(&database, "alembic", "alembic_version");
    assert!(said.contains("says that nothing is applied"), "{said}");
    say_all(
        &database,
        "INSERT INTO alembic_version VALUES ('ae1027a6acf');\n",
    );
    insta::assert_snapshot!(imported(&database, "alembic", "alembic_version"), @"
    MIGRATION    NAME  SCRIPT
    ae1027a6acf        scripts/schema/v3_ae1027a6acf_rest.sql and all before it
    ");
}
