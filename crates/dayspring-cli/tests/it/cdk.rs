//! The real `cdk` CLI on Dayspring's assembly: `cdk.json` names `dayspring synth` as its app.

use std::process::Output;

use crate::judges::{self, printed};
use crate::support::{Project, Server, form, request};

/// The `cdk` CLI in a project, with a cloud as its AWS.
struct Cdk<'a> {
    program: std::path::PathBuf,
    project: &'a Project,
    cloud: &'a Server,
    home: tempfile::TempDir,
}

impl Cdk<'_> {
    fn run(&self, arguments: &[&str]) -> Output {
        judges::command(&self.program, &self.cloud.url, self.home.path())
            .args(arguments)
            .arg("--no-notices")
            .current_dir(self.project.folder())
            .env("CARGO_TARGET_DIR", Project::build_folder())
            .output()
            .unwrap()
    }

    #[track_caller]
    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", printed(&output));
        printed(&output)
    }
}

fn write_cdk_json(project: &Project, flag: &str) {
    let app = format!(
        "{} synth --profile dev {flag}",
        env!("CARGO_BIN_EXE_dayspring")
    );
    project.write("cdk.json", &serde_json::json!({ "app": app }).to_string());
}

const DEPLOY: [&str; 3] = ["deploy", "--require-approval", "never"];

#[test]
fn the_cdk_cli_deploys_changes_and_destroys_the_blog() {
    let Some(program) = judges::cdk() else {
        return;
    };
    let project = Project::blog();
    let cloud = Server::cloud(&project, &[]);
    write_cdk_json(&project, "--make-bucket");
    let cdk = Cdk {
        program,
        project: &project,
        cloud: &cloud,
        home: tempfile::tempdir().unwrap(),
    };

    let listed = cdk.run(&["ls"]);
    assert_eq!(
        String::from_utf8_lossy(&listed.stdout),
        "blog-dev\n",
        "{listed:?}"
    );
    let template = cdk.succeeds(&["synth"]);
    assert!(template.contains("Type: AWS::RDS::DBCluster"), "{template}");

    // A first deploy, in an account that has neither the bucket nor a bootstrap stack.
    let first = cdk.succeeds(&DEPLOY);
    assert!(
        first.contains("blog-dev.MigrationReport = 7 statements applied, schema at v3"),
        "{first}"
    );
    let posts = || {
        let url = format!("{}/posts", api_of(&first));
        request("GET", &url, &[], "").status
    };
    assert_eq!(posts(), 200);

    // Unchanged: nothing runs.
    let again = cdk.succeeds(&DEPLOY);
    assert!(again.contains("blog-dev (no changes)"), "{again}");

    // A script that fails shows its reason, and the old code serves.
    let half = "CREATE TABLE extra (id INT PRIMARY KEY);\nINSERT INTO nosuch VALUES (1);\n";
    project.write("scripts/schema/v4.sql", half);
    let failed = cdk.run(&DEPLOY);
    assert!(!failed.status.success());
    let told = printed(&failed);
    assert!(
        told.contains("statement 2 of 2 failed: Table 'blog.nosuch' doesn't exist (MySQL 1146)"),
        "{told}"
    );
    assert!(told.contains("scripts/schema/v4.sql:2:1"), "{told}");
    let describe = [("Action", "DescribeStacks"), ("StackName", "blog-dev")];
    let stack = form(&cloud.url, "cloudformation", &describe).body;
    assert!(
        stack.contains("<StackStatus>UPDATE_ROLLBACK_COMPLETE</StackStatus>"),
        "{stack}"
    );
    assert_eq!(posts(), 200);

    // Corrected, it goes on where it failed.
    project.write("scripts/schema/v4.sql", &half.replace("nosuch", "extra"));
    let diff = cdk.succeeds(&["diff"]);
    assert!(
        diff.contains("[~] Custom::DayspringMigration Migration"),
        "{diff}"
    );
    assert!(!diff.contains("DBCluster"), "{diff}");
    let second = cdk.succeeds(&DEPLOY);
    assert!(
        second.contains("blog-dev.MigrationReport = 1 statement applied, schema at v4"),
        "{second}"
    );
    assert_eq!(posts(), 200);
    let drift = cdk.succeeds(&["drift"]);
    assert!(drift.contains("No drift detected"), "{drift}");

    let gone = cdk.succeeds(&["destroy", "--force"]);
    assert!(gone.contains("blog-dev: destroyed"), "{gone}");
    cloud.stop();
}

#[test]
fn the_cdk_cli_deploys_by_the_roles_of_its_bootstrap_stack() {
    let Some(program) = judges::cdk() else {
        return;
    };
    let project = Project::blog();
    let cloud = Server::cloud(&project, &[]);
    write_cdk_json(&project, "--bootstrapped");
    let cdk = Cdk {
        program,
        project: &project,
        cloud: &cloud,
        home: tempfile::tempdir().unwrap(),
    };
    let missing = printed(&cdk.run(&DEPLOY));
    assert!(missing.contains("cdk bootstrap"), "{missing}");
    let bootstrapped = cdk.succeeds(&["bootstrap"]);
    assert!(bootstrapped.contains("bootstrapped."), "{bootstrapped}");
    let first = cdk.succeeds(&DEPLOY);
    assert!(
        first.contains("7 statements applied, schema at v3"),
        "{first}"
    );
    let url = format!("{}/posts", api_of(&first));
    assert_eq!(request("GET", &url, &[], "").status, 200);
    cdk.succeeds(&["destroy", "--force"]);
    cloud.stop();
}

/// The address of the stage on this machine, from the outputs that the CLI prints.
fn api_of(printed: &str) -> String {
    let (_, url) = printed.split_once("blog-dev.Url = https://").unwrap();
    let (id, rest) = url.split_once('.').unwrap();
    let (_, port) = rest.split_once("localhost:").unwrap();
    let port = port.split('/').next().unwrap();
    format!("http://127.0.0.1:{port}/restapis/{id}/prod/_user_request_")
}
