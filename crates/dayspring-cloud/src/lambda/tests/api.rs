//! Lambda's REST API, as the service answers it.

use super::*;

/// `STATUS ERROR-TYPE BODY` of a request to the REST API.
pub(super) async fn call(
    lambda: &Lambda,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &'static str,
) -> String {
    let answer = raw_call(lambda, method, path, headers, body).await;
    let (parts, body) = answer.into_parts();
    let body = text(&body.collect().await.unwrap().to_bytes());
    let kind = parts
        .headers
        .get("x-amzn-errortype")
        .map_or("-", |kind| kind.to_str().unwrap());
    format!("{} {kind} {body}", parts.status.as_u16())
}

async fn raw_call(
    lambda: &Lambda,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &'static str,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    lambda
        .answer(Call {
            parts,
            body: Bytes::from_static(body.as_bytes()),
            peer: ([127, 0, 0, 1], 5000).into(),
        })
        .await
}

#[tokio::test]
async fn the_invoke_api_answers_as_aws_does() {
    let cloud = open();
    cloud.put(spec("f", "log.handler")).await;
    let path = "/2015-03-31/functions/f/invocations";
    let answer = raw_call(
        &cloud.lambda,
        "POST",
        path,
        &[("X-Amz-Log-Type", "Tail")],
        "{}",
    )
    .await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["x-amz-executed-version"], "$LATEST");
    let tail = base64::engine::general_purpose::STANDARD
        .decode(&answer.headers()["x-amz-log-result"])
        .unwrap();
    assert!(tail.starts_with(b"START RequestId: "));

    let status = async |kind: &'static str| {
        raw_call(
            &cloud.lambda,
            "POST",
            path,
            &[("X-Amz-Invocation-Type", kind)],
            "{}",
        )
        .await
        .status()
        .as_u16()
    };
    assert_eq!(
        [
            status("Event").await,
            status("DryRun").await,
            status("Other").await
        ],
        [202, 204, 400]
    );
    let answers = [
        call(&cloud.lambda, "POST", path, &[], "{").await,
        call(
            &cloud.lambda,
            "POST",
            "/2015-03-31/functions/g/invocations",
            &[],
            "{}",
        )
        .await,
        call(&cloud.lambda, "GET", "/2015-03-31/functions/g", &[], "").await,
    ];
    insta::assert_snapshot!(answers.join("\n"), @r#"
    400 InvalidRequestContentException {"Type":"User","message":"Could not parse request body into json: EOF while parsing an object at line 1 column 1"}
    404 ResourceNotFoundException {"Type":"User","Message":"Function not found: arn:aws:lambda:us-east-1:000000000000:function:g:$LATEST"}
    404 ResourceNotFoundException {"Type":"User","Message":"Function not found: arn:aws:lambda:us-east-1:000000000000:function:g"}
    "#);
    let list = call(&cloud.lambda, "GET", "/2015-03-31/functions/", &[], "").await;
    assert!(list.contains("\"FunctionName\":\"f\""), "{list}");
    cloud.lambda.shut_down().await;
}

#[tokio::test]
async fn the_size_of_tmp_is_a_part_of_the_configuration() {
    let cloud = open();
    cloud.put(spec("f", "echo.handler")).await;
    let path = "/2015-03-31/functions/f/configuration";
    let set = async |body| call(&cloud.lambda, "PUT", path, &[], body).await;
    let changed = set(r#"{"EphemeralStorage":{"Size":1024}}"#).await;
    assert!(
        changed.contains(r#""EphemeralStorage":{"Size":1024}"#),
        "{changed}"
    );
    insta::assert_snapshot!(
        set(r#"{"EphemeralStorage":{"Size":511}}"#).await,
        @r#"400 ValidationException {"message":"1 validation error detected: Value '511' at 'ephemeralStorage.size' failed to satisfy constraint: Member must have value greater than or equal to 512"}"#
    );
    let found = cloud.lambda.service.find("f").unwrap();
    assert_eq!(found.kept.spec.tmp_mib, 1024);
    cloud.lambda.shut_down().await;
}
