//! Cases of single rules beyond their examples, each with the rules that it gives.

use super::*;

#[track_caller]
fn gives(applied: &str, text: &str, expected: &[&str]) {
    let findings = Project::new(applied, text)
        .lint(&LintContext::default())
        .unwrap();
    let found: Vec<&str> = findings.iter().map(|finding| finding.rule.name).collect();
    assert_eq!(found, expected, "{text}\n{}", render_text(&findings));
}

/// As `gives`, for one clause with an algorithm that keeps other rules silent.
#[track_caller]
fn clause_gives(columns: &str, clause: &str, expected: &[&str]) {
    let applied = format!("CREATE TABLE t (id BIGINT PRIMARY KEY, {columns});");
    let text = format!("ALTER TABLE t {clause}, ALGORITHM=DEFAULT;");
    gives(&applied, &text, expected);
}

const TWO: &str =
    "CREATE TABLE a (id BIGINT PRIMARY KEY);\nCREATE TABLE b (id BIGINT PRIMARY KEY);";

#[test]
fn tables_are_renamed_and_dropped() {
    gives(
        TWO,
        "DROP TABLE IF EXISTS a, b;",
        &["drop-table", "drop-table"],
    );
    gives(TWO, "ALTER TABLE a RENAME TO c;", &["rename-table"]);
    gives(TWO, "ALTER TABLE a RENAME AS `c`;", &["rename-table"]);
    gives(TWO, "RENAME TABLE a TO _old_a;", &["rename-table"]);
    gives(TWO, "CREATE TABLE c LIKE a;\nRENAME TABLE c TO d;", &[]);
    gives(
        TWO,
        "CREATE TABLE new LIKE a;\nRENAME TABLE a TO _old_a, new TO a;",
        &[],
    );
    gives(
        TWO,
        "ALTER TABLE a RENAME INDEX x TO y, ALGORITHM=INPLACE, LOCK=NONE;",
        &[],
    );
    gives(TWO, "DROP SCHEMA IF EXISTS blog;", &["drop-database"]);
    gives(TWO, "DROP VIEW v;", &[]);
}

#[test]
fn a_guard_before_a_table_that_is_not_there_loses_nothing() {
    let dump = "DROP TABLE IF EXISTS a;\nCREATE TABLE a (id BIGINT PRIMARY KEY);";
    let found = |files: &[(&str, &str)], sizes: &[&str]| {
        let scripts = Scripts::parse("", files.iter().copied()).unwrap();
        let sizes = sizes
            .iter()
            .map(|name| ((*name).to_owned(), TableSize::default()));
        let context = LintContext {
            table_sizes: sizes.collect(),
            ..LintContext::default()
        };
        lint(&scripts, &context).len()
    };
    // The first script of an empty database, and one whose tables are known.
    assert_eq!(found(&[("v1.sql", dump)], &[]), 0);
    assert_eq!(
        found(&[("v1.sql", "SELECT 1;"), ("v2.sql", dump)], &["b"]),
        0
    );
    assert_eq!(
        found(&[("v1.sql", "SELECT 1;"), ("v2.sql", dump)], &["a"]),
        1
    );
    assert_eq!(found(&[("v1.sql", "SELECT 1;"), ("v2.sql", dump)], &[]), 1);
    assert_eq!(found(&[("v1.sql", dump)], &["a"]), 1);
}

#[test]
fn a_unique_index_may_take_another_name() {
    let check = clause_gives;
    let both = "DROP INDEX u, ADD UNIQUE INDEX w (c)";
    check("c INT, UNIQUE KEY u (c)", both, &[]);
    check("c INT, UNIQUE KEY u (c)", "ADD UNIQUE w (c, id)", &[]);
    check("c INT, d INT, UNIQUE KEY u (c, d)", both, &["add-unique"]);
    let wider = "DROP INDEX u, ADD UNIQUE INDEX w (c, d)";
    check(
        "c INT, d INT, UNIQUE KEY u (c)",
        wider,
        &["drop-constraint"],
    );
}

#[test]
fn columns_change_their_types() {
    let check = clause_gives;
    check("c INT UNSIGNED", "MODIFY c INT", &["narrow-type"]);
    check("c INT", "MODIFY c SMALLINT", &["narrow-type"]);
    check("c INT UNSIGNED", "MODIFY c BIGINT", &["change-type"]);
    check("c TEXT", "MODIFY c VARCHAR(100)", &["narrow-type"]);
    check("c TEXT", "MODIFY c MEDIUMTEXT", &["change-type"]);
    check(
        "c DECIMAL(10, 2)",
        "MODIFY c DECIMAL(10, 3)",
        &["narrow-type"],
    );
    check(
        "c DECIMAL(10, 2)",
        "MODIFY c DECIMAL(12, 2)",
        &["change-type"],
    );
    check("c DATETIME", "MODIFY c DATE", &["narrow-type"]);
    check("c INT(11)", "MODIFY c INT", &[]);
    check("c INTEGER", "MODIFY c INT", &[]);
    check("c BOOL", "MODIFY c TINYINT(1)", &[]);
    check("c VARCHAR(64)", "MODIFY c VARCHAR(80)", &[]);
    check(
        "c VARCHAR(60) CHARACTER SET ascii",
        "MODIFY c VARCHAR(255) CHARACTER SET ascii",
        &[],
    );
    check(
        "c VARCHAR(60) CHARACTER SET ascii",
        "MODIFY c VARCHAR(60) CHARACTER SET utf8mb4",
        &["change-type"],
    );
    check("c ENUM('a', 'b')", "MODIFY c ENUM('a')", &["enum-members"]);
    check("c SET('a')", "MODIFY c SET('a', 'b')", &[]);
    check("c INT", "CHANGE c d INT", &["rename-column"]);
    check("c INT", "CHANGE COLUMN c C INT", &[]);
}

#[test]
fn definitions_that_are_said_anew_can_forget() {
    let check = clause_gives;
    check("c INT NOT NULL", "MODIFY c INT", &["modify-forgets"]);
    check("c INT NOT NULL", "MODIFY c INT NULL", &[]);
    check(
        "c INT DEFAULT 1 COMMENT 'x'",
        "MODIFY c INT",
        &["modify-forgets"],
    );
    check("c INT DEFAULT 1", "MODIFY c INT DEFAULT NULL", &[]);
    check("c INT", "MODIFY id BIGINT", &[]);
    check("c INT", "MODIFY c INT NOT NULL", &["set-not-null"]);
}

#[test]
fn columns_are_added() {
    let check = clause_gives;
    check("c INT", "ADD d INT NOT NULL", &["not-null-without-default"]);
    check("c INT", "ADD d INT NOT NULL DEFAULT 0", &[]);
    check(
        "c INT",
        "ADD d DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP",
        &[],
    );
    check("c INT", "ADD d INT AS (c + 1)", &[]);
    check(
        "c INT",
        "ADD d INT GENERATED ALWAYS AS (c + 1) STORED NOT NULL",
        &["add-column-copies"],
    );
    check(
        "c INT",
        "ADD (d INT, e INT NOT NULL)",
        &["not-null-without-default"],
    );
    check("c INT", "ADD COLUMN d INT UNIQUE", &[]);
    check(
        "c INT",
        "ADD COLUMN d INT CHECK (d > 0)",
        &["add-check", "unnamed-constraint"],
    );
    check("c INT, FULLTEXT KEY f (c)", "ADD d INT", &[]);
}

#[test]
fn keys_come_and_go() {
    let check = clause_gives;
    check(
        "c INT",
        "ADD PRIMARY KEY (c), DROP PRIMARY KEY",
        &["add-unique"],
    );
    check("c INT", "DROP PRIMARY KEY", &["drop-constraint"]);
    check("c INT", "ADD INDEX (c)", &["unnamed-constraint"]);
    check(
        "c INT",
        "ADD INDEX i (c), ADD INDEX j (c, id)",
        &["redundant-index"],
    );
    check(
        "c INT, INDEX i (c)",
        "DROP INDEX i, ADD INDEX j (c, id)",
        &[],
    );
    check("c INT, INDEX i (c) INVISIBLE", "DROP INDEX i", &[]);
    check(
        "c INT, UNIQUE i (c)",
        "ADD INDEX j (c)",
        &["redundant-index"],
    );
    check("c INT, INDEX i (c)", "ADD INDEX j (c, id)", &[]);
    check("c VARCHAR(9), INDEX i (c(3))", "ADD INDEX j (c)", &[]);
    check("c INT, UNIQUE i (c)", "DROP KEY i", &["drop-constraint"]);
    check("c INT UNIQUE", "DROP KEY c", &["drop-constraint"]);
    check("c INT", "ADD SPATIAL INDEX s (c)", &["blocking-index"]);
    gives(
        "CREATE TABLE a (id BIGINT PRIMARY KEY, c INT);",
        "CREATE UNIQUE INDEX i ON a (c) ALGORITHM=INPLACE LOCK=NONE;",
        &["add-unique"],
    );
    gives(
        TWO,
        "CREATE INDEX i ON a (id);",
        &["no-algorithm", "redundant-index"],
    );
}

#[test]
fn foreign_keys_have_to_fit() {
    let parent =
        "CREATE TABLE p (id INT PRIMARY KEY, code VARCHAR(9) CHARACTER SET latin1, INDEX (code));";
    let child = |column: &str, to: &str| {
        format!(
            "CREATE TABLE c (id BIGINT PRIMARY KEY, x {column}, CONSTRAINT f FOREIGN KEY (x) REFERENCES p ({to}));"
        )
    };
    gives(parent, &child("INT", "id"), &[]);
    gives(parent, &child("BIGINT", "id"), &["foreign-key-mismatch"]);
    gives(parent, &child("INT", "none"), &["foreign-key-mismatch"]);
    gives(
        parent,
        &child("VARCHAR(20) CHARACTER SET latin1", "code"),
        &[],
    );
    gives(
        parent,
        &child("VARCHAR(9) CHARACTER SET utf8mb4", "code"),
        &["foreign-key-mismatch"],
    );
    let unindexed = "CREATE TABLE p (id INT PRIMARY KEY, n INT);";
    gives(unindexed, &child("INT", "n"), &["foreign-key-mismatch"]);
    let itself = "CREATE TABLE tree (id INT PRIMARY KEY, up INT, CONSTRAINT f FOREIGN KEY (up) REFERENCES tree (id));";
    gives("SELECT 1;", itself, &[]);
}

#[test]
fn options_may_stand_in_quotes() {
    gives(
        "SELECT 1;",
        "CREATE TABLE t (id BIGINT PRIMARY KEY) ENGINE='MyISAM';",
        &["not-innodb"],
    );
    gives(
        "SELECT 1;",
        "CREATE TABLE t (id BIGINT PRIMARY KEY) CHARACTER SET = 'utf8';",
        &["utf8mb3"],
    );
    gives(TWO, "ALTER TABLE a ENGINE=MyISAM;", &["not-innodb"]);
    gives(
        TWO,
        "ALTER TABLE a ENGINE=InnoDB, ALGORITHM=INPLACE, LOCK=NONE;",
        &[],
    );
}

#[test]
fn rows_change() {
    gives(TWO, "DELETE FROM a;", &["unbounded-rows"]);
    gives(TWO, "DELETE FROM a LIMIT 10;", &[]);
    gives(TWO, "DELETE a FROM a JOIN b USING (id);", &[]);
    gives(
        TWO,
        "WITH x AS (SELECT 1) UPDATE a SET id = 1;",
        &["unbounded-rows"],
    );
    gives(TWO, "INSERT INTO a SELECT * FROM b;", &[]);
    gives(
        TWO,
        "CREATE TABLE c (id BIGINT PRIMARY KEY);\nINSERT INTO c VALUES (1);\nDELETE FROM c;",
        &[],
    );
    gives(
        TWO,
        "CREATE TABLE c (id BIGINT PRIMARY KEY);\nINSERT INTO a VALUES (1);\nINSERT INTO b VALUES (1);",
        &["mixed-script"],
    );
    gives(
        TWO,
        "INSERT INTO a VALUES ('0000-00-00 00:00:00');",
        &["zero-date"],
    );
}

#[test]
fn statements_of_the_server_are_told_apart() {
    gives(
        TWO,
        "SET @@persist.max_connections = 1;",
        &["server-setting"],
    );
    gives(TWO, "SET autocommit = 0;", &["transaction-control"]);
    gives(TWO, "BEGIN;", &["transaction-control"]);
    gives(TWO, "LOCK TABLES a WRITE;", &["session-state"]);
    gives(
        TWO,
        "CREATE TEMPORARY TABLE x (id INT);",
        &["session-state"],
    );
    gives(TWO, "SELECT 1 INTO OUTFILE 'x';", &["forbidden-statement"]);
    gives(
        TWO,
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE a;",
        &["forbidden-statement"],
    );
    gives(TWO, "CREATE USER IF NOT EXISTS reader;", &["account"]);
    gives(TWO, "SET PASSWORD = 'x';", &["account"]);
    gives(
        TWO,
        "CREATE DEFINER = CURRENT_USER VIEW v AS SELECT 1;",
        &[],
    );
    gives(
        TWO,
        "CREATE DEFINER = `x`@`%` PROCEDURE p() SELECT 1;",
        &["definer"],
    );
    gives(TWO, "CREATE OR REPLACE VIEW v AS SELECT 1;", &[]);
    gives(
        TWO,
        "CREATE OR REPLACE TABLE t (id INT PRIMARY KEY);",
        &["undecidable", "mariadb-or-replace"],
    );
}

#[test]
fn what_only_mariadb_takes_is_found_in_every_form() {
    gives(
        TWO,
        "CREATE INDEX IF NOT EXISTS i ON a (id) ALGORITHM=INPLACE LOCK=NONE;",
        &["redundant-index", "mariadb-if-exists"],
    );
    gives(
        TWO,
        "DROP INDEX IF EXISTS i ON a ALGORITHM=INPLACE LOCK=NONE;",
        &["drop-index", "mariadb-if-exists"],
    );
    gives(
        TWO,
        "ALTER TABLE IF EXISTS a ADD c INT, ALGORITHM=INSTANT;",
        &["mariadb-if-exists"],
    );
    gives(
        TWO,
        "ALTER TABLE a ADD COLUMN IF NOT EXISTS (c INT, d INT), ALGORITHM=INSTANT;",
        &["mariadb-if-exists"],
    );
    gives(
        TWO,
        "ALTER TABLE a ADD INDEX IF NOT EXISTS i (id, id), ALGORITHM=INPLACE, LOCK=NONE;",
        &["mariadb-if-exists"],
    );
    gives(TWO, "DROP TABLE IF EXISTS elsewhere;", &["drop-table"]);
    gives(TWO, "SELECT NEXT VALUE FOR s;", &["mariadb-sequence"]);
    gives(
        TWO,
        "DELETE FROM a WHERE id = 1 RETURNING id;",
        &["mariadb-returning"],
    );
    gives(
        TWO,
        "ALTER TABLE a ADD c JSON DEFAULT '[]', ALGORITHM=INSTANT;",
        &["mariadb-default"],
    );
    gives(
        TWO,
        "ALTER TABLE a ADD c BIT DEFAULT b'0', ADD d FLOAT DEFAULT -1.5, ALGORITHM=INSTANT;",
        &[],
    );
    gives(
        TWO,
        "CREATE TABLE c (id BIGINT PRIMARY KEY, n VARCHAR(9) COLLATE = utf8mb4_uca1400_ai_ci);",
        &["mariadb-collation"],
    );
    gives(
        TWO,
        "CREATE TABLE `rank` (id BIGINT PRIMARY KEY, `system` INT, INDEX lead (id, `system`));",
        &["reserved-word"],
    );
    gives(
        TWO,
        "CREATE TABLE c (id BIGINT PRIMARY KEY, row INT, schema INT, `option` INT);",
        &["reserved-word", "reserved-word"],
    );
    gives(
        TWO,
        "ALTER TABLE a NOWAIT ADD c INT, ALGORITHM=INSTANT;",
        &["mariadb-wait"],
    );
}

#[test]
fn a_copy_is_said_once_and_by_the_rule_that_knows_why() {
    let table = "CREATE TABLE t (id BIGINT PRIMARY KEY, n INT, s TEXT, FULLTEXT INDEX words (s));";
    gives(table, "ALTER TABLE t ADD COLUMN a INT;", &["copies-table"]);
    gives(table, "ALTER TABLE t FORCE;", &["copies-table"]);
    gives(
        table,
        "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (id, n);",
        &["copies-table"],
    );
    gives(
        table,
        "ALTER TABLE t ADD COLUMN a INT DEFAULT (1 + 1);",
        &["add-column-copies"],
    );
    gives(table, "ALTER TABLE t MODIFY n BIGINT;", &["change-type"]);
    gives(
        table,
        "ALTER TABLE t MODIFY n INT NOT NULL;",
        &["copies-table", "set-not-null"],
    );
    let plain = "CREATE TABLE t (id BIGINT PRIMARY KEY, n INT, s VARCHAR(50));";
    gives(
        plain,
        "ALTER TABLE t ADD UNIQUE INDEX x ((n + 1));",
        &["copies-table", "add-unique"],
    );
    gives(
        plain,
        "ALTER TABLE t PARTITION BY HASH (id) PARTITIONS 4;",
        &["copies-table"],
    );
    gives(
        "CREATE TABLE t (id BIGINT PRIMARY KEY, s VARCHAR(50), INDEX by_s (s));",
        "ALTER TABLE t MODIFY s VARCHAR(50) COLLATE utf8mb4_bin;",
        &["change-type"],
    );
}

#[test]
fn a_unique_index_that_loses_a_column_may_fail() {
    let table =
        "CREATE TABLE t (id BIGINT PRIMARY KEY, a INT, b INT, UNIQUE INDEX u (a, b), INDEX i (b));";
    let findings = Project::new(
        table,
        "-- file: v2.contract.sql\nALTER TABLE t DROP COLUMN b, ALGORITHM=INPLACE, LOCK=NONE;",
    )
    .lint(&LintContext::default())
    .unwrap();
    assert_eq!(
        findings[0].message,
        "the unique index `u` is left with (a): this fails if two rows of `t` are alike in it"
    );
    gives(
        table,
        "-- file: v2.contract.sql\nALTER TABLE t DROP COLUMN b, DROP INDEX u, ALGORITHM=INPLACE, LOCK=NONE;",
        &[],
    );
}

#[test]
fn a_unique_index_over_what_is_not_null_names_a_row() {
    let columns = "a INT NOT NULL, b INT NOT NULL, c INT";
    for (table, expected) in [
        (
            format!("({columns}, UNIQUE INDEX u (a, b))"),
            &[] as &[&str],
        ),
        ("(a INT NOT NULL UNIQUE)".to_owned(), &[]),
        (
            format!("({columns}, UNIQUE INDEX u (a, c))"),
            &["no-primary-key"],
        ),
        ("AS SELECT 1 AS a".to_owned(), &["no-primary-key"]),
        ("(PRIMARY KEY (a)) SELECT 1 AS a".to_owned(), &[]),
        ("(SELECT 1 AS a)".to_owned(), &["no-primary-key"]),
    ] {
        gives("SELECT 1;", &format!("CREATE TABLE t {table};"), expected);
    }
}

#[test]
fn names_that_mysql_reserves_are_found() {
    for word in ["groups", "option", "row", "schema", "database", "rank"] {
        gives(
            "SELECT 1;",
            &format!("CREATE TABLE t (id BIGINT PRIMARY KEY, {word} INT);"),
            &["reserved-word"],
        );
    }
    gives(
        "CREATE TABLE t (id BIGINT PRIMARY KEY, a INT);",
        "ALTER TABLE t RENAME COLUMN IF EXISTS a TO b, ALGORITHM=INSTANT;",
        &["rename-column", "mariadb-if-exists"],
    );
}

#[test]
fn foreign_keys_compare_kinds_and_collations_and_not_lengths() {
    for (parent, own, expected) in [
        ("CHAR(10)", "VARCHAR(20)", &[] as &[&str]),
        ("BINARY(16)", "VARBINARY(16)", &[]),
        ("DATETIME", "TIMESTAMP NULL", &[]),
        ("FLOAT", "DOUBLE", &["foreign-key-mismatch"]),
        (
            "VARCHAR(10) COLLATE utf8mb4_bin",
            "VARCHAR(10) COLLATE utf8mb4_unicode_ci",
            &["foreign-key-mismatch"],
        ),
        ("VARCHAR(10) COLLATE utf8mb4_bin", "VARCHAR(10)", &[]),
        ("INT", "INT AS (id) VIRTUAL", &["foreign-key-mismatch"]),
    ] {
        gives(
            &format!("CREATE TABLE u (id {parent} PRIMARY KEY);"),
            &format!(
                "CREATE TABLE t (id INT PRIMARY KEY, a {own}, CONSTRAINT f FOREIGN KEY (a) REFERENCES u (id));"
            ),
            expected,
        );
    }
}

#[test]
fn a_new_column_with_one_value_for_all_rows_is_not_unique() {
    let table = "CREATE TABLE t (id BIGINT PRIMARY KEY);";
    let unique = |column: &str| {
        format!(
            "ALTER TABLE t ADD COLUMN a INT {column}, ADD UNIQUE INDEX x (a), ALGORITHM=DEFAULT;"
        )
    };
    gives(table, &unique(""), &["mixed-alter"]);
    gives(table, &unique("DEFAULT NULL"), &["mixed-alter"]);
    gives(
        table,
        &unique("NULL DEFAULT 1"),
        &["mixed-alter", "add-unique"],
    );
    gives(
        table,
        "ALTER TABLE t ADD COLUMN a INT DEFAULT 1 UNIQUE, ALGORITHM=DEFAULT;",
        &["add-unique"],
    );
}

#[test]
fn the_columns_of_a_primary_key_stay_not_null() {
    let table = "CREATE TABLE t (id INT NOT NULL, a INT, PRIMARY KEY (id));\nALTER TABLE t MODIFY id BIGINT;";
    gives(
        table,
        "ALTER TABLE t MODIFY id BIGINT NOT NULL COMMENT 'x', ALGORITHM=INSTANT;",
        &[],
    );
    gives(
        table,
        "ALTER TABLE t MODIFY id BIGINT COMMENT 'x', ALGORITHM=INSTANT;",
        &[],
    );
}

#[test]
fn a_collation_that_is_not_said_again_is_gone() {
    clause_gives(
        "s VARCHAR(50) COLLATE utf8mb4_bin",
        "MODIFY s VARCHAR(60)",
        &["modify-forgets"],
    );
    clause_gives(
        "s VARCHAR(50) COLLATE utf8mb4_bin",
        "MODIFY s VARCHAR(60) COLLATE utf8mb4_bin",
        &[],
    );
}

#[test]
fn a_dropped_column_leaves_its_indexes() {
    let table = "CREATE TABLE t (id BIGINT PRIMARY KEY, a INT, b INT, INDEX i (a, b));\nALTER TABLE t DROP COLUMN a;";
    gives(
        table,
        "ALTER TABLE t ADD INDEX j (b), ALGORITHM=INPLACE, LOCK=NONE;",
        &["redundant-index"],
    );
}

#[test]
fn only_a_rebuild_starts_the_count_of_row_versions_anew() {
    let many = "ALTER TABLE t ADD COLUMN c INT;\nALTER TABLE t DROP COLUMN c;\n".repeat(32);
    let last = "ALTER TABLE t ADD COLUMN last INT, ALGORITHM=INSTANT;";
    for (between, expected) in [
        ("MODIFY n INT COMMENT 'x'", &["row-versions"] as &[&str]),
        ("ADD INDEX i (n)", &["row-versions"]),
        ("MODIFY n BIGINT", &[]),
        ("FORCE", &[]),
        ("ADD COLUMN m INT, ALGORITHM=INPLACE", &[]),
    ] {
        let table = format!(
            "CREATE TABLE t (id BIGINT PRIMARY KEY, n INT);\n{many}ALTER TABLE t {between};"
        );
        gives(&table, last, expected);
    }
}
