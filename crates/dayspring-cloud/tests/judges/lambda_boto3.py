import base64
import io
import json
import zipfile

import boto3
import shapes
from botocore.config import Config
from botocore.exceptions import ClientError

boto3.setup_default_session()
shapes.watch(boto3.DEFAULT_SESSION)
client = boto3.client("lambda", config=Config(retries={"max_attempts": 0}))
ROLE = "arn:aws:iam::000000000000:role/r"
CODE = "import os\ndef handler(event, context):\n    print('seen')\n    return {'event': event, 'name': os.environ.get('NAME'), 'version': %d}\n"


def archive(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for name, text in files.items():
            out.writestr(name.replace("__", "/") + ".py", text)
    return buffer.getvalue()


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        return error.response
    raise AssertionError(f"{call} was not refused")


def message(code, call, **arguments):
    return refused(code, call, **arguments)["Error"]["Message"]


def invoke(**arguments):
    answer = client.invoke(FunctionName="hello", Payload=b'{"a": 1}', **arguments)
    return answer, json.loads(answer["Payload"].read() or b"null")


# Made from a zip in the request, run, and shown.
new = dict(FunctionName="hello", Runtime="python3.13", Role=ROLE, Handler="app.handler", Timeout=20, MemorySize=256)
made = client.create_function(**new, Code={"ZipFile": archive(app=CODE % 1)}, Tags={"team": "a"}, TracingConfig={"Mode": "Active"})
assert made["State"] == "Pending" and made["StateReasonCode"] == "Creating", made
client.get_waiter("function_active_v2").wait(FunctionName="hello")
answer, payload = invoke(LogType="Tail")
assert payload == {"event": {"a": 1}, "name": None, "version": 1}, payload
assert answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "$LATEST" and "FunctionError" not in answer
assert b"seen\n" in base64.b64decode(answer["LogResult"])
shown = client.get_function(FunctionName="hello", Qualifier="$LATEST")
assert shown["Configuration"]["State"] == "Active" and shown["Tags"] == {"team": "a"}
assert shown["Configuration"]["TracingConfig"] == {"Mode": "Active"}
assert shown["Configuration"]["CodeSha256"] == made["CodeSha256"]
assert client.get_function_configuration(FunctionName=made["FunctionArn"])["Timeout"] == 20
assert message("ResourceConflictException", client.create_function, **new, Code={"ZipFile": archive(app="")}) == "Function already exist: hello"
assert message("InvalidParameterValueException", client.create_function, **{**new, "FunctionName": "x"}, Code={}) == "Please provide a source for function code."
message("InvalidParameterValueException", client.create_function, **{**new, "FunctionName": "x", "Runtime": "java21"}, Code={"ZipFile": archive(app="")})
assert "'role' failed to satisfy constraint" in message("ValidationException", client.create_function, **{**new, "FunctionName": "x", "Role": "r"}, Code={"ZipFile": archive(app="")})
message("ResourceNotFoundException", client.get_function, FunctionName="nobody")
message("ResourceNotFoundException", client.get_function, FunctionName="hello", Qualifier="7")

# Changed: the code from S3, the configuration, with the revision that it has.
s3 = boto3.client("s3")
s3.create_bucket(Bucket="code")
s3.put_object(Bucket="code", Key="two.zip", Body=archive(app=CODE % 2))
update = client.update_function_code(FunctionName="hello", S3Bucket="code", S3Key="two.zip")
assert update["LastUpdateStatus"] == "InProgress" and update["CodeSha256"] != made["CodeSha256"]
client.get_waiter("function_updated_v2").wait(FunctionName="hello")
assert invoke()[1]["version"] == 2
assert "S3 Error Code: NoSuchKey" in message("InvalidParameterValueException", client.update_function_code, FunctionName="hello", S3Bucket="code", S3Key="none")
message("PreconditionFailedException", client.update_function_code, FunctionName="hello", ZipFile=archive(app=""), RevisionId="0")
client.update_function_configuration(FunctionName="hello", Environment={"Variables": {"NAME": "n"}}, RevisionId=update["RevisionId"])
assert invoke()[1]["name"] == "n"
assert "reserved keys" in message("InvalidParameterValueException", client.update_function_configuration, FunctionName="hello", Environment={"Variables": {"AWS_REGION": "x"}})

# Its log, as text and as JSON.
assert shown["Configuration"]["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/hello"}
logging = {"LogFormat": "JSON", "ApplicationLogLevel": "WARN"}
changed = client.update_function_configuration(FunctionName="hello", LoggingConfig=logging)
assert changed["LoggingConfig"] == {**logging, "SystemLogLevel": "INFO", "LogGroup": "/aws/lambda/hello"}, changed
lines = base64.b64decode(invoke(LogType="Tail")[0]["LogResult"]).decode().splitlines()
start, report = json.loads(lines[0]), json.loads(lines[-1])
assert (start["type"], start["record"]["version"]) == ("platform.start", "$LATEST"), start
assert report["type"] == "platform.report" and report["record"]["metrics"]["billedDurationMs"] >= 1, report
message("ValidationException", client.update_function_configuration, FunctionName="hello", LoggingConfig={"LogFormat": "XML"})
client.update_function_configuration(FunctionName="hello", LoggingConfig={"LogFormat": "Text"})
assert invoke(LogType="Tail")[0]["LogResult"] and client.get_function_configuration(FunctionName="hello")["LoggingConfig"]["LogFormat"] == "Text"

# Invoked in each of its ways.
assert invoke(InvocationType="DryRun")[0]["StatusCode"] == 204
assert invoke(InvocationType="Event")[0]["StatusCode"] == 202
big = json.dumps("x" * 1_048_576).encode()
assert "for the Event invocation type (limit 1048576 bytes)" in message("RequestEntityTooLargeException", client.invoke, FunctionName="hello", InvocationType="Event", Payload=big)
bigger = json.dumps("x" * 6_291_456).encode()
assert message("RequestEntityTooLargeException", client.invoke, FunctionName="hello", Payload=bigger) == "Request must be smaller than 6291456 bytes for the InvokeFunction operation"
assert message("InvalidRequestContentException", client.invoke, FunctionName="hello", Payload=b"{").startswith("Could not parse request body into json")

# A stream of events, written when the function is done.
events = list(client.invoke_with_response_stream(FunctionName="hello", Payload=b'{"a": 1}', LogType="Tail")["EventStream"])
assert json.loads(b"".join(event["PayloadChunk"]["Payload"] for event in events[:-1]))["version"] == 2, events
assert b"seen\n" in base64.b64decode(events[-1]["InvokeComplete"]["LogResult"]) and "ErrorCode" not in events[-1]["InvokeComplete"]
client.create_function(**{**new, "FunctionName": "broken"}, Code={"ZipFile": archive(app="def handler(event, context):\n    raise ValueError('no')\n")})
[event] = client.invoke_with_response_stream(FunctionName="broken")["EventStream"]
assert event["InvokeComplete"]["ErrorCode"] == "ValueError" and "no" in event["InvokeComplete"]["ErrorDetails"], event
client.delete_function(FunctionName="broken")
message("ResourceNotFoundException", client.invoke_with_response_stream, FunctionName="nobody")

# Concurrency.
assert client.put_function_concurrency(FunctionName="hello", ReservedConcurrentExecutions=0)["ReservedConcurrentExecutions"] == 0
throttled = refused("TooManyRequestsException", client.invoke, FunctionName="hello")
assert throttled["ResponseMetadata"]["HTTPStatusCode"] == 429
assert throttled["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded" and throttled["Error"]["Message"] == "Rate Exceeded."
assert client.get_function_concurrency(FunctionName="hello")["ReservedConcurrentExecutions"] == 0
assert client.get_function(FunctionName="hello")["Concurrency"] == {"ReservedConcurrentExecutions": 0}
client.delete_function_concurrency(FunctionName="hello")
assert invoke()[1]["version"] == 2
assert "minimum value of [100]" in message("InvalidParameterValueException", client.put_function_concurrency, FunctionName="hello", ReservedConcurrentExecutions=901)

# Versions: the function as it was. Aliases: names for them.
assert [version["Version"] for version in client.list_versions_by_function(FunctionName="hello")["Versions"]] == ["$LATEST"]
first = client.publish_version(FunctionName="hello", Description="the first")
assert (first["Version"], first["Description"]) == ("1", "the first") and first["FunctionArn"] == made["FunctionArn"] + ":1", first
assert client.publish_version(FunctionName="hello")["Version"] == "1"
assert "different from current CodeSHA256" in message("InvalidParameterValueException", client.publish_version, FunctionName="hello", CodeSha256="x")
message("PreconditionFailedException", client.publish_version, FunctionName="hello", RevisionId="0")
live = client.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
assert live["AliasArn"] == made["FunctionArn"] + ":live" and live["FunctionVersion"] == "1", live
second = client.update_function_code(FunctionName="hello", ZipFile=archive(app="import os\ndef handler(event, context):\n    return [os.environ['AWS_LAMBDA_FUNCTION_VERSION'], context.invoked_function_arn]\n"), Publish=True)
assert second["Version"] == "2" and second["FunctionArn"].endswith(":hello:2"), second
answer, payload = invoke(Qualifier="live", LogType="Tail")
assert payload["version"] == 2 and answer["ExecutedVersion"] == "1", payload
assert b" Version: 1\n" in base64.b64decode(answer["LogResult"])
assert invoke()[1] == ["$LATEST", made["FunctionArn"]]
assert invoke(Qualifier="2")[1] == ["2", made["FunctionArn"] + ":2"]
moved = client.update_alias(FunctionName="hello", Name="live", FunctionVersion="2", RevisionId=live["RevisionId"])
assert moved["RevisionId"] != live["RevisionId"] and moved["FunctionVersion"] == "2"
answer = client.invoke(FunctionName=live["AliasArn"])
assert json.loads(answer["Payload"].read()) == ["2", live["AliasArn"]] and answer["ExecutedVersion"] == "2"
message("PreconditionFailedException", client.update_alias, FunctionName="hello", Name="live", RevisionId=live["RevisionId"])
message("ResourceConflictException", client.create_alias, FunctionName="hello", Name="live", FunctionVersion="1")
assert message("ResourceNotFoundException", client.create_alias, FunctionName="hello", Name="x", FunctionVersion="9") == f"Function not found: {made['FunctionArn']}:9"
message("ValidationException", client.create_alias, FunctionName="hello", Name="7", FunctionVersion="1")
assert "one version" in message("InvalidParameterValueException", client.update_alias, FunctionName="hello", Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}})
assert message("ResourceNotFoundException", client.get_alias, FunctionName="hello", Name="nobody") == f"Cannot find alias arn: {made['FunctionArn']}:nobody"
assert client.get_alias(FunctionName="hello", Name="live")["FunctionVersion"] == "2"
assert [alias["Name"] for alias in client.list_aliases(FunctionName="hello")["Aliases"]] == ["live"]
assert client.list_aliases(FunctionName="hello", FunctionVersion="1")["Aliases"] == []
pages = client.get_paginator("list_versions_by_function").paginate(FunctionName="hello", PaginationConfig={"PageSize": 2})
assert [[version["Version"] for version in page["Versions"]] for page in pages] == [["$LATEST", "1"], ["2"]]
everything = client.list_functions(FunctionVersion="ALL")["Functions"]
assert [function["Version"] for function in everything] == ["$LATEST", "1", "2"] and everything[0]["FunctionArn"].endswith(":$LATEST")
shown = client.get_function_configuration(FunctionName="hello", Qualifier="live")
assert shown["FunctionArn"] == live["AliasArn"] and shown["Version"] == "2" and shown["CodeSha256"] == second["CodeSha256"]
client.add_permission(FunctionName="hello", Qualifier="live", StatementId="one", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com")
assert json.loads(client.get_policy(FunctionName="hello", Qualifier="live")["Policy"])["Statement"][0]["Resource"] == live["AliasArn"]
message("ResourceNotFoundException", client.get_policy, FunctionName="hello")
assert "whatever its version" in message("InvalidParameterValueException", client.put_function_event_invoke_config, FunctionName="hello", Qualifier="live", MaximumRetryAttempts=0)
assert "does not match" in message("InvalidParameterValueException", client.invoke, FunctionName="hello:1", Qualifier="2")
assert "[live]" in message("ResourceConflictException", client.delete_function, FunctionName="hello", Qualifier="2")
client.delete_alias(FunctionName="hello", Name="live")
client.delete_function(FunctionName="hello", Qualifier="2")
message("ResourceNotFoundException", client.invoke, FunctionName="hello", Qualifier="2")
message("ResourceNotFoundException", client.invoke, FunctionName="hello", Qualifier="live")
message("InvalidParameterValueException", client.delete_function, FunctionName="hello", Qualifier="$LATEST")
assert client.publish_version(FunctionName="hello")["Version"] == "3"

# Its policy, its events, its tags.
permission = dict(FunctionName="hello", StatementId="one", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com", SourceArn="arn:aws:execute-api:us-east-1:000000000000:x/*")
assert json.loads(client.add_permission(**permission)["Statement"])["Principal"] == {"Service": "apigateway.amazonaws.com"}
message("ResourceConflictException", client.add_permission, **permission)
policy = json.loads(client.get_policy(FunctionName="hello")["Policy"])
assert [statement["Sid"] for statement in policy["Statement"]] == ["one"]
client.remove_permission(FunctionName="hello", StatementId="one")
message("ResourceNotFoundException", client.get_policy, FunctionName="hello")
events = client.put_function_event_invoke_config(FunctionName="hello", MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60)
assert events["MaximumRetryAttempts"] == 0 and events["LastModified"].year >= 2026
client.update_function_event_invoke_config(FunctionName="hello", MaximumEventAgeInSeconds=90)
events = client.get_function_event_invoke_config(FunctionName="hello")
assert (events["MaximumRetryAttempts"], events["MaximumEventAgeInSeconds"]) == (0, 90)
message("ValidationException", client.put_function_event_invoke_config, FunctionName="hello", MaximumRetryAttempts=3)
client.delete_function_event_invoke_config(FunctionName="hello")
message("ResourceNotFoundException", client.get_function_event_invoke_config, FunctionName="hello")
client.tag_resource(Resource=made["FunctionArn"], Tags={"b": "2"})
client.untag_resource(Resource=made["FunctionArn"], TagKeys=["team"])
assert client.list_tags(Resource=made["FunctionArn"])["Tags"] == {"b": "2"}

# Layers.
layer = client.publish_layer_version(LayerName="shared", Content={"ZipFile": archive(python__shared="WORD = 'layer'\n")})
assert layer["Version"] == 1 and layer["LayerVersionArn"].endswith(":layer:shared:1")
with_layer = archive(app="import shared\ndef handler(event, context):\n    return shared.WORD\n")
client.create_function(**{**new, "FunctionName": "layered"}, Layers=[layer["LayerVersionArn"]], Code={"ZipFile": with_layer})
assert client.invoke(FunctionName="layered")["Payload"].read() == b'"layer"'
assert [each["Version"] for each in client.list_layer_versions(LayerName="shared")["LayerVersions"]] == [1]
assert client.list_layers()["Layers"][0]["LayerName"] == "shared"
assert client.get_layer_version(LayerName="shared", VersionNumber=1)["Content"]["CodeSize"] > 0
client.delete_layer_version(LayerName="shared", VersionNumber=1)
message("ResourceNotFoundException", client.get_layer_version, LayerName="shared", VersionNumber=1)

# What this cloud does not have is not there, and cannot be made.
# AWS leaves the ARN out where there is none, which its model says is always there: a session that does not look.
signing = boto3.session.Session().client("lambda").get_function_code_signing_config(FunctionName="hello")
assert signing["FunctionName"] == "hello" and "CodeSigningConfigArn" not in signing
assert client.get_runtime_management_config(FunctionName="hello")["UpdateRuntimeOn"] == "Auto"
assert client.get_function_recursion_config(FunctionName="hello")["RecursiveLoop"] == "Terminate"
assert client.list_provisioned_concurrency_configs(FunctionName="hello")["ProvisionedConcurrencyConfigs"] == []
assert client.list_function_url_configs(FunctionName="hello")["FunctionUrlConfigs"] == []
assert client.list_event_source_mappings()["EventSourceMappings"] == []
message("ResourceNotFoundException", client.get_function_url_config, FunctionName="hello")
message("ResourceNotFoundException", client.list_function_url_configs, FunctionName="nobody")
assert "does not answer POST" in message("UnknownOperationException", client.create_function_url_config, FunctionName="hello", AuthType="NONE")
assert "does not answer PUT" in message("UnknownOperationException", client.put_provisioned_concurrency_config, FunctionName="hello", Qualifier="1", ProvisionedConcurrentExecutions=1)

# Listed page by page, counted, deleted.
names = []
for page in client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 1}):
    names += [function["FunctionName"] for function in page["Functions"]]
assert names == ["hello", "layered"], names
assert client.get_account_settings()["AccountUsage"]["FunctionCount"] == 2
client.delete_function(FunctionName="hello")
message("ResourceNotFoundException", client.delete_function, FunctionName="hello")
message("ResourceNotFoundException", client.invoke, FunctionName="hello")
