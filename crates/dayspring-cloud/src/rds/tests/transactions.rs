use std::time::Duration;

use serde_json::{Value, json};

use super::super::data_api::Limits;
use super::{ARN, Bench, MemorySecrets, open, patient, post, spec};

impl Bench {
    #[track_caller]
    pub(super) fn begin(&self) -> String {
        let answer = self.post("/BeginTransaction", json!({})).ok();
        let id = answer["transactionId"].as_str().unwrap().to_owned();
        assert!(id.len() <= 192);
        id
    }

    pub(super) fn in_transaction(&self, id: &str, sql: &str) -> super::Reply {
        self.post("/Execute", json!({"sql": sql, "transactionId": id}))
    }

    /// Holds a lock of this test's own, in a transaction whose id it gives.
    pub(super) fn hold(&self) -> String {
        loop {
            let id = self.begin();
            if self
                .in_transaction(&id, &format!("select {}", self.waits()))
                .status
                == 200
            {
                return id;
            }
        }
    }

    /// What waits for that lock.
    pub(super) fn waits(&self) -> String {
        format!("get_lock('{}', 600)", self.database)
    }

    pub(super) fn let_go(&self, holder: &str) {
        self.post("/RollbackTransaction", json!({ "transactionId": holder }))
            .ok();
    }

    #[track_caller]
    pub(super) fn commit(&self, id: &str) -> Value {
        self.post("/CommitTransaction", json!({"transactionId": id}))
            .ok()
    }
}

const COUNT: &str = "select count(*) from t";

fn count(rows: u32) -> String {
    format!(r#"[[{{"longValue":{rows}}}]]"#)
}

#[test]
fn what_is_committed_is_there_and_what_is_rolled_back_is_not() {
    let bench = Bench::new();
    bench.execute("create table t (a int)");
    let id = bench.begin();
    bench.in_transaction(&id, "insert into t values (1)").ok();
    assert_eq!(bench.rows(COUNT), count(0));
    // An error leaves the transaction as it is.
    assert_eq!(bench.in_transaction(&id, "syntax error").status, 400);
    assert_eq!(
        bench.commit(&id).to_string(),
        r#"{"transactionStatus":"Transaction Committed"}"#
    );
    assert_eq!(bench.rows(COUNT), count(1));

    let id = bench.begin();
    bench.in_transaction(&id, "insert into t values (1)").ok();
    assert_eq!(
        bench
            .post("/RollbackTransaction", json!({"transactionId": id}))
            .ok()
            .to_string(),
        r#"{"transactionStatus":"Rollback Complete"}"#
    );
    assert_eq!(bench.rows(COUNT), count(1));
    assert_eq!(
        bench.in_transaction(&id, COUNT).refused(),
        format!(
            "404 TransactionNotFoundException: Transaction {id} is not found. Transaction may be expired."
        )
    );
}

#[test]
fn a_transaction_keeps_its_session() {
    let bench = Bench::new();
    let id = bench.begin();
    bench.in_transaction(&id, "set @a = 5").ok();
    assert_eq!(
        bench.in_transaction(&id, "select @a").ok()["records"].to_string(),
        r#"[[{"longValue":5}]]"#
    );
    bench.commit(&id);
    assert_eq!(bench.rows("select @a"), r#"[[{"isNull":true}]]"#);
}

#[test]
fn a_schema_statement_commits_what_was_before_it() {
    let bench = Bench::new();
    bench.execute("create table t (a int)");
    let id = bench.begin();
    bench.in_transaction(&id, "insert into t values (1)").ok();
    bench.in_transaction(&id, "create table u (a int)").ok();
    bench
        .post("/RollbackTransaction", json!({"transactionId": id}))
        .ok();
    assert_eq!(bench.rows(COUNT), count(1));
}

#[test]
fn a_batch_joins_its_transaction() {
    let bench = Bench::new();
    bench.execute("create table t (a int)");
    let id = bench.begin();
    let sets = json!([[{"name": "a", "value": {"longValue": 1}}], [{"name": "a", "value": {"longValue": 2}}]]);
    bench
        .post(
            "/BatchExecute",
            json!({"sql": "insert into t values (:a)", "parameterSets": sets, "transactionId": id}),
        )
        .ok();
    bench
        .post("/RollbackTransaction", json!({"transactionId": id}))
        .ok();
    assert_eq!(bench.rows(COUNT), count(0));
}

#[test]
fn a_second_call_on_a_busy_transaction_is_refused_at_once() {
    let bench = Bench::new();
    let id = bench.begin();
    let rds = bench.rds();
    let holder = bench.hold();
    let slow = format!("select {} /* busy */", bench.waits());
    let slow = bench.input(json!({"sql": slow, "transactionId": id}));
    let second = bench.input(json!({"sql": "select 1", "transactionId": id}));
    let running = bench.input(json!({
        "sql": "select count(*) from information_schema.processlist where info like 'select get_lock(%/* busy */'"
    }));
    bench.block_on(async {
        let slow = tokio::spawn({
            let rds = rds.clone();
            async move { post(&rds, "/Execute", &slow).await }
        });
        while post(&rds, "/Execute", &running).await.ok()["records"][0][0]["longValue"] == 0 {}
        assert_eq!(
            post(&rds, "/Execute", &second).await.refused(),
            "400 DatabaseErrorException: Transaction is still running a query"
        );
        let end = bench.input(json!({ "transactionId": holder }));
        post(&rds, "/RollbackTransaction", &end).await.ok();
        slow.await.unwrap();
        post(&rds, "/Execute", &second).await.ok();
    });
    bench.commit(&id);
}

#[test]
fn a_transaction_stays_on_its_database() {
    let bench = Bench::new();
    let id = bench.begin();
    assert_eq!(
        bench.refused(json!({"sql": "select 1", "transactionId": id, "database": "mysql"})),
        "400 ValidationException: Database name is not the same as when transaction was created"
    );
    assert_eq!(
        bench
            .refused(json!({"sql": "select 1", "transactionId": id, "continueAfterTimeout": true})),
        "400 ValidationException: continueAfterTimeout isn't supported in a transaction"
    );
    bench.commit(&id);
}

#[test]
fn a_call_over_its_time_or_size_ends_the_transaction() {
    for (bench, sql, kind) in [
        (
            Bench::hurried(),
            "select sleep(600)",
            "StatementTimeoutException",
        ),
        (
            Bench::new(),
            "select repeat('x', 2000000)",
            "UnsupportedResultException",
        ),
    ] {
        let id = bench.begin();
        assert_eq!(bench.in_transaction(&id, sql).kind, kind);
        assert_eq!(
            bench.in_transaction(&id, "select 1").refused(),
            format!(
                "404 TransactionNotFoundException: Transaction {id} is not found. One previous call resulted in a termination of your transaction."
            )
        );
    }
}

#[test]
fn an_idle_transaction_is_rolled_back_and_frees_its_locks() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits {
        transaction_idle: Duration::from_secs(1),
        ..patient()
    };
    runtime.block_on(async {
        let secrets = MemorySecrets::default();
        let rds = open(folder.path(), &secrets, limits);
        let cluster = rds.create_cluster(spec("test")).await.unwrap();
        rds.create_instance("test", "writer").unwrap();
        let target = json!({"resourceArn": ARN, "secretArn": cluster.secret_arn, "database": "blog"});
        let call = async |path: &str, input: Value| {
            let mut body = target.clone();
            for (name, value) in input.as_object().unwrap() {
                body[name] = value.clone();
            }
            post(&rds, path, &body).await
        };
        call("/Execute", json!({"sql": "create table t (a int)"})).await.ok();
        let id = loop {
            let answer = call("/BeginTransaction", json!({})).await.ok();
            let id = answer["transactionId"].as_str().unwrap().to_owned();
            let insert = json!({"sql": "insert into t values (1)", "transactionId": id});
            // Else it was idle for too long before its first statement.
            if call("/Execute", insert).await.status == 200 {
                break id;
            }
        };
        // Waits for the table's lock, which only the end of the transaction frees.
        call("/Execute", json!({"sql": "alter table t add b int"})).await.ok();
        let rows = call("/Execute", json!({"sql": COUNT})).await.ok()["records"].to_string();
        assert_eq!(rows, count(0));
        assert_eq!(
            call("/CommitTransaction", json!({"transactionId": id})).await.refused(),
            format!("404 TransactionNotFoundException: Transaction {id} is not found. Transaction may be expired.")
        );
        rds.shut_down().await;
    });
}
