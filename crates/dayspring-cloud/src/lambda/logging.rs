//! `LoggingConfig`: in which format a function's log is, and how much of it is kept.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html> (read 2026-11-23).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::AwsError;

/// The format, and with JSON the levels from which lines are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json {
        application: ApplicationLevel,
        system: SystemLevel,
    },
}

/// Of what the function prints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum ApplicationLevel {
    Trace,
    Debug,
    #[default]
    Info,
    Warn,
    Error,
    Fatal,
}

/// Of what the platform writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum SystemLevel {
    Debug,
    #[default]
    Info,
    Warn,
}

/// The members of `LoggingConfig` that are about the format, as a request or a template has them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LogFormatInput<'a> {
    pub(crate) log_format: Option<&'a str>,
    pub(crate) application_log_level: Option<&'a str>,
    pub(crate) system_log_level: Option<&'a str>,
}

impl LogFormat {
    /// What the input makes of a format; what it does not say stays.
    pub(crate) fn with(self, input: LogFormatInput<'_>) -> Result<Self, AwsError> {
        let (application, system) = match self {
            Self::Text => Default::default(),
            Self::Json {
                application,
                system,
            } => (application, system),
        };
        let is_json = match input.log_format {
            None => self != Self::Text,
            Some("JSON") => true,
            Some("Text") => false,
            Some(other) => return Err(not_in(other, "logFormat", "[JSON, Text]")),
        };
        let levels = (
            level(
                input.application_log_level,
                ApplicationLevel::parse,
                application,
                "applicationLogLevel",
                "[TRACE, DEBUG, INFO, WARN, ERROR, FATAL]",
            )?,
            level(
                input.system_log_level,
                SystemLevel::parse,
                system,
                "systemLogLevel",
                "[DEBUG, INFO, WARN]",
            )?,
        );
        if is_json {
            return Ok(Self::Json {
                application: levels.0,
                system: levels.1,
            });
        }
        if input.application_log_level.is_some() || input.system_log_level.is_some() {
            return Err(AwsError::bad_request(
                "InvalidParameterValueException",
                "ApplicationLogLevel and SystemLogLevel are for functions whose LogFormat is JSON.",
            ));
        }
        Ok(Self::Text)
    }

    /// As `LoggingConfig` shows it.
    pub(super) fn shown(self, log_group: &str) -> Value {
        match self {
            Self::Text => json!({"LogFormat": "Text", "LogGroup": log_group}),
            Self::Json {
                application,
                system,
            } => json!({
                "LogFormat": "JSON",
                "ApplicationLogLevel": application.name(),
                "SystemLogLevel": system.name(),
                "LogGroup": log_group,
            }),
        }
    }

    /// Whether a line of the function's is kept. A line has the level of its member `level` where it is an object with a
    /// moment in RFC 3339, and `INFO` where it is an object without one. One that is no object is kept: AWS says of the
    /// level only that it is read from objects.
    pub(super) fn keeps(self, line: &str) -> bool {
        let Self::Json { application, .. } = self else {
            return true;
        };
        if application == ApplicationLevel::Trace || !line.starts_with('{') {
            return true;
        }
        let Ok(line) = serde_json::from_str::<Line<'_>>(line) else {
            return true;
        };
        line.level() >= application
    }
}

/// What of a line decides whether it is kept.
#[derive(Debug, Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    level: Option<Text<'a>>,
    #[serde(borrow, default)]
    timestamp: Option<Text<'a>>,
    #[serde(borrow, default)]
    time: Option<Text<'a>>,
}

/// A text, or anything else, which is then no level and no moment.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Text<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Other(serde::de::IgnoredAny),
}

impl Text<'_> {
    fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Other(_) => None,
        }
    }
}

impl Line<'_> {
    fn level(&self) -> ApplicationLevel {
        let text = |text: &Option<Text<'_>>| -> Option<String> {
            text.as_ref()?.as_str().map(str::to_ascii_uppercase)
        };
        let has_moment = [&self.timestamp, &self.time]
            .into_iter()
            .filter_map(text)
            .any(|moment| is_moment(&moment));
        text(&self.level)
            .filter(|_| has_moment)
            .and_then(|level| ApplicationLevel::parse(&level))
            .unwrap_or_default()
    }
}

/// RFC 3339, in capitals.
fn is_moment(text: &str) -> bool {
    let shape = |text: &str, pattern: &str| {
        text.len() == pattern.len()
            && text.bytes().zip(pattern.bytes()).all(|(byte, expected)| {
                if expected == b'0' {
                    byte.is_ascii_digit()
                } else {
                    byte == expected
                }
            })
    };
    let Some((second, rest)) = text.split_at_checked(19) else {
        return false;
    };
    let fraction_end = match rest.strip_prefix('.') {
        Some(digits) => 1 + digits.bytes().take_while(u8::is_ascii_digit).count(),
        None => 0,
    };
    let zone = rest.get(fraction_end..).unwrap_or_default();
    shape(second, "0000-00-00T00:00:00")
        && fraction_end != 1
        && (zone == "Z" || shape(zone, "+00:00") || shape(zone, "-00:00"))
}

impl ApplicationLevel {
    fn parse(text: &str) -> Option<Self> {
        let level = match text {
            "TRACE" => Self::Trace,
            "DEBUG" => Self::Debug,
            "INFO" => Self::Info,
            "WARN" => Self::Warn,
            "ERROR" => Self::Error,
            "FATAL" => Self::Fatal,
            _ => return None,
        };
        Some(level)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }
}

impl SystemLevel {
    fn parse(text: &str) -> Option<Self> {
        let level = match text {
            "DEBUG" => Self::Debug,
            "INFO" => Self::Info,
            "WARN" => Self::Warn,
            _ => return None,
        };
        Some(level)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
        }
    }
}

fn level<T>(
    given: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
    before: T,
    member: &str,
    all: &str,
) -> Result<T, AwsError> {
    match given {
        None => Ok(before),
        Some(text) => parse(text).ok_or_else(|| not_in(text, member, all)),
    }
}

fn not_in(value: &str, member: &str, all: &str) -> AwsError {
    AwsError::bad_request(
        "ValidationException",
        format!(
            "1 validation error detected: Value '{value}' at 'loggingConfig.{member}' failed to satisfy constraint: Member must satisfy enum value set: {all}"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(application: ApplicationLevel) -> LogFormat {
        LogFormat::Json {
            application,
            system: SystemLevel::Info,
        }
    }

    #[test]
    fn a_format_is_read_with_its_levels() {
        let input = LogFormatInput {
            log_format: Some("JSON"),
            application_log_level: Some("ERROR"),
            ..LogFormatInput::default()
        };
        let format = LogFormat::Text.with(input).unwrap();
        assert_eq!(
            format.shown("/g").to_string(),
            r#"{"LogFormat":"JSON","ApplicationLogLevel":"ERROR","SystemLogLevel":"INFO","LogGroup":"/g"}"#
        );
        assert_eq!(format.with(LogFormatInput::default()), Ok(format));
        let text = LogFormatInput {
            log_format: Some("Text"),
            ..LogFormatInput::default()
        };
        assert_eq!(format.with(text), Ok(LogFormat::Text));
        let refused = |input: LogFormatInput<'_>| LogFormat::Text.with(input).unwrap_err().message;
        insta::assert_snapshot!(refused(LogFormatInput { log_format: Some("json"), ..input }), @"1 validation error detected: Value 'json' at 'loggingConfig.logFormat' failed to satisfy constraint: Member must satisfy enum value set: [JSON, Text]");
        insta::assert_snapshot!(refused(LogFormatInput { system_log_level: Some("FATAL"), ..input }), @"1 validation error detected: Value 'FATAL' at 'loggingConfig.systemLogLevel' failed to satisfy constraint: Member must satisfy enum value set: [DEBUG, INFO, WARN]");
        insta::assert_snapshot!(refused(LogFormatInput { log_format: None, ..input }), @"ApplicationLogLevel and SystemLogLevel are for functions whose LogFormat is JSON.");
    }

    #[test]
    fn a_line_below_the_level_is_dropped() {
        let debug = r#"{"level":"debug","timestamp":"2024-11-02T16:51:31.587199Z","message":"m"}"#;
        assert!(!json(ApplicationLevel::Info).keeps(debug));
        assert!(json(ApplicationLevel::Debug).keeps(debug));
        assert!(LogFormat::Text.keeps(debug));
        // Without a moment it counts as INFO.
        let no_moment = r#"{"level":"debug","timestamp":"yesterday","message":"m"}"#;
        assert!(json(ApplicationLevel::Info).keeps(no_moment));
        assert!(!json(ApplicationLevel::Warn).keeps(no_moment));
        for kept in ["plain text", "{half an object", r#"{"level":7,"time":[]}"#] {
            assert!(json(ApplicationLevel::Info).keeps(kept), "{kept}");
        }
    }

    #[test]
    fn a_moment_is_one_of_rfc_3339() {
        for good in [
            "2024-11-02T16:51:31Z",
            "2024-11-02T16:51:31.5Z",
            "2024-11-02T16:51:31+01:00",
        ] {
            assert!(is_moment(good), "{good}");
        }
        for bad in [
            "",
            "2024-11-02",
            "2024-11-02T16:51:31",
            "2024-11-02T16:51:31.Z",
            "2024-11-02 16:51:31Z",
        ] {
            assert!(!is_moment(bad), "{bad}");
        }
    }
}
