//! Logs: one line of JSON on standard output for each event of `tracing`, with the invocation that it belongs to.
//!
//! The keys are those of Lambda's own JSON format (`timestamp`, `level`, `requestId`, `message`), so that its log
//! filters and Logs Insights find them: <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>
//! (read 2026-11-22).
//!
//! The runtime's own `tracing` feature brings tracing-subscriber with its filters, regular expressions and span
//! registry: 434 kB of binary and 210 kB of zip (of 2.85 MB and 1.43 MB), and no time at start (measured 2026-11-23). A
//! function writes flat events, so this subscriber is the hundred lines that they need. Spans are accepted
//! and not printed.

use std::fmt;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// The invocation that the process works on. Lambda gives a process one at a time, so one place is enough.
static INVOCATION: Mutex<Option<Invocation>> = Mutex::new(None);

#[derive(Debug, Clone)]
struct Invocation {
    request_id: String,
    function: String,
}

/// Installs the subscriber and the panic hook. `level` is `AWS_LAMBDA_LOG_LEVEL`, which Lambda sets from the function's
/// logging configuration; `INFO` without it.
pub(crate) fn start(level: Option<&str>) {
    let subscriber = JsonLines {
        level: parse_level(level),
        spans: AtomicU64::new(1),
    };
    // A second subscriber in one process is a test's own; it keeps its place.
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        return;
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let message = panic
            .payload_as_str()
            .unwrap_or("a panic without a message");
        tracing::error!(place, errorType = "Runtime.Panic", "panic: {message}");
    }));
}

/// Says which invocation the following lines belong to.
pub(crate) fn enter(request_id: &str, function: &str) {
    *INVOCATION.lock().unwrap_or_else(PoisonError::into_inner) = Some(Invocation {
        request_id: request_id.to_owned(),
        function: function.to_owned(),
    });
}

#[cfg(test)]
pub(crate) fn request_id() -> Option<String> {
    let invocation = INVOCATION.lock().unwrap_or_else(PoisonError::into_inner);
    invocation
        .as_ref()
        .map(|invocation| invocation.request_id.clone())
}

struct JsonLines {
    level: Level,
    spans: AtomicU64,
}

impl Subscriber for JsonLines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(self.level.into())
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let invocation = INVOCATION
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let line = render_line(
            SystemTime::now(),
            *event.metadata().level(),
            event.metadata().target(),
            invocation.as_ref(),
            fields.0,
        );
        // Nothing better can be done about a log that cannot be written than to go on.
        drop(std::io::stdout().lock().write_all(line.as_bytes()));
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}

fn render_line(
    now: SystemTime,
    level: Level,
    target: &str,
    invocation: Option<&Invocation>,
    mut fields: Map<String, Value>,
) -> String {
    let message = fields.shift_remove("message");
    let mut line = Map::new();
    let mut put = |name: &str, value: Value| line.insert(name.to_owned(), value);
    put("timestamp", timestamp(now).into());
    put("level", level.as_str().into());
    if let Some(invocation) = invocation {
        put("requestId", invocation.request_id.as_str().into());
        put("function", invocation.function.as_str().into());
    }
    put("target", target.into());
    put("message", message.unwrap_or_default());
    for (name, value) in fields {
        // The line's own keys win: a field that has the name of one is the handler's slip.
        line.entry(name).or_insert(value);
    }
    let mut line = Value::Object(line).to_string();
    line.push('\n');
    line
}

/// RFC 3339 in UTC with milliseconds. The days are counted as in Howard Hinnant's `civil_from_days`.
pub(crate) fn timestamp(now: SystemTime) -> String {
    let since = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let seconds = since.as_secs();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        second / 3_600,
        second / 60 % 60,
        second % 60,
        since.subsec_millis()
    )
}

fn parse_level(text: Option<&str>) -> Level {
    match text.map(str::to_ascii_uppercase).as_deref() {
        Some("TRACE") => Level::TRACE,
        Some("DEBUG") => Level::DEBUG,
        Some("WARN") => Level::WARN,
        Some("ERROR" | "FATAL") => Level::ERROR,
        _ => Level::INFO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_line_has_lambdas_keys_first_and_the_fields_behind() {
        let fields = [
            ("slug", Value::from("a")),
            ("level", Value::from("mine")),
            ("message", Value::from("post created")),
        ];
        let line = render_line(
            SystemTime::UNIX_EPOCH + Duration::from_millis(1_709_210_096_789),
            Level::INFO,
            "blog",
            Some(&Invocation {
                request_id: "r-1".to_owned(),
                function: "create_posts".to_owned(),
            }),
            fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        );
        insta::assert_snapshot!(
            line,
            @r#"{"timestamp":"2024-02-29T12:34:56.789Z","level":"INFO","requestId":"r-1","function":"create_posts","target":"blog","message":"post created","slug":"a"}"#
        );
    }

    #[test]
    fn timestamps_are_right_around_leap_days_and_years() {
        let at = |seconds| timestamp(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(951_782_399), "2000-02-28T23:59:59.000Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00.000Z");
        assert_eq!(at(1_798_761_599), "2026-12-31T23:59:59.000Z");
    }

    #[test]
    fn the_level_is_lambdas_and_info_without_one() {
        assert_eq!(parse_level(Some("debug")), Level::DEBUG);
        assert_eq!(parse_level(Some("FATAL")), Level::ERROR);
        assert_eq!(parse_level(None), Level::INFO);
    }
}
