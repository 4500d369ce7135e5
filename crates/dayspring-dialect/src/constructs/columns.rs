//! What MariaDB takes in the definition of a column or a key and MySQL refuses or does not do.

use super::warned::warned;
use crate::Construct;
use crate::columns::{Definition, definitions};
use crate::text::{Match, Text};

const POST: &str = "CREATE TABLE post (id INT PRIMARY KEY);";
const ONLY: &str = "mariadb-only";

/// Bytes of a key's part in InnoDB (MySQL 8.0, "InnoDB Limits"), in characters of utf8mb4.
const KEY_CHARACTERS_MAX: u32 = 3072 / 4;

const CLOCKS: [&str; 4] = ["CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"];

/// Values that need parentheses in a default and have none of their own.
const BARE_CALLS: [&str; 6] = [
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_USER",
    "UTC_DATE",
    "UTC_TIME",
    "UTC_TIMESTAMP",
];

pub(super) static ROWS: &[Construct] = &[
    warned(
        "text-default",
        "a `TEXT`, `BLOB` or `JSON` column's `DEFAULT 'value'` without parentheses",
        "a default",
        "an error: such a column's default is an expression in parentheses",
        "mariadb-default",
        Some(1101),
        "",
        "CREATE TABLE note (id INT PRIMARY KEY, tags JSON DEFAULT '[]')",
        &["DEFAULT"],
        |text| {
            let is_wrong = |at: &usize| {
                text.word(*at) == "DEFAULT" && !matches!(text.word(at + 1), "(" | "NULL")
            };
            each(text, |one| {
                let wrong = one.flat(text).into_iter().find(is_wrong);
                wrong.filter(|_| one.is_long(text))
            })
        },
    ),
    warned(
        "clock-default",
        "`DATETIME(3) DEFAULT CURRENT_TIMESTAMP`: another precision than the column's; `DATE DEFAULT NOW()`",
        "the time, cut",
        "an error: the precisions must be the same, and other types take it only in parentheses",
        ONLY,
        Some(1067),
        "",
        "CREATE TABLE note (id INT PRIMARY KEY, at DATETIME(3) DEFAULT CURRENT_TIMESTAMP)",
        &["DEFAULT", "UPDATE"],
        clock_default,
    ),
    warned(
        "bare-default",
        "`DEFAULT CURRENT_DATE` without parentheses",
        "an expression",
        "syntax error",
        ONLY,
        Some(1064),
        "",
        "CREATE TABLE note (id INT PRIMARY KEY, day DATE DEFAULT CURRENT_DATE)",
        &BARE_CALLS,
        |text| {
            let is_bare =
                |at: &usize| text.word(*at) == "DEFAULT" && BARE_CALLS.contains(&text.word(at + 1));
            each(text, |one| {
                one.flat(text)
                    .into_iter()
                    .find(is_bare)
                    .filter(|at| text.word(at + 2) != "(")
            })
        },
    ),
    warned(
        "text-key",
        "a key on the whole of a `TEXT` or `BLOB` column",
        "a key on its first bytes, a unique one by a hash",
        "an error: the key needs a length, as in `KEY (body(100))`",
        ONLY,
        Some(1170),
        "",
        "CREATE TABLE note (id INT PRIMARY KEY, body TEXT, KEY (body))",
        &["KEY", "INDEX", "UNIQUE"],
        |text| {
            keyed(text, |one| {
                one.is_long(text) && one.type_word(text) != "JSON"
            })
        },
    ),
    warned(
        "json-key",
        "a key on a `JSON` column",
        "a key on its first bytes",
        "an error: a key is on a column that is generated from it",
        ONLY,
        Some(3152),
        "",
        "CREATE TABLE note (id INT PRIMARY KEY, data JSON, KEY (data))",
        &["JSON"],
        |text| {
            keyed(text, |one| {
                one.is_column(text) && one.type_word(text) == "JSON"
            })
        },
    ),
    warned(
        "long-key",
        "a key on more than 768 characters of `utf8mb4`",
        "a key on the first 768, a unique one by a hash",
        "an error: a key has 3072 bytes at most",
        ONLY,
        Some(1071),
        "",
        "CREATE TABLE note (id INT PRIMARY KEY, url VARCHAR(1000) UNIQUE)",
        &["VARCHAR"],
        |text| {
            let other = ["LATIN1", "ASCII", "UTF8", "UTF8MB3", "UCS2"];
            if text.has_any(&other) {
                return Vec::new();
            }
            keyed(text, |one| {
                one.is_column(text)
                    && one.type_word(text) == "VARCHAR"
                    && one
                        .type_length(text)
                        .is_some_and(|length| length > KEY_CHARACTERS_MAX)
            })
        },
    ),
    warned(
        "inline-references",
        "`REFERENCES` in a column's own definition",
        "a foreign key",
        "nothing: it is read and forgotten (until MySQL 9.0)",
        "inline-references",
        None,
        POST,
        "CREATE TABLE note (id INT PRIMARY KEY, post_id INT REFERENCES post (id))",
        &["REFERENCES"],
        |text| {
            each(text, |one| {
                let flat = one.flat(text);
                let at = flat.into_iter().find(|at| text.word(*at) == "REFERENCES");
                at.filter(|_| one.is_column(text))
            })
        },
    ),
    warned(
        "generated-clock",
        "a generated column of `NOW()`, `CURRENT_DATE`, `UUID()`, `RAND()`",
        "computed when it is read",
        "an error: such a column's value follows from the row alone",
        ONLY,
        Some(3763),
        "",
        "CREATE TABLE note (id INT PRIMARY KEY, seen DATETIME AS (NOW()) VIRTUAL)",
        &["AS"],
        generated_clock,
    ),
    warned(
        "year-of-two",
        "`YEAR(2)`",
        "a year of two digits",
        "an error",
        ONLY,
        Some(1818),
        "",
        "CREATE TABLE note (id INT PRIMARY KEY, y YEAR(2))",
        &["YEAR"],
        |text| {
            each(text, |one| {
                let is_year = one.is_column(text) && one.type_word(text) == "YEAR";
                (is_year && one.type_length(text) == Some(2)).then_some(one.first + 1)
            })
        },
    ),
    warned(
        "compressed",
        "`PAGE_COMPRESSED = 1`, columns that are `COMPRESSED`",
        "compresses",
        "syntax error",
        ONLY,
        Some(1064),
        "",
        "CREATE TABLE note (id INT PRIMARY KEY, body TEXT COMPRESSED)",
        &["COMPRESSED", "PAGE_COMPRESSED"],
        |text| {
            let mut found = each(text, |one| {
                let flat = one.flat(text);
                let at = flat
                    .into_iter()
                    .skip(2)
                    .find(|at| text.word(*at) == "COMPRESSED");
                at.filter(|at| one.is_column(text) && text.word(at - 1) != "=")
            });
            if matches!(text.word(0), "CREATE" | "ALTER") {
                found.extend(text.all(&["PAGE_COMPRESSED"]).map(|at| text.found(at, at)));
            }
            found
        },
    ),
    warned(
        "nocopy",
        "`ALGORITHM = NOCOPY`",
        "in place, unless that copies",
        "an error: `INSTANT`, `INPLACE` and `COPY` are known",
        ONLY,
        Some(1800),
        POST,
        "ALTER TABLE post ADD COLUMN title TEXT, ALGORITHM = NOCOPY",
        &["NOCOPY"],
        |text| {
            text.all(&["NOCOPY"])
                .filter(|at| *at > 0 && matches!(text.word(at - 1), "=" | "ALGORITHM"))
                .map(|at| text.found(at - 1, at))
                .collect()
        },
    ),
    warned(
        "view-if-not-exists",
        "`CREATE VIEW IF NOT EXISTS`",
        "no error where it is there already",
        "syntax error (until MySQL 9.1); `CREATE OR REPLACE VIEW`",
        ONLY,
        None,
        POST,
        "CREATE VIEW IF NOT EXISTS posts AS SELECT id FROM post",
        &["VIEW"],
        |text| {
            text.all(&["VIEW", "IF", "NOT", "EXISTS"])
                .filter(|_| text.word(0) == "CREATE")
                .map(|at| text.found(at, at + 3))
                .collect()
        },
    ),
    warned(
        "other-engine",
        "`ENGINE = Aria` and other engines of its own",
        "engines",
        "an error: no such engine; Aurora stores by InnoDB alone",
        ONLY,
        Some(1286),
        "",
        "CREATE TABLE note (id INT PRIMARY KEY) ENGINE = Aria",
        &["ENGINE"],
        |text| {
            let engines = [
                "ARIA",
                "ROCKSDB",
                "SPIDER",
                "CONNECT",
                "COLUMNSTORE",
                "S3",
                "OQGRAPH",
                "SEQUENCE",
            ];
            if !matches!(text.word(0), "CREATE" | "ALTER") {
                return Vec::new();
            }
            text.all(&["ENGINE"])
                .filter_map(|at| {
                    let name = at + 1 + usize::from(text.word(at + 1) == "=");
                    engines
                        .contains(&text.word(name))
                        .then(|| text.found(at, name))
                })
                .collect()
        },
    ),
];

/// What is found in a definition, at most once in each.
fn each(text: &Text<'_>, find: impl Fn(Definition) -> Option<usize>) -> Vec<Match> {
    definitions(text)
        .into_iter()
        .filter_map(|one| find(one).map(|at| text.found(at, at + 1)))
        .collect()
}

/// A generated column's expression stands behind its `AS`.
fn generated_clock(text: &Text<'_>) -> Vec<Match> {
    let moving = [
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "CURDATE",
        "CURTIME",
        "NOW",
        "RAND",
        "SYSDATE",
        "UTC_DATE",
        "UTC_TIMESTAMP",
        "UUID",
    ];
    each(text, |one| {
        let generated = |at: &usize| text.is(*at, &["AS", "("]);
        let open = one.flat(text).into_iter().find(generated)? + 1;
        let close = text.close(open)?;
        (open + 1..close)
            .find(|at| moving.contains(&text.word(*at)) && text.word(at - 1) != ".")
            .filter(|_| one.is_column(text))
    })
}

fn clock_default(text: &Text<'_>) -> Vec<Match> {
    each(text, |one| {
        if !one.is_column(text) {
            return None;
        }
        let precision = match one.type_word(text) {
            "DATETIME" | "TIMESTAMP" => Some(one.type_length(text).unwrap_or(0)),
            _ => None,
        };
        one.flat(text).into_iter().find(|at| {
            let is_value = matches!(text.word(*at), "DEFAULT" | "UPDATE");
            is_value
                && CLOCKS.contains(&text.word(at + 1))
                && precision.is_none_or(|precision| {
                    let said = match (text.word(at + 2), text.word(at + 3)) {
                        ("(", digits) => digits.parse().unwrap_or(0),
                        _ => 0,
                    };
                    said != precision
                })
        })
    })
}

/// Keys on the whole of a column that is chosen: in its definition, or behind it. Where the statement does not define the column,
/// its type is not known here.
fn keyed(text: &Text<'_>, chosen: impl Fn(Definition) -> bool) -> Vec<Match> {
    let all = definitions(text);
    let name = |at: usize| text.piece(at).trim_matches('`').to_lowercase();
    let columns: Vec<(String, Definition)> = all
        .iter()
        .filter(|one| chosen(**one))
        .map(|one| (name(one.first), *one))
        .collect();
    let mut found = Vec::new();
    for (_, column) in &columns {
        let flat = column.flat(text);
        found.extend(
            flat.into_iter()
                .skip(2)
                .find(|at| {
                    matches!(text.word(*at), "UNIQUE" | "KEY") && text.word(at - 1) != "PRIMARY"
                })
                .map(|at| text.found(at, at)),
        );
    }
    for key in all.iter().filter(|one| !one.is_column(text)) {
        let is_key = matches!(text.word(key.first), "KEY" | "INDEX" | "UNIQUE")
            || (text.word(key.first) == "CONSTRAINT"
                && (key.first..key.first + 3).any(|at| text.word(at) == "UNIQUE"));
        let open = (key.first..=key.last).find(|at| text.word(*at) == "(");
        let Some(open) = open.filter(|_| is_key) else {
            continue;
        };
        let close = text.close(open).unwrap_or(key.last);
        let starts = std::iter::once(open).chain(text.commas(open, close));
        found.extend(
            starts
                .map(|before| before + 1)
                .filter(|at| text.word(at + 1) != "(")
                .filter(|at| columns.iter().any(|(column, _)| *column == name(*at)))
                .map(|at| text.found(at, at)),
        );
    }
    found
}
