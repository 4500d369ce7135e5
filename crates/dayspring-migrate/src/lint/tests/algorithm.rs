//! How a server carries changes out, clause by clause.

use crate::lint::algorithm::{AlgorithmClass, effect_of};
use crate::lint::context::{MySqlVersion, Target};
use crate::lint::reader::{Read, read, read_tokens};
use crate::lint::schema::Schema;

const TABLE: &str = "CREATE TABLE t (id BIGINT PRIMARY KEY, i INT NOT NULL, s VARCHAR(50), \
                     l VARCHAR(50) CHARACTER SET latin1, e ENUM('a', 'b'), v INT AS (i + 1), \
                     n INT, k INT, ks VARCHAR(50), x INT UNIQUE, u VARCHAR(60) CHARACTER SET utf8mb3, \
                     w VARCHAR(80) CHARACTER SET utf8, m TEXT CHARACTER SET utf8mb3, d DECIMAL, \
                     z SET('a', 'b', 'c', 'd', 'e', 'f', 'g'), p INT, c INT, \
                     INDEX by_k (k), INDEX by_ks (ks), CONSTRAINT f FOREIGN KEY (p) REFERENCES u (id), \
                     CONSTRAINT positive CHECK (c > 0))";

#[track_caller]
fn check(target: Target, clause: &str, expected: &str) {
    check_for(TABLE, target, clause, expected);
}

#[track_caller]
fn check_for(table: &str, target: Target, clause: &str, expected: &str) {
    let sql = format!("ALTER TABLE t {clause}");
    let mut schema = Schema::default();
    schema.apply(&read(&read_tokens(table, 0)), false);
    let Read::Alter(alter) = read(&read_tokens(&sql, 0)) else {
        panic!("{sql} was not read");
    };
    let effect = effect_of(&alter, schema.table(&alter.table), target, None);
    let mut found = effect.class.to_string();
    if effect.class == AlgorithmClass::Inplace {
        found.push_str(if effect.rebuilds { " rebuild" } else { "" });
        found.push_str(if effect.lets_write { "" } else { " shared" });
    }
    assert_eq!(found, expected, "{clause}");
}

// The rows of the tables in 'Online DDL Operations' of MySQL 8.0's manual; MySQL 9.7.4 does the same.
#[test]
fn the_classes_are_those_of_the_manual() {
    for (clause, expected) in [
        ("ADD COLUMN a INT", "INSTANT"),
        ("ADD COLUMN a INT NOT NULL DEFAULT 1 AFTER id", "INSTANT"),
        ("ADD COLUMN a INT AS (i * 2) VIRTUAL", "INSTANT"),
        ("ADD COLUMN a INT AS (i * 2) STORED", "COPY"),
        ("ADD COLUMN a CHAR(36) DEFAULT (uuid())", "COPY"),
        ("ADD COLUMN a INT CHECK (a > 0)", "COPY"),
        (
            "ADD COLUMN a BIGINT AUTO_INCREMENT UNIQUE",
            "INPLACE rebuild shared",
        ),
        ("DROP COLUMN n", "INSTANT"),
        ("RENAME COLUMN i TO j", "INSTANT"),
        ("CHANGE i j INT NOT NULL", "INSTANT"),
        ("ALTER COLUMN i SET DEFAULT 1", "INSTANT"),
        ("ALTER COLUMN i DROP DEFAULT", "INSTANT"),
        ("MODIFY i BIGINT NOT NULL", "COPY"),
        ("MODIFY i INT", "INPLACE rebuild"),
        ("MODIFY s VARCHAR(50) NOT NULL", "INPLACE rebuild"),
        ("MODIFY s VARCHAR(50) AFTER id", "INPLACE rebuild"),
        ("MODIFY s VARCHAR(63)", "INPLACE"),
        ("MODIFY s VARCHAR(64)", "COPY"),
        ("MODIFY s VARCHAR(40)", "COPY"),
        ("MODIFY l VARCHAR(255) CHARACTER SET latin1", "INPLACE"),
        ("MODIFY l VARCHAR(256) CHARACTER SET latin1", "COPY"),
        ("MODIFY l VARCHAR(50) CHARACTER SET utf8mb4", "COPY"),
        ("MODIFY l VARCHAR(50) COLLATE latin1_bin", "INPLACE"),
        ("MODIFY v INT AS (i + 2)", "unknown"),
        ("MODIFY e ENUM('a', 'b', 'c')", "INSTANT"),
        ("MODIFY e ENUM('b', 'a')", "COPY"),
        ("ADD INDEX x (i)", "INPLACE"),
        ("ADD UNIQUE x (i)", "INPLACE"),
        ("ADD FULLTEXT x (s)", "INPLACE rebuild shared"),
        ("DROP INDEX x", "INPLACE"),
        ("RENAME INDEX x TO y", "INPLACE"),
        ("DROP PRIMARY KEY", "COPY"),
        ("DROP PRIMARY KEY, ADD PRIMARY KEY (i)", "INPLACE rebuild"),
        ("ADD CONSTRAINT f FOREIGN KEY (i) REFERENCES u (id)", "COPY"),
        ("DROP FOREIGN KEY f", "INPLACE"),
        ("ADD CONSTRAINT c CHECK (i > 0)", "COPY"),
        ("ADD CONSTRAINT c CHECK (i > 0) NOT ENFORCED", "INSTANT"),
        ("CONVERT TO CHARACTER SET utf8mb4", "COPY"),
        ("ENGINE=InnoDB", "INPLACE rebuild"),
        ("ENGINE=MyISAM", "COPY"),
        ("FORCE", "INPLACE rebuild"),
        ("COMMENT='x'", "INPLACE"),
        ("RENAME TO u", "INSTANT"),
        ("ADD COLUMN a INT, ADD INDEX x (i)", "INPLACE rebuild"),
        ("ALTER COLUMN i SET DEFAULT 1, ADD INDEX x (i)", "INPLACE"),
        (
            "REORGANIZE PARTITION p INTO (PARTITION q)",
            "INPLACE rebuild shared",
        ),
    ] {
        check(Target::AURORA_MYSQL_3, clause, expected);
    }
}

// What the manual does not say, as MySQL 9.7.4 does it (2026-11-23).
#[test]
fn the_classes_are_those_of_a_server() {
    for (clause, expected) in [
        ("ADD COLUMN a DATE NOT NULL", "INPLACE rebuild"),
        ("ADD COLUMN a POINT NOT NULL", "INPLACE rebuild"),
        ("ADD COLUMN a TIMESTAMP NOT NULL", "INSTANT"),
        ("ADD COLUMN a INT REFERENCES u (id)", "INSTANT"),
        ("DROP COLUMN k", "INPLACE rebuild"),
        ("DROP COLUMN x", "INPLACE rebuild"),
        ("DROP COLUMN id", "COPY"),
        ("DROP COLUMN v", "INSTANT"),
        ("DROP COLUMN v, DROP COLUMN n", "INSTANT"),
        ("DROP COLUMN v, ADD COLUMN a INT", "COPY"),
        ("ADD COLUMN a INT AS (i) VIRTUAL FIRST", "COPY"),
        ("ADD COLUMN a INT AS (i) VIRTUAL UNIQUE", "COPY"),
        (
            "ADD COLUMN a INT AS (i) VIRTUAL, ADD INDEX y (a)",
            "INPLACE shared",
        ),
        ("ADD COLUMN a INT AS (i) VIRTUAL, ADD UNIQUE y (a)", "COPY"),
        (
            "ADD COLUMN a INT AS (i) VIRTUAL, ADD COLUMN b INT",
            "INSTANT",
        ),
        (
            "ADD COLUMN a INT AS (i) VIRTUAL, ADD COLUMN b INT, ADD INDEX y (b)",
            "COPY",
        ),
        (
            "ADD COLUMN a INT AS (i) VIRTUAL, MODIFY n INT NOT NULL",
            "COPY",
        ),
        ("ADD INDEX y ((i * 2))", "INPLACE shared"),
        ("ADD UNIQUE y ((i * 2))", "COPY"),
        ("ADD FULLTEXT y (s), ADD FULLTEXT z (ks)", "COPY"),
        (
            "DROP PRIMARY KEY, ADD COLUMN a BIGINT AUTO_INCREMENT PRIMARY KEY",
            "INPLACE rebuild shared",
        ),
        ("MODIFY id BIGINT", "INSTANT"),
        ("MODIFY id BIGINT AUTO_INCREMENT", "COPY"),
        ("MODIFY s VARCHAR(50) COLLATE utf8mb4_bin", "INPLACE"),
        ("MODIFY s VARCHAR(50) COLLATE utf8mb4_0900_ai_ci", "INSTANT"),
        ("MODIFY ks VARCHAR(50) COLLATE utf8mb4_bin", "COPY"),
        (
            "DROP INDEX by_ks, MODIFY ks VARCHAR(50) COLLATE utf8mb4_bin",
            "INPLACE",
        ),
        ("MODIFY u VARCHAR(60) CHARACTER SET utf8mb4", "INPLACE"),
        ("MODIFY u VARCHAR(63) CHARACTER SET utf8mb4", "INPLACE"),
        ("MODIFY u VARCHAR(70) CHARACTER SET utf8mb4", "COPY"),
        ("MODIFY w VARCHAR(80) CHARACTER SET utf8mb4", "COPY"),
        ("MODIFY w VARCHAR(80) CHARACTER SET utf8mb3", "INSTANT"),
        ("MODIFY m TEXT CHARACTER SET utf8mb4", "INPLACE"),
        (
            "MODIFY z SET('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')",
            "INSTANT",
        ),
        (
            "MODIFY z SET('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i')",
            "COPY",
        ),
        ("MODIFY d DECIMAL(10, 0)", "INSTANT"),
        ("ALTER COLUMN i SET INVISIBLE", "INSTANT"),
        ("DROP CHECK positive", "INSTANT"),
        ("DROP CONSTRAINT positive", "INSTANT"),
        ("DROP CONSTRAINT f", "INPLACE"),
        ("ALTER CHECK positive NOT ENFORCED", "INSTANT"),
        ("DEFAULT CHARSET=latin1", "INPLACE"),
        ("COLLATE utf8mb4_bin", "INPLACE"),
        ("MAX_ROWS=1000", "INPLACE"),
        ("ADD COLUMN a INT, COMMENT='x'", "INPLACE rebuild"),
        (
            "ADD PARTITION (PARTITION p3 VALUES LESS THAN (30))",
            "INPLACE",
        ),
        ("ADD PARTITION PARTITIONS 2", "INPLACE rebuild shared"),
        ("DROP PARTITION p0, p1", "INPLACE"),
        ("REMOVE PARTITIONING", "COPY"),
        ("PARTITION BY HASH (id) PARTITIONS 4", "COPY"),
        ("EXCHANGE PARTITION p0 WITH TABLE q", "unknown"),
    ] {
        check(Target::AURORA_MYSQL_3, clause, expected);
    }
    let newer = Target::MySql(MySqlVersion::new(9, 0, 0));
    check(newer, "ADD COLUMN a INT REFERENCES u (id)", "COPY");
}

#[test]
fn a_table_with_a_fulltext_index_is_rebuilt_by_copying_it() {
    let table = TABLE.replace("e ENUM", "FULLTEXT words (s), e ENUM");
    for (clause, expected) in [
        ("ADD COLUMN a INT", "COPY"),
        ("ADD COLUMN a INT AS (i) VIRTUAL FIRST", "COPY"),
        ("DROP COLUMN n", "COPY"),
        ("FORCE", "COPY"),
        ("MODIFY s VARCHAR(50) NOT NULL", "COPY"),
        ("DROP INDEX words, ADD COLUMN a INT", "INPLACE rebuild"),
        ("ADD FULLTEXT y (ks)", "INPLACE shared"),
        ("ADD INDEX y (i)", "INPLACE"),
        ("ALTER COLUMN i SET DEFAULT 1", "INSTANT"),
    ] {
        check_for(&table, Target::AURORA_MYSQL_3, clause, expected);
    }
    let table = "CREATE TABLE t (id BIGINT PRIMARY KEY, i INT, s TEXT, FULLTEXT (s))";
    check_for(
        table,
        Target::AURORA_MYSQL_3,
        "ADD COLUMN a INT AS (i)",
        "INSTANT",
    );
}

#[test]
fn a_conversion_copies_only_what_does_not_fit() {
    for (columns, expected) in [
        ("n INT", "INPLACE"),
        ("s VARCHAR(50)", "INPLACE"),
        ("s VARCHAR(50), INDEX (s)", "COPY"),
        ("s VARCHAR(80)", "COPY"),
        ("s VARCHAR(100)", "INPLACE"),
        ("s TEXT", "COPY"),
        ("s VARCHAR(50) CHARACTER SET latin1", "COPY"),
    ] {
        let table = format!("CREATE TABLE t (id BIGINT PRIMARY KEY, {columns}) CHARSET=utf8mb3");
        let clause = "CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci";
        check_for(&table, Target::AURORA_MYSQL_3, clause, expected);
    }
}

#[test]
fn other_tables_are_copied() {
    let table = "CREATE TABLE t (id BIGINT PRIMARY KEY, n INT) ENGINE=MyISAM";
    check_for(table, Target::AURORA_MYSQL_3, "ADD COLUMN a INT", "COPY");
    check_for(table, Target::AURORA_MYSQL_3, "ADD INDEX x (n)", "COPY");
    for format in ["ROW_FORMAT=COMPRESSED", "KEY_BLOCK_SIZE=8"] {
        let table = format!("CREATE TABLE t (id BIGINT PRIMARY KEY, n INT) {format}");
        check_for(
            &table,
            Target::AURORA_MYSQL_3,
            "ADD COLUMN a INT",
            "INPLACE rebuild",
        );
    }
    let table =
        "CREATE TABLE t (id BIGINT PRIMARY KEY, g POINT NOT NULL SRID 0, SPATIAL INDEX (g))";
    check_for(
        table,
        Target::AURORA_MYSQL_3,
        "MODIFY g POINT NOT NULL SRID 4326",
        "COPY",
    );
    check_for(
        table,
        Target::AURORA_MYSQL_3,
        "FORCE",
        "INPLACE rebuild shared",
    );
    check_for(table, Target::AURORA_MYSQL_3, "ADD COLUMN a INT", "INSTANT");
}

#[test]
fn older_versions_do_less_at_once() {
    let old = Target::MySql(MySqlVersion::new(8, 0, 27));
    check(old, "ADD COLUMN a INT", "INSTANT");
    check(old, "ADD COLUMN a INT FIRST", "INPLACE rebuild");
    check(old, "DROP COLUMN n", "INPLACE rebuild");
    check(old, "DROP COLUMN v", "INSTANT");
    check(old, "RENAME COLUMN i TO j", "INPLACE");
}
