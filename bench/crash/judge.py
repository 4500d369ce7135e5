"""What a database has, and how it differs from one that no kill disturbed."""

import ast
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
        # The journal's table, or a column of it, is not there yet.
        if error.args[0] not in (1146, 1054):
            raise
        says = []
    return text(schema), text(data), [str(row) for row in says]


def text(rows):
    return sorted(str(tuple(row)) for row in rows)


def compare(undisturbed, found):
    """(outcome, what differs) after a second run that says it succeeded."""
    missing, extra = ([], [])
    for want, have in zip(undisturbed[:2], found[:2]):
        missing += (Counter(want) - Counter(have)).elements()
        extra += (Counter(have) - Counter(want)).elements()
    if not missing and not extra:
        same = undisturbed[2] == found[2]
        return "converged", "" if same else f"the journal differs: {found[2]}"
    # More rows, or as many with larger numbers, is an effect that happened twice.
    more = (len(extra), total(extra)) > (len(missing), total(missing))
    return "repeated" if more else "lost", "; ".join(differences(missing, extra))


def total(rows):
    return sum(value for _, _, value in numbers(rows))


def numbers(rows):
    """(table, column, value) of each number in rows of data."""
    for row in map(ast.literal_eval, rows):
        for cell in row[1:]:
            if isinstance(cell, tuple) and isinstance(cell[1], int):
                yield row[0], cell[0], cell[1]


def differences(missing, extra):
    """What differs, in words: numbers of rows that exist in both by table and column, all else as rows."""
    said = []
    if len(missing) != len(extra):
        word = "extra" if len(extra) > len(missing) else "missing"
        rows = (Counter(map(table_of, extra)) - Counter(map(table_of, missing))) or (
            Counter(map(table_of, missing)) - Counter(map(table_of, extra))
        )
        said += [f"{count} {word} in `{table}`" for table, count in sorted(rows.items())]
    want, have = Counter(), Counter()
    for sums, rows in (want, missing), (have, extra):
        for table, column, value in numbers(rows):
            sums[table, column] += value
    for table, column in sorted(want):
        by = have[table, column] - want[table, column]
        if by:
            said.append(f"`{table}.{column}` is {by:+} in sum")
    return said or [f"lacks {row}" for row in missing] + [f"has {row}" for row in extra]


def table_of(row):
    return ast.literal_eval(row)[0]


def kind_of(statement, tool):
    """The kind of a statement at which a tool was killed. A schema statement behind the tool's own in one packet is one."""
    pieces = [strip_comments(piece).strip() for piece in statement.split("\n;\n")]
    own = [part for _, statements in FILES for part in statements]
    if len(pieces) > 1 and any(is_schema(piece) for piece in pieces if piece in own):
        return "schema"
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
    return "schema" if is_schema(parts[0]) else "data"


def is_schema(statement):
    return first_word(statement) in ("CREATE", "ALTER", "DROP")


def last_error(output):
    """The line of an output that says what is wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = r"already exists|Duplicate|Unknown table|doesn't exist|Can't DROP|locked|dirty|partially applied", r"error|failed|lock\b"
    for words in telling:
        found = [line for line in lines if re.search(words, line, re.I)]
        if found:
            return found[-1][:200]
    return (lines or ["no word"])[-1][:200]
