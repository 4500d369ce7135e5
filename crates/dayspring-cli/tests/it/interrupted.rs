//! Deploys that end too early: by a person, by the machine, by a terminal that is closed.

use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use crate::ledger::{Ledger, stderr};
use crate::relay::Relay;
use crate::support::{PATIENCE, children_of, signal};
use crate::terminal::Terminal;

/// How far a deploy comes: up to the first request of this kind, which arrives nowhere.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The change set is made, and nobody has looked at it.
    Proposed,
    Upload,
    /// All is there but the word to begin.
    Execute,
    /// CloudFormation is at it.
    Follow,
}

impl Step {
    /// Whether a request is the one. `executed` is whether CloudFormation was told to begin.
    fn is_at(self, first_line: &str, body: &[u8], executed: bool) -> bool {
        let body = String::from_utf8_lossy(body);
        let acts = |action: &str| body.contains(&format!("Action={action}&"));
        match self {
            Self::Proposed => acts("DescribeChangeSet"),
            Self::Upload => first_line.starts_with("PUT ") && first_line.contains(".zip"),
            Self::Execute => acts("ExecuteChangeSet"),
            Self::Follow => executed && acts("DescribeStacks"),
        }
    }
}

/// Deploys up to a step. The deploy stands there until it is ended.
///
/// The request goes on when the sender is dropped: one that comes late is not what is tested here.
fn deploy_up_to(ledger: &Ledger, step: Step) -> (Child, Sender<()>) {
    let (reached, is_there) = channel();
    let (release, released) = channel::<()>();
    let hold = Mutex::new((false, Some(released)));
    let relay = Relay::before(ledger.cloud.address(), move |first_line, body| {
        let mut state = hold.lock().unwrap();
        let is_it = step.is_at(first_line, body, state.0);
        state.0 |= Step::Execute.is_at(first_line, body, false);
        let held = if is_it { state.1.take() } else { None };
        drop(state);
        if let Some(released) = held {
            reached.send(()).unwrap();
            let _gone = released.recv();
        }
    });
    let child = ledger
        .deploy_command_through(&relay)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    is_there.recv_timeout(PATIENCE).unwrap();
    (child, release)
}

fn note(ledger: &Ledger, notes: &mut Vec<String>) {
    let number = notes.len() + 1;
    notes.push(format!("note {number}"));
    ledger.write(
        &format!("scripts/schema/v{number}.sql"),
        &format!("INSERT INTO notes (text) VALUES ('note {number}');\n"),
    );
}

#[test]
fn a_deploy_that_was_ended_at_any_of_its_steps_is_carried_on_by_the_next() {
    let ledger = Ledger::new();
    let mut notes = vec!["first".to_owned()];
    let mut held = Vec::new();
    let mut end = |step: Step, name: &str| {
        let (child, kept) = deploy_up_to(&ledger, step);
        held.push(kept);
        signal(name, child.id());
        child.wait_with_output().unwrap()
    };
    // A stack that is empty as yet, and one that is being made.
    for step in [Step::Proposed, Step::Follow] {
        note(&ledger, &mut notes);
        end(step, "KILL");
        ledger.deploy();
        assert_eq!(ledger.serves(), ("1".to_owned(), notes.clone()), "{step:?}");
        let destroyed = ledger.run(&["destroy", "--yes", "--no-snapshot"]);
        assert!(destroyed.status.success(), "{}", stderr(&destroyed));
    }
    // A change of one.
    ledger.deploy();
    for (step, name, code) in [
        (Step::Proposed, "KILL", None),
        (Step::Upload, "KILL", None),
        (Step::Execute, "KILL", None),
        (Step::Follow, "KILL", None),
        // It is taken back.
        (Step::Upload, "TERM", Some(1)),
        // Whether it began is not known here.
        (Step::Execute, "INT", Some(2)),
        (Step::Follow, "TERM", Some(2)),
    ] {
        note(&ledger, &mut notes);
        let ended = end(step, name);
        let said = stderr(&ended);
        assert_eq!(ended.status.code(), code, "{name} {step:?}: {said}");
        let error = said.split_once("\nerror: ").map(|(_, error)| error);
        match code {
            None => assert_eq!(error, None, "{said}"),
            Some(1) => assert_eq!(error, Some("`ledger-live` was not deployed")),
            _ => insta::allow_duplicates! {
                insta::assert_snapshot!(error.unwrap_or_default(), @r"
                `ledger-live` is left to CloudFormation, which goes on
                 help: `dayspring deploy` waits for what is under way, and goes on from there
                ");
            },
        }
        ledger.deploy();
        assert_eq!(
            ledger.serves(),
            ("1".to_owned(), notes.clone()),
            "{name} {step:?}"
        );
    }
    assert!(ledger.deploy().contains("nothing changed"));
}

#[test]
fn a_deploy_on_a_terminal_asks_and_fits_it() {
    const COLUMNS: usize = 60;
    let ledger = Ledger::new();
    let start = || {
        let mut command = ledger.asking_deploy_command();
        command.env_remove("NO_COLOR");
        Terminal::start(command, u16::try_from(COLUMNS).unwrap())
    };

    let mut terminal = start();
    let shown = terminal.wait_for("Deploy this? [y/N] ");
    let (_, permissions) = shown.split_once("Permissions that widen\n\n").unwrap();
    let (_, permissions) = permissions.split_once("PermissionGetNotes\n").unwrap();
    let (permissions, _) = permissions.split_once("SecurityGroup\n").unwrap();
    insta::assert_snapshot!(permissions, @r"
        lambda:InvokeFunction on ${FunctionGetNotes.Arn} by
            apigateway.amazonaws.com from
            arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${RestApi}/prod/GET/notes
    RoleGetNotes
        rds-data:BatchExecuteStatement,
            rds-data:BeginTransaction,
            rds-data:CommitTransaction,
            rds-data:ExecuteStatement,
            rds-data:RollbackTransaction on
            ${DatabaseCluster.DBClusterArn}
        kms:Decrypt on ${EncryptionKey.Arn}
        secretsmanager:GetSecretValue on ${FunctionSecret}
        logs:CreateLogStream, logs:PutLogEvents on
            ${LogsGetNotes.Arn}
        is assumed by lambda.amazonaws.com
    ");
    terminal.signal("INT");
    let (status, shown) = terminal.end();
    assert_eq!(status.code(), Some(1), "{shown}");
    assert!(
        shown.ends_with("[y/N] \n\u{1b}[1;31merror:\u{1b}[0m `ledger-live` was not deployed\n"),
        "{shown:?}"
    );
    // Not even an empty stack is left.
    let outputs = ledger.run(&["outputs"]);
    assert_eq!(outputs.status.code(), Some(2), "{}", stderr(&outputs));

    let mut terminal = start();
    terminal.wait_for("Deploy this? [y/N] ");
    terminal.type_in("y\r");
    let (status, shown) = terminal.end();
    assert!(status.success(), "{shown}");
    assert!(
        shown.contains("2 statements applied, schema at v1"),
        "{shown}"
    );
    // What is written over has to be on one line, and nothing of it stays.
    let last_line = "\u{1b}[1;36m";
    let rewritten: Vec<&str> = shown.split("\r\u{1b}[2K").collect();
    let (end, before) = rewritten.split_last().unwrap();
    assert!(
        before.iter().any(|text| text.contains(last_line)),
        "{shown:?}"
    );
    for text in before {
        let line = text.rsplit('\n').next().unwrap();
        let columns = line.replace(last_line, "").replace("\u{1b}[0m", "");
        assert!(columns.chars().count() < COLUMNS, "{line:?}");
    }
    assert!(!end.contains(last_line), "{end:?}");
    // No line that looks empty and is not.
    let no_text = |line: &str| line.ends_with("\u{1b}[0m") && line.trim() == "\u{1b}[0m";
    assert!(!shown.lines().any(no_text), "{end:?}");
}

/// As a window that is closed ends it.
#[cfg(target_os = "linux")]
#[test]
fn a_cloud_whose_terminal_is_closed_ends_all_that_it_started() {
    // Who runs the tests may have it ignored.
    let mut command = Command::new("env");
    command.args(["--default-signal=HUP", env!("CARGO_BIN_EXE_dayspring")]);
    let ledger = Ledger::started_by(command);
    ledger.deploy();
    assert_eq!(ledger.serves().0, "1");
    let children = children_of(ledger.cloud.process_id());
    assert!(!children.is_empty());
    ledger.cloud.stop_by("HUP");
    for child in children {
        let status = std::fs::read_to_string(format!("/proc/{child}/status")).unwrap_or_default();
        assert!(
            !status.contains("mariadbd") && !status.contains("ledger"),
            "{status}"
        );
    }
}
