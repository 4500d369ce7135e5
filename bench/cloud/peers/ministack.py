"""Sets MiniStack up: a REST API before a Python function (a `provided` runtime needs Docker there), and a cluster.

Prints the path of the function and the ARN of the cluster and of its secret.
"""

import io
import json
import sys
import zipfile

import boto3

endpoint = sys.argv[1]
options = dict(
    endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
)
code = b"""def handler(event, context):
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"message":"hello"}'}
"""
archive = io.BytesIO()
with zipfile.ZipFile(archive, "w") as file:
    file.writestr("hello.py", code)
function = boto3.client("lambda", **options).create_function(
    FunctionName="hello",
    Runtime="python3.11",
    Role="arn:aws:iam::000000000000:role/r",
    Handler="hello.handler",
    Code={"ZipFile": archive.getvalue()},
)["FunctionArn"]
gateway = boto3.client("apigateway", **options)
api = gateway.create_rest_api(name="hello")["id"]
root = gateway.get_resources(restApiId=api)["items"][0]["id"]
resource = gateway.create_resource(restApiId=api, parentId=root, pathPart="hello")["id"]
method = dict(restApiId=api, resourceId=resource, httpMethod="GET")
gateway.put_method(**method, authorizationType="NONE")
gateway.put_integration(
    **method,
    type="AWS_PROXY",
    integrationHttpMethod="POST",
    uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations",
)
gateway.create_deployment(restApiId=api, stageName="prod")
secret = boto3.client("secretsmanager", **options).create_secret(
    Name="s", SecretString=json.dumps({"username": "root", "password": "password"})
)["ARN"]
cluster = boto3.client("rds", **options).create_db_cluster(
    DBClusterIdentifier="c",
    Engine="aurora-mysql",
    EngineMode="serverless",
    MasterUsername="root",
    MasterUserPassword="password",
    EnableHttpEndpoint=True,
)["DBCluster"]["DBClusterArn"]
print(json.dumps({"path": f"/restapis/{api}/prod/_user_request_/hello", "cluster": cluster, "secret": secret}))
