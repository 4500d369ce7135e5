use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::cloudformation::goal::{Given, Wish};
use crate::cloudformation::intrinsics::Secrets;
use crate::cloudformation::provider::{
    Attributes, Change as Effect, Existing, Failure, Properties, Provisioned, Request, Schema,
};
use crate::cloudformation::stack::StackStatus;
use crate::identity::Identity;

/// Types without anything behind them: `Thing`, and `Custom::Any`.
#[derive(Debug)]
struct Catalogue;

static THING: Schema = Schema {
    properties: Properties::Known(&[("Value", Effect::InPlace), ("Size", Effect::Replaces)]),
    attributes: Attributes::Known(&["Arn"]),
};

static CUSTOM: Schema = Schema {
    properties: Properties::Any,
    attributes: Attributes::Any,
};

impl Provider for Catalogue {
    fn type_names(&self) -> &'static [&'static str] {
        &[]
    }

    fn schema(&self, type_name: &str) -> Option<&'static Schema> {
        match type_name {
            "Thing" => Some(&THING),
            "Custom::Any" => Some(&CUSTOM),
            _ => None,
        }
    }

    async fn create(&self, _: Request) -> Result<Provisioned, Failure> {
        Err(Failure::new("nothing is made here"))
    }

    async fn update(&self, _: Request, _: Existing) -> Result<Provisioned, Failure> {
        Err(Failure::new("nothing is made here"))
    }

    async fn delete(&self, _: Request, _: Existing, _: bool) -> Result<(), Failure> {
        Err(Failure::new("nothing is made here"))
    }
}

#[derive(Debug)]
struct Store;

impl Secrets for Store {
    fn resolve(&self, _: &str, key: &str) -> Option<String> {
        (key == "/known").then(|| "kept".to_owned())
    }
}

fn surroundings() -> Surroundings {
    Surroundings {
        identity: Identity::default(),
        url_suffix: "localhost".to_owned(),
        secrets: Arc::new(Store),
    }
}

fn goal(template: &Value, given: &[(&str, &str)]) -> Result<Goal, AwsError> {
    let wish = Wish {
        text: template.to_string(),
        given: given
            .iter()
            .map(|(key, value)| Given {
                key: (*key).to_owned(),
                value: Some((*value).to_owned()),
                use_previous: false,
            })
            .collect(),
        ..Wish::default()
    };
    Goal::new(wish, &surroundings(), &Catalogue, &BTreeMap::new())
}

/// A stack of resources with these properties, each with its id and `Arn`.
fn stack(resources: &[(&str, &str, Value)]) -> Stack {
    let resources = resources.iter().map(|(id, type_name, properties)| {
        let resource = Resource {
            logical_id: (*id).to_owned(),
            type_name: (*type_name).to_owned(),
            physical_id: Some(format!("{id}-1")),
            status: "CREATE_COMPLETE".to_owned(),
            status_reason: None,
            changed: 0,
            properties: properties.as_object().unwrap().clone(),
            attributes: BTreeMap::from([("Arn".to_owned(), Value::from(format!("arn:{id}")))]),
            no_echo: false,
            depends_on: BTreeSet::new(),
            deletion_policy: Policy::Delete,
            update_replace_policy: Policy::Delete,
        };
        ((*id).to_owned(), resource)
    });
    Stack {
        id: "arn:stack".to_owned(),
        name: "blog".to_owned(),
        description: None,
        status: StackStatus::CreateComplete,
        status_reason: None,
        created: 0,
        updated: None,
        deleted: None,
        template: String::new(),
        parameters: Vec::new(),
        tags: BTreeMap::new(),
        capabilities: Vec::new(),
        role_arn: None,
        imports: BTreeSet::new(),
        outputs: Vec::new(),
        resources: resources.collect(),
        leftovers: Vec::new(),
        events: VecDeque::new(),
        change_sets: Vec::new(),
        change_set_id: None,
        termination_protection: false,
        disable_rollback: false,
        policy: None,
        before_update: None,
    }
}

/// The changes, a line each: `ACTION ID [REPLACEMENT] [PROPERTY<CAUSE ...]`.
#[track_caller]
fn changes(template: &Value, stack: &Stack) -> String {
    let goal = goal(template, &[]).unwrap();
    let changes = plan(&goal, stack, &surroundings(), &Catalogue, &BTreeMap::new()).unwrap();
    let lines: Vec<String> = changes
        .iter()
        .map(|change| {
            let mut line = format!("{:?} {}", change.action, change.logical_id);
            if let Some(replacement) = change.replacement {
                line.push_str(&format!(" {replacement:?}"));
            }
            for detail in &change.details {
                line.push_str(&format!(
                    " {}",
                    detail.name.as_ref().unwrap_or(&detail.attribute)
                ));
                if let Some(cause) = &detail.cause {
                    line.push_str(&format!("<{cause}"));
                }
            }
            line
        })
        .collect();
    lines.join("\n")
}

#[test]
fn a_replacement_reaches_what_refers_to_it_and_an_in_place_change_does_not() {
    let now = stack(&[
        ("A", "Thing", json!({"Size": "s"})),
        ("B", "Thing", json!({"Value": "A-1"})),
        ("C", "Thing", json!({"Size": "arn:B"})),
        ("D", "Thing", json!({"Value": "x"})),
    ]);
    let template = |a: Value, b: Value| {
        json!({"Resources": {
            "A": {"Type": "Thing", "Properties": a},
            "B": {"Type": "Thing", "Properties": b},
            "C": {"Type": "Thing", "Properties": {"Size": {"Fn::GetAtt": ["B", "Arn"]}}},
            "D": {"Type": "Thing", "Properties": {"Value": "x"}},
        }})
    };
    let refers = json!({"Value": {"Ref": "A"}});
    insta::assert_snapshot!(changes(&template(json!({"Size": "s"}), refers.clone()), &now), @"");
    insta::assert_snapshot!(changes(&template(json!({"Size": "l"}), refers.clone()), &now), @r"
    Modify A True Size
    Modify B False Value<A
    ");
    insta::assert_snapshot!(changes(&template(json!({"Size": "s"}), json!({"Value": {"Ref": "A"}, "Size": "new"})), &now), @r"
    Modify B True Size
    Modify C Conditional Size<B
    ");
}

#[test]
fn what_a_changed_custom_resource_will_say_is_not_known_before() {
    let now = stack(&[
        (
            "M",
            "Custom::Any",
            json!({"ServiceToken": "f", "Digest": "1"}),
        ),
        ("A", "Thing", json!({"Value": "arn:M"})),
        ("B", "Thing", json!({"Value": "M-1"})),
    ]);
    let template = json!({"Resources": {
        "M": {"Type": "Custom::Any", "Properties": {"ServiceToken": "f", "Digest": "2"}},
        "A": {"Type": "Thing", "Properties": {"Value": {"Fn::GetAtt": ["M", "Arn"]}}},
        "B": {"Type": "Thing", "Properties": {"Value": {"Ref": "M"}}},
    }});
    insta::assert_snapshot!(changes(&template, &now), @r"
    Modify M False Digest
    Modify A False Value<M
    ");
}

#[test]
fn what_is_added_removed_or_only_kept_otherwise_is_told() {
    let now = stack(&[("A", "Thing", json!({})), ("Old", "Thing", json!({}))]);
    let template = json!({
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {
            "A": {"Type": "Thing", "DeletionPolicy": "Retain"},
            "New": {"Type": "Thing", "Properties": {"Value": {"Ref": "A"}}},
            "Old": {"Type": "Thing", "Condition": "Never"},
        },
    });
    insta::assert_snapshot!(changes(&template, &now), @r"
    Modify A False DeletionPolicy
    Add New
    Remove Old
    ");
}

#[test]
fn another_type_under_the_same_name_is_refused() {
    let now = stack(&[("A", "Custom::Any", json!({}))]);
    let goal = goal(&json!({"Resources": {"A": {"Type": "Thing"}}}), &[]).unwrap();
    let refused = plan(&goal, &now, &surroundings(), &Catalogue, &BTreeMap::new()).unwrap_err();
    insta::assert_snapshot!(refused.message, @"Update of resource type is not permitted. The new template modifies resource type of the following resources: [A]");
}

#[test]
fn parameters_are_checked_and_resolved() {
    let template = json!({
        "Parameters": {
            "Stage": {"Type": "String", "AllowedValues": ["dev", "prod"]},
            "Days": {"Type": "Number", "Default": 7, "MaxValue": 30},
            "Zones": {"Type": "CommaDelimitedList", "Default": "a, b"},
            "Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/known"},
        },
        "Resources": {"A": {"Type": "Thing"}},
    });
    let refused = |given: &[(&str, &str)]| goal(&template, given).unwrap_err().message;
    insta::assert_snapshot!(refused(&[]), @"Parameters: [Stage] must have values");
    insta::assert_snapshot!(refused(&[("Stage", "dev"), ("Colour", "red")]), @"Parameters: [Colour] do not exist in the template");
    insta::assert_snapshot!(refused(&[("Stage", "test")]), @"Parameter 'Stage' must be one of AllowedValues");
    insta::assert_snapshot!(refused(&[("Stage", "dev"), ("Days", "x")]), @"Parameter 'Days' must be a number.");
    insta::assert_snapshot!(refused(&[("Stage", "dev"), ("Days", "31")]), @"Parameter 'Days' must be a number not greater than 30");
    insta::assert_snapshot!(refused(&[("Stage", "dev"), ("Stored", "/lost")]), @"Unable to fetch parameters [/lost] from parameter store for this account.");
    let goal = goal(&template, &[("Stage", "dev")]).unwrap();
    assert_eq!(goal.values["Zones"], json!(["a", "b"]));
    assert_eq!(goal.values["Stored"], "kept");
}

#[test]
fn a_rule_that_does_not_hold_says_what_it_asserts() {
    let template = |version: &str| {
        json!({
            "Parameters": {"Version": {"Type": "String", "Default": version}},
            "Rules": {"CheckVersion": {"Assertions": [{
                "Assert": {"Fn::Not": [{"Fn::Contains": [["1", "2"], {"Ref": "Version"}]}]},
                "AssertDescription": "version 3 is needed",
            }]}},
            "Resources": {"A": {"Type": "Thing"}},
        })
    };
    assert!(goal(&template("3"), &[]).is_ok());
    insta::assert_snapshot!(goal(&template("2"), &[]).unwrap_err().message, @"Rules [CheckVersion] failed validation: version 3 is needed");
}
