//! Which statements go to the server in one packet, and which of them leave the connection as it is.
//!
//! The driver always asks for the protocol's multi statements. The server carries them out one after the other and answers
//! each; after a failure it does nothing of the rest. So the answers say how far it came, if each statement is one to the
//! server too, whatever its `sql_mode` and its character set are. That holds for a text without a semicolon and without a
//! backslash: all else that ends a statement or a literal is the same in every mode.

use dayspring_migrate::Write;

use super::literal;

/// Bytes of one packet: far below the smallest `max_allowed_packet` that is a server's default (1 MiB, in MySQL 5.5).
const BYTES_MAX: usize = 256 * 1024;

/// Statements of one packet: what a failure or a lost connection puts in question.
const STATEMENTS_MAX: usize = 1000;

/// On a line of its own, for a statement may end with a comment.
const BETWEEN: &str = "\n;\n";

/// How many of a script's statements, from the first, go together; one that must go alone counts as one.
pub(super) fn together(statements: &[&str]) -> usize {
    let mut bytes = 0;
    let fitting = statements.iter().take(STATEMENTS_MAX).take_while(|sql| {
        bytes += sql.len() + BETWEEN.len();
        bytes <= BYTES_MAX && is_plain(sql)
    });
    fitting.count().max(1).min(statements.len())
}

/// The statements as one text.
pub(super) fn join(statements: &[impl AsRef<str>]) -> String {
    let mut joined = String::new();
    for sql in statements {
        if !joined.is_empty() {
            joined.push_str(BETWEEN);
        }
        joined.push_str(sql.as_ref());
    }
    joined
}

/// The writes of the engine's own, which are plain by their making, as texts of one packet each.
pub(super) fn packets(statements: Vec<String>) -> Vec<Vec<String>> {
    let mut packets: Vec<Vec<String>> = Vec::new();
    let mut bytes = 0;
    for sql in statements {
        bytes += sql.len() + BETWEEN.len();
        match packets.last_mut() {
            Some(packet) if bytes <= BYTES_MAX => packet.push(sql),
            Some(_) | None => {
                bytes = sql.len();
                packets.push(vec![sql]);
            }
        }
    }
    packets
}

/// ER_DATA_OUT_OF_RANGE: what the server answers to [`GUARD`] where the write before it matched no row.
pub(super) const OUT_OF_RANGE: u16 = 1690;

/// Fails where the statement before it matched no row: a whole number that is too large is an error in every `sql_mode`
/// (<https://dev.mysql.com/doc/refman/8.4/en/out-of-range-and-overflow.html>, read 2026-11-23).
const GUARD: &str = "SELECT 18446744073709551615 + (ROW_COUNT() < 1)";

/// A packet that commits writes and then runs a statement of a script. The server does nothing of what follows a failure:
/// so the statement runs only where the writes are committed, and the last of them matched a row.
#[derive(Debug)]
pub(super) struct Recording {
    text: String,
    writes: usize,
    has_look: bool,
}

/// The part of a [`Recording`] that the server had come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// The transaction of the writes, with its COMMIT.
    Writes,
    /// What asks in it whether a row was matched.
    Guard,
    Statement,
    /// The query after it.
    Look,
    End,
}

impl Recording {
    /// Nothing where the statement must go alone.
    pub(super) fn new(writes: &[Write], sql: &str, look: Option<&str>) -> Option<Self> {
        if sql.contains([';', '\\']) || !leaves_connection(sql) {
            return None;
        }
        let begin = "START TRANSACTION".to_owned();
        let bound = writes
            .iter()
            .map(|write| literal::bind(&write.sql, &write.parameters()));
        let after = [GUARD, "COMMIT", sql].into_iter().chain(look);
        let statements: Vec<String> = std::iter::once(begin)
            .chain(bound)
            .chain(after.map(str::to_owned))
            .collect();
        let text = join(&statements);
        (text.len() <= BYTES_MAX).then_some(Self {
            text,
            writes: writes.len(),
            has_look: look.is_some(),
        })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where the server was after so many answers.
    pub(super) fn reached(&self, answers: usize) -> Reached {
        let guard = self.writes + 1;
        match answers {
            _ if answers == guard => Reached::Guard,
            // The COMMIT is the next.
            _ if answers <= guard + 1 => Reached::Writes,
            _ if answers == guard + 2 => Reached::Statement,
            _ if answers == guard + 3 && self.has_look => Reached::Look,
            _ => Reached::End,
        }
    }
}

/// Whether a statement writes rows, is one statement in every mode of the server, and has one answer.
fn is_plain(sql: &str) -> bool {
    begins_with(sql, &["INSERT", "REPLACE", "UPDATE", "DELETE"]) && !sql.contains([';', '\\'])
}

/// Whether a statement is known to leave the connection's settings, variables, locks and temporary tables as they are.
/// What has `@` or calls something may not.
pub(super) fn leaves_connection(sql: &str) -> bool {
    // The engine's own mark.
    let sql = match sql.strip_prefix("/* dayspring ") {
        Some(rest) => rest
            .split_once("*/")
            .map_or(sql, |(_, rest)| rest)
            .trim_start(),
        None => sql,
    };
    let has = |word: &str| {
        sql.as_bytes()
            .windows(word.len())
            .any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
    };
    begins_with(sql, &["CREATE", "ALTER", "DROP", "RENAME"])
        && !sql.contains('@')
        && !has("SELECT")
        && !has("TEMPORARY")
        && !has("EXECUTE")
}

fn begins_with(sql: &str, words: &[&str]) -> bool {
    let length = sql
        .find(|char: char| !char.is_ascii_alphabetic())
        .unwrap_or(sql.len());
    words
        .iter()
        .any(|word| sql[..length].eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_statements_go_together_and_others_alone() {
        let insert = "INSERT INTO t VALUES (1) -- one";
        assert_eq!(together(&[insert, "update t SET a = 2", insert]), 3);
        for alone in [
            "SET @a = 1",
            "INSERT INTO t VALUES ('a;b')",
            r"INSERT INTO t VALUES ('it\'s')",
            "SELECT 1",
            "/* a note */ INSERT INTO t VALUES (1)",
        ] {
            assert_eq!(together(&[insert, alone, insert]), 1, "{alone}");
            assert_eq!(together(&[alone, insert]), 1, "{alone}");
        }
        assert_eq!(together(&[]), 0);
    }

    #[test]
    fn a_recording_says_how_far_the_server_came() {
        let write = Write {
            sql: "REPLACE INTO j VALUES (:n)".to_owned(),
            parameters: vec![("n".to_owned(), dayspring_migrate::Value::Long(7))],
        };
        let writes = [write.clone(), write];
        let sql = "/* dayspring tag */ CREATE TABLE t (id INT)";
        let packet = Recording::new(&writes, sql, Some("SHOW CREATE TABLE u")).unwrap();
        insta::assert_snapshot!(packet.text().replace(BETWEEN, "; "), @"START TRANSACTION; REPLACE INTO j VALUES (7); REPLACE INTO j VALUES (7); SELECT 18446744073709551615 + (ROW_COUNT() < 1); COMMIT; /* dayspring tag */ CREATE TABLE t (id INT); SHOW CREATE TABLE u");
        let reached: Vec<Reached> = (0..8).map(|answers| packet.reached(answers)).collect();
        assert_eq!(
            reached,
            [
                Reached::Writes,
                Reached::Writes,
                Reached::Writes,
                Reached::Guard,
                Reached::Writes,
                Reached::Statement,
                Reached::Look,
                Reached::End
            ]
        );
        let packet = Recording::new(&writes, sql, None).unwrap();
        assert_eq!(packet.reached(6), Reached::End);
        for alone in [
            "/* dayspring tag */ CREATE PROCEDURE p() BEGIN SELECT 1; END",
            r"/* dayspring tag */ CREATE TABLE t (id INT COMMENT 'it\'s')",
            "/* dayspring tag */ ANALYZE TABLE t",
            "/* dayspring tag */ CREATE TABLE t AS SELECT 1",
        ] {
            assert!(Recording::new(&writes, alone, None).is_none(), "{alone}");
        }
    }

    #[test]
    fn a_packet_has_a_limit() {
        let long = format!("INSERT INTO t VALUES ('{}')", "x".repeat(BYTES_MAX / 2));
        assert_eq!(together(&[&long, &long, &long]), 1);
        assert_eq!(together(&vec!["DELETE FROM t"; 3000]), STATEMENTS_MAX);
        let writes = packets(vec![long.clone(), "a".to_owned(), long, "b".to_owned()]);
        assert_eq!(writes.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    }

    #[test]
    fn a_comment_at_the_end_does_not_reach_the_next_statement() {
        assert_eq!(
            join(&["DELETE FROM t -- all", "DELETE FROM u"]),
            "DELETE FROM t -- all\n;\nDELETE FROM u"
        );
    }

    #[test]
    fn definitions_leave_the_connection_as_it_is_unless_they_may_call_something() {
        for sql in [
            "CREATE TABLE t (id INT)",
            "/* dayspring blog v1 statement 2 token 3 */ alter table t ADD a INT",
            "DROP TABLE t",
        ] {
            assert!(leaves_connection(sql), "{sql}");
        }
        for sql in [
            "SET NAMES latin1",
            "CREATE TABLE t AS select GET_LOCK('a', 1)",
            "CREATE temporary TABLE t (id INT)",
            "ALTER TABLE t /*!50000 COMMENT = @a */",
            "INSERT INTO t VALUES (GET_LOCK('a', 1))",
            "/* dayspring blog v1 statement 2 token 3 */ CALL p()",
            "TRUNCATE t",
        ] {
            assert!(!leaves_connection(sql), "{sql}");
        }
    }
}
