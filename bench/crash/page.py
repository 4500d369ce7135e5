"""Writes the page from the results: the same results and the same date give the same page."""

from itertools import groupby

OUTCOMES = ["converged", "repeated", "stuck", "lost"]
ORDER = ["Dayspring", "alembic", "dbmate", "liquibase", "refinery_cli", "sqlx-cli", "yoyo-migrations"]
KINDS = [
    ("schema", "schema statement"),
    ("data", "data statement"),
    ("file", "whole file in one packet"),
    ("commit", "COMMIT"),
    ("journal", "the tool's own statement"),
]

INTRODUCTION = """# Crash matrix

What does a migration tool do when it was killed in the middle, and is then simply run again? This page is written by
`bench/crash`, which kills each tool with SIGKILL at every statement that it sends and that writes something, and runs it a
second time. {date}, MariaDB {server}; every tool with the same twelve migrations, on the same server, in one harness.

A tool is killed at two sides of each statement: **before** the server gets it, and **after** the server has executed it and
before a byte of the answer reaches the tool. A proxy between tool and server does it, so that the points are exact and the
same in every run. Afterwards the connection is closed, as a kill closes it; the server is not harmed. Statements that only
read are no points of their own: a kill there leaves what a kill after the write before it leaves.

After the second run, the tables, columns, indexes and rows are compared with those of a run that nobody disturbed.

- **converged**: the second run succeeds, and everything is as if nothing had happened.
- **repeated**: the second run succeeds, and a statement took effect twice. The data is wrong, and nobody is told.
- **stuck**: the second run fails, and so does every further one, until a person has repaired the database or the journal.
- **lost**: the second run succeeds, and something is missing.

Stuck is the better kind of failure: nothing is wrong yet, and somebody is told.
"""

EXPLANATION = """
MySQL and MariaDB commit a schema statement by itself, so no tool can put it into one transaction with its journal. Whoever
writes the journal afterwards runs the statement again; whoever writes it before cannot know whether it ran. The peers choose
one of the two. Dayspring writes down what the statement touches before it, and compares the database with that afterwards;
see [migrate](migrate.md). Data statements could be committed together with the journal, and some peers do that.
"""

LIMITS = """
## What this does not show

- Only the tool is killed. The server, the machine and the network are not, and two runs never overlap.
- dbmate, refinery and sqlx send a file as one packet, which the server executes to its end even if the tool is gone. So they
  have no points within a file, and a file of several statements looks better here than it does when the server is killed.
- The statements are simple ones, each of which can be told from its effect. Dayspring refuses to run a statement whose effect
  cannot be told (`TRUNCATE` for one), unless the script says how; the peers run it.
- "Stuck" is not the same work for everybody: sometimes it is one statement to delete from a file for a moment, sometimes a row
  of a journal. Repairs by hand are not measured, except where the manual names a command for it.
- MariaDB only. The reasons hold for MySQL 8 as well, which has not been tried.
- The bench is by the authors of Dayspring. The harness and the set-ups are in `bench/crash`; corrections are welcome.

## How to repeat it

```console
$ cargo build -p dayspring-cli
$ python3 bench/crash/run.py
```

`bench/crash/README.md` says what this installs, and where.
"""


def render(kept, date, not_run):
    names = sorted((name for name in kept if name != "missing"), key=place)
    server = ", ".join(sorted({kept[name]["server"] for name in names}))
    parts = [INTRODUCTION.format(date=date, server=server.removesuffix("-log")), "\n## Result\n\n", totals(kept, names), EXPLANATION]
    parts += ["\n## By kind of statement\n\n", KIND_TEXT, by_kind(kept, names), "\n## Tool by tool\n"]
    parts += [section(name, kept[name]) for name in names]
    parts += [absent(kept, not_run), LIMITS]
    return "".join(parts)


def place(name):
    return ORDER.index(name.partition(",")[0]), name


def totals(kept, names):
    lines = ["| tool | version | points | " + " | ".join(OUTCOMES) + " |", "| --- | --- " + "| ---: " * 5 + "|"]
    for name in names:
        points = kept[name]["points"]
        counts = [str(sum(point["outcome"] == outcome for point in points)) for outcome in OUTCOMES]
        lines.append(f"| {name} | {kept[name]['version']} | {len(points)} | " + " | ".join(counts) + " |")
    return "\n".join(lines) + "\n"


KIND_TEXT = """How many points converged, of how many there are, and what became of the others. A tool that sends a file of several
statements as one packet has them in the column of whole files. The last column is the journal, the lock, and what else a tool
writes for itself.

"""


def by_kind(kept, names):
    lines = []
    for kind, title in KINDS:
        rows = [(name, [cell(kept[name]["points"], kind, side) for side in ("before", "after")]) for name in names]
        if all(cells == ["", ""] for _, cells in rows):
            continue
        lines += [f"| {title} | before | after |", "| --- | --- | --- |"]
        lines += [f"| {name} | {cells[0]} | {cells[1]} |" for name, cells in rows if cells != ["", ""]]
        lines.append("")
    return "\n".join(lines)


def cell(points, kind, side):
    there = [point["outcome"] for point in points if point["kind"] == kind and point["side"] == side]
    if not there:
        return ""
    others = [f"{there.count(outcome)} {outcome}" for outcome in OUTCOMES[1:] if outcome in there]
    return ", ".join([f"{there.count('converged')} of {len(there)}"] + others)


def section(name, found):
    text = [f"\n### {name}\n\n{found['version']}, set up as {found['set_up']}. {found['writes']} statements that write.\n"]
    bad = [point for point in found["points"] if point["outcome"] != "converged"]
    if not bad:
        return "".join(text) + "\nEvery point converged.\n"
    if any("remedied" in point for point in bad):
        text.append(remedy(found["remedy"], [point for point in bad if "remedied" in point]))
    text.append("\n| killed at | side | second run |\n| --- | --- | --- |\n")
    for (outcome, said), points in groupby(bad, key=lambda point: (point["outcome"], said_of(point))):
        points = list(points)
        where = "<br>".join(f"{point['number']} `{short(point['statement'])}`" for point in points)
        sides = "<br>".join(point["side"] for point in points)
        text.append(f"| {where} | {sides} | **{outcome}**: {said} |\n")
    return "".join(text)


def remedy(command, points):
    after = [point["remedied"] for point in points]
    counts = ", ".join(f"{after.count(outcome)} {outcome}" for outcome in OUTCOMES if outcome in after)
    return f"\nOf {len(points)} points at which the second run failed, after {command} and a third run: {counts}.\n"


def said_of(point):
    said = escape(point["detail"])
    if "remedied" in point:
        then = escape(point["remedied_detail"])
        said += f"; after the manual's remedy **{point['remedied']}**" + (f": {then}" if then else "")
    return said


def short(statement):
    statement = escape(statement).replace("`", "")
    return statement if len(statement) <= 60 else statement[:57] + "..."


def escape(text):
    text = " ".join(text.split()).replace("|", "\\|")
    return text if len(text) <= 200 else text[:197] + "..."


def absent(kept, not_run):
    lines = ["\n## Not run\n"]
    lines += [f"- {name}: {reason}." for name, reason in list(not_run) + kept.get("missing", [])]
    return "\n".join(lines) + "\n"
