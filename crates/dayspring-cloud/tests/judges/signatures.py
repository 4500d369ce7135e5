"""A cloud that checks signatures, seen by boto3: with its secret everything works, with another nothing does."""

import datetime
import io
import urllib.request
from unittest import mock

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

KEY = "a b/ü+=&,:@~.txt"


def calls(session):
    yield "s3", lambda: session.client("s3").list_buckets()
    yield "s3", lambda: session.client("s3").get_object(Bucket="box", Key=KEY)
    yield "cloudformation", lambda: session.client("cloudformation").list_stacks()
    yield "sts", lambda: session.client("sts").get_caller_identity()
    yield "ssm", lambda: session.client("ssm").describe_parameters()
    yield "secretsmanager", lambda: session.client("secretsmanager").list_secrets()
    yield "logs", lambda: session.client("logs").describe_log_groups(logGroupNamePrefix="/a b")
    yield "lambda", lambda: session.client("lambda").get_function(FunctionName="arn:aws:lambda:us-east-1:000000000000:function:x")
    yield "rds-data", lambda: session.client("rds-data").execute_statement(resourceArn="arn:aws:rds:us-east-1:0:cluster:x1", secretArn="not-a-secret", sql="select 1")


def code(call):
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


good = boto3.Session()
s3 = good.client("s3")
s3.create_bucket(Bucket="box")
s3.put_object(Bucket="box", Key=KEY, Body=b"hello", Metadata={"one": "1   2"})
s3.put_object(Bucket="box", Key="trailer", Body=io.BytesIO(b"y" * 100_000), ChecksumAlgorithm="SHA256")
s3.list_objects_v2(Bucket="box", Prefix="a b/ü", Delimiter="/")
url = good.client("s3", config=Config(signature_version="s3v4")).generate_presigned_url("get_object", Params={"Bucket": "box", "Key": KEY}, ExpiresIn=60)
assert urllib.request.urlopen(url).read() == b"hello"

signature = {"SignatureDoesNotMatch", "InvalidSignatureException"}
role = good.client("sts").assume_role(RoleArn="arn:aws:iam::000000000000:role/x", RoleSessionName="session")["Credentials"]
assumed = boto3.Session(role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"])
for session in (good, assumed):
    for service, call in calls(session):
        assert code(call) not in signature, (service, code(call))

wrong = boto3.Session(aws_access_key_id="AKID", aws_secret_access_key="wrong")
expected = {"s3": "SignatureDoesNotMatch", "cloudformation": "SignatureDoesNotMatch", "sts": "SignatureDoesNotMatch"}
for service, call in calls(wrong):
    assert code(call) == expected.get(service, "InvalidSignatureException"), (service, code(call))

# A clock that is an hour late.
late = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.timedelta(hours=1)
with mock.patch("botocore.auth.get_current_datetime", lambda *_, **__: late):
    assert code(good.client("sts").get_caller_identity) == "SignatureDoesNotMatch"
    assert code(good.client("s3").list_buckets) == "RequestTimeTooSkewed"
