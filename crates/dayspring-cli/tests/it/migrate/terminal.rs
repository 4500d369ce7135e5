//! What a terminal gets that a file does not: colours, and lines of its own width.

use super::mariadb::Database;
use crate::terminal::Terminal;

/// Runs `dayspring migrate ARGUMENTS` on a terminal, and gives what it printed.
fn on_a_terminal(
    database: &Database,
    columns: u16,
    no_color: Option<&str>,
    arguments: &[&str],
) -> String {
    let mut command = database.command(arguments);
    command
        .env("DATABASE_URL", database.socket_url())
        .env_remove("NO_COLOR");
    if let Some(value) = no_color {
        command.env("NO_COLOR", value);
    }
    let (status, printed) = Terminal::start(command, columns).end();
    assert!(status.success(), "{printed}");
    printed
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
