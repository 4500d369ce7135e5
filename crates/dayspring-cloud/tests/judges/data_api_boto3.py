"""The Data API as boto3 sees it, with every answer held to the service's model."""

import os

import boto3
import shapes
from botocore.exceptions import ClientError

boto3.setup_default_session()
shapes.watch(boto3.DEFAULT_SESSION)
client = boto3.client("rds-data")
target = {"resourceArn": os.environ["CLUSTER_ARN"], "secretArn": os.environ["SECRET_ARN"]}
here = {**target, "database": os.environ["DATABASE"]}


def execute(sql, parameters=(), **more):
    arguments = {**here, "sql": sql, "parameters": list(parameters), **more}
    return client.execute_statement(**arguments)


def refused(kind, text, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == kind, error.response
        assert text in error.response["Error"]["Message"], error.response
        return error.response
    raise AssertionError(f"{kind} did not come")


def parameter(name, hint=None, **value):
    return {"name": name, "value": value, **({"typeHint": hint} if hint else {})}


execute("""create table item (id bigint unsigned auto_increment primary key, name varchar(100) not null, price decimal(10,2),
           made datetime(3), day date, at time, ok boolean, flags bit(1), small tinyint, real_ double, bytes blob, data json,
           kind enum('a','b'), year_ year, note text)""")
inserted = execute(
    "insert into item (name, price, made, day, at, ok, flags, small, real_, bytes, data, kind, year_, note) values "
    "(:name, :price, :made, :day, :at, :ok, :flags, :small, :real, :bytes, :data, :kind, :year, :note)",
    [
        parameter("name", stringValue="it's :name"), parameter("price", "DECIMAL", stringValue="12.50"),
        parameter("made", "TIMESTAMP", stringValue="2024-02-29 10:11:12.345"), parameter("day", "DATE", stringValue="2024-02-29"),
        parameter("at", "TIME", stringValue="10:11:12"), parameter("ok", booleanValue=True), parameter("flags", booleanValue=False),
        parameter("small", longValue=-5), parameter("real", doubleValue=0.5), parameter("bytes", blobValue=b"\x00\xff"),
        parameter("data", "JSON", stringValue='{"a": [1]}'), parameter("kind", stringValue="b"), parameter("year", longValue=2024),
        parameter("note", isNull=True),
    ],
)
assert inserted["generatedFields"] == [{"longValue": 1}] and inserted["numberOfRecordsUpdated"] == 1, inserted
assert "records" not in inserted and "columnMetadata" not in inserted, inserted

answer = execute("select * from item", includeResultMetadata=True)
assert answer["numberOfRecordsUpdated"] == 0 and "generatedFields" not in answer, answer
assert answer["records"] == [[
    {"longValue": 1}, {"stringValue": "it's :name"}, {"stringValue": "12.50"}, {"stringValue": "2024-02-29 10:11:12.345"},
    {"stringValue": "2024-02-29"}, {"stringValue": "10:11:12"}, {"booleanValue": True}, {"booleanValue": False}, {"longValue": -5},
    {"doubleValue": 0.5}, {"blobValue": b"\x00\xff"}, {"stringValue": '{"a": [1]}'}, {"stringValue": "b"}, {"stringValue": "2024"},
    {"isNull": True},
]], answer["records"]
types = [column["typeName"] for column in answer["columnMetadata"]]
assert types == ["BIGINT UNSIGNED", "VARCHAR", "DECIMAL", "DATETIME", "DATE", "TIME", "BIT", "BIT", "TINYINT", "DOUBLE", "BLOB",
                 "JSON", "ENUM", "YEAR", "TEXT"], types
assert answer["columnMetadata"][0]["isAutoIncrement"] and answer["columnMetadata"][1]["precision"] == 100
options = {"decimalReturnType": "DOUBLE_OR_LONG", "longReturnType": "STRING"}
assert execute("select price, small from item", resultSetOptions=options)["records"] == [[{"doubleValue": 12.5}, {"stringValue": "-5"}]]
formatted = execute("select small, ok, bytes from item", formatRecordsAs="JSON", includeResultMetadata=True)
assert formatted["formattedRecords"] == '[{"small":-5,"ok":true,"bytes":"AP8="}]' and "records" not in formatted, formatted

# Transactions.
transaction = client.begin_transaction(**here)["transactionId"]
execute("insert into item (name) values ('in')", transactionId=transaction)
assert execute("select count(*) from item")["records"] == [[{"longValue": 1}]]
assert client.rollback_transaction(**target, transactionId=transaction)["transactionStatus"] == "Rollback Complete"
transaction = client.begin_transaction(**here)["transactionId"]
sets = [[parameter("name", stringValue=name)] for name in ("x", "y")]
batch = client.batch_execute_statement(**here, sql="insert into item (name) values (:name)", parameterSets=sets, transactionId=transaction)
assert [len(result["generatedFields"]) for result in batch["updateResults"]] == [1, 1], batch
assert client.commit_transaction(**target, transactionId=transaction)["transactionStatus"] == "Transaction Committed"
assert execute("select count(*) from item")["records"] == [[{"longValue": 3}]]
batch = client.batch_execute_statement(**here, sql="update item set small = 1 where name = :name", parameterSets=sets)
assert batch["updateResults"] == [{"generatedFields": []}] * 2, batch

# Errors: the kinds and the statuses of Serverless v2.
call = client.execute_statement
refused("DatabaseErrorException", "Error code: 1064; SQLState: 42000", call, **here, sql="selec 1")
refused("DatabaseErrorException", "Error code: 1146; SQLState: 42S02", call, **here, sql="select * from nowhere")
refused("ValidationException", "Multistatements aren't supported.", call, **here, sql="select 1; select 2")
refused("ValidationException", "The schema parameter isn't supported", call, **here, sql="select 1", schema="s")
refused("SecretsErrorException", "", call, **{**here, "secretArn": target["secretArn"] + "x"}, sql="select 1")
refused("HttpEndpointNotEnabledException", "HttpEndpoint isn't enabled for cluster", call, **{**here, "resourceArn": target["resourceArn"] + "x"}, sql="select 1")
gone = refused("TransactionNotFoundException", "is not found", call, **here, sql="select 1", transactionId=transaction)
assert gone["ResponseMetadata"]["HTTPStatusCode"] == 404
refused("TransactionNotFoundException", "is not found", client.commit_transaction, **target, transactionId=transaction)
refused("UnsupportedResultException", "allowed response size limit", call, **here, sql="select repeat('x', 2000000)")
refused("UnsupportedResultException", "unsupported data type", call, **here, sql="select point(1, 2)")
refused("BadRequestException", "deprecated", client.execute_sql, dbClusterOrInstanceArn=target["resourceArn"],
        awsSecretStoreArn=target["secretArn"], sqlStatements="select 1")
