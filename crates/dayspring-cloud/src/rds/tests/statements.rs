use serde_json::{Value, json};

use super::{ARN, Bench, post};

/// Ten minutes of looks for a state that is there within seconds: reached only when it never comes.
const LOOKS_MAX: u32 = 30_000;

#[test]
fn a_select_answers_with_records_and_nothing_generated() {
    let bench = Bench::new();
    assert_eq!(
        bench
            .execute("select 1 as a, 'b' as b, null as c")
            .to_string(),
        r#"{"numberOfRecordsUpdated":0,"records":[[{"longValue":1},{"stringValue":"b"},{"isNull":true}]]}"#
    );
    assert_eq!(bench.rows("select 1 from dual where false;"), "[]");
}

#[test]
fn a_change_tells_its_key_and_counts_matched_rows() {
    let bench = Bench::new();
    bench.execute("create table t (id int auto_increment primary key, a int)");
    assert_eq!(
        bench.execute("insert into t (a) values (5)").to_string(),
        r#"{"generatedFields":[{"longValue":1}],"numberOfRecordsUpdated":1}"#
    );
    for _ in 0..2 {
        assert_eq!(
            bench.execute("update t set a = 6").to_string(),
            r#"{"generatedFields":[],"numberOfRecordsUpdated":1}"#
        );
    }
    assert_eq!(
        bench.execute("delete from t").to_string(),
        r#"{"generatedFields":[],"numberOfRecordsUpdated":1}"#
    );
}

#[test]
fn a_view_that_was_made_anew_is_shown_as_it_is_now() {
    let bench = Bench::new();
    let shown = || bench.rows("show create view v");
    bench.execute("create view v as select 1 as first_form");
    assert!(shown().contains("first_form"));
    bench.execute("drop view v");
    bench.execute("create view v as select 2 as second_form");
    let shown = shown();
    assert!(
        shown.contains("second_form") && !shown.contains("first_form"),
        "{shown}"
    );
}

#[test]
fn parameters_are_bound_by_the_server() {
    let bench = Bench::new();
    bench.execute("create table t (id int primary key, b longblob, s varchar(20))");
    let set = json!([
        {"name": "id", "value": {"longValue": 1}},
        {"name": "b", "value": {"blobValue": "//4A"}},
        {"name": "s", "value": {"stringValue": "it's :id"}},
    ]);
    bench.with("insert into t values (:id, :b, :s)", set).ok();
    assert_eq!(
        bench.rows("select * from t where s = 'it''s :id' -- :nobody"),
        r#"[[{"longValue":1},{"blobValue":"//4A"},{"stringValue":"it's :id"}]]"#
    );
    // Some clients send the limit as text.
    let limit = json!([{"name": "n", "value": {"stringValue": "1"}}]);
    assert_eq!(
        bench.with("select id from t limit :n", limit).ok()["records"].to_string(),
        r#"[[{"longValue":1}]]"#
    );
    assert_eq!(
        bench.with("select :a", json!([])).refused(),
        "400 ValidationException: Cannot find parameter: a"
    );
}

#[test]
fn a_text_compares_with_a_literal_and_the_weights_are_the_server_s() {
    let bench = Bench::new();
    let sql = "select :v = 'Ä', :v like 'a%', concat(:v, 'b') = 'AB', :v = 'a ', 'ä' = 'a '";
    let parameters = json!([{"name": "v", "value": {"stringValue": "a"}}]);
    // In a session of its own, and in one that was reset.
    for before in ["select 1", "set @a = 1"] {
        bench.execute(before);
        assert_eq!(
            bench.with(sql, parameters.clone()).ok()["records"].to_string(),
            r#"[[{"longValue":1},{"longValue":1},{"longValue":1},{"longValue":0},{"longValue":0}]]"#
        );
    }
}

#[test]
fn a_literal_question_mark_is_no_parameter() {
    let bench = Bench::new();
    assert_eq!(bench.rows("select '?' as a"), r#"[[{"stringValue":"?"}]]"#);
    assert!(
        bench
            .refused(json!({"sql": "select ?"}))
            .contains("Error code: 1064")
    );
    assert!(
        bench
            .with(
                "select ?, :a",
                json!([{"name": "a", "value": {"longValue": 1}}])
            )
            .refused()
            .contains("Error code: 1064")
    );
}

#[test]
fn the_database_s_refusal_ends_with_its_code_and_state() {
    let bench = Bench::new();
    bench.execute("create table t (id int primary key, data json, n int check (n > 0))");
    bench.execute("insert into t (id) values (1)");
    insta::assert_snapshot!(
        bench.refused(json!({"sql": "insert into t (id) values (1)"})),
        @"400 DatabaseErrorException: Duplicate entry '1' for key 't.PRIMARY'; Error code: 1062; SQLState: 23000"
    );
    insta::assert_snapshot!(
        bench.refused(json!({"sql": "select nothing from t"})),
        @"400 DatabaseErrorException: Unknown column 'nothing' in 'field list'; Error code: 1054; SQLState: 42S22"
    );
    insta::assert_snapshot!(
        bench.refused(json!({"sql": "insert into t (id) values ('a')"})),
        @"400 DatabaseErrorException: Incorrect integer value: 'a' for column 'id' at row 1; Error code: 1366; SQLState: HY000"
    );
    let document = bench.refused(json!({"sql": "insert into t (id, data) values (2, '{')"}));
    assert!(
        document.ends_with("in value for column 't.data'.; Error code: 3140; SQLState: 22032"),
        "{document}"
    );
    insta::assert_snapshot!(
        bench.refused(json!({"sql": "insert into t (id, n) values (2, -1)"})),
        @"400 DatabaseErrorException: Check constraint 't.n' is violated.; Error code: 3819; SQLState: HY000"
    );
    insta::assert_snapshot!(
        bench.refused(json!({"sql": "select 1", "database": "nowhere"})),
        @"400 DatabaseErrorException: Unknown database 'nowhere'; Error code: 1049; SQLState: 42000"
    );
}

#[test]
fn what_is_asked_wrongly_is_refused_in_the_service_s_words() {
    let bench = Bench::new();
    let refused = |input: Value| bench.refused(input);
    assert_eq!(
        refused(json!({"sql": "select 1; select 2"})),
        "400 ValidationException: Multistatements aren't supported."
    );
    assert_eq!(
        refused(json!({"sql": "select 1", "schema": "s"})),
        "400 ValidationException: The schema parameter isn't supported"
    );
    assert!(
        refused(json!({"sql": "x".repeat(65_537)})).contains("length less than or equal to 65536")
    );
    assert!(
        refused(json!({"sql": "select 1", "formatRecordsAs": "XML"}))
            .starts_with("400 ValidationException: 1 validation")
    );
    assert_eq!(
        refused(json!({"sql": "select 1", "resultSetOptions": {"longReturnType": "TEXT"}})),
        "400 ValidationException: 1 validation error detected: Value 'TEXT' at 'resultSetOptions.longReturnType' failed to satisfy \
         constraint: Member must satisfy enum value set: [LONG, STRING]"
    );
    assert!(refused(json!({"sql": 1})).starts_with("400 SerializationException: "));
    assert!(refused(json!({})).contains("Value null at 'sql'"));
    assert_eq!(
        refused(json!({"sql": "select 1", "resourceArn": format!("{ARN}s")})),
        "400 HttpEndpointNotEnabledException: HttpEndpoint isn't enabled for cluster tests"
    );
    assert_eq!(
        refused(json!({"sql": "select 1", "secretArn": "nobody-knows"})),
        "400 SecretsErrorException: Secrets Manager can't find the specified secret nobody-knows."
    );
    for (length, bound) in [
        (10, "greater than or equal to 11"),
        (571, "less than or equal to 570"),
    ] {
        assert!(
            refused(json!({"sql": "select 1", "secretArn": "x".repeat(length)})).contains(bound)
        );
    }
    // What the request says by itself is looked at first.
    assert!(refused(json!({"secretArn": "nobody-knows"})).contains("Value null at 'sql'"));
    let large = format!("select '{}'", "x".repeat(4 << 20));
    assert_eq!(bench.post("/Execute", json!({"sql": large})).status, 413);
    assert_eq!(
        bench.post("/ExecuteSql", json!({})).refused(),
        "400 BadRequestException: This API is deprecated and not available. Use ExecuteStatement API instead"
    );
    assert_eq!(bench.post("/Else", json!({})).status, 404);
}

#[test]
fn a_procedure_is_made_by_one_statement_and_called() {
    let bench = Bench::new();
    bench.execute(
        "create procedure p(in n int) begin declare i int default 0; l:loop set i = i + 1; if i > n then leave l; end if; end loop; \
         select i as a; select 'second'; end",
    );
    assert_eq!(bench.rows("call p(2)"), r#"[[{"longValue":3}]]"#);
    bench.execute("create table t (a int)");
    bench.execute(
        "create trigger g before insert on t for each row begin set new.a = new.a + 1; end;",
    );
    bench.execute("insert into t values (1)");
    assert_eq!(bench.rows("select a from t"), r#"[[{"longValue":2}]]"#);
}

#[test]
fn mysql_s_own_spellings_are_understood() {
    let bench = Bench::new();
    bench.execute("create table t (j json, s varchar(9)) default charset = utf8mb4 collate = utf8mb4_0900_ai_ci");
    let document =
        json!([{"name": "j", "value": {"stringValue": "{\"a\": \"x\"}"}, "typeHint": "JSON"}]);
    bench.with("insert into t values (:j, 'É')", document).ok();
    assert_eq!(
        bench.rows("select j->'$.a', t.j->>'$.a' from t where s = 'e' for share"),
        r#"[[{"stringValue":"\"x\""},{"stringValue":"x"}]]"#
    );
}

#[test]
fn a_batch_answers_for_each_set_and_takes_effect_as_a_whole() {
    let bench = Bench::new();
    bench.execute("create table t (id int auto_increment primary key, a int unique)");
    let sets = |values: &[i32]| {
        values
            .iter()
            .map(|value| json!([{"name": "a", "value": {"longValue": value}}]))
            .collect::<Vec<_>>()
    };
    let batch = |sql: &str, values: &[i32]| {
        bench.post(
            "/BatchExecute",
            json!({"sql": sql, "parameterSets": sets(values)}),
        )
    };
    assert_eq!(
        batch("insert into t (a) values (:a)", &[1, 2])
            .ok()
            .to_string(),
        r#"{"updateResults":[{"generatedFields":[{"longValue":1}]},{"generatedFields":[{"longValue":2}]}]}"#
    );
    assert_eq!(
        batch("update t set a = a + 10 where a = :a", &[1])
            .ok()
            .to_string(),
        r#"{"updateResults":[{"generatedFields":[]}]}"#
    );
    assert!(
        batch("insert into t (a) values (:a)", &[3, 2])
            .refused()
            .contains("Error code: 1062")
    );
    assert_eq!(
        bench.rows("select count(*) from t"),
        r#"[[{"longValue":2}]]"#
    );
    let once = bench.post(
        "/BatchExecute",
        json!({"sql": "insert into t (a) values (7)"}),
    );
    assert_eq!(once.ok()["updateResults"].as_array().unwrap().len(), 1);
}

#[test]
fn a_session_is_never_handed_on_with_anything_in_it() {
    let bench = Bench::new();
    bench.execute("set @a = 5");
    bench.execute("create temporary table secret (a int)");
    bench.execute("use mysql");
    bench.execute("start transaction");
    for _ in 0..4 {
        assert_eq!(
            bench.rows("select @a is null, database()"),
            format!(
                r#"[[{{"longValue":1}},{{"stringValue":"{}"}}]]"#,
                bench.database
            )
        );
    }
    assert!(
        bench
            .refused(json!({"sql": "select * from secret"}))
            .contains("1146")
    );
}

#[test]
fn what_a_reset_keeps_is_handed_to_nobody() {
    let bench = Bench::new();
    let role = format!("role_of_{}", bench.database);
    bench.execute(&format!("create role {role}"));
    bench.execute(&format!("grant {role} to current_user()"));
    bench.execute(&format!("create procedure p() begin set role {role}; end"));
    bench.execute(&format!(
        "create function f() returns int begin set role {role}; return 1; end"
    ));
    let clean = || {
        for _ in 0..4 {
            assert_eq!(
                bench.rows("select current_role(), database()"),
                format!(
                    r#"[[{{"isNull":true}},{{"stringValue":"{}"}}]]"#,
                    bench.database
                )
            );
        }
    };
    for statement in [
        &*format!("set role {role}"),
        "call p()",
        "use mysql",
        "select f()",
    ] {
        bench.execute(statement);
        clean();
        // And what was left in a transaction, with it.
        let id = bench.begin();
        bench.in_transaction(&id, statement).ok();
        bench.in_transaction(&id, "select 1").ok();
        bench.commit(&id);
        clean();
    }
}

#[test]
fn what_a_function_or_a_trigger_leaves_in_its_session_goes_to_nobody() {
    let bench = Bench::new();
    bench.execute("create table t (a int)");
    bench.execute(
        "create function leave_it() returns int deterministic begin set @left_by_f = 5; return 1; end",
    );
    bench.execute("create trigger g before insert on t for each row begin set @left_by_t = 6; end");
    for _ in 0..4 {
        assert_eq!(bench.rows("select leave_it()"), r#"[[{"longValue":1}]]"#);
        bench.execute("insert into t values (1)");
        assert_eq!(
            bench.rows("select @left_by_f, @left_by_t"),
            r#"[[{"isNull":true},{"isNull":true}]]"#
        );
    }
}

#[test]
fn what_a_statement_did_is_told_to_its_own_session_alone() {
    let bench = Bench::new();
    bench.execute("create table t (id int auto_increment primary key)");
    bench.execute("insert into t values (7), (null)");
    for _ in 0..4 {
        bench.execute("insert into t values (null)");
        assert_eq!(
            bench.rows("select last_insert_id()"),
            r#"[[{"longValue":0}]]"#
        );
        bench.execute("select 1 / 0");
        assert_eq!(bench.rows("show warnings"), "[]");
    }
    let id = bench.begin();
    bench
        .in_transaction(&id, "insert into t values (null)")
        .ok();
    assert_eq!(
        bench
            .in_transaction(&id, "select last_insert_id() > 7")
            .ok()["records"]
            .to_string(),
        r#"[[{"longValue":1}]]"#
    );
    bench.commit(&id);
}

#[test]
fn a_result_over_a_mebibyte_is_refused_and_one_below_is_not() {
    let bench = Bench::new();
    assert_eq!(
        bench.refused(json!({"sql": "select repeat('x', 1048576)"})),
        "400 UnsupportedResultException: Database returned more than the allowed response size limit"
    );
    let rows = bench.rows("select repeat('x', 1000000)");
    assert!(rows.len() > 1_000_000);
    let json = json!({"sql": "select repeat('x', 2000000) as a", "formatRecordsAs": "JSON"});
    assert!(
        bench.post("/Execute", json).ok()["formattedRecords"]
            .as_str()
            .unwrap()
            .len()
            > 2_000_000
    );
}

#[test]
fn a_statement_over_its_time_is_ended() {
    let bench = Bench::hurried();
    let reply = bench.post("/Execute", json!({"sql": "select sleep(600)"}));
    assert!(
        reply
            .refused()
            .starts_with("400 StatementTimeoutException: ")
    );
    let id = reply.body["dbConnectionId"].as_i64().unwrap();
    wait_until_gone(&bench, id);
}

#[test]
fn a_statement_whose_caller_hung_up_is_ended_at_its_time_too() {
    let bench = Bench::hurried();
    let sql = format!("select sleep(600), '{}'", bench.database);
    let running = format!(
        "select count(*) from information_schema.processlist where info like 'select sleep%{}%'",
        bench.database
    );
    let count = |expected: u32| {
        let rows = bench.patiently(json!({ "sql": running }));
        rows["records"] == json!([[{ "longValue": expected }]])
    };
    let (rds, input) = (bench.rds(), bench.input(json!({ "sql": sql })));
    let caller = bench.spawn(async move { post(&rds, "/Execute", &input).await });
    // Its time may be over before it is seen here.
    wait_until(|| count(1) || caller.is_finished());
    caller.abort();
    wait_until(|| count(0));
}

#[test]
fn what_is_left_of_a_result_that_is_too_large_is_not_read() {
    let bench = Bench::new();
    bench.execute("create table ten (a int)");
    bench.execute("insert into ten values (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)");
    let id = bench.begin();
    let rows = bench.in_transaction(&id, "select connection_id()").ok();
    let connection = rows["records"][0][0]["longValue"].as_i64().unwrap();
    let tables: Vec<String> = (0..20).map(|number| format!("ten t{number}")).collect();
    let sql = format!("select repeat('x', 1000) from {}", tables.join(", "));
    assert!(
        bench
            .in_transaction(&id, &sql)
            .refused()
            .starts_with("400 UnsupportedResultException: ")
    );
    wait_until_gone(&bench, connection);
}

#[test]
fn a_statement_goes_on_after_its_time_when_that_was_asked_for() {
    let bench = Bench::hurried();
    bench.patiently(json!({"sql": "create table if not exists t (a int)"}));
    let holder = bench.hold();
    let reply = bench.post(
        "/Execute",
        json!({"sql": format!("insert into t select {}", bench.waits()), "continueAfterTimeout": true}),
    );
    assert_eq!(reply.kind, "StatementTimeoutException");
    bench.let_go(&holder);
    wait_until(|| {
        let rows = bench.patiently(json!({"sql": "select count(*) from t"}));
        rows["records"] == json!([[{"longValue": 1}]])
    });
}

#[track_caller]
fn wait_until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..LOOKS_MAX {
        if is_so() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("it did not come to that");
}

#[track_caller]
fn wait_until_gone(bench: &Bench, connection: i64) {
    let sql =
        format!("select count(*) from information_schema.processlist where id = {connection}");
    wait_until(|| {
        let rows = bench.patiently(json!({ "sql": sql }));
        rows["records"] == json!([[{"longValue": 0}]])
    });
}
