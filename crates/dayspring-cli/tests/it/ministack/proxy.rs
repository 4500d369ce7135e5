//! A relay of HTTP requests that changes the templates among them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use serde_json::{Value, json};

/// What is put into a template.
#[derive(Debug)]
pub(super) struct Substitutes {
    /// The ARN of the cluster that the functions are to use, that of its secret, and that of the functions' own.
    pub(super) cluster: String,
    pub(super) secret: String,
    pub(super) function_secret: String,
    pub(super) data_api: String,
    pub(super) layer_root: String,
}

/// A relay that serves until the process ends.
pub(super) struct Proxy {
    pub(super) url: String,
}

impl Proxy {
    pub(super) fn before(server: SocketAddr, substitutes: Substitutes) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let substitutes = Arc::new(substitutes);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let substitutes = Arc::clone(&substitutes);
                std::thread::spawn(move || drop(relay(&client, server, &substitutes)));
            }
        });
        Self { url }
    }
}

/// Relays one request, on a connection that is closed after it.
fn relay(client: &TcpStream, server: SocketAddr, substitutes: &Substitutes) -> std::io::Result<()> {
    let mut reader = BufReader::new(client);
    let mut head = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "connection" | "expect" => {}
            _ if line.trim().is_empty() => break,
            _ => head.push(line),
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    // The template is too long for a request to CloudFormation, so it goes through S3.
    let is_template = head
        .first()
        .is_some_and(|line| line.starts_with("PUT ") && line.contains(".json"));
    if is_template && let Ok(mut template) = serde_json::from_slice::<Value>(&body) {
        substitutes.put_into(&mut template);
        body = template.to_string().into_bytes();
    }
    let mut upstream = TcpStream::connect(server)?;
    let head = head.concat();
    write!(
        upstream,
        "{head}Connection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )?;
    upstream.write_all(&body)?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    let mut client = client;
    client.write_all(&answer)
}

impl Substitutes {
    fn put_into(&self, value: &mut Value) {
        if *value == json!({"Fn::GetAtt": ["DatabaseCluster", "MasterUserSecret.SecretArn"]}) {
            *value = Value::from(self.secret.as_str());
        } else if *value == json!({"Fn::GetAtt": ["DatabaseCluster", "DBClusterArn"]}) {
            *value = Value::from(self.cluster.as_str());
        } else if *value == json!({"Ref": "FunctionSecret"}) {
            *value = Value::from(self.function_secret.as_str());
        }
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.put_into(item)),
            Value::Object(members) => {
                if members
                    .get("Type")
                    .is_some_and(|name| name == "AWS::Lambda::Function")
                {
                    let variables = &mut members["Properties"]["Environment"]["Variables"];
                    for service in ["RDS_DATA", "SECRETS_MANAGER"] {
                        variables[format!("AWS_ENDPOINT_URL_{service}")] =
                            self.data_api.as_str().into();
                    }
                    variables["DAYSPRING_LAYER_ROOT"] = self.layer_root.as_str().into();
                }
                members
                    .values_mut()
                    .for_each(|member| self.put_into(member));
            }
            _ => {}
        }
    }
}
