"""What a database has, and how it differs from one that no kill disturbed."""

import re
from collections import Counter

from migrations import TABLES, FILES
from proxy import first_word, strip_comments

KINDS = ["schema", "data", "file", "commit", "journal"]


def dump(control, tool, database):
    """(schema, data, what the journal says), each a list of rows as text."""
    names = ", ".join(f"'{name}'" for name in TABLES)
    own = f"table_schema = '{database}' AND table_name IN ({names})"
    schema = []
    for sql in [
        f"SELECT 'table', table_name, engine, table_collation FROM information_schema.tables WHERE {own}",
        "SELECT 'column', table_name, column_name, column_type, is_nullable, column_default, collation_name, extra "
        f"FROM information_schema.columns WHERE {own}",
        "SELECT 'index', table_name, index_name, non_unique, seq_in_index, column_name "
        f"FROM information_schema.statistics WHERE {own}",
    ]:
        schema += control.query(sql)
    tables = {row[1] for row in schema if row[0] == "table"}
    data = []
    for table in sorted(tables):
        columns = sorted(row[2] for row in schema if row[0] == "column" and row[1] == table)
        data += [(table, *zip(columns, row)) for row in control.query(f"SELECT {', '.join(columns)} FROM {table}")]
    try:
        says = control.query(tool.says)
    except Exception as error:
        if error.args[0] != 1146:
            raise
        says = []
    return text(schema), text(data), [str(row) for row in says]


def text(rows):
    return sorted(str(tuple(row)) for row in rows)


def compare(undisturbed, found):
    """(outcome, what differs) after a second run that says it succeeded."""
    differences = []
    repeated = lost = False
    for part, (want, have) in zip(["schema", "data"], zip(undisturbed, found)):
        missing = sorted((Counter(want) - Counter(have)).elements())
        extra = sorted((Counter(have) - Counter(want)).elements())
        differences += [f"{part} lacks {row}" for row in missing] + [f"{part} has {row}" for row in extra]
        # More rows, or larger numbers in as many rows, is an effect that happened twice.
        repeated |= total(extra) > total(missing) or len(extra) > len(missing)
        lost |= total(extra) < total(missing) or len(extra) < len(missing)
    if repeated:
        return "repeated", differences
    if lost or differences:
        return "lost", differences
    if undisturbed[2] != found[2]:
        return "converged", [f"the journal differs: {found[2]}"]
    return "converged", []


def total(rows):
    return sum(int(number) for row in rows for number in re.findall(r", (\d+)\)", row))


def kind_of(statement, tool):
    """The kind of a statement at which a tool was killed."""
    if any(name.lower() in statement.lower() for name in tool.journal):
        return "journal"
    if first_word(statement) == "COMMIT":
        return "commit"
    body = strip_comments(statement)
    parts = sorted({part for _, statements in FILES for part in statements if part in body})
    if len(parts) > 1:
        return "file"
    if not parts:
        return "journal"
    return "schema" if first_word(parts[0]) in ("CREATE", "ALTER", "DROP") else "data"


def last_error(output):
    """The line of an output that says what is wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = r"already exists|Duplicate|Unknown table|doesn't exist|Can't DROP|locked|dirty|partially applied", r"error|failed|lock\b"
    for words in telling:
        found = [line for line in lines if re.search(words, line, re.I)]
        if found:
            return found[-1][:200]
    return (lines or ["no word"])[-1][:200]
