//! What a person reads for each thing that can be wrong with a script's text.

use crate::{Scripts, render_failure};

fn message(sql: &str) -> String {
    let error = Scripts::parse("scripts/schema", [("v2_shop.sql", sql)]).unwrap_err();
    render_failure(&error.into(), 3000)
}

#[test]
fn a_quote_that_stays_open() {
    insta::assert_snapshot!(message("CREATE TABLE a (id INT);\nINSERT INTO a VALUES ('it's');\n"), @r#"
    error: the text that begins with `'` is never closed
     --> scripts/schema/v2_shop.sql:2:28
      |
    2 | INSERT INTO a VALUES ('it's');
      |                            ^^^
     help: close the quote, or double it where it belongs to the text
    "#);
    insta::assert_snapshot!(message("SELECT `a;\n"), @r#"
    error: the text that begins with a backtick is never closed
     --> scripts/schema/v2_shop.sql:1:8
      |
    1 | SELECT `a;
      |        ^^^
     help: close the name with another backtick; inside it, write a backtick twice
    "#);
    insta::assert_snapshot!(message("CREATE FUNCTION f() RETURNS INT LANGUAGE JAVASCRIPT AS $js$\n  return 1;\n$$;\n"), @r#"
    error: the text that begins with `$` is never closed
     --> scripts/schema/v2_shop.sql:1:56
      |
    1 | CREATE FUNCTION f() RETURNS INT LANGUAGE JAVASCRIPT AS $js$
      |                                                        ^^^^
     help: end the body with the same `$...$` that begins it
    "#);
}

#[test]
fn a_comment_that_stays_open() {
    insta::assert_snapshot!(message("SELECT 1;\n/* all of the\nSELECT 2;\n"), @r#"
    error: the comment that begins here is never closed with `*/`
     --> scripts/schema/v2_shop.sql:2:1
      |
    2 | /* all of the
      | ^^^^^^^^^^^^^
     help: close the comment; comments do not nest in MySQL
    "#);
    insta::assert_snapshot!(message("/*!50003 CREATE TABLE t (id INT);\n"), @r#"
    error: the delimiter `;` stands inside the `/*!` that begins here
     --> scripts/schema/v2_shop.sql:1:1
      |
    1 | /*!50003 CREATE TABLE t (id INT);
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     help: close it with `*/` before the statement ends; for a body with `;` in it, set another DELIMITER first
    "#);
}

#[test]
fn a_body_without_its_end() {
    insta::assert_snapshot!(message("SELECT 1;\nCREATE PROCEDURE p()\nBEGIN\n  IF a THEN SELECT 1;\nEND;\n"), @r#"
    error: the body that begins here has no END of its own
     --> scripts/schema/v2_shop.sql:2:1
      |
    2 | CREATE PROCEDURE p()
      | ^^^^^^^^^^^^^^^^^^^^
     help: end every BEGIN, IF, CASE and loop, or write the body between two DELIMITER lines
    "#);
}

#[test]
fn a_command_of_the_client() {
    insta::assert_snapshot!(message("SELECT 1;\nSELECT * FROM a\\G\n"), @r#"
    error: `\G` is a command of the mysql client, not SQL
     --> scripts/schema/v2_shop.sql:2:16
      |
    2 | SELECT * FROM a\G
      |                ^^
     help: end the statement with `;` instead
    "#);
    insta::assert_snapshot!(message("\n  source other.sql\n"), @r#"
    error: `source` is a command of the mysql client, not SQL
     --> scripts/schema/v2_shop.sql:2:3
      |
    2 |   source other.sql
      |   ^^^^^^^^^^^^^^^^
     help: write that file's SQL here, or make it a script of its own
    "#);
    insta::assert_snapshot!(message("\\d //\n"), @r#"
    error: `\d` is a command of the mysql client, not SQL
     --> scripts/schema/v2_shop.sql:1:1
      |
    1 | \d //
      | ^^
     help: write `DELIMITER` in full, at the beginning of a line
    "#);
    insta::assert_snapshot!(message("status;\n"), @r#"
    error: `status` is a command of the mysql client, not SQL
     --> scripts/schema/v2_shop.sql:1:1
      |
    1 | status;
      | ^^^^^^
     help: take it out: a script holds only what the server itself understands
    "#);
}

#[test]
fn a_backslash_outside_quotes() {
    insta::assert_snapshot!(message("SELECT 1 \\\n  + 2;"), @r#"
    error: a backslash stands outside quotes
     --> scripts/schema/v2_shop.sql:1:10
      |
    1 | SELECT 1 \
      |          ^
     help: put the text in quotes, or take the backslash out
    "#);
}

#[test]
fn a_delimiter_that_is_none() {
    insta::assert_snapshot!(message("SELECT 1;\nDELIMITER\nSELECT 2;"), @r#"
    error: DELIMITER needs a text without a backslash after it
     --> scripts/schema/v2_shop.sql:2:1
      |
    2 | DELIMITER
      | ^^^^^^^^^
     help: write for example `DELIMITER //`, and `DELIMITER ;` after the last `//`
    "#);
    insta::assert_snapshot!(message("DELIMITER \\\\ # both\nSELECT 1;"), @r#"
    error: DELIMITER needs a text without a backslash after it
     --> scripts/schema/v2_shop.sql:1:1
      |
    1 | DELIMITER \\ # both
      | ^^^^^^^^^^^^^^^^^^^
     help: write for example `DELIMITER //`, and `DELIMITER ;` after the last `//`
    "#);
}

#[test]
fn a_nul_byte() {
    insta::assert_snapshot!(message("SELECT 1;\n-- \0\n"), @"
    error: a NUL byte stands here; the file is not text
     --> scripts/schema/v2_shop.sql:2:4
      |
    2 | -- ␀
      |    ^
     help: save the file as UTF-8; UTF-16 has such bytes
    ");
}
