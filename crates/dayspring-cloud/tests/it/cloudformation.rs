//! Stacks of recorded resources, from the first change set to the end, over the query API.

use std::collections::BTreeSet;

use crate::client::{Running, text_of};

/// How many ask at once.
const CLIENTS: usize = 4;

fn template(description: &str, second: &str) -> String {
    format!(
        r#"{{
          "Description": "{description}",
          "Parameters": {{"Days": {{"Type": "Number", "Default": "7"}}}},
          "Resources": {{
            "Vpc": {{"Type": "AWS::EC2::VPC", "Properties": {{"CidrBlock": "10.0.0.0/16"}}}},
            "Log": {{"Type": "AWS::Logs::LogGroup", "Properties": {{
              "LogGroupName": {{"Fn::Sub": "/aws/lambda/${{AWS::StackName}}"}}, "RetentionInDays": {{"Ref": "Days"}}}}}},
            "Subnet": {{"Type": "AWS::EC2::Subnet", "Properties": {{"VpcId": {{"Ref": "Vpc"}}, {second}}}}}
          }},
          "Outputs": {{"Vpc": {{"Value": {{"Ref": "Vpc"}}, "Export": {{"Name": "the-vpc"}}}}}}
        }}"#
    )
}

const GOOD: &str = r#""CidrBlock": {"Fn::Select": [0, {"Fn::Cidr": ["10.0.0.0/16", 2, 8]}]}"#;

fn change_set(cloud: &Running, kind: &str, name: &str, template: &str) -> (u16, String) {
    cloud.cloudformation(
        "CreateChangeSet",
        &[
            ("StackName", "blog-dev"),
            ("ChangeSetName", name),
            ("ChangeSetType", kind),
            ("TemplateBody", template),
        ],
    )
}

#[track_caller]
fn execute(cloud: &Running, name: &str) -> String {
    let named = [("StackName", "blog-dev"), ("ChangeSetName", name)];
    let (status, body) = cloud.cloudformation("ExecuteChangeSet", &named);
    assert_eq!(status, 200, "{body}");
    cloud.settled("blog-dev")
}

#[test]
fn a_stack_is_made_changed_rolled_back_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Running::on(&folder);
    let stack = [("StackName", "blog-dev")];

    let (status, body) = cloud.cloudformation("DescribeStacks", &stack);
    assert_eq!(status, 400);
    assert_eq!(
        text_of(&body, "Message"),
        "Stack with id blog-dev does not exist"
    );

    let (status, body) = change_set(&cloud, "CREATE", "first", &template("one", GOOD));
    assert_eq!(status, 200, "{body}");
    let (_, body) = cloud.cloudformation("DescribeStacks", &stack);
    assert_eq!(text_of(&body, "StackStatus"), "REVIEW_IN_PROGRESS");
    let (_, body) =
        cloud.cloudformation("DescribeChangeSet", &[stack[0], ("ChangeSetName", "first")]);
    assert_eq!(body.matches("<Action>Add</Action>").count(), 3, "{body}");
    assert_eq!(execute(&cloud, "first"), "CREATE_COMPLETE");
    let (_, body) = cloud.cloudformation("DescribeStacks", &stack);
    let vpc = text_of(&body, "OutputValue");
    assert!(vpc.starts_with("vpc-"), "{vpc}");

    // The same again.
    let (_, _) = change_set(&cloud, "UPDATE", "same", &template("one", GOOD));
    let (_, body) =
        cloud.cloudformation("DescribeChangeSet", &[stack[0], ("ChangeSetName", "same")]);
    assert_eq!(text_of(&body, "Status"), "FAILED");
    assert_eq!(
        text_of(&body, "StatusReason"),
        "The submitted information didn't contain changes. Submit different information to create a change set."
    );

    // A replacement, and what is left alone.
    let other = r#""CidrBlock": "10.0.7.0/24""#;
    let (_, _) = change_set(&cloud, "UPDATE", "other", &template("two", other));
    let (_, body) =
        cloud.cloudformation("DescribeChangeSet", &[stack[0], ("ChangeSetName", "other")]);
    assert_eq!(text_of(&body, "Replacement"), "True");
    assert_eq!(body.matches("<Action>").count(), 1, "{body}");
    assert_eq!(execute(&cloud, "other"), "UPDATE_COMPLETE");

    // A failure: a security group without its description.
    let bad = r#""CidrBlock": "10.0.8.0/24"}}, "Group": {"Type": "AWS::EC2::SecurityGroup", "DependsOn": "Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}"#;
    let (status, body) = change_set(&cloud, "UPDATE", "bad", &template("three", bad));
    assert_eq!(status, 200, "{body}");
    assert_eq!(execute(&cloud, "bad"), "UPDATE_ROLLBACK_COMPLETE");
    let (_, body) = cloud.cloudformation("DescribeStacks", &stack);
    assert_eq!(text_of(&body, "OutputValue"), vpc);
    assert_eq!(text_of(&body, "Description"), "two");
    let (_, body) = cloud.cloudformation("DescribeStackEvents", &stack);
    assert!(
        body.contains("The following resource(s) failed to create: [Group]."),
        "{body}"
    );
    assert!(
        body.contains("required key [GroupDescription] not found"),
        "{body}"
    );

    // All of it is there again after a restart.
    cloud.stop();
    let cloud = Running::on(&folder);
    assert_eq!(cloud.settled("blog-dev"), "UPDATE_ROLLBACK_COMPLETE");
    let (_, body) = cloud.cloudformation("ListExports", &[]);
    assert_eq!(text_of(&body, "Value"), vpc);

    let (status, _) = cloud.cloudformation("DeleteStack", &stack);
    assert_eq!(status, 200);
    loop {
        let (status, body) = cloud.cloudformation("DescribeStacks", &stack);
        if status == 400 {
            assert_eq!(text_of(&body, "Code"), "ValidationError");
            break;
        }
    }
    cloud.stop();
}

#[test]
fn what_the_cloud_does_not_know_fails_at_the_change_set_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Running::on(&folder);
    let message = |resource: &str| {
        let template = format!(r#"{{"Resources": {{"Thing": {resource}}}}}"#);
        let (status, body) = change_set(&cloud, "CREATE", "first", &template);
        assert_eq!(status, 400, "{body}");
        text_of(&body, "Message")
    };
    insta::assert_snapshot!(message(r#"{"Type": "AWS::SQS::Queue"}"#), @"Template format error: Unrecognized resource types: [AWS::SQS::Queue (resource Thing)]");
    insta::assert_snapshot!(message(r#"{"Type": "AWS::Lambda::Functions"}"#), @"Template format error: Unrecognized resource types: [AWS::Lambda::Functions (resource Thing, did you mean AWS::Lambda::Function?)]");
    insta::assert_snapshot!(message(r#"{"Type": "AWS::EC2::VPC", "Properties": {"CidrBlok": "10.0.0.0/16"}}"#), @"Properties validation failed for resource Thing of type AWS::EC2::VPC with message: #: extraneous key [CidrBlok] is not permitted (this cloud does not know this property; did you mean CidrBlock?)");
    insta::assert_snapshot!(message(r#"{"Type": "AWS::ApiGateway::Method", "Properties": {"AuthorizationType": "AWS_IAM"}}"#), @"Properties validation failed for resource Thing of type AWS::ApiGateway::Method with message: this cloud has no authorizers and would let everybody in (AuthorizationType AWS_IAM)");
    insta::assert_snapshot!(message(r#"{"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}"#), @"Requires capabilities : [CAPABILITY_IAM]");
    let (status, _) = cloud.cloudformation("DescribeStacks", &[("StackName", "blog-dev")]);
    assert_eq!(status, 400);
    cloud.stop();
}

/// What several clients were answered who asked at the same time.
fn at_once<T: Send>(ask: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let together = std::sync::Barrier::new(CLIENTS);
    let ask = &|number| {
        together.wait();
        ask(number)
    };
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..CLIENTS)
            .map(|number| scope.spawn(move || ask(number)))
            .collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

#[test]
fn what_several_clients_ask_at_once_is_done_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Running::on(&folder);
    // So many that the checks take longer than a request takes to arrive.
    let vpcs: Vec<String> = (0..100)
        .map(|number| {
            format!(
                r#""Vpc{number}": {{"Type": "AWS::EC2::VPC", "Properties": {{"CidrBlock": "10.0.0.0/16"}}}}"#
            )
        })
        .collect();
    let text = format!(r#"{{"Resources": {{{}}}}}"#, vpcs.join(", "));
    for round in 0..10 {
        // One makes the stack, for all of them.
        let stack = format!("stack-{round}");
        let made = at_once(|number| {
            cloud.cloudformation(
                "CreateChangeSet",
                &[
                    ("StackName", &stack),
                    ("ChangeSetName", &format!("set-{number}")),
                    ("ChangeSetType", "CREATE"),
                    ("TemplateBody", &text),
                ],
            )
        });
        let ids: BTreeSet<String> = made
            .iter()
            .map(|(_, body)| text_of(body, "StackId"))
            .collect();
        assert_eq!(ids.len(), 1, "{made:?}");
        if round > 0 {
            continue;
        }

        // One carries its own out; the others' are gone by then.
        let executed = at_once(|number| {
            let named = [
                ("StackName", stack.as_str()),
                ("ChangeSetName", &format!("set-{number}")),
            ];
            cloud.cloudformation("ExecuteChangeSet", &named)
        });
        let accepted = executed.iter().filter(|(status, _)| *status == 200).count();
        assert_eq!(accepted, 1, "{executed:?}");
        assert_eq!(cloud.settled(&stack), "CREATE_COMPLETE");
    }
}
