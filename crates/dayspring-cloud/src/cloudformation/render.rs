//! Stacks, resources, events and change sets as the query API writes them.

use super::change_set::{Action, Change, Detail, Replacement};
use super::hidden;
use super::stack::{ChangeSet, Event, Parameter, Policy, Resource, Stack};
use super::template::Template;
use crate::protocol::time::iso8601;
use crate::protocol::xml::Xml;

/// What stands in the place of a value that another change decides.
const KNOWN_AFTER_APPLY: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

pub(super) fn stack(xml: &mut Xml, stack: &Stack) {
    xml.text("StackId", &stack.id);
    xml.text("StackName", &stack.name);
    xml.optional("ChangeSetId", stack.change_set_id.as_ref());
    xml.optional("Description", stack.description.as_ref());
    parameters(xml, &stack.parameters);
    times(xml, stack);
    xml.nest("RollbackConfiguration", |_| {});
    xml.text("StackStatus", stack.status.name());
    xml.optional("StackStatusReason", stack.status_reason.as_ref());
    xml.text("DisableRollback", stack.disable_rollback.to_string());
    xml.members("NotificationARNs", [""; 0], |_, _| {});
    xml.members("Capabilities", &stack.capabilities, |xml, name| {
        xml.inline(name)
    });
    xml.members("Outputs", &stack.outputs, |xml, output| {
        xml.text("OutputKey", &output.key);
        xml.text("OutputValue", &output.value);
        xml.optional("Description", output.description.as_ref());
        xml.optional("ExportName", output.export.as_ref());
    });
    xml.optional("RoleARN", stack.role_arn.as_ref());
    tags(xml, &stack.tags);
    xml.text(
        "EnableTerminationProtection",
        stack.termination_protection.to_string(),
    );
    xml.nest("DriftInformation", |xml| {
        xml.text("StackDriftStatus", "NOT_CHECKED")
    });
}

pub(super) fn stack_summary(xml: &mut Xml, stack: &Stack) {
    xml.text("StackId", &stack.id);
    xml.text("StackName", &stack.name);
    xml.optional("TemplateDescription", stack.description.as_ref());
    times(xml, stack);
    xml.text("StackStatus", stack.status.name());
    xml.optional("StackStatusReason", stack.status_reason.as_ref());
    xml.nest("DriftInformation", |xml| {
        xml.text("StackDriftStatus", "NOT_CHECKED")
    });
}

pub(super) fn event(xml: &mut Xml, stack: &Stack, event: &Event) {
    xml.text("StackId", &stack.id);
    xml.text("EventId", &event.id);
    xml.text("StackName", &stack.name);
    xml.text("LogicalResourceId", &event.logical_id);
    xml.text(
        "PhysicalResourceId",
        event.physical_id.as_deref().unwrap_or_default(),
    );
    xml.text("ResourceType", &event.type_name);
    xml.text("Timestamp", iso8601(event.at));
    xml.text("ResourceStatus", &event.status);
    xml.optional("ResourceStatusReason", event.reason.as_ref());
    xml.optional("ResourceProperties", event.properties.as_ref());
    xml.optional("ClientRequestToken", event.token.as_ref());
}

/// A resource; its time has another name in each operation.
pub(super) fn resource(xml: &mut Xml, resource: &Resource, time: &str) {
    xml.text("LogicalResourceId", &resource.logical_id);
    xml.optional("PhysicalResourceId", resource.physical_id.as_ref());
    xml.text("ResourceType", &resource.type_name);
    xml.text(time, iso8601(resource.changed));
    xml.text("ResourceStatus", &resource.status);
    xml.optional("ResourceStatusReason", resource.status_reason.as_ref());
    xml.nest("DriftInformation", |xml| {
        xml.text("StackResourceDriftStatus", "NOT_CHECKED")
    });
}

/// A change set with some of its changes.
pub(super) fn change_set(
    xml: &mut Xml,
    stack: &Stack,
    set: &ChangeSet,
    changes: &[Change],
    values: bool,
) {
    change_set_summary(xml, stack, set);
    parameters(xml, &set.parameters);
    xml.members("NotificationARNs", [""; 0], |_, _| {});
    xml.members("Capabilities", &set.capabilities, |xml, name| {
        xml.inline(name)
    });
    tags(xml, &set.tags);
    xml.optional("OnStackFailure", set.on_failure.as_ref());
    xml.members("Changes", changes, |xml, found| {
        xml.text("Type", "Resource");
        xml.nest("ResourceChange", |xml| {
            change(xml, found, values || set.include_values)
        });
    });
}

pub(super) fn change_set_summary(xml: &mut Xml, stack: &Stack, set: &ChangeSet) {
    let (status, execution) = match set.failure {
        Some(_) => ("FAILED", "UNAVAILABLE"),
        None => ("CREATE_COMPLETE", set.execution.name()),
    };
    xml.text("ChangeSetName", &set.name);
    xml.text("ChangeSetId", &set.id);
    xml.text("StackId", &stack.id);
    xml.text("StackName", &stack.name);
    xml.optional("Description", set.description.as_ref());
    xml.text("CreationTime", iso8601(set.created));
    xml.text("ExecutionStatus", execution);
    xml.text("Status", status);
    xml.optional("StatusReason", set.failure.as_ref());
    xml.text("IncludeNestedStacks", "false");
}

fn change(xml: &mut Xml, change: &Change, values: bool) {
    xml.text(
        "Action",
        match change.action {
            Action::Add => "Add",
            Action::Modify => "Modify",
            Action::Remove => "Remove",
        },
    );
    xml.text("LogicalResourceId", &change.logical_id);
    xml.optional("PhysicalResourceId", change.physical_id.as_ref());
    xml.text("ResourceType", &change.type_name);
    xml.optional(
        "Replacement",
        change.replacement.map(|replacement| match replacement {
            Replacement::True => "True",
            Replacement::False => "False",
            Replacement::Conditional => "Conditional",
        }),
    );
    xml.optional(
        "PolicyAction",
        change.policy.map(|policy| match policy {
            Policy::Delete => "Delete",
            Policy::Retain | Policy::RetainExceptOnCreate => "Retain",
            Policy::Snapshot => "Snapshot",
        }),
    );
    let scope: std::collections::BTreeSet<&String> = change
        .details
        .iter()
        .map(|detail| &detail.attribute)
        .collect();
    xml.members("Scope", scope, |xml, attribute| xml.inline(attribute));
    xml.members("Details", &change.details, |xml, found| {
        detail(xml, found, values)
    });
}

fn detail(xml: &mut Xml, detail: &Detail, values: bool) {
    xml.nest("Target", |xml| {
        xml.text("Attribute", &detail.attribute);
        xml.optional("Name", detail.name.as_ref());
        let recreation = match (detail.replaces, &detail.cause) {
            (false, _) => "Never",
            (true, None) => "Always",
            (true, Some(_)) => "Conditionally",
        };
        xml.text("RequiresRecreation", recreation);
        if values {
            xml.optional(
                "Path",
                detail
                    .name
                    .as_ref()
                    .map(|name| format!("/Properties/{name}")),
            );
            xml.optional("BeforeValue", detail.before.as_ref());
            // What AWS writes for what another change decides.
            let later = detail.cause.as_ref().map(|_| KNOWN_AFTER_APPLY);
            xml.optional("AfterValue", detail.after.as_deref().or(later));
            let kind = match (&detail.before, &detail.after) {
                (None, _) => "Add",
                (Some(_), None) if detail.cause.is_none() => "Remove",
                (Some(_), _) => "Modify",
            };
            xml.text("AttributeChangeType", kind);
        }
    });
    match &detail.cause {
        None => {
            xml.text("Evaluation", "Static");
            xml.text("ChangeSource", "DirectModification");
        }
        Some(cause) => {
            xml.text("Evaluation", "Dynamic");
            xml.text("ChangeSource", "ResourceReference");
            xml.text("CausingEntity", cause);
        }
    }
}

pub(super) fn parameter_definitions(xml: &mut Xml, template: &Template) {
    xml.members(
        "Parameters",
        &template.parameters,
        |xml, (name, definition)| {
            xml.text("ParameterKey", name);
            xml.optional("DefaultValue", definition.default.as_ref());
            xml.text("ParameterType", &definition.kind);
            xml.text("NoEcho", definition.no_echo.to_string());
            xml.optional("Description", definition.description.as_ref());
            xml.nest("ParameterConstraints", |xml| {
                if !definition.allowed_values.is_empty() {
                    xml.members("AllowedValues", &definition.allowed_values, |xml, value| {
                        xml.inline(value)
                    });
                }
            });
        },
    );
}

/// The parameters as `ValidateTemplate` lists them: with less than `GetTemplateSummary` does.
pub(super) fn template_parameters(xml: &mut Xml, template: &Template) {
    xml.members(
        "Parameters",
        &template.parameters,
        |xml, (name, definition)| {
            xml.text("ParameterKey", name);
            xml.optional("DefaultValue", definition.default.as_ref());
            xml.text("NoEcho", definition.no_echo.to_string());
            xml.optional("Description", definition.description.as_ref());
        },
    );
}

pub(super) fn capabilities(xml: &mut Xml, template: &Template) {
    let needed = template.capabilities();
    if !needed.is_empty() {
        xml.members("Capabilities", &needed, |xml, name| xml.inline(name));
        xml.text(
            "CapabilitiesReason",
            "The following resource(s) require capabilities: [AWS::IAM::Role]",
        );
    }
}

fn parameters(xml: &mut Xml, parameters: &[Parameter]) {
    xml.members("Parameters", parameters, |xml, parameter| {
        xml.text("ParameterKey", &parameter.key);
        if parameter.no_echo {
            xml.text("ParameterValue", hidden::MASK);
        } else {
            xml.text("ParameterValue", &parameter.value);
            xml.optional("ResolvedValue", parameter.resolved.as_ref());
        }
    });
}

fn tags(xml: &mut Xml, tags: &std::collections::BTreeMap<String, String>) {
    xml.members("Tags", tags, |xml, (key, value)| {
        xml.text("Key", key);
        xml.text("Value", value);
    });
}

fn times(xml: &mut Xml, stack: &Stack) {
    xml.text("CreationTime", iso8601(stack.created));
    xml.optional("LastUpdatedTime", stack.updated.map(iso8601));
    xml.optional("DeletionTime", stack.deleted.map(iso8601));
}
