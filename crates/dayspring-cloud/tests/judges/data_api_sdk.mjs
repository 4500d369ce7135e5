// npm's `@aws-sdk/client-rds-data`: AWS's own SDK for JavaScript.
import assert from "node:assert/strict";
import * as sdk from "@aws-sdk/client-rds-data";

const client = new sdk.RDSData({});
const target = { resourceArn: process.env.CLUSTER_ARN, secretArn: process.env.SECRET_ARN };
const here = { ...target, database: process.env.DATABASE };
const execute = (sql, parameters = [], more = {}) => client.executeStatement({ ...here, sql, parameters, ...more });
const records = async (...given) => (await execute(...given)).records;

await execute("create table t (id int auto_increment primary key, n bigint, s text, b varbinary(9), d decimal(5,2), ok boolean)");
const inserted = await execute("insert into t (n, s, b, d, ok) values (:n, :s, :b, :d, :ok)", [
  { name: "n", value: { longValue: 7 } },
  { name: "s", value: { stringValue: "';drop table t;-- :n" } },
  { name: "b", value: { blobValue: new Uint8Array([0, 255]) } },
  { name: "d", value: { stringValue: "1.50" }, typeHint: "DECIMAL" },
  { name: "ok", value: { booleanValue: true } },
]);
assert.deepEqual(inserted.generatedFields, [{ longValue: 1 }]);
assert.equal(inserted.numberOfRecordsUpdated, 1);
assert.equal(inserted.records, undefined);
const answer = await execute("select n, s, b, d, ok, null from t", [], { includeResultMetadata: true });
assert.deepEqual(answer.records, [[
  { longValue: 7 }, { stringValue: "';drop table t;-- :n" }, { blobValue: new Uint8Array([0, 255]) }, { stringValue: "1.50" },
  { booleanValue: true }, { isNull: true },
]]);
assert.deepEqual(answer.columnMetadata.map((column) => column.typeName).slice(0, 5), ["BIGINT", "TEXT", "VARBINARY", "DECIMAL", "BIT"]);

const { transactionId } = await client.beginTransaction(here);
await execute("update t set n = n + 1", [], { transactionId });
assert.deepEqual(await records("select n from t"), [[{ longValue: 7 }]]);
assert.equal((await client.rollbackTransaction({ ...target, transactionId })).transactionStatus, "Rollback Complete");
await assert.rejects(client.commitTransaction({ ...target, transactionId }), sdk.TransactionNotFoundException);
const sets = [[{ name: "n", value: { longValue: 1 } }], [{ name: "n", value: { longValue: 2 } }]];
const batch = await client.batchExecuteStatement({ ...here, sql: "insert into t (n) values (:n)", parameterSets: sets });
assert.deepEqual(batch.updateResults, [{ generatedFields: [{ longValue: 2 }] }, { generatedFields: [{ longValue: 3 }] }]);

await assert.rejects(execute("selec 1"), (error) => {
  assert.ok(error instanceof sdk.DatabaseErrorException, error.name);
  assert.match(error.message, /Error code: 1064; SQLState: 42000$/);
  assert.equal(error.$metadata.httpStatusCode, 400);
  return true;
});
await assert.rejects(execute("select 1; select 2"), { name: "ValidationException" });
await assert.rejects(client.executeStatement({ ...here, secretArn: "nobody-knows", sql: "select 1" }), sdk.SecretsErrorException);
