"""The migrations that every tool runs: the same statements in the same files.

The first seven files and the last have one statement each, as every tool's manual advises for MySQL, where a schema statement
commits by itself. The others are what people write all the same.
"""

FILES = [
    ("create_account", ["CREATE TABLE account (id INT PRIMARY KEY, name VARCHAR(50) NOT NULL, balance INT NOT NULL)"]),
    ("create_event", ["CREATE TABLE event (note VARCHAR(100) NOT NULL)"]),
    ("open_accounts", ["INSERT INTO account (id, name, balance) VALUES (1, 'ada', 100), (2, 'bob', 100)"]),
    ("note_opening", ["INSERT INTO event (note) VALUES ('opened')"]),
    ("pay_interest", ["UPDATE account SET balance = balance + 1"]),
    ("add_email", ["ALTER TABLE account ADD COLUMN email VARCHAR(255)"]),
    ("index_name", ["ALTER TABLE account ADD INDEX account_name (name)"]),
    (
        "pay_again",
        [
            "INSERT INTO event (note) VALUES ('paid')",
            "UPDATE account SET balance = balance + 1",
        ],
    ),
    (
        "add_audit",
        [
            "CREATE TABLE audit (id INT PRIMARY KEY, note VARCHAR(100))",
            "ALTER TABLE event ADD COLUMN kind VARCHAR(20)",
            "ALTER TABLE event ADD INDEX event_note (note)",
        ],
    ),
    (
        "give_credit",
        [
            "CREATE TABLE credit (account INT NOT NULL, amount INT NOT NULL)",
            "INSERT INTO credit (account, amount) SELECT id, 10 FROM account",
            "ALTER TABLE account ADD COLUMN credit INT NOT NULL DEFAULT 0",
            "UPDATE account SET credit = credit + 10",
            "INSERT INTO event (note) VALUES ('credited')",
        ],
    ),
    (
        "replace_email",
        [
            "ALTER TABLE account DROP COLUMN email",
            "ALTER TABLE account ADD COLUMN email VARCHAR(100) NOT NULL DEFAULT 'unknown'",
        ],
    ),
    ("drop_audit", ["DROP TABLE audit"]),
]

TABLES = ["account", "audit", "credit", "event"]


def script(statements):
    return "".join(f"{statement};\n" for statement in statements)
