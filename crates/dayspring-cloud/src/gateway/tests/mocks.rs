//! Mock integrations whose templates look at the request.

use super::*;

/// An API with a mock at `/users/{id}`, and its answers.
async fn mocked(request: &str, responses: Vec<MockResponse>) -> Api {
    let api = api(&["OPTIONS /users/{id} mock"], &[]).await;
    let users = api
        .gateway
        .create_resource(&api.id, &api.root, "mocked")
        .unwrap();
    let user = api
        .gateway
        .create_resource(&api.id, &users, "{id}")
        .unwrap();
    let spec = MethodSpec {
        http_method: "ANY".to_owned(),
        api_key_required: false,
        described: MethodDescription::default(),
        integration: Integration::Mock {
            request_templates: map(&[("application/json", request)]),
            passthrough: Passthrough::Never,
            responses,
        },
    };
    api.gateway.put_method(&api.id, &user, spec).unwrap();
    let deployment = api.gateway.create_deployment(&api.id, "").unwrap();
    api.put_stage(&deployment, &[("TABLE", "users")]);
    api
}

fn response(
    status_code: u16,
    pattern: Option<&str>,
    headers: &[(&str, &str)],
    body: &str,
) -> MockResponse {
    MockResponse {
        status_code,
        selection_pattern: pattern.map(str::to_owned),
        response_parameters: map(headers),
        response_templates: map(&[("application/json", body)]),
    }
}

impl Api {
    /// `STATUS BODY`.
    async fn say(&self, request: &str, headers: &[(&str, &str)], body: &'static str) -> String {
        let answer = self.send(request, headers, body).await;
        let status = answer.status().as_u16();
        format!("{status} {}", text_of(answer.into_body()).await)
    }
}

#[tokio::test]
async fn a_mock_chooses_and_fills_its_answer_by_the_request() {
    let api = mocked(
        "{#if($input.params('scope') == 'internal')\n\"statusCode\": 200#else\n\"statusCode\": 503#end\n}",
        vec![
            response(
                200,
                Some("200"),
                &[],
                "{\"id\":\"$input.params('id')\",\"agent\":\"$context.identity.userAgent\",\"user\":\"$context.identity.user\",\"path\":\"$context.path\",\"table\":\"$stageVariables.TABLE\",\"host\":\"$input.params().header.Host\"}",
            ),
            response(500, Some("5\\d{2}"), &[], "{\"scope\":\"$util.escapeJavaScript($input.params('scope'))\"}"),
        ],
    )
    .await;
    let agent = [("user-agent", "curl/8")];
    let inside = api
        .say("GET /prod/mocked/a%20b?scope=internal", &agent, "")
        .await;
    assert_eq!(
        inside,
        "200 {\"id\":\"a%20b\",\"agent\":\"curl/8\",\"user\":\"\",\"path\":\"/prod/mocked/a%20b\",\"table\":\"users\",\"host\":\"127.0.0.1:3000\"}"
    );
    let outside = api.say("GET /prod/mocked/7?scope=%22x%22", &[], "").await;
    assert_eq!(outside, "500 {\"scope\":\"\\\"x\\\"\"}");
    api.lambda.lambda.shut_down().await;
}

#[tokio::test]
async fn a_template_may_change_status_and_headers_and_pass_something_on() {
    let api = mocked(
        "#set($context.requestOverride.path.name = $input.path('$.name')){\"statusCode\":200}",
        vec![response(
            200,
            None,
            &[
                ("method.response.header.Server", "'mock'"),
                ("method.response.header.X-Kept", "'kept'"),
                ("method.response.header.X-Changed", "'first'"),
            ],
            "#set($context.responseOverride.status = 404)#set($context.responseOverride.header.X-Changed = \"no $context.requestOverride.path.name\"){}",
        )],
    )
    .await;
    let answer = api
        .send("POST /prod/mocked/7", &[], "{\"name\":\"Ada\"}")
        .await;
    assert_eq!(answer.status(), 404);
    let header = |name| {
        answer
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap())
    };
    assert_eq!(header("x-amzn-remapped-server"), Some("mock"));
    assert_eq!(header("x-kept"), Some("kept"));
    assert_eq!(header("x-changed"), Some("no Ada"));
    let broken = api.say("POST /prod/mocked/7", &[], "{\"name\":").await;
    assert_eq!(
        broken,
        "400 {\"message\":\"Could not parse request body into json\"}"
    );
    api.lambda.lambda.shut_down().await;
}

#[tokio::test]
async fn a_mock_without_a_status_is_a_500_whose_reason_is_in_the_log() {
    let api = mocked("{}", vec![response(200, None, &[], "")]).await;
    let answer = api.say("GET /prod/mocked/7", &[], "").await;
    assert_eq!(answer, "500 {\"message\": \"Internal server error\"}");
    let group = format!("API-Gateway-Execution-Logs_{}/prod", api.id);
    let said = api.messages(&group).await.remove(0);
    let (_, said) = said.split_once(") ").unwrap();
    insta::assert_snapshot!(said, @"Execution failed due to configuration error: Unable to parse statusCode. It should be an integer that is defined in the request template.");
    api.lambda.lambda.shut_down().await;
}

#[tokio::test]
async fn a_gateway_response_may_look_at_path_and_stage() {
    let api = mocked("{}", vec![response(200, None, &[], "")]).await;
    let own = GatewayResponseSpec {
        response_type: "DEFAULT_5XX".to_owned(),
        status_code: None,
        response_parameters: map(&[
            ("gatewayresponse.header.X-User", "method.request.path.id"),
            ("gatewayresponse.header.X-None", "method.request.path.none"),
            ("gatewayresponse.header.WWW-Authenticate", "'Basic'"),
        ]),
        response_templates: map(&[(
            "application/json",
            "{\"said\":$context.error.messageString,\"table\":\"$stageVariables.TABLE\",\"none\":\"$stageVariables.NONE\",\"text\":\"$input\"}",
        )]),
    };
    api.gateway.put_gateway_response(&api.id, own).unwrap();
    let deployment = api.gateway.create_deployment(&api.id, "").unwrap();
    api.put_stage(&deployment, &[("TABLE", "users")]);
    let answer = api.send("GET /prod/mocked/7", &[], "").await;
    assert_eq!(answer.status(), 500);
    let header = |name| {
        answer
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap())
    };
    assert_eq!(header("x-user"), Some("7"));
    assert_eq!(header("x-none"), None);
    assert_eq!(header("www-authenticate"), Some("Basic"));
    assert_eq!(
        text_of(answer.into_body()).await,
        "{\"said\":\"Internal server error\",\"table\":\"users\",\"none\":\"\",\"text\":\"$input\"}"
    );
    api.lambda.lambda.shut_down().await;
}
