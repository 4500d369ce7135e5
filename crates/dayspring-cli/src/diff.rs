//! What is different between two templates: resources, and permissions that widen.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

/// A resource that is not the same in both templates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Difference {
    pub(crate) logical_id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) action: Action,
    /// What of it; empty unless it is changed.
    pub(crate) properties: Vec<Property>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    Added,
    Changed,
    Removed,
}

/// A part of a resource; null is what is not there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Property {
    /// `Properties.Code.S3Key`
    pub(crate) path: String,
    pub(crate) before: Value,
    pub(crate) after: Value,
}

/// Something that somebody may do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Grant {
    /// The logical id of the role, or of the permission.
    pub(crate) to: String,
    /// On what, as the template says it.
    pub(crate) on: String,
    pub(crate) action: String,
}

/// The resources that differ, by their names.
pub(crate) fn resources(before: &Value, after: &Value) -> Vec<Difference> {
    let (before, after) = (members(&before["Resources"]), members(&after["Resources"]));
    let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let difference = |id: &String| {
        let (old, new) = (before.get(id), after.get(id));
        let mut properties = Vec::new();
        let action = match (old, new) {
            (Some(old), Some(new)) => {
                compare("", old, new, &mut properties);
                Action::Changed
            }
            (None, _) => Action::Added,
            (Some(_), None) => Action::Removed,
        };
        let kind = new.or(old).and_then(|resource| resource["Type"].as_str());
        (action != Action::Changed || !properties.is_empty()).then(|| Difference {
            logical_id: id.clone(),
            kind: kind.unwrap_or_default().to_owned(),
            action,
            properties,
        })
    };
    ids.into_iter().filter_map(difference).collect()
}

/// What is different beside the resources: outputs, parameters, the description.
pub(crate) fn others(before: &Value, after: &Value) -> Vec<Property> {
    let without_resources = |template: &Value| {
        let mut members = members(template);
        members.shift_remove("Resources");
        Value::Object(members)
    };
    let mut found = Vec::new();
    compare(
        "",
        &without_resources(before),
        &without_resources(after),
        &mut found,
    );
    found
}

/// What somebody may do after and could not do before. A denial that is gone counts.
pub(crate) fn widened(before: &Value, after: &Value) -> Vec<Grant> {
    let [mut widened, unchanged] = [after, before].map(|template| grants(template, "Allow"));
    widened.retain(|grant| !unchanged.contains(grant));
    let [denied, still_denied] = [before, after].map(|template| grants(template, "Deny"));
    let lifted = denied.difference(&still_denied).map(|grant| Grant {
        action: format!("{} (no longer denied)", grant.action),
        ..grant.clone()
    });
    widened.extend(lifted);
    widened.into_iter().collect()
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<Property>) {
    if before == after {
        return;
    }
    if let (Value::Object(old), Value::Object(new)) = (before, after) {
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            let value = |object: &Map<String, Value>| object.get(name).cloned().unwrap_or_default();
            let inner = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            compare(&inner, &value(old), &value(new), found);
        }
        return;
    }
    found.push(Property {
        path: path.to_owned(),
        before: before.clone(),
        after: after.clone(),
    });
}

fn grants(template: &Value, effect: &str) -> BTreeSet<Grant> {
    let mut grants = BTreeSet::new();
    for (id, resource) in members(&template["Resources"]) {
        let properties = &resource["Properties"];
        let mut grant = |action: &str, on: String| {
            grants.insert(Grant {
                to: id.clone(),
                action: action.to_owned(),
                on,
            });
        };
        for policy in many(&properties["Policies"]) {
            for (action, on) in statements(&policy["PolicyDocument"], effect) {
                grant(&action, on);
            }
        }
        if !matches!(resource["Type"].as_str(), Some(kind) if kind == "AWS::IAM::Role") {
            for (action, on) in statements(&properties["PolicyDocument"], effect) {
                grant(&action, on);
            }
        }
        for statement in many(&properties["AssumeRolePolicyDocument"]["Statement"]) {
            if statement["Effect"] == effect {
                grant("is assumed", principal_said(&statement["Principal"]));
            }
        }
        if effect != "Allow" {
            continue;
        }
        for (direction, action) in [
            ("SecurityGroupIngress", "lets in"),
            ("SecurityGroupEgress", "lets out"),
        ] {
            for rule in many(&properties[direction]) {
                grant(action, rule_said(rule));
            }
        }
        match resource["Type"].as_str() {
            Some("AWS::EC2::SecurityGroupIngress") => grant("lets in", rule_said(properties)),
            Some("AWS::EC2::SecurityGroupEgress") => grant("lets out", rule_said(properties)),
            // A preflight is for everybody.
            Some("AWS::ApiGateway::Method")
                if properties["AuthorizationType"] == "NONE"
                    && properties["HttpMethod"] != "OPTIONS" =>
            {
                grant("answers", "everybody".to_owned());
            }
            _ => {}
        }
        for policy in many(&properties["ManagedPolicyArns"]) {
            grant("has the policy", said(policy));
        }
        if resource["Type"] == "AWS::Lambda::Permission" {
            let action = properties["Action"].as_str().unwrap_or_default();
            let by = format!(
                "{} by {}",
                said(&properties["FunctionName"]),
                said(&properties["Principal"])
            );
            grant(
                action,
                format!("{by} from {}", said(&properties["SourceArn"])),
            );
        }
    }
    grants
}

/// The pairs of an action and what it may be done on. What is said by exception or under a condition stays whole.
fn statements(document: &Value, effect: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for statement in many(&document["Statement"]) {
        if statement["Effect"] != effect {
            continue;
        }
        let whole = ["NotAction", "NotResource", "Condition", "Principal"]
            .iter()
            .any(|name| !statement[name].is_null());
        if whole {
            pairs.push(("statement".to_owned(), said(statement)));
            continue;
        }
        for action in many(&statement["Action"]) {
            for on in many(&statement["Resource"]) {
                pairs.push((said(action), said(on)));
            }
        }
    }
    pairs
}

/// A rule of a security group: `tcp 3306 10.0.0.0/16`.
fn rule_said(rule: &Value) -> String {
    let protocol = match said(&rule["IpProtocol"]) {
        all if all == "-1" => "everything".to_owned(),
        protocol => protocol,
    };
    let ports = match (&rule["FromPort"], &rule["ToPort"]) {
        (Value::Null, _) => String::new(),
        (from, to) if from == to => format!(" {from}"),
        (from, to) => format!(" {from}-{to}"),
    };
    let peers = rule.as_object().into_iter().flatten().filter(|(name, _)| {
        name.starts_with("Cidr")
            || name.ends_with("SecurityGroupId")
            || name.ends_with("PrefixListId")
    });
    let peers: Vec<String> = peers.map(|(_, peer)| said(peer)).collect();
    format!("{protocol}{ports} {}", peers.join(" "))
}

/// Who: an AWS service by its name.
fn principal_said(principal: &Value) -> String {
    match principal.as_object() {
        Some(one) if one.len() == 1 && one.contains_key("Service") => said(&principal["Service"]),
        _ => said(principal),
    }
}

/// One or a list, as IAM's documents have both; null is none.
fn many(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

fn members(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// A value on one line, short where it is a reference.
pub(crate) fn said(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(object) if object.len() == 1 => {
            match object
                .iter()
                .next()
                .map(|(name, value)| (name.as_str(), value))
            {
                Some(("Ref", Value::String(name))) => format!("${{{name}}}"),
                Some(("Fn::GetAtt", Value::Array(path))) => {
                    let path: Vec<String> = path.iter().map(said).collect();
                    format!("${{{}}}", path.join("."))
                }
                Some(("Fn::GetAtt", Value::String(path))) => format!("${{{path}}}"),
                // References stand in it in the same way.
                Some(("Fn::Sub", Value::String(text))) => text.clone(),
                _ => value.to_string(),
            }
        }
        Value::Null => "nothing".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(resources: Value) -> Value {
        json!({ "Resources": resources })
    }

    #[test]
    fn a_changed_resource_says_what_of_it_changed() {
        let before = template(json!({
            "Same": { "Type": "T" },
            "Gone": { "Type": "T" },
            "F": { "Type": "AWS::Lambda::Function", "Properties": { "Code": { "S3Key": "a" }, "MemorySize": 256 } },
        }));
        let after = template(json!({
            "F": { "Type": "AWS::Lambda::Function", "Properties": { "Code": { "S3Key": "b" }, "Timeout": 3, "MemorySize": 256 } },
            "New": { "Type": "U" },
            "Same": { "Type": "T" },
        }));
        let shown: Vec<String> = resources(&before, &after)
            .iter()
            .map(|found| {
                let parts = found.properties.iter();
                let parts: Vec<String> = parts
                    .map(|part| format!("{} {} {}", part.path, part.before, part.after))
                    .collect();
                format!(
                    "{:?} {} {}: {}",
                    found.action,
                    found.logical_id,
                    found.kind,
                    parts.join(", ")
                )
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        Changed F AWS::Lambda::Function: Properties.Code.S3Key "a" "b", Properties.Timeout null 3
        Removed Gone T: 
        Added New U: 
        "#);
        assert!(resources(&before, &before).is_empty());
    }

    #[test]
    fn what_widens_is_what_is_newly_allowed_or_no_longer_denied() {
        let role = |allowed: Value, deny: bool| {
            let mut statements = vec![
                json!({ "Effect": "Allow", "Action": allowed, "Resource": { "Fn::GetAtt": ["Table", "Arn"] } }),
            ];
            if deny {
                statements.push(json!({ "Effect": "Deny", "Action": "s3:*", "Resource": "*" }));
            }
            let document = json!({ "Statement": statements });
            template(
                json!({ "Role": { "Type": "AWS::IAM::Role", "Properties": { "Policies": [{ "PolicyDocument": document }] } } }),
            )
        };
        let before = role(json!(["a:Read", "a:List"]), true);
        let after = role(json!(["a:Read", "a:Write"]), false);
        let shown: Vec<String> = widened(&before, &after)
            .iter()
            .map(|grant| format!("{}: {} on {}", grant.to, grant.action, grant.on))
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        Role: a:Write on ${Table.Arn}
        Role: s3:* (no longer denied) on *
        ");
        // One action less, and one denial more.
        assert!(
            widened(
                &role(json!(["a:Read", "a:List"]), false),
                &role(json!("a:Read"), true)
            )
            .is_empty()
        );
    }

    #[test]
    fn a_door_that_opens_is_a_permission_that_widens() {
        let group = |rules: Value| {
            template(
                json!({ "Group": { "Type": "AWS::EC2::SecurityGroup", "Properties": {
                "SecurityGroupEgress": [{ "CidrIp": "127.0.0.1/32", "IpProtocol": "-1" }],
                "SecurityGroupIngress": rules,
            } }, "Get": { "Type": "AWS::ApiGateway::Method", "Properties": {
                "HttpMethod": "GET", "AuthorizationType": if rules == json!([]) { "AWS_IAM" } else { "NONE" },
            } } }),
            )
        };
        let open = json!([{ "CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306 }]);
        let shown: Vec<String> = widened(&group(json!([])), &group(open))
            .iter()
            .map(|grant| format!("{} {} {}", grant.to, grant.action, grant.on))
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        Get answers everybody
        Group lets in tcp 3306 0.0.0.0/0
        ");
    }

    #[test]
    fn what_is_no_resource_is_compared_too() {
        let output =
            |value: &str| json!({ "Resources": {}, "Outputs": { "Url": { "Value": value } } });
        let found = others(&output("a"), &output("b"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "Outputs.Url.Value");
    }
}
