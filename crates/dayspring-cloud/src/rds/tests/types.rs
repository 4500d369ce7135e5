use serde_json::{Value, json};

use super::Bench;

/// A column of the type, the value as SQL, and the field that comes back.
#[track_caller]
fn check(bench: &Bench, definition: &str, value: &str, expected: &str) {
    bench.execute(&format!("create or replace table t (a {definition})"));
    bench.execute(&format!("insert into t values ({value})"));
    assert_eq!(
        bench.rows("select a from t"),
        format!("[[{expected}]]"),
        "{definition}"
    );
}

#[test]
fn every_type_has_its_field() {
    let bench = Bench::new();
    let check =
        |definition: &str, value: &str, expected: &str| check(&bench, definition, value, expected);
    check("boolean", "true", r#"{"booleanValue":true}"#);
    check("tinyint(1)", "0", r#"{"booleanValue":false}"#);
    check("bit(1)", "b'1'", r#"{"booleanValue":true}"#);
    check("bit(12)", "b'100000001'", r#"{"longValue":257}"#);
    check("bit(8)", "b'110001'", r#"{"longValue":49}"#);
    check("tinyint", "-5", r#"{"longValue":-5}"#);
    check("smallint unsigned", "65535", r#"{"longValue":65535}"#);
    check("mediumint", "-8388608", r#"{"longValue":-8388608}"#);
    check("int", "2147483647", r#"{"longValue":2147483647}"#);
    check(
        "bigint",
        "-9223372036854775808",
        r#"{"longValue":-9223372036854775808}"#,
    );
    check(
        "bigint unsigned",
        "18446744073709551615",
        r#"{"stringValue":"18446744073709551615"}"#,
    );
    check("float", "1.1", r#"{"doubleValue":1.1}"#);
    check("double", "1e100", r#"{"doubleValue":1e+100}"#);
    check(
        "decimal(20,4)",
        "123456.789",
        r#"{"stringValue":"123456.7890"}"#,
    );
    check(
        "decimal(65,30)",
        "1",
        r#"{"stringValue":"1.000000000000000000000000000000"}"#,
    );
    check("char(5)", "'ab'", r#"{"stringValue":"ab"}"#);
    check("varchar(20)", "'é€😀'", r#"{"stringValue":"é€😀"}"#);
    check("tinytext", "'a'", r#"{"stringValue":"a"}"#);
    check("longtext", "'a'", r#"{"stringValue":"a"}"#);
    check(
        "varchar(9) collate utf8mb4_bin",
        "'a'",
        r#"{"stringValue":"a"}"#,
    );
    check("enum('x','y')", "'y'", r#"{"stringValue":"y"}"#);
    check("set('x','y')", "'x,y'", r#"{"stringValue":"x,y"}"#);
    check(
        "json",
        r#"'{"b":1,"a":[1,2.50]}'"#,
        r#"{"stringValue":"{\"a\": [1, 2.5], \"b\": 1}"}"#,
    );
    check("longtext", r#"'{"b":1}'"#, r#"{"stringValue":"{\"b\":1}"}"#);
    check("binary(3)", "'a'", r#"{"blobValue":"YQAA"}"#);
    check("varbinary(3)", "''", r#"{"blobValue":""}"#);
    check("blob", "0xff00", r#"{"blobValue":"/wA="}"#);
    check("date", "'2024-02-29'", r#"{"stringValue":"2024-02-29"}"#);
    check("time", "'-838:59:59'", r#"{"stringValue":"-838:59:59"}"#);
    check(
        "time(3)",
        "'10:00:00.5'",
        r#"{"stringValue":"10:00:00.500"}"#,
    );
    check(
        "datetime",
        "'2024-02-29 10:11:12.6'",
        r#"{"stringValue":"2024-02-29 10:11:13"}"#,
    );
    check(
        "datetime(6)",
        "'2024-02-29 10:11:12.000001'",
        r#"{"stringValue":"2024-02-29 10:11:12.000001"}"#,
    );
    check(
        "datetime(6)",
        "'2024-02-29 00:00:00'",
        r#"{"stringValue":"2024-02-29 00:00:00"}"#,
    );
    check(
        "timestamp",
        "'2024-02-29 10:11:12'",
        r#"{"stringValue":"2024-02-29 10:11:12"}"#,
    );
    check("year", "2024", r#"{"stringValue":"2024"}"#);
    check("int", "null", r#"{"isNull":true}"#);
}

#[test]
fn expressions_have_fields_too() {
    let bench = Bench::new();
    assert_eq!(
        bench.rows("select true, 1 = 1, count(*), sum(1), avg(1), 4.50, 1e0, now() > 0, uuid() is null, x'41', cast('a' as binary)"),
        r#"[[{"longValue":1},{"longValue":1},{"longValue":1},{"stringValue":"1"},{"stringValue":"1.0000"},{"stringValue":"4.50"},{"doubleValue":1.0},{"longValue":1},{"longValue":0},{"blobValue":"QQ=="},{"blobValue":"YQ=="}]]"#
    );
    assert_eq!(
        bench.refused(json!({"sql": "select point(1, 2)"})),
        "400 UnsupportedResultException: The result contains the unsupported data type GEOMETRY"
    );
}

#[test]
fn metadata_tells_mysql_s_types() {
    let bench = Bench::new();
    bench.execute(
        "create table t (id int unsigned auto_increment primary key, name varchar(100) not null, data json, big longtext, \
         at timestamp(3) null, ok boolean, price decimal(10,2), bytes varbinary(16), code varchar(3) collate utf8mb4_bin)",
    );
    let answer = bench
        .post(
            "/Execute",
            json!({"sql": "select id as number, name, data, big, at, ok, price, bytes, code from t", "includeResultMetadata": true}),
        )
        .ok();
    assert_eq!(answer["records"], json!([]));
    let columns: Vec<String> = answer["columnMetadata"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| {
            let text = |name: &str| column[name].to_string().replace('"', "");
            [
                "label",
                "name",
                "tableName",
                "typeName",
                "type",
                "precision",
                "scale",
                "nullable",
                "isSigned",
                "isAutoIncrement",
                "isCaseSensitive",
            ]
            .map(text)
            .join(" ")
        })
        .collect();
    insta::assert_snapshot!(columns.join("\n"), @r"
    number id t INT UNSIGNED 4 10 0 0 false true false
    name name t VARCHAR 12 100 0 0 false false false
    data data t JSON -1 2147483647 0 1 false false true
    big big t LONGTEXT -1 2147483647 0 1 false false false
    at at t TIMESTAMP 93 23 3 1 false false false
    ok ok t BIT -7 1 0 1 true false false
    price price t DECIMAL 3 10 2 1 true false false
    bytes bytes t VARBINARY -3 16 0 1 false false true
    code code t VARCHAR 12 3 0 1 false false true
    ");
}

#[test]
fn json_columns_are_looked_up_again_when_tables_change() {
    let bench = Bench::new();
    let name = || {
        let answer = bench.post(
            "/Execute",
            json!({"sql": "select a from t", "includeResultMetadata": true}),
        );
        answer.ok()["columnMetadata"][0]["typeName"].clone()
    };
    bench.execute("create table t (a longtext)");
    assert_eq!(name(), "LONGTEXT");
    bench.execute("alter table t modify a json");
    assert_eq!(name(), "JSON");
}

#[test]
fn records_can_come_as_one_json_text() {
    let bench = Bench::new();
    let formatted = |sql: &str, options: Value| {
        let input = json!({"sql": sql, "formatRecordsAs": "JSON", "includeResultMetadata": true, "resultSetOptions": options});
        let answer = bench.post("/Execute", input).ok();
        assert!(answer.get("records").is_none() && answer.get("columnMetadata").is_none());
        answer["formattedRecords"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        formatted(
            "select count(*), 4+7, 1.50 as d, 10e0 as f, 'é' as t, null as n, x'41' as b",
            json!({})
        ),
        r#"[{"count(*)":1,"4+7":11,"d":"1.50","f":10.0,"t":"é","n":null,"b":"QQ=="}]"#
    );
    let options = json!({"decimalReturnType": "DOUBLE_OR_LONG", "longReturnType": "STRING"});
    assert_eq!(
        formatted("select 1.50 as d, cast(3 as decimal) as e, 4 as l", options),
        r#"[{"d":1.5,"e":3,"l":"4"}]"#
    );
    assert!(
        bench
            .refused(json!({"sql": "select 1 as a, 2 as a", "formatRecordsAs": "JSON"}))
            .starts_with("400 UnsupportedResultException")
    );
    let update = bench
        .post(
            "/Execute",
            json!({"sql": "create table t (a int)", "formatRecordsAs": "JSON"}),
        )
        .ok();
    assert_eq!(
        update.to_string(),
        r#"{"generatedFields":[],"numberOfRecordsUpdated":0}"#
    );
}
