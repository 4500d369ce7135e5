use super::*;

#[track_caller]
fn check(sql: &str, expected: &str) {
    let analysis = analyse(sql, None);
    let touched: Vec<String> = analysis
        .touched
        .iter()
        .map(|touched| format!("{} {}", touched.object, touched.after.name()))
        .collect();
    let class = match &analysis.class {
        Class::Schema(Recovery::Fingerprint) => "schema".to_owned(),
        Class::Schema(Recovery::Idempotent) => "schema idempotent".to_owned(),
        Class::Schema(Recovery::Verify(query)) => format!("schema verify {query}"),
        Class::Schema(Recovery::Undecidable(_)) => "schema undecidable".to_owned(),
        Class::Session {
            depends_on_data: true,
        } => "session of data".to_owned(),
        class => class.name().to_owned(),
    };
    let found = std::iter::once(class)
        .chain(touched)
        .collect::<Vec<_>>()
        .join("; ");
    assert_eq!(found, expected, "{sql}");
}

#[test]
fn rows_are_data() {
    for sql in [
        "INSERT INTO t VALUES (1)",
        "/*!40000 REPLACE INTO t VALUES (1) */",
        "(SELECT 1)",
        "WITH a AS (SELECT 1) DELETE FROM t",
        "SHOW TABLES",
    ] {
        check(sql, "data");
    }
}

#[test]
fn session_statements_are_known_by_what_their_value_comes_from() {
    check("SET NAMES utf8mb4", "session");
    check(
        "/*!40014 SET @OLD=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */",
        "session",
    );
    check("USE blog", "session");
    check("DEALLOCATE PREPARE s", "session");
    check("DROP PREPARE s", "session");
    check("SET @id = LAST_INSERT_ID()", "session of data");
    check("SELECT id INTO @id FROM t", "session of data");
    check("SET GLOBAL x = 1", "schema idempotent");
    check("SET autocommit = 0", "refused");
    check("SET SESSION completion_type = 2", "refused");
    check("SET @now = CURRENT_TIMESTAMP", "session of data");
    check("SET @id = @@last_insert_id", "session of data");
}

#[test]
fn settings_of_the_server_are_told_from_those_of_the_session() {
    check("SET GLOBAL a = 1, b = 2", "schema idempotent");
    check("SET @@GLOBAL.a = 1", "schema idempotent");
    check("SET PERSIST a = 1", "schema idempotent");
    check("SET GLOBAL a = @@GLOBAL.a * 2", "schema undecidable");
    check("SET GLOBAL a = CONCAT('x', 'y')", "schema undecidable");
    check("SET GLOBAL a = 1, SESSION b = 2", "refused");
    check("SET GLOBAL a = 1, @b = 2", "refused");
    check(
        "SET GLOBAL TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "schema idempotent",
    );
    check(
        "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "session",
    );
    check("SET PASSWORD FOR u = 'x'", "schema idempotent");
    check(
        "SET PASSWORD FOR u = 'x' RETAIN CURRENT PASSWORD",
        "schema undecidable",
    );
}

#[test]
fn a_statement_inside_another_is_what_counts() {
    check("ANALYZE UPDATE t SET n = n + 1", "data");
    check("ANALYZE FORMAT=JSON DELETE FROM t", "data");
    check("ANALYZE TABLE t", "schema idempotent");
    check("ANALYZE NO_WRITE_TO_BINLOG TABLE t", "schema idempotent");
    check(
        "SET STATEMENT max_statement_time = 1 FOR UPDATE t SET n = n + 1",
        "data",
    );
    check(
        "SET STATEMENT lock_wait_timeout = 1, sort_buffer_size = 2 FOR ALTER TABLE t ADD a INT",
        "schema; table `t` changed",
    );
    check("SET STATEMENT a = 1 FOR COMMIT", "refused");
}

#[test]
fn the_tables_that_a_data_statement_writes_are_known() {
    #[track_caller]
    fn written(sql: &str, expected: &str) {
        let analysis = analyse(sql, None);
        assert_eq!(analysis.class, Class::Data, "{sql}");
        let names: Vec<String> = analysis.written.iter().map(ToString::to_string).collect();
        assert_eq!(names.join(", ").replace("table ", ""), expected, "{sql}");
    }
    written("INSERT INTO t VALUES (1)", "`t`");
    written("INSERT LOW_PRIORITY IGNORE b.t (a) SELECT 1", "`b`.`t`");
    written("REPLACE `t` SET a = 1", "`t`");
    written("UPDATE t, b.u SET a = 1", "`t`, `b`.`u`");
    written("DELETE t FROM t JOIN u", "`t`, `FROM`, `JOIN`, `u`");
    written("DELETE FROM t WHERE a = (SELECT b FROM u)", "`FROM`, `t`");
    written(
        "LOAD DATA INFILE 'f' INTO TABLE t FIELDS TERMINATED BY ','",
        "`t`",
    );
    written("SET STATEMENT a = 1 FOR INSERT INTO t VALUES (1)", "`t`");
    written("SELECT * FROM t", "");
}

#[test]
fn the_journals_own_tables_are_not_for_scripts() {
    for sql in [
        "DROP TABLE dayspring_statement",
        "ALTER TABLE blog.dayspring_lease ADD a INT",
        "DELETE FROM dayspring_statement",
        "INSERT INTO `dayspring_script` VALUES (1)",
    ] {
        check(sql, "refused");
    }
}

#[test]
fn definitions_know_what_they_touch_and_what_becomes_of_it() {
    check("CREATE TABLE t (id INT)", "schema; table `t` created");
    check(
        "CREATE TABLE `b`.`t` AS SELECT 1",
        "schema; table `b`.`t` created",
    );
    check(
        "CREATE TABLE IF NOT EXISTS t (id INT)",
        "schema idempotent; table `t` created",
    );
    check(
        "CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS n",
        "schema; table `t` created",
    );
    check(
        "CREATE OR REPLACE TABLE t (id INT)",
        "schema undecidable; table `t` created",
    );
    check("CREATE TEMPORARY TABLE t (id INT)", "refused");
    check(
        "CREATE UNIQUE INDEX i ON t (a)",
        "schema; table `t` changed",
    );
    check("DROP INDEX i ON b.t", "schema; table `b`.`t` changed");
    check(
        "ALTER TABLE t ADD COLUMN a INT, ADD INDEX (a)",
        "schema; table `t` changed",
    );
    check(
        "ALTER TABLE t ADD a INT, RENAME TO u",
        "schema; table `t` dropped; table `u` created",
    );
    check(
        "ALTER TABLE t RENAME COLUMN a TO b",
        "schema; table `t` changed",
    );
    check(
        "ALTER TABLE t RENAME INDEX a TO b",
        "schema; table `t` changed",
    );
    check("DROP TABLE t", "schema; table `t` dropped");
    check(
        "DROP TABLE IF EXISTS t, u",
        "schema idempotent; table `t` dropped; table `u` dropped",
    );
    check(
        "DROP TABLE t, u",
        "schema; table `t` dropped; table `u` dropped",
    );
    check(
        "RENAME TABLE a TO b",
        "schema; table `a` dropped; table `b` created",
    );
    check(
        "RENAME TABLE t TO t_old, t_new TO t",
        "schema; table `t` replaced; table `t_old` created; table `t_new` dropped",
    );
    check(
        "CREATE OR REPLACE VIEW v AS SELECT 1",
        "schema idempotent; table `v` created",
    );
    check(
        "CREATE DEFINER=`a`@`%` SQL SECURITY INVOKER VIEW v AS SELECT 1",
        "schema; table `v` created",
    );
    check("DROP VIEW v", "schema; table `v` dropped");
    check(
        "CREATE DEFINER = user@event PROCEDURE p() SELECT 1",
        "schema; procedure `p` created",
    );
    check(
        "DROP FUNCTION IF EXISTS f",
        "schema idempotent; function `f` dropped",
    );
    check(
        "/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 TRIGGER x BEFORE INSERT ON a FOR EACH ROW SET NEW.a = 1 */",
        "schema; trigger `x` created",
    );
    check(
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
        "schema; event `e` created",
    );
    check("CREATE DATABASE d", "schema; database `d` created");
    check("ALTER TABLE t DISABLE KEYS", "schema; table `t` changed");
}

#[test]
fn what_a_fingerprint_cannot_show_is_undecidable() {
    for sql in [
        "TRUNCATE TABLE t",
        "TRUNCATE t",
        "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u",
        "ALTER TABLE t TRUNCATE PARTITION p",
        "ALTER TABLE t DROP COLUMN c, ADD COLUMN c INT",
        "ALTER TABLE t DROP c, ADD (c INT)",
        "RENAME TABLE a TO tmp, b TO a, tmp TO b",
        "CREATE EVENT e ON SCHEDULE AT '2030-01-01' DO SELECT 1",
        "CALL p()",
        "EXECUTE s",
        "BEGIN NOT ATOMIC SELECT 1; END",
        "CREATE USER u",
        "FROBNICATE t",
        "CREATE OR REPLACE DATABASE d",
        "CREATE TABLE t ENGINE=MyISAM AS SELECT 1",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY ENDS '2030-01-01' DO SELECT 1",
        "ALTER SEQUENCE s RESTART",
        "ALTER USER u IDENTIFIED BY 'x' RETAIN CURRENT PASSWORD",
        "ALTER USER u IDENTIFIED BY 'x' REPLACE 'y'",
        "ALTER TABLE t CHANGE a b INT AFTER id, CHANGE b a INT FIRST",
        "ALTER TABLE t DROP COLUMN b, RENAME COLUMN a TO b, ADD COLUMN a INT FIRST",
    ] {
        let class = analyse(sql, None).class;
        assert!(
            matches!(class, Class::Schema(Recovery::Undecidable(_))),
            "{sql}: {class:?}"
        );
    }
    check("CREATE USER IF NOT EXISTS u", "schema idempotent");
    check("DROP USER IF EXISTS u", "schema idempotent");
    check("GRANT SELECT ON *.* TO u", "schema idempotent");
}

#[test]
fn columns_that_trade_names_in_sight_are_shown_by_their_order() {
    check(
        "ALTER TABLE t CHANGE a b INT, CHANGE b a INT",
        "schema; table `t` changed",
    );
    check(
        "ALTER TABLE t CHANGE a a BIGINT FIRST",
        "schema; table `t` changed",
    );
}

#[test]
fn transactions_and_locks_are_refused() {
    for sql in [
        "BEGIN",
        "START TRANSACTION",
        "COMMIT",
        "LOCK TABLES t WRITE",
        "UNLOCK TABLES",
        "XA START 'a'",
        "ALTER TABLE t DISCARD TABLESPACE",
        "ALTER TABLE t IMPORT PARTITION p TABLESPACE",
        "FLUSH TABLES WITH READ LOCK",
        "FLUSH TABLES t FOR EXPORT",
        "CREATE TEMPORARY TABLE t (id INT)",
        "CREATE OR REPLACE TEMPORARY TABLE t (id INT)",
        "LOAD DATA LOCAL INFILE 'f' INTO TABLE t",
    ] {
        check(sql, "refused");
    }
}

#[test]
fn a_directive_decides_what_the_engine_cannot() {
    let directive =
        parse_directive("-- about it\n-- dayspring: verify SELECT COUNT(*) = 0 FROM t;\n").unwrap();
    assert_eq!(
        directive,
        Some(Directive::Verify("SELECT COUNT(*) = 0 FROM t".to_owned()))
    );
    let class = analyse("TRUNCATE t", directive.as_ref()).class;
    assert!(matches!(class, Class::Schema(Recovery::Verify(_))));
    assert_eq!(
        parse_directive("# dayspring: idempotent"),
        Ok(Some(Directive::Idempotent))
    );
    assert_eq!(parse_directive("-- dayspring: allow MY001 x"), Ok(None));
    assert_eq!(
        parse_directive("-- dayspring: idempotnt"),
        Err("-- dayspring: idempotnt".to_owned())
    );
    assert_eq!(
        analyse("INSERT INTO t VALUES (1)", Some(&Directive::Idempotent)).class,
        Class::Data
    );
}
