//! Secrets that a template makes, as a function reads them.

use serde_json::{Value, json};

use crate::client::{Running, send, signed_for, text_of};

fn template(description: &str, key: &str) -> String {
    json!({
        "Resources": {
            "Account": {
                "Type": "AWS::SecretsManager::Secret",
                "Properties": {
                    "Description": description,
                    "GenerateSecretString": {
                        "SecretStringTemplate": "{\"username\":\"functions\"}",
                        "GenerateStringKey": key,
                        "PasswordLength": 40,
                        "ExcludePunctuation": true,
                    },
                },
            },
        },
        "Outputs": { "Arn": { "Value": { "Ref": "Account" } } },
    })
    .to_string()
}

fn deploy(cloud: &Running, kind: &str, name: &str, template: &str) -> String {
    let names = [("StackName", "blog"), ("ChangeSetName", name)];
    let (status, body) = cloud.cloudformation(
        "CreateChangeSet",
        &[
            names[0],
            names[1],
            ("ChangeSetType", kind),
            ("TemplateBody", template),
        ],
    );
    assert_eq!(status, 200, "{body}");
    let (status, body) = cloud.cloudformation("ExecuteChangeSet", &names);
    assert_eq!(status, 200, "{body}");
    assert!(cloud.settled("blog").ends_with("E_COMPLETE"));
    let (_, body) = cloud.cloudformation("DescribeStacks", &names[..1]);
    text_of(&body, "OutputValue")
}

/// The secret's value, and its description.
fn read(cloud: &Running, arn: &str) -> (Value, Value) {
    let ask = |operation: &str| {
        let answer = send(
            cloud.aws,
            "POST",
            "/",
            &[
                ("authorization", &signed_for("secretsmanager")),
                ("content-type", "application/x-amz-json-1.1"),
                ("x-amz-target", &format!("secretsmanager.{operation}")),
            ],
            json!({ "SecretId": arn }).to_string().as_bytes(),
        );
        serde_json::from_str::<Value>(&answer.body).unwrap()
    };
    let value = ask("GetSecretValue")["SecretString"].clone();
    (
        serde_json::from_str(value.as_str().unwrap()).unwrap(),
        ask("DescribeSecret")["Description"].clone(),
    )
}

#[test]
fn a_generated_secret_keeps_its_password_until_what_it_is_made_from_changes() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Running::on(&folder);
    let arn = deploy(&cloud, "CREATE", "first", &template("one", "password"));
    assert!(arn.contains(":secretsmanager:"), "{arn}");
    let (first, description) = read(&cloud, &arn);
    assert_eq!(description, "one");
    assert_eq!(first["username"], "functions");
    let password = first["password"].as_str().unwrap();
    assert_eq!(password.len(), 40);
    assert!(
        password.chars().all(|c| c.is_ascii_alphanumeric()),
        "{password}"
    );

    assert_eq!(
        deploy(&cloud, "UPDATE", "second", &template("two", "password")),
        arn
    );
    assert_eq!(read(&cloud, &arn), (first.clone(), "two".into()));

    assert_eq!(
        deploy(&cloud, "UPDATE", "third", &template("two", "word")),
        arn
    );
    let (third, _) = read(&cloud, &arn);
    assert_eq!(third["password"], Value::Null);
    assert_ne!(third["word"], first["password"]);
    cloud.stop();
}
