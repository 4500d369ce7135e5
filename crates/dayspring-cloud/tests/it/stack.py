"""A stack with everything that a project has, through boto3: its functions are a Python script that speaks the Runtime API."""

import io
import json
import os
import sys
import urllib.request
import zipfile

import boto3
import shapes

boto3.setup_default_session()
shapes.watch(boto3.DEFAULT_SESSION)

BOOTSTRAP = """#!%s
import json, os, urllib.error, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    got = urllib.request.urlopen(api + "next")
    event, id = json.load(got), got.headers["Lambda-Runtime-Aws-Request-Id"]
    if os.environ["_HANDLER"] == "migrate":
        print(json.dumps(event), flush=True)
        properties = event["ResourceProperties"]
        failed = properties.get("Digest", "").startswith("bad") and event["RequestType"] != "Delete"
        answer = {"Status": "FAILED" if failed else "SUCCESS", "PhysicalResourceId": "constant",
                  "Reason": "error: statement 1 of 1 failed", "StackId": event["StackId"],
                  "RequestId": event["RequestId"], "LogicalResourceId": event["LogicalResourceId"],
                  "Data": {"Report": "digest " + properties["Digest"], "Number": properties["Number"]}}
        request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT")
        urllib.request.urlopen(request)
        result = {}
    else:
        result = {"statusCode": 200, "body": os.environ["ANSWER"] + " " + event["httpMethod"]}
    urllib.request.urlopen(urllib.request.Request(api + id + "/response", json.dumps(result).encode(), method="POST"))
""" % sys.executable


def zipped(name, text):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, text)
    return content.getvalue()


def template(digest, answer, token="Migrator"):
    function = {
        "Code": {"S3Bucket": "assets", "S3Key": "code.zip"}, "Runtime": "provided.al2023",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Layers": [{"Ref": "Layer"}], "Timeout": 20,
    }
    return json.dumps({
        "Resources": {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
            "One": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"}},
            "Two": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.1.0/24"}},
            "Subnets": {"Type": "AWS::RDS::DBSubnetGroup", "Properties": {
                "DBSubnetGroupDescription": "d", "SubnetIds": [{"Ref": "One"}, {"Ref": "Two"}]}},
            "Cluster": {"Type": "AWS::RDS::DBCluster", "DeletionPolicy": "Delete", "Properties": {
                "Engine": "aurora-mysql", "EngineVersion": "8.0.mysql_aurora.3.10.0", "DatabaseName": "blog",
                "MasterUsername": "admin", "ManageMasterUserPassword": True, "EnableHttpEndpoint": True,
                "DBSubnetGroupName": {"Ref": "Subnets"},
                "ServerlessV2ScalingConfiguration": {"MinCapacity": 0, "MaxCapacity": 4}}},
            "Writer": {"Type": "AWS::RDS::DBInstance", "Properties": {
                "DBClusterIdentifier": {"Ref": "Cluster"}, "DBInstanceClass": "db.serverless", "Engine": "aurora-mysql"}},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}},
            "Layer": {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": {"S3Bucket": "assets", "S3Key": "layer.zip"}}},
            "Migrator": {"Type": "AWS::Lambda::Function", "Properties": {**function, "Handler": "migrate"}},
            "Migration": {"Type": "Custom::DayspringMigration", "DependsOn": "Writer", "Properties": {
                "ServiceToken": {"Fn::GetAtt": [token, "Arn"]}, "ServiceTimeout": 600, "Digest": digest, "Number": 7}},
            "Posts": {"Type": "AWS::Lambda::Function", "DependsOn": "Migration", "Properties": {
                **function, "Handler": "posts", "Environment": {"Variables": {"ANSWER": answer}}}},
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "blog"}},
            "PostsPath": {"Type": "AWS::ApiGateway::Resource", "Properties": {
                "RestApiId": {"Ref": "Api"}, "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]}, "PathPart": "posts"}},
            "GetPosts": {"Type": "AWS::ApiGateway::Method", "Properties": {
                "RestApiId": {"Ref": "Api"}, "ResourceId": {"Ref": "PostsPath"}, "HttpMethod": "GET", "AuthorizationType": "NONE",
                "Integration": {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": {"Fn::Sub":
                    "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Posts.Arn}/invocations"}}}},
            "Allow": {"Type": "AWS::Lambda::Permission", "Properties": {
                "Action": "lambda:InvokeFunction", "FunctionName": {"Ref": "Posts"}, "Principal": "apigateway.amazonaws.com"}},
            "Deployment": {"Type": "AWS::ApiGateway::Deployment", "DependsOn": "GetPosts", "Properties": {"RestApiId": {"Ref": "Api"}}},
            "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {
                "RestApiId": {"Ref": "Api"}, "DeploymentId": {"Ref": "Deployment"}, "StageName": "prod"}},
        },
        "Outputs": {
            "Url": {"Value": {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/prod"}},
            "ClusterArn": {"Value": {"Fn::GetAtt": ["Cluster", "DBClusterArn"]}},
            "SecretArn": {"Value": {"Fn::GetAtt": ["Cluster", "MasterUserSecret.SecretArn"]}},
            "Report": {"Value": {"Fn::GetAtt": ["Migration", "Report"]}},
        },
    })


s3 = boto3.client("s3")
s3.create_bucket(Bucket="assets")
s3.put_object(Bucket="assets", Key="code.zip", Body=zipped("bootstrap", BOOTSTRAP))
s3.put_object(Bucket="assets", Key="layer.zip", Body=zipped("scripts/schema/v1.sql", "select 1"))

cfn = boto3.client("cloudformation")
fast = {"Delay": 1, "MaxAttempts": 600}


def deploy(kind, name, body):
    cfn.create_change_set(StackName="blog-dev", ChangeSetName=name, ChangeSetType=kind, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
    changes = cfn.describe_change_set(StackName="blog-dev", ChangeSetName=name)["Changes"]
    cfn.execute_change_set(StackName="blog-dev", ChangeSetName=name)
    waiter = "stack_create_complete" if kind == "CREATE" else "stack_update_complete"
    try:
        cfn.get_waiter(waiter).wait(StackName="blog-dev", WaiterConfig=fast)
    except Exception:
        pass
    [stack] = cfn.describe_stacks(StackName="blog-dev")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    return stack["StackStatus"], outputs, {change["ResourceChange"]["LogicalResourceId"] for change in changes}


def reasons():
    pages = cfn.get_paginator("describe_stack_events").paginate(StackName="blog-dev")
    return [f"{e['LogicalResourceId']} {e['ResourceStatus']} {e.get('ResourceStatusReason', '')}" for page in pages for e in page["StackEvents"]]


def get_posts(outputs):
    # https://ID.execute-api.REGION.localhost:PORT/prod, of which this machine resolves the last part only.
    host, stage = outputs["Url"].removeprefix("https://").split("/", 1)
    port = host.rsplit(":", 1)[1]
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{stage}/posts", headers={"Host": host})
    return urllib.request.urlopen(request).read().decode()


status, outputs, _ = deploy("CREATE", "first", template("one", "first"))
assert status == "CREATE_COMPLETE", reasons()
assert outputs["Report"] == "digest one", outputs
assert get_posts(outputs) == "first GET"
data = boto3.client("rds-data")
result = data.execute_statement(resourceArn=outputs["ClusterArn"], secretArn=outputs["SecretArn"], database="blog", sql="select 1 + 1")
assert result["records"] == [[{"longValue": 2}]], result

# Only the migration, and the function behind it.
status, outputs, changes = deploy("UPDATE", "second", template("two", "second"))
assert status == "UPDATE_COMPLETE", reasons()
assert changes == {"Migration", "Posts"}, changes
assert outputs["Report"] == "digest two" and get_posts(outputs) == "second GET"

# A migration that fails: the reason in full, and the old code serves.
status, outputs, _ = deploy("UPDATE", "third", template("bad", "third"))
assert status == "UPDATE_ROLLBACK_COMPLETE", (status, reasons())
failure = "Migration UPDATE_FAILED Received response status [FAILED] from custom resource. Message returned: error: statement 1 of 1 failed (RequestId: "
assert any(reason.startswith(failure) for reason in reasons()), reasons()
assert outputs["Report"] == "digest two" and get_posts(outputs) == "second GET"

# What the function was told: texts, the old properties, and the way back.
logs = boto3.client("logs")
group = [g["logGroupName"] for g in logs.describe_log_groups()["logGroups"] if "Migrator" in g["logGroupName"]][0]
messages = [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
told = [json.loads(message) for message in messages if message.startswith("{") and "RequestType" in message]
assert [event["RequestType"] for event in told] == ["Create", "Update", "Update", "Update"], told
assert told[0]["ResourceProperties"]["Number"] == "7" and told[0]["ResourceProperties"]["ServiceTimeout"] == "600"
assert "PhysicalResourceId" not in told[0] and told[1]["PhysicalResourceId"] == "constant"
steps = [(event["OldResourceProperties"]["Digest"], event["ResourceProperties"]["Digest"]) for event in told[1:]]
assert steps == [("one", "two"), ("two", "bad"), ("bad", "two")], steps

cfn.delete_stack(StackName="blog-dev")
cfn.get_waiter("stack_delete_complete").wait(StackName="blog-dev", WaiterConfig=fast)
