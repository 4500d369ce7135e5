import io
import json
import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        return error.response["Error"]["Message"]
    raise AssertionError(f"{call} was not refused")


# S3
s3 = boto3.client("s3")
assert refused("404", s3.head_bucket, Bucket="assets") == "Not Found"
s3.create_bucket(Bucket="assets")
s3.head_bucket(Bucket="assets")
assert s3.get_bucket_location(Bucket="assets")["LocationConstraint"] is None
s3.get_bucket_encryption(Bucket="assets")
s3.put_object(Bucket="assets", Key="a b/ü.txt", Body=b"hello", Metadata={"one": "1"}, ContentType="text/plain")
got = s3.get_object(Bucket="assets", Key="a b/ü.txt")
assert got["Body"].read() == b"hello" and got["Metadata"] == {"one": "1"} and got["ContentType"] == "text/plain"
assert got["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
assert s3.get_object(Bucket="assets", Key="a b/ü.txt", Range="bytes=1-2")["Body"].read() == b"el"
assert s3.head_object(Bucket="assets", Key="a b/ü.txt")["ContentLength"] == 5
refused("404", s3.head_object, Bucket="assets", Key="missing")
refused("NoSuchKey", s3.get_object, Bucket="assets", Key="missing")
big = os.urandom(9 * 1024 * 1024)
s3.upload_fileobj(io.BytesIO(big), "assets", "big")
assert s3.get_object(Bucket="assets", Key="big")["Body"].read() == big
s3.put_object(Bucket="assets", Key="trailer", Body=io.BytesIO(b"y" * 100_000), ChecksumAlgorithm="SHA256")
assert s3.get_object(Bucket="assets", Key="trailer")["Body"].read() == b"y" * 100_000
for number in range(3):
    s3.put_object(Bucket="assets", Key=f"list/{number}&<>", Body=b"")
keys = []
for page in s3.get_paginator("list_objects_v2").paginate(Bucket="assets", Prefix="list/", PaginationConfig={"PageSize": 2}):
    keys += [item["Key"] for item in page["Contents"]]
assert keys == ["list/0&<>", "list/1&<>", "list/2&<>"], keys
folders = s3.list_objects_v2(Bucket="assets", Delimiter="/")["CommonPrefixes"]
assert [folder["Prefix"] for folder in folders] == ["a b/", "list/"], folders
refused("BucketNotEmpty", s3.delete_bucket, Bucket="assets")
s3.delete_objects(Bucket="assets", Delete={"Objects": [{"Key": key} for key in keys]})
assert s3.list_objects_v2(Bucket="assets", Prefix="list/")["KeyCount"] == 0
assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["assets"]

# STS
sts = boto3.client("sts")
assert sts.get_caller_identity()["Account"] == "000000000000"
role = sts.assume_role(RoleArn="arn:aws:iam::000000000000:role/x", RoleSessionName="session")
assert role["AssumedRoleUser"]["Arn"] == "arn:aws:sts::000000000000:assumed-role/x/session"
assert role["Credentials"]["Expiration"].year >= 2026

# SSM
ssm = boto3.client("ssm")
refused("ParameterNotFound", ssm.get_parameter, Name="/a/b")
ssm.put_parameter(Name="/a/b", Value="1", Type="String")
assert ssm.get_parameter(Name="/a/b")["Parameter"]["Value"] == "1"
assert ssm.get_parameters(Names=["/a/b", "/c"])["InvalidParameters"] == ["/c"]
assert len(ssm.get_parameters_by_path(Path="/a")["Parameters"]) == 1

# Secrets Manager
secrets = boto3.client("secretsmanager")
arn = secrets.create_secret(Name="s", SecretString='{"k":"v"}')["ARN"]
assert secrets.get_secret_value(SecretId=arn)["SecretString"] == '{"k":"v"}'
secrets.put_secret_value(SecretId="s", SecretString='{"k":"w"}')
assert secrets.describe_secret(SecretId="s")["Name"] == "s"
assert len(secrets.list_secrets()["SecretList"]) == 1
refused("ResourceNotFoundException", secrets.get_secret_value, SecretId="t")

# Logs
logs = boto3.client("logs")
logs.create_log_group(logGroupName="/g")
logs.create_log_stream(logGroupName="/g", logStreamName="s")
logs.put_retention_policy(logGroupName="/g", retentionInDays=7)
logs.put_log_events(logGroupName="/g", logStreamName="s", logEvents=[{"timestamp": 1000 + n, "message": f"m{n}"} for n in range(5)])
assert logs.describe_log_groups(logGroupNamePrefix="/g")["logGroups"][0]["retentionInDays"] == 7
assert logs.describe_log_streams(logGroupName="/g")["logStreams"][0]["lastEventTimestamp"] == 1004
found = []
for page in logs.get_paginator("filter_log_events").paginate(logGroupName="/g", startTime=1001, PaginationConfig={"PageSize": 2}):
    found += [event["message"] for event in page["events"]]
assert found == ["m1", "m2", "m3", "m4"], found
assert logs.get_log_events(logGroupName="/g", logStreamName="s", startFromHead=True, limit=2)["events"][1]["message"] == "m1"
refused("ResourceNotFoundException", logs.filter_log_events, logGroupName="/h")

# CloudFormation
cfn = boto3.client("cloudformation")


def template(cidr, **more):
    return json.dumps({
        "Parameters": {"Param": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a/b"},
                       "Hidden": {"Type": "String", "NoEcho": True, "Default": "psst"}},
        "Conditions": {"Never": {"Fn::Equals": [{"Ref": "AWS::Region"}, "nowhere"]}},
        "Resources": {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
            "Skipped": {"Type": "AWS::EC2::VPC", "Condition": "Never"},
            "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {
                "VpcId": {"Ref": "Vpc"}, "CidrBlock": cidr,
                "AvailabilityZone": {"Fn::Select": ["0", {"Fn::GetAZs": ""}]}}},
            "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}},
            **more,
        },
        "Outputs": {"Param": {"Value": {"Ref": "Param"}},
                    "RoleArn": {"Value": {"Fn::GetAtt": "Role.Arn"}, "Description": "a role"},
                    "Secret": {"Value": "{{resolve:secretsmanager:s:SecretString:k}}"},
                    "Url": {"Value": {"Fn::Sub": "http://x.execute-api.${AWS::Region}.${AWS::URLSuffix}/prod"}}},
    })


s3.put_object(Bucket="assets", Key="t.json", Body=template("10.0.1.0/24").encode())
url = f"{os.environ['AWS_ENDPOINT_URL']}/assets/t.json"
refused("InsufficientCapabilitiesException", cfn.create_change_set, StackName="s", ChangeSetName="c", ChangeSetType="CREATE", TemplateURL=url)
cfn.create_change_set(StackName="s", ChangeSetName="c", ChangeSetType="CREATE", TemplateURL=url, Capabilities=["CAPABILITY_IAM"], Tags=[{"Key": "k", "Value": "v"}])
fast = {"Delay": 1, "MaxAttempts": 30}
cfn.get_waiter("change_set_create_complete").wait(StackName="s", ChangeSetName="c", WaiterConfig=fast)
described = cfn.describe_change_set(StackName="s", ChangeSetName="c")
assert {change["ResourceChange"]["LogicalResourceId"] for change in described["Changes"]} == {"Vpc", "Subnet", "Group", "Role"}
cfn.execute_change_set(StackName="s", ChangeSetName="c")
cfn.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig=fast)
[stack] = cfn.describe_stacks(StackName="s")["Stacks"]
outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
assert outputs["Param"] == "1" and outputs["Secret"] == "w" and outputs["RoleArn"].startswith("arn:aws:iam::000000000000:role/s-Role-"), outputs
assert outputs["Url"].startswith("http://x.execute-api.us-east-1.localhost:"), outputs
assert stack["Tags"] == [{"Key": "k", "Value": "v"}] and stack["Capabilities"] == ["CAPABILITY_IAM"]
assert {p["ParameterKey"]: p["ParameterValue"] for p in stack["Parameters"]} == {"Hidden": "****", "Param": "/a/b"}
events = [e for page in cfn.get_paginator("describe_stack_events").paginate(StackName="s") for e in page["StackEvents"]]
assert events[0]["ResourceStatus"] == "CREATE_COMPLETE" and events[0]["LogicalResourceId"] == "s"
assert events[-1]["ResourceStatus"] == "REVIEW_IN_PROGRESS"
before = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in cfn.describe_stack_resources(StackName="s")["StackResources"]}
assert len(cfn.list_stack_resources(StackName="s")["StackResourceSummaries"]) == 4
assert json.dumps(cfn.get_template(StackName="s")["TemplateBody"]) == json.dumps(json.loads(template("10.0.1.0/24")))
assert cfn.get_template_summary(StackName="s")["Capabilities"] == ["CAPABILITY_IAM"]
assert len(cfn.validate_template(TemplateBody=template("x"))["Parameters"]) == 2

capable = {"StackName": "s", "Capabilities": ["CAPABILITY_IAM"], "Tags": [{"Key": "k", "Value": "v"}]}
assert refused("ValidationError", cfn.update_stack, TemplateBody=template("10.0.1.0/24"), **capable) == "No updates are to be performed."
cfn.update_stack(TemplateBody=template("10.0.2.0/24"), **capable)
cfn.get_waiter("stack_update_complete").wait(StackName="s", WaiterConfig=fast)
after = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in cfn.describe_stack_resources(StackName="s")["StackResources"]}
assert after["Vpc"] == before["Vpc"] and after["Subnet"] != before["Subnet"]

bad = {"Type": "AWS::EC2::SecurityGroup", "DependsOn": "Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}}}
cfn.update_stack(TemplateBody=template("10.0.3.0/24", Bad=bad), **capable)
cfn.get_waiter("stack_rollback_complete").wait(StackName="s", WaiterConfig=fast)
assert cfn.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
assert {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in cfn.describe_stack_resources(StackName="s")["StackResources"]} == after

cfn.update_termination_protection(StackName="s", EnableTerminationProtection=True)
assert "TerminationProtection is enabled" in refused("ValidationError", cfn.delete_stack, StackName="s")
cfn.update_termination_protection(StackName="s", EnableTerminationProtection=False)
cfn.delete_stack(StackName="s")
cfn.get_waiter("stack_delete_complete").wait(StackName="s", WaiterConfig=fast)
assert refused("ValidationError", cfn.describe_stacks, StackName="s") == "Stack with id s does not exist"
assert cfn.describe_stacks(StackName=stack["StackId"])["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"
assert [s["StackName"] for s in cfn.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]] == ["s"]
