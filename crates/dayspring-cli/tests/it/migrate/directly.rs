//! The commands on a database by its URL.

use serde_json::{Value, json};

use super::mariadb::{Database, authority, other_authority};

fn blog() -> Database {
    let database = Database::new();
    database.write(
        "v1.sql",
        "CREATE TABLE users (id INT PRIMARY KEY);\nINSERT INTO users VALUES (1);\nINSERT INTO users VALUES (2);\n",
    );
    database.write(
        "v2_posts.sql",
        "CREATE TABLE posts (\n  id INT PRIMARY KEY,\n  title VARCHAR(100) NOT NULL\n);\n",
    );
    database
}

#[test]
fn scripts_are_planned_applied_and_shown() {
    let database = blog();
    insta::assert_snapshot!(database.succeed(&["plan"]).stdout, @"
      #  LINE  CLASS    STATEMENT
    scripts/schema/v1.sql
      1     1  schema   CREATE TABLE users (id INT PRIMARY KEY)
      2     2  data     INSERT INTO users VALUES (1)
      3     3  data     INSERT INTO users VALUES (2)
    scripts/schema/v2_posts.sql
      1     1  schema   CREATE TABLE posts ( id INT PRIMARY KEY, title VARCHAR(10...
    ");
    let up = database.succeed(&["up"]);
    let (lines, last) = up.stderr.trim_end().rsplit_once('\n').unwrap();
    insta::assert_snapshot!(lines, @"
    Migrating root@SOCKET database `blog`
      Applied scripts/schema/v1.sql 1
      Applied scripts/schema/v1.sql 2 to 3
      Applied scripts/schema/v2_posts.sql 1
    ");
    assert!(
        last.starts_with("    Finished 4 statements applied, schema at v2, in "),
        "{last}"
    );
    insta::assert_snapshot!(database.succeed(&["status"]).stdout, @"
    SCRIPT                       STATE    STATEMENTS
    scripts/schema/v1.sql        applied  3 of 3
    scripts/schema/v2_posts.sql  applied  1 of 1
    ");
    insta::assert_snapshot!(database.succeed(&["plan"]).stdout, @"nothing to do: the schema is at v2");
    assert_eq!(database.rows("SELECT COUNT(*) FROM users"), ["2"]);
    assert_eq!(database.rows("SELECT owner FROM dayspring_lease"), [""]);
}

#[test]
fn everything_is_said_in_json_too() {
    let database = blog();
    let json = |arguments: &[&str]| -> Value {
        serde_json::from_str(&database.succeed(arguments).stdout).unwrap()
    };
    let plan = json(&["plan", "--json"]);
    assert_eq!(plan["version"], Value::Null);
    assert_eq!(plan["statements"].as_array().unwrap().len(), 4);
    assert_eq!(
        plan["statements"][3],
        json!({
            "script": "scripts/schema/v2_posts.sql", "version": 2, "phase": "expand", "line": 1, "number": 1,
            "class": "schema", "action": "run",
            "text": "CREATE TABLE posts (\n  id INT PRIMARY KEY,\n  title VARCHAR(100) NOT NULL\n)",
            "findings": plan["statements"][3]["findings"],
        })
    );
    assert_eq!(
        json(&["up", "--json"]),
        json!({
            "report": "4 statements applied, schema at v2", "version": 2, "applied": 4,
            "statements": [
                { "script": "scripts/schema/v1.sql", "first": 1, "last": 1 },
                { "script": "scripts/schema/v1.sql", "first": 2, "last": 3 },
                { "script": "scripts/schema/v2_posts.sql", "first": 1, "last": 1 },
            ],
        })
    );
    assert_eq!(
        json(&["plan", "--json"]),
        json!({ "version": 2, "applied": 4, "ahead": false, "statements": [], "contract": [] })
    );
    assert_eq!(
        json(&["status", "--json"])["scripts"][0],
        json!({
            "script": "scripts/schema/v1.sql", "version": 1, "phase": "expand", "state": "applied", "applied": 3,
            "statements": 3,
        })
    );
}

#[test]
fn the_url_may_come_from_the_environment() {
    let database = blog();
    let mut command = database.command(&["up"]);
    command.env("DATABASE_URL", database.socket_url());
    let printed = database.printed(&command.output().unwrap());
    assert_eq!(printed.code, 0, "{}", printed.stderr);
}

#[test]
fn two_databases_are_one_too_many() {
    let database = blog();
    let printed = database.run(&["up", "--stage", "dev"]);
    assert_eq!(printed.code, 1);
    assert!(
        printed.stderr.contains("'--stage <STAGE>'"),
        "{}",
        printed.stderr
    );
}

#[test]
fn tcp_is_encrypted_where_the_server_can_and_as_asked() {
    let database = blog();
    let proxy = database.proxy();
    let up = |parameters: &str| {
        let printed = database.run_at(&database.url_through(&proxy, parameters), &["up"]);
        (printed.code, printed.stderr)
    };
    for parameters in ["", "?ssl-mode=REQUIRED", "?ssl-mode=DISABLED"] {
        let (code, printed) = up(parameters);
        assert_eq!(code, 0, "{printed}");
    }
    // The proxy sees text only where nothing is encrypted, and each run reads the journal twice.
    let readable = proxy.commands();
    let (code, printed) = up("");
    assert_eq!(code, 0, "{printed}");
    assert_eq!(proxy.commands(), readable, "it is encrypted");

    let file = |path: std::path::PathBuf| path.display().to_string();
    let (ca, other) = (file(authority()), file(other_authority()));
    // By its address, which the certificate is not for, and by its name, which it is for.
    for (parameters, by_address, by_name) in [
        ("ssl-mode=VERIFY_IDENTITY".to_owned(), 2, 2),
        (format!("ssl-ca={ca}"), 2, 0),
        (format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={ca}"), 2, 0),
        (format!("ssl-mode=VERIFY_CA&ssl-ca={ca}"), 0, 0),
        (format!("ssl-mode=VERIFY_CA&ssl-ca={other}"), 2, 2),
        (format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={other}"), 2, 2),
    ] {
        let url = database.url_through(&proxy, &format!("?{parameters}"));
        let printed = database.run_at(&url, &["up"]);
        assert_eq!(printed.code, by_address, "{parameters}: {}", printed.stderr);
        let printed = database.run_at(&url.replace("127.0.0.1", "localhost"), &["up"]);
        assert_eq!(printed.code, by_name, "{parameters}: {}", printed.stderr);
    }
    assert_eq!(proxy.commands(), readable, "it is encrypted");

    proxy.hide_encryption();
    assert_eq!(up("").0, 0);
    let (code, printed) = up("?ssl-mode=REQUIRED");
    assert_eq!(code, 2);
    assert!(
        printed.contains("the server has no encryption"),
        "{printed}"
    );
}

#[test]
fn what_is_wrong_with_a_certificate_is_said_in_words() {
    let database = blog();
    let proxy = database.proxy();
    let port = proxy.port().to_string();
    let nonsense = database.folder().join("nonsense.pem");
    std::fs::write(&nonsense, "nothing").unwrap();
    let file = |path: &std::path::Path| path.display().to_string();
    let shown = |parameters: &str| {
        let url = database.url_through(&proxy, &format!("?{parameters}"));
        let printed = database.run_at(&url, &["status"]);
        assert_ne!(printed.code, 0);
        let text = printed.stderr.replace(&port, "PORT");
        text.replace(&file(&nonsense), "nonsense.pem")
    };
    let own = format!("ssl-ca={}", file(&authority()));
    let other = format!("ssl-mode=VERIFY_CA&ssl-ca={}", file(&other_authority()));
    insta::assert_snapshot!(shown(&own), @r#"
    error: cannot connect to root@127.0.0.1:PORT database `blog`: the server's certificate is not for name "127.0.0.1"; certificate is only valid for DnsName("localhost")
     help: connect by a name that the certificate is for, or check the authority alone: ssl-mode=VERIFY_CA
    "#);
    insta::assert_snapshot!(shown(&other), @"
    error: cannot connect to root@127.0.0.1:PORT database `blog`: the server's certificate is from an authority that is not trusted
     help: name the authority of the server's certificate with ssl-ca=FILE, or encrypt without checking: ssl-mode=REQUIRED
    ");
    insta::assert_snapshot!(shown("ssl-ca=/nowhere/ca.pem"), @"
    error: the database URL names authorities in `/nowhere/ca.pem`, which cannot be read: No such file or directory (os error 2)
     help: write ?ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE, where FILE holds the certificates of the authorities to trust, as PEM; VERIFY_CA accepts a certificate of theirs for whatever name
    ");
    insta::assert_snapshot!(shown(&format!("ssl-ca={}", file(&nonsense))), @"
    error: the database URL names authorities in `nonsense.pem`, which holds no certificate
     help: write ?ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE, where FILE holds the certificates of the authorities to trust, as PEM; VERIFY_CA accepts a certificate of theirs for whatever name
    ");
    insta::assert_snapshot!(shown("ssl-mode=VERIFY_CA"), @"
    error: the database URL has `ssl-mode=VERIFY_CA` without `ssl-ca=FILE`: every server of the web has a certificate of some authority
     help: write ?ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE, where FILE holds the certificates of the authorities to trust, as PEM; VERIFY_CA accepts a certificate of theirs for whatever name
    ");
}

#[test]
fn what_a_script_sets_ends_with_it() {
    let database = Database::new();
    database.write(
        "v1.sql",
        "SET NAMES latin1;\nSET sql_mode = 'ANSI_QUOTES', foreign_key_checks = 0;\n\
         USE mysql;\nCREATE TABLE test_only_here.t (id INT);\n"
            .replace("test_only_here", &database.name)
            .as_str(),
    );
    database.write(
        "v2.sql",
        "CREATE TABLE modes (mode VARCHAR(50), checks INT, charset TEXT);\n\
         INSERT INTO modes SELECT @@sql_mode LIKE '%ANSI%', @@foreign_key_checks, @@character_set_client;\n\
         INSERT INTO modes VALUES (\"dé\", 0, 'x');\n",
    );
    database.succeed(&["up"]);
    assert_eq!(
        database.rows("SELECT mode, checks, charset FROM modes ORDER BY checks DESC"),
        ["0 1 utf8mb4", "dé 0 x"]
    );
    // The journal's own texts do not pass through a script's character set.
    database.write(
        "v3.sql",
        "SET NAMES latin1;\nINSERT INTO modes VALUES ('\\\\é', 2, '');\n",
    );
    database.succeed(&["up"]);
    assert_eq!(
        database.rows("SELECT HEX(SUBSTRING(text, 28, 3)) FROM dayspring_statement WHERE version = 3 AND position = 2"),
        ["5C5CC3A9"]
    );
}

#[test]
fn new_numbers_the_next_script() {
    let database = Database::new();
    let new = |name: &str| database.printed(&database.command(&["new", name]).output().unwrap());
    assert_eq!(
        new("create_users").stdout,
        "scripts/schema/v1_create_users.sql\n"
    );
    database.write("v9.contract.sql", "DROP TABLE x;");
    assert_eq!(
        new("add-email").stdout,
        "scripts/schema/v10_add-email.sql\n"
    );
    let text = std::fs::read_to_string(database.folder().join("scripts/schema/v10_add-email.sql"));
    insta::assert_snapshot!(text.unwrap(), @"
    -- add email
    --
    -- Once a statement here is applied it stays as it is; a later change is a new script.
    ");
    let refused = new("../up");
    assert_eq!(refused.code, 1);
    insta::assert_snapshot!(refused.stderr, @"
    error: `../up` cannot name a script
     help: use letters, digits, `_` and `-`, as in `add_email`
    ");
}

#[test]
fn a_statement_that_is_longer_than_the_server_takes_is_refused_with_its_place() {
    let database = Database::new();
    // MariaDB takes 16 MiB.
    let long = "x".repeat(17 * 1024 * 1024);
    let script = |text: &str| {
        format!(
            "CREATE TABLE t (a LONGTEXT);\nINSERT INTO t VALUES ('a');\nINSERT INTO t VALUES ('{text}');\nINSERT INTO t VALUES ('c');\n"
        )
    };
    database.write("v1.sql", &script(&long));
    let failed = database.run(&["up"]);
    assert_eq!(failed.code, 1);
    let refusal = "error: statement 3 of 4 failed: the statement has 17825817 bytes, and the server's `max_allowed_packet` is 16777216 (MySQL 1153)\n --> scripts/schema/v1.sql:3:1\n";
    assert!(failed.stderr.contains(refusal), "{:.2000}", failed.stderr);
    assert_eq!(database.rows("SELECT COUNT(*) FROM t"), ["1"]);
    database.write("v1.sql", &script("b"));
    database.succeed(&["up"]);
    assert_eq!(database.rows("SELECT a FROM t ORDER BY a"), ["a", "b", "c"]);
}
