// The query builders that bind parameters by name: `kysely` with `kysely-data-api`, `drizzle-orm` with its proxy driver.
import assert from "node:assert/strict";
import { RDSData } from "@aws-sdk/client-rds-data";
import { and, eq, gt, sql as raw } from "drizzle-orm";
import { boolean, datetime, int, json, mysqlTable, varchar } from "drizzle-orm/mysql-core";
import { drizzle } from "drizzle-orm/mysql-proxy";
import { Kysely, sql } from "kysely";
import { DataApiDialect } from "kysely-data-api";

const client = new RDSData({});
const target = { resourceArn: process.env.CLUSTER_ARN, secretArn: process.env.SECRET_ARN, database: process.env.DATABASE };

const db = new Kysely({ dialect: new DataApiDialect({ mode: "mysql", driver: { client, ...target } }) });
await db.schema.createTable("pet")
  .addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
  .addColumn("name", "varchar(50)", (column) => column.notNull())
  .addColumn("born", "timestamp", (column) => column.defaultTo(sql`'2024-02-29 01:02:03'`))
  .addColumn("tags", "json")
  .execute();
const inserted = await db.insertInto("pet").values({ name: "Tom's :cat", tags: JSON.stringify(["a"]) }).executeTakeFirstOrThrow();
assert.equal(inserted.insertId, 1n);
await db.insertInto("pet").values([{ name: "Jerry" }, { name: "Spike" }]).execute();
const pet = await db.selectFrom("pet").selectAll().where("id", "=", 1).executeTakeFirstOrThrow();
assert.equal(pet.name, "Tom's :cat");
assert.ok(pet.born instanceof Date);
assert.deepEqual(pet.tags, ["a"]);
const named = await db.selectFrom("pet as p").select("p.name as called").where("p.name", "in", ["Jerry", "Spike"]).orderBy("p.id").limit(1).execute();
assert.deepEqual(named, [{ called: "Jerry" }]);
assert.equal((await db.updateTable("pet").set({ name: "Tyke" }).where("id", "=", 3).executeTakeFirstOrThrow()).numUpdatedRows, 1n);
await assert.rejects(db.transaction().execute(async (transaction) => {
  await transaction.deleteFrom("pet").execute();
  throw new Error("no");
}), /no/);
await db.transaction().execute((transaction) => transaction.insertInto("pet").values({ name: "Butch" }).execute());
assert.equal((await db.selectFrom("pet").select((build) => build.fn.countAll().as("c")).executeTakeFirstOrThrow()).c, 4);
assert.deepEqual((await db.introspection.getTables()).find((table) => table.name === "pet").columns.map((column) => column.name),
  ["id", "name", "born", "tags"]);

// Drizzle writes `?`; the callback is what its documentation shows, with names for them.
async function run(text, values, method) {
  let number = 0;
  const answer = await client.executeStatement({
    ...target,
    sql: text.replace(/\?/g, () => `:p${number++}`),
    parameters: values.map((value, index) => ({ name: `p${index}`, value: field(value) })),
  });
  if (method !== "execute") {
    return { rows: answer.records.map((record) => record.map((value) => (value.isNull ? null : Object.values(value)[0]))) };
  }
  return { rows: [{ insertId: answer.generatedFields?.[0]?.longValue ?? 0, affectedRows: answer.numberOfRecordsUpdated }] };
}
function field(value) {
  if (value === null) return { isNull: true };
  if (typeof value === "number") return { longValue: value };
  return typeof value === "boolean" ? { booleanValue: value } : { stringValue: String(value) };
}
const drizzled = drizzle(run);
const plant = mysqlTable("plant", {
  id: int("id").autoincrement().primaryKey(), name: varchar("name", { length: 30 }).notNull(), tall: boolean("tall"),
  data: json("data"), seen: datetime("seen", { mode: "string", fsp: 3 }),
});
await drizzled.execute(raw`create table plant (id int auto_increment primary key, name varchar(30) not null, tall boolean, data json, seen datetime(3))`);
const [{ id }] = await drizzled.insert(plant).values({ name: "Oak", tall: true, data: { leaves: 5 }, seen: "2024-02-29 01:02:03.004" }).$returningId();
assert.equal(id, 1);
await drizzled.insert(plant).values([{ name: "Moss", tall: false }, { name: "Fir", tall: true }]);
await drizzled.insert(plant).values({ id: 1, name: "Oak" }).onDuplicateKeyUpdate({ set: { name: raw`concat(values(name), '!')` } });
const found = await drizzled.select().from(plant).where(and(eq(plant.tall, true), gt(plant.id, 0))).orderBy(plant.id);
assert.deepEqual({ ...found[0], data: JSON.parse(found[0].data) }, { id: 1, name: "Oak!", tall: true, data: { leaves: 5 }, seen: "2024-02-29 01:02:03.004" });
assert.equal(found.length, 2);
