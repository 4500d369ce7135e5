//! What queries and changes of rows have that is put in MariaDB's words.

use crate::lexer::TokenKind;
use crate::text::{Match, Text};
use crate::{Construct, Treatment};

const TABLE: &str = "CREATE TABLE post (id INT PRIMARY KEY, data JSON);";

pub(super) static ROWS: &[Construct] = &[
    Construct {
        id: "json-arrow",
        title: "`column->'$.path'`, `column->>'$.path'`",
        mariadb: "syntax error",
        aurora: "`JSON_EXTRACT`, `JSON_UNQUOTE(JSON_EXTRACT())`",
        treatment: Treatment::Translated {
            to: "SELECT JSON_UNQUOTE(JSON_EXTRACT(post.data, '$.name')) AS `post.data->>'$.name'` FROM post",
        },
        before: TABLE,
        example: "SELECT post.data->>'$.name' FROM post",
        words: &["-"],
        find: json_arrow,
    },
    Construct {
        id: "for-share",
        title: "`FOR SHARE`",
        mariadb: "syntax error",
        aurora: "the newer spelling of `LOCK IN SHARE MODE`",
        treatment: Treatment::Translated {
            to: "SELECT id FROM post LOCK IN SHARE MODE SKIP LOCKED",
        },
        before: TABLE,
        example: "SELECT id FROM post FOR SHARE SKIP LOCKED",
        words: &["SHARE"],
        find: |text| {
            text.all(&["FOR", "SHARE"])
                .map(|at| {
                    text.edited(
                        at,
                        at + 1,
                        vec![text.replace(at, at + 1, "LOCK IN SHARE MODE")],
                    )
                })
                .collect()
        },
    },
    Construct {
        id: "table-statement",
        title: "`TABLE post`, alone and within a query",
        mariadb: "syntax error",
        aurora: "`SELECT * FROM post`",
        treatment: Treatment::Translated {
            to: "SELECT * FROM post ORDER BY id LIMIT 1",
        },
        before: TABLE,
        example: "TABLE post ORDER BY id LIMIT 1",
        words: &["TABLE"],
        find: |text| {
            text.all(&["TABLE"])
                .filter(|at| is_table_statement(text, *at))
                .map(|at| text.edited(at, at, vec![text.replace(at, at, "SELECT * FROM")]))
                .collect()
        },
    },
    Construct {
        id: "transaction-variables",
        title: "`@@transaction_isolation`, `@@transaction_read_only`",
        mariadb: "unknown before 11.1: `tx_isolation`, `tx_read_only`",
        aurora: "the only names",
        treatment: Treatment::Translated {
            to: "SET SESSION tx_isolation = 'READ-COMMITTED'",
        },
        before: "",
        example: "SET SESSION transaction_isolation = 'READ-COMMITTED'",
        words: &["TRANSACTION_ISOLATION", "TRANSACTION_READ_ONLY"],
        find: |text| {
            let variable = |at: usize| {
                let name = match text.word(at) {
                    "TRANSACTION_ISOLATION" => "tx_isolation",
                    "TRANSACTION_READ_ONLY" => "tx_read_only",
                    _ => return None,
                };
                let is_variable = text.word(0) == "SET"
                    || (at > 1 && text.word(at - 2) == "@")
                    || (at > 3 && text.word(at - 1) == "." && text.word(at - 3) == "@");
                is_variable.then(|| text.edited(at, at, vec![text.replace(at, at, name)]))
            };
            (0..text.len()).filter_map(variable).collect()
        },
    },
    Construct {
        id: "versioned-comment",
        title: "`/*!80000 ... */`",
        mariadb: "skipped, whatever version from 5.7 to 9 it names",
        aurora: "run up to its own version",
        treatment: Treatment::Translated {
            to: "SELECT   1 +  1 AS two",
        },
        before: "",
        example: "SELECT /*!80000 1 + */ 1 AS two",
        words: &["/*!"],
        find: versioned_comment,
    },
];

/// What MySQL 8.0 calls itself in a comment's version: 8.0.42, with which Aurora MySQL 3.10 is compatible.
const MYSQL_VERSION: u32 = 80_042;

/// The first version of a comment that MariaDB takes for one of MySQL's and skips.
const SKIPPED_FROM: u32 = 50_700;

fn versioned_comment(text: &Text<'_>) -> Vec<Match> {
    let mut found = Vec::new();
    for open in text.all(&["/*!"]) {
        let Ok(version) = text.word(open + 1).parse::<u32>() else {
            continue;
        };
        let touching = text.range(open, open).end == text.range(open + 1, open + 1).start;
        let close = (open + 2..text.len()).find(|index| text.word(*index) == "*/");
        if let Some(close) = close
            && touching
            && (SKIPPED_FROM..=MYSQL_VERSION).contains(&version)
        {
            let edits = vec![
                text.replace(open, open + 1, " "),
                text.replace(close, close, ""),
            ];
            found.push(text.edited(open, close, edits));
        }
    }
    found
}

/// Where a query may begin: at the beginning, in a parenthesis, behind another query, or as what an INSERT inserts.
fn is_table_statement(text: &Text<'_>, at: usize) -> bool {
    if at == 0 {
        return true;
    }
    let is_query = matches!(
        text.word(0),
        "SELECT" | "WITH" | "TABLE" | "VALUES" | "(" | "INSERT" | "REPLACE"
    );
    let inserts = matches!(text.word(0), "INSERT" | "REPLACE") && text.depth(at) == 0;
    is_query
        && (inserts
            || matches!(
                text.word(at - 1),
                "(" | "UNION" | "ALL" | "DISTINCT" | "EXCEPT" | "INTERSECT"
            ))
}

fn json_arrow(text: &Text<'_>) -> Vec<Match> {
    let mut found = Vec::new();
    for dash in text.all(&["-", ">"]) {
        let unquotes = text.word(dash + 2) == ">";
        let path = dash + 2 + usize::from(unquotes);
        let Some(column) = column_before(text, dash) else {
            continue;
        };
        if !text.piece(path).starts_with(['\'', '"']) {
            continue;
        }
        let (opening, closing) = if unquotes {
            ("JSON_UNQUOTE(JSON_EXTRACT(", "))")
        } else {
            ("JSON_EXTRACT(", ")")
        };
        let name_end = text.range(column, dash - 1).end;
        let path_start = text.range(path, path).start;
        found.push(text.edited(
            column,
            path,
            vec![
                text.before(column, opening),
                text.span(name_end..path_start, ", "),
                text.after(path, closing),
            ],
        ));
    }
    found
}

/// The first token of the name that ends before this one: `column`, `table.column`, in backticks or not.
fn column_before(text: &Text<'_>, end: usize) -> Option<usize> {
    let is_name = |index: usize| match text.kind(index) {
        Some(TokenKind::Word) => !text.piece(index).starts_with(|c: char| c.is_ascii_digit()),
        Some(TokenKind::Quoted) => text.piece(index).starts_with('`'),
        _ => false,
    };
    let mut first = end.checked_sub(1).filter(|index| is_name(*index))?;
    while first >= 2 && text.word(first - 1) == "." && is_name(first - 2) {
        first -= 2;
    }
    Some(first)
}
