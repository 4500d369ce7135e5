//! The local cloud: started as its users start it, a stack deployed over its wire protocols.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::load::Http;
use crate::process::Server;

#[derive(Debug)]
pub struct Cloud {
    pub server: Server,
    pub aws: SocketAddr,
    pub api: SocketAddr,
}

/// What a stack of the bench gives.
#[derive(Debug)]
pub struct Stack {
    pub cluster: String,
    pub secret: String,
}

const STACK: &str = "hello-dev";

impl Cloud {
    pub fn start(program: &Path, state: &Path, log: &Path) -> Result<Self> {
        let (aws, api) = (free_port()?, free_port()?);
        let server = Server::start(
            Command::new(program)
                .args([
                    "cloud",
                    "--allow-unsigned",
                    "--port",
                    &aws.port().to_string(),
                ])
                .args(["--api-port", &api.port().to_string(), "--state"])
                .arg(state),
            log,
        )?;
        Ok(Self { server, aws, api })
    }

    /// Deploys functions by their names, which are their paths as well, and a cluster.
    pub fn deploy(&self, functions: &[(&str, PathBuf)]) -> Result<Stack> {
        self.send("PUT", "/assets", "", b"")?;
        for (name, bootstrap) in functions {
            let key = format!("/assets/{name}.zip");
            self.send("PUT", &key, "", &archive(bootstrap)?)?;
        }
        let names: Vec<&str> = functions.iter().map(|(name, _)| *name).collect();
        let template = template(&names).to_string();
        let stack = ("StackName", STACK);
        let change_set = ("ChangeSetName", "first");
        self.cloudformation(&[
            ("Action", "CreateChangeSet"),
            stack,
            change_set,
            ("ChangeSetType", "CREATE"),
            ("TemplateBody", &template),
        ])?;
        self.cloudformation(&[("Action", "ExecuteChangeSet"), stack, change_set])?;
        loop {
            let body = self.cloudformation(&[("Action", "DescribeStacks"), stack])?;
            match element(&body, "StackStatus")? {
                "CREATE_COMPLETE" => {
                    let output = |key: &str| -> Result<String> {
                        let (_, rest) = body
                            .split_once(&format!("<OutputKey>{key}</OutputKey>"))
                            .with_context(|| format!("no output {key}"))?;
                        Ok(element(rest, "OutputValue")?.to_owned())
                    };
                    return Ok(Stack {
                        cluster: output("Cluster")?,
                        secret: output("Secret")?,
                    });
                }
                status if status.ends_with("_IN_PROGRESS") => {
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
                status => bail!("the stack is {status}: {body}"),
            }
        }
    }

    /// User and password.
    pub fn account(&self, stack: &Stack) -> Result<(String, String)> {
        let body = json!({ "SecretId": stack.secret }).to_string();
        let headers = "X-Amz-Target: secretsmanager.GetSecretValue\r\n";
        let answer: serde_json::Value =
            serde_json::from_str(&self.send("POST", "/", headers, body.as_bytes())?)?;
        let secret = answer["SecretString"].as_str().context("no SecretString")?;
        let secret: serde_json::Value = serde_json::from_str(secret)?;
        let text = |name: &str| {
            secret[name]
                .as_str()
                .map(str::to_owned)
                .context("no account in the secret")
        };
        Ok((text("username")?, text("password")?))
    }

    fn cloudformation(&self, fields: &[(&str, &str)]) -> Result<String> {
        let mut form = "Version=2010-05-15".to_owned();
        for (name, value) in fields {
            form.push_str(&format!("&{name}="));
            for byte in value.bytes() {
                match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => form.push(char::from(byte)),
                    other => form.push_str(&format!("%{other:02X}")),
                }
            }
        }
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        self.send("POST", "/", kind, form.as_bytes())
    }

    fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Result<String> {
        let (status, body) = Http::send(method, self.aws, path, headers, body)?.exchange()?;
        let body = String::from_utf8_lossy(&body).into_owned();
        if status != 200 {
            bail!("{method} {path}: {status} {body}");
        }
        Ok(body)
    }
}

fn template(functions: &[&str]) -> serde_json::Value {
    let reference = |name: &str| json!({ "Ref": name });
    let get = |path: &str| json!({ "Fn::GetAtt": path });
    let mut resources = json!({
        "Api": { "Type": "AWS::ApiGateway::RestApi", "Properties": { "Name": "hello" } },
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": functions.iter().map(|name| format!("{name}Method")).collect::<Vec<_>>(),
            "Properties": { "RestApiId": reference("Api") }
        },
        "Stage": { "Type": "AWS::ApiGateway::Stage", "Properties": {
            "RestApiId": reference("Api"), "DeploymentId": reference("Deployment"), "StageName": "prod"
        } },
        "Cluster": { "Type": "AWS::RDS::DBCluster", "Properties": {
            "Engine": "aurora-mysql",
            "DatabaseName": "bench",
            "MasterUsername": "root1",
            "ManageMasterUserPassword": true,
            "EnableHttpEndpoint": true,
            "ServerlessV2ScalingConfiguration": { "MinCapacity": 0.5, "MaxCapacity": 1 }
        } },
        "Instance": { "Type": "AWS::RDS::DBInstance", "Properties": {
            "Engine": "aurora-mysql",
            "DBClusterIdentifier": reference("Cluster"),
            "DBInstanceClass": "db.serverless"
        } }
    });
    for name in functions {
        let (function, resource) = (format!("{name}Function"), format!("{name}Resource"));
        let uri = format!(
            "arn:aws:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{function}.Arn}}/invocations"
        );
        resources[&function] = json!({ "Type": "AWS::Lambda::Function", "Properties": {
            "Code": { "S3Bucket": "assets", "S3Key": format!("{name}.zip") },
            "Handler": "hello.handler",
            "Runtime": "provided.al2023",
            "Role": "arn:aws:iam::000000000000:role/r",
            "MemorySize": 128,
            "Timeout": 10
        } });
        resources[&resource] = json!({ "Type": "AWS::ApiGateway::Resource", "Properties": {
            "RestApiId": reference("Api"), "ParentId": get("Api.RootResourceId"), "PathPart": name
        } });
        resources[format!("{name}Method")] = json!({ "Type": "AWS::ApiGateway::Method", "Properties": {
            "RestApiId": reference("Api"),
            "ResourceId": reference(&resource),
            "HttpMethod": "GET",
            "AuthorizationType": "NONE",
            "Integration": { "Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": { "Fn::Sub": uri } }
        } });
    }
    json!({
        "Resources": resources,
        "Outputs": {
            "Cluster": { "Value": get("Cluster.DBClusterArn") },
            "Secret": { "Value": get("Cluster.MasterUserSecret.SecretArn") }
        }
    })
}

fn archive(bootstrap: &Path) -> Result<Vec<u8>> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .unix_permissions(0o755);
    writer.start_file("bootstrap", options)?;
    writer.write_all(&std::fs::read(bootstrap)?)?;
    Ok(writer.finish()?.into_inner())
}

fn element<'a>(xml: &'a str, name: &str) -> Result<&'a str> {
    xml.split_once(&format!("<{name}>"))
        .and_then(|(_, rest)| rest.split_once("</"))
        .map(|(text, _)| text)
        .with_context(|| format!("no {name} in {xml}"))
}

/// A port that was free a moment ago.
pub fn free_port() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// `mariadbd`'s socket below a state folder.
pub fn database_socket(state: &Path) -> Result<PathBuf> {
    let text = std::fs::read_to_string("/proc/net/unix")?;
    let state = state.canonicalize()?;
    text.lines()
        .filter_map(|line| line.split(' ').next_back())
        .map(PathBuf::from)
        .find(|path| path.starts_with(&state) && path.ends_with("sock"))
        .context("no socket of mariadbd below the state folder")
}
