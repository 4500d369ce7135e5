//! MY040: a program that belongs to a user.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY040",
    name: "definer",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "a view or program names its definer",
    why: "It runs with the rights of that user. Where the user is missing, as in another stage, it is created with a warning \
          and fails when it is used; naming another user needs a right that Aurora gives to few.",
    safe_way: "leave the definer out, or write `SQL SECURITY INVOKER`",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY);",
        bad: "CREATE <|DEFINER=`root`@`localhost`|> VIEW newest AS SELECT MAX(id) FROM post;",
        good: "CREATE SQL SECURITY INVOKER VIEW newest AS SELECT MAX(id) FROM post;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let is_definition = site
        .tokens
        .first()
        .is_some_and(|token| token.is_any(&["CREATE", "ALTER"]));
    let at = site
        .tokens
        .iter()
        .take(12)
        .position(|token| token.is("DEFINER"));
    let Some(at) = at.filter(|_| is_definition) else {
        return;
    };
    let mut cursor = Cursor::new(&site.tokens[at + 1..]);
    if !cursor.take_mark('=') || cursor.is("CURRENT_USER") {
        return;
    }
    cursor.next();
    if cursor.take_mark('@') {
        cursor.next();
    }
    let span = site.tokens[at].start..cursor.end_of_last();
    let message = format!(
        "it fails where {} is missing",
        site.text(span.clone())
            .split_once('=')
            .map_or("", |(_, user)| user.trim())
    );
    let with_space = if site.text(span.end..span.end + 1) == " " {
        span.start..span.end + 1
    } else {
        span.clone()
    };
    found.push(Report::new(span, message).fix(Fix::replace(
        "leave the definer out",
        with_space,
        "",
    )));
}
