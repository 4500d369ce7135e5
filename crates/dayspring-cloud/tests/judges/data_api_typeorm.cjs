// `typeorm` with its driver for the Data API, which brings its own copy of AWS's SDK.
const assert = require("node:assert/strict");
const { DataSource, EntitySchema } = require("typeorm");

const Author = new EntitySchema({
  name: "Author",
  columns: {
    id: { type: "int", primary: true, generated: true },
    name: { type: "varchar", length: 50, unique: true },
    born: { type: "date", nullable: true },
    settings: { type: "json", nullable: true },
    active: { type: "boolean", default: true },
  },
  relations: { books: { type: "one-to-many", target: "Book", inverseSide: "author" } },
});
const Book = new EntitySchema({
  name: "Book",
  columns: {
    id: { type: "int", primary: true, generated: true },
    title: { type: "varchar", length: 100 },
    price: { type: "decimal", precision: 8, scale: 2, default: 0 },
    made: { type: "datetime", createDate: true, precision: 3, default: () => "CURRENT_TIMESTAMP(3)" },
  },
  relations: { author: { type: "many-to-one", target: "Author", inverseSide: "books", onDelete: "CASCADE" } },
  indices: [{ columns: ["title"] }],
});

async function main() {
  const source = new DataSource({
    type: "aurora-mysql", database: process.env.DATABASE, secretArn: process.env.SECRET_ARN, resourceArn: process.env.CLUSTER_ARN,
    region: "us-east-1", serviceConfigOptions: { endpoint: process.env.AWS_ENDPOINT_URL }, entities: [Author, Book], synchronize: true,
  });
  await source.initialize();
  const authors = source.getRepository("Author");
  const books = source.getRepository("Book");
  const author = await authors.save({ name: "Ann's :one ?", born: "1970-02-28", settings: { a: [1] } });
  assert.equal(author.id, 1);
  await books.save([{ title: "First", price: "12.50", author }, { title: "Second", author }]);
  const found = await authors.findOneOrFail({ where: { name: "Ann's :one ?" }, relations: { books: true }, order: { books: { id: "ASC" } } });
  assert.deepEqual(found.books.map((book) => book.title), ["First", "Second"]);
  assert.ok(found.active);
  assert.equal(Number(found.books[0].price), 12.5);
  const titles = await books.createQueryBuilder("b").where("b.title like :like", { like: "F%" }).andWhere("b.id in (:...ids)", { ids: [1, 2] }).getMany();
  assert.deepEqual(titles.map((book) => book.title), ["First"]);
  await assert.rejects(source.transaction(async (manager) => {
    await manager.getRepository("Book").delete({ id: 1 });
    throw new Error("no");
  }), /no/);
  await source.transaction((manager) => manager.getRepository("Author").update({ id: 1 }, { active: false }));
  assert.equal(await books.count(), 2);
  assert.ok(!(await authors.findOneByOrFail({ id: 1 })).active);
  await assert.rejects(authors.insert({ name: "Ann's :one ?" }), /Error code: 1062; SQLState: 23000/);
  await authors.delete({ id: 1 });
  assert.equal(await books.count(), 0);
  await source.destroy();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
