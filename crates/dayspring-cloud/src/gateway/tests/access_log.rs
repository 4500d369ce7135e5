//! What a stage's access log and the execution log say.

use super::*;

impl Api {
    /// Serves what is deployed now under an access log of this format.
    fn put_access_log(&self, format: &str) {
        self.logs.create_group("/api/blog", None).unwrap();
        let deployment = self.gateway.create_deployment(&self.id, "").unwrap();
        let group = "arn:aws:logs:us-east-1:000000000000:log-group:/api/blog";
        let spec = StageSpec {
            name: "prod".to_owned(),
            deployment_id: deployment,
            variables: BTreeMap::new(),
            described: StageDescription::default(),
            throttles: Vec::new(),
            access_log: Some((group.to_owned(), format.to_owned())),
        };
        self.gateway.put_stage(&self.id, spec).unwrap();
    }

    /// The messages of a log group.
    pub(super) async fn messages(&self, group: &str) -> Vec<String> {
        let request = Request::post("/").header("x-amz-target", "Logs_20140328.FilterLogEvents");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let body = format!("{{\"logGroupName\":\"{group}\"}}");
        let answer = self.logs.answer(&Call {
            parts,
            body: body.into(),
            peer: ([127, 0, 0, 1], 5000).into(),
        });
        let found: Value = serde_json::from_str(&text_of(answer.into_body()).await).unwrap();
        let events = found["events"].as_array().unwrap();
        let message = |event: &Value| event["message"].as_str().unwrap().to_owned();
        events.iter().map(message).collect()
    }
}

#[tokio::test]
async fn an_access_log_names_the_invocation_and_both_statuses() {
    let api = api(
        &[
            "GET /made variable:{\"statusCode\":201}",
            "GET /error error",
            "OPTIONS /a mock",
        ],
        &[],
    )
    .await;
    api.put_access_log(
        "$context.httpMethod $context.resourcePath $context.status $context.integration.status $context.integration.integrationStatus $context.integration.requestId $context.endpointType $context.nothing",
    );
    let mut lines = Vec::new();
    for request in [
        "GET /prod/made",
        "GET /prod/error",
        "OPTIONS /prod/a",
        "GET /prod/none",
    ] {
        api.text(request).await;
    }
    for line in api.messages("/api/blog").await {
        let id = line.split(' ').nth(5).unwrap().to_owned();
        lines.push(if id.len() == 36 {
            line.replace(&id, "ID")
        } else {
            line
        });
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    GET /made 201 201 200 ID REGIONAL -
    GET /error 502 - 200 ID REGIONAL -
    OPTIONS /a 204 204 - - REGIONAL -
    GET - 403 - - - REGIONAL -
    ");
    api.lambda.lambda.shut_down().await;
}

#[tokio::test]
async fn the_execution_log_says_why_a_function_has_no_answer() {
    let api = api(&["GET /error error", "GET /null variable:null"], &[]).await;
    api.put_access_log("$context.integrationErrorMessage");
    for request in ["GET /prod/error", "GET /prod/null"] {
        api.text(request).await;
    }
    let group = format!("API-Gateway-Execution-Logs_{}/prod", api.id);
    let without_id = |line: &String| line.split_once(") ").unwrap().1.to_owned();
    let execution: Vec<String> = api.messages(&group).await.iter().map(without_id).collect();
    assert_eq!(execution, api.messages("/api/blog").await);
    let (said, id) = execution[0].split_once("Lambda request ID: ").unwrap();
    assert_eq!(id.len(), 36);
    assert_eq!(
        said,
        "Lambda execution failed with status 200 due to customer function error: not today. "
    );
    assert_eq!(
        execution[1],
        "Execution failed due to configuration error: Malformed Lambda proxy response: it is not an object"
    );
    api.lambda.lambda.shut_down().await;
}
