//! Scripts as they are met: what a blog engine and a web framework write, a dump, and a database with routines. What is
//! said of each is pinned, because a rule that cries wolf is switched off.

use super::*;

/// The findings about the last of the scripts.
fn said_of(files: &[&str]) -> String {
    let named = files
        .iter()
        .enumerate()
        .map(|(index, text)| (format!("v{}.sql", index + 1), *text));
    let scripts = Scripts::parse("", named).unwrap();
    let mut said: Vec<String> = Vec::new();
    for finding in lint(&scripts, &LintContext::default()) {
        let line = format!(
            "{} {}: {}",
            finding.place.line, finding.rule.name, finding.message
        );
        said.push(line);
    }
    said.join("\n")
}

#[test]
fn a_blog_engine_has_display_widths_and_a_zero_date() {
    insta::assert_snapshot!(said_of(&[include_str!("real/wordpress.sql")]), @"
    2 display-width: the widths of `ID` and 1 more change nothing about their values
    8 zero-date: MySQL refuses the zero date in its default sql_mode
    18 display-width: the widths of `meta_id` and 1 more change nothing about their values
    27 display-width: the width of `option_id` changes nothing about its values
    36 display-width: the widths of `object_id` and 2 more change nothing about their values
    ");
}

#[test]
fn a_web_framework_leaves_the_algorithm_to_the_server() {
    let first = include_str!("real/rails.sql");
    insta::assert_snapshot!(said_of(&[first]), @"5 no-primary-key: no row of `posts_tags` can be named");
    insta::assert_snapshot!(said_of(&[first, include_str!("real/rails_next.sql")]), @"
    1 no-algorithm: if `posts` cannot be changed in place, the server copies it without a word
    2 no-algorithm: if `posts` cannot be changed in place, the server copies it without a word
    5 mixed-script: if this fails, what is above it stays and the rows of `posts` do not change
    ");
}

#[test]
fn a_database_with_routines_is_read() {
    let first = include_str!("real/rental.sql");
    insta::assert_snapshot!(said_of(&[first]), @"
    5 small-id: `actor_id` ends at 65535, and INSERTs fail then
    13 small-id: `film_id` ends at 65535, and INSERTs fail then
    43 small-id: `address_id` ends at 65535, and INSERTs fail then
    ");
    insta::assert_snapshot!(said_of(&[first, include_str!("real/rental_next.sql")]), @"12 reserved-word: `rank` is reserved since MySQL 8.0");
}

#[test]
fn a_dump_has_locks_and_definers() {
    insta::assert_snapshot!(said_of(&[include_str!("real/mysqldump.sql")]), @"
    26 small-id: `id` ends at 4294967295, and INSERTs fail then
    45 session-state: this statement cannot be part of a migration: the engine lets nobody else migrate meanwhile; mysqldump leaves these out with --skip-add-locks
    49 session-state: this statement cannot be part of a migration: the engine lets nobody else migrate meanwhile; mysqldump leaves these out with --skip-add-locks
    53 definer: it fails where `root`@`localhost` is missing
    76 definer: it fails where `root`@`localhost` is missing
    ");
}

#[test]
fn newer_syntax_is_read() {
    let first = include_str!("real/modern.sql");
    insta::assert_snapshot!(said_of(&[first]), @"
    19 small-id: `id` ends at 4294967295, and INSERTs fail then
    19 float-money: `price` looks like money, and FLOAT is only nearly right
    20 session-state: this statement cannot be part of a migration: a temporary table lives in one session, and a resumed run has another
    21 account: users and rights are the server's, not this database's
    22 account: users and rights are the server's, not this database's
    ");
    insta::assert_snapshot!(said_of(&[first, include_str!("real/modern_next.sql")]), @"
    5 no-algorithm: if `accounts` cannot be changed in place, the server copies it without a word
    6 no-algorithm: if `tags` cannot be changed in place, the server copies it without a word
    7 mixed-script: if this fails, what is above it stays and the rows of `accounts` do not change
    10 unbounded-rows: this DELETE locks every row of `tags` until it is done
    16 no-algorithm: if `tags` cannot be changed in place, the server copies it without a word
    17 no-algorithm: if `tags` cannot be changed in place, the server copies it without a word
    17 rename-column: code that uses `lat` fails when it is `latitude`
    18 change-type: changing FLOAT to DECIMAL(10, 2) in `price` copies the table, and nobody writes to it meanwhile
    18 mixed-alter: this would be INPLACE by itself, and `MODIFY COLUMN ...` makes it COPY
    22 rename-table: code that uses `tags_old` fails from here on
    ");
}
