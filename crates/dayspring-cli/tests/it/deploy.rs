//! `dayspring cloud` and `dayspring deploy --endpoint-url`: the same project by the path that goes to AWS.

use std::process::Command;

use crate::support::{Project, Server, request, url_on_this_machine};

#[test]
fn the_blog_is_deployed_to_a_cloud_by_its_endpoint() {
    let project = Project::blog();
    let cloud = Server::cloud(&project, &[]);

    let deploy = [
        "deploy",
        "--endpoint-url",
        &cloud.url,
        "--yes",
        "--profile",
        "dev",
    ];
    let first = project.run(&deploy);
    let printed = String::from_utf8_lossy(&first.stderr).into_owned();
    assert!(first.status.success(), "{printed}");
    let url = String::from_utf8(first.stdout).unwrap().trim().to_owned();
    let local = url_on_this_machine(&url);
    let posts = request("GET", &format!("{local}/posts"), &[], "");
    assert_eq!(posts.status, 200, "{posts:?}");
    assert_eq!(
        posts.json()["items"][0]["title"],
        "A serverless blogpost with Aurora"
    );

    let again = project.run(&deploy);
    assert!(
        String::from_utf8_lossy(&again.stderr).contains("nothing changed"),
        "{again:?}"
    );

    let status = project.run(&["migrate", "status", "--endpoint-url", &cloud.url, "--json"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert!(
        status["scripts"]
            .as_array()
            .unwrap()
            .iter()
            .all(|script| script["state"] == "applied"),
        "{status}"
    );

    boto3_reads_the_posts(&cloud);
    a_schema_is_verified_and_adopted_through_the_data_api(&project, &cloud);
    cloud.stop();
    a_paused_cluster_is_woken(&project, &local);
}

/// The same stack in a cloud whose cluster is paused at every first look: the command, the migrator and the functions each
/// come back for a second one.
fn a_paused_cluster_is_woken(project: &Project, local: &str) {
    let cloud = Server::cloud(project, &["--pause-after", "0s", "--resume-time", "0s"]);
    project.write(
        "scripts/schema/v91.sql",
        "CREATE TABLE readers (id INT PRIMARY KEY);\n",
    );
    let deploy = [
        "deploy",
        "--endpoint-url",
        &cloud.url,
        "--yes",
        "--profile",
        "dev",
    ];
    let deployed = project.run(&deploy);
    let printed = String::from_utf8_lossy(&deployed.stderr);
    assert!(deployed.status.success(), "{printed}");
    assert!(printed.contains("schema at v91"), "{printed}");

    let outputs = project.run(&["outputs", "--endpoint-url", &cloud.url, "--json"]);
    let outputs: serde_json::Value = serde_json::from_slice(&outputs.stdout).unwrap();
    let statement = serde_json::json!({
        "resourceArn": outputs["ClusterArn"], "secretArn": outputs["SecretArn"], "database": outputs["Database"],
        "sql": "SELECT COUNT(*) FROM readers",
    });
    let signed = "AWS4-HMAC-SHA256 Credential=local/20261122/us-east-1/rds-data/aws4_request, SignedHeaders=host, Signature=00";
    let execute = || {
        let url = format!("{}/Execute", cloud.url);
        request(
            "POST",
            &url,
            &[("Authorization", signed)],
            &statement.to_string(),
        )
    };
    let paused = execute();
    assert_eq!(paused.status, 400, "{paused:?}");
    let message = paused.json()["message"].to_string();
    assert!(
        message.contains("is resuming after being auto-paused"),
        "{message}"
    );
    assert_eq!(execute().status, 200);

    let (_, path) = local.split_once("/restapis/").unwrap();
    let posts = request(
        "GET",
        &format!("{}/restapis/{path}/posts", cloud.url),
        &[],
        "",
    );
    assert_eq!(posts.status, 200, "{posts:?}");
    cloud.stop();
}

/// The commands of `migrate` that replay scripts read the live schema over the Data API.
fn a_schema_is_verified_and_adopted_through_the_data_api(project: &Project, cloud: &Server) {
    let migrate = |arguments: &[&str]| {
        let endpoint = ["--endpoint-url", cloud.url.as_str()];
        let output = project.run(&[&["migrate"], arguments, &endpoint].concat());
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code().unwrap(), stdout, stderr)
    };
    project.write(
        "scripts/schema/v90_shop.sql",
        "CREATE TABLE shop (\n  id INT(11) UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,\n  \
         name VARCHAR(50) CHARACTER SET latin1 DEFAULT 'it''s',\n  n INT DEFAULT '3',\n  doc JSON,\n  \
         made DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),\n  \
         twice INT AS (n * 2 + 1) VIRTUAL,\n  old INT,\n  owner VARCHAR(50) AS (doc->>'$.owner') STORED,\n  \
         token BINARY(16) DEFAULT (UUID_TO_BIN(UUID())),\n  CONSTRAINT n_small CHECK (n < 999) NOT ENFORCED,\n  \
         CONSTRAINT n_ok CHECK (n > 0 AND (n < 10 OR n >= 50)),\n  KEY by_name (name(10))\n) \
         COLLATE = utf8mb4_0900_ai_ci;\n\
         CREATE VIEW rich AS SELECT id, UPPER(name) AS loud FROM shop WHERE (n > 3 OR id > 1) AND name <> 'a';\n\
         CREATE TRIGGER shop_bi BEFORE INSERT ON shop FOR EACH ROW SET NEW.n = COALESCE(NEW.n, 1);\n",
    );
    project.write(
        "scripts/schema/v90.contract.sql",
        "ALTER TABLE shop DROP COLUMN old;\n",
    );
    let (code, stdout, stderr) = migrate(&["plan", "--json"]);
    assert_eq!(code, 0, "{stderr}");
    let plan: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(plan["statements"].as_array().unwrap().len(), 3, "{plan}");
    assert_eq!(plan["contract"].as_array().unwrap().len(), 1, "{plan}");
    let (code, _, stderr) = migrate(&["up", "--contract"]);
    assert_eq!(code, 0, "{stderr}");
    let (code, stdout, stderr) = migrate(&["verify"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert_eq!(stdout, "the schema is what the scripts make\n");
    let (code, _, stderr) = migrate(&["baseline", "--yes", "--at", "v90.contract"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains("Recorded 0 statements as applied"),
        "{stderr}"
    );
    // What is recorded beyond it is not taken back.
    let (code, stdout, stderr) = migrate(&["baseline", "--at", "v90"]);
    assert_eq!(code, 1, "{stdout}{stderr}");
}

fn boto3_reads_the_posts(cloud: &Server) {
    let Some(python) = std::env::var_os("DAYSPRING_PYTHON") else {
        // Only `cargo xtask test` installs boto3.
        return;
    };
    let program = r#"
import boto3, sys
session = boto3.session.Session("local", "local", region_name="us-east-1")
stack = session.client("cloudformation", endpoint_url=sys.argv[1]).describe_stacks(StackName="blog-dev")["Stacks"][0]
outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
data = session.client("rds-data", endpoint_url=sys.argv[1])
answer = data.execute_statement(resourceArn=outputs["ClusterArn"], secretArn=outputs["SecretArn"],
    database=outputs["Database"], sql="SELECT title FROM posts WHERE id = :id",
    parameters=[{"name": "id", "value": {"longValue": 1}}], includeResultMetadata=True)
assert answer["columnMetadata"][0]["name"] == "title", answer
print(answer["records"][0][0]["stringValue"])
"#;
    let output = Command::new(python)
        .args(["-c", program, &cloud.url])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "A serverless blogpost with Aurora"
    );
}
