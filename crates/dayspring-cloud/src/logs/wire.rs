//! The operations of CloudWatch Logs' JSON API.

use serde_json::{Value, json};

use super::store::{Event, Group, Store};
use crate::error::AwsError;
use crate::identity::Identity;
use crate::protocol::json::{Input, unknown_operation};

/// How many events an answer has at most, as `FilterLogEvents` and `GetLogEvents` limit it.
const PAGE_MAX: usize = 10_000;

pub(super) fn dispatch(
    store: &Store,
    identity: &Identity,
    operation: &str,
    input: &Input,
) -> Result<Value, AwsError> {
    match operation {
        "CreateLogGroup" => {
            let name = input.require("logGroupName")?;
            if store.ensure_group(name)? {
                Ok(json!({}))
            } else {
                Err(already_exists("log group"))
            }
        }
        "DeleteLogGroup" => {
            if store.delete_group(input.require("logGroupName")?)? {
                Ok(json!({}))
            } else {
                Err(no_such_group())
            }
        }
        "CreateLogStream" => {
            let group = input.require("logGroupName")?;
            let stream = input.require("logStreamName")?;
            require_group(store, group)?;
            if store.read(|groups| {
                groups
                    .get(group)
                    .is_some_and(|group| group.streams.contains_key(stream))
            }) {
                return Err(already_exists("log stream"));
            }
            store.ensure_stream(group, stream)?;
            Ok(json!({}))
        }
        "PutLogEvents" => put_log_events(store, input),
        "PutRetentionPolicy" => {
            let group = input.require("logGroupName")?;
            require_group(store, group)?;
            store.set_retention(group, input.number("retentionInDays"))?;
            Ok(json!({}))
        }
        "DeleteRetentionPolicy" => {
            let group = input.require("logGroupName")?;
            require_group(store, group)?;
            store.set_retention(group, None)?;
            Ok(json!({}))
        }
        "DescribeLogGroups" => Ok(describe_groups(store, identity, input)),
        "DescribeLogStreams" => describe_streams(store, identity, input),
        "FilterLogEvents" => filter_events(store, input),
        "GetLogEvents" => get_events(store, input),
        other => Err(unknown_operation(other)),
    }
}

fn put_log_events(store: &Store, input: &Input) -> Result<Value, AwsError> {
    let group = input.require("logGroupName")?;
    let stream = input.require("logStreamName")?;
    require_group(store, group)?;
    let events = input.list("logEvents").iter().map(|event| {
        (
            event["timestamp"].as_u64().unwrap_or_default(),
            event["message"].as_str().unwrap_or_default().to_owned(),
        )
    });
    store.append(group, stream, events);
    Ok(json!({ "nextSequenceToken": "0" }))
}

fn describe_groups(store: &Store, identity: &Identity, input: &Input) -> Value {
    let prefix = input.text("logGroupNamePrefix").unwrap_or_default();
    let pattern = input.text("logGroupNamePattern").unwrap_or_default();
    let groups: Vec<Value> = store.read(|groups| {
        groups
            .iter()
            .filter(|(name, _)| name.starts_with(prefix) && name.contains(pattern))
            .map(|(name, group)| {
                let stored: usize = group.events.iter().map(|event| event.message.len()).sum();
                let arn = identity.arn("logs", &format!("log-group:{name}"));
                let mut described = json!({
                    "logGroupName": name,
                    "creationTime": group.created,
                    "arn": format!("{arn}:*"),
                    "logGroupArn": arn,
                    "storedBytes": stored,
                    "metricFilterCount": 0,
                });
                if let Some(days) = group.retention_days {
                    described["retentionInDays"] = json!(days);
                }
                described
            })
            .collect()
    });
    json!({ "logGroups": groups })
}

fn describe_streams(store: &Store, identity: &Identity, input: &Input) -> Result<Value, AwsError> {
    let name = input
        .require("logGroupName")
        .or_else(|_| group_of_identifier(input))?;
    let prefix = input.text("logStreamNamePrefix").unwrap_or_default();
    with_group(store, name, |group| {
        let mut streams: Vec<Value> = group
            .streams
            .iter()
            .filter(|(stream, _)| stream.starts_with(prefix))
            .map(|(stream, details)| {
                let mut times = group
                    .events
                    .iter()
                    .filter(|event| event.stream == *stream)
                    .map(|event| event.at);
                let first = times.next();
                let mut described = json!({
                    "logStreamName": stream,
                    "creationTime": details.created,
                    "arn": identity.arn("logs", &format!("log-group:{name}:log-stream:{stream}")),
                    "storedBytes": 0,
                });
                if let Some(first) = first {
                    described["firstEventTimestamp"] = json!(first);
                    described["lastEventTimestamp"] = json!(times.next_back().unwrap_or(first));
                }
                described
            })
            .collect();
        if input.text("orderBy") == Some("LastEventTime") {
            streams.sort_by_key(|stream| stream["lastEventTimestamp"].as_u64().unwrap_or_default());
        }
        if input.is_true("descending") {
            streams.reverse();
        }
        if let Some(limit) = input
            .number("limit")
            .and_then(|limit| usize::try_from(limit).ok())
        {
            streams.truncate(limit);
        }
        json!({ "logStreams": streams })
    })
}

fn filter_events(store: &Store, input: &Input) -> Result<Value, AwsError> {
    let name = input
        .require("logGroupName")
        .or_else(|_| group_of_identifier(input))?;
    let streams = input.texts("logStreamNames");
    let stream_prefix = input.text("logStreamNamePrefix").unwrap_or_default();
    let pattern = input
        .text("filterPattern")
        .unwrap_or_default()
        .trim_matches('"');
    // A token is the id of the first event that was not given.
    let first: u64 = token(input, "nextToken").unwrap_or_default();
    let limit = limit(input);
    with_group(store, name, |group| {
        let mut matching = group.events.iter().filter(|event| {
            event.id >= first
                && within(event, input)
                && (streams.is_empty() || streams.contains(&event.stream.as_str()))
                && event.stream.starts_with(stream_prefix)
                && event.message.contains(pattern)
        });
        let page: Vec<&Event> = matching.by_ref().take(limit).collect();
        let events: Vec<Value> = page
            .iter()
            .map(|event| {
                json!({
                    "logStreamName": event.stream,
                    "timestamp": event.at,
                    "message": event.message,
                    "ingestionTime": event.ingested,
                    // 56 digits, as Logs writes them.
                    "eventId": format!("{:056}", event.id),
                })
            })
            .collect();
        let mut answer = json!({ "events": events, "searchedLogStreams": [] });
        if let Some(next) = matching.next() {
            answer["nextToken"] = json!(next.id.to_string());
        }
        answer
    })
}

fn get_events(store: &Store, input: &Input) -> Result<Value, AwsError> {
    let name = input
        .require("logGroupName")
        .or_else(|_| group_of_identifier(input))?;
    let stream = input.require("logStreamName")?;
    let from_head = input.is_true("startFromHead");
    let limit = limit(input);
    let token = input.text("nextToken").unwrap_or_default();
    let forward: Option<u64> = token.strip_prefix("f/").and_then(|id| id.parse().ok());
    let backward: Option<u64> = token.strip_prefix("b/").and_then(|id| id.parse().ok());
    with_group(store, name, |group| {
        if !group.streams.contains_key(stream) {
            return Err(AwsError::bad_request(
                "ResourceNotFoundException",
                "The specified log stream does not exist.",
            ));
        }
        let matching: Vec<&Event> = group
            .events
            .iter()
            .filter(|event| {
                event.stream == stream
                    && within(event, input)
                    && forward.is_none_or(|first| event.id >= first)
                    && backward.is_none_or(|end| event.id < end)
            })
            .collect();
        let page = if forward.is_some() || (from_head && backward.is_none()) {
            &matching[..matching.len().min(limit)]
        } else {
            &matching[matching.len().saturating_sub(limit)..]
        };
        let events: Vec<Value> = page
            .iter()
            .map(|event| {
                json!({
                    "timestamp": event.at,
                    "message": event.message,
                    "ingestionTime": event.ingested,
                })
            })
            .collect();
        let next = page
            .last()
            .map(|event| event.id + 1)
            .or(forward)
            .unwrap_or_default();
        let previous = page
            .first()
            .map(|event| event.id)
            .or(backward)
            .unwrap_or_default();
        Ok(json!({
            "events": events,
            "nextForwardToken": format!("f/{next}"),
            "nextBackwardToken": format!("b/{previous}"),
        }))
    })?
}

fn within(event: &Event, input: &Input) -> bool {
    input
        .number("startTime")
        .is_none_or(|start| event.at >= start)
        && input.number("endTime").is_none_or(|end| event.at <= end)
}

fn limit(input: &Input) -> usize {
    input
        .number("limit")
        .and_then(|limit| usize::try_from(limit).ok())
        .unwrap_or(PAGE_MAX)
        .clamp(1, PAGE_MAX)
}

fn token(input: &Input, name: &str) -> Option<u64> {
    input.text(name).and_then(|token| token.parse().ok())
}

/// `logGroupIdentifier` is a name or an ARN.
fn group_of_identifier(input: &Input) -> Result<&str, AwsError> {
    let identifier = input.require("logGroupIdentifier")?;
    Ok(identifier
        .split_once(":log-group:")
        .map_or(identifier, |(_, name)| name.trim_end_matches(":*")))
}

fn require_group(store: &Store, name: &str) -> Result<(), AwsError> {
    with_group(store, name, |_| ())
}

fn with_group<T>(store: &Store, name: &str, look: impl FnOnce(&Group) -> T) -> Result<T, AwsError> {
    store
        .read(|groups| groups.get(name).map(look))
        .ok_or_else(no_such_group)
}

fn no_such_group() -> AwsError {
    AwsError::bad_request(
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )
}

fn already_exists(what: &str) -> AwsError {
    AwsError::bad_request(
        "ResourceAlreadyExistsException",
        format!("The specified {what} already exists"),
    )
}
