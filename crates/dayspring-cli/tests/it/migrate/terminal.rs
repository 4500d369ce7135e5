//! What a terminal gets that a file does not: colours, and lines of its own width.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::fd::OwnedFd;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::mariadb::Database;

/// Runs `dayspring migrate ARGUMENTS` on a terminal, and gives what it printed.
fn on_a_terminal(
    database: &Database,
    columns: u16,
    no_color: Option<&str>,
    arguments: &[&str],
) -> String {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let open = || -> OwnedFd {
        let side = OpenOptions::new()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap());
        side.unwrap().into()
    };
    let side = open();
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&side, size).unwrap();
    let mut command = database.command(arguments);
    command
        .env("DATABASE_URL", database.socket_url())
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .stdout(open())
        .stderr(open());
    if let Some(value) = no_color {
        command.env("NO_COLOR", value);
    }
    let mut child = command.spawn().unwrap();
    // The command's own ends, which would keep the terminal open.
    drop(command);
    drop(side);
    let mut printed = Vec::new();
    let mut from = File::from(terminal);
    let mut bytes = [0; 4096];
    // A terminal whose other side is closed ends with an error.
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        printed.extend_from_slice(&bytes[..count]);
    }
    assert!(child.wait().unwrap().success());
    String::from_utf8(printed).unwrap().replace("\r\n", "\n")
}

fn database() -> Database {
    let database = Database::new();
    database.write(
        "v1.sql",
        "CREATE TABLE post (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, title VARCHAR(100) NOT NULL, body TEXT) ENGINE = InnoDB;\n",
    );
    database
}

#[test]
fn colours_are_for_a_terminal_whose_user_wants_them() {
    let database = database();
    let shown = |no_color| on_a_terminal(&database, 80, no_color, &["plan"]);
    assert!(
        shown(None).contains("\u{1b}[1;32m       Asked\u{1b}[0m "),
        "{:?}",
        shown(None)
    );
    // An empty value is as if it were not set (no-color.org).
    assert!(shown(Some("")).contains("\u{1b}["));
    assert!(
        !shown(Some("1")).contains('\u{1b}'),
        "{:?}",
        shown(Some("1"))
    );
    let mut command = database.command(&["plan"]);
    let command = command
        .env_remove("NO_COLOR")
        .env("DATABASE_URL", database.socket_url());
    let output = database.printed(&command.output().unwrap());
    assert!(!output.stderr.contains('\u{1b}') && !output.stdout.contains('\u{1b}'));
}

#[test]
fn a_plan_is_as_wide_as_the_terminal() {
    let database = database();
    let width = |columns| {
        let shown = on_a_terminal(&database, columns, Some("1"), &["plan"]);
        let line = shown.lines().find(|line| line.contains("CREATE")).unwrap();
        line.chars().count()
    };
    assert_eq!(width(60), 60);
    assert_eq!(width(100), 100);
    // The whole statement fits, and longer lines are hard to read.
    assert!((110..=140).contains(&width(300)));
}
