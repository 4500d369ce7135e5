//! What MariaDB takes and Aurora refuses or answers differently.

use crate::lexer::TokenKind;
use crate::text::{Match, Text};
use crate::{Construct, Treatment};

const TABLE: &str = "CREATE TABLE post (id INT PRIMARY KEY, title VARCHAR(99));";
const REFUSED: &str = "syntax error";

/// Functions of MariaDB that MySQL 8.0 has not.
const FUNCTIONS: [&str; 33] = [
    "ADD_MONTHS",
    "CHR",
    "COLUMN_ADD",
    "COLUMN_CREATE",
    "COLUMN_GET",
    "COLUMN_JSON",
    "CRC32C",
    "DECODE_ORACLE",
    "DES_DECRYPT",
    "DES_ENCRYPT",
    "ENCRYPT",
    "JSON_COMPACT",
    "JSON_DETAILED",
    "JSON_EQUALS",
    "JSON_EXISTS",
    "JSON_LOOSE",
    "JSON_NORMALIZE",
    "JSON_QUERY",
    "KDF",
    "LASTVAL",
    "LENGTHB",
    "MEDIAN",
    "NATURAL_SORT_KEY",
    "NVL",
    "NVL2",
    "OLD_PASSWORD",
    "PASSWORD",
    "PERCENTILE_CONT",
    "PERCENTILE_DISC",
    "SETVAL",
    "SFORMAT",
    "SYS_GUID",
    "TO_CHAR",
];

const TYPES: [&str; 4] = ["UUID", "INET4", "INET6", "XMLTYPE"];

pub(super) static ROWS: &[Construct] = &[
    warned(
        "returning",
        "`INSERT`, `REPLACE`, `DELETE ... RETURNING`",
        "rows of what was changed",
        REFUSED,
        "mariadb-returning",
        Some(1064),
        TABLE,
        "DELETE FROM post WHERE id = 1 RETURNING title",
        &["RETURNING"],
        |text| {
            if !matches!(text.word(0), "INSERT" | "REPLACE" | "DELETE") {
                return Vec::new();
            }
            // In JSON_VALUE(... RETURNING type) the word is in parentheses.
            text.all(&["RETURNING"])
                .filter(|at| text.depth(*at) == 0)
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    warned(
        "sequence",
        "`CREATE SEQUENCE`, `NEXT VALUE FOR`, `NEXTVAL()`",
        "numbers without a table",
        REFUSED,
        "mariadb-sequence",
        Some(1064),
        "",
        "CREATE SEQUENCE numbers",
        &["SEQUENCE", "NEXTVAL", "NEXT"],
        |text| {
            let mut found: Vec<Match> = Vec::new();
            found.extend(
                (0..2)
                    .find(|at| {
                        text.word(*at) == "SEQUENCE"
                            && matches!(text.word(0), "CREATE" | "ALTER" | "DROP")
                    })
                    .map(|at| text.found(0, at)),
            );
            found.extend(
                text.all(&["NEXT", "VALUE", "FOR"])
                    .map(|at| text.found(at, at + 2)),
            );
            found.extend(text.calls("NEXTVAL").map(|at| text.found(at, at)));
            found
        },
    ),
    warned(
        "or-replace",
        "`CREATE OR REPLACE TABLE`, and whatever else is not a view",
        "drops and makes anew",
        REFUSED,
        "mariadb-or-replace",
        Some(1064),
        "",
        "CREATE OR REPLACE TABLE note (id INT PRIMARY KEY)",
        &["REPLACE"],
        |text| {
            if !text.is(0, &["CREATE", "OR", "REPLACE"])
                || (3..text.len().min(20)).any(|at| text.word(at) == "VIEW")
                || text.is(3, &["SPATIAL", "REFERENCE"])
            {
                return Vec::new();
            }
            vec![text.found(1, 2)]
        },
    ),
    warned(
        "if-exists",
        "`ADD COLUMN IF NOT EXISTS`, `DROP COLUMN IF EXISTS`, `CREATE INDEX IF NOT EXISTS`, `ALTER TABLE IF EXISTS`",
        "no error where it is there already",
        REFUSED,
        "mariadb-if-exists",
        Some(1064),
        TABLE,
        "ALTER TABLE post ADD COLUMN IF NOT EXISTS note TEXT",
        &["EXISTS"],
        |text| {
            let is_index = matches!(text.word(0), "CREATE" | "DROP")
                && (1..3).any(|at| text.word(at) == "INDEX");
            let is_alter = text.is(0, &["ALTER", "TABLE"]);
            let place = |at: usize| {
                let words: &[&str] = if text.is(at, &["IF", "NOT", "EXISTS"]) {
                    &["IF", "NOT", "EXISTS"]
                } else {
                    &["IF", "EXISTS"]
                };
                text.is(at, words)
                    .then(|| text.found(at, at + words.len() - 1))
            };
            if is_index || is_alter {
                (2..text.len()).filter_map(place).collect()
            } else {
                Vec::new()
            }
        },
    ),
    warned(
        "type",
        "columns of the types `UUID`, `INET4`, `INET6`",
        "types of its own",
        REFUSED,
        "mariadb-type",
        Some(1064),
        "",
        "CREATE TABLE note (id UUID PRIMARY KEY)",
        &TYPES,
        |text| {
            // A column's type stands behind its name, which begins an item or follows ADD, COLUMN, MODIFY, CHANGE.
            if !matches!(text.word(0), "CREATE" | "ALTER") {
                return Vec::new();
            }
            let is_type = |at: &usize| {
                let first = text.item(*at);
                TYPES.contains(&text.word(*at))
                    && text.word(at + 1) != "("
                    && (first + 1 == *at
                        || (*at >= 2 && matches!(text.word(at - 2), "ADD" | "COLUMN" | "MODIFY")))
                    && matches!(text.kind(at - 1), Some(TokenKind::Word | TokenKind::Quoted))
                    && text.word(at - 1) != "("
            };
            (1..text.len())
                .filter(is_type)
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    warned(
        "default-expression",
        "`DEFAULT uuid()` without parentheses",
        "an expression",
        REFUSED,
        "mariadb-default",
        Some(1064),
        "",
        "CREATE TABLE note (id CHAR(36) DEFAULT UUID() PRIMARY KEY)",
        &["DEFAULT"],
        |text| {
            let clock = ["CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"];
            if !matches!(text.word(0), "CREATE" | "ALTER") {
                return Vec::new();
            }
            text.all(&["DEFAULT"])
                .filter(|at| {
                    text.kind(at + 1) == Some(TokenKind::Word)
                        && text.word(at + 2) == "("
                        && !clock.contains(&text.word(at + 1))
                })
                .map(|at| text.found(at, at + 1))
                .collect()
        },
    ),
    warned(
        "ignored-index",
        "`INDEX ... IGNORED`",
        "an index that no plan uses",
        "syntax error; its own word is `INVISIBLE`",
        "mariadb-ignored-index",
        Some(1064),
        "",
        "CREATE TABLE note (a INT PRIMARY KEY, b INT, KEY by_b (b) IGNORED)",
        &["IGNORED"],
        |text| {
            if !matches!(text.word(0), "CREATE" | "ALTER") {
                return Vec::new();
            }
            let is_option = |at: &usize| {
                *at > 0 && matches!(text.word(at - 1), ")" | "NOT" | "BTREE" | "HASH")
                    || (*at >= 3 && text.is(at - 3, &["ALTER", "INDEX"]))
            };
            text.all(&["IGNORED"])
                .filter(is_option)
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    warned(
        "set-statement",
        "`SET STATEMENT ... FOR`",
        "variables for one statement",
        REFUSED,
        "mariadb-set-statement",
        Some(1064),
        "",
        "SET STATEMENT max_statement_time = 10 FOR SELECT 1",
        &["STATEMENT"],
        |text| {
            if text.is(0, &["SET", "STATEMENT"]) {
                vec![text.found(0, 1)]
            } else {
                Vec::new()
            }
        },
    ),
    warned(
        "system-versioning",
        "`WITH SYSTEM VERSIONING`, `FOR SYSTEM_TIME`",
        "a table that keeps its history",
        REFUSED,
        "mariadb-versioning",
        Some(1064),
        "",
        "CREATE TABLE note (id INT PRIMARY KEY) WITH SYSTEM VERSIONING",
        &["VERSIONING", "SYSTEM_TIME"],
        |text| {
            let mut found: Vec<Match> = text
                .all(&["SYSTEM", "VERSIONING"])
                .map(|at| text.found(at, at + 1))
                .collect();
            found.extend(
                text.all(&["FOR", "SYSTEM_TIME"])
                    .map(|at| text.found(at, at + 1)),
            );
            found
        },
    ),
    warned(
        "wait",
        "`ALTER TABLE ... WAIT n`, `FOR UPDATE WAIT n`",
        "a limit for waiting on locks",
        REFUSED,
        "mariadb-wait",
        Some(1064),
        TABLE,
        "ALTER TABLE post WAIT 5 ADD COLUMN note TEXT",
        &["WAIT"],
        |text| {
            text.all(&["WAIT"])
                .filter(|at| text.word(at + 1).starts_with(|c: char| c.is_ascii_digit()))
                .map(|at| text.found(at, at + 1))
                .collect()
        },
    ),
    warned(
        "uca1400",
        "collations `utf8mb4_uca1400_...` and `..._nopad_...`",
        "its own names",
        "unknown collation; the like are `utf8mb4_0900_...`",
        "mariadb-collation",
        Some(1273),
        "",
        "CREATE TABLE note (t VARCHAR(9) PRIMARY KEY) COLLATE = utf8mb4_uca1400_nopad_ai_ci",
        &[],
        |text| {
            let is_collation = |at: &usize| {
                let word = text.word(*at);
                text.kind(*at) == Some(TokenKind::Word)
                    && (word.contains("UCA1400") || word.contains("_NOPAD_"))
            };
            (0..text.len())
                .filter(is_collation)
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    warned(
        "persistent-column",
        "generated columns that are `PERSISTENT`",
        "another word for `STORED`",
        REFUSED,
        "mariadb-persistent",
        Some(1064),
        "",
        "CREATE TABLE note (a INT PRIMARY KEY, b INT AS (a + 1) PERSISTENT)",
        &["PERSISTENT"],
        |text| {
            text.all(&["PERSISTENT"])
                .filter(|at| *at > 0 && text.word(at - 1) == ")")
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    warned(
        "not-atomic",
        "`BEGIN NOT ATOMIC ... END`",
        "a block outside a procedure",
        REFUSED,
        "mariadb-compound",
        Some(1064),
        "",
        "BEGIN NOT ATOMIC END",
        &["ATOMIC"],
        |text| {
            text.all(&["BEGIN", "NOT", "ATOMIC"])
                .map(|at| text.found(at, at + 2))
                .collect()
        },
    ),
    warned(
        "mariadb-comment",
        "`/*M! ... */`",
        "run",
        "a comment",
        "mariadb-comment",
        None,
        "",
        "SELECT 1 /*M! + 1 */ AS two",
        &["/*M!"],
        |text| text.all(&["/*M!"]).map(|at| text.found(at, at)).collect(),
    ),
    warned(
        "fetch-first",
        "`FETCH FIRST n ROWS ONLY`, `OFFSET n ROWS`, `LIMIT ROWS EXAMINED`",
        "as `LIMIT`",
        REFUSED,
        "mariadb-only",
        Some(1064),
        TABLE,
        "SELECT id FROM post ORDER BY id FETCH FIRST 2 ROWS ONLY",
        &["ROWS", "ROW"],
        |text| {
            let is_fetch = |at: &usize| {
                text.word(*at) == "FETCH"
                    && matches!(text.word(at + 1), "FIRST" | "NEXT")
                    && matches!(text.word(at + 3), "ROW" | "ROWS")
            };
            let mut found: Vec<Match> = (0..text.len())
                .filter(is_fetch)
                .map(|at| text.found(at, at + 3))
                .collect();
            found.extend(
                text.all(&["ROWS", "EXAMINED"])
                    .map(|at| text.found(at, at + 1)),
            );
            found
        },
    ),
    warned(
        "function",
        "functions of its own: `NVL`, `JSON_EXISTS`, `JSON_QUERY`, `TO_CHAR`, `MEDIAN`, ...",
        "functions",
        "no such function",
        "mariadb-only",
        Some(1305),
        "",
        "SELECT NVL(NULL, 1) AS one",
        &FUNCTIONS,
        |text| {
            FUNCTIONS
                .iter()
                .flat_map(|name| text.calls(name))
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    warned(
        "execute-immediate",
        "`EXECUTE IMMEDIATE`",
        "prepares and runs",
        REFUSED,
        "mariadb-only",
        Some(1064),
        "",
        "EXECUTE IMMEDIATE 'SELECT 1'",
        &["IMMEDIATE"],
        |text| {
            text.all(&["EXECUTE", "IMMEDIATE"])
                .map(|at| text.found(at, at + 1))
                .collect()
        },
    ),
    warned(
        "oracle-mode",
        "`sql_mode = 'ORACLE'`",
        "Oracle's syntax",
        "no such mode",
        "mariadb-only",
        Some(1231),
        "",
        "SET SESSION sql_mode = 'ORACLE'",
        &["SQL_MODE"],
        |text| {
            text.all(&["SQL_MODE"])
                .filter(|at| matches!(text.word(at + 1), "=" | ":="))
                .filter(|at| text.piece(at + 2).to_ascii_uppercase().contains("ORACLE"))
                .map(|at| text.found(at, at + 2))
                .collect()
        },
    ),
];

#[expect(
    clippy::too_many_arguments,
    reason = "a row of a table, in the order of its columns"
)]
pub(super) const fn warned(
    id: &'static str,
    title: &'static str,
    mariadb: &'static str,
    aurora: &'static str,
    lint: &'static str,
    error: Option<u16>,
    before: &'static str,
    example: &'static str,
    words: &'static [&'static str],
    find: fn(&Text<'_>) -> Vec<Match>,
) -> Construct {
    Construct {
        id,
        title,
        mariadb,
        aurora,
        treatment: Treatment::Warned { lint, error },
        before,
        example,
        words,
        find,
    }
}
