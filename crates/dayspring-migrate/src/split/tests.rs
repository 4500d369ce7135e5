use super::*;

fn texts(source: &str) -> Vec<&str> {
    let statements = split(source).unwrap();
    statements
        .iter()
        .map(|statement| &source[statement.start..statement.end])
        .collect()
}

#[track_caller]
fn check(source: &str, expected: &[&str]) {
    assert_eq!(texts(source), expected, "{source}");
}

#[track_caller]
fn check_refused(source: &str, expected: &str, line: usize) {
    let error = split(source).unwrap_err();
    let found = 1 + source[..error.start].matches('\n').count();
    assert_eq!(
        (error.to_string().as_str(), found),
        (expected, line),
        "{source}"
    );
}

#[test]
fn statements_end_at_the_delimiter_outside_quotes_and_comments() {
    check(
        "SELECT ';'; SELECT \";\"; SELECT `;`",
        &["SELECT ';'", "SELECT \";\"", "SELECT `;`"],
    );
    check(
        "SELECT 'a\\';b'; SELECT 'a''; b'",
        &["SELECT 'a\\';b'", "SELECT 'a''; b'"],
    );
    check("SELECT `\\`; SELECT 2;", &["SELECT `\\`", "SELECT 2"]);
    check("a; b;\n;; c", &["a", "b", "c"]);
    check("SELECT \\N; SELECT 1", &["SELECT \\N", "SELECT 1"]);
    check(
        "INSERT INTO t VALUES ('a;\n', 1);\nSELECT 1;",
        &["INSERT INTO t VALUES ('a;\n', 1)", "SELECT 1"],
    );
}

#[test]
fn comments_belong_to_gaps_and_conditional_ones_to_statements() {
    check("# it's; x\nSELECT 1;", &["SELECT 1"]);
    check("/* a /* b */ SELECT 1;", &["SELECT 1"]);
    check(
        "SELECT 5--1; SELECT 5 -- 1; \n;",
        &["SELECT 5--1", "SELECT 5"],
    );
    check(
        "--no space\nSELECT 1 -- it's\n, 2 # it's\n;",
        &["SELECT 1 -- it's\n, 2"],
    );
    check(
        "/*!40101 SET NAMES utf8 */; /*M!100100 SELECT ';' */;",
        &["/*!40101 SET NAMES utf8 */", "/*M!100100 SELECT ';' */"],
    );
    check(
        "SELECT /*+ it's ; */ 1; SELECT 2",
        &["SELECT /*+ it's ; */ 1", "SELECT 2"],
    );
    check(
        "SELECT /*! 1 /* x */ + 1 */; SELECT 2",
        &["SELECT /*! 1 /* x */ + 1 */", "SELECT 2"],
    );
    check("/* only */ -- comments\n", &[]);
    check("SELECT 1 /* ; */ ;", &["SELECT 1"]);
}

#[test]
fn a_byte_order_mark_line_ends_and_a_missing_last_newline_do_not_matter() {
    check(
        "\u{feff}SELECT 1;\r\nSELECT 2\r\n;\r\n",
        &["SELECT 1", "SELECT 2"],
    );
    check("SELECT 1;\rSELECT 2", &["SELECT 1", "SELECT 2"]);
    check(
        "\u{feff}SELECT 1;\n\u{feff}SELECT '\u{feff}'",
        &["SELECT 1", "SELECT '\u{feff}'"],
    );
    let lines: Vec<_> = split("\u{feff}\r\nSELECT 1;\r\n\r\nSELECT\r\n2;SELECT 3")
        .unwrap()
        .iter()
        .map(|s| s.line)
        .collect();
    assert_eq!(lines, [2, 4, 5]);
}

#[test]
fn delimiter_takes_its_first_word_and_drops_the_rest_of_the_line() {
    check(
        "DELIMITER //\nSELECT 1; SELECT 2//\ndelimiter ; # Reset delimiter\nSELECT 3;",
        &["SELECT 1; SELECT 2", "SELECT 3"],
    );
    check(
        "DELIMITER\t$$\nSELECT 1; $$\nDELIMITER ;\nSELECT 2;",
        &["SELECT 1;", "SELECT 2"],
    );
    check(
        "delimiter 'MySQL'\nSELECT 1 MySQL SELECT 2",
        &["SELECT 1", "SELECT 2"],
    );
    check(
        "delimiter :;\nSELECT 1; :; SELECT 2",
        &["SELECT 1;", "SELECT 2"],
    );
    check(
        "delimiter delimiter\nSELECT 1 delimiter\ndelimiter ;\nSELECT 2;",
        &["SELECT 1", "SELECT 2"],
    );
    check(
        "DELIMITER 🌅\nSELECT '🌅'; 🌅\nDELIMITER ;",
        &["SELECT '🌅';"],
    );
    check(
        "/* c */\n-- c\nDELIMITER ;;\r\nSELECT 1;;\r\nDELIMITER ;\r\n",
        &["SELECT 1"],
    );
    check(
        "SELECT delimiter FROM t; SELECT 1",
        &["SELECT delimiter FROM t", "SELECT 1"],
    );
    check_refused(
        "SELECT 1;\nDELIMITER\nSELECT 2;",
        "DELIMITER needs a text without a backslash after it",
        2,
    );
    check_refused(
        "DELIMITER \\\n",
        "DELIMITER needs a text without a backslash after it",
        1,
    );
}

#[test]
fn a_dump_with_triggers_comes_out_as_the_client_sends_it() {
    check(
        "DELIMITER ;;\n/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET NEW.a = 1; END */;;\nDELIMITER ;\n",
        &[
            "/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET NEW.a = 1; END */",
        ],
    );
}

#[test]
fn a_body_without_delimiter_ends_at_its_own_end() {
    for body in [
        "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END",
        "CREATE DEFINER=`a`@`%` PROCEDURE p(IN x INT, OUT y DECIMAL(4,2)) READS SQL DATA COMMENT 'BEGIN' l: BEGIN SELECT 1; END l",
        "create or replace definer = root@localhost function f(a int) returns int deterministic begin if a then return 1; elseif a > 2 then return IF(a, 2, 3); else return 4; end if; end",
        "CREATE FUNCTION f(a INT) RETURNS INT RETURN CASE WHEN a THEN 1 ELSE 2 END",
        "CREATE PROCEDURE IF NOT EXISTS p() BEGIN CASE x WHEN 1 THEN SELECT 1; ELSE BEGIN END; END CASE; END",
        "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET NEW.x = CASE WHEN NEW.end = end THEN 1 END; SET NEW.y = 2; END",
        "CREATE TRIGGER t AFTER UPDATE ON a FOR EACH ROW FOLLOWS u IF NEW.a THEN SET @x = 1; END IF",
        "CREATE TRIGGER t AFTER UPDATE ON a FOR EACH ROW SET @x = 1 + IF(NEW.a, 1, 2)",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01' DO BEGIN DELETE FROM a; DELETE FROM b; END",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM a",
        "ALTER EVENT e DO BEGIN SELECT 1; END",
        "CREATE PROCEDURE p() BEGIN DECLARE done INT DEFAULT 0; DECLARE c CURSOR FOR SELECT a FROM t FOR UPDATE; DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = 1; DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; END; OPEN c; r: LOOP FETCH c INTO x; IF done THEN LEAVE r; END IF; END LOOP r; CLOSE c; END",
        "CREATE PROCEDURE p() BEGIN WHILE x < 3 DO SET x = x + 1; END WHILE; REPEAT SET x = REPEAT('a', 2); UNTIL x > 3 END REPEAT; END",
        "CREATE PROCEDURE p() a: BEGIN b: BEGIN SELECT begin, `end` FROM t; END b; c: LOOP LEAVE c; END LOOP c; END a",
        "CREATE PROCEDURE p() BEGIN SELECT CASE WHEN a THEN CASE b WHEN 1 THEN 2 END END AS x; SELECT 2; END",
        "BEGIN NOT ATOMIC SELECT 1; SELECT 2; END",
        "CREATE FUNCTION f() RETURNS INT LANGUAGE JAVASCRIPT AS $$ let a = 'x;'; return 1; $$",
        "CREATE FUNCTION f() RETURNS INT LANGUAGE JAVASCRIPT AS $js$ let a$b = `$$;`; return 1; $js$",
        "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW l: BEGIN SET NEW.a = 1; END",
        "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW FOLLOWS `begin` BEGIN SET @x = 1; END",
        "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW FOLLOWS u `l`: BEGIN SET @x = 1; END `l`",
        "CREATE PROCEDURE p() SET @x = 1 + IF(@y, 2, 3)",
        "CREATE PROCEDURE p() REPLACE INTO t SELECT IF(a, CASE b WHEN 1 THEN 2 END, 3) FROM t",
        "CREATE PROCEDURE p() BEGIN IF x = CASE WHEN b THEN IF(c, 1, 2) END THEN SET y = 1; END IF; END",
        "CREATE PROCEDURE p() BEGIN IF x THEN SET y = CASE z WHEN 1 THEN 2 ELSE IF(a, 1, 2) END; ELSEIF y THEN CALL q(); END IF; END",
        "CREATE PROCEDURE p() BEGIN DECLARE CONTINUE HANDLER FOR NOT FOUND, 1062, SQLSTATE '02000' IF x THEN SET y = 1; END IF; SELECT 1; END",
        "CREATE PROCEDURE p() BEGIN DECLARE EXIT HANDLER FOR broken SELECT IF(a, 1, 2); DECLARE EXIT HANDLER FOR 1062 l: LOOP LEAVE l; END LOOP l; END",
        "CREATE PROCEDURE p() BEGIN HANDLER t OPEN; HANDLER t READ i = (1) WHERE REPEAT(a, 2) = b; HANDLER t CLOSE; END",
        "CREATE PROCEDURE p() BEGIN FOR i IN 1..10 DO FOR r IN (SELECT end FROM t) DO SELECT r.end; END FOR; END FOR; END",
        "CREATE PROCEDURE p() BEGIN XA START 'a'; XA END 'a'; DO RELEASE_LOCK('a'); END",
        "CREATE FUNCTION f() RETURNS ENUM('begin', 'if') RETURN CASE 1 WHEN 1 THEN 'if' END",
        "CREATE FUNCTION f() RETURNS VARCHAR(9) CHARACTER SET utf8mb4 NO SQL BEGIN RETURN 'x;'; END",
        "CREATE FUNCTION f RETURNS STRING SONAME 'f.so'",
        "/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET NEW.a = 1; END */",
    ] {
        check(
            &format!("SELECT 0; {body};\nSELECT 3; SELECT 4;"),
            &["SELECT 0", body, "SELECT 3", "SELECT 4"],
        );
    }
}

#[test]
fn words_of_blocks_mean_nothing_in_other_statements() {
    check("BEGIN; SELECT 1; COMMIT;", &["BEGIN", "SELECT 1", "COMMIT"]);
    check(
        "CREATE TABLE t (begin INT, end INT, `case` INT); SELECT 1;",
        &[
            "CREATE TABLE t (begin INT, end INT, `case` INT)",
            "SELECT 1",
        ],
    );
    check(
        "CREATE USER trigger_x; ALTER TABLE t ADD a INT; SELECT 1",
        &[
            "CREATE USER trigger_x",
            "ALTER TABLE t ADD a INT",
            "SELECT 1",
        ],
    );
    check(
        "SELECT begin, end FROM t; UPDATE t SET end = 1;",
        &["SELECT begin, end FROM t", "UPDATE t SET end = 1"],
    );
    check(
        "DROP PROCEDURE p; CREATE VIEW v AS SELECT 1;",
        &["DROP PROCEDURE p", "CREATE VIEW v AS SELECT 1"],
    );
}

#[test]
fn what_the_client_would_keep_for_itself_is_refused_with_its_line() {
    check_refused(
        "SELECT 1;\nSELECT 2\\G\n",
        "`\\G` is a command of the mysql client, not SQL",
        2,
    );
    check_refused(
        "\\d //\nSELECT 1//",
        "`\\d` is a command of the mysql client, not SQL",
        1,
    );
    check_refused(
        "SELECT 1;\n\nsource other.sql\n",
        "`source` is a command of the mysql client, not SQL",
        3,
    );
    check_refused(
        "SOURCE other.sql;",
        "`SOURCE` is a command of the mysql client, not SQL",
        1,
    );
    for command in ["go#x", "go -- x", "go/* x */;", "go\u{b}\t"] {
        check_refused(command, "`go` is a command of the mysql client, not SQL", 1);
    }
    check_refused(
        "exit\n",
        "`exit` is a command of the mysql client, not SQL",
        1,
    );
    check(
        "use blog\nSELECT 1; USE blog;",
        &["use blog", "SELECT 1", "USE blog"],
    );
    check(
        "INSERT INTO source VALUES (1); SELECT status FROM t",
        &["INSERT INTO source VALUES (1)", "SELECT status FROM t"],
    );
}

#[test]
fn what_does_not_close_is_refused_where_it_opens() {
    check_refused(
        "SELECT 1;\nSELECT 'a;\n",
        "the text that begins with `'` is never closed",
        2,
    );
    check_refused(
        "SELECT 1; /* a\n",
        "the comment that begins here is never closed with `*/`",
        1,
    );
    check_refused(
        "SELECT 1;\nCREATE PROCEDURE p() BEGIN SELECT 1;\n",
        "the body that begins here has no END of its own",
        2,
    );
    check_refused(
        "SELECT 1;\n SELECT \0;",
        "a NUL byte stands here; the file is not text",
        2,
    );
    check_refused(
        "SELECT 0;\n/*!50003 SELECT 1;\n*/",
        "the delimiter `;` stands inside the `/*!` that begins here",
        2,
    );
    check_refused(
        "/*!50003 SELECT 1",
        "the comment that begins here is never closed with `*/`",
        1,
    );
    check_refused(
        "CREATE FUNCTION f() RETURNS INT LANGUAGE JAVASCRIPT AS $js$ return 1; $$",
        "the text that begins with `$` is never closed",
        1,
    );
    for nul in ["SELECT '\0'", "-- \0", "`\0`", "/* \0 */"] {
        check_refused(nul, "a NUL byte stands here; the file is not text", 1);
    }
}

#[test]
fn no_backslash_escapes_is_followed_as_the_client_follows_it() {
    check(
        "SET sql_mode = 'NO_BACKSLASH_ESCAPES';SELECT '\\';SELECT 1;",
        &[
            "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
            "SELECT '\\'",
            "SELECT 1",
        ],
    );
}
