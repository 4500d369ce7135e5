//! What the commonest failures look like on the terminal.

use super::mariadb::Database;
use super::program;

const USERS: &str = "CREATE TABLE users (\n  id INT PRIMARY KEY,\n  email VARCHAR(255)\n);\n\
                     INSERT INTO users VALUES (1, 'a@example.com'), (2, 'a@example.com');\n";

/// A database that has a first script.
fn users() -> Database {
    let database = Database::new();
    database.write("v1.sql", USERS);
    database.succeed(&["up"]);
    database
}

/// The output of a run that fails at a second script.
#[track_caller]
fn failing(second: &str) -> String {
    let database = users();
    database.write("v2.sql", second);
    let printed = database.run(&["up"]);
    assert_eq!(printed.code, 1, "{}", printed.stderr);
    assert_eq!(printed.stdout, "");
    printed.stderr
}

#[test]
fn a_syntax_error() {
    let printed = failing(
        "INSERT INTO users VALUES (3, 'c@example.com');\n\n-- The name is needed for letters.\n\
         ALTER TABLE users\n  ADD COLUMN name VARCHAR(255),\n  MODFY email TEXT;\n",
    );
    insta::assert_snapshot!(printed, @"
       Migrating root@SOCKET database `blog`
         Applied scripts/schema/v2.sql 1
    error: statement 2 of 2 failed: You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near 'email TEXT' at line 3 (MySQL 1064)
     --> scripts/schema/v2.sql:6:3
      |
    4 | ALTER TABLE users
    5 |   ADD COLUMN name VARCHAR(255),
    6 |   MODFY email TEXT;
      |   ^^^^^^^^^^^^^^^^
     help: statement 1 stays applied; correct this one and run it again, it resumes at 2
    ");
}

#[test]
fn a_failure_among_statements_that_go_together_is_that_of_its_statement() {
    let database = users();
    let insert = |id: usize| format!("INSERT INTO users VALUES ({id}, 'u{id}@example.com');\n");
    let mut script: Vec<String> = (10..40).map(insert).collect();
    script[17] = "INSERT INTO users VALUS (27, 'u27@example.com');\n".to_owned();
    // It goes alone, between the others.
    script[9] = "INSERT INTO users VALUES (19, 'u19;@example.com');\n".to_owned();
    database.write("v2.sql", &script.concat());
    let printed = database.run(&["up"]);
    insta::assert_snapshot!(printed.stderr, @"
       Migrating root@SOCKET database `blog`
         Applied scripts/schema/v2.sql 1 to 17
    error: statement 18 of 30 failed: You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near 'VALUS (27, 'u27@example.com')' at line 1 (MySQL 1064)
      --> scripts/schema/v2.sql:18:1
       |
    18 | INSERT INTO users VALUS (27, 'u27@example.com');
       | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     help: statements 1 to 17 stay applied; correct this one and run it again, it resumes at 18
    ");
    assert_eq!(database.rows("SELECT COUNT(*) FROM users"), ["19"]);
    // A key that is there already.
    script[17] = insert(10);
    database.write("v2.sql", &script.concat());
    let printed = database.run(&["up"]);
    assert!(
        printed
            .stderr
            .contains("statement 18 of 30 failed: Duplicate entry '10'"),
        "{}",
        printed.stderr
    );
    assert_eq!(database.rows("SELECT COUNT(*) FROM users"), ["19"]);
    script[17] = insert(27);
    database.write("v2.sql", &script.concat());
    database.succeed(&["up"]);
    assert_eq!(database.rows("SELECT COUNT(*) FROM users"), ["32"]);
}

#[test]
fn a_failure_is_said_in_json_too() {
    let database = users();
    database.write(
        "v2.sql",
        "DELETE FROM users;\nALTER TABLE user ADD a INT;\n",
    );
    let printed = database.run(&["up", "--json"]);
    assert_eq!(printed.code, 1);
    let json: serde_json::Value = serde_json::from_str(&printed.stdout).unwrap();
    let message = json["error"]["message"].as_str().unwrap();
    assert!(printed.stderr.contains(message), "{}", printed.stderr);
    assert_eq!(
        json,
        serde_json::json!({
            "error": { "fault": "input", "message": message },
            "applied": 1,
            "statements": [{ "script": "scripts/schema/v2.sql", "first": 1, "last": 1 }],
        })
    );
}

#[test]
fn a_duplicate_column() {
    insta::assert_snapshot!(failing("ALTER TABLE users ADD COLUMN email VARCHAR(100);\n"), @"
       Migrating root@SOCKET database `blog`
    error: statement 1 of 1 failed: Duplicate column name 'email' (MySQL 1060)
     --> scripts/schema/v2.sql:1:1
      |
    1 | ALTER TABLE users ADD COLUMN email VARCHAR(100);
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     help: nothing of this script is applied; correct this one and run it again, it starts at 1
    ");
}

#[test]
fn a_missing_table() {
    insta::assert_snapshot!(failing("UPDATE user SET email = NULL;\n"), @"
       Migrating root@SOCKET database `blog`
    error: statement 1 of 1 failed: Table 'blog.user' doesn't exist (MySQL 1146)
     --> scripts/schema/v2.sql:1:1
      |
    1 | UPDATE user SET email = NULL;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     help: nothing of this script is applied; correct this one and run it again, it starts at 1
    ");
}

#[test]
fn a_duplicate_key_on_a_unique_index() {
    insta::assert_snapshot!(failing("ALTER TABLE users ADD UNIQUE (email);\n"), @"
       Migrating root@SOCKET database `blog`
    error: statement 1 of 1 failed: Duplicate entry 'a@example.com' for key 'email' (MySQL 1062)
     --> scripts/schema/v2.sql:1:1
      |
    1 | ALTER TABLE users ADD UNIQUE (email);
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     help: nothing of this script is applied; correct this one and run it again, it starts at 1
    ");
}

#[test]
fn a_foreign_key_that_does_not_match() {
    let printed = failing(
        "CREATE TABLE posts (\n  id INT PRIMARY KEY,\n  user_id BIGINT,\n  FOREIGN KEY (user_id) REFERENCES users (id)\n);\n",
    );
    insta::assert_snapshot!(printed, @r#"
       Migrating root@SOCKET database `blog`
    error: statement 1 of 1 failed: Can't create table `blog`.`posts` (errno: 150 "Foreign key constraint is incorrectly formed"); Create  table `blog`.`posts` with foreign key (user_id) constraint failed. Field type or character set for column 'user_id' does not match referenced column 'id'. (MySQL 1005)
     --> scripts/schema/v2.sql:1:1
      |
    1 | CREATE TABLE posts (
      | ^^^^^^^^^^^^^^^^^^^^
     help: nothing of this script is applied; correct this one and run it again, it starts at 1
    "#);
}

#[test]
fn a_lock_that_another_holds() {
    let database = users();
    database.write(
        "v2.sql",
        "ALTER TABLE users ADD COLUMN name VARCHAR(255);\n",
    );
    let mut other = database.connect();
    other.say("START TRANSACTION");
    other.rows("SELECT * FROM users");
    let printed = database.run(&["up", "--lock-wait", "1s"]);
    assert_eq!(printed.code, 2, "{}", printed.stderr);
    let shown = without_age_and_id(&printed.stderr, other.id());
    insta::assert_snapshot!(shown, @"
       Migrating root@SOCKET database `blog`
    error: statement 1 of 1 waited too long for a lock, and was cancelled
     --> scripts/schema/v2.sql:1:1
      |
    1 | ALTER TABLE users ADD COLUMN name VARCHAR(255);
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     note: it is held to the end of a transaction, and these are open
           connection ID of root@localhost, in a transaction for N s, idle
     help: wait for it or end it (`KILL ID`), and run it again: it resumes at 1
    ");
    // Freed, the same script goes on.
    other.say("COMMIT");
    database.succeed(&["up"]);
}

#[test]
fn a_row_that_another_holds() {
    let database = users();
    database.write(
        "v2.sql",
        "INSERT INTO users VALUES (3, 'c@example.com');\nUPDATE users\n  SET email = 'b@example.com'\n  WHERE id = 2;\n",
    );
    let mut other = database.connect();
    other.say("START TRANSACTION");
    other.say("UPDATE users SET email = NULL WHERE id = 2");
    let printed = database.run(&["up", "--lock-wait", "1s"]);
    assert_eq!(printed.code, 2, "{}", printed.stderr);
    let shown = without_age_and_id(&printed.stderr, other.id());
    insta::assert_snapshot!(shown, @"
       Migrating root@SOCKET database `blog`
    error: statement 2 of 2 waited too long for a lock, and was cancelled
     --> scripts/schema/v2.sql:2:1
      |
    2 | UPDATE users
      | ^^^^^^^^^^^^
     note: it is held to the end of a transaction, and these are open
           connection ID of root@localhost, in a transaction for N s, idle
     help: wait for it or end it (`KILL ID`), and run it again: it resumes at 1
    ");
    assert_eq!(database.rows("SELECT COUNT(*) FROM users"), ["2"]);
    other.say("COMMIT");
    database.succeed(&["up"]);
}

/// `in a transaction for 3 s` with N for the number.
fn without_age_and_id(text: &str, id: impl std::fmt::Display) -> String {
    let (before, rest) = text.split_once(" in a transaction for ").unwrap();
    let (_, after) = rest.split_once(' ').unwrap();
    format!("{before} in a transaction for N {after}")
        .replace(&format!("connection {id} "), "connection ID ")
        .replace(&format!("KILL {id}`"), "KILL ID`")
}

#[test]
fn a_lease_that_another_holds() {
    let database = users();
    database.write("v2.sql", "ALTER TABLE users ADD COLUMN name TEXT;\n");
    let mut other = database.connect();
    other.say("START TRANSACTION");
    other.rows("SELECT * FROM users");
    let url = database.socket_url();
    let first = database
        .command(&["up", "--lock-wait", "10m", "--database-url", &url])
        .spawn()
        .unwrap();
    // Of all databases of this server's only this test's own.
    let waits = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%ADD COLUMN name%' AND state LIKE \
                 'Waiting%' AND db = DATABASE()";
    while database.rows(waits) == ["0"] {}
    let printed = database.run(&["up", "--lease-wait", "0s"]);
    assert_eq!(printed.code, 2, "{}", printed.stderr);
    let owner = database.rows("SELECT owner FROM dayspring_lease").remove(0);
    let seconds = printed.stderr.rsplit_once(" s at most").unwrap().0;
    let seconds = seconds.rsplit_once(' ').unwrap().1.to_owned();
    let shown = printed.stderr.replace(&owner, "process N on HOST, run N");
    insta::assert_snapshot!(shown.replace(&format!("in {seconds} s"), "in N s"), @"
       Migrating root@SOCKET database `blog`
    error: `process N on HOST, run N` is migrating this database
     help: wait until it is done, and run it again; if it is dead, its lease ends by itself in N s at most
    ");
    other.say("COMMIT");
    let done = database.printed(&first.wait_with_output().unwrap());
    assert_eq!(done.code, 0, "{}", done.stderr);
}

#[test]
fn what_a_terminal_does_not_show_is_shown() {
    insta::assert_snapshot!(failing("-- \u{1b}[2J\nUPDATE `us\u{1b}[31mer` SET email = '日本', \tx = y;\n"), @r"
       Migrating root@SOCKET database `blog`
    error: statement 1 of 1 failed: Table 'blog.us\001B[31mer' doesn't exist (MySQL 1146)
     --> scripts/schema/v2.sql:2:1
      |
    2 | UPDATE `us␛[31mer` SET email = '日本',  x = y;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     help: nothing of this script is applied; correct this one and run it again, it starts at 1
    ");
    insta::assert_snapshot!(failing("SELECT '日本', '\u{1b}[31m', 'a;\n"), @"
    error: the text that begins with `'` is never closed
     --> scripts/schema/v2.sql:1:23
      |
    1 | SELECT '日本', '␛[31m', 'a;
      |                         ^^^
     help: close the quote, or double it where it belongs to the text
    ");
    insta::assert_snapshot!(failing("SELECT 1;\nSELECT 'a\0b';\n"), @"
    error: a NUL byte stands here; the file is not text
     --> scripts/schema/v2.sql:2:10
      |
    2 | SELECT 'a␀b';
      |          ^
     help: save the file as UTF-8; UTF-16 has such bytes
    ");
}

#[test]
fn access_that_is_denied() {
    let database = users();
    let url = database
        .socket_url()
        .replace("root@", &format!("{}:wrong%40secret@", database.name));
    let unknown = database.run_at(&url, &["up"]);
    assert_eq!(unknown.code, 2);
    assert!(!unknown.stderr.contains("secret"));
    // For a name that it does not know, MySQL asks for a way to log in that differs by the name.
    if !program::is_mysql() {
        insta::assert_snapshot!(unknown.stderr, @"
        error: cannot connect to blog@SOCKET database `blog`: Access denied for user 'blog'@'localhost' (using password: YES) (MySQL 1045)
         help: check the user and the password, and that the account may connect from this machine
        ");
    }

    let mut root = database.connect();
    let user = format!("{}@localhost", database.name);
    root.say(&format!("CREATE USER {user} IDENTIFIED BY 'right'"));
    root.say(&format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON {}.* TO {user}",
        database.name
    ));
    database.write(
        "v2.sql",
        "ALTER TABLE users ADD COLUMN name VARCHAR(255);\n",
    );
    let url = database
        .socket_url()
        .replace("root@", &format!("{}:right@", database.name));
    let without_right = database.run_at(&url, &["up"]);
    assert_eq!(without_right.code, 1);
    insta::assert_snapshot!(without_right.stderr, @"
       Migrating blog@SOCKET database `blog`
    error: statement 1 of 1 failed: ALTER command denied to user 'blog'@'localhost' for table `blog`.`users` (MySQL 1142)
     --> scripts/schema/v2.sql:1:1
      |
    1 | ALTER TABLE users ADD COLUMN name VARCHAR(255);
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     help: nothing of this script is applied; correct this one and run it again, it starts at 1
    ");
}

#[test]
fn an_applied_statement_that_was_edited() {
    let database = users();
    database.write(
        "v1.sql",
        &USERS.replace("VARCHAR(255)", "VARCHAR(100) NOT NULL"),
    );
    let printed = database.run(&["up"]);
    assert_eq!(printed.code, 1);
    insta::assert_snapshot!(printed.stderr, @"
       Migrating root@SOCKET database `blog`
    error: statement 1 is applied already, with another text
     --> scripts/schema/v1.sql:3:3
      |
    1 | CREATE TABLE users (
    2 |   id INT PRIMARY KEY,
    3 |   email VARCHAR(100) NOT NULL
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^
     note: this line ran as
             email VARCHAR(255)
     help: restore its text, and write the change as a new statement in a new script
    ");
    assert_eq!(database.run(&["plan"]).code, 1);
}

#[test]
fn a_script_that_is_missing() {
    let database = users();
    database.write("v2_posts.sql", "CREATE TABLE posts (id INT PRIMARY KEY);\n");
    database.write("v3.sql", "CREATE TABLE tags (id INT PRIMARY KEY);\n");
    database.succeed(&["up"]);
    database.remove("v2_posts.sql");
    let printed = database.run(&["up"]);
    assert_eq!(printed.code, 1);
    insta::assert_snapshot!(printed.stderr, @"
       Migrating root@SOCKET database `blog`
    error: `scripts/schema/v2_posts.sql` is applied already, and is missing among the scripts
     note: its statement stays applied, and nothing was run
     help: restore the file as it was, from version control or from the journal: SELECT text FROM dayspring_statement WHERE version = 2 AND phase = 'expand' ORDER BY position; to undo what it did, write a new script
    ");
}

#[test]
fn a_server_that_is_not_there() {
    let database = Database::new();
    database.write("v1.sql", USERS);
    // Bound and not listening: nobody else gets the port meanwhile.
    let nobody = tokio::net::TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = nobody.local_addr().unwrap().port();
    let url = format!("mysql://app:secret@127.0.0.1:{port}/blog");
    let printed = database.run_at(&url, &["up"]);
    assert_eq!(printed.code, 2);
    insta::assert_snapshot!(printed.stderr.replace(&port.to_string(), "PORT"), @"
    error: cannot connect to app@127.0.0.1:PORT database `blog`: connection refused
     help: check the host and the port or the socket, and that the server runs and can be reached from here
    ");
    let nothing = database.printed(&database.command(&["up"]).output().unwrap());
    assert_eq!(nothing.code, 1);
    insta::assert_snapshot!(nothing.stderr, @"
    error: no database is named, and there is no dayspring.toml in .
     help: name a server with --database-url or the variable DATABASE_URL, or a project's folder with --dir
    ");
}
