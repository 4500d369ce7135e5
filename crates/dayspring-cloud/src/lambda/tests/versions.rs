//! Published versions as processes; what `aws lambda` sees of them is in `tests/judges/lambda_boto3.py`.

use super::*;

async fn publish(lambda: &Lambda, answer: &str) -> PublishedVersion {
    let spec = FunctionSpec {
        environment: variables(&[("ANSWER", answer)]),
        ..spec("f", "variable.handler")
    };
    lambda.put_function(spec, fixture()).await.unwrap();
    lambda.publish_version("f", None, None).await.unwrap()
}

async fn answer(lambda: &Lambda, function: &str) -> Result<(Bytes, String), StatusCode> {
    lambda
        .invoke(function, InvocationType::RequestResponse, Bytes::new())
        .await
        .map(|invocation| (invocation.payload, invocation.executed_version))
        .map_err(|error| error.status)
}

#[tokio::test]
async fn a_version_stays_as_it_was_published_and_is_there_after_a_restart() {
    let cloud = open();
    let first = publish(&cloud.lambda, "1").await;
    assert_eq!(
        first.arn,
        "arn:aws:lambda:us-east-1:000000000000:function:f:1"
    );
    let second = publish(&cloud.lambda, "2").await;
    let again = cloud.lambda.publish_version("f", None, None).await;
    insta::assert_snapshot!(again.unwrap_err().message, @"A version for this Lambda function exists ( 2 ). Modify the function to create a new version.");
    let put_alias = |version: &str, exists| {
        cloud
            .lambda
            .put_alias("f", "live", version.to_owned(), None, exists)
    };
    let live = put_alias("1", false).await.unwrap();
    let folder = cloud.folder.path().to_owned();
    cloud.lambda.shut_down().await;

    let (lambda, _lines) = open_in(folder, IDLE_MAX_DEFAULT);
    let of = |payload: &'static str, version: &str| {
        Ok((Bytes::from_static(payload.as_bytes()), version.to_owned()))
    };
    assert_eq!(answer(&lambda, &first.arn).await, of("1", "1"));
    assert_eq!(answer(&lambda, "f").await, of("2", "$LATEST"));
    assert_eq!(answer(&lambda, &live).await, of("1", "1"));
    lambda
        .put_alias("f", "live", second.number.clone(), None, true)
        .await
        .unwrap();
    assert_eq!(answer(&lambda, &live).await, of("2", "2"));

    lambda.delete_version(&first.arn).await.unwrap();
    lambda.delete_version(&first.arn).await.unwrap();
    assert_eq!(answer(&lambda, "f:1").await, Err(StatusCode::NOT_FOUND));
    // All of its versions go, with their processes.
    lambda.delete_function("f").await.unwrap();
    assert_eq!(answer(&lambda, &live).await, Err(StatusCode::NOT_FOUND));
    while lambda.service.processes() > 0 {
        tokio::task::yield_now().await;
    }
    lambda.shut_down().await;
}

#[tokio::test]
async fn what_is_reserved_of_a_function_holds_for_its_versions() {
    let cloud = open();
    let version = publish(&cloud.lambda, "1").await;
    let spec = FunctionSpec {
        environment: variables(&[("ANSWER", "1")]),
        reserved_concurrency: Some(0),
        ..spec("f", "variable.handler")
    };
    cloud.put(spec).await;
    assert_eq!(
        answer(&cloud.lambda, &version.arn).await,
        Err(StatusCode::TOO_MANY_REQUESTS)
    );
    cloud.lambda.shut_down().await;
}
