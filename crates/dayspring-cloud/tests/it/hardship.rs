//! What a cloud has to survive: kills, a full disk, clients without number. Each cloud here is a process of its own.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::client::{send, text_of, try_send};
use crate::process::{Addresses, Process};

/// An API whose answer needs no function, and what a deploy writes besides.
const TEMPLATE: &str = r#"{
  "Resources": {
    "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/blog"}},
    "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "blog"}},
    "Method": {"Type": "AWS::ApiGateway::Method", "Properties": {
      "RestApiId": {"Ref": "Api"}, "ResourceId": {"Fn::GetAtt": "Api.RootResourceId"}, "HttpMethod": "GET",
      "Integration": {"Type": "MOCK", "RequestTemplates": {"application/json": "{\"statusCode\":204}"},
        "IntegrationResponses": [{"StatusCode": "204"}]}}},
    "Deployment": {"Type": "AWS::ApiGateway::Deployment", "DependsOn": "Method", "Properties": {"RestApiId": {"Ref": "Api"}}},
    "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {
      "RestApiId": {"Ref": "Api"}, "DeploymentId": {"Ref": "Deployment"}, "StageName": "prod"}}
  }
}"#;

const STACK: (&str, &str) = ("StackName", "blog");

/// Makes the stack, as far as the cloud lives. Gives its last known status.
fn deploy(cloud: Addresses) -> Option<String> {
    let change_set = ("ChangeSetName", "first");
    let fields = [
        STACK,
        change_set,
        ("ChangeSetType", "CREATE"),
        ("TemplateBody", TEMPLATE),
    ];
    let made = cloud.cloudformation("CreateChangeSet", &fields)?;
    assert_eq!(made.status, 200, "{}", made.body);
    let executed = cloud.cloudformation("ExecuteChangeSet", &[STACK, change_set])?;
    assert_eq!(executed.status, 200, "{}", executed.body);
    settled(cloud)
}

/// Waits until nothing is under way. `None`: there is no stack, or no cloud.
fn settled(cloud: Addresses) -> Option<String> {
    loop {
        let answer = cloud.cloudformation("DescribeStacks", &[STACK])?;
        if answer.status == 400 {
            return None;
        }
        let status = text_of(&answer.body, "StackStatus");
        if status == "REVIEW_IN_PROGRESS" || !status.ends_with("_IN_PROGRESS") {
            return Some(status);
        }
    }
}

fn stage_answers(cloud: Addresses) -> bool {
    send(cloud.api, "GET", "/prod", &[], b"").status == 204
}

/// Deletes what is there and makes it anew: nothing that was left behind is in the way.
fn make_anew(cloud: Addresses) {
    if settled(cloud).is_some() {
        let deleted = cloud.cloudformation("DeleteStack", &[STACK]).unwrap();
        assert_eq!(deleted.status, 200, "{}", deleted.body);
        let events = cloud.cloudformation("DescribeStackEvents", &[STACK]);
        assert_eq!(
            settled(cloud),
            None,
            "{:?}",
            events.map(|events| events.body)
        );
    }
    assert_eq!(deploy(cloud).as_deref(), Some("CREATE_COMPLETE"));
    assert!(stage_answers(cloud));
}

#[test]
fn a_kill_at_any_write_loses_nothing_that_was_acknowledged() {
    let mut files = BTreeSet::new();
    for write in 1.. {
        let folder = tempfile::tempdir().unwrap();
        let cloud = Process::that_stops_at(folder.path(), write);
        let (stopped, (kept, status)) = cloud.kill_at_its_write(|cloud| {
            let kept = put_parameter(cloud, "v");
            (kept, kept.then(|| deploy(cloud)).flatten())
        });
        let Some(stopped) = stopped else {
            // It came to its end before that many writes.
            assert_eq!(status.as_deref(), Some("CREATE_COMPLETE"));
            assert!(write > 20, "a deploy writes more often than {write} times");
            break;
        };
        files.extend(stopped.rsplit('/').next().map(str::to_owned));
        assert_eq!(
            status, None,
            "what was not written was not acknowledged: {stopped}"
        );

        let again = Process::start(folder.path());
        assert!(!kept || parameter(again.at) == "v", "{stopped}");
        if let Some(status) = settled(again.at) {
            let whole = status == "CREATE_COMPLETE";
            assert!(
                whole || status == "REVIEW_IN_PROGRESS" || status.ends_with("_FAILED"),
                "{status} {stopped}"
            );
            assert!(!whole || stage_answers(again.at), "{stopped}");
        }
        make_anew(again.at);
    }
    let expected = ["apigateway.json", "index.json", "ssm.json", "stacks.json"];
    assert_eq!(files, expected.map(str::to_owned).into());
}

fn put_parameter(cloud: Addresses, value: &str) -> bool {
    let body = format!(r#"{{"Name":"/p","Value":"{value}","Type":"String","Overwrite":true}}"#);
    let target = [("X-Amz-Target", "AmazonSSM.PutParameter")];
    try_send(cloud.aws, "POST", "/", &target, body.as_bytes())
        .is_some_and(|answer| answer.status == 200)
}

fn parameter(cloud: Addresses) -> String {
    let target = [("X-Amz-Target", "AmazonSSM.GetParameter")];
    let answer = send(cloud.aws, "POST", "/", &target, br#"{"Name":"/p"}"#);
    let value: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    value["Parameter"]["Value"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_full_disk_is_said_and_tears_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Process::with_small_files(folder.path(), 4);
    assert!(put_parameter(cloud.at, "first"));
    let body = format!(
        r#"{{"Name":"/long","Value":"{}","Type":"String"}}"#,
        "x".repeat(4096)
    );
    let target = [("X-Amz-Target", "AmazonSSM.PutParameter")];
    let refused = send(cloud.at.aws, "POST", "/", &target, body.as_bytes());
    assert_eq!(refused.status, 500, "{}", refused.body);
    assert!(
        refused.body.contains("InternalFailure")
            && refused.body.contains("ssm.json: File too large"),
        "{}",
        refused.body
    );
    // A stack's record does not fit either, and the cloud lives on.
    let fields = [
        STACK,
        ("ChangeSetName", "first"),
        ("ChangeSetType", "CREATE"),
        ("TemplateBody", TEMPLATE),
    ];
    let refused = cloud.at.cloudformation("CreateChangeSet", &fields).unwrap();
    assert_eq!(refused.status, 500, "{}", refused.body);
    assert!(
        refused.body.contains("stacks.json: File too large"),
        "{}",
        refused.body
    );
    assert!(put_parameter(cloud.at, "second"));
    drop(cloud);

    let again = Process::start(folder.path());
    assert_eq!(parameter(again.at), "second");
    make_anew(again.at);
}

/// The addresses that sockets of this process listen on, as the kernel tells.
fn listening(process: u32) -> BTreeSet<String> {
    let sockets: BTreeSet<String> = std::fs::read_dir(format!("/proc/{process}/fd"))
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
        .filter_map(|link| {
            Some(
                link.to_str()?
                    .strip_prefix("socket:[")?
                    .trim_end_matches(']')
                    .to_owned(),
            )
        })
        .collect();
    let mut addresses = BTreeSet::new();
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let text =
            std::fs::read_to_string(format!("/proc/{process}/net/{table}")).unwrap_or_default();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // 0A is LISTEN; a socket of UDP that is bound has 07.
            let listens = fields[3] == "0A" || (table.starts_with("udp") && fields[3] == "07");
            if listens && sockets.contains(fields[9]) {
                addresses.insert(fields[1].split(':').next().unwrap().to_owned());
            }
        }
    }
    addresses
}

#[test]
fn nothing_listens_beyond_loopback() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Process::start(folder.path());
    make_anew(cloud.at);
    assert_eq!(
        listening(cloud.id()),
        BTreeSet::from(["0100007F".to_owned()])
    );
}

#[test]
fn idle_and_half_open_connections_keep_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Process::start(folder.path());
    make_anew(cloud.at);
    let before = resident_kib(cloud.id());
    // As many as this process may open itself, up to two thousand (the bench opens ten thousand); half of them with a request that never ends.
    let (soft, _) = limit_of_files();
    let count = soft.saturating_sub(256).min(2_000);
    let connections: Vec<TcpStream> = (0..count)
        .map(|number| {
            let mut stream = TcpStream::connect(cloud.at.api).unwrap();
            if number % 2 == 1 {
                stream
                    .write_all(b"GET /prod HTTP/1.1\r\nHost: h\r\n")
                    .unwrap();
            }
            stream
        })
        .collect();
    assert!(stage_answers(cloud.at));
    let each = (resident_kib(cloud.id()).saturating_sub(before)) / count;
    assert!(each < 16, "{each} KiB for each connection");
    drop(connections);
    // What is half open is whole as soon as it goes on.
    let mut half_open = TcpStream::connect(cloud.at.api).unwrap();
    half_open.write_all(b"GET /prod HTTP/1.1\r\n").unwrap();
    half_open.write_all(b"Host: h\r\n").unwrap();
    half_open.write_all(b"\r\n").unwrap();
    let mut status = [0; 12];
    half_open.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 204");
}

#[test]
fn many_requests_leave_the_memory_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Process::start(folder.path());
    make_anew(cloud.at);
    let mut stream = TcpStream::connect(cloud.at.api).unwrap();
    // Sent ahead, and answered in their order.
    let batch = "GET /prod HTTP/1.1\r\nHost: h\r\n\r\n".repeat(100);
    let mut run = |batches: usize| {
        for _ in 0..batches {
            stream.write_all(batch.as_bytes()).unwrap();
            let mut text = Vec::new();
            let mut answers = 0;
            while answers < 100 {
                let mut chunk = [0; 16 * 1024];
                let count = stream.read(&mut chunk).unwrap();
                assert!(count > 0, "the connection was closed");
                text.extend_from_slice(&chunk[..count]);
                answers = text.windows(4).filter(|four| four == b"\r\n\r\n").count();
            }
        }
        resident_kib(cloud.id())
    };
    let before = run(20);
    let after = run(80);
    assert!(
        after < before + 4096,
        "{before} KiB before, {after} KiB after 8000 requests"
    );
}

fn resident_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Soft and hard, of this process.
fn limit_of_files() -> (u64, u64) {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap();
    let fields: Vec<&str> = line.split_whitespace().collect();
    // `unlimited` is a word.
    let number = |field: &str| field.parse().unwrap_or(u64::MAX);
    (number(fields[3]), number(fields[4]))
}
