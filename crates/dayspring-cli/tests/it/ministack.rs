//! The client's whole sequence against a cloud that others wrote, so that a misreading of AWS's protocols that our client and
//! our cloud might share cannot hide.
//!
//! ministack makes the resources, calls the migrator's `bootstrap`, and rolls back. Three things it does not have, and they
//! are put into the template on its way there: a cluster's own secret, a Data API (the functions are pointed at that of the
//! local cloud, with its cluster and its secrets), and layers (the scripts are read where they lie in the project). The
//! client does not know of it.

mod substitutes;

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::judges::{self, printed};
use crate::relay::Relay;
use crate::support::{Project, Server, form};
use substitutes::Substitutes;

/// Between two looks at a state.
const PAUSE: Duration = Duration::from_millis(20);

/// Only a database.
const DATABASE: &str = r#"{"Resources": {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
    "One": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"}},
    "Two": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.1.0/24"}},
    "Subnets": {"Type": "AWS::RDS::DBSubnetGroup", "Properties": {
        "DBSubnetGroupDescription": "two", "SubnetIds": [{"Ref": "One"}, {"Ref": "Two"}]}},
    "Cluster": {"Type": "AWS::RDS::DBCluster", "Properties": {
        "Engine": "aurora-mysql", "DatabaseName": "blog", "MasterUsername": "admin", "ManageMasterUserPassword": true,
        "EnableHttpEndpoint": true, "DBSubnetGroupName": {"Ref": "Subnets"}}},
    "Writer": {"Type": "AWS::RDS::DBInstance", "Properties": {
        "Engine": "aurora-mysql", "DBClusterIdentifier": {"Ref": "Cluster"}, "DBInstanceClass": "db.serverless"}},
    "FunctionSecret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": {
        "SecretStringTemplate": "{\"username\": \"functions\"}", "GenerateStringKey": "password", "ExcludePunctuation": true}}}},
  "Outputs": {"Cluster": {"Value": {"Fn::GetAtt": ["Cluster", "DBClusterArn"]}},
              "Secret": {"Value": {"Fn::GetAtt": ["Cluster", "MasterUserSecret.SecretArn"]}},
              "FunctionSecret": {"Value": {"Ref": "FunctionSecret"}}}}"#;

#[test]
fn the_blog_is_deployed_changed_and_destroyed_on_an_independent_server() {
    let Some(program) = judges::ministack() else {
        return;
    };
    let project = Project::blog();
    let cloud = Server::cloud(&project, &[]);
    let (cluster, secret, function_secret) = database(&cloud);
    let ministack = Ministack::start(&program);
    let substitutes = Substitutes {
        cluster,
        secret,
        function_secret,
        data_api: cloud.url.clone(),
        layer_root: project.folder().display().to_string(),
    };
    let relay = Relay::before(ministack.address, move |line, body| {
        substitutes.put_into_request(line, body);
    });
    let run = |arguments: &[&str]| -> Output {
        project
            .command(arguments)
            .args(["--endpoint-url", &relay.url])
            .env("AWS_ACCESS_KEY_ID", "123456789012")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_REGION", "us-east-1")
            .output()
            .unwrap()
    };
    let deploy = || run(&["deploy", "--yes", "--profile", "dev"]);

    let first = deploy();
    assert!(first.status.success(), "{}", printed(&first));
    assert!(
        printed(&first).contains("7 statements applied, schema at v3"),
        "{first:?}"
    );

    let again = deploy();
    assert!(printed(&again).contains("nothing changed"), "{again:?}");

    let half = "CREATE TABLE extra (id INT PRIMARY KEY);\nINSERT INTO nosuch VALUES (1);\n";
    project.write("scripts/schema/v4.sql", half);
    let failed = deploy();
    assert!(!failed.status.success(), "{failed:?}");
    let told = printed(&failed);
    assert!(told.contains("Migration (Custom::DayspringMigration): error: statement 2 of 2 failed: Table 'blog.nosuch' doesn't exist (MySQL 1146)"), "{told}");
    assert!(told.contains(" --> scripts/schema/v4.sql:2:1"), "{told}");

    project.write("scripts/schema/v4.sql", &half.replace("nosuch", "extra"));
    let corrected = deploy();
    assert!(corrected.status.success(), "{}", printed(&corrected));
    assert!(
        printed(&corrected).contains("1 statement applied, schema at v4"),
        "{corrected:?}"
    );

    let outputs = run(&["outputs", "--json"]);
    let outputs: Value = serde_json::from_slice(&outputs.stdout).unwrap();
    assert_eq!(
        outputs["MigrationReport"], "1 statement applied, schema at v4",
        "{outputs}"
    );

    let gone = run(&["destroy", "--yes"]);
    assert!(gone.status.success(), "{}", printed(&gone));
    let none = run(&["outputs"]);
    assert!(!none.status.success(), "{none:?}");
    drop(ministack);
    cloud.stop();
}

/// Makes a database in the local cloud. Gives the ARNs of its cluster, of its secret, and of a secret for functions.
fn database(cloud: &Server) -> (String, String, String) {
    let create = [
        ("Action", "CreateStack"),
        ("StackName", "db"),
        ("TemplateBody", DATABASE),
    ];
    let answer = form(&cloud.url, "cloudformation", &create);
    assert_eq!(answer.status, 200, "{answer:?}");
    let body = loop {
        let describe = [("Action", "DescribeStacks"), ("StackName", "db")];
        let body = form(&cloud.url, "cloudformation", &describe).body;
        assert!(!body.contains("ROLLBACK"), "{body}");
        if body.contains("CREATE_COMPLETE") {
            break body;
        }
        std::thread::sleep(PAUSE);
    };
    let output = |key: &str| -> String {
        let (_, rest) = body
            .split_once(&format!("<OutputKey>{key}</OutputKey><OutputValue>"))
            .unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    };
    (
        output("Cluster"),
        output("Secret"),
        output("FunctionSecret"),
    )
}

/// A running ministack on a port of its own.
struct Ministack {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Ministack {
    fn start(program: &Path) -> Self {
        let mut said = Vec::new();
        for attempt in 0..5 {
            match Self::start_at(program, free_address(attempt)) {
                Ok(running) => return running,
                Err(ended) => said.push(ended),
            }
        }
        panic!("ministack does not start: {said:#?}");
    }

    /// What it said, where it ended.
    fn start_at(program: &Path, address: SocketAddr) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(program)
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .env("IOT_MTLS_ENABLED", "0")
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", address.port().to_string())
            .env("MINISTACK_REGION", "us-east-1")
            .env("MINISTACK_ACCOUNT_ID", "123456789012")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        // Its log is read to its end, so that it is never held up by it.
        let (sender, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let lines: Vec<String> = log.lines().map_while(Result::ok).collect();
            drop(sender.send(lines));
        });
        loop {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(format!("{address}: {status}: {:?}", ended.recv()));
            }
            if TcpStream::connect(address).is_ok() {
                return Ok(Self {
                    child,
                    address,
                    _folder: folder,
                });
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// It takes no port 0, so it gets one that is free now, and that no system gives away by itself: those come from 32768 or
/// higher (Linux; 49152 on macOS).
fn free_address(attempt: u32) -> SocketAddr {
    (0..)
        .map(|number| 20_000 + (std::process::id() * 13 + attempt * 1000 + number) % 12_000)
        .find_map(|port| {
            let port = u16::try_from(port).unwrap();
            let free = TcpListener::bind(("127.0.0.1", port)).ok()?;
            free.local_addr().ok()
        })
        .unwrap()
}

impl Drop for Ministack {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
