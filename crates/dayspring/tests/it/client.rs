use std::time::{Duration, SystemTime};

use dayspring::{Context, Database, Error};
use serde::Deserialize;
use serde_json::json;

use crate::server::{Reply, Server};

#[derive(Debug, PartialEq, Deserialize)]
struct Post {
    slug: String,
    likes: Option<u32>,
}

fn one_post() -> serde_json::Value {
    json!({
        "columnMetadata": [
            {"label": "slug", "name": "slug", "typeName": "VARCHAR"},
            {"label": "likes", "name": "likes", "typeName": "INT"},
        ],
        "records": [[{"stringValue": "a"}, {"isNull": true}]],
        "numberOfRecordsUpdated": 0,
    })
}

const INSERT: &str = "INSERT INTO posts (slug) VALUES (:slug)";

#[tokio::test]
async fn a_query_is_signed_bound_and_typed() {
    let server = Server::start(|_, _| Reply::Ok(one_post())).await;
    let post: Post = server
        .database()
        .query("SELECT slug, likes FROM posts WHERE slug = :slug LIMIT :rows")
        .bind("slug", "a' OR 1=1")
        .bind("rows", 1)
        .fetch_one()
        .await
        .unwrap();
    assert_eq!(
        post,
        Post {
            slug: "a".to_owned(),
            likes: None
        }
    );
    let calls = server.calls();
    let call = &calls[0];
    assert_eq!(
        (call.method.as_str(), call.path.as_str()),
        ("POST", "/Execute")
    );
    assert_eq!(
        call.body,
        json!({
            "resourceArn": "arn:aws:rds:eu-central-1:123456789012:cluster:blog",
            "secretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:blog",
            "database": "blog",
            "sql": "SELECT slug, likes FROM posts WHERE slug = :slug LIMIT :rows",
            "parameters": [
                {"name": "slug", "value": {"stringValue": "a' OR 1=1"}},
                {"name": "rows", "value": {"longValue": 1}},
            ],
            "includeResultMetadata": true,
        })
    );
    let authorization = call.header("authorization").unwrap();
    assert!(authorization.contains("/eu-central-1/rds-data/aws4_request"));
    assert!(authorization.contains("content-type;host;x-amz-date;x-amz-security-token"));
    assert_eq!(call.header("x-amz-security-token"), Some("token"));
}

#[tokio::test]
async fn connections_are_kept_and_a_closed_one_is_replaced_unnoticed() {
    let server = Server::start(|_, number| match number {
        2 => Reply::OkAndClose(json!({"numberOfRecordsUpdated": 1})),
        _ => Reply::Ok(json!({"numberOfRecordsUpdated": 1, "generatedFields": [{"longValue": 7}]})),
    })
    .await;
    let database = server.database();
    for id in [Some(7), None, Some(7)] {
        let executed = database
            .query(INSERT)
            .bind("slug", "a")
            .execute()
            .await
            .unwrap();
        assert_eq!((executed.rows, executed.id), (1, id));
    }
    assert_eq!(server.calls().len(), 3);
}

#[tokio::test]
async fn a_resuming_database_is_waited_for() {
    let server = Server::start(|_, number| match number {
        1 => Reply::Error(
            400,
            "DatabaseResumingException",
            "is resuming after being auto-paused".to_owned(),
        ),
        _ => Reply::Ok(json!({"numberOfRecordsUpdated": 1})),
    })
    .await;
    server
        .database()
        .query(INSERT)
        .bind("slug", "a")
        .execute()
        .await
        .unwrap();
    assert_eq!(server.calls().len(), 2);
}

/// The clock stands still and jumps over each pause.
#[tokio::test(start_paused = true)]
async fn no_resume_is_waited_for_past_the_functions_deadline() {
    let server =
        Server::start(|_, _| Reply::Error(400, "DatabaseResumingException", "m".to_owned())).await;
    let mut context = Context::default();
    // Half of what is waited for where nothing presses, which is 27 attempts.
    let deadline = SystemTime::now() + Duration::from_secs(60);
    context.deadline = u64::try_from(
        deadline
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_millis(),
    )
    .unwrap();
    let database = Database::from_variables(|name| server.variable(name), &context).unwrap();
    let error = database
        .query(INSERT)
        .bind("slug", "a")
        .execute()
        .await
        .unwrap_err();
    insta::assert_snapshot!(
        error,
        @"the database is still resuming, so `INSERT INTO posts (slug) VALUES (:slug)` was not run"
    );
    // After pauses of 1, 2, 3 and then 5 s. The deadline is a time of day, which goes on.
    let calls = server.calls().len();
    assert!((3..=14).contains(&calls), "{calls}");
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_doubtful_and_sent_once() {
    let server = Server::start(|_, _| Reply::HangUp).await;
    let error = server
        .database()
        .query(INSERT)
        .bind("slug", "a")
        .execute()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Doubtful { .. }), "{error:?}");
    assert_eq!(server.calls().len(), 1);
}

#[tokio::test]
async fn a_write_that_the_service_failed_at_is_doubtful_and_sent_once() {
    let server =
        Server::start(|_, _| Reply::Error(500, "InternalServerErrorException", "m".to_owned()))
            .await;
    let error = server.database().query(INSERT).execute().await.unwrap_err();
    insta::assert_snapshot!(
        error,
        @"`INSERT INTO posts (slug) VALUES (:slug)` may have taken effect or not: m (InternalServerErrorException)"
    );
    assert_eq!(server.calls().len(), 1);
}

#[tokio::test]
async fn a_read_whose_answer_is_lost_is_sent_again() {
    let server = Server::start(|_, number| match number {
        1 => Reply::HangUp,
        _ => Reply::Ok(one_post()),
    })
    .await;
    let posts: Vec<Post> = server
        .database()
        .query("SELECT 1")
        .fetch_all()
        .await
        .unwrap();
    assert_eq!(posts.len(), 1);
    assert_eq!(server.calls().len(), 2);
}

#[tokio::test]
async fn a_refused_statement_carries_mysqls_code_and_is_sent_once() {
    let server = Server::start(|_, _| {
        Reply::Error(
            400,
            "DatabaseErrorException",
            "Duplicate entry 'a' for key 'posts.posts_slug'; Error code: 1062; SQLState: 23000"
                .to_owned(),
        )
    })
    .await;
    let error = server.database().query(INSERT).execute().await.unwrap_err();
    assert!(error.is_unique_violation());
    assert_eq!(server.calls().len(), 1);
}

#[tokio::test]
async fn where_nothing_listens_the_statement_was_not_sent() {
    let server = Server::start(|_, _| Reply::HangUp).await;
    // Bound and not listening: nobody else gets the port meanwhile.
    let unused = tokio::net::TcpSocket::new_v4().unwrap();
    unused.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = unused.local_addr().unwrap().port();
    let variable = |name: &str| match name {
        "AWS_ENDPOINT_URL" => Some(format!("http://127.0.0.1:{port}")),
        name => server.variable(name),
    };
    let database = Database::from_variables(variable, &Context::default()).unwrap();
    let error = database.query(INSERT).execute().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn the_number_of_rows_is_checked() {
    let server = Server::start(|call, _| {
        let rows = call.body["parameters"][0]["value"]["longValue"]
            .as_u64()
            .unwrap();
        Reply::Ok(json!({
            "columnMetadata": [{"label": "n", "typeName": "BIGINT"}],
            "records": (0..rows).map(|n| json!([{"longValue": n}])).collect::<Vec<_>>(),
        }))
    })
    .await;
    let database = server.database();
    let select = |rows: u32| {
        database
            .query("SELECT n FROM t LIMIT :rows")
            .bind("rows", rows)
    };
    assert_eq!(select(0).fetch_optional::<i64>().await, Ok(None));
    assert_eq!(select(1).fetch_optional::<i64>().await, Ok(Some(0)));
    assert_eq!(select(2).fetch_all::<i64>().await, Ok(vec![0, 1]));
    insta::assert_snapshot!(
        select(0).fetch_one::<i64>().await.unwrap_err(),
        @"`SELECT n FROM t LIMIT :rows` found no row"
    );
    insta::assert_snapshot!(
        select(3).fetch_one::<i64>().await.unwrap_err(),
        @"`SELECT n FROM t LIMIT :rows` found 3 rows where one was asked for"
    );
    insta::assert_snapshot!(
        select(1).fetch_one::<String>().await.unwrap_err(),
        @"a row of `SELECT n FROM t LIMIT :rows` does not become `alloc::string::String`: column `n`: invalid type: integer `0`, expected a string"
    );
}

#[tokio::test]
async fn a_batch_is_one_call_and_an_empty_one_is_none() {
    let server = Server::start(|_, _| {
        Reply::Ok(json!({"updateResults": [
            {"generatedFields": [{"longValue": 1}]},
            {"generatedFields": []},
        ]}))
    })
    .await;
    let database = server.database();
    assert_eq!(database.batch(INSERT).execute().await, Ok(vec![]));
    let mut batch = database.batch(INSERT);
    for slug in ["a", "b"] {
        batch = batch.row(|row| row.bind("slug", slug));
    }
    assert_eq!(batch.execute().await, Ok(vec![Some(1), None]));
    let calls = server.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].path, "/BatchExecute");
    assert_eq!(
        calls[0].body["parameterSets"],
        json!([
            [{"name": "slug", "value": {"stringValue": "a"}}],
            [{"name": "slug", "value": {"stringValue": "b"}}],
        ])
    );
}
