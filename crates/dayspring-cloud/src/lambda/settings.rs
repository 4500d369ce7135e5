//! What is set of a function besides its code and its configuration: its policy, its concurrency, how its events are tried,
//! its tags. A change of these starts no new processes.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::qualifier;
use super::control::{
    CONCURRENCY_MAX, Done, conflict, edit, find, invalid, parse, resource_not_found, validation,
};
use super::date::unix_millis_now;
use super::function::{EventInvoke, Function};
use super::name::{LATEST, not_found, parse_function_name, parse_named};
use super::service::Service;
use crate::error::AwsError;
use crate::http::{Call, decode_percent, form_fields};

/// What of an account's concurrency no function may reserve:
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html>.
const UNRESERVED_MIN: u32 = 100;

pub(super) async fn policy(
    service: &Arc<Service>,
    call: &Call,
    name: &str,
    rest: &[&str],
) -> Option<Done> {
    let done = match (&call.parts.method, rest) {
        (&Method::POST, []) => add_permission(service, call, name).await,
        (&Method::GET, []) => policy_of(service, call, name).and_then(|(function, resource)| {
            let mut statements = function.kept.settings.policy.clone();
            statements.retain(|statement| statement["Resource"] == resource.as_str());
            if statements.is_empty() {
                return Err(resource_not_found(
                    "The resource you requested does not exist.",
                ));
            }
            let policy = json!({"Version": "2012-10-17", "Id": "default", "Statement": statements});
            let shown =
                json!({"Policy": policy.to_string(), "RevisionId": function.kept.revision_id});
            Ok((StatusCode::OK, Some(shown)))
        }),
        (&Method::DELETE, [id]) => {
            let id = decode_percent(id);
            let (function, resource) = match policy_of(service, call, name) {
                Ok(found) => found,
                Err(error) => return Some(Err(error)),
            };
            edit(service, &function.kept.spec.name, move |after| {
                let count = after.settings.policy.len();
                after.settings.policy.retain(|statement| {
                    statement["Sid"] != id.as_str() || statement["Resource"] != resource.as_str()
                });
                if after.settings.policy.len() == count {
                    return Err(resource_not_found(&format!(
                        "Statement {id} is not found in resource policy."
                    )));
                }
                Ok(())
            })
            .await
            .map(|_| (StatusCode::NO_CONTENT, None))
        }
        _ => return None,
    };
    Some(done)
}

/// The function, and the ARN that a policy is for: its own, or that of a version or an alias.
fn policy_of(
    service: &Service,
    call: &Call,
    name: &str,
) -> Result<(Arc<Function>, String), AwsError> {
    let text = decode_percent(name);
    let named = parse_named(&text, qualifier(call))?;
    let resource = service.qualified_arn(named);
    if service.resolve(named).is_none() {
        return Err(not_found(&resource));
    }
    Ok((find(service, named.name)?, resource))
}

async fn add_permission(service: &Arc<Service>, call: &Call, name: &str) -> Done {
    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Input {
        statement_id: String,
        action: String,
        principal: String,
        source_arn: Option<String>,
        source_account: Option<String>,
    }
    let input: Input = parse(&call.body)?;
    let (function, resource) = policy_of(service, call, name)?;
    let principal = if input.principal == "*" {
        json!("*")
    } else if input.principal.ends_with(".amazonaws.com") {
        json!({"Service": input.principal})
    } else {
        json!({"AWS": input.principal})
    };
    let mut statement = json!({
        "Sid": input.statement_id,
        "Effect": "Allow",
        "Principal": principal,
        "Action": input.action,
        "Resource": resource,
    });
    let mut condition = Map::new();
    if let Some(account) = input.source_account {
        condition.insert(
            "StringEquals".to_owned(),
            json!({"AWS:SourceAccount": account}),
        );
    }
    if let Some(arn) = input.source_arn {
        condition.insert("ArnLike".to_owned(), json!({"AWS:SourceArn": arn}));
    }
    if !condition.is_empty() {
        statement["Condition"] = Value::Object(condition);
    }
    let shown = json!({"Statement": statement.to_string()});
    let id = input.statement_id;
    edit(service, &function.kept.spec.name, move |after| {
        let is_taken = after.settings.policy.iter().any(|other| {
            other["Sid"] == id.as_str() && other["Resource"] == statement["Resource"]
        });
        if is_taken {
            return Err(conflict(format!(
                "The statement id ({id}) provided already exists. Please provide a new statement id, or remove the existing statement."
            )));
        }
        after.settings.policy.push(statement);
        Ok(())
    })
    .await?;
    Ok((StatusCode::CREATED, Some(shown)))
}

pub(super) async fn concurrency(service: &Arc<Service>, call: &Call, name: &str) -> Option<Done> {
    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Input {
        reserved_concurrent_executions: Option<u32>,
    }
    let shown = |reserved: Option<u32>| match reserved {
        Some(reserved) => json!({"ReservedConcurrentExecutions": reserved}),
        None => json!({}),
    };
    let set = |reserved| {
        edit(service, name, move |after| {
            after.spec.reserved_concurrency = reserved;
            Ok(())
        })
    };
    let done = match call.parts.method {
        Method::GET => find(service, name).map(|function| {
            let reserved = function.kept.spec.reserved_concurrency;
            (StatusCode::OK, Some(shown(reserved)))
        }),
        Method::DELETE => set(None).await.map(|_| (StatusCode::NO_CONTENT, None)),
        Method::PUT => match parse::<Input>(&call.body).and_then(|input| {
            check_concurrency(service, name, input.reserved_concurrent_executions)
        }) {
            Ok(reserved) => set(Some(reserved))
                .await
                .map(|_| (StatusCode::OK, Some(shown(Some(reserved))))),
            Err(error) => Err(error),
        },
        _ => return None,
    };
    Some(done)
}

fn check_concurrency(service: &Service, name: &str, wanted: Option<u32>) -> Result<u32, AwsError> {
    let wanted = wanted.ok_or_else(|| {
        validation("1 validation error detected: Value null at 'reservedConcurrentExecutions' failed to satisfy constraint: Member must not be null")
    })?;
    let name = decode_percent(name);
    let name = parse_function_name(&name, None)?;
    let others: u32 = service
        .list()
        .iter()
        .filter(|function| function.kept.spec.name != name)
        .filter_map(|function| function.kept.spec.reserved_concurrency)
        .sum();
    if others.saturating_add(wanted) > CONCURRENCY_MAX - UNRESERVED_MIN {
        return Err(invalid(format!(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [{UNRESERVED_MIN}]."
        )));
    }
    Ok(wanted)
}

pub(super) async fn event_invoke(
    service: &Arc<Service>,
    call: &Call,
    name: &str,
    rest: &[&str],
) -> Option<Done> {
    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Input {
        maximum_retry_attempts: Option<u32>,
        maximum_event_age_in_seconds: Option<u32>,
        destination_config: Option<Value>,
    }
    if let Some(other) = qualifier(call).filter(|qualifier| *qualifier != LATEST) {
        return Some(Err(invalid(format!(
            "The local cloud keeps one event invoke config for a function, whatever its version (Qualifier {other})."
        ))));
    }
    let missing = |function: &Function| {
        resource_not_found(&format!(
            "The function {}:$LATEST doesn't have an EventInvokeConfig",
            function.arn
        ))
    };
    let done = match (&call.parts.method, rest) {
        (&(Method::PUT | Method::POST), []) => {
            let merge = call.parts.method == Method::POST;
            match parse::<Input>(&call.body) {
                Err(error) => Err(error),
                Ok(input) => edit(service, name, move |after| {
                    check_range("maximumRetryAttempts", input.maximum_retry_attempts, 0, 2)?;
                    check_range(
                        "maximumEventAgeInSeconds",
                        input.maximum_event_age_in_seconds,
                        60,
                        21_600,
                    )?;
                    let before = after.settings.event_invoke.take().filter(|_| merge);
                    let before = before.unwrap_or_default();
                    after.settings.event_invoke = Some(EventInvoke {
                        retry_attempts_max: input
                            .maximum_retry_attempts
                            .or(before.retry_attempts_max),
                        event_age_seconds_max: input
                            .maximum_event_age_in_seconds
                            .or(before.event_age_seconds_max),
                        destinations: input.destination_config.or(before.destinations),
                        modified_unix_millis: unix_millis_now(),
                    });
                    Ok(())
                })
                .await
                .map(|function| (StatusCode::OK, event_invoke_shown(&function))),
            }
        }
        (&Method::GET, ["list"]) => find(service, name).map(|function| {
            let configs: Vec<Value> = event_invoke_shown(&function).into_iter().collect();
            (
                StatusCode::OK,
                Some(json!({"FunctionEventInvokeConfigs": configs})),
            )
        }),
        (&Method::GET, []) => find(service, name).and_then(|function| {
            event_invoke_shown(&function)
                .map(|shown| (StatusCode::OK, Some(shown)))
                .ok_or_else(|| missing(&function))
        }),
        (&Method::DELETE, []) => match find(service, name) {
            Ok(function) if function.kept.settings.event_invoke.is_none() => {
                Err(missing(&function))
            }
            Ok(_) => edit(service, name, |after| {
                after.settings.event_invoke = None;
                Ok(())
            })
            .await
            .map(|_| (StatusCode::NO_CONTENT, None)),
            Err(error) => Err(error),
        },
        _ => return None,
    };
    Some(done)
}

fn event_invoke_shown(function: &Function) -> Option<Value> {
    let config = function.kept.settings.event_invoke.as_ref()?;
    let mut shown = json!({
        "FunctionArn": format!("{}:$LATEST", function.arn),
        "LastModified": seconds(config.modified_unix_millis),
        "DestinationConfig": config.destinations.clone().unwrap_or_else(|| json!({"OnSuccess": {}, "OnFailure": {}})),
    });
    if let Some(attempts) = config.retry_attempts_max {
        shown["MaximumRetryAttempts"] = attempts.into();
    }
    if let Some(age) = config.event_age_seconds_max {
        shown["MaximumEventAgeInSeconds"] = age.into();
    }
    Some(shown)
}

/// Seconds since 1970 with a fraction, as REST-JSON writes a moment.
fn seconds(unix_millis: u64) -> Value {
    let whole = unix_millis / 1000;
    let rest = unix_millis % 1000;
    format!("{whole}.{rest:03}")
        .parse::<f64>()
        .map_or_else(|_| whole.into(), Value::from)
}

pub(super) async fn tags(service: &Arc<Service>, call: &Call, arn: &str) -> Option<Done> {
    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Input {
        tags: BTreeMap<String, String>,
    }
    let done = match call.parts.method {
        Method::GET => find(service, arn).map(|function| {
            let tags = &function.kept.settings.tags;
            (StatusCode::OK, Some(json!({"Tags": tags})))
        }),
        Method::POST => match parse::<Input>(&call.body) {
            Ok(input) => edit(service, arn, move |after| {
                after.settings.tags.extend(input.tags);
                Ok(())
            })
            .await
            .map(|_| (StatusCode::NO_CONTENT, None)),
            Err(error) => Err(error),
        },
        Method::DELETE => {
            let keys: Vec<String> = form_fields(call.parts.uri.query().unwrap_or_default())
                .into_iter()
                .filter(|(name, _)| name == "tagKeys")
                .map(|(_, key)| key)
                .collect();
            edit(service, arn, move |after| {
                after.settings.tags.retain(|name, _| !keys.contains(name));
                Ok(())
            })
            .await
            .map(|_| (StatusCode::NO_CONTENT, None))
        }
        _ => return None,
    };
    Some(done)
}

fn check_range(member: &str, value: Option<u32>, least: u32, most: u32) -> Result<(), AwsError> {
    let refused = |value: u32, rule: &str, bound: u32| {
        Err(validation(&format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must have value {rule} than or equal to {bound}"
        )))
    };
    match value {
        Some(value) if value < least => refused(value, "greater", least),
        Some(value) if value > most => refused(value, "less", most),
        _ => Ok(()),
    }
}
