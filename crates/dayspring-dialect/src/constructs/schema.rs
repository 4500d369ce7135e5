//! What definitions of tables and accounts have that is put in MariaDB's words.

use crate::columns::definitions;
use crate::text::{Match, Text};
use crate::{Construct, Treatment};

const TABLE: &str = "CREATE TABLE post (id INT PRIMARY KEY, a INT, CONSTRAINT positive CHECK (a > 0), KEY by_a (a));";

/// MySQL's collations of Unicode 9.0 and the nearest of MariaDB's without padding: the same weights for what people write.
const COLLATIONS: [(&str, &str); 4] = [
    ("UTF8MB4_0900_AI_CI", "utf8mb4_uca1400_nopad_ai_ci"),
    ("UTF8MB4_0900_AS_CI", "utf8mb4_uca1400_nopad_as_ci"),
    ("UTF8MB4_0900_AS_CS", "utf8mb4_uca1400_nopad_as_cs"),
    ("UTF8MB4_0900_BIN", "utf8mb4_nopad_bin"),
];

pub(super) static ROWS: &[Construct] = &[
    Construct {
        id: "collation-0900",
        title: "`utf8mb4_0900_ai_ci`, `_as_ci`, `_as_cs`, `_bin`",
        mariadb: "unknown collation",
        aurora: "the first is the default",
        treatment: Treatment::Translated {
            to: "CREATE TABLE note (t TEXT) COLLATE = utf8mb4_uca1400_nopad_ai_ci",
        },
        before: "",
        example: "CREATE TABLE note (t TEXT) COLLATE = utf8mb4_0900_ai_ci",
        words: &[],
        find: |text| {
            let collation = |at: usize| {
                let quoted = matches!(text.word(at.wrapping_sub(1)), "COLLATE" | "=");
                let name = if quoted {
                    text.piece(at).trim_matches(['\'', '"'])
                } else {
                    text.piece(at)
                };
                let (_, mariadb) = COLLATIONS
                    .iter()
                    .find(|(mysql, _)| mysql.eq_ignore_ascii_case(name))?;
                Some(text.edited(at, at, vec![text.replace(at, at, *mariadb)]))
            };
            (0..text.len()).filter_map(collation).collect()
        },
    },
    Construct {
        id: "check-not-enforced",
        title: "`CHECK (...) NOT ENFORCED`, `ENFORCED`",
        mariadb: "syntax error",
        aurora: "a check that is not checked, and one that is",
        treatment: Treatment::Translated {
            to: "CREATE TABLE note (a INT, CONSTRAINT positive CHECK ((a > 0) OR TRUE))",
        },
        before: "",
        example: "CREATE TABLE note (a INT, CONSTRAINT positive CHECK (a > 0) NOT ENFORCED)",
        words: &["ENFORCED"],
        find: check_enforced,
    },
    Construct {
        id: "drop-check",
        title: "`ALTER TABLE ... DROP CHECK name`",
        mariadb: "syntax error",
        aurora: "as `DROP CONSTRAINT name`",
        treatment: Treatment::Translated {
            to: "ALTER TABLE post DROP CONSTRAINT positive",
        },
        before: TABLE,
        example: "ALTER TABLE post DROP CHECK positive",
        words: &["CHECK"],
        find: |text| {
            if text.word(0) != "ALTER" {
                return Vec::new();
            }
            text.all(&["DROP", "CHECK"])
                .map(|at| text.edited(at, at + 1, vec![text.replace(at + 1, at + 1, "CONSTRAINT")]))
                .collect()
        },
    },
    Construct {
        id: "invisible-index",
        title: "`INDEX ... INVISIBLE`, `VISIBLE`, `ALTER INDEX name INVISIBLE`",
        mariadb: "syntax error; its own words are `IGNORED` and `NOT IGNORED`",
        aurora: "an index that no plan uses",
        treatment: Treatment::Translated {
            to: "CREATE TABLE note (a INT INVISIBLE, b INT, KEY by_b (b) IGNORED)",
        },
        before: "",
        example: "CREATE TABLE note (a INT INVISIBLE, b INT, KEY by_b (b) INVISIBLE)",
        words: &["INVISIBLE", "VISIBLE"],
        find: |text| {
            (0..text.len())
                .filter(|at| matches!(text.word(*at), "INVISIBLE" | "VISIBLE"))
                .filter(|at| is_of_index(text, *at))
                .map(|at| {
                    let word = if text.word(at) == "VISIBLE" {
                        "NOT IGNORED"
                    } else {
                        "IGNORED"
                    };
                    text.edited(at, at, vec![text.replace(at, at, word)])
                })
                .collect()
        },
    },
    Construct {
        id: "visible-column",
        title: "a column that is `VISIBLE`",
        mariadb: "syntax error",
        aurora: "as every column that does not say `INVISIBLE`",
        treatment: Treatment::Translated {
            to: "CREATE TABLE note (a INT, b INT INVISIBLE)",
        },
        before: "",
        example: "CREATE TABLE note (a INT VISIBLE, b INT INVISIBLE)",
        words: &["VISIBLE"],
        find: |text| {
            definitions(text)
                .into_iter()
                .filter(|one| one.is_column(text))
                .filter_map(|one| {
                    let flat = one.flat(text);
                    flat.into_iter()
                        .skip(2)
                        .find(|at| text.word(*at) == "VISIBLE")
                })
                .map(|at| text.edited(at, at, vec![text.remove(at, at)]))
                .collect()
        },
    },
    Construct {
        id: "generated-date-format",
        title: "a generated column of `DATE_FORMAT(at, format)` that is `STORED` or has a key",
        mariadb: "an error: the names of months depend on the session, unless a third argument says the language",
        aurora: "English, unless `lc_time_names` says otherwise",
        treatment: Treatment::Translated {
            to: "CREATE TABLE note (at DATETIME, month CHAR(7) AS (DATE_FORMAT(at, '%Y-%m', 'en_US')) STORED)",
        },
        before: "",
        example: "CREATE TABLE note (at DATETIME, month CHAR(7) AS (DATE_FORMAT(at, '%Y-%m')) STORED)",
        words: &["DATE_FORMAT"],
        find: |text| {
            if definitions(text).is_empty() {
                return Vec::new();
            }
            text.calls("DATE_FORMAT")
                .filter_map(|at| {
                    let close = text.close(at + 1)?;
                    let is_plain = text.commas(at + 1, close).len() == 1;
                    let edit = text.before(close, ", 'en_US'");
                    is_plain.then(|| text.edited(at, close, vec![edit]))
                })
                .collect()
        },
    },
    Construct {
        id: "authentication-plugin",
        title: "`IDENTIFIED WITH caching_sha2_password BY '...'`",
        mariadb: "syntax error",
        aurora: "an account with a password, by that plugin",
        treatment: Treatment::Translated {
            to: "CREATE USER dialect_reader IDENTIFIED BY 'secret'",
        },
        before: "DROP USER IF EXISTS dialect_reader;",
        example: "CREATE USER dialect_reader IDENTIFIED WITH caching_sha2_password BY 'secret'",
        words: &["IDENTIFIED"],
        find: |text| {
            text.all(&["IDENTIFIED", "WITH"])
                .filter(|at| {
                    let plugin = text.piece(at + 2).trim_matches(['\'', '"', '`']);
                    matches!(
                        plugin,
                        "caching_sha2_password" | "mysql_native_password" | "sha256_password"
                    ) && text.word(at + 3) == "BY"
                })
                .map(|at| text.edited(at, at + 3, vec![text.remove(at + 1, at + 2)]))
                .collect()
        },
    },
];

/// `CHECK (a > 0) NOT ENFORCED` becomes a check that every row passes: it keeps its name, and can be dropped by it.
fn check_enforced(text: &Text<'_>) -> Vec<Match> {
    let mut found = Vec::new();
    for open in text.all(&["CHECK", "("]).map(|at| at + 1) {
        let Some(close) = text.close(open) else {
            continue;
        };
        if text.is(close + 1, &["NOT", "ENFORCED"]) {
            let edits = vec![
                text.after(open, "("),
                text.before(close, ") OR TRUE"),
                text.remove(close + 1, close + 2),
            ];
            found.push(text.edited(open - 1, close + 2, edits));
        } else if text.word(close + 1) == "ENFORCED" {
            let edits = vec![text.remove(close + 1, close + 1)];
            found.push(text.edited(open - 1, close + 1, edits));
        }
    }
    found
}

/// Whether the word belongs to an index. A column can be `INVISIBLE` too, and is so in both servers.
fn is_of_index(text: &Text<'_>, at: usize) -> bool {
    if at >= 3 && text.is(at - 3, &["ALTER", "INDEX"]) {
        return true;
    }
    let mut first = text.item(at);
    if text.word(0) == "ALTER" {
        // Behind `ALTER TABLE name` or a comma.
        first = (first..at)
            .find(|index| text.word(*index) == "ADD")
            .map_or(first, |add| add + 1);
    }
    if text.word(first) == "CREATE" {
        first += 1;
    }
    if text.word(first) == "CONSTRAINT" {
        first += 2;
    }
    matches!(
        text.word(first),
        "INDEX" | "KEY" | "UNIQUE" | "FULLTEXT" | "SPATIAL"
    )
}
