//! Expressions that both servers have, and write or understand differently.

use crate::lexer::TokenKind;
use crate::text::{Match, Text};
use crate::{Construct, Treatment};

pub(super) static ROWS: &[Construct] = &[
    Construct {
        id: "lag-default",
        title: "`LAG(value, n, default)`, `LEAD(value, n, default)`",
        mariadb: "syntax error: no third argument",
        aurora: "the default where there is no such row",
        treatment: Treatment::Translated {
            to: "SELECT IF(LAG(1, 1) OVER (ORDER BY id) IS NULL, 0, LAG(id, 1) OVER (ORDER BY id)) AS before_it FROM post",
        },
        before: "CREATE TABLE post (id INT PRIMARY KEY); INSERT INTO post VALUES (3), (5);",
        example: "SELECT LAG(id, 1, 0) OVER (ORDER BY id) AS before_it FROM post",
        words: &["LAG", "LEAD"],
        find: lag_default,
    },
    Construct {
        id: "member-of",
        title: "`value MEMBER OF (array)`",
        mariadb: "syntax error",
        aurora: "whether the array has the value, not counting arrays within it",
        treatment: Treatment::Translated {
            to: "SELECT id FROM post WHERE JSON_CONTAINS(tags, JSON_EXTRACT(JSON_ARRAY('a'), '$[0]'))",
        },
        before: "CREATE TABLE post (id INT PRIMARY KEY, tags JSON); INSERT INTO post VALUES (3, '[\"a\"]'), (5, '[1]');",
        example: "SELECT id FROM post WHERE 'a' MEMBER OF (tags)",
        words: &["MEMBER"],
        find: |text| {
            text.all(&["MEMBER", "OF", "("])
                .filter_map(|at| member_of(text, at))
                .collect()
        },
    },
    Construct {
        id: "regexp-groups",
        title: "`REGEXP_REPLACE(text, pattern, '$1')`",
        mariadb: "the dollar sign and the digit: its groups are `\\\\1`",
        aurora: "the first group",
        treatment: Treatment::Translated {
            to: r"SELECT REGEXP_REPLACE('Ada Byron', '^(.*) (.*)$', '\\2, \\1') AS name",
        },
        before: "",
        example: "SELECT REGEXP_REPLACE('Ada Byron', '^(.*) (.*)$', '$2, $1') AS name",
        words: &["REGEXP_REPLACE"],
        find: |text| {
            text.calls("REGEXP_REPLACE")
                .filter_map(|at| {
                    let replacement = replacement_of(text, at)?;
                    let groups = with_groups(text.piece(replacement))?;
                    let edit = text.replace(replacement, replacement, groups);
                    Some(text.edited(replacement, replacement, vec![edit]))
                })
                .collect()
        },
    },
    Construct {
        id: "cast-as-real",
        title: "`CAST(value AS REAL)`",
        mariadb: "syntax error",
        aurora: "as `DOUBLE`",
        treatment: Treatment::Translated {
            to: "SELECT CAST('1.5' AS DOUBLE) AS a",
        },
        before: "",
        example: "SELECT CAST('1.5' AS REAL) AS a",
        words: &["REAL"],
        find: |text| {
            text.calls("CAST")
                .filter_map(|at| {
                    let close = text.close(at + 1)?;
                    let is_real = text.is(close.checked_sub(2)?, &["AS", "REAL"]);
                    let edit = text.replace(close - 1, close - 1, "DOUBLE");
                    is_real.then(|| text.edited(close - 1, close - 1, vec![edit]))
                })
                .collect()
        },
    },
    Construct {
        id: "json-table-default",
        title: "`DEFAULT '\"text\"' ON EMPTY` in `JSON_TABLE`",
        mariadb: "the text with its quotes: the default is a plain value",
        aurora: "the default is a JSON document",
        treatment: Treatment::Translated {
            to: "SELECT b FROM JSON_TABLE('[{}]', '$[*]' COLUMNS (b VARCHAR(9) PATH '$.b' DEFAULT 'none' ON EMPTY)) AS t",
        },
        before: "",
        example: "SELECT b FROM JSON_TABLE('[{}]', '$[*]' COLUMNS (b VARCHAR(9) PATH '$.b' DEFAULT '\"none\"' ON EMPTY)) AS t",
        words: &["JSON_TABLE"],
        find: |text| {
            text.all(&["DEFAULT"])
                .filter(|at| text.word(at + 2) == "ON")
                .filter_map(|at| {
                    let inner = text
                        .piece(at + 1)
                        .strip_prefix("'\"")?
                        .strip_suffix("\"'")?;
                    let is_plain = !inner.contains(['"', '\'', '\\']);
                    let edit = text.replace(at + 1, at + 1, format!("'{inner}'"));
                    is_plain.then(|| text.edited(at + 1, at + 1, vec![edit]))
                })
                .collect()
        },
    },
    Construct {
        id: "is-uuid",
        title: "`IS_UUID(text)`",
        mariadb: "no such function",
        aurora: "whether the text is a UUID: with dashes, without, or in braces",
        treatment: Treatment::Translated {
            to: "SELECT (('6ccd780c-baba-1026-9564-5b8c656024db') REGEXP '^([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[{][0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}[}])$') AS fits",
        },
        before: "",
        example: "SELECT IS_UUID('6ccd780c-baba-1026-9564-5b8c656024db') AS fits",
        words: &["IS_UUID"],
        find: |text| {
            text.calls("IS_UUID")
                .filter_map(|at| {
                    let close = text.close(at + 1)?;
                    let edits = vec![
                        text.replace(at, at + 1, "(("),
                        text.replace(close, close, ") REGEXP '^([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[{][0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}[}])$')"),
                    ];
                    Some(text.edited(at, close, edits))
                })
                .collect()
        },
    },
    Construct {
        id: "sql-mode",
        title: "`sql_mode = '...'`",
        mariadb: "fractions of seconds are cut, GRANT makes accounts, and `ONLY_FULL_GROUP_BY` refuses `SELECT id, title ... GROUP BY id`",
        aurora: "they are rounded, it does not, and it is accepted",
        treatment: Treatment::Translated {
            to: "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_AUTO_CREATE_USER,TIME_ROUND_FRACTIONAL'",
        },
        before: "",
        example: "SET SESSION sql_mode = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES'",
        words: &["SQL_MODE"],
        find: sql_mode,
    },
    Construct {
        id: "recursion-depth",
        title: "`cte_max_recursion_depth`",
        mariadb: "unknown: `max_recursive_iterations`, which ends the rows where MySQL answers an error",
        aurora: "how often a recursive common table expression goes round",
        treatment: Treatment::Translated {
            to: "SET SESSION max_recursive_iterations = 5000",
        },
        before: "",
        example: "SET SESSION cte_max_recursion_depth = 5000",
        words: &["CTE_MAX_RECURSION_DEPTH"],
        find: |text| {
            let is_variable = |at: &usize| {
                text.word(0) == "SET" && text.word(at - 1) != "@"
                    || *at >= 2 && text.is(at - 2, &["@", "@"])
                    || *at >= 3 && text.word(at - 1) == "." && text.word(at - 3) == "@"
            };
            (1..text.len())
                .filter(|at| text.word(*at) == "CTE_MAX_RECURSION_DEPTH")
                .filter(is_variable)
                .map(|at| {
                    let edit = text.replace(at, at, "max_recursive_iterations");
                    text.edited(at, at, vec![edit])
                })
                .collect()
        },
    },
    Construct {
        id: "zone-utc",
        title: "`SET time_zone = 'UTC'`, `CONVERT_TZ(at, 'UTC', '+02:00')`",
        mariadb: "unknown: its tables of zones are empty",
        aurora: "as `+00:00`",
        treatment: Treatment::Translated {
            to: "SET time_zone = '+00:00'",
        },
        before: "",
        example: "SET time_zone = 'UTC'",
        words: &["TIME_ZONE", "CONVERT_TZ"],
        find: |text| {
            zones(text)
                .into_iter()
                .filter(|at| zone(text, *at).eq_ignore_ascii_case("UTC"))
                .map(|at| text.edited(at, at, vec![text.replace(at, at, "'+00:00'")]))
                .collect()
        },
    },
    Construct {
        id: "set-password",
        title: "`SET PASSWORD FOR name = 'text'`",
        mariadb: "an error: it takes what `PASSWORD('text')` gives",
        aurora: "the account's new password",
        treatment: Treatment::Translated {
            to: "SET PASSWORD FOR dialect_writer = PASSWORD('new')",
        },
        before: "CREATE USER IF NOT EXISTS dialect_writer IDENTIFIED BY 'old';",
        example: "SET PASSWORD FOR dialect_writer = 'new'",
        words: &["PASSWORD"],
        find: |text| {
            let equals = (2..text.len()).find(|at| text.word(*at) == "=");
            let value = equals.map_or(0, |at| at + 1);
            if !text.is(0, &["SET", "PASSWORD"]) || text.kind(value) != Some(TokenKind::Quoted) {
                return Vec::new();
            }
            let edits = vec![text.before(value, "PASSWORD("), text.after(value, ")")];
            vec![text.edited(0, value, edits)]
        },
    },
];

/// The strings that name zones: what `time_zone` is set to, and the last two arguments of `CONVERT_TZ`.
pub(super) fn zones(text: &Text<'_>) -> Vec<usize> {
    let mut zones = Vec::new();
    if text.word(0) == "SET" {
        zones.extend(text.all(&["TIME_ZONE"]).filter_map(|at| {
            let value = match text.word(at + 1) {
                "=" | ":=" => at + 2,
                ":" => at + 3,
                _ => return None,
            };
            (text.word(at - 1) != "@" || text.word(at.wrapping_sub(2)) == "@").then_some(value)
        }));
    }
    for call in text.calls("CONVERT_TZ") {
        let Some(close) = text.close(call + 1) else {
            continue;
        };
        let mut ends = text.commas(call + 1, close);
        ends.push(close);
        zones.extend(
            ends.windows(2)
                .filter(|pair| pair[0] + 2 == pair[1])
                .map(|pair| pair[0] + 1),
        );
    }
    zones.retain(|at| text.kind(*at) == Some(TokenKind::Quoted));
    zones
}

pub(super) fn zone<'a>(text: &Text<'a>, at: usize) -> &'a str {
    text.piece(at).trim_matches(['\'', '"'])
}

fn lag_default(text: &Text<'_>) -> Vec<Match> {
    let call = |name: &'static str, at: usize| {
        let close = text.close(at + 1)?;
        let [first, second] = text.commas(at + 1, close)[..] else {
            return None;
        };
        let window = close + 2;
        if text.word(close + 1) != "OVER" {
            return None;
        }
        let last = if text.word(window) == "(" {
            text.close(window)?
        } else {
            window
        };
        let part = |from: usize, to: usize| {
            crate::read(&text.sql[text.range(from, to)])
                .sql
                .into_owned()
        };
        let test = format!(
            "IF({name}(1, {}) OVER {} IS NULL, {}, ",
            part(first + 1, second - 1),
            part(window, last),
            part(second + 1, close - 1),
        );
        let edits = vec![
            text.before(at, test),
            // With the parenthesis, so that nothing that is said of the argument is left.
            text.replace(second, close, ")"),
            text.after(last, ")"),
        ];
        Some(text.edited(at, last, edits))
    };
    ["LAG", "LEAD"]
        .into_iter()
        .flat_map(|name| text.calls(name).filter_map(move |at| call(name, at)))
        .collect()
}

/// Where the value is one name or constant and nothing binds it to what stands before it.
fn member_of(text: &Text<'_>, at: usize) -> Option<Match> {
    let close = text.close(at + 2)?;
    let first = simple_value_before(text, at)?;
    let value = &text.sql[text.range(first, at - 1)];
    let array = crate::read(&text.sql[text.range(at + 3, close - 1)])
        .sql
        .into_owned();
    let call = format!("JSON_CONTAINS({array}, JSON_EXTRACT(JSON_ARRAY({value}), '$[0]'))");
    Some(text.edited(first, close, vec![text.replace(first, close, call)]))
}

/// The first token of such a value.
pub(super) fn simple_value_before(text: &Text<'_>, end: usize) -> Option<usize> {
    let is_part = |at: usize| {
        matches!(
            text.kind(at),
            Some(TokenKind::Word | TokenKind::Quoted | TokenKind::Placeholder)
        ) || text.word(at) == "?"
    };
    let mut first = end.checked_sub(1).filter(|at| is_part(*at))?;
    while first >= 2 && text.word(first - 1) == "." && is_part(first - 2) {
        first -= 2;
    }
    let before = [
        "WHERE", "AND", "OR", "XOR", "NOT", "ON", "HAVING", "WHEN", "SELECT", "(", ",",
    ];
    (first > 0 && before.contains(&text.word(first - 1))).then_some(first)
}

/// The third of three arguments, where it is one string.
pub(super) fn replacement_of(text: &Text<'_>, call: usize) -> Option<usize> {
    let close = text.close(call + 1)?;
    let [_, second] = text.commas(call + 1, close)[..] else {
        return None;
    };
    let is_string = second + 2 == close && text.kind(second + 1) == Some(TokenKind::Quoted);
    is_string.then_some(second + 1)
}

/// A string with MySQL's groups in MariaDB's words. None: it has none, or something that is escaped.
fn with_groups(string: &str) -> Option<String> {
    let mut groups = String::with_capacity(string.len() + 4);
    let mut found = false;
    let mut rest = string.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => return None,
            '$' if rest.peek().is_some_and(char::is_ascii_digit) => {
                groups.push_str("\\\\");
                found = true;
            }
            _ => groups.push(c),
        }
    }
    found.then_some(groups)
}

fn sql_mode(text: &Text<'_>) -> Vec<Match> {
    const ROUND: &str = "TIME_ROUND_FRACTIONAL";
    const CUT: &str = "TIME_TRUNCATE_FRACTIONAL";
    const NO_ACCOUNT: &str = "NO_AUTO_CREATE_USER";
    if text.word(0) != "SET" {
        return Vec::new();
    }
    let translated = |value: usize| {
        let string = text.piece(value);
        let inner = string.trim_matches(['\'', '"']).to_ascii_uppercase();
        // A mode of MariaDB's alone is warned of, and a string without quotes is none.
        if inner.len() + 2 != string.len() || inner.contains("ORACLE") || inner.contains(NO_ACCOUNT)
        {
            return None;
        }
        let mut modes: Vec<&str> = inner
            .split(',')
            .filter(|mode| !matches!(*mode, "" | "ONLY_FULL_GROUP_BY" | CUT))
            .collect();
        modes.push(NO_ACCOUNT);
        if !inner.contains(CUT) && !inner.contains(ROUND) {
            modes.push(ROUND);
        }
        Some(format!("'{}'", modes.join(",")))
    };
    text.all(&["SQL_MODE"])
        .filter_map(|at| {
            let value = match text.word(at + 1) {
                "=" | ":=" => at + 2,
                ":" => at + 3,
                _ => return None,
            };
            let edit = text.replace(value, value, translated(value)?);
            Some(text.edited(at, value, vec![edit]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::read;

    #[track_caller]
    fn check(sql: &str, expected: &str) {
        assert_eq!(read(sql).sql, expected);
    }

    #[test]
    fn what_is_within_a_translation_is_translated_too() {
        check(
            "SELECT 1 FROM t WHERE :tag MEMBER OF (t.data->'$.tags')",
            "SELECT 1 FROM t WHERE JSON_CONTAINS(JSON_EXTRACT(t.data, '$.tags'), JSON_EXTRACT(JSON_ARRAY(:tag), '$[0]'))",
        );
        check(
            "SELECT LEAD(a->'$.b', 2, c->'$.d') OVER w AS n FROM t WINDOW w AS (ORDER BY c)",
            "SELECT IF(LEAD(1, 2) OVER w IS NULL, JSON_EXTRACT(c, '$.d'), LEAD(JSON_EXTRACT(a, '$.b'), 2) OVER w) AS n FROM t WINDOW w AS (ORDER BY c)",
        );
    }

    #[test]
    fn what_is_not_sure_is_left_alone() {
        for sql in [
            "SELECT 1 FROM t WHERE id + 1 MEMBER OF (tags)",
            "SELECT 1 FROM t WHERE F(1) MEMBER OF (tags)",
            "SELECT LAG(a) OVER w, LAG(a, 1) OVER w FROM t WINDOW w AS (ORDER BY a)",
            r"SELECT REGEXP_REPLACE(a, b, '\\1$1') AS c FROM t",
            "SELECT REGEXP_REPLACE(a, b, '$') AS c FROM t",
            "SET sql_mode = CONCAT(@@sql_mode, ',ANSI')",
            "SET @sql_mode = 1",
            "SET @cte_max_recursion_depth = 1",
        ] {
            check(sql, sql);
        }
    }

    #[test]
    fn utc_is_a_zone_only_where_zones_stand() {
        check(
            "SELECT CONVERT_TZ(at, 'utc', zone), CONVERT_TZ('UTC', '+01:00', 'UTC') AS a, 'UTC' FROM t",
            "SELECT CONVERT_TZ(at, '+00:00', zone) AS `CONVERT_TZ(at, 'utc', zone)`, CONVERT_TZ('UTC', '+01:00', '+00:00') AS a, 'UTC' FROM t",
        );
        check(
            "SET @@session.time_zone := 'UTC', @time_zone = 'UTC'",
            "SET @@session.time_zone := '+00:00', @time_zone = 'UTC'",
        );
    }

    #[test]
    fn a_mode_of_mysql_s_becomes_one_of_mariadb_s() {
        check(
            "SET @@SESSION.sql_mode = '', NAMES utf8mb4",
            "SET @@SESSION.sql_mode = 'NO_AUTO_CREATE_USER,TIME_ROUND_FRACTIONAL', NAMES utf8mb4",
        );
        check(
            "set sql_mode := \"ansi,time_truncate_fractional\"",
            "set sql_mode := 'ANSI,NO_AUTO_CREATE_USER'",
        );
    }
}
