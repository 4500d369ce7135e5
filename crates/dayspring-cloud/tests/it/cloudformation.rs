//! Stacks of recorded resources, from the first change set to the end, over the query API.

use crate::client::{Running, text_of};

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
