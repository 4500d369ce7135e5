//! Rows without a table, and the names that a statement gives to rows: put in MariaDB's words.

use crate::lexer::TokenKind;
use crate::text::{Edit, Match, Text};
use crate::{Construct, Treatment};

const TABLE: &str = "CREATE TABLE post (id INT PRIMARY KEY, data JSON);";

pub(super) static ROWS: &[Construct] = &[
    Construct {
        id: "row-alias",
        title: "`INSERT ... AS new ON DUPLICATE KEY UPDATE a = new.a`, `AS new(x, y)`",
        mariadb: "syntax error",
        aurora: "`new.a` is what `VALUES(a)` was, which MySQL 8.0.20 deprecates",
        treatment: Treatment::Translated {
            to: "INSERT INTO post VALUES (1, '{}') ON DUPLICATE KEY UPDATE data = VALUES(data)",
        },
        before: TABLE,
        example: "INSERT INTO post VALUES (1, '{}') AS new ON DUPLICATE KEY UPDATE data = new.data",
        words: &["DUPLICATE"],
        find: row_alias,
    },
    Construct {
        id: "values-row",
        title: "`VALUES ROW(1, 2), ROW(3, 4)`",
        mariadb: "syntax error; its own form has no `ROW`, and names the columns by the first row",
        aurora: "a table, its columns are `column_0`, `column_1`",
        treatment: Treatment::Translated {
            to: "WITH v (column_0, column_1) AS (VALUES (1, 'a'), (2, 'b')) SELECT * FROM v ORDER BY column_0",
        },
        before: "",
        example: "VALUES ROW(1, 'a'), ROW(2, 'b') ORDER BY column_0",
        words: &["ROW"],
        find: values_row,
    },
    Construct {
        id: "derived-names",
        title: "`FROM (SELECT ...) AS d (a, b)`",
        mariadb: "syntax error",
        aurora: "names for the columns of a derived table",
        treatment: Treatment::Translated {
            to: "SELECT a FROM (WITH d (a, b) AS (SELECT 1, 2) SELECT * FROM d) AS d",
        },
        before: "",
        example: "SELECT a FROM (SELECT 1, 2) AS d (a, b)",
        words: &["FROM"],
        find: derived_names,
    },
    Construct {
        id: "delete-alias",
        title: "`DELETE FROM post AS p WHERE p.id = 1`",
        mariadb: "syntax error",
        aurora: "a name for the table; with `ORDER BY` and `LIMIT` too, which stay refused here",
        treatment: Treatment::Translated {
            to: "DELETE p FROM post AS p WHERE p.id = 1",
        },
        before: TABLE,
        example: "DELETE FROM post AS p WHERE p.id = 1",
        words: &["DELETE"],
        find: delete_alias,
    },
];

/// `new.a` is the column `a`, and a name of the alias's own list is the column at its place.
fn row_alias(text: &Text<'_>) -> Vec<Match> {
    if !matches!(text.word(0), "INSERT" | "REPLACE") {
        return Vec::new();
    }
    let Some(duplicate) = text.all(&["ON", "DUPLICATE", "KEY", "UPDATE"]).next() else {
        return Vec::new();
    };
    // In an INSERT of a query the name is a table's.
    let is_query = text
        .outer(0)
        .any(|at| matches!(text.word(at), "SELECT" | "TABLE"));
    let alias = alias_before(text, duplicate).filter(|_| !is_query);
    let Some(alias) = alias else {
        return Vec::new();
    };
    let own = names_between(text, alias + 1, duplicate);
    let columns = match (own.is_empty(), inserted_columns(text)) {
        (true, _) => Vec::new(),
        (false, columns) if columns.len() == own.len() => columns,
        _ => return Vec::new(),
    };
    let column = |name: &str| {
        let place = own.iter().position(|one| one == name)?;
        columns.get(place).cloned()
    };
    let alias_name = text.word(alias);
    let mut edits = vec![text.remove(alias - 1, duplicate - 1)];
    let mut at = duplicate + 4;
    while at < text.len() {
        let is_alias = text.word(at) == alias_name && text.word(at + 1) == ".";
        let last = if is_alias { at + 2 } else { at };
        let name = text.word(last);
        let is_free = is_alias
            || (text.word(at - 1) != "."
                && !matches!(text.word(at + 1), "." | "(")
                && !is_assigned(text, at, duplicate + 4));
        if let Some(column) = column(name).filter(|_| is_free) {
            edits.push(text.replace(at, last, format!("VALUES({column})")));
        } else if is_alias && own.is_empty() {
            edits.push(text.replace(at, at + 1, "VALUES("));
            edits.push(text.after(last, ")"));
        }
        at = last + 1;
    }
    vec![text.edited(alias - 1, duplicate - 1, edits)]
}

/// The name behind the `AS` that ends before a token, with or without a list of names behind it.
fn alias_before(text: &Text<'_>, end: usize) -> Option<usize> {
    let alias = if text.word(end.checked_sub(1)?) == ")" {
        let open = (0..end).rev().find(|at| text.word(*at) == "(")?;
        open.checked_sub(1)?
    } else {
        end - 1
    };
    let is_alias = alias >= 2 && text.word(alias - 1) == "AS" && text.word(alias - 2) != "(";
    is_alias.then_some(alias)
}

/// The names in a parenthesis, in capitals.
fn names_between(text: &Text<'_>, open: usize, end: usize) -> Vec<String> {
    (open..end)
        .filter(|at| matches!(text.kind(*at), Some(TokenKind::Word | TokenKind::Quoted)))
        .map(|at| text.word(at).to_owned())
        .collect()
}

/// The list of columns behind the table's name, as they are written.
fn inserted_columns(text: &Text<'_>) -> Vec<String> {
    let Some(open) = (1..text.len()).find(|at| text.word(*at) == "(") else {
        return Vec::new();
    };
    let is_list =
        (1..open).all(|at| !matches!(text.word(at), "VALUES" | "VALUE" | "SELECT" | "SET"));
    let Some(close) = text.close(open).filter(|_| is_list) else {
        return Vec::new();
    };
    (open + 1..close)
        .filter(|at| text.word(*at) != ",")
        .map(|at| text.piece(at).to_owned())
        .collect()
}

/// Whether a name is the left side of an assignment of `UPDATE a = ..., b = ...`.
fn is_assigned(text: &Text<'_>, at: usize, first: usize) -> bool {
    text.word(at + 1) == "=" && (at == first || (text.word(at - 1) == "," && text.item(at) == at))
}

fn values_row(text: &Text<'_>) -> Vec<Match> {
    let is_row = |at: &usize| {
        *at > 0
            && text.word(*at) == "ROW"
            && text.word(at + 1) == "("
            && matches!(text.word(at - 1), "VALUES" | ",")
    };
    if !text.has("VALUES") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for values in text.all(&["VALUES", "ROW", "("]) {
        let Some((rows, last)) = rows_from(text, values) else {
            continue;
        };
        let mut edits: Vec<Edit> = rows
            .iter()
            .filter(|at| is_row(at))
            .map(|at| text.replace(*at, *at, ""))
            .collect();
        if let Some((opening, closing)) = named(text, values) {
            edits.push(text.before(values, opening));
            edits.push(text.after(last, closing));
        }
        found.push(text.edited(values, values + 1, edits));
    }
    found
}

/// The places of `ROW` from a `VALUES` on, and the last token of the rows.
fn rows_from(text: &Text<'_>, values: usize) -> Option<(Vec<usize>, usize)> {
    let mut rows = vec![values + 1];
    let mut last = text.close(values + 2)?;
    while text.is(last + 1, &[",", "ROW", "("]) {
        rows.push(last + 2);
        last = text.close(last + 3)?;
    }
    Some((rows, last))
}

/// What names the columns of rows that are a query of their own. Those of an INSERT have no names, and those of a derived table
/// with names of its own get these.
fn named(text: &Text<'_>, values: usize) -> Option<(String, &'static str)> {
    let is_derived = values > 1
        && text.word(values - 1) == "("
        && matches!(text.word(values - 2), "FROM" | "JOIN" | ",");
    if values > 0 && !is_derived {
        return None;
    }
    if is_derived && derived_list(text, values - 1).is_some() {
        return None;
    }
    let close = text.close(values + 2)?;
    let count = text.commas(values + 2, close).len() + 1;
    let names: Vec<String> = (0..count)
        .map(|number| format!("column_{number}"))
        .collect();
    Some((
        format!("WITH v ({}) AS (", names.join(", ")),
        ") SELECT * FROM v",
    ))
}

/// Of a derived table by its parenthesis: its name and the parentheses of its list.
fn derived_list(text: &Text<'_>, open: usize) -> Option<(usize, usize, usize)> {
    let close = text.close(open)?;
    let name = close + 1 + usize::from(text.word(close + 1) == "AS");
    let is_name = matches!(text.kind(name), Some(TokenKind::Word | TokenKind::Quoted))
        && !matches!(text.word(name), "ON" | "USING" | "WHERE" | "VALUES");
    let list = name + 1;
    let end = text
        .close(list)
        .filter(|_| is_name && text.word(list) == "(")?;
    Some((name, list, end))
}

fn derived_names(text: &Text<'_>) -> Vec<Match> {
    let mut found = Vec::new();
    let is_table = |open: &usize| {
        text.word(*open) == "("
            && matches!(text.word(open - 1), "FROM" | "JOIN" | ",")
            && matches!(text.word(open + 1), "SELECT" | "VALUES")
    };
    for open in (1..text.len()).filter(is_table) {
        let (Some(close), Some((name, list, end))) = (text.close(open), derived_list(text, open))
        else {
            continue;
        };
        let names = &text.sql[text.range(list, end)];
        let edits = vec![
            text.after(open, format!("WITH {} {names} AS (", text.piece(name))),
            text.before(close, format!(") SELECT * FROM {}", text.piece(name))),
            text.remove(list, end),
        ];
        found.push(text.edited(list, end, edits));
    }
    found
}

/// A change of more than one table names what it deletes from, and takes neither an order nor a limit.
fn delete_alias(text: &Text<'_>) -> Vec<Match> {
    let Some(from) = (1..text.len().min(4)).find(|at| text.word(*at) == "FROM") else {
        return Vec::new();
    };
    let modifiers =
        (1..from).all(|at| matches!(text.word(at), "LOW_PRIORITY" | "QUICK" | "IGNORE"));
    let mut last = from + 1;
    if text.word(last + 1) == "." {
        last += 2;
    }
    let alias = last + 1 + usize::from(text.word(last + 1) == "AS");
    let is_alias = matches!(text.kind(alias), Some(TokenKind::Word | TokenKind::Quoted))
        && !matches!(
            text.word(alias),
            "WHERE" | "ORDER" | "LIMIT" | "USING" | "PARTITION" | "RETURNING" | "FOR"
        )
        && matches!(text.word(alias + 1), "WHERE" | "" | ";");
    let is_bounded = text
        .outer(alias)
        .any(|at| matches!(text.word(at), "ORDER" | "LIMIT"));
    if text.word(0) != "DELETE" || !modifiers || !is_alias || is_bounded {
        return Vec::new();
    }
    let name = format!("{} ", text.piece(alias));
    vec![text.edited(alias, alias, vec![text.before(from, name)])]
}

#[cfg(test)]
mod tests {
    use crate::read;

    #[track_caller]
    fn check(sql: &str, expected: &str) {
        assert_eq!(read(sql).sql, expected);
    }

    #[test]
    fn names_of_a_row_alias_are_the_columns_at_their_places() {
        check(
            "INSERT INTO t (id, n) VALUES (1, 2) AS new(a, b) ON DUPLICATE KEY UPDATE n = b + new.b + t.n, b = F(b), m = a.b",
            "INSERT INTO t (id, n) VALUES (1, 2) ON DUPLICATE KEY UPDATE n = VALUES(n) + VALUES(n) + t.n, b = F(VALUES(n)), m = a.b",
        );
        for sql in [
            "INSERT INTO t VALUES (1, 2) AS new(a, b) ON DUPLICATE KEY UPDATE n = b",
            "INSERT INTO t (id) VALUES (1, 2) AS new(a, b) ON DUPLICATE KEY UPDATE n = b",
            "INSERT INTO t (id) SELECT CAST(1 AS SIGNED) ON DUPLICATE KEY UPDATE id = 1",
            "INSERT INTO t SELECT * FROM u AS new ON DUPLICATE KEY UPDATE n = new.n",
        ] {
            check(sql, sql);
        }
    }

    #[test]
    fn rows_have_the_names_that_mysql_gives_them() {
        check(
            "SELECT column_0 FROM (VALUES ROW(1, F(2, 3)), ROW(4, 5)) AS w",
            "SELECT column_0 FROM (WITH v (column_0, column_1) AS (VALUES (1, F(2, 3)), (4, 5)) SELECT * FROM v) AS w",
        );
        check(
            "SELECT a FROM (VALUES ROW(1), ROW(2)) AS w(a)",
            "SELECT a FROM (WITH w (a) AS (VALUES (1), (2)) SELECT * FROM w) AS w",
        );
        check(
            "INSERT INTO t (a) VALUES ROW(1), ROW(2)",
            "INSERT INTO t (a) VALUES (1), (2)",
        );
        check(
            "SELECT ROW(1, 2) = ROW(1, 2)",
            "SELECT ROW(1, 2) = ROW(1, 2)",
        );
    }

    #[test]
    fn a_derived_table_is_told_from_all_else_in_parentheses() {
        for sql in [
            "SELECT 1 FROM (SELECT 1) AS d JOIN u ON (d.a = u.a)",
            "SELECT 1 FROM (SELECT 1 AS a) d USING (a)",
            "INSERT INTO t (a) SELECT 1 FROM (SELECT 1) AS d WHERE (1)",
            "WITH c (a) AS (SELECT 1) SELECT a FROM c",
        ] {
            check(sql, sql);
        }
    }

    #[test]
    fn a_delete_with_a_name_for_its_table_names_what_it_deletes_from() {
        check(
            "DELETE IGNORE FROM s.t x WHERE x.a = 1",
            "DELETE IGNORE x FROM s.t x WHERE x.a = 1",
        );
        for sql in [
            "DELETE FROM t WHERE a = 1",
            "DELETE FROM t",
            "DELETE FROM t LIMIT 1",
            "DELETE FROM t AS x WHERE a = 1 LIMIT 1",
            "DELETE x FROM t AS x JOIN u ON x.a = u.a",
        ] {
            check(sql, sql);
        }
    }
}
