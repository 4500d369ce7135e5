//! Words that one of the two servers reserves and the other takes for a name.

use super::warned::warned;
use crate::lexer::TokenKind;
use crate::text::Text;
use crate::{Construct, Treatment};

/// Reserved in MySQL 8.0 and used there for functions: with a parenthesis behind them they are meant.
const FUNCTIONS: [&str; 14] = [
    "CUME_DIST",
    "DENSE_RANK",
    "FIRST_VALUE",
    "GROUPING",
    "JSON_TABLE",
    "LAG",
    "LAST_VALUE",
    "LATERAL",
    "LEAD",
    "NTH_VALUE",
    "NTILE",
    "PERCENT_RANK",
    "RANK",
    "EMPTY",
];

/// Reserved in MySQL 8.0 and in use in other statements: as an alias they are none.
const ALIASES: [&str; 13] = [
    "CUBE",
    "DATABASE",
    "FUNCTION",
    "GENERATED",
    "GET",
    "OF",
    "OPTION",
    "ROW",
    "SCHEMA",
    "STORED",
    "VIRTUAL",
    "WINDOW",
    "OPTIMIZER_COSTS",
];

/// Words behind which a name stands, whatever follows it.
const BEFORE_NAMES: [&str; 7] = ["TABLE", "INTO", "UPDATE", "JOIN", "FROM", "COLUMN", "AS"];

pub(super) static ROWS: &[Construct] = &[
    warned(
        "reserved-name",
        "names like `rank`, `groups` and `system` without backticks",
        "names",
        "syntax error: MySQL 8.0 reserves them",
        "reserved-word",
        Some(1064),
        "",
        "CREATE TABLE note (id INT PRIMARY KEY, rank INT)",
        &[],
        |text| {
            (0..text.len())
                .filter(|at| is_reserved(text, *at))
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    Construct {
        id: "free-name",
        title: "`offset` and `returning` as names",
        mariadb: "syntax error: both are reserved",
        aurora: "names",
        treatment: Treatment::Translated {
            to: "CREATE TABLE note (id INT PRIMARY KEY, `offset` BIGINT)",
        },
        before: "",
        example: "CREATE TABLE note (id INT PRIMARY KEY, offset BIGINT)",
        words: &["OFFSET", "RETURNING"],
        find: |text| {
            (0..text.len())
                .filter(|at| is_free(text, *at))
                .map(|at| {
                    let quoted = format!("`{}`", text.piece(at));
                    text.edited(at, at, vec![text.replace(at, at, quoted)])
                })
                .collect()
        },
    },
];

fn is_reserved(text: &Text<'_>, at: usize) -> bool {
    let word = text.word(at);
    if text.kind(at) != Some(TokenKind::Word) || (at > 0 && matches!(text.word(at - 1), "." | "@"))
    {
        return false;
    }
    let before = if at > 0 { text.word(at - 1) } else { "" };
    let after = text.word(at + 1);
    if FUNCTIONS.contains(&word) {
        // `DEFAULT 1 ON EMPTY` is JSON_TABLE's, and a lateral table stands behind JOIN.
        let is_name = BEFORE_NAMES.contains(&before) && word != "LATERAL" && word != "JSON_TABLE";
        return before != "ON" && (after != "(" || is_name);
    }
    match word {
        "GROUPS" => true,
        "SYSTEM" => after != "VERSIONING" && before != "=",
        _ => before == "AS" && ALIASES.contains(&word) && !matches!(after, "START" | "END" | "("),
    }
}

/// Where the word is neither what stands between LIMIT's numbers nor MariaDB's clause.
fn is_free(text: &Text<'_>, at: usize) -> bool {
    if at == 0 || matches!(text.word(at - 1), "." | "@") {
        return false;
    }
    match text.word(at) {
        "OFFSET" => {
            let is_limit = at >= 2 && text.word(at - 2) == "LIMIT";
            let is_rows = matches!(text.word(at + 2), "ROW" | "ROWS");
            !is_limit && !is_rows
        }
        // A column in a definition; elsewhere the clause is told by what stands before it.
        "RETURNING" => {
            matches!(text.word(0), "CREATE" | "ALTER")
                && matches!(text.word(at - 1), "," | "(" | "COLUMN" | "ADD")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::read;

    #[track_caller]
    fn check(sql: &str, found: usize) {
        let count = read(sql)
            .found
            .iter()
            .filter(|found| found.construct.id == "reserved-name")
            .count();
        assert_eq!(count, found, "{sql}");
    }

    #[test]
    fn a_reserved_word_is_told_from_what_it_is_reserved_for() {
        for sql in [
            "SELECT RANK() OVER w, LAG(a) OVER w FROM t WINDOW w AS (ORDER BY a)",
            "SELECT t.rank, `rank` FROM t",
            "SELECT g FROM t GROUP BY g WITH CUBE",
            "SELECT * FROM JSON_TABLE('[]', '$[*]' COLUMNS (a INT PATH '$.a' DEFAULT '1' ON EMPTY)) AS t",
            "SET time_zone = SYSTEM",
            "SELECT * FROM t, LATERAL (SELECT 1) AS u",
            "CREATE TABLE t (a INT, b INT GENERATED ALWAYS AS (a) STORED) WITH SYSTEM VERSIONING",
            "DROP DATABASE x",
        ] {
            check(sql, 0);
        }
        for sql in [
            "SELECT id AS rank FROM t",
            "SELECT a FROM t ORDER BY rank",
            "CREATE TABLE `groups` (system INT)",
            "INSERT INTO groups (id) VALUES (1)",
            "INSERT INTO rank (id) VALUES (1)",
            "SELECT 1 AS row",
            "UPDATE t SET rank = 1",
        ] {
            check(sql, 1);
        }
    }

    #[test]
    fn offset_is_a_name_but_behind_limit() {
        for sql in [
            "SELECT 1 LIMIT 5 OFFSET 2",
            "SELECT 1 LIMIT ? OFFSET ?",
            "SELECT 1 LIMIT :limit OFFSET :offset",
            "SELECT t.offset FROM t",
            "DELETE FROM t RETURNING id",
        ] {
            assert_eq!(read(sql).sql, sql);
        }
        assert_eq!(
            read("INSERT INTO t (offset) SELECT MAX(offset) + 1 FROM t LIMIT 1 OFFSET 0").sql,
            "INSERT INTO t (`offset`) SELECT MAX(`offset`) + 1 FROM t LIMIT 1 OFFSET 0"
        );
    }
}
