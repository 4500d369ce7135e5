use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use clap::Args;
use dayspring_stack::{MIGRATOR_HANDLER, Stage};
use serde::Serialize;

use super::DeployedArgs;
use super::invoke::function;
use super::migrate::parse_duration;
use crate::aws::{Aws, LogEvent};
use crate::error::Error;
use crate::render;
use crate::shutdown;
use crate::ui::Ui;

/// Print what functions log
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// One function, as dayspring.toml names it, or `dayspring.migrate` for the migrator; otherwise all
    function: Option<String>,
    #[command(flatten)]
    deployed: DeployedArgs,
    /// Go on until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// How far back to begin, up to a day
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = parse_duration)]
    since: Duration,
    /// Print an object a line with the text as it was written, the platform's own lines too
    #[arg(long)]
    json: bool,
}

/// How far behind the newest line others may come: streams of several processes, which Logs takes in one by one.
const LATE: Duration = Duration::from_secs(10);

/// Between two looks. AWS takes 5 requests a second in its smallest regions, for all groups and callers together
/// (docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html, "FilterLogEvents").
const PAUSE: Duration = Duration::from_secs(2);
const PAUSE_LOCAL: Duration = Duration::from_millis(200);

/// A function and where it logs.
#[derive(Debug)]
struct Source {
    function: String,
    group: String,
    read: Reading,
}

/// How far a group is read.
#[derive(Debug, PartialEq, Eq)]
struct Reading {
    /// In milliseconds since 1970.
    start: u64,
    /// The events since then that were printed, with their times.
    seen: HashMap<String, u64>,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    /// In milliseconds since 1970.
    timestamp: u64,
    function: &'a str,
    stream: &'a str,
    message: &'a str,
}

pub(crate) async fn logs(ui: Ui, args: &LogsArgs) -> Result<(), Error> {
    let stage = args.deployed.stage()?;
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .saturating_sub(args.since);
    let start = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let mut sources = sources(&stage, args.function.as_deref(), start)?;
    let target = args.deployed.target();
    let aws = Aws::connect(&target).await?;
    let pause = if target.is_local() {
        PAUSE_LOCAL
    } else {
        PAUSE
    };
    let printed = print_new(ui, args, &aws, &mut sources).await?;
    if !args.follow {
        if printed == 0 {
            ui.detail("nothing was logged in this time; `--since 1h` looks further back");
        }
        return Ok(());
    }
    let follow = async {
        loop {
            tokio::time::sleep(pause).await;
            print_new(ui, args, &aws, &mut sources).await?;
        }
    };
    tokio::select! {
        ended = follow => ended,
        () = shutdown::requested() => Ok(()),
    }
}

fn sources(stage: &Stage, named: Option<&str>, start: u64) -> Result<Vec<Source>, Error> {
    let source = |function: &str, name_at_aws: String| Source {
        function: function.to_owned(),
        group: stage.log_group(&name_at_aws),
        read: Reading {
            start,
            seen: HashMap::new(),
        },
    };
    let migrator = || source(MIGRATOR_HANDLER, stage.migrator_name());
    match named {
        Some(MIGRATOR_HANDLER) => Ok(vec![migrator()]),
        Some(name) => {
            let function = function(stage, name)?;
            Ok(vec![source(name, stage.function_name(&function))])
        }
        None => {
            let functions = stage.functions().into_iter();
            Ok(functions
                .map(|function| source(function.as_str(), stage.function_name(function)))
                .chain([migrator()])
                .collect())
        }
    }
}

/// Prints what is new in all groups, in the order of time, and gives how many lines that were.
async fn print_new(
    ui: Ui,
    args: &LogsArgs,
    aws: &Aws,
    sources: &mut [Source],
) -> Result<usize, Error> {
    let mut lines: Vec<(String, LogEvent)> = Vec::new();
    let mut printed = 0;
    for source in sources {
        let found = aws.logs.events(&source.group, source.read.start).await?;
        let new = source.read.take_new(found).into_iter();
        lines.extend(new.map(|event| (source.function.clone(), event)));
    }
    // Stable: lines of one millisecond stay in their order.
    lines.sort_by_key(|(_, event)| event.timestamp);
    for (function, event) in &lines {
        let message = event.message.trim_end();
        if args.json {
            let line = Line {
                timestamp: event.timestamp,
                function,
                stream: &event.log_stream_name,
                message,
            };
            ui.result(&serde_json::to_string(&line).expect("texts and numbers are JSON"));
            printed += 1;
        } else if let Some(line) = render::log_line(function, message) {
            ui.result(&line);
            printed += 1;
        }
    }
    Ok(printed)
}

impl Reading {
    /// The events that were not there before, and begins the next look where late ones may still come.
    fn take_new(&mut self, found: Vec<LogEvent>) -> Vec<LogEvent> {
        let newest = found.iter().map(|event| event.timestamp).max();
        let late = u64::try_from(LATE.as_millis()).unwrap_or(u64::MAX);
        self.start = self.start.max(newest.unwrap_or(0).saturating_sub(late));
        let start = self.start;
        self.seen.retain(|_, timestamp| *timestamp >= start);
        found
            .into_iter()
            .filter(|event| {
                let printed = self.seen.insert(event.event_id.clone(), event.timestamp);
                printed.is_none()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, timestamp: u64) -> LogEvent {
        LogEvent {
            event_id: id.to_owned(),
            log_stream_name: "stream".to_owned(),
            timestamp,
            message: id.to_owned(),
        }
    }

    #[test]
    fn a_line_is_printed_once_and_a_late_one_too() {
        let mut read = Reading {
            start: 1_000,
            seen: HashMap::new(),
        };
        let mut new = |events: &[(&str, u64)]| -> Vec<String> {
            let events = events.iter().map(|(id, at)| event(id, *at)).collect();
            let new = read.take_new(events).into_iter();
            new.map(|event| event.event_id).collect()
        };
        assert_eq!(new(&[("a", 1_500), ("b", 30_000)]), ["a", "b"]);
        // The next look begins at 20,000.
        assert_eq!(new(&[("late", 25_000), ("b", 30_000)]), ["late"]);
        assert_eq!(
            new(&[("late", 25_000), ("b", 30_000), ("c", 30_000)]),
            ["c"]
        );
        assert!(new(&[]).is_empty());
        // Logs may answer without an event and then with all of them.
        assert_eq!(new(&[("c", 30_000), ("d", 31_000)]), ["d"]);
    }
}
