//! What Aurora takes and MariaDB has nothing for.

use super::expressions::simple_value_before;
use crate::lexer::TokenKind;
use crate::text::{Match, Text};
use crate::{Construct, Treatment};

const TABLE: &str = "CREATE TABLE post (id INT PRIMARY KEY, title VARCHAR(99), tags JSON);";

/// Functions of MySQL 8.0 that MariaDB 10.11 has not and nothing stands for.
const FUNCTIONS: [&str; 34] = [
    "FORMAT_BYTES",
    "FORMAT_PICO_TIME",
    "GROUPING",
    "GTID_SUBSET",
    "GTID_SUBTRACT",
    "ICU_VERSION",
    "JSON_SCHEMA_VALID",
    "JSON_SCHEMA_VALIDATION_REPORT",
    "JSON_STORAGE_FREE",
    "JSON_STORAGE_SIZE",
    "PS_CURRENT_THREAD_ID",
    "PS_THREAD_ID",
    "ROLES_GRAPHML",
    "STATEMENT_DIGEST",
    "STATEMENT_DIGEST_TEXT",
    "ST_COLLECT",
    "ST_FRECHETDISTANCE",
    "ST_GEOHASH",
    "ST_HAUSDORFFDISTANCE",
    "ST_ISVALID",
    "ST_LATFROMGEOHASH",
    "ST_LATITUDE",
    "ST_LINEINTERPOLATEPOINT",
    "ST_LONGFROMGEOHASH",
    "ST_LONGITUDE",
    "ST_MAKEENVELOPE",
    "ST_POINTATDISTANCE",
    "ST_POINTFROMGEOHASH",
    "ST_SIMPLIFY",
    "ST_SWAPXY",
    "ST_TRANSFORM",
    "ST_VALIDATE",
    "VALIDATE_PASSWORD_STRENGTH",
    "WAIT_FOR_EXECUTED_GTID_SET",
];

pub(super) static ROWS: &[Construct] = &[
    refused(
        "lateral",
        "`LATERAL (SELECT ...)`",
        "a derived table that sees those before it",
        TABLE,
        "SELECT x.n FROM post, LATERAL (SELECT post.id + 1 AS n) AS x",
        &["LATERAL"],
        |text| {
            text.all(&["LATERAL", "("])
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    refused(
        "functional-index",
        "`INDEX ((expression))`, `CAST(... AS UNSIGNED ARRAY)`",
        "an index on what an expression gives",
        TABLE,
        "CREATE INDEX by_length ON post ((CHAR_LENGTH(title)))",
        &["INDEX", "KEY", "UNIQUE"],
        |text| {
            if !matches!(text.word(0), "CREATE" | "ALTER") {
                return Vec::new();
            }
            // In CREATE INDEX also behind other parts of the key.
            let creates = text.word(0) == "CREATE" && (1..3).any(|at| text.word(at) == "INDEX");
            let later = (1..text.len())
                .filter(|at| creates && text.is(at - 1, &[",", "("]) && text.depth(*at) == 1);
            text.all(&["(", "("])
                .filter(|at| {
                    // The words before the outer parenthesis: INDEX or KEY with a name, or `ON table` of CREATE INDEX.
                    (1..=3).any(|back| {
                        at.checked_sub(back).is_some_and(|before| {
                            matches!(text.word(before), "INDEX" | "KEY" | "UNIQUE")
                        })
                    }) || (at
                        .checked_sub(2)
                        .is_some_and(|before| text.word(before) == "ON")
                        && text.has("INDEX"))
                })
                .chain(later)
                .map(|at| text.found(at, at + 1))
                .collect()
        },
    ),
    refused(
        "lock-of-table",
        "`FOR UPDATE OF table`",
        "a lock on some of the tables",
        TABLE,
        "SELECT id FROM post FOR UPDATE OF post",
        &["OF"],
        |text| {
            let is_lock = |at: &usize| {
                text.word(*at) == "FOR"
                    && matches!(text.word(at + 1), "UPDATE" | "SHARE")
                    && text.word(at + 2) == "OF"
            };
            (0..text.len())
                .filter(is_lock)
                .map(|at| text.found(at, at + 2))
                .collect()
        },
    ),
    refused(
        "with-change",
        "`WITH ... UPDATE`, `WITH ... DELETE`",
        "common table expressions before a change",
        TABLE,
        "WITH old AS (SELECT 1 AS id) DELETE FROM post WHERE id IN (SELECT id FROM old)",
        &["WITH"],
        |text| {
            if text.word(0) != "WITH" {
                return Vec::new();
            }
            (1..text.len())
                .filter(|at| {
                    matches!(text.word(*at), "UPDATE" | "DELETE")
                        && text.word(at - 1) == ")"
                        && text.depth(*at) == 0
                })
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    refused(
        "member-of-expression",
        "`expression MEMBER OF (array)`: of more than a name or a constant",
        "whether an array has a value",
        TABLE,
        "SELECT id FROM post WHERE id + 1 MEMBER OF (tags)",
        &["MEMBER"],
        |text| {
            text.all(&["MEMBER", "OF"])
                .filter(|at| simple_value_before(text, *at).is_none())
                .map(|at| text.found(at, at + 1))
                .collect()
        },
    ),
    refused(
        "json-value-returning",
        "`JSON_VALUE(document, path RETURNING type)`, `DEFAULT value ON EMPTY`",
        "a value of that type, another where there is none",
        "",
        "SELECT JSON_VALUE('{\"a\": 1}', '$.a' RETURNING SIGNED) AS a",
        &["JSON_VALUE"],
        |text| {
            text.calls("JSON_VALUE")
                .filter_map(|at| {
                    let close = text.close(at + 1)?;
                    (at..close)
                        .find(|inner| matches!(text.word(*inner), "RETURNING" | "ON"))
                        .map(|inner| text.found(inner, inner))
                })
                .collect()
        },
    ),
    refused(
        "function-of-mysql",
        "functions of MySQL: `GROUPING()`, `JSON_SCHEMA_VALID()`, `ST_IsValid()`, `ST_Transform()`, `STATEMENT_DIGEST()`, ...",
        "functions",
        TABLE,
        "SELECT title, GROUPING(title) FROM post GROUP BY title WITH ROLLUP",
        &FUNCTIONS,
        |text| {
            FUNCTIONS
                .iter()
                .flat_map(|name| text.calls(name))
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    refused(
        "regexp-flags",
        "`REGEXP_LIKE(text, pattern, flags)`",
        "a match by flags",
        "",
        "SELECT REGEXP_LIKE('abc', 'B', 'c') AS fits",
        &["REGEXP_LIKE"],
        |text| {
            text.calls("REGEXP_LIKE")
                .filter_map(|at| {
                    let close = text.close(at + 1)?;
                    (text.commas(at + 1, close).len() == 2).then(|| text.found(at, at))
                })
                .collect()
        },
    ),
    refused(
        "generated-not-null",
        "a generated column that is `NOT NULL`",
        "a column that refuses NULL",
        "",
        "CREATE TABLE note (a INT PRIMARY KEY, b INT AS (a + 1) STORED NOT NULL)",
        &["STORED", "VIRTUAL"],
        |text| {
            let is_column = |at: &usize| {
                matches!(text.word(*at), "STORED" | "VIRTUAL") && text.is(at + 1, &["NOT", "NULL"])
            };
            (0..text.len())
                .filter(is_column)
                .map(|at| text.found(at, at + 2))
                .collect()
        },
    ),
    refused(
        "srid",
        "a column's `SRID n`",
        "the reference system of a geometry, held by the column",
        "",
        "CREATE TABLE note (id INT PRIMARY KEY, place POINT NOT NULL SRID 4326)",
        &["SRID"],
        |text| {
            if !matches!(text.word(0), "CREATE" | "ALTER") {
                return Vec::new();
            }
            text.all(&["SRID"])
                .filter(|at| text.word(at + 1).starts_with(|c: char| c.is_ascii_digit()))
                .map(|at| text.found(at, at + 1))
                .collect()
        },
    ),
    refused(
        "explain-forms",
        "`EXPLAIN ANALYZE`, `EXPLAIN FORMAT = TREE`",
        "a plan with times, a plan as a tree",
        TABLE,
        "EXPLAIN ANALYZE SELECT id FROM post",
        &["EXPLAIN"],
        |text| {
            if text.is(0, &["EXPLAIN", "ANALYZE"]) {
                vec![text.found(0, 1)]
            } else if text.is(0, &["EXPLAIN", "FORMAT", "=", "TREE"]) {
                vec![text.found(0, 3)]
            } else {
                Vec::new()
            }
        },
    ),
    refused(
        "alter-check",
        "`ALTER TABLE ... ALTER CHECK name NOT ENFORCED`",
        "turns a check off or on",
        "CREATE TABLE note (a INT PRIMARY KEY, CONSTRAINT positive CHECK (a > 0));",
        "ALTER TABLE note ALTER CHECK positive NOT ENFORCED",
        &["ENFORCED"],
        |text| {
            let is_change = |at: &usize| {
                text.word(*at) == "ALTER" && matches!(text.word(at + 1), "CHECK" | "CONSTRAINT")
            };
            (1..text.len())
                .filter(is_change)
                .map(|at| text.found(at, at + 1))
                .collect()
        },
    ),
    refused(
        "max-execution-time",
        "`max_execution_time`",
        "a limit for SELECT in milliseconds; MariaDB's `max_statement_time` is one for all, in seconds",
        "",
        "SET SESSION max_execution_time = 1000",
        &["MAX_EXECUTION_TIME"],
        |text| {
            (1..text.len())
                .filter(|at| {
                    text.word(*at) == "MAX_EXECUTION_TIME"
                        && (text.word(0) == "SET" || matches!(text.word(at - 1), "@" | "."))
                })
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    refused(
        "collation-0900-language",
        "`utf8mb4_de_pb_0900_ai_ci`, `utf8mb4_ja_0900_as_cs` and other languages'",
        "collations of Unicode 9.0",
        "",
        "SELECT 'a' COLLATE utf8mb4_de_pb_0900_ai_ci AS a",
        &[],
        |text| {
            let is_language = |at: &usize| {
                let word = text.word(*at);
                text.kind(*at) == Some(TokenKind::Word)
                    && word
                        .strip_prefix("UTF8MB4_")
                        .and_then(|rest| rest.find("_0900_"))
                        .is_some()
            };
            (0..text.len())
                .filter(is_language)
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
];

pub(super) const fn refused(
    id: &'static str,
    title: &'static str,
    aurora: &'static str,
    before: &'static str,
    example: &'static str,
    words: &'static [&'static str],
    find: fn(&Text<'_>) -> Vec<Match>,
) -> Construct {
    Construct {
        id,
        title,
        mariadb: "an error",
        aurora,
        treatment: Treatment::Refused,
        before,
        example,
        words,
        find,
    }
}
