use dayspring::{Error, Failure, Problem};
use serde_json::json;

use crate::server::{Call, Reply, Server};

fn answer(call: &Call, _number: usize) -> Reply {
    match call.path.as_str() {
        "/BeginTransaction" => Reply::Ok(json!({"transactionId": "t1"})),
        "/CommitTransaction" => Reply::Ok(json!({"transactionStatus": "Transaction Committed"})),
        "/RollbackTransaction" => Reply::Ok(json!({"transactionStatus": "Rollback Complete"})),
        _ => Reply::Ok(json!({"numberOfRecordsUpdated": 1})),
    }
}

#[tokio::test]
async fn a_transaction_whose_work_succeeds_is_committed() {
    let server = Server::start(answer).await;
    let rows = server
        .database()
        .transaction(async |tx| {
            let first = tx.query("UPDATE a SET b = 1").execute().await?;
            let second = tx.query("UPDATE a SET b = 2").execute().await?;
            Ok::<_, Error>(first.rows + second.rows)
        })
        .await;
    assert_eq!(rows, Ok(2));
    assert_eq!(
        server.paths(),
        [
            "/BeginTransaction",
            "/Execute",
            "/Execute",
            "/CommitTransaction"
        ]
    );
    for call in &server.calls()[1..] {
        assert_eq!(call.body["transactionId"], "t1");
    }
}

#[tokio::test]
async fn a_transaction_whose_work_fails_is_rolled_back_with_the_works_error() {
    let server = Server::start(answer).await;
    let result = server
        .database()
        .transaction(async |tx| {
            tx.query("UPDATE a SET b = 1").execute().await?;
            Err::<(), Failure>(Problem::not_found("gone").into())
        })
        .await;
    assert!(result.is_err());
    assert_eq!(
        server.paths(),
        ["/BeginTransaction", "/Execute", "/RollbackTransaction"]
    );
}

#[tokio::test]
async fn a_commit_without_an_answer_is_doubtful_and_sent_once() {
    let server = Server::start(|call, number| match call.path.as_str() {
        "/CommitTransaction" => Reply::HangUp,
        _ => answer(call, number),
    })
    .await;
    let result = server
        .database()
        .transaction(async |_| Ok::<_, Error>(()))
        .await;
    assert!(
        matches!(&result, Err(Error::Doubtful { statement, .. }) if statement == "COMMIT"),
        "{result:?}"
    );
    assert_eq!(server.paths(), ["/BeginTransaction", "/CommitTransaction"]);
}

#[tokio::test]
async fn nothing_is_sent_twice_inside_a_transaction() {
    let server = Server::start(|call, number| match call.path.as_str() {
        "/Execute" => Reply::HangUp,
        _ => answer(call, number),
    })
    .await;
    let result = server
        .database()
        .transaction(async |tx| tx.query("SELECT 1").fetch_all::<i64>().await)
        .await;
    assert!(matches!(result, Err(Error::Doubtful { .. })), "{result:?}");
    assert_eq!(
        server.paths(),
        ["/BeginTransaction", "/Execute", "/RollbackTransaction"]
    );
}

#[tokio::test]
async fn a_transaction_that_is_dropped_is_rolled_back() {
    let (rolled_back, mut wait) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::start(move |call, number| {
        if call.path == "/RollbackTransaction" {
            rolled_back.send(()).unwrap();
        }
        answer(call, number)
    })
    .await;
    let database = server.database();
    let mut work = Box::pin(database.transaction(async |tx| {
        tx.query("UPDATE a SET b = 1").execute().await?;
        std::future::pending::<Result<(), Error>>().await
    }));
    // Until the statement was sent.
    while server.paths().len() < 2 {
        tokio::select! {
            _ = &mut work => panic!("the work never ends"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(work);
    // The limit only ends a run that would never end.
    tokio::time::timeout(std::time::Duration::from_secs(60), wait.recv())
        .await
        .unwrap();
    assert_eq!(server.paths().last().unwrap(), "/RollbackTransaction");
}
