use std::collections::BTreeSet;
use std::path::Path;

use super::*;

fn ids(sql: &str) -> Vec<&'static str> {
    read(sql)
        .found
        .iter()
        .map(|found| found.construct.id)
        .collect()
}

#[test]
fn every_row_finds_its_example_and_nothing_else_there() {
    for construct in constructs() {
        let mut ids = ids(construct.example);
        ids.dedup();
        assert_eq!(ids, [construct.id], "{}", construct.example);
    }
}

#[test]
fn every_translation_is_what_its_row_says_and_has_nothing_left_to_translate() {
    for construct in constructs() {
        let reading = read(construct.example);
        let Treatment::Translated { to } = construct.treatment else {
            assert_eq!(reading.sql, construct.example, "{}", construct.id);
            continue;
        };
        assert_eq!(reading.sql, to, "{}", construct.id);
        assert_eq!(read(to).sql, to, "{}", construct.id);
    }
}

#[test]
fn what_is_written_before_an_example_has_no_construct() {
    for construct in constructs() {
        for statement in construct.before.split_terminator(';') {
            assert_eq!(ids(statement), [""; 0], "{}", construct.id);
        }
    }
}

#[test]
fn names_are_used_once() {
    let mut seen = BTreeSet::new();
    assert!(constructs().all(|construct| seen.insert(construct.id)));
}

#[track_caller]
fn check(sql: &str, expected: &str) {
    assert_eq!(read(sql).sql, expected);
}

#[test]
fn strings_and_comments_are_left_alone() {
    for sql in [
        "SELECT 'utf8mb4_0900_ai_ci', \"a->>'$.b'\", `for share`",
        "SELECT 1 -- FOR SHARE\n, 2 /* CAST(a AS JSON) */",
        "select 'a->\"b\"' # REGEXP_LIKE(a, b)",
        "",
        "'",
        "(",
    ] {
        check(sql, sql);
        assert_eq!(ids(sql), [""; 0]);
    }
}

#[test]
fn names_that_look_like_a_construct_are_names() {
    for sql in [
        "SELECT share, invisible, enforced, `lateral` FROM sequence WHERE row = 1",
        "SELECT a - b > c, 5-a FROM t",
        "INSERT INTO t (returning_, uuid) VALUES (uuid(), 1)",
        "SELECT t.any_value, t.nvl FROM t FOR UPDATE",
        "CREATE TABLE t (a INT INVISIBLE, b INT UNIQUE INVISIBLE)",
        "CREATE OR REPLACE VIEW v AS SELECT 1",
        "CREATE TABLE IF NOT EXISTS t (a INT DEFAULT (uuid()), b TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP(3))",
        "CREATE TABLE t (id INT, CHECK (a > 0))",
        "DROP TABLE IF EXISTS t",
        "SELECT CAST(a AS CHAR) FROM t LIMIT 1 OFFSET 2",
        "SELECT a->b FROM t",
    ] {
        check(sql, sql);
        assert_eq!(ids(sql), [""; 0], "{sql}");
    }
}

#[test]
fn translations_compose() {
    check(
        "select t.`a`->>'$.x', b -> \"$.y\" from t",
        "select JSON_UNQUOTE(JSON_EXTRACT(t.`a`, '$.x')) AS `t.``a``->>'$.x'`, JSON_EXTRACT(b, \"$.y\") AS `b -> \"$.y\"` from t",
    );
    check(
        "insert into t (a, b) values (uuid_to_bin(:a, 1), cast(:b as json)) as n on duplicate key update b = json_merge_patch(t.b, n.b)",
        "insert into t (a, b) values (UNHEX(REPLACE(REGEXP_REPLACE(:a, '^(.{8})-(.{4})-(.{4})', '\\\\3\\\\2\\\\1'), '-', '')), \
         JSON_EXTRACT(:b, '$')) on duplicate key update b = json_merge_patch(t.b, VALUES(b))",
    );
    check(
        "select regexp_like(any_value(a), concat('^', b)) from t for share nowait",
        "select (((a)) REGEXP ( concat('^', b))) AS `regexp_like(any_value(a), concat('^', b))` from t LOCK IN SHARE MODE nowait",
    );
    check(
        "alter table t add unique key k (a) invisible, alter index j visible, add check (a > (b)) enforced",
        "alter table t add unique key k (a) IGNORED, alter index j NOT IGNORED, add check (a > (b))",
    );
}

#[test]
fn a_column_of_the_result_keeps_its_name() {
    let extract = "JSON_EXTRACT(a, '$.b')";
    for (sql, expected) in [
        (
            "select 1, a->'$.b', c from t",
            "select 1, {} AS `a->'$.b'`, c from t",
        ),
        (
            "select distinct a->'$.b'",
            "select distinct {} AS `a->'$.b'`",
        ),
        (
            "select a->'$.b' + 1 from t",
            "select {} + 1 AS `a->'$.b' + 1` from t",
        ),
        (
            "select a->'$.b' is null from t",
            "select {} is null AS `a->'$.b' is null` from t",
        ),
        ("select a->'$.b' as c from t", "select {} as c from t"),
        (
            "select a->'$.b' c, a->'$.b' 'd' from t",
            "select {} c, {} 'd' from t",
        ),
        ("select (a->'$.b') c", "select ({}) c"),
        (
            "select c from t where a->'$.b' = 1",
            "select c from t where {} = 1",
        ),
        (
            "with w as (select a->'$.b' from t) select * from w",
            "with w as (select {} from t) select * from w",
        ),
        (
            "select a->'$.b' union select 1",
            "select {} AS `a->'$.b'` union select 1",
        ),
        (
            "create view v as select a->'$.b' from t",
            "create view v as select {} AS `a->'$.b'` from t",
        ),
        (
            "update t set c = a->'$.b', d = 1",
            "update t set c = {}, d = 1",
        ),
        (
            "insert into u select a->'$.b' from t",
            "insert into u select {} from t",
        ),
        (
            "select a->'$.b' into @c from t",
            "select {} AS `a->'$.b'` into @c from t",
        ),
        ("select a->'$.b', ", "select {} AS `a->'$.b'`, "),
    ] {
        check(sql, &expected.replace("{}", extract));
    }
}

#[test]
fn a_name_that_is_too_long_is_the_server_s() {
    for (prefix, most) in [("create view v as select ", 64), ("select ", 256)] {
        for length in [most, most + 1] {
            let item = format!("any_value({})", "a".repeat(length - 11));
            let sql = format!("{prefix}{item} from t");
            let is_named = read(&sql).sql.contains(&format!("AS `{item}`"));
            assert_eq!(is_named, length == most, "{sql}");
        }
    }
}

#[test]
fn comments_of_versions_run_up_to_mysql_s_own() {
    check("/*!80000 select 1*/", "  select 1");
    check("/*!80099 select 1*/", "/*!80099 select 1*/");
    check("/*!40100 select 1*/", "/*!40100 select 1*/");
    check("/*! select 1*/", "/*! select 1*/");
}

#[test]
fn the_page_is_what_the_table_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/mysql8.md");
    let page = render_page();
    if std::env::var_os("DAYSPRING_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == page,
        "docs/mysql8.md is not what the table makes; DAYSPRING_UPDATE_DOCS=1 makes it anew"
    );
}
