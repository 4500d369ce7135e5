"""API Gateway's own API, seen by boto3: what a stack has made, and what can be changed beside it."""

import json
import os
import urllib.error
import urllib.request

import boto3
import shapes
from botocore.config import Config
from botocore.exceptions import ClientError

session = boto3.Session()
shapes.watch(session)
once = Config(retries={"max_attempts": 0})
gateway = session.client("apigateway", config=once)
cloudformation = session.client("cloudformation", config=once)
ENDPOINT = os.environ["AWS_ENDPOINT_URL"]


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        return error.response["Error"]["Message"]
    raise AssertionError(f"{call} was not refused")


def get(path):
    try:
        with urllib.request.urlopen(f"{ENDPOINT}/restapis/{api}/{path}") as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:posts"
INVOKE = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
ROOT = {"RestApiId": {"Ref": "Api"}, "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]}}
template = {"Resources": {
    "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {
        "Name": "blog", "Description": "posts", "BinaryMediaTypes": ["image/png"],
        "EndpointConfiguration": {"Types": ["REGIONAL"]}, "Tags": [{"Key": "team", "Value": "a"}]}},
    "Posts": {"Type": "AWS::ApiGateway::Resource", "Properties": {
        "RestApiId": {"Ref": "Api"}, "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]}, "PathPart": "posts"}},
    "Get": {"Type": "AWS::ApiGateway::Method", "Properties": {
        "RestApiId": {"Ref": "Api"}, "ResourceId": {"Ref": "Posts"}, "HttpMethod": "GET", "AuthorizationType": "NONE",
        "OperationName": "ListPosts",
        "Integration": {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": INVOKE, "TimeoutInMillis": 5000}}},
    "Options": {"Type": "AWS::ApiGateway::Method", "Properties": {
        **ROOT, "HttpMethod": "OPTIONS",
        "MethodResponses": [{"StatusCode": "200", "ResponseParameters": {"method.response.header.X-A": True},
                             "ResponseModels": {"application/json": "Empty"}}],
        "Integration": {"Type": "MOCK", "RequestTemplates": {"application/json": "{\"statusCode\": 200}"},
            "IntegrationResponses": [{"StatusCode": "200", "ResponseParameters": {"method.response.header.X-A": "'a'"},
                                      "ResponseTemplates": {"application/json": "$stageVariables.SAID"}}]}}},
    "Error": {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": {
        "RestApiId": {"Ref": "Api"}, "ResponseType": "MISSING_AUTHENTICATION_TOKEN", "StatusCode": "404",
        "ResponseTemplates": {"application/json": "{}"}}},
    "Deployment": {"Type": "AWS::ApiGateway::Deployment", "DependsOn": ["Get", "Options", "Error"],
                   "Properties": {"RestApiId": {"Ref": "Api"}, "Description": "first"}},
    "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {
        "RestApiId": {"Ref": "Api"}, "DeploymentId": {"Ref": "Deployment"}, "StageName": "prod", "Description": "the one",
        "Variables": {"SAID": "hello"}, "Tags": [{"Key": "stage", "Value": "prod"}],
        "MethodSettings": [{"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 2.5, "ThrottlingBurstLimit": 1000}],
        "AccessLogSetting": {"DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:/blog", "Format": "$context.status"}}}},
    "Outputs": {name: {"Value": {"Ref": name}} for name in ["Api", "Posts", "Deployment"]}}
cloudformation.create_stack(StackName="blog", TemplateBody=json.dumps(template))
cloudformation.get_waiter("stack_create_complete").wait(StackName="blog", WaiterConfig={"Delay": 1})
made = cloudformation.describe_stacks(StackName="blog")["Stacks"][0]["Outputs"]
made = {output["OutputKey"]: output["OutputValue"] for output in made}
api, posts, deployment = made["Api"], made["Posts"], made["Deployment"]

# What the stack has made.
assert [found["id"] for found in gateway.get_rest_apis()["items"]] == [api]
shown = gateway.get_rest_api(restApiId=api)
assert shown["name"] == "blog" and shown["description"] == "posts" and shown["tags"] == {"team": "a"}, shown
assert shown["endpointConfiguration"]["types"] == ["REGIONAL"] and shown["binaryMediaTypes"] == ["image/png"]
assert shown["createdDate"].year > 2000
root = shown["rootResourceId"]
resources = gateway.get_resources(restApiId=api)["items"]
assert {found["path"]: sorted(found["resourceMethods"]) for found in resources} == {"/": ["OPTIONS"], "/posts": ["GET"]}
pages = list(gateway.get_paginator("get_resources").paginate(restApiId=api, PaginationConfig={"PageSize": 1}))
assert sorted(len(page["items"]) for page in pages) == [1, 1], pages
resource = gateway.get_resource(restApiId=api, resourceId=posts, embed=["methods"])
assert resource["parentId"] == root and resource["pathPart"] == "posts"
method = gateway.get_method(restApiId=api, resourceId=posts, httpMethod="GET")
assert resource["resourceMethods"]["GET"]["methodIntegration"] == method["methodIntegration"]
assert method["operationName"] == "ListPosts" and method["authorizationType"] == "NONE" and not method["apiKeyRequired"]
integration = gateway.get_integration(restApiId=api, resourceId=posts, httpMethod="GET")
assert integration["type"] == "AWS_PROXY" and integration["uri"] == INVOKE and integration["timeoutInMillis"] == 5000
options = gateway.get_method(restApiId=api, resourceId=root, httpMethod="OPTIONS")
assert options["methodResponses"]["200"]["responseModels"] == {"application/json": "Empty"}
response = gateway.get_integration_response(restApiId=api, resourceId=root, httpMethod="OPTIONS", statusCode="200")
assert response["responseTemplates"] == {"application/json": "$stageVariables.SAID"}
response = gateway.get_method_response(restApiId=api, resourceId=root, httpMethod="OPTIONS", statusCode="200")
assert response["responseParameters"] == {"method.response.header.X-A": True}
summary = gateway.get_deployment(restApiId=api, deploymentId=deployment, embed=["apisummary"])
assert sorted(summary["apiSummary"]) == ["/", "/posts"] and summary["description"] == "first"
stage = gateway.get_stage(restApiId=api, stageName="prod")
assert stage["deploymentId"] == deployment and stage["variables"] == {"SAID": "hello"} and stage["tags"] == {"stage": "prod"}
assert stage["methodSettings"]["*/*"]["throttlingRateLimit"] == 2.5
assert stage["accessLogSettings"]["format"] == "$context.status" and stage["description"] == "the one"
kinds = {found["responseType"]: found for found in gateway.get_gateway_responses(restApiId=api)["items"]}
assert len(kinds) == 21 and kinds["THROTTLED"]["defaultResponse"] and kinds["THROTTLED"]["statusCode"] == "429"
assert not kinds["MISSING_AUTHENTICATION_TOKEN"]["defaultResponse"]
assert gateway.get_gateway_response(restApiId=api, responseType="MISSING_AUTHENTICATION_TOKEN")["statusCode"] == "404"
assert gateway.get_tags(resourceArn=f"arn:aws:apigateway:us-east-1::/restapis/{api}")["tags"] == {"team": "a"}
assert gateway.get_tags(resourceArn=f"arn:aws:apigateway:us-east-1::/restapis/{api}/stages/prod")["tags"] == {"stage": "prod"}
assert gateway.get_account()["throttleSettings"] == {"burstLimit": 5000, "rateLimit": 10000.0}
for empty in [gateway.get_api_keys, gateway.get_usage_plans, gateway.get_domain_names, gateway.get_vpc_links]:
    assert empty()["items"] == []
assert gateway.get_authorizers(restApiId=api)["items"] == []

# Deployments and stages are made, changed and deleted.
second = gateway.create_deployment(restApiId=api, stageName="test", description="second", stageDescription="try", variables={"SAID": "hi"})
stages = gateway.get_stages(restApiId=api, deploymentId=second["id"])["item"]
assert [(found["stageName"], found["description"]) for found in stages] == [("test", "try")], stages
assert get("test/_user_request_/none") == (404, "{}")
changes = [("replace", "/deploymentId", deployment), ("replace", "/variables/SAID", "changed"), ("replace", "/description", "moved")]
changed = gateway.update_stage(restApiId=api, stageName="test", patchOperations=[
    {"op": op, "path": path, "value": value} for op, path, value in changes])
assert changed["deploymentId"] == deployment and changed["description"] == "moved" and changed["variables"] == {"SAID": "changed"}
assert changed["createdDate"] <= changed["lastUpdatedDate"]
removed = gateway.update_stage(restApiId=api, stageName="test", patchOperations=[{"op": "remove", "path": "/variables/SAID"}])
assert "variables" not in removed
described = gateway.update_deployment(restApiId=api, deploymentId=second["id"], patchOperations=[
    {"op": "replace", "path": "/description", "value": "kept"}])
assert described["description"] == "kept"
gateway.create_stage(restApiId=api, stageName="third", deploymentId=second["id"], tags={"a": "b"})
refused("ConflictException", gateway.create_stage, restApiId=api, stageName="third", deploymentId=second["id"])
active = refused("BadRequestException", gateway.delete_deployment, restApiId=api, deploymentId=second["id"])
assert active == "Active stages pointing to this deployment must be moved or deleted"
gateway.flush_stage_cache(restApiId=api, stageName="third")
gateway.delete_stage(restApiId=api, stageName="third")
gateway.delete_deployment(restApiId=api, deploymentId=second["id"])
assert [found["id"] for found in gateway.get_deployments(restApiId=api)["items"]] == [deployment]

# What is not there, and what is not had here.
assert refused("NotFoundException", gateway.get_rest_api, restApiId="none") == "Invalid API identifier specified 000000000000:none"
assert refused("NotFoundException", gateway.get_stage, restApiId=api, stageName="none") == "Invalid stage identifier specified"
assert refused("NotFoundException", gateway.get_resource, restApiId=api, resourceId="none") == "Invalid Resource identifier specified"
assert refused("NotFoundException", gateway.get_method, restApiId=api, resourceId=root, httpMethod="PUT") == "Invalid Method identifier specified"
assert refused("NotFoundException", gateway.get_deployment, restApiId=api, deploymentId="none") == "Invalid Deployment identifier specified"
refused("BadRequestException", gateway.update_stage, restApiId=api, stageName="prod", patchOperations=[
    {"op": "replace", "path": "/cacheClusterEnabled", "value": "true"}])
refused("BadRequestException", gateway.create_stage, restApiId=api, stageName="x", deploymentId="none")
assert "POST /apikeys" in refused("UnknownOperationException", gateway.create_api_key, name="x")
gateway.delete_rest_api(restApiId=api)
assert gateway.get_rest_apis()["items"] == []
