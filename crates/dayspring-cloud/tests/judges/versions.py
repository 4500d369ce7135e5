"""A stack whose API invokes an alias: what is published serves, and what is not does not."""

import json
import urllib.request

import boto3
import shapes

boto3.setup_default_session()
shapes.watch(boto3.DEFAULT_SESSION)

CODE = "def handler(event, context):\n    return {'statusCode': 200, 'body': '%s ' + context.function_version + ' ' + context.invoked_function_arn.rsplit(':', 1)[1]}\n"
# Ten minutes: reached only where it never comes.
FAST = {"Delay": 1, "MaxAttempts": 600}


def template(code, version, weights=None):
    """`version` is the logical id: another one publishes again."""
    routing = {"RoutingConfig": {"AdditionalVersionWeights": weights}} if weights else {}
    return json.dumps({
        "Resources": {
            "Function": {"Type": "AWS::Lambda::Function", "Properties": {
                "Runtime": "python3.13", "Handler": "index.handler", "Timeout": 20,
                "Role": "arn:aws:iam::000000000000:role/r", "Code": {"ZipFile": CODE % code}}},
            version: {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}},
            "Live": {"Type": "AWS::Lambda::Alias", "Properties": {
                "FunctionName": {"Ref": "Function"}, "Name": "live", "FunctionVersion": {"Fn::GetAtt": [version, "Version"]}, **routing}},
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "api"}},
            "Get": {"Type": "AWS::ApiGateway::Method", "Properties": {
                "RestApiId": {"Ref": "Api"}, "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]}, "HttpMethod": "GET", "AuthorizationType": "NONE",
                "Integration": {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": {"Fn::Sub":
                    "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Live}/invocations"}}}},
            "Deployment": {"Type": "AWS::ApiGateway::Deployment", "DependsOn": "Get", "Properties": {"RestApiId": {"Ref": "Api"}}},
            "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {
                "RestApiId": {"Ref": "Api"}, "DeploymentId": {"Ref": "Deployment"}, "StageName": "prod"}},
        },
        "Outputs": {
            "Url": {"Value": {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/prod"}},
            "Version": {"Value": {"Ref": version}},
            "Live": {"Value": {"Ref": "Live"}},
        },
    })


cfn = boto3.client("cloudformation")


def deploy(act, done, body):
    act(StackName="versions", TemplateBody=body)
    try:
        cfn.get_waiter(done).wait(StackName="versions", WaiterConfig=FAST)
    except Exception:
        pass
    [stack] = cfn.describe_stacks(StackName="versions")["Stacks"]
    return stack["StackStatus"], {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def get(outputs):
    host, stage = outputs["Url"].removeprefix("https://").split("/", 1)
    request = urllib.request.Request(f"http://127.0.0.1:{host.rsplit(':', 1)[1]}/{stage}/", headers={"Host": host})
    return urllib.request.urlopen(request).read().decode()


status, outputs = deploy(cfn.create_stack, "stack_create_complete", template("one", "First"))
assert status == "CREATE_COMPLETE", status
assert outputs["Version"].endswith(":1") and outputs["Live"].endswith(":live"), outputs
assert get(outputs) == "one 1 live"

# The code changes, and what the alias names does not.
status, outputs = deploy(cfn.update_stack, "stack_update_complete", template("two", "First"))
assert status == "UPDATE_COMPLETE" and get(outputs) == "one 1 live", (status, get(outputs))

# Another version, and the old one goes.
status, outputs = deploy(cfn.update_stack, "stack_update_complete", template("two", "Second"))
assert status == "UPDATE_COMPLETE" and get(outputs) == "two 2 live", (status, get(outputs))
client = boto3.client("lambda")
function = outputs["Version"].rsplit(":", 1)[0]
assert [version["Version"] for version in client.list_versions_by_function(FunctionName=function)["Versions"]] == ["$LATEST", "2"]

# The same function again is no new version, and a share of the requests cannot be sent elsewhere.
for body, reason in [
    (template("two", "Third"), "A version for this Lambda function exists ( 2 )"),
    (template("two", "Second", [{"FunctionVersion": "2", "FunctionWeight": 0.5}]), "sends every request of an alias to one version"),
]:
    status, outputs = deploy(cfn.update_stack, "stack_update_complete", body)
    assert status == "UPDATE_ROLLBACK_COMPLETE", status
    events = cfn.describe_stack_events(StackName="versions")["StackEvents"]
    assert any(reason in event.get("ResourceStatusReason", "") for event in events), events
    assert get(outputs) == "two 2 live", get(outputs)

cfn.delete_stack(StackName="versions")
cfn.get_waiter("stack_delete_complete").wait(StackName="versions", WaiterConfig=FAST)
assert client.list_functions()["Functions"] == []
