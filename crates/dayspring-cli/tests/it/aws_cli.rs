//! The `aws` CLI: a deploy with the template of `synth`, and every service that the local cloud answers.

use std::path::PathBuf;

use serde_json::Value;

use crate::judges::{self, printed};
use crate::support::{Project, Server, request};

struct AwsCli<'a> {
    program: PathBuf,
    project: &'a Project,
    cloud: &'a Server,
    home: tempfile::TempDir,
}

impl AwsCli<'_> {
    /// What a command that succeeds prints.
    #[track_caller]
    fn text(&self, arguments: &[&str]) -> String {
        let output = judges::command(&self.program, &self.cloud.url, self.home.path())
            .args(arguments)
            .current_dir(self.project.folder())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "aws {arguments:?}: {}",
            printed(&output)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.text(arguments)).unwrap()
    }

    /// The outputs of the blog's stack.
    fn output(&self, key: &str) -> String {
        let query = format!("Stacks[0].Outputs[?OutputKey=='{key}'].OutputValue");
        let arguments = [
            "--stack-name",
            "blog-dev",
            "--query",
            &query,
            "--output",
            "text",
        ];
        let describe = ["cloudformation", "describe-stacks"];
        let all: Vec<&str> = describe.into_iter().chain(arguments).collect();
        self.text(&all).trim().to_owned()
    }
}

#[test]
fn the_aws_cli_deploys_the_blog_and_reads_every_service() {
    let Some(program) = judges::aws() else {
        return;
    };
    let project = Project::blog();
    let cloud = Server::cloud(&project, &[]);
    let aws = AwsCli {
        program,
        project: &project,
        cloud: &cloud,
        home: tempfile::tempdir().unwrap(),
    };
    let synth = ["synth", "--profile", "dev", "--endpoint-url", &cloud.url];
    let synth = project.run(&synth);
    assert!(synth.status.success(), "{}", printed(&synth));

    upload(&aws);
    deploy(&aws);
    let url = format!("{}/posts", local_url(&aws));
    assert_eq!(request("GET", &url, &[], "").status, 200);

    cloudformation(&aws);
    s3(&aws);
    ssm_and_secrets(&aws);
    lambda_and_logs(&aws);
    data_api(&aws);
    api_gateway(&aws);
    aws.text(&["cloudformation", "delete-stack", "--stack-name", "blog-dev"]);
    aws.text(&[
        "cloudformation",
        "wait",
        "stack-delete-complete",
        "--stack-name",
        "blog-dev",
    ]);
    cloud.stop();
}

fn api_gateway(aws: &AwsCli<'_>) {
    let api = aws.output("RestApiId");
    let ask = |operation: &str, more: &[&str]| {
        let of_api = ["apigateway", operation, "--rest-api-id", &api];
        let all: Vec<&str> = of_api.iter().chain(more).copied().collect();
        aws.json(&all)
    };
    let apis = aws.json(&["apigateway", "get-rest-apis"]);
    assert_eq!(apis["items"][0]["id"], *api);
    let resources = ask("get-resources", &[]);
    let posts = resources["items"].as_array().unwrap().iter();
    let posts = posts.filter(|resource| resource["path"] == "/posts");
    let posts: Vec<&Value> = posts.collect();
    assert!(posts[0]["resourceMethods"]["GET"].is_object(), "{posts:?}");
    let stage = aws.output("StageName");
    let stages = ask("get-stages", &[]);
    assert_eq!(stages["item"][0]["stageName"], *stage);
    let deployments = ask("get-deployments", &[]);
    assert_eq!(
        stages["item"][0]["deploymentId"],
        deployments["items"][0]["id"]
    );
    let patch = "op=replace,path=/description,value=seen";
    let changed = ["--stage-name", &stage, "--patch-operations", patch];
    assert_eq!(ask("update-stage", &changed)["description"], "seen");
}

const BUCKET: &str = "dayspring-assets-000000000000-us-east-1";

/// What a person without any tool of CDK's does with the assembly: each archive to where the template takes it from.
fn upload(aws: &AwsCli<'_>) {
    let identity = aws.json(&["sts", "get-caller-identity"]);
    assert_eq!(identity["Account"], "000000000000");
    let bucket = format!("s3://{BUCKET}");
    aws.text(&["s3", "mb", &bucket]);
    let assets: Value =
        serde_json::from_str(&aws.project.read("cdk.out/blog-dev.assets.json")).unwrap();
    for asset in assets["files"].as_object().unwrap().values() {
        let path = format!("cdk.out/{}", asset["source"]["path"].as_str().unwrap());
        let key = asset["destinations"]["current"]["objectKey"]
            .as_str()
            .unwrap();
        aws.text(&[
            "s3",
            "cp",
            &path,
            &format!("{bucket}/{key}"),
            "--only-show-errors",
        ]);
    }
}

fn deploy(aws: &AwsCli<'_>) {
    let deploy = [
        "cloudformation",
        "deploy",
        "--stack-name",
        "blog-dev",
        "--template-file",
        "cdk.out/blog-dev.template.json",
        "--s3-bucket",
        BUCKET,
        "--capabilities",
        "CAPABILITY_IAM",
        "CAPABILITY_NAMED_IAM",
        "--no-fail-on-empty-changeset",
    ];
    let told = aws.text(&deploy);
    assert!(
        told.contains("Successfully created/updated stack - blog-dev"),
        "{told}"
    );
    let told = aws.text(&deploy);
    assert!(
        told.contains("No changes to deploy. Stack blog-dev is up to date"),
        "{told}"
    );
    assert_eq!(
        aws.output("MigrationReport"),
        "7 statements applied, schema at v3"
    );
}

fn cloudformation(aws: &AwsCli<'_>) {
    let stack = ["--stack-name", "blog-dev"];
    let of = |operation: &str| aws.json(&["cloudformation", operation, stack[0], stack[1]]);
    let resources = of("list-stack-resources");
    let resources = resources["StackResourceSummaries"].as_array().unwrap();
    assert!(resources.len() > 60, "{}", resources.len());
    let events = of("describe-stack-events");
    // Every page of them was read.
    let events = events["StackEvents"].as_array().unwrap();
    assert_eq!(
        events.last().unwrap()["ResourceStatus"],
        "REVIEW_IN_PROGRESS"
    );
    assert!(of("get-template")["TemplateBody"]["Resources"]["DatabaseCluster"].is_object());
    let summary = of("get-template-summary");
    assert!(
        summary["ResourceTypes"]
            .as_array()
            .unwrap()
            .contains(&"AWS::RDS::DBCluster".into())
    );
    let valid = aws.json(&[
        "cloudformation",
        "validate-template",
        "--template-body",
        "Resources: {A: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: !Sub '10.0.0.0/16'}}}",
    ]);
    assert_eq!(valid["Parameters"], serde_json::json!([]));
    let listed = aws.json(&["cloudformation", "list-stacks"]);
    assert_eq!(
        listed["StackSummaries"][0]["StackStatus"],
        "CREATE_COMPLETE"
    );
}

fn s3(aws: &AwsCli<'_>) {
    aws.project.write("upload/a.txt", "one");
    aws.project.write("upload/b/c.txt", "two");
    let there = format!("s3://{BUCKET}/upload");
    aws.text(&["s3", "sync", "upload", &there, "--only-show-errors"]);
    let listed = aws.text(&["s3", "ls", "--recursive", &there]);
    assert!(
        listed.contains("upload/a.txt") && listed.contains("upload/b/c.txt"),
        "{listed}"
    );
    assert_eq!(
        aws.text(&["s3", "cp", &format!("{there}/b/c.txt"), "-"]),
        "two"
    );
    aws.text(&["s3", "rm", "--recursive", &there]);
    let rest = [
        "s3api",
        "list-objects-v2",
        "--bucket",
        BUCKET,
        "--prefix",
        "upload/",
    ];
    assert!(aws.json(&rest)["Contents"].is_null());
}

fn ssm_and_secrets(aws: &AwsCli<'_>) {
    let put = [
        "ssm",
        "put-parameter",
        "--name",
        "/blog/tone",
        "--type",
        "String",
    ];
    let put: Vec<&str> = put.into_iter().chain(["--value", "calm"]).collect();
    assert_eq!(aws.json(&put)["Version"], 1);
    let parameter = aws.json(&["ssm", "get-parameter", "--name", "/blog/tone"]);
    assert_eq!(parameter["Parameter"]["Value"], "calm");
    let path = aws.json(&["ssm", "get-parameters-by-path", "--path", "/blog"]);
    assert_eq!(path["Parameters"].as_array().unwrap().len(), 1);
    let arn = aws.output("SecretArn");
    let secret = aws.json(&["secretsmanager", "get-secret-value", "--secret-id", &arn]);
    assert!(
        secret["SecretString"]
            .as_str()
            .unwrap()
            .contains("password")
    );
}

fn lambda_and_logs(aws: &AwsCli<'_>) {
    aws.project.write("event.json", "{}");
    let invoke = ["lambda", "invoke", "--function-name", "blog-dev-get_posts"];
    let more = [
        "--payload",
        "file://event.json",
        "--log-type",
        "Tail",
        "answer.json",
    ];
    let invoke: Vec<&str> = invoke.into_iter().chain(more).collect();
    let answer = aws.json(&invoke);
    assert_eq!(answer["StatusCode"], 200, "{answer}");
    let function = ["--function-name", "blog-dev-get_posts"];
    let configuration = aws.json(&["lambda", "get-function", function[0], function[1]]);
    assert_eq!(configuration["Configuration"]["Runtime"], "provided.al2023");
    let listed = aws.json(&["lambda", "list-functions"]);
    assert_eq!(listed["Functions"].as_array().unwrap().len(), 8, "{listed}");
    let group = "/aws/lambda/blog-dev-get_posts";
    let groups = [
        "logs",
        "describe-log-groups",
        "--log-group-name-prefix",
        group,
    ];
    assert_eq!(aws.json(&groups)["logGroups"][0]["logGroupName"], group);
    let events = aws.json(&["logs", "filter-log-events", "--log-group-name", group]);
    let messages = events["events"].to_string();
    assert!(
        messages.contains("REPORT") || messages.contains("platform.report"),
        "{messages}"
    );
}

fn data_api(aws: &AwsCli<'_>) {
    let (cluster, secret) = (aws.output("ClusterArn"), aws.output("SecretArn"));
    let answer = aws.json(&[
        "rds-data",
        "execute-statement",
        "--resource-arn",
        &cluster,
        "--secret-arn",
        &secret,
        "--database",
        "blog",
        "--sql",
        "SELECT title FROM posts WHERE id = :id",
        "--parameters",
        r#"[{"name": "id", "value": {"longValue": 1}}]"#,
    ]);
    assert_eq!(
        answer["records"][0][0]["stringValue"],
        "A serverless blogpost with Aurora"
    );
}

/// The address of the stage on this machine.
fn local_url(aws: &AwsCli<'_>) -> String {
    let url = aws.output("Url");
    let (id, rest) = url.split_once("://").unwrap().1.split_once('.').unwrap();
    let (_, port) = rest.split_once("localhost:").unwrap();
    let port = port.split('/').next().unwrap();
    format!("http://127.0.0.1:{port}/restapis/{id}/prod/_user_request_")
}
