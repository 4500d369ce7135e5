//! Rows of CloudWatch and its Logs.

use crate::parity::{Row, Warned};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "logs-kept",
        service: "CloudWatch Logs",
        here: "a group keeps its newest 10,000 events and 4 MiB of messages; retention in days is recorded",
        aws: "events are kept for RetentionInDays, or for ever",
        warned: Warned::Never,
        source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
    },
    Row {
        id: "logs-patterns",
        service: "CloudWatch Logs",
        here: "a filter pattern is a text that a message contains",
        aws: "terms, optional terms, JSON and column patterns",
        warned: Warned::Never,
        source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html",
    },
    Row {
        id: "metrics",
        service: "CloudWatch",
        here: "there are no metrics and no alarms",
        aws: "each service writes metrics",
        warned: Warned::Never,
        source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/WhatIsCloudWatch.html",
    },
];
