"""What everybody has to do, as files of statements: (title, statements)."""

from dataclasses import dataclass

SCHEMA = "schema"
INSERTS = "inserts"
IDLE = "idle"

WORKLOADS = [SCHEMA, INSERTS, IDLE]


@dataclass
class Sizes:
    """How much of it."""

    scripts: int
    inserts: int
    idle_runs: int

    def describe(self, workload):
        return {
            SCHEMA: f"{self.scripts} scripts of one schema statement each, into an empty database",
            INSERTS: f"one script of {self.inserts} INSERTs, after a script that made the table",
            IDLE: f"nothing to do, {self.scripts} scripts recorded; the client: SELECT 1",
        }[workload]


def schema_files(count):
    """One schema statement in each file: a table, then a column and an index for it, and the next table."""
    files = []
    for number in range(count):
        table = f"t{number // 3}"
        columns = "id INT NOT NULL PRIMARY KEY, name VARCHAR(100) NOT NULL, made_at DATETIME NOT NULL"
        title, statement = [
            (f"create_{table}", f"CREATE TABLE {table} ({columns})"),
            (f"add_email_{table}", f"ALTER TABLE {table} ADD COLUMN email VARCHAR(255)"),
            (f"index_name_{table}", f"CREATE INDEX {table}_name ON {table} (name)"),
        ][number % 3]
        files.append((title, [statement]))
    return files


def table_file():
    columns = "id INT NOT NULL PRIMARY KEY, name VARCHAR(100) NOT NULL, email VARCHAR(255), note TEXT"
    return ("create_customer", [f"CREATE TABLE customer ({columns})"])


def insert_file(count):
    """A file of INSERTs of one row each."""
    statements = [
        "INSERT INTO customer (id, name, email, note) VALUES "
        f"({number}, 'Customer {number}', 'customer{number}@example.com', 'the note of customer number {number}')"
        for number in range(1, count + 1)
    ]
    return ("insert_customers", statements)


def schema_check(count):
    """(query, answer): a run that says it succeeded and did not do the work is no result."""
    own = "table_schema = DATABASE() AND table_name RLIKE '^t[0-9]+$'"
    return [
        (f"SELECT COUNT(*) FROM information_schema.tables WHERE {own}", (count + 2) // 3),
        (f"SELECT COUNT(*) FROM information_schema.columns WHERE {own} AND column_name = 'email'", (count + 1) // 3),
        (f"SELECT COUNT(*) FROM information_schema.statistics WHERE {own} AND index_name <> 'PRIMARY'", count // 3),
    ]


def insert_check(count):
    return [("SELECT COUNT(*) FROM customer", count)]
