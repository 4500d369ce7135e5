//! The real `mariadb` client as the judge: each script goes through it to a server with its general log on, and what
//! arrived there is compared with what the splitter says, statement by statement.

use std::collections::HashMap;
use std::process::{Child, Stdio};

use dayspring_migrate::{Digest, split};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Row};

use crate::sql_text::{self, Bodies};
use crate::{program, server};

/// Scripts on which the client and the splitter agree.
const AGREED: &[&str] = &[
    "SELECT ';'; SELECT \";\"; SELECT `;`",
    "SELECT 'a\\';b'; SELECT 'a''; b'",
    "SELECT `\\`; SELECT 2;",
    "a; b;\n;; c",
    "SELECT \\N; SELECT 1",
    "INSERT INTO t VALUES ('a;\n', 1);\nSELECT 1;",
    "# it's; x\nSELECT 1;",
    "/* a /* b */ SELECT 1;",
    "SELECT 5--1; SELECT 5 -- 1; \n;",
    "--no space\nSELECT 1 -- it's\n, 2 # it's\n;",
    "/*!40101 SET NAMES utf8 */; /*M!100100 SELECT 3 */;",
    "/*!40101 SELECT ';' */; SELECT 2;",
    "/*M!100100 SELECT ';' */; SELECT 2;",
    "/*!40101 SELECT 'a\nb;c' */; SELECT 2;",
    "/*!40101 SELECT\n ';' */; SELECT 2;",
    "SELECT 1 /* ; */ ;",
    "\u{feff}SELECT 1;\r\nSELECT 2\r\n;\r\n",
    "SELECT 1;\rSELECT 2",
    "DELIMITER //\nSELECT 1; SELECT 2//\ndelimiter ; # Reset delimiter\nSELECT 3;",
    "DELIMITER\t$$\nSELECT 1; $$\nDELIMITER ;\nSELECT 2;",
    "delimiter 'MySQL'\nSELECT 1 MySQL SELECT 2",
    "delimiter :;\nSELECT 1; :; SELECT 2",
    "delimiter delimiter\nSELECT 1 delimiter\ndelimiter ;\nSELECT 2;",
    "/* c */\n-- c\nDELIMITER ;;\r\nSELECT 1;;\r\nDELIMITER ;\r\n",
    "SELECT delimiter FROM t; SELECT 1",
    "DELIMITER //\nSELECT 1; # x // y\nSELECT 2//\n",
    "DELIMITER ;;\n/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET NEW.a = 1; END */;;\nDELIMITER ;\n",
    "INSERT INTO source VALUES (1); SELECT status FROM t",
    "SET sql_mode = 'NO_BACKSLASH_ESCAPES';\nSELECT '\\';SELECT 1;",
    "SELECT 1; -- x\n-- y; z\nSELECT 2;",
    "BEGIN; SELECT 1; COMMIT;",
    "SELECT 1;;SELECT 2",
    "SELECT 'x' -- a;b\n;SELECT 2;",
    "DELIMITER //\nSELECT 1 /* // */ + 1//\nDELIMITER ;",
    "SELECT \"a\\\"b;\"; SELECT `a``b;`;",
    "  \n\t SELECT 1  ;  SELECT 2\n\n",
    "DELIMITER $$ garbage here\nSELECT 1$$\nSELECT 2$$",
    "delimiter \"//\"\nSELECT 1// SELECT 2//",
    "SELECT 1;\n/* multi\nline ; ' */\nSELECT 2;",
    "SELECT '/* not'; SELECT '*/';",
    "SELECT 1 # c\\\n; SELECT 2;",
    "SELECT '\\\\'; SELECT 2;",
    "SELECT /* it's */ 'a;b' /* ' */; SELECT 2;",
    "#\n--\n-- \nSELECT 1;--\nSELECT 2;#x\n",
    "SELECT 1; --x;y\nSELECT 2;",
    "/* c */ --x;y\nSELECT 2;",
    "SELECT 1\n--x\n;SELECT 2;",
    "SELECT 1\n-- x\n;SELECT 2;",
    "SELECT\t1 --\n;SELECT 2;",
    "SET sql_mode='ANSI_QUOTES';\nSELECT \"\\\"; SELECT 2;",
    "SET sql_mode='ANSI_QUOTES';SET sql_mode='';\nSELECT \"\\\"; SELECT 2\";",
    "SET @old=@@sql_mode, sql_mode='NO_BACKSLASH_ESCAPES';SELECT '\\';SET sql_mode=@old;SELECT '\\';';",
    "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_BACKSLASH_ESCAPES' */;\nSELECT '\\';/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;SELECT '\\';';",
    "SET sql_mode=CONCAT(@@sql_mode,',NO_BACKSLASH_ESCAPES');SELECT '\\';SET sql_mode=REPLACE(@@sql_mode,'NO_BACKSLASH_ESCAPES','');SELECT '\\';';",
    "SET sql_mode=1048576;SELECT '\\';SET sql_mode=DEFAULT;SELECT '\\';';",
    "SET SESSION sql_mode='ANSI';SELECT \"\\\";SELECT 2;",
    "USE mysql;SELECT 1;",
    "use mysql\nSELECT 1;",
    "USE `mysql`;SELECT 1;",
    "USE mysql ;\nUSE mysql;",
    "DELIMITER $$\nuse mysql$$\nSELECT 1$$",
    "delimiter 'a''b'\nSELECT 1a'bSELECT 2a'b",
    "delimiter `//`\nSELECT 1//",
    "DELIMITER   //   \nSELECT 1//",
    "  DELIMITER //\nSELECT 1//",
    "\tdelimiter //\nSELECT 1//",
    "DELIMITER //\r\nSELECT 1//\r\nDELIMITER ;\r\nSELECT 2;\r\n",
    "-- c\n/* d */\nDELIMITER //\nSELECT 1//",
    "DELIMITER #\nSELECT 1#SELECT 2#",
    "DELIMITER --\nSELECT 1--SELECT 2--",
    "DELIMITER |\nSELECT 1||SELECT 2|",
    "DELIMITER go\nSELECT 1 go\nSELECT 2\ngo\n",
    "DELIMITER GO\nSELECT 'go' GO\n",
    "DELIMITER SELECT\n1 SELECT 2 SELECT",
    "DELIMITER //\nDELIMITER $$\nSELECT 1$$",
    "DELIMITER //\nSELECT 1;\n//\nDELIMITER ;\nSELECT 2;",
    "DELIMITER //\nSELECT 1 / 2//SELECT 3//",
    "SELECT 1\nDELIMITER //\n;SELECT 2;",
    "SELECT 1,\ndelimiter FROM t;SELECT 2;",
    "SELECT 1;\n\n\n",
    "SELECT 1;\n;\n;;SELECT 2",
    ";",
    "-- only",
    "/* only */",
    "SELECT 1 -- end",
    "SELECT 1 /* end */",
    "SELECT 1\u{b};\u{c}SELECT 2;",
    "SELECT 'a\nb;\n-- c\n# d\n/* e';SELECT 2;",
    "SELECT 'a\r\nb';\r\n",
    "SELECT `a\n;b`;SELECT 2;",
    "SELECT 'grün;' , '🌅;', `🌅;`;SELECT 2;",
    "SELECT\u{a0}1;SELECT 2;",
    "SELECT ''; SELECT ''''; SELECT ''';''';",
    "SELECT \"\"\";\"; SELECT 2;",
    "SELECT '\\'';SELECT \"\\\"\";SELECT 1;",
    "SELECT 'a' 'b;' \"c;\";SELECT 2;",
    "SELECT x'41', b'1', N'a;', _utf8'b;';SELECT 2;",
    "SELECT 1/**/;/**/SELECT/**/2;",
    "SELECT 1/***/;/* ** */SELECT 2;",
    "SELECT 4*/* a */2;SELECT 2;",
    "SELECT 1 /* a\nb; */ + /* c;\n */ 2;SELECT 3;",
    "/*!50003 SELECT 1 */;/*!999999 SELECT 2 */;SELECT 3;",
    "/*!SELECT 1*/;/*M!SELECT 2*/;SELECT 3;",
    "SELECT /*!40101 'it''s;' */ 1;SELECT 2;",
    "SELECT /*! 'a' */ /* b */ /*! + 1 */ ;SELECT 2;",
    "CREATE TABLE u (begin INT, end INT, `case` INT);INSERT INTO u VALUES (1,2,3);SELECT begin, end FROM u;",
    "UPDATE u SET end = 1;SELECT CASE WHEN 1 THEN 2 END;SELECT IF(1,2,3);",
    "START TRANSACTION;INSERT INTO t VALUES (1);ROLLBACK;",
    "BEGIN WORK;COMMIT;",
    "DELIMITER //\nCREATE PROCEDURE d1() l: BEGIN SELECT 1; BEGIN END; END l//\nDELIMITER ;\nSELECT 1;",
    "DELIMITER //\nBEGIN NOT ATOMIC SELECT 1; SELECT 2; END//\nDELIMITER ;\n",
    "DELIMITER $$\nCREATE FUNCTION d2(a INT) RETURNS INT DETERMINISTIC\nBEGIN\n  IF a THEN RETURN IF(a, 1, 2); END IF;\n  RETURN CASE a WHEN 1 THEN 2 END;\nEND$$\n-- done\nDELIMITER ;\nSELECT 2;",
    "CREATE FUNCTION d3() RETURNS INT RETURN CASE WHEN 1 THEN 2 END;SELECT 1;",
    "CREATE PROCEDURE d4() SELECT IF(1,2,3);SELECT 1;",
    "CREATE TRIGGER d5 BEFORE INSERT ON u FOR EACH ROW SET NEW.end = IF(1,2,3);SELECT 1;",
    "DROP PROCEDURE IF EXISTS nope;DROP TRIGGER IF EXISTS nope;",
    "SELECT 1 AS source;SELECT status FROM t;INSERT INTO help VALUES (1);",
    "EXPLAIN SELECT 1;SHOW TABLES;SHOW\nWARNINGS;",
    "PREPARE s FROM 'SELECT 1;';EXECUTE s;DEALLOCATE PREPARE s;",
    "SELECT @a := 1, @'b;' := 2, @`c;` := 3;SELECT 2;",
    "CREATE USER 'x;'@'%';DROP USER 'x;'@'%';",
    "SELECT 1 # it's\n;SELECT 2 -- it's\n;",
    "SELECT 1;#x\nSELECT 2;-- y\nSELECT 3;",
    "SELECT 1 -- \\G\n;# \\G\n/* \\G */SELECT 2;",
    "SELECT '\\G', `\\G`;SELECT 2;",
    "SELECT 2-1, 2--1, 2 - -1;SELECT 3;",
    "SELECT '--', '#', '/*';SELECT \"--\", \"#\", \"/*\";",
    "INSERT INTO t VALUES ('a;b'),('c\\\\'),('d\\'e;'),('f''g;');SELECT 1;",
    "LOCK TABLES `u` WRITE;\n/*!40000 ALTER TABLE `u` DISABLE KEYS */;\nINSERT INTO `u` VALUES (1,2,3),(4,5,6);\n/*!40000 ALTER TABLE `u` ENABLE KEYS */;\nUNLOCK TABLES;",
    "SELECT a.b.c;(SELECT 1) UNION (SELECT 2);((SELECT 3));",
    "\u{feff}-- bom\nSELECT 1;",
    "\u{feff}DELIMITER //\nSELECT 1//",
    "SELECT 1;\n\tSELECT 2;\n  \t SELECT 3",
];

/// A script that the client cuts in another way, and why it is not followed.
struct Difference {
    script: &'static str,
    client: &'static [&'static str],
    /// The statements, or the error's text alone.
    split: Result<&'static [&'static str], &'static str>,
    reason: &'static str,
}

const DIFFERENCES: &[Difference] = &[
    Difference {
        script: "CREATE PROCEDURE p1() BEGIN SELECT 1; SELECT 2; END; SELECT 3;",
        client: &[
            "CREATE PROCEDURE p1() BEGIN SELECT 1",
            "SELECT 2",
            "END",
            "SELECT 3",
        ],
        split: Ok(&[
            "CREATE PROCEDURE p1() BEGIN SELECT 1; SELECT 2; END",
            "SELECT 3",
        ]),
        reason: "on purpose: a body needs no DELIMITER",
    },
    Difference {
        script: "CREATE TRIGGER p2 BEFORE INSERT ON u FOR EACH ROW l: BEGIN SET @a = 1; END l; SELECT 3;",
        client: &[
            "CREATE TRIGGER p2 BEFORE INSERT ON u FOR EACH ROW l: BEGIN SET @a = 1",
            "END l",
            "SELECT 3",
        ],
        split: Ok(&[
            "CREATE TRIGGER p2 BEFORE INSERT ON u FOR EACH ROW l: BEGIN SET @a = 1; END l",
            "SELECT 3",
        ]),
        reason: "on purpose: a body needs no DELIMITER",
    },
    Difference {
        script: "BEGIN NOT ATOMIC SELECT 1; END; SELECT 3;",
        client: &["BEGIN NOT ATOMIC SELECT 1", "END", "SELECT 3"],
        split: Ok(&["BEGIN NOT ATOMIC SELECT 1; END", "SELECT 3"]),
        reason: "on purpose: a body needs no DELIMITER",
    },
    Difference {
        script: "CREATE FUNCTION p3() RETURNS INT LANGUAGE JAVASCRIPT AS $$ return 1; $$; SELECT 3;",
        client: &[
            "CREATE FUNCTION p3() RETURNS INT LANGUAGE JAVASCRIPT AS $$ return 1",
            "$$",
            "SELECT 3",
        ],
        split: Ok(&[
            "CREATE FUNCTION p3() RETURNS INT LANGUAGE JAVASCRIPT AS $$ return 1; $$",
            "SELECT 3",
        ]),
        reason: "on purpose: MySQL 9's literals for bodies",
    },
    Difference {
        script: "SELECT /*+ it's ; */ 1; SELECT 2",
        client: &["SELECT  1", "SELECT 2"],
        split: Ok(&["SELECT /*+ it's ; */ 1", "SELECT 2"]),
        reason: "MySQL's client keeps a hint, MariaDB's takes it for a comment",
    },
    Difference {
        script: "SELECT /*! 1 /* x */ + 1 */; SELECT 2",
        client: &["SELECT /*! 1", "SELECT 2"],
        split: Ok(&["SELECT /*! 1 /* x */ + 1 */", "SELECT 2"]),
        reason: "the client drops all that follows a comment inside `/*! */`",
    },
    Difference {
        script: "/* a /*! b */ SELECT 1; SELECT 2;",
        client: &[],
        split: Ok(&["SELECT 1", "SELECT 2"]),
        reason: "the client does not find the end of a comment with `/*!` in it; the server does",
    },
    Difference {
        script: "/* /*/ SELECT 1; SELECT 2;",
        client: &[],
        split: Ok(&["SELECT 1", "SELECT 2"]),
        reason: "the client does not find the end of `/* /*/`; the server does",
    },
    Difference {
        script: "SELECT 'a\\\nb'; SELECT 2;",
        client: &["SELECT 'a\nb'", "SELECT 2"],
        split: Ok(&["SELECT 'a\\\nb'", "SELECT 2"]),
        reason: "the client drops a backslash at the end of a line, which changes no value",
    },
    Difference {
        script: "SELECT 'a\r\nb'; SELECT 2;",
        client: &["SELECT 'a\nb'", "SELECT 2"],
        split: Ok(&["SELECT 'a\r\nb'", "SELECT 2"]),
        reason: "the client makes CRLF to LF also in literals; what is in the file is kept",
    },
    Difference {
        script: "SELECT 1 AS\ndelimiter\n, 2; SELECT 3;",
        client: &["SELECT 1 AS\ndelimiter, 2", "SELECT 3"],
        split: Ok(&["SELECT 1 AS\ndelimiter\n, 2", "SELECT 3"]),
        reason: "the client drops the line feed after a line that begins with `delimiter`",
    },
    Difference {
        script: "DELIMITER 🌅\nSELECT 1; 🌅\nDELIMITER ;\nSELECT 4;",
        client: &["SELECT 1; \\xF0\\x9F\\x8C\\x85\nDELIMITER ;SELECT 4"],
        split: Ok(&["SELECT 1;", "SELECT 4"]),
        reason: "the client looks for no delimiter in characters of several bytes",
    },
    Difference {
        script: "DELIMITER a_long_delimiter\nSELECT 1a_long_delimiter SELECT 2",
        client: &["SELECT 1", "r SELECT 2"],
        split: Ok(&["SELECT 1", "SELECT 2"]),
        reason: "the client cuts a delimiter after 15 bytes",
    },
    Difference {
        script: "DELIMITER //\t# x\nSELECT 1// SELECT 2//",
        client: &["SELECT 1// SELECT 2//"],
        split: Ok(&["SELECT 1", "SELECT 2"]),
        reason: "the client ends the delimiter at a space, not at a tab",
    },
    Difference {
        script: "SELECT 1; DELIMITER //\nSELECT 2//\n",
        client: &["SELECT 1", "DELIMITER //SELECT 2//"],
        split: Ok(&["SELECT 1", "SELECT 2"]),
        reason: "the client glues a DELIMITER that is not at the beginning of its line to the next statement",
    },
    Difference {
        script: "/* c */ DELIMITER //\nSELECT 2//\n",
        client: &["DELIMITER //\nSELECT 2//"],
        split: Ok(&["SELECT 2"]),
        reason: "the client glues a DELIMITER that is not at the beginning of its line to the next statement",
    },
    Difference {
        script: "DELIMITER //\n/*!50003 SELECT 1 *///SELECT 2//",
        client: &["/*!50003 SELECT 1 *", "/SELECT 2"],
        split: Ok(&["/*!50003 SELECT 1 */", "SELECT 2"]),
        reason: "the client finds the delimiter `//` one byte too early in `*///`",
    },
    Difference {
        script: "SET STATEMENT sql_mode='NO_BACKSLASH_ESCAPES' FOR SELECT 1;SELECT '\\';';",
        client: &[
            "SET STATEMENT sql_mode='NO_BACKSLASH_ESCAPES' FOR SELECT 1",
            "SELECT '\\'",
            "'",
        ],
        split: Ok(&[
            "SET STATEMENT sql_mode='NO_BACKSLASH_ESCAPES' FOR SELECT 1",
            "SELECT '\\';'",
        ]),
        reason: "the client takes a mode that held for one statement for the mode of the next",
    },
    Difference {
        script: "\u{feff}SELECT 1;\n\u{feff}SELECT 2;",
        client: &["SELECT 1", "\u{feff}SELECT 2"],
        split: Ok(&["SELECT 1", "SELECT 2"]),
        reason: "the client sends the byte order mark of a file that was appended, which no server takes",
    },
    Difference {
        script: "SELECT 1 /*! + 1; SELECT 2 */;",
        client: &["SELECT 1 /*! + 1", "SELECT 2 */"],
        split: Err("the delimiter `;` stands inside the `/*!` that begins here"),
        reason: "refused: both halves are broken",
    },
    Difference {
        script: "SELECT 1; SELECT 'a; SELECT 2;",
        client: &["SELECT 1", "SELECT 'a; SELECT 2"],
        split: Err("the text that begins with `'` is never closed"),
        reason: "refused: the client sends an open quote",
    },
    Difference {
        script: "SELECT 1 --no space it's\n;",
        client: &["SELECT 1 --no space it's"],
        split: Err("the text that begins with `'` is never closed"),
        reason: "refused: `--` without white space is no comment, so the quote is open",
    },
    Difference {
        script: "SELECT 1; SELECT 2 /* a; SELECT 3;",
        client: &["SELECT 1", "SELECT 2"],
        split: Err("the comment that begins here is never closed with `*/`"),
        reason: "refused: the client sends what is before an open comment",
    },
    Difference {
        script: "SELECT 1;\nSELECT '\0', 2;\nSELECT 3;",
        client: &["SELECT 1"],
        split: Err("a NUL byte stands here; the file is not text"),
        reason: "refused as a whole: the client stops in the middle",
    },
    Difference {
        script: "SELECT 1\\G\nSELECT 2\\g SELECT 3;",
        client: &["SELECT 1", "SELECT 2", "SELECT 3"],
        split: Err("`\\G` is a command of the mysql client, not SQL"),
        reason: "refused: a command of the client",
    },
    Difference {
        script: "\\d //\nSELECT 1// SELECT 2//",
        client: &["SELECT 1", "SELECT 2"],
        split: Err("`\\d` is a command of the mysql client, not SQL"),
        reason: "refused: a command of the client",
    },
    Difference {
        script: "SELECT 1 \\c SELECT 2;",
        client: &["SELECT 2"],
        split: Err("`\\c` is a command of the mysql client, not SQL"),
        reason: "refused: a command of the client",
    },
    Difference {
        script: "SELECT 1 \\\n+ 1;",
        client: &["SELECT 1 \n+ 1"],
        split: Err("a backslash stands outside quotes"),
        reason: "refused: the client drops it",
    },
    Difference {
        script: "SELECT 1;\nsource no_such_file.sql\nSELECT 2;",
        client: &["SELECT 1", "SELECT 2"],
        split: Err("`source` is a command of the mysql client, not SQL"),
        reason: "refused: a command of the client",
    },
    Difference {
        script: "SELECT 1; clear;\nSELECT 2;",
        client: &["SELECT 1", "SELECT 2"],
        split: Err("`clear` is a command of the mysql client, not SQL"),
        reason: "refused: a command of the client",
    },
    Difference {
        script: "SELECT 1;\nexit\nSELECT 2;",
        client: &["SELECT 1"],
        split: Err("`exit` is a command of the mysql client, not SQL"),
        reason: "refused: a command of the client",
    },
    Difference {
        script: "DELIMITER\nSELECT 1;",
        client: &["SELECT 1"],
        split: Err("DELIMITER needs a text without a backslash after it"),
        reason: "refused: the client says so and goes on",
    },
    Difference {
        script: "delimiter;\nSELECT 1;",
        client: &["SELECT 1"],
        split: Err("DELIMITER needs a text without a backslash after it"),
        reason: "refused: the client says so and goes on",
    },
    Difference {
        script: "delimiter '//\nSELECT 1;",
        client: &["delimiter '//\nSELECT 1"],
        split: Err("DELIMITER needs a text without a backslash after it"),
        reason: "refused: the client takes it for SQL",
    },
    Difference {
        script: "DELIMITER \\\\\nSELECT 1;",
        client: &["SELECT 1"],
        split: Err("DELIMITER needs a text without a backslash after it"),
        reason: "refused: the client says so and goes on",
    },
];

/// Those on which MySQL's client differs: it sends a line that begins with `--` and no space to the server, which refuses
/// it; does not see that the mode became ANSI_QUOTES; tells of its own database after USE; and knows no quotes in quotes
/// around a delimiter.
const ONLY_OF_MARIADB: [&str; 7] = [
    "--no space\nSELECT 1 -- it's\n, 2 # it's\n;",
    "SELECT 1; --x;y\nSELECT 2;",
    "/* c */ --x;y\nSELECT 2;",
    "SET sql_mode='ANSI_QUOTES';\nSELECT \"\\\"; SELECT 2;",
    "SET SESSION sql_mode='ANSI';SELECT \"\\\";SELECT 2;",
    "USE `mysql`;SELECT 1;",
    "delimiter 'a''b'\nSELECT 1a'bSELECT 2a'b",
];

#[tokio::test]
async fn the_client_sends_the_statements_that_split_finds() {
    let made: Vec<String> = (1..=40)
        .map(|seed| sql_text::script(seed * 0x9E37_79B9, 60, Bodies::None).text)
        .collect();
    let agreed = AGREED
        .iter()
        .filter(|script| !program::is_mysql() || !ONLY_OF_MARIADB.contains(script));
    let scripts: Vec<String> = agreed
        .copied()
        .chain(made.iter().map(String::as_str))
        .map(commented)
        .collect();
    let scripts: Vec<&str> = scripts.iter().map(String::as_str).collect();
    let sent = sent_by_client(&scripts).await;
    let wrong: Vec<String> = scripts
        .iter()
        .zip(sent)
        .filter_map(|(script, client)| difference(script, &client))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} scripts:\n{}",
        wrong.len(),
        scripts.len(),
        wrong.join("\n")
    );
}

/// A script without what MySQL's client takes otherwise: to it `/*M!` is a comment as any other, and it drops a backslash
/// at the end of a line in a name too.
fn commented(script: &str) -> String {
    if program::is_mysql() {
        script.replace("/*M!", "/*!").replace("\\\n", "\\a\n")
    } else {
        script.to_owned()
    }
}

/// The first statement in which the client and the splitter differ. The client takes comments out and puts a space
/// there, so tokens are compared.
fn difference(script: &str, client: &[String]) -> Option<String> {
    let split = match ours(script) {
        Ok(split) => split,
        Err(error) => return Some(format!("{script:?}\n  client {client:?}\n  split  {error}")),
    };
    let same = |(client, split): (&String, &&str)| {
        Digest::of_tokens(client) == Digest::of_tokens(&as_logged(split))
            || database_of_use(split).is_some_and(|name| client.strip_prefix("USE ") == Some(name))
    };
    let agreed = client
        .iter()
        .zip(&split)
        .take_while(|pair| same(*pair))
        .count();
    (agreed < client.len().max(split.len())).then(|| {
        let shown: String = script.chars().take(300).collect();
        format!(
            "{shown:?}\n  statement {}\n  client {:?}\n  split  {:?}",
            agreed + 1,
            client.get(agreed),
            split.get(agreed)
        )
    })
}

/// The client selects a database without SQL.
fn database_of_use(statement: &str) -> Option<&str> {
    let (word, name) = statement.split_once(' ')?;
    word.eq_ignore_ascii_case("use")
        .then(|| name.trim_matches('`'))
}

/// MariaDB's log has no characters of four bytes, it shows their bytes; and the server takes a `;` at the end away.
fn as_logged(text: &str) -> String {
    let mut logged = String::new();
    for char in text
        .trim_end_matches(|char: char| char == ';' || char.is_ascii_whitespace())
        .chars()
    {
        if char.len_utf8() == 4 && !program::is_mysql() {
            let mut bytes = [0; 4];
            char.encode_utf8(&mut bytes);
            logged.extend(bytes.iter().map(|byte| format!("\\x{byte:02X}")));
        } else {
            logged.push(char);
        }
    }
    logged
}

#[tokio::test]
async fn where_the_client_is_not_followed_there_is_a_reason() {
    // What is said here of the client is MariaDB's way; MySQL's differs in half a dozen of these.
    if program::is_mysql() {
        return;
    }
    let scripts: Vec<&str> = DIFFERENCES
        .iter()
        .map(|difference| difference.script)
        .collect();
    let sent = sent_by_client(&scripts).await;
    let mut wrong = Vec::new();
    for (difference, client) in DIFFERENCES.iter().zip(sent) {
        let split = ours(difference.script);
        let split_is = match (&split, &difference.split) {
            (Ok(found), Ok(expected)) => found == expected,
            (Err(found), Err(expected)) => found == expected,
            _ => false,
        };
        if client != difference.client || !split_is {
            wrong.push(format!(
                "{:?} ({})\n  client {client:?}\n  split  {split:?}",
                difference.script, difference.reason
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn ours(script: &str) -> Result<Vec<&str>, String> {
    let statements = split(script).map_err(|error| error.to_string())?;
    Ok(statements.iter().map(|s| &script[s.start..s.end]).collect())
}

/// What arrives at the server for each script.
async fn sent_by_client(scripts: &[&str]) -> Vec<Vec<String>> {
    let opts = server::new_database().await;
    let mut conn = server::connect(&opts).await;
    conn.query_drop("SET GLOBAL log_output = 'TABLE'")
        .await
        .unwrap();
    conn.query_drop("SET GLOBAL general_log = 1").await.unwrap();
    let mark = conn.id();
    let mut sent = vec![Vec::new(); scripts.len()];
    // A few at once: a client spends its time in starting.
    for (chunk, numbers) in scripts
        .chunks(4)
        .zip((0..scripts.len()).collect::<Vec<_>>().chunks(4))
    {
        let clients: Vec<Child> = chunk
            .iter()
            .zip(numbers)
            .map(|(script, number)| {
                start_client(&opts, script, &format!("SELECT 'script {mark} {number}'"))
            })
            .collect();
        for mut client in clients {
            client.wait().unwrap();
        }
    }
    for (number, statements) in read_log(&mut conn, mark).await {
        sent[number] = statements;
    }
    sent
}

fn start_client(opts: &OptsBuilder, script: &str, first: &str) -> Child {
    let opts = Opts::from(opts.clone());
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, script.as_bytes()).unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    server::command(&server::client())
        .args([
            "--no-defaults",
            "--default-character-set=utf8mb4",
            "--batch",
            "--force",
            "--skip-comments",
        ])
        // MySQL's takes them for SQL by itself, from version 9 on.
        .args(program::is_mysql().then_some("--commands"))
        .args(["--user=root", &format!("--init-command={first}")])
        .arg(format!("--socket={}", opts.socket().unwrap()))
        .arg(opts.db_name().unwrap())
        .stdin(Stdio::from(file))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The log's statements for each script of this run, without what the client asks on its own account.
async fn read_log(conn: &mut Conn, mark: u32) -> HashMap<usize, Vec<String>> {
    let rows: Vec<Row> = conn
        .query(
            "SELECT thread_id, command_type, argument FROM mysql.general_log \
             WHERE command_type IN ('Query', 'Init DB') AND thread_id <> CONNECTION_ID()",
        )
        .await
        .unwrap();
    let mut scripts: HashMap<u64, usize> = HashMap::new();
    let mut sent: HashMap<usize, Vec<String>> = HashMap::new();
    for row in rows {
        let (thread, command, argument): (u64, String, Vec<u8>) = mysql_async::from_row(row);
        let argument = String::from_utf8(argument).unwrap();
        if let Some(number) = argument.strip_prefix(&format!("SELECT 'script {mark} ")) {
            scripts.insert(thread, number.trim_end_matches('\'').parse().unwrap());
            continue;
        }
        // The last is how MySQL's asks whether the server knows literals in `$$`.
        let own = [
            "select @@version_comment limit 1",
            "SELECT DATABASE()",
            "select $$",
        ];
        if let Some(&number) = scripts.get(&thread)
            && !own.contains(&argument.as_str())
        {
            let statement = if command == "Init DB" {
                format!("USE {argument}")
            } else {
                argument
            };
            sent.entry(number).or_default().push(statement);
        }
    }
    sent
}
