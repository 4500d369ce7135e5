import io
import json
import os

import boto3
import shapes
from botocore.config import Config
from botocore.exceptions import ClientError

boto3.setup_default_session()
shapes.watch(boto3.DEFAULT_SESSION)


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
identity = boto3.client("sts").get_caller_identity()["Account"]
s3.head_bucket(Bucket="assets", ExpectedBucketOwner=identity)
refused("403", s3.head_bucket, Bucket="assets", ExpectedBucketOwner="999999999999")
refused("AccessDenied", s3.put_object, Bucket="assets", Key="theirs", Body=b"", ExpectedBucketOwner="999999999999")
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
s3.delete_object(Bucket="assets", Key="trailer")
upload = s3.create_multipart_upload(Bucket="assets", Key="never")["UploadId"]
assert s3.upload_part(Bucket="assets", Key="never", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
s3.abort_multipart_upload(Bucket="assets", Key="never", UploadId=upload)
refused("NoSuchKey", s3.get_object, Bucket="assets", Key="never")
s3.create_bucket(Bucket="short")
s3.delete_bucket(Bucket="short")

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
ssm.put_parameter(Name="/short", Value="1", Type="String")
ssm.delete_parameter(Name="/short")
refused("ParameterNotFound", ssm.get_parameter, Name="/short")

# Secrets Manager
secrets = boto3.client("secretsmanager")
arn = secrets.create_secret(Name="s", SecretString='{"k":"v"}')["ARN"]
assert secrets.get_secret_value(SecretId=arn)["SecretString"] == '{"k":"v"}'
secrets.put_secret_value(SecretId="s", SecretString='{"k":"w"}')
assert secrets.describe_secret(SecretId="s")["Name"] == "s"
assert len(secrets.list_secrets()["SecretList"]) == 1
refused("ResourceNotFoundException", secrets.get_secret_value, SecretId="t")
secrets.create_secret(Name="short", SecretString="1", Description="soon gone")
assert secrets.update_secret(SecretId="short", SecretString="2", Description="gone")["Name"] == "short"
assert secrets.describe_secret(SecretId="short")["Description"] == "gone"
assert secrets.get_secret_value(SecretId="short")["SecretString"] == "2"
assert secrets.delete_secret(SecretId="short", ForceDeleteWithoutRecovery=True)["Name"] == "short"
refused("ResourceNotFoundException", secrets.get_secret_value, SecretId="short")

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
logs.delete_retention_policy(logGroupName="/g")
assert "retentionInDays" not in logs.describe_log_groups(logGroupNamePrefix="/g")["logGroups"][0]
logs.delete_log_group(logGroupName="/g")
assert logs.describe_log_groups(logGroupNamePrefix="/g")["logGroups"] == []

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
            "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7, "Tags": [{"Key": "k", "Value": {"Ref": "Hidden"}}]}},
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
fast = {"Delay": 1, "MaxAttempts": 600}
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
assert "psst" not in str(events) and any('"Value":"****"' in e.get("ResourceProperties", "") for e in events), events
before = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in cfn.describe_stack_resources(StackName="s")["StackResources"]}
assert len(cfn.list_stack_resources(StackName="s")["StackResourceSummaries"]) == 4
assert cfn.describe_stack_resource(StackName="s", LogicalResourceId="Vpc")["StackResourceDetail"]["PhysicalResourceId"] == before["Vpc"]
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

# Templates in YAML, policies, pages, drift, cancelling and going back
many = "Outputs:\n" + "".join(f"  O{n}: {{Value: !Sub '${{Vpc}}-{n}', Export: {{Name: many-{n:03}}}}}\n" for n in range(120))
vpc = "Resources:\n  Vpc:\n    Type: AWS::EC2::VPC\n    Properties: {CidrBlock: 10.0.0.0/16, Tags: [{Key: Name, Value: !Ref AWS::StackName}]}\n"
deny = {"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}
cfn.create_stack(StackName="many", TemplateBody=vpc + many, StackPolicyBody=json.dumps(deny))
cfn.get_waiter("stack_create_complete").wait(StackName="many", WaiterConfig=fast)
assert json.loads(cfn.get_stack_policy(StackName="many")["StackPolicyBody"]) == deny
assert cfn.get_template(StackName="many")["TemplateBody"] == vpc + many
exports = [e["Name"] for page in cfn.get_paginator("list_exports").paginate() for e in page["Exports"]]
assert exports == [f"many-{n:03}" for n in range(120)], exports
assert refused("ValidationError", cfn.list_exports, NextToken="x") == "Next token is invalid"
wide = vpc.replace("10.0.0.0/16", "10.1.0.0/16") + many
cfn.update_stack(StackName="many", TemplateBody=wide)
cfn.get_waiter("stack_rollback_complete").wait(StackName="many", WaiterConfig=fast)
assert any("Action denied by stack policy" in e.get("ResourceStatusReason", "") for e in cfn.describe_stack_events(StackName="many")["StackEvents"])
drift = cfn.detect_stack_drift(StackName="many")["StackDriftDetectionId"]
assert cfn.describe_stack_drift_detection_status(StackDriftDetectionId=drift)["StackDriftStatus"] == "IN_SYNC"
assert len(cfn.describe_stack_resource_drifts(StackName="many")["StackResourceDrifts"]) == 1
assert refused("ValidationError", cfn.cancel_update_stack, StackName="many") == "CancelUpdateStack cannot be called from current stack status"
refused("ValidationError", cfn.continue_update_rollback, StackName="many")
refused("ValidationError", cfn.rollback_stack, StackName="many")
cfn.set_stack_policy(StackName="many", StackPolicyBody=json.dumps(deny).replace("Deny", "Allow"))

# Only its outputs change, then who imports one
less = vpc + "Outputs: {O0: {Value: !Ref Vpc, Export: {Name: many-000}}}\n"
cfn.create_change_set(StackName="many", ChangeSetName="less", TemplateBody=less)
assert cfn.describe_change_set(StackName="many", ChangeSetName="less")["Status"] == "CREATE_COMPLETE"
cfn.execute_change_set(StackName="many", ChangeSetName="less")
cfn.get_waiter("stack_update_complete").wait(StackName="many", WaiterConfig=fast)
assert [e["Name"] for e in cfn.list_exports()["Exports"]] == ["many-000"]
subnet = "Resources: {S: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: !ImportValue many-000, CidrBlock: 10.0.0.0/24}}}"
cfn.create_stack(StackName="importer", TemplateBody=subnet)
cfn.get_waiter("stack_create_complete").wait(StackName="importer", WaiterConfig=fast)
assert cfn.list_imports(ExportName="many-000")["Imports"] == ["importer"]
assert refused("ValidationError", cfn.delete_stack, StackName="many") == "Export many-000 cannot be deleted as it is in use by importer"
cfn.create_change_set(StackName="many", ChangeSetName="same", TemplateBody=less)
same = cfn.describe_change_set(StackName="many", ChangeSetName="same")
assert same["Status"] == "FAILED" and same["ExecutionStatus"] == "UNAVAILABLE", same
assert "didn't contain changes" in same["StatusReason"]
refused("InvalidChangeSetStatus", cfn.execute_change_set, StackName="many", ChangeSetName="same")
assert "same" in [each["ChangeSetName"] for each in cfn.list_change_sets(StackName="many")["Summaries"]]
cfn.delete_change_set(StackName="many", ChangeSetName="same")
refused("ChangeSetNotFound", cfn.describe_change_set, StackName="many", ChangeSetName="same")
refused("ValidationError", cfn.create_change_set, StackName="many", ChangeSetName="i", ChangeSetType="IMPORT", TemplateBody=less)
assert "transforms" in refused("ValidationError", cfn.validate_template, TemplateBody="Transform: AWS::Serverless-2016-10-31\n" + less)
for name in ["importer", "many"]:
    cfn.delete_stack(StackName=name)
    cfn.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=fast)

# What `cdk bootstrap` makes, and a bucket that cannot be deleted while something is in it
kept = {"Resources": {
    "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {}}},
    "Alias": {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/a", "TargetKeyId": {"Ref": "Key"}}},
    "Images": {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": "images"}},
    "Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {}}},
    "Version": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/version", "Type": "String", "Value": "7"}},
    "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "made"}},
    "BucketPolicy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {}}}},
    "Outputs": {"Uri": {"Value": {"Fn::GetAtt": ["Images", "RepositoryUri"]}},
                "Arns": {"Value": {"Fn::Join": [" ", [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Ref": "Policy"}, {"Fn::GetAtt": ["Key", "Arn"]}]]}}}}
cfn.create_stack(StackName="kept", TemplateBody=json.dumps(kept), Capabilities=["CAPABILITY_IAM"])
cfn.get_waiter("stack_create_complete").wait(StackName="kept", WaiterConfig=fast)
outputs = {output["OutputKey"]: output["OutputValue"] for output in cfn.describe_stacks(StackName="kept")["Stacks"][0]["Outputs"]}
assert outputs["Uri"] == "000000000000.dkr.ecr.us-east-1.amazonaws.com/images"
assert outputs["Arns"].startswith("arn:aws:s3:::made arn:aws:iam::000000000000:policy/kept-Policy-"), outputs
assert ssm.get_parameter(Name="/version")["Parameter"]["Value"] == "7"
s3.put_object(Bucket="made", Key="x", Body=b"")
cfn.delete_stack(StackName="kept")
waited = [e for e in iter(lambda: cfn.describe_stacks(StackName="kept")["Stacks"][0]["StackStatus"], "DELETE_FAILED")]
assert set(waited) <= {"DELETE_IN_PROGRESS"}, waited
cfn.delete_stack(StackName="kept", RetainResources=["Bucket"])
cfn.get_waiter("stack_delete_complete").wait(StackName="kept", WaiterConfig=fast)
s3.head_bucket(Bucket="made")
refused("ParameterNotFound", ssm.get_parameter, Name="/version")
