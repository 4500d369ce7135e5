//! CloudFormation's query API: forms read, XML written.

use super::Service;
use super::drift;
use super::engine::OnFailure;
use super::goal::{Given, Wish};
use super::interruptions::Deletion;
use super::operations::{NewChangeSet, Update};
use super::provider::Provider;
use super::render;
use super::stack::{ChangeSetKind, StackStatus};
use super::template::{Template, invalid};
use crate::error::AwsError;
use crate::http::{Answer, Call};
use crate::protocol::query::{self, Form, unknown_action};
use crate::protocol::xml::Xml;

pub(crate) const SERVICE: query::Service = query::Service {
    namespace: "http://cloudformation.amazonaws.com/doc/2010-05-15/",
};

/// How many events, and how many of everything else, a page has.
const PAGE: usize = 100;

pub(super) fn answer<P: Provider>(service: &Service<P>, call: &Call) -> Answer {
    let form = Form::parse(call);
    let action = form.get("Action").unwrap_or_default().to_owned();
    // What is found is to be true still when it is acted upon: two who make a stack of one name make one stack.
    let _turn = (!reads(&action)).then(|| service.turn());
    match dispatch(service, &action, &form) {
        Ok(result) => SERVICE.answer(&action, call.request_id(), result),
        Err(error) => SERVICE.error(&error, call.request_id()),
    }
}

/// Whether an action changes nothing.
fn reads(action: &str) -> bool {
    ["Describe", "List", "Get", "Validate"]
        .iter()
        .any(|verb| action.starts_with(verb))
}

pub(super) type Result_ = Box<dyn FnOnce(&mut Xml)>;

fn dispatch<P: Provider>(
    service: &Service<P>,
    action: &str,
    form: &Form,
) -> Result<Result_, AwsError> {
    match action {
        "CreateChangeSet" => create_change_set(service, form),
        "DescribeChangeSet" => {
            let (stack, set) =
                service.find_change_set(form.require("ChangeSetName")?, form.get("StackName"))?;
            let values = form.is_true("IncludePropertyValues");
            let (changes, next) = page(&set.changes, form)?;
            Ok(Box::new(move |xml| {
                render::change_set(xml, &stack, &set, &changes, values);
                xml.optional("NextToken", next);
            }))
        }
        "ExecuteChangeSet" => {
            let set = form.require("ChangeSetName")?;
            service.execute_change_set(
                set,
                form.get("StackName"),
                form.is_true("DisableRollback"),
            )?;
            Ok(Box::new(|_| {}))
        }
        "DeleteChangeSet" => {
            service.delete_change_set(form.require("ChangeSetName")?, form.get("StackName"))?;
            Ok(Box::new(|_| {}))
        }
        "ListChangeSets" => {
            let stack = service.find_stack(form.require("StackName")?)?;
            let (sets, next) = page(&stack.change_sets, form)?;
            Ok(Box::new(move |xml| {
                xml.members("Summaries", &sets, |xml, set| {
                    render::change_set_summary(xml, &stack, set)
                });
                xml.optional("NextToken", next);
            }))
        }
        "CreateStack" => {
            let on_failure = match form.get("OnFailure") {
                Some("DELETE") => OnFailure::Delete,
                Some("DO_NOTHING") => OnFailure::DoNothing,
                _ if form.is_true("DisableRollback") => OnFailure::DoNothing,
                _ => OnFailure::Rollback,
            };
            let name = form.require("StackName")?;
            let policy = policy(service, form, "StackPolicy")?;
            let id = service.create_stack(name, wish(service, form)?, on_failure, policy)?;
            if form.is_true("EnableTerminationProtection") {
                service.protect(&id, true)?;
            }
            Ok(Box::new(move |xml| xml.text("StackId", id)))
        }
        "UpdateStack" => {
            let name = form.require("StackName")?;
            let how = Update {
                previous_template: form.is_true("UsePreviousTemplate"),
                disable_rollback: form.is_true("DisableRollback"),
                policy: policy(service, form, "StackPolicy")?,
                policy_during_update: policy(service, form, "StackPolicyDuringUpdate")?,
            };
            let id = service.update_stack(name, wish(service, form)?, how)?;
            Ok(Box::new(move |xml| xml.text("StackId", id)))
        }
        "DeleteStack" => {
            let deletion = Deletion {
                retained: form.list("RetainResources"),
                forced: form.get("DeletionMode") == Some("FORCE_DELETE_STACK"),
            };
            service.delete_stack(form.require("StackName")?, &deletion)?;
            Ok(Box::new(|_| {}))
        }
        "CancelUpdateStack" => {
            service.cancel_update(form.require("StackName")?)?;
            Ok(Box::new(|_| {}))
        }
        "ContinueUpdateRollback" => {
            let skipped = form.list("ResourcesToSkip");
            service.continue_rollback(form.require("StackName")?, &skipped)?;
            Ok(Box::new(|_| {}))
        }
        "RollbackStack" => {
            let id = service.roll_back_stack(form.require("StackName")?)?;
            Ok(Box::new(move |xml| xml.text("StackId", id)))
        }
        "SetStackPolicy" => {
            let policy = policy(service, form, "StackPolicy")?;
            service.set_policy(form.require("StackName")?, policy)?;
            Ok(Box::new(|_| {}))
        }
        "GetStackPolicy" => {
            let policy = service.find_stack(form.require("StackName")?)?.policy;
            Ok(Box::new(move |xml| xml.optional("StackPolicyBody", policy)))
        }
        "DetectStackDrift"
        | "DescribeStackDriftDetectionStatus"
        | "DescribeStackResourceDrifts" => drift::answer(service, action, form),
        "UpdateTerminationProtection" => {
            let name = form.require("StackName")?;
            let id = service.protect(name, form.is_true("EnableTerminationProtection"))?;
            Ok(Box::new(move |xml| xml.text("StackId", id)))
        }
        "DescribeStacks" => describe_stacks(service, form),
        "ListStacks" => list_stacks(service, form),
        "DescribeStackEvents" => describe_events(service, form),
        "DescribeStackResources" | "ListStackResources" | "DescribeStackResource" => {
            describe_resources(service, action, form)
        }
        "GetTemplate" => get_template(service, form),
        "GetTemplateSummary" => template_summary(service, form),
        "ValidateTemplate" => validate_template(service, form),
        "ListExports" => {
            let exports = service.engine.ledger.read(super::stack::Stacks::exports);
            let exports: Vec<_> = exports.into_iter().collect();
            let (exports, next) = page(&exports, form)?;
            Ok(Box::new(move |xml| {
                xml.members("Exports", exports, |xml, (name, (value, stack))| {
                    xml.text("ExportingStackId", stack);
                    xml.text("Name", name);
                    xml.text("Value", value);
                });
                xml.optional("NextToken", next);
            }))
        }
        "ListImports" => {
            let export = form.require("ExportName")?.to_owned();
            let importers: Vec<String> = service.engine.ledger.read(|stacks| {
                stacks
                    .by_id
                    .values()
                    .filter(|stack| stack.imports.contains(&export))
                    .map(|stack| stack.name.clone())
                    .collect()
            });
            if importers.is_empty() {
                return Err(invalid(format!(
                    "Export '{export}' is not imported by any stack."
                )));
            }
            let (importers, next) = page(&importers, form)?;
            Ok(Box::new(move |xml| {
                xml.members("Imports", importers, |xml, name| xml.inline(&name));
                xml.optional("NextToken", next);
            }))
        }
        other => Err(unknown_action(other)),
    }
}

fn create_change_set<P: Provider>(service: &Service<P>, form: &Form) -> Result<Result_, AwsError> {
    let stack = form.require("StackName")?.to_owned();
    let kind = match form.get("ChangeSetType") {
        Some("CREATE") => ChangeSetKind::Create,
        None | Some("UPDATE") => ChangeSetKind::Update,
        Some(other) => {
            return Err(invalid(format!(
                "this cloud has change sets of the types CREATE and UPDATE, and not {other}"
            )));
        }
    };
    let mut wish = wish(service, form)?;
    if form.is_true("UsePreviousTemplate") {
        wish.text = service.find_stack(&stack)?.template;
    }
    let (id, stack_id) = service.create_change_set(NewChangeSet {
        name: form.require("ChangeSetName")?.to_owned(),
        kind,
        description: form.get("Description").map(str::to_owned),
        on_failure: form.get("OnStackFailure").map(str::to_owned),
        include_values: form.is_true("IncludePropertyValues"),
        wish,
        stack,
    })?;
    Ok(Box::new(move |xml| {
        xml.text("Id", id);
        xml.text("StackId", stack_id);
    }))
}

/// The template, the parameters and the rest that an operation brings a stack to.
fn wish<P: Provider>(service: &Service<P>, form: &Form) -> Result<Wish, AwsError> {
    let text = if form.is_true("UsePreviousTemplate") {
        String::new()
    } else {
        template_text(service, form)?
    };
    Ok(Wish {
        text,
        given: form
            .structures("Parameters")
            .iter()
            .map(|parameter| Given {
                key: parameter.get("ParameterKey").unwrap_or_default().to_owned(),
                value: parameter.get("ParameterValue").map(str::to_owned),
                use_previous: parameter.is_true("UsePreviousValue"),
            })
            .collect(),
        previous: Vec::new(),
        tags: form
            .structures("Tags")
            .iter()
            .map(|tag| {
                let text = |name| tag.get(name).unwrap_or_default().to_owned();
                (text("Key"), text("Value"))
            })
            .collect(),
        capabilities: form.list("Capabilities"),
        role_arn: form.get("RoleARN").map(str::to_owned),
    })
}

fn template_text<P: Provider>(service: &Service<P>, form: &Form) -> Result<String, AwsError> {
    if let Some(body) = form.get("TemplateBody") {
        return Ok(body.to_owned());
    }
    let Some(url) = form.get("TemplateURL") else {
        return Err(invalid(
            "Either Template URL or Template Body must be specified.",
        ));
    };
    text_at(service, url)
}

/// A policy by its text (`...Body`) or its address (`...URL`).
fn policy<P: Provider>(
    service: &Service<P>,
    form: &Form,
    name: &str,
) -> Result<Option<String>, AwsError> {
    if let Some(body) = form.get(&format!("{name}Body")) {
        return Ok(Some(body.to_owned()));
    }
    form.get(&format!("{name}URL"))
        .map(|url| text_at(service, url))
        .transpose()
}

fn text_at<P: Provider>(service: &Service<P>, url: &str) -> Result<String, AwsError> {
    let bytes = service.templates.object_at_url(url).ok_or_else(|| {
        invalid(format!(
            "S3 error: The specified key does not exist. ({url})"
        ))
    })?;
    String::from_utf8(bytes.to_vec())
        .map_err(|_| invalid("Template format error: the template is not UTF-8"))
}

/// A page of a listing, and the token of the next one: how many items come before it.
fn page<T: Clone>(items: &[T], form: &Form) -> Result<(Vec<T>, Option<String>), AwsError> {
    let start = match form.get("NextToken") {
        None => 0,
        Some(token) => token
            .strip_prefix("after-")
            .and_then(|count| count.parse::<usize>().ok())
            .ok_or_else(|| invalid("Next token is invalid"))?,
    };
    let rest = items.get(start..).unwrap_or_default();
    let end = start + rest.len().min(PAGE);
    let next = (end < items.len()).then(|| format!("after-{end}"));
    Ok((items.get(start..end).unwrap_or_default().to_vec(), next))
}

fn describe_stacks<P: Provider>(service: &Service<P>, form: &Form) -> Result<Result_, AwsError> {
    let stacks = match form.get("StackName") {
        Some(name) => vec![service.find_stack(name)?],
        None => service.engine.ledger.read(|stacks| {
            stacks
                .by_id
                .values()
                .filter(|stack| stack.status != StackStatus::DeleteComplete)
                .cloned()
                .collect()
        }),
    };
    let (stacks, next) = page(&stacks, form)?;
    Ok(Box::new(move |xml| {
        xml.members("Stacks", &stacks, render::stack);
        xml.optional("NextToken", next);
    }))
}

fn list_stacks<P: Provider>(service: &Service<P>, form: &Form) -> Result<Result_, AwsError> {
    let filter = form.list("StackStatusFilter");
    let mut stacks: Vec<_> = service.engine.ledger.read(|stacks| {
        stacks
            .by_id
            .values()
            .filter(|stack| {
                filter.is_empty() || filter.iter().any(|status| status == stack.status.name())
            })
            .cloned()
            .collect()
    });
    stacks.sort_by_key(|stack| std::cmp::Reverse(stack.created));
    let (stacks, next) = page(&stacks, form)?;
    Ok(Box::new(move |xml| {
        xml.members("StackSummaries", &stacks, render::stack_summary);
        xml.optional("NextToken", next);
    }))
}

/// Newest first. A token is the id of the last event that was given.
fn describe_events<P: Provider>(service: &Service<P>, form: &Form) -> Result<Result_, AwsError> {
    let name = form.require("StackName")?;
    let stack = service
        .engine
        .ledger
        .read(|stacks| stacks.find(name).cloned())
        .ok_or_else(|| invalid(format!("Stack [{name}] does not exist")))?;
    let after = form.get("NextToken").map(str::to_owned);
    let events: Vec<_> = stack
        .events
        .iter()
        .rev()
        .skip_while(|event| after.as_ref().is_some_and(|after| event.id != *after))
        .skip(usize::from(after.is_some()))
        .take(PAGE + 1)
        .cloned()
        .collect();
    Ok(Box::new(move |xml| {
        let page = &events[..events.len().min(PAGE)];
        xml.members("StackEvents", page, |xml, event| {
            render::event(xml, &stack, event)
        });
        if events.len() > PAGE {
            xml.optional("NextToken", page.last().map(|event| event.id.as_str()));
        }
    }))
}

fn describe_resources<P: Provider>(
    service: &Service<P>,
    action: &str,
    form: &Form,
) -> Result<Result_, AwsError> {
    let name = match (form.get("StackName"), form.get("PhysicalResourceId")) {
        (Some(name), _) => name.to_owned(),
        (None, Some(physical_id)) => service
            .engine
            .ledger
            .read(|stacks| {
                let owner = stacks.by_id.values().find(|stack| {
                    stack
                        .resources
                        .values()
                        .any(|resource| resource.physical_id.as_deref() == Some(physical_id))
                });
                owner.map(|stack| stack.id.clone())
            })
            .ok_or_else(|| invalid(format!("Stack for {physical_id} does not exist")))?,
        (None, None) => form.require("StackName")?.to_owned(),
    };
    let stack = service.find_stack(&name)?;
    let logical_id = form.get("LogicalResourceId").map(str::to_owned);
    let resources: Vec<_> = stack
        .resources
        .values()
        .filter(|resource| {
            logical_id
                .as_ref()
                .is_none_or(|id| *id == resource.logical_id)
        })
        .cloned()
        .collect();
    match action {
        "ListStackResources" => {
            let (resources, next) = page(&resources, form)?;
            Ok(Box::new(move |xml| {
                xml.members("StackResourceSummaries", &resources, |xml, resource| {
                    render::resource(xml, resource, "LastUpdatedTimestamp");
                });
                xml.optional("NextToken", next);
            }))
        }
        "DescribeStackResource" => {
            let Some(resource) = resources.into_iter().next() else {
                return Err(invalid(format!(
                    "Resource {} does not exist for stack {name}",
                    logical_id.unwrap_or_default()
                )));
            };
            Ok(Box::new(move |xml| {
                xml.nest("StackResourceDetail", |xml| {
                    xml.text("StackName", &stack.name);
                    xml.text("StackId", &stack.id);
                    render::resource(xml, &resource, "LastUpdatedTimestamp");
                });
            }))
        }
        _ => Ok(Box::new(move |xml| {
            // It has no pages: AWS gives the first hundred.
            let first = resources.iter().take(PAGE);
            xml.members("StackResources", first, |xml, resource| {
                xml.text("StackName", &stack.name);
                xml.text("StackId", &stack.id);
                render::resource(xml, resource, "Timestamp");
            });
        })),
    }
}

fn get_template<P: Provider>(service: &Service<P>, form: &Form) -> Result<Result_, AwsError> {
    let text = match form.get("ChangeSetName") {
        Some(set) => {
            service
                .find_change_set(set, form.get("StackName"))?
                .1
                .template
        }
        None => service.find_stack(form.require("StackName")?)?.template,
    };
    Ok(Box::new(move |xml| {
        xml.text("TemplateBody", text);
        xml.members(
            "StagesAvailable",
            ["Original", "Processed"],
            |xml, stage| xml.inline(stage),
        );
    }))
}

fn template_summary<P: Provider>(service: &Service<P>, form: &Form) -> Result<Result_, AwsError> {
    let text = match form.get("StackName") {
        Some(name) => service.find_stack(name)?.template,
        None => template_text(service, form)?,
    };
    let template = Template::parse(&text)?;
    Ok(Box::new(move |xml| {
        render::parameter_definitions(xml, &template);
        render::capabilities(xml, &template);
        let types: std::collections::BTreeSet<&String> = template
            .resources
            .values()
            .map(|resource| &resource.type_name)
            .collect();
        xml.members("ResourceTypes", types, |xml, name| xml.inline(name));
        xml.optional("Description", template.description.as_ref());
        xml.optional(
            "Metadata",
            template.metadata.as_ref().map(ToString::to_string),
        );
        xml.text("Version", "2010-09-09");
    }))
}

fn validate_template<P: Provider>(service: &Service<P>, form: &Form) -> Result<Result_, AwsError> {
    let template = Template::parse(&template_text(service, form)?)?;
    Ok(Box::new(move |xml| {
        render::template_parameters(xml, &template);
        render::capabilities(xml, &template);
        xml.optional("Description", template.description.as_ref());
    }))
}

impl<P: Provider> Service<P> {
    /// Turns termination protection on or off. Gives the stack's id.
    fn protect(&self, name: &str, on: bool) -> Result<String, AwsError> {
        self.engine.ledger.change(|stacks| {
            let stack = stacks
                .find_mut(name)
                .ok_or_else(|| invalid(format!("Stack [{name}] does not exist")))?;
            stack.termination_protection = on;
            Ok(stack.id.clone())
        })?
    }
}
