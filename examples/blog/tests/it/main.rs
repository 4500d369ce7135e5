//! The binary as Lambda starts it.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;

fn bootstrap() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootstrap"));
    command.env_clear();
    command
}

#[test]
fn every_function_of_the_project_file_is_in_the_binary_and_no_other() {
    let output = bootstrap().arg("--list-handlers").output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    let found: BTreeSet<&str> = listed
        .lines()
        .filter_map(|handler| handler.strip_suffix(".handler"))
        .collect();
    let project = include_str!("../../dayspring.toml");
    let expected: BTreeSet<&str> = project
        .split("function = \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(found, expected);
    assert!(listed.lines().any(|handler| handler == "dayspring.migrate"));
}

#[test]
fn a_start_by_hand_says_how_it_is_started() {
    let output = bootstrap().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("dayspring dev"), "{text}");
}

#[test]
fn an_unknown_handler_fails_the_start_and_lambda_is_told_what_there_is() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let child = bootstrap()
        .env("AWS_LAMBDA_RUNTIME_API", address)
        .env("_HANDLER", "get_pots.handler")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let mut request = String::new();
    let mut buffer = [0; 4096];
    while !request.ends_with('}') {
        let read = stream.read(&mut buffer).unwrap();
        assert_ne!(read, 0, "{request}");
        request.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    stream
        .write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
        .unwrap();
    assert!(request.starts_with("POST /2018-06-01/runtime/init/error "));
    assert!(request.contains("no handler `get_pots.handler`; it has get_posts.handler"));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}
