//! Functions that MariaDB has not, put in functions that it has.

use crate::text::{Edit, Match, Text};
use crate::{Construct, Treatment};

pub(super) static ROWS: &[Construct] = &[
    Construct {
        id: "uuid-to-bin",
        title: "`UUID_TO_BIN(uuid)`, `UUID_TO_BIN(uuid, 1)`",
        mariadb: "no such function",
        aurora: "the 16 bytes of a UUID, with 1 its time part first",
        treatment: Treatment::Translated {
            to: "CREATE TABLE note (id BINARY(16) DEFAULT (UNHEX(REPLACE(UUID(), '-', ''))))",
        },
        before: "",
        example: "CREATE TABLE note (id BINARY(16) DEFAULT (UUID_TO_BIN(UUID())))",
        words: &["UUID_TO_BIN"],
        find: |text| {
            let plain = ("UNHEX(REPLACE(", ", '-', ''))");
            let swapped = (
                "UNHEX(REPLACE(REGEXP_REPLACE(",
                r", '^(.{8})-(.{4})-(.{4})', '\\3\\2\\1'), '-', ''))",
            );
            uuid_calls(text, "UUID_TO_BIN", plain, swapped)
        },
    },
    Construct {
        id: "bin-to-uuid",
        title: "`BIN_TO_UUID(bytes)`, `BIN_TO_UUID(bytes, 1)`",
        mariadb: "no such function",
        aurora: "the text of a UUID",
        treatment: Treatment::Translated {
            to: r"SELECT LOWER(REGEXP_REPLACE(HEX(x'6CCD780CBABA102695645B8C656024DB'), '^(.{8})(.{4})(.{4})(.{4})(.{12})$', '\\1-\\2-\\3-\\4-\\5')) AS id",
        },
        before: "",
        example: "SELECT BIN_TO_UUID(x'6CCD780CBABA102695645B8C656024DB') AS id",
        words: &["BIN_TO_UUID"],
        find: |text| {
            let plain = (
                "LOWER(REGEXP_REPLACE(HEX(",
                r"), '^(.{8})(.{4})(.{4})(.{4})(.{12})$', '\\1-\\2-\\3-\\4-\\5'))",
            );
            let swapped = (
                "LOWER(REGEXP_REPLACE(HEX(",
                r"), '^(.{4})(.{4})(.{8})(.{4})(.{12})$', '\\3-\\2-\\1-\\4-\\5'))",
            );
            uuid_calls(text, "BIN_TO_UUID", plain, swapped)
        },
    },
    Construct {
        id: "regexp-like",
        title: "`REGEXP_LIKE(text, pattern)`",
        mariadb: "no such function; `REGEXP` is Perl's kind there",
        aurora: "as `text REGEXP pattern`, of ICU's kind",
        treatment: Treatment::Translated {
            to: "SELECT (('abc') REGEXP ( '^a.c$')) AS fits",
        },
        before: "",
        example: "SELECT REGEXP_LIKE('abc', '^a.c$') AS fits",
        words: &["REGEXP_LIKE"],
        find: |text| {
            calls_of(text, "REGEXP_LIKE", 2, |at, commas, close| {
                vec![
                    text.replace(at, at + 1, "(("),
                    text.replace(commas[0], commas[0], ") REGEXP ("),
                    text.after(close, ")"),
                ]
            })
        },
    },
    Construct {
        id: "any-value",
        title: "`ANY_VALUE(column)`",
        mariadb: "no such function",
        aurora: "the column of any row of the group",
        treatment: Treatment::Translated {
            to: "SELECT (id) AS `ANY_VALUE(id)` FROM post GROUP BY title",
        },
        before: "CREATE TABLE post (id INT PRIMARY KEY, title TEXT);",
        example: "SELECT ANY_VALUE(id) FROM post GROUP BY title",
        words: &["ANY_VALUE"],
        find: |text| {
            calls_of(text, "ANY_VALUE", 1, |at, _, _| {
                vec![text.replace(at, at, "")]
            })
        },
    },
    Construct {
        id: "cast-as-json",
        title: "`CAST(text AS JSON)`",
        mariadb: "syntax error",
        aurora: "the document; text that is none is an error",
        treatment: Treatment::Translated {
            to: r#"SELECT JSON_EXTRACT('{"a": 1}', '$') AS document"#,
        },
        before: "",
        example: r#"SELECT CAST('{"a": 1}' AS JSON) AS document"#,
        words: &["CAST"],
        find: |text| {
            let cast = |at: usize| {
                let close = text.close(at + 1)?;
                text.is(close.checked_sub(2)?, &["AS", "JSON"]).then(|| {
                    let edits = vec![
                        text.replace(at, at, "JSON_EXTRACT"),
                        text.remove(close - 2, close - 1),
                        text.before(close, ", '$'"),
                    ];
                    text.edited(at, close, edits)
                })
            };
            text.calls("CAST").filter_map(cast).collect()
        },
    },
];

/// Calls with so many arguments: the name, the commas and the end.
fn calls_of(
    text: &Text<'_>,
    name: &str,
    arguments: usize,
    edits: impl Fn(usize, &[usize], usize) -> Vec<Edit>,
) -> Vec<Match> {
    let call = |at: usize| {
        let close = text.close(at + 1)?;
        let commas = text.commas(at + 1, close);
        (close > at + 2 && commas.len() + 1 == arguments)
            .then(|| text.edited(at, close, edits(at, &commas, close)))
    };
    text.calls(name).filter_map(call).collect()
}

/// Calls with one argument or with a flag as the second. The argument stands once in what they become: it may be `UUID()`.
fn uuid_calls(
    text: &Text<'_>,
    name: &str,
    plain: (&'static str, &'static str),
    swapped: (&'static str, &'static str),
) -> Vec<Match> {
    let mut found = calls_of(text, name, 1, |at, _, close| {
        vec![
            text.replace(at, at + 1, plain.0),
            text.replace(close, close, plain.1),
        ]
    });
    found.extend(calls_of(text, name, 2, |at, commas, close| {
        let (opening, closing) = match text.word(commas[0] + 1) {
            "0" | "FALSE" => plain,
            _ => swapped,
        };
        vec![
            text.replace(at, at + 1, opening),
            text.replace(commas[0], close, closing),
        ]
    }));
    found
}
