//! The table of what MySQL 8 and MariaDB understand differently, on real servers: always on MariaDB, and on MySQL too where
//! [`super::mysqld::BINARY`] names one.

use dayspring_dialect::{Construct, Treatment, constructs};
use serde_json::json;

use super::{Bench, Reply};

/// Rows of zones by name: a MySQL's tables of them are empty until somebody fills them, as Aurora's are.
const NEEDS_ZONES: [&str; 2] = ["zone-utc", "zone-by-name"];

/// The statements before a row's example, and the answer to it.
fn run(bench: &Bench, construct: &Construct) -> Reply {
    for statement in construct.before.split_terminator(';') {
        bench.execute(statement);
    }
    bench.post(
        "/Execute",
        json!({"sql": construct.example, "includeResultMetadata": true}),
    )
}

/// What is translated works, what is warned of works here, and what is refused is.
#[test]
fn every_construct_of_mysql_8_is_treated_as_its_row_says() {
    // Kept to the end, so that one server serves all rows.
    let bench = Bench::new();
    let version = bench.rows("select version()");
    let mut wrong = Vec::new();
    for construct in constructs() {
        let reply = run(&Bench::new(), construct);
        let expected = match construct.treatment {
            Treatment::Translated { .. } | Treatment::Warned { .. } => 200,
            Treatment::Refused if version.contains("10.11.") => 400,
            // Later versions of MariaDB know some of them.
            Treatment::Refused => reply.status,
        };
        if reply.status != expected {
            wrong.push(format!("{}: {} {}", construct.id, reply.status, reply.body));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is translated or refused here is taken by MySQL, and what is warned of is refused by it with the row's error. What is
/// translated has the same rows and the same names of columns on both.
#[test]
fn mysql_does_with_every_construct_what_its_row_says() {
    let (Some(_mysql), _mariadb) = (Bench::mysql(), Bench::new()) else {
        return;
    };
    let mut wrong = Vec::new();
    for construct in constructs() {
        let Some(bench) = Bench::mysql() else {
            return;
        };
        let reply = run(&bench, construct);
        let message = reply.body["message"].as_str().unwrap_or_default();
        let is_right = match construct.treatment {
            _ if NEEDS_ZONES.contains(&construct.id) => message.contains("; Error code: 1298;"),
            Treatment::Translated { .. } => {
                reply.status == 200 && shown(&reply) == shown(&run(&Bench::new(), construct))
            }
            Treatment::Refused | Treatment::Warned { error: None, .. } => reply.status == 200,
            Treatment::Warned {
                error: Some(code), ..
            } => message.contains(&format!("; Error code: {code};")),
        };
        if !is_right {
            wrong.push(format!("{}: {} {}", construct.id, reply.status, reply.body));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The names of the columns, and the rows.
fn shown(reply: &Reply) -> String {
    let names: Vec<&str> = reply.body["columnMetadata"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|column| column["label"].as_str())
        .collect();
    format!("{names:?} {}", reply.body["records"])
}

#[test]
fn what_is_translated_gives_what_mysql_gives() {
    for bench in [Some(Bench::new()), Bench::mysql()].into_iter().flatten() {
        check_answers(&bench);
    }
}

#[track_caller]
fn check_answers(bench: &Bench) {
    let text = |sql: &str| bench.rows(sql);
    let uuid = "6ccd780c-baba-1026-9564-5b8c656024db";
    for (flag, hex) in [
        ("", "6CCD780CBABA102695645B8C656024DB"),
        (", 0", "6CCD780CBABA102695645B8C656024DB"),
        (", 1", "1026BABA6CCD780C95645B8C656024DB"),
    ] {
        assert_eq!(
            text(&format!(
                "select hex(uuid_to_bin('{uuid}'{flag})), bin_to_uuid(x'{hex}'{flag})"
            )),
            format!(r#"[[{{"stringValue":"{hex}"}},{{"stringValue":"{uuid}"}}]]"#)
        );
    }
    bench.execute("create table t (id int primary key, n int, check (n > 0) not enforced)");
    bench.execute("insert into t values (1, -1)");
    bench.execute("insert into t values (1, 5) as new on duplicate key update n = t.n + new.n");
    assert_eq!(text("table t"), r#"[[{"longValue":1},{"longValue":4}]]"#);
    assert_eq!(
        text(
            "select regexp_like('abc', 'B.$'), any_value(n), json_type(cast('[1]' as json)) = 'ARRAY' from t"
        ),
        r#"[[{"longValue":1},{"longValue":4},{"longValue":1}]]"#
    );
    check_collations(bench);
    let no_account = json!({"sql": "grant select on *.* to dialect_nobody"});
    assert_eq!(bench.post("/Execute", no_account).status, 400);
    for (sql, expected) in [
        (
            "select id, lag(n, 1, 0) over (order by id) as l, lead(n, 2, id) over (order by id) as r from u order by id",
            r#"[[{"longValue":1},{"longValue":0},{"longValue":30}],[{"longValue":2},{"longValue":10},{"longValue":2}],[{"longValue":3},{"isNull":true},{"longValue":3}]]"#,
        ),
        (
            "select id from u where 'b' member of (tags->'$.all') and 2 member of ('[1, 2]')",
            r#"[[{"longValue":3}]]"#,
        ),
        (
            "select a, b from (values row(1, 'x'), row(2, 'y')) as v (a, b) order by a desc",
            r#"[[{"longValue":2},{"stringValue":"y"}],[{"longValue":1},{"stringValue":"x"}]]"#,
        ),
        (
            "select max(offset) from u limit 1 offset 0",
            r#"[[{"longValue":7}]]"#,
        ),
        (
            "select regexp_replace('2024-05', '([0-9]+)-([0-9]+)', '$2/$1')",
            r#"[[{"stringValue":"05/2024"}]]"#,
        ),
        (
            "select count(*) from (table u) as t",
            r#"[[{"longValue":3}]]"#,
        ),
    ] {
        assert_eq!(text(sql), expected, "{sql}");
    }
}

/// Whoever names utf8mb4 and no collation gets one in which emoji differ and spaces count.
#[track_caller]
fn check_collations(bench: &Bench) {
    for (table, definition) in [
        ("c1", "(s varchar(9) unique) charset utf8mb4"),
        ("c2", "(s varchar(9) character set utf8mb4 unique)"),
        (
            "c3",
            "(s varchar(9) unique) default character set = utf8mb4",
        ),
    ] {
        bench.execute(&format!("create table {table} {definition}"));
        bench.execute(&format!(
            "insert into {table} values ('\u{1f600}'), ('\u{1f601}'), ('a'), ('a ')"
        ));
        let same = format!("select count(*) from {table} where s = 'A' or s = 'b'");
        assert_eq!(bench.rows(&same), r#"[[{"longValue":1}]]"#, "{definition}");
    }
    bench.execute(
        "create table u (id int primary key, n int, tags json, offset int not null default 7)",
    );
    bench.execute(
        "insert into u (id, n, tags) values (1, 10, null), (2, null, '{\"all\": [\"a\"]}'), (3, 30, '{\"all\": [\"b\"]}') as new (i, m, t) on duplicate key update n = m",
    );
    bench.execute("delete from u as d where d.id = 4");
}
