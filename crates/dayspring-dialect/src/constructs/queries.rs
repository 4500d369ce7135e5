//! What MariaDB takes in queries and changes of rows, and MySQL refuses.

use super::expressions::replacement_of;
use super::warned::warned;
use crate::Construct;
use crate::labels::items;
use crate::lexer::TokenKind;
use crate::text::{Match, Text};

const TABLE: &str = "CREATE TABLE post (id INT PRIMARY KEY, title VARCHAR(99));";
const ONLY: &str = "mariadb-only";
const SYNTAX: &str = "syntax error";

/// Variables of MariaDB that a client may want to set or read.
const VARIABLES: [&str; 15] = [
    "ALTER_ALGORITHM",
    "CHECK_CONSTRAINT_CHECKS",
    "DEFAULT_REGEX_FLAGS",
    "IDLE_READONLY_TRANSACTION_TIMEOUT",
    "IDLE_TRANSACTION_TIMEOUT",
    "IDLE_WRITE_TRANSACTION_TIMEOUT",
    "IN_TRANSACTION",
    "MAX_RECURSIVE_ITERATIONS",
    "MAX_STATEMENT_TIME",
    "OLD_MODE",
    "QUERY_CACHE_SIZE",
    "QUERY_CACHE_TYPE",
    "STORAGE_ENGINE",
    "TX_ISOLATION",
    "TX_READ_ONLY",
];

/// Functions of a group (MySQL 8.0, "Aggregate Function Descriptions").
const AGGREGATES: [&str; 12] = [
    "AVG",
    "BIT_AND",
    "BIT_OR",
    "BIT_XOR",
    "COUNT",
    "GROUP_CONCAT",
    "JSON_ARRAYAGG",
    "JSON_OBJECTAGG",
    "MAX",
    "MIN",
    "STDDEV",
    "SUM",
];

pub(super) static ROWS: &[Construct] = &[
    warned(
        "own-table",
        "a subquery on the table that the statement changes",
        "read before the change",
        "an error, but within a derived table: `(SELECT id FROM (SELECT id FROM post) AS p)`",
        ONLY,
        Some(1093),
        TABLE,
        "DELETE FROM post WHERE id < (SELECT MAX(id) FROM post)",
        &["SELECT"],
        own_table,
    ),
    warned(
        "group-by-order",
        "`GROUP BY title DESC`",
        "sorted by it",
        "syntax error: `ORDER BY` does that",
        ONLY,
        Some(1064),
        TABLE,
        "SELECT title FROM post GROUP BY title DESC",
        &["GROUP"],
        group_by_order,
    ),
    warned(
        "group-concat-limit",
        "`GROUP_CONCAT(... LIMIT n)`",
        "the first values alone",
        SYNTAX,
        ONLY,
        Some(1064),
        TABLE,
        "SELECT GROUP_CONCAT(title ORDER BY id LIMIT 3) FROM post",
        &["GROUP_CONCAT"],
        |text| {
            text.calls("GROUP_CONCAT")
                .filter_map(|at| {
                    let close = text.close(at + 1)?;
                    let inner = text.depth(at + 2);
                    (at + 2..close)
                        .find(|limit| text.word(*limit) == "LIMIT" && text.depth(*limit) == inner)
                        .map(|limit| text.found(limit, limit))
                })
                .collect()
        },
    ),
    warned(
        "mixed-aggregate",
        "a column beside an aggregate, without `GROUP BY`: `SELECT title, MAX(id) FROM post`",
        "the title of any row",
        "an error: `ONLY_FULL_GROUP_BY`",
        ONLY,
        Some(1140),
        TABLE,
        "SELECT title, MAX(id) FROM post",
        &AGGREGATES,
        mixed_aggregate,
    ),
    warned(
        "value-of-row",
        "`ON DUPLICATE KEY UPDATE a = VALUE(a)`",
        "as `VALUES(a)`",
        SYNTAX,
        ONLY,
        Some(1064),
        TABLE,
        "INSERT INTO post VALUES (1, 'a') ON DUPLICATE KEY UPDATE title = VALUE(title)",
        &["DUPLICATE"],
        |text| {
            let update = text.all(&["ON", "DUPLICATE", "KEY", "UPDATE"]).next();
            let from = update.unwrap_or(text.len());
            text.calls("VALUE")
                .filter(|at| *at > from)
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    warned(
        "pad-with-spaces",
        "`LPAD(text, n)`, `RPAD(text, n)`",
        "padded with spaces",
        "an error: both take three arguments",
        ONLY,
        Some(1582),
        "",
        "SELECT LPAD('a', 3) AS a",
        &["LPAD", "RPAD"],
        |text| {
            ["LPAD", "RPAD"]
                .iter()
                .flat_map(|name| text.calls(name))
                .filter(|at| {
                    text.close(at + 1)
                        .is_some_and(|close| text.commas(at + 1, close).len() == 1)
                })
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    warned(
        "regexp-binary",
        "`REGEXP BINARY`",
        "a match by bytes",
        "an error; `REGEXP_LIKE(text, pattern, 'c')` minds capitals",
        ONLY,
        Some(3995),
        "",
        "SELECT 'a' REGEXP BINARY 'A' AS fits",
        &["BINARY"],
        |text| {
            text.all(&["BINARY"])
                .filter(|at| *at > 0 && matches!(text.word(at - 1), "REGEXP" | "RLIKE"))
                .map(|at| text.found(at - 1, at))
                .collect()
        },
    ),
    warned(
        "regexp-word",
        "`[[:<:]]` and `[[:>:]]` in a pattern",
        "the ends of a word",
        "an error; `\\\\b` is both",
        ONLY,
        Some(3685),
        "",
        "SELECT 'abc' REGEXP '[[:<:]]abc' AS fits",
        &[
            "REGEXP",
            "RLIKE",
            "REGEXP_LIKE",
            "REGEXP_REPLACE",
            "REGEXP_SUBSTR",
            "REGEXP_INSTR",
        ],
        |text| {
            (0..text.len())
                .filter(|at| text.kind(*at) == Some(TokenKind::Quoted))
                .filter(|at| {
                    text.piece(*at).contains("[[:<:]]") || text.piece(*at).contains("[[:>:]]")
                })
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    warned(
        "regexp-backslash",
        "`REGEXP_REPLACE(text, pattern, '\\\\1')`",
        "the first group",
        "the digit 1: the first group is `$1`",
        ONLY,
        None,
        "",
        r"SELECT REGEXP_REPLACE('Ada Byron', '^(.*) (.*)$', '\\2') AS name",
        &["REGEXP_REPLACE"],
        |text| {
            text.calls("REGEXP_REPLACE")
                .filter_map(|at| replacement_of(text, at))
                .filter(|at| has_backslash_group(text.piece(*at)))
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    warned(
        "analyze-statement",
        "`ANALYZE SELECT`, `ANALYZE FORMAT = JSON SELECT`",
        "runs it and explains it",
        "syntax error; `EXPLAIN ANALYZE` does that",
        ONLY,
        Some(1064),
        TABLE,
        "ANALYZE SELECT id FROM post",
        &["ANALYZE"],
        |text| {
            let is_statement = matches!(
                text.word(1),
                "SELECT" | "UPDATE" | "DELETE" | "INSERT" | "REPLACE" | "WITH" | "FORMAT"
            );
            if text.word(0) == "ANALYZE" && is_statement {
                vec![text.found(0, 1)]
            } else {
                Vec::new()
            }
        },
    ),
    warned(
        "alter-ignore",
        "`ALTER IGNORE TABLE`, `ALTER ONLINE TABLE`",
        "leaves out rows that do not fit; asks for no locks",
        "syntax error; `ALGORITHM = INPLACE, LOCK = NONE` asks for no locks",
        ONLY,
        Some(1064),
        TABLE,
        "ALTER IGNORE TABLE post ADD COLUMN note INT",
        &["ALTER"],
        |text| {
            let is_more = matches!(text.word(1), "IGNORE" | "ONLINE");
            if text.word(0) == "ALTER" && is_more && text.word(2) == "TABLE" {
                vec![text.found(0, 1)]
            } else {
                Vec::new()
            }
        },
    ),
    warned(
        "default-partition",
        "`PARTITION BY LIST` with `PARTITION name DEFAULT`",
        "a partition for all other values",
        SYNTAX,
        ONLY,
        Some(1064),
        "",
        "CREATE TABLE note (id INT PRIMARY KEY) PARTITION BY LIST (id) (PARTITION one VALUES IN (1), PARTITION rest DEFAULT)",
        &["PARTITION"],
        |text| {
            text.all(&["PARTITION"])
                .filter(|at| text.word(at + 2) == "DEFAULT")
                .map(|at| text.found(at, at + 2))
                .collect()
        },
    ),
    warned(
        "variable",
        "variables of its own: `max_statement_time`, `tx_isolation`, `idle_transaction_timeout`, ...",
        "variables",
        "no such variable",
        ONLY,
        Some(1193),
        "",
        "SET SESSION idle_transaction_timeout = 60",
        &VARIABLES,
        |text| {
            let is_statement = text.is(1, &["STATEMENT"]);
            (1..text.len())
                .filter(|at| VARIABLES.contains(&text.word(*at)))
                .filter(|at| {
                    let of_server =
                        text.word(at - 1) == "." || (*at >= 2 && text.is(at - 2, &["@", "@"]));
                    let of_user = text.word(at - 1) == "@" && !of_server;
                    let is_set = text.word(0) == "SET" && !is_statement && !of_user;
                    is_set && matches!(text.word(at + 1), "=" | ":" | ":=")
                        || of_server && text.has("@")
                })
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    warned(
        "grant-identified",
        "`GRANT ... IDENTIFIED BY`, `IDENTIFIED VIA`, `IDENTIFIED BY PASSWORD`",
        "makes the account, or says how it logs in",
        "syntax error; `CREATE USER` makes accounts",
        ONLY,
        Some(1064),
        "",
        "GRANT SELECT ON *.* TO dialect_reader IDENTIFIED BY 'secret'",
        &["IDENTIFIED"],
        |text| {
            text.all(&["IDENTIFIED"])
                .filter(|at| {
                    text.word(0) == "GRANT"
                        || text.word(at + 1) == "VIA"
                        || text.is(at + 1, &["BY", "PASSWORD"])
                })
                .map(|at| text.found(at, at + 1))
                .collect()
        },
    ),
];

/// The table that a statement on one table changes, and from where on it may be read: its name as it is written.
fn changed(text: &Text<'_>) -> Option<(String, usize)> {
    let first = (1..text.len()).find(|at| {
        !matches!(
            text.word(*at),
            "LOW_PRIORITY" | "DELAYED" | "HIGH_PRIORITY" | "QUICK" | "IGNORE" | "INTO"
        )
    })?;
    let name = match text.word(0) {
        "UPDATE" | "INSERT" | "REPLACE" => first,
        "DELETE" if text.word(first) == "FROM" => first + 1,
        _ => return None,
    };
    let last = if text.word(name + 1) == "." {
        name + 2
    } else {
        name
    };
    let outer = |words: &[&str]| text.outer(last).any(|at| words.contains(&text.word(at)));
    let is_one = match text.word(0) {
        // A query that fills a table may read it.
        "INSERT" | "REPLACE" => !outer(&["SELECT", "WITH", "TABLE"]),
        "UPDATE" => !(last..text.len())
            .take_while(|at| text.word(*at) != "SET")
            .any(|at| matches!(text.word(at), "JOIN" | ",")),
        _ => text.word(last + 1) != "USING" && text.word(last + 1) != ",",
    };
    is_one.then(|| (unquoted(text, last), last + 1))
}

fn unquoted(text: &Text<'_>, at: usize) -> String {
    text.piece(at).trim_matches('`').to_owned()
}

fn own_table(text: &Text<'_>) -> Vec<Match> {
    let Some((table, from)) = changed(text) else {
        return Vec::new();
    };
    // The statement, and each parenthesis that is open in it.
    let mut open = vec![Part::default()];
    let mut found = Vec::new();
    for at in from..text.len() {
        let part = open.last().copied().unwrap_or_default();
        match text.word(at) {
            "(" => {
                let is_table = match text.word(at - 1) {
                    "FROM" | "JOIN" | "LATERAL" | "AS" => true,
                    "," => part.lists_tables,
                    _ => false,
                };
                open.push(Part {
                    is_table: is_table || part.is_table,
                    lists_tables: false,
                });
            }
            ")" if open.len() > 1 => {
                open.pop();
            }
            word @ ("FROM" | "JOIN" | "SELECT" | "WHERE" | "BY" | "SET") => {
                let is_from = matches!(word, "FROM" | "JOIN");
                let last = if text.word(at + 2) == "." {
                    at + 3
                } else {
                    at + 1
                };
                if is_from
                    && open.len() > 1
                    && !part.is_table
                    && text.word(last) != "("
                    && unquoted(text, last) == table
                {
                    found.push(text.found(at, last));
                }
                if let Some(part) = open.last_mut() {
                    part.lists_tables = is_from;
                }
            }
            _ => {}
        }
    }
    found
}

/// A parenthesis while it is open.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    /// It is a table of its own, or within one: a derived one, or a common table expression.
    is_table: bool,
    /// A comma in it stands between tables.
    lists_tables: bool,
}

/// `\\1` as it is written in a statement.
fn has_backslash_group(string: &str) -> bool {
    string
        .match_indices(r"\\")
        .any(|(at, _)| string[at + 2..].starts_with(|c: char| c.is_ascii_digit()))
}

/// A query of one group, told where nothing else can make its columns single: it has neither `GROUP BY` nor `WHERE`, and the items
/// are a column by itself and an aggregate by itself.
fn mixed_aggregate(text: &Text<'_>) -> Vec<Match> {
    let items = items(text);
    let Some((_, last)) = items.last() else {
        return Vec::new();
    };
    let rest = *last + 1..text.len();
    let is_other = |at: usize| {
        matches!(
            text.word(at),
            "GROUP" | "WHERE" | "JOIN" | "UNION" | "EXCEPT" | "INTERSECT"
        )
    };
    if text.word(0) != "SELECT" || text.word(rest.start) != "FROM" || rest.clone().any(is_other) {
        return Vec::new();
    }
    let is_aggregate = |(first, last): &(usize, usize)| {
        AGGREGATES.contains(&text.word(*first))
            && text.word(first + 1) == "("
            && text
                .close(first + 1)
                .is_some_and(|close| close <= *last && text.word(close + 1) != "OVER")
    };
    let is_column = |(first, last): &(usize, usize)| {
        let end = if text.word(first + 1) == "." {
            first + 2
        } else {
            *first
        };
        let is_name = matches!(text.kind(*first), Some(TokenKind::Word))
            && !text.piece(*first).starts_with(|c: char| c.is_ascii_digit())
            && !matches!(text.word(*first), "NULL" | "TRUE" | "FALSE")
            && !text.word(*first).starts_with("CURRENT_");
        is_name && text.word(end) != "*" && (*last == end || text.word(end + 1) == "AS")
    };
    match items.iter().find(|item| is_column(item)) {
        Some((first, last)) if items.iter().any(is_aggregate) => {
            vec![text.found(*first, *last)]
        }
        _ => Vec::new(),
    }
}

fn group_by_order(text: &Text<'_>) -> Vec<Match> {
    let ends = [
        "HAVING",
        "ORDER",
        "LIMIT",
        "WINDOW",
        "FOR",
        "UNION",
        "EXCEPT",
        "INTERSECT",
        "INTO",
        ";",
    ];
    let in_list = |group: usize| {
        let mut depth = 0_usize;
        for at in group + 2..text.len() {
            match text.word(at) {
                "(" => depth += 1,
                ")" if depth == 0 => return None,
                ")" => depth -= 1,
                "ASC" | "DESC" if depth == 0 => return Some(text.found(at, at)),
                word if depth == 0 && ends.contains(&word) => return None,
                _ => {}
            }
        }
        None
    };
    text.all(&["GROUP", "BY"]).filter_map(in_list).collect()
}

#[cfg(test)]
mod tests {
    use super::super::check_found;

    #[test]
    fn a_change_that_reads_its_own_table_is_found() {
        for sql in [
            "UPDATE t SET a = (SELECT MAX(a) FROM t) WHERE id = 1",
            "UPDATE `t` AS x SET a = 1 WHERE EXISTS (SELECT 1 FROM t y WHERE y.id = x.id)",
            "INSERT INTO t (id, a) VALUES (9, (SELECT MAX(a) FROM t))",
            "REPLACE INTO t SET a = (SELECT MAX(a) FROM s.t)",
            "DELETE FROM t WHERE id IN (SELECT u.id FROM u JOIN t ON u.a = t.a)",
        ] {
            check_found("own-table", sql, true);
        }
        for sql in [
            "UPDATE t SET a = (SELECT MAX(a) FROM (SELECT a FROM t) AS q)",
            "UPDATE t JOIN (SELECT MAX(a) AS m FROM t) AS q SET t.a = q.m",
            "DELETE FROM t WHERE id IN (WITH c AS (SELECT id FROM t) SELECT id FROM c)",
            "INSERT INTO t (id, a) SELECT 9, MAX(a) FROM t",
            "DELETE x FROM t AS x JOIN t AS y ON x.a = y.a",
            "DELETE FROM t WHERE id IN (SELECT t.id FROM u AS t)",
            "UPDATE t SET a = (SELECT MAX(q.a) FROM u, (SELECT a FROM t) AS q)",
            "UPDATE t SET a = TRIM(LEADING 'x' FROM a)",
        ] {
            check_found("own-table", sql, false);
        }
    }

    #[test]
    fn an_order_is_of_its_own_clause() {
        for sql in [
            "SELECT a FROM t GROUP BY a ORDER BY a DESC",
            "SELECT (SELECT a FROM t GROUP BY a) FROM u ORDER BY b DESC",
            "SELECT SUM(a) OVER (ORDER BY a DESC) FROM t GROUP BY a",
        ] {
            check_found("group-by-order", sql, false);
        }
        check_found(
            "group-by-order",
            "SELECT a FROM t GROUP BY F(a, b) ASC, c",
            true,
        );
    }

    #[test]
    fn a_column_beside_an_aggregate_is_found_where_nothing_makes_it_single() {
        for sql in [
            "SELECT a, COUNT(*) FROM t",
            "SELECT COUNT(*) AS n, t.a AS b FROM t ORDER BY 1",
        ] {
            check_found("mixed-aggregate", sql, true);
        }
        for sql in [
            "SELECT a, COUNT(*) FROM t GROUP BY a",
            "SELECT a, COUNT(*) FROM t WHERE a = 1",
            "SELECT a, COUNT(*) OVER () FROM t",
            "SELECT 1, COUNT(*), NULL, 'x', NOW(), @a, :b FROM t",
            "SELECT COUNT(*), MAX(a) + 1 FROM t",
            "SELECT a, (SELECT COUNT(*) FROM u) FROM t",
            "SELECT CURRENT_DATE, COUNT(*) FROM t",
        ] {
            check_found("mixed-aggregate", sql, false);
        }
    }

    #[test]
    fn a_variable_is_of_the_server() {
        for sql in [
            "SET @max_statement_time = 1",
            "SELECT tx_isolation FROM t",
            "SELECT t.tx_isolation FROM t",
        ] {
            check_found("variable", sql, false);
        }
        for sql in [
            "SET GLOBAL max_statement_time = 1, @a = 2",
            "SELECT @@tx_isolation",
            "SELECT @@session.tx_isolation",
        ] {
            check_found("variable", sql, true);
        }
    }
}
