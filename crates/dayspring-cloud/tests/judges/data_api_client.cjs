// npm's `data-api-client` (over `aws-sdk` 2), and `knex` with its driver over that.
const assert = require("node:assert/strict");
const knex = require("knex");
const target = {
  resourceArn: process.env.CLUSTER_ARN, secretArn: process.env.SECRET_ARN, database: process.env.DATABASE,
  options: { endpoint: process.env.AWS_ENDPOINT_URL, sslEnabled: false, region: "us-east-1" },
};
const data = require("data-api-client")(target);

async function client() {
  await data.query("create table user (id int auto_increment primary key, name varchar(50), age int, born datetime, data json)");
  const first = await data.query("insert into user (name, age, born) values (:name, :age, :born)", { name: "Greg's", age: 7, born: new Date(Date.UTC(2024, 1, 29)) });
  assert.equal(first.insertId, 1);
  const many = await data.query("insert into user (name, age) values (:name, :age)", [[{ name: "Marcia", age: 17 }], [{ name: "Peter", age: 15 }]]);
  assert.deepEqual(many.updateResults, [{ insertId: 2 }, { insertId: 3 }]);
  const { records } = await data.query("select id, name, born from user where age < :max and ::column is not null order by id", { max: 16, column: "name" });
  assert.deepEqual(records.map((row) => [row.id, row.name]), [[1, "Greg's"], [3, "Peter"]]);
  assert.equal(new Date(records[0].born).getTime(), Date.UTC(2024, 1, 29));
  assert.deepEqual(await data.query("update user set age = :age where id = :id", { id: 1, age: 7 }), { numberOfRecordsUpdated: 1 });
  const results = await data.transaction()
    .query("insert into user (name, age) values (:name, :age)", { name: "Bobby", age: 9 })
    .query((before) => ["update user set age = age + 1 where id = :id", { id: before.insertId }])
    .rollback(() => { throw new Error("rolled back"); })
    .commit();
  assert.equal(results[1].numberOfRecordsUpdated, 1);
  let status;
  await assert.rejects(data.transaction().query("delete from user").query("selec 1").rollback((_, given) => { status = given; }).commit(),
    /Error code: 1064; SQLState: 42000$/);
  assert.equal(status.transactionStatus, "Rollback Complete");
  assert.equal((await data.query("select count(*) as c from user")).records[0].c, 4);
}

async function knexDriver() {
  const driver = require("knex-aurora-data-api-client");
  const db = knex({ client: driver.mysql, connection: target });
  await db.schema.createTable("post", (table) => {
    table.increments();
    table.string("title").notNullable().index();
    table.boolean("shown").defaultTo(false);
    table.timestamp("at").defaultTo(db.fn.now());
  });
  assert.deepEqual(await db("post").insert({ title: "it's ? :one", shown: true }), [1]);
  await db("post").insert([{ title: "two" }, { title: "three" }]);
  assert.deepEqual((await db("post").where("title", "like", "t%").orderBy("id").select("id", "title")).map((row) => row.title), ["two", "three"]);
  assert.equal((await db("post").where({ id: 1 }).first("title")).title, "it's ? :one");
  assert.equal(await db("post").where({ id: 2 }).update({ title: "zwei" }), 1);
  // The driver asks every statement to go on after its time, in a transaction too, where the service refuses that.
  await assert.rejects(db.transaction((transaction) => transaction("post").insert({ title: "four" })), /continueAfterTimeout/);
  assert.equal((await db("post").count("* as c").first()).c, 3);
  await db.destroy();
}

client().then(knexDriver).catch((error) => {
  console.error(error);
  process.exit(1);
});
