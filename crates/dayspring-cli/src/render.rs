//! Values to text: sizes, times, tables.

use std::time::Duration;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// `812 B`, `4.1 kB`, `7.3 MB`.
pub(crate) fn bytes(count: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let count = count as f64;
    match count {
        count if count < 1e3 => format!("{count} B"),
        count if count < 1e6 => format!("{:.1} kB", count / 1e3),
        count => format!("{:.1} MB", count / 1e6),
    }
}

/// `<1 ms`, `84 ms`, `1.2 s`, `3 min 4 s`.
pub(crate) fn duration(duration: Duration) -> String {
    match duration {
        nothing if nothing < Duration::from_millis(1) => "<1 ms".to_owned(),
        short if short < Duration::from_secs(1) => format!("{} ms", short.as_millis()),
        middle if middle < Duration::from_secs(60) => format!("{:.1} s", middle.as_secs_f64()),
        long => format!("{} min {} s", long.as_secs() / 60, long.as_secs() % 60),
    }
}

/// `1 statement`, `2 statements`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// As much of a line as fits into so many columns, with a sign where something is left out.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    for letter in text.chars() {
        let with_it = cut.width() + letter.width().unwrap_or(0);
        // The sign is one column wide.
        if with_it + 1 > columns {
            break;
        }
        cut.push(letter);
    }
    if columns > 0 {
        cut.push('…');
    }
    cut
}

/// Words on lines of at most so many columns; all lines but the first are indented. A word that is longer stands alone.
pub(crate) fn wrapped(text: &str, columns: usize, indent: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.trim().is_empty() || line.width() + 1 + word.width() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) => lines.push(format!("{indent}{word}")),
            None => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

/// Columns as wide as their widest cell, two spaces apart, without trailing space.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.width())))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// A line of a function's log for a person: of a structured line its message and its own members. `None` for the
/// platform's lines about the invocation, which would only be noise, unless they say that it failed.
pub(crate) fn log_line(function: &str, line: &str) -> Option<String> {
    let platform = ["START ", "END ", "REPORT ", "INIT_START "];
    if platform.iter().any(|prefix| line.starts_with(prefix)) {
        return None;
    }
    let Ok(serde_json::Value::Object(mut members)) = serde_json::from_str(line) else {
        return Some(format!("{function}: {line}"));
    };
    if let Some(kind) = members.get("type").and_then(serde_json::Value::as_str)
        && let Some(kind) = kind.strip_prefix("platform.")
        && let Some(record) = members.get("record")
    {
        return platform_line(function, kind, record);
    }
    let Some(serde_json::Value::String(message)) = members.shift_remove("message") else {
        return Some(format!("{function}: {line}"));
    };
    if members
        .get("target")
        .is_some_and(|target| target == "dayspring::migrator")
    {
        return migration_line(&message, &members);
    }
    let level = members.shift_remove("level");
    let level = match level.as_ref().and_then(serde_json::Value::as_str) {
        Some("INFO") | None => String::new(),
        Some(level) => format!("{level} "),
    };
    let mut text = format!("{function}: {level}{message}");
    for (name, value) in members {
        // Those that every line has say nothing here.
        if !["timestamp", "requestId", "function", "target"].contains(&name.as_str()) {
            text.push_str(&format!(" {name}={value}"));
        }
    }
    Some(text)
}

/// Of the platform's lines in JSON the reports of what failed: `platform.report` and `platform.initReport`.
fn platform_line(function: &str, kind: &str, record: &serde_json::Value) -> Option<String> {
    let what = match kind {
        "report" => "the invocation",
        "initReport" => "the start",
        _ => return None,
    };
    let how = match record.get("status")?.as_str()? {
        "success" => return None,
        "timeout" => "timed out".to_owned(),
        _ => {
            let error = record.get("errorType").and_then(serde_json::Value::as_str);
            format!("failed: {}", error.unwrap_or("no reason is known"))
        }
    };
    let took = record
        .pointer("/metrics/durationMs")
        .and_then(serde_json::Value::as_f64)
        .and_then(|millis| Duration::try_from_secs_f64(millis / 1000.0).ok())
        .map(|took| format!(" after {}", duration(took)));
    Some(format!(
        "{function}: ERROR {what} {how}{}",
        took.unwrap_or_default()
    ))
}

/// Of the migrator's lines only what is under way: how it ended is the deployment's to say.
fn migration_line(
    message: &str,
    members: &serde_json::Map<String, serde_json::Value>,
) -> Option<String> {
    let path = members.get("path")?.as_str()?;
    let number = |name: &str| members.get(name)?.as_u64();
    (message == "statement started").then_some(())?;
    Some(format!(
        "{path}:{} (statement {} of {})",
        number("line")?,
        number("number")?,
        number("total")?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_short() {
        assert_eq!(
            [bytes(812), bytes(4_120), bytes(7_300_000)],
            ["812 B", "4.1 kB", "7.3 MB"]
        );
        let times = [
            Duration::from_millis(84),
            Duration::from_millis(1_234),
            Duration::from_secs(184),
        ];
        assert_eq!(times.map(duration), ["84 ms", "1.2 s", "3 min 4 s"]);
    }

    #[test]
    fn a_structured_log_line_is_read_for_a_person() {
        let line = r#"{"timestamp":"2026-11-23T00:00:00Z","level":"INFO","requestId":"1","message":"post created","slug":"a"}"#;
        insta::assert_snapshot!(log_line("create_posts", line).unwrap(), @r#"create_posts: post created slug="a""#);
        insta::assert_snapshot!(log_line("f", r#"{"level":"ERROR","message":"no"}"#).unwrap(), @"f: ERROR no");
        insta::assert_snapshot!(log_line("f", "plain text").unwrap(), @"f: plain text");
        assert_eq!(log_line("f", "END RequestId: 1"), None);
        let platform = |kind: &str, end: &str| {
            let line = format!(
                r#"{{"time":"2026-10-08T07:30:29.470Z","type":"platform.{kind}","record":{{"requestId":"1","metrics":{{"durationMs":3000.0}},{end}}}}}"#
            );
            log_line("f", &line)
        };
        assert_eq!(platform("start", r#""version":"$LATEST""#), None);
        assert_eq!(platform("report", r#""status":"success""#), None);
        assert_eq!(platform("runtimeDone", r#""status":"timeout""#), None);
        insta::assert_snapshot!(platform("report", r#""status":"timeout""#).unwrap(), @"f: ERROR the invocation timed out after 3.0 s");
        insta::assert_snapshot!(platform("initReport", r#""status":"error","errorType":"Runtime.ExitError""#).unwrap(), @"f: ERROR the start failed: Runtime.ExitError after 3.0 s");
        let started = r#"{"level":"INFO","target":"dayspring::migrator","message":"statement started","path":"v1.sql","line":2,"number":1,"total":3}"#;
        insta::assert_snapshot!(log_line("m", started).unwrap(), @"v1.sql:2 (statement 1 of 3)");
        let done = r#"{"level":"INFO","target":"dayspring::migrator","message":"nothing to do"}"#;
        assert_eq!(log_line("m", done), None);
    }

    #[test]
    fn a_line_that_is_too_long_says_so() {
        assert_eq!(cut("Migrator", 8), "Migrator");
        assert_eq!(cut("Migrator", 7), "Migrat…");
        // Each of these is two columns wide.
        assert_eq!(cut("移行移行", 6), "移行…");
        assert_eq!(cut("Migrator", 0), "");
    }

    #[test]
    fn words_are_wrapped_and_never_broken() {
        insta::assert_snapshot!(wrapped("a:Read, a:Write on a-very-long-resource", 16, "  "), @r"
        a:Read, a:Write
          on
          a-very-long-resource
        ");
        assert_eq!(wrapped("short", 16, "  "), "short");
    }

    #[test]
    fn columns_line_up() {
        let row = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        insta::assert_snapshot!(table(&[row("GET", "/posts"), row("DELETE", "/posts/{slug}")]), @r"
        GET     /posts
        DELETE  /posts/{slug}
        ");
    }
}
