//! MY032: a statement that does not reach the server.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY032",
    name: "long-statement",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a statement is longer than the way to the server lets through",
    why: "The Data API takes a request of at most 4 MiB, the statement's text with its JSON escapes.",
    safe_way: "cut it into several INSERTs; mysqldump does so with --skip-extended-insert or a smaller --net-buffer-length",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, body TEXT);",
        bad: "<|INSERT|> INTO post VALUES\n  (1, 'Lorem ipsum dolor sit amet, consectetur adipiscing elit'),\n  \
              (2, 'sed do eiusmod tempor incididunt ut labore et dolore magna');",
        good: "INSERT INTO post VALUES (1, 'Lorem ipsum dolor sit amet, consectetur adipiscing elit');\n\
               INSERT INTO post VALUES (2, 'sed do eiusmod tempor incididunt ut labore et dolore magna');",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Some(bytes_max) = site.context.statement_bytes_max else {
        return;
    };
    let text = site.script.text_of(site.statement);
    // Escaping at most doubles what a text usually holds, so short ones need no count.
    if text.len() * 2 <= bytes_max {
        return;
    }
    let escaped: usize = text
        .bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
            0..0x20 => 6,
            _ => 1,
        })
        .sum();
    if escaped > bytes_max {
        let message =
            format!("the statement has {escaped} bytes as JSON, and {bytes_max} reach the server");
        found.push(Report::new(site.first_words(1), message));
    }
}
