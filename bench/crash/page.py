"""Writes the page from the results: the same results and the same date give the same page."""

import re
from itertools import groupby

OUTCOMES = ["converged", "repeated", "stuck", "lost"]
ORDER = ["Dayspring", "alembic", "dbmate", "liquibase", "refinery_cli", "sqlx-cli", "yoyo-migrations"]
KINDS = [
    ("schema", "schema statement"),
    ("data", "data statement"),
    ("file", "several statements in one packet"),
    ("commit", "COMMIT"),
    ("journal", "the tool's own statement"),
]

# What a reader of one tool's section should know.
NOTES = {
    "Dayspring, reads as well": "Killed at statements that only read, too: a decision may rest on any of them.",
    "alembic, transaction_per_migration": "On MySQL alembic makes a transaction of each migration with or without it.",
    "dbmate, transaction:false": "The option is for statements that refuse to be in a transaction. It gives up what makes dbmate's data statements safe.",
    "sqlx-cli": "sqlx marks a migration in its journal before it runs, so that it never repeats one: it stops, and says what to do.",
    "sqlx-cli, no-transaction": "The MySQL driver of sqlx does not look at this option.",
    "refinery_cli": "The migration and its row of the journal are two transactions, so that data statements are repeated as well.",
    "refinery_cli, grouped": "All files are one transaction with this option, which MySQL commits at the first schema statement.",
    "yoyo-migrations": "Its lock is a row, which a killed run leaves behind; `yoyo break-lock` is what the second run says to do.",
    "liquibase": (
        "npm's 4.28.1, which carries liquibase 4.28.0; newer ones have no jars there (5.0 is at Maven Central). "
        "On both servers it has MariaDB's driver, which npm's package carries; MySQL's own is at Maven Central. "
        "Its lock is a row, which a killed run leaves behind. The next run waits for it for five minutes by default and then "
        "fails. The bench has not waited at each point: where the row says locked, it goes on with `liquibase release-locks`, "
        "which the manual names for this. It was killed after each statement only (and before the first): in every other tool here, a kill "
        "before a statement had the same outcome as a kill after the one in front of it."
    ),
}

INTRODUCTION = """# Crash matrix

What does a migration tool do when it was killed in the middle, and is then simply run again? This page is written by
`bench/crash`, which kills each tool with SIGKILL at every statement that it sends and that writes something, and runs it a
second time: {date}, server {server}, every tool with the same twelve migrations.

A tool is killed at two sides of each statement: **before** the server gets it, and **after** the server has executed it and
before a byte of the answer reaches the tool. A proxy between tool and server does it, so that the points are exact and the
same in every run. Afterwards the connection is closed, as a kill closes it; the server is not harmed. Statements that only
read are no points of their own: a kill there leaves what a kill after the write before it leaves.

After the second run, the tables, columns, indexes and rows are compared with those of a run that nobody disturbed.

- **converged**: the second run succeeds, and everything is as if nothing had happened.
- **repeated**: the second run succeeds, and a statement took effect twice. The data is wrong, and nobody is told.
- **stuck**: the second run fails, and leaves it to a person to repair the database or the journal.
- **lost**: the second run succeeds, and something is missing.

Stuck is the better kind of failure: nothing is wrong yet, and somebody is told.
"""

EXPLANATION = """
MySQL and MariaDB commit a schema statement by itself, so no tool can put it into one transaction with its journal. Whoever
writes the journal afterwards runs the statement again; whoever writes it before cannot know whether it ran. The peers choose
one of the two. Dayspring writes down what the statement touches before it, and compares the database with that afterwards;
see [migrate](migrate.md). Data statements could be committed together with the journal, and some peers do that.
"""

ON_MYSQL = """
## On MySQL

Schema statements are [atomic](https://dev.mysql.com/doc/refman/8.4/en/atomic-ddl.html) in MySQL since 8.0, and in MariaDB since
10.6: when the server dies within one, it has happened or it has not, and never in part. The manual goes on that they are not
transactional: each still [commits by itself](https://dev.mysql.com/doc/refman/8.4/en/implicit-commit.html), with whatever was
under way. So a tool cannot put one into a transaction with a row of its journal here either, and the gap between the two is the
same. The same run with MySQL {server}:

"""

LIMITS = """
## What this does not show

- Only the tool is killed. The server, the machine and the network are not, and two runs never overlap.
- dbmate, refinery and sqlx send a file as one packet, which the server executes to its end even if the tool is gone. So they
  have no points within a file, and a file of several statements looks better here than it does when the server is killed.
  Dayspring sends data statements that follow each other as one packet too, and so its own writes, within a transaction each;
  and a schema statement behind the writes that are committed before it, which counts as the schema statement.
- The statements are simple ones, each of which can be told from its effect. Dayspring refuses to run a statement whose effect
  cannot be told (`TRUNCATE` for one), unless the script says how; the peers run it.
- A file that drops a column and adds it again has the same end when it is repeated, so that counts as converged, although what
  somebody wrote into the new column in between would be lost.
- "Stuck" is not the same work for everybody: sometimes it is one statement to delete from a file for a moment, sometimes a row
  of a journal. Repairs by hand are not measured, except where the manual names a command for it.
- MariaDB 10.11 and MySQL 9.7 have been tried. Aurora MySQL 3, which is compatible with MySQL 8.0, has not.
- The bench is by the authors of Dayspring. The harness and the set-ups are in `bench/crash`; corrections are welcome.

## How to repeat it

```console
$ cargo build -p dayspring-cli
$ python3 bench/crash/run.py
$ python3 bench/crash/run.py --tools dayspring --reads
$ python3 bench/crash/run.py --mysqld /usr/sbin/mysqld
```

The last one is for MySQL: the option names the program of its server.

`bench/crash/README.md` says what this installs, and where.
"""


def render(kept, mysql, date, not_run):
    names = sorted((name for name in kept if name != "missing"), key=place)
    server = ", ".join(sorted({kept[name]["server"] for name in names}))
    parts = [INTRODUCTION.format(date=date, server=server.removesuffix("-log")), "\n## Result\n\n", totals(kept, names), journals(kept, names), EXPLANATION]
    if any(name in mysql for name in names):
        parts += [on_mysql(kept, mysql)]
    parts += ["\n## By kind of statement\n\n", KIND_TEXT, by_kind(kept, names), "\n## Tool by tool\n"]
    parts += [section(name, kept) for name in names]
    parts += [absent(kept, not_run), LIMITS]
    return "".join(parts)


def place(name):
    return ORDER.index(name.partition(",")[0]), name


def totals(kept, names):
    lines = ["| tool | version | points | " + " | ".join(OUTCOMES) + " |", "| --- | --- " + "| ---: " * 5 + "|"]
    for name in names:
        found = kept[name]
        lines.append(total(name, found, [point["outcome"] for point in found["points"]]))
        if found["remedy"]:
            title = f"{name}, then {found['remedy']}"
            lines.append(total(title, found, [in_the_end(point) for point in found["points"]]))
    return "\n".join(lines) + "\n"


def journals(kept, names):
    """Whether the tools' own records are those of the undisturbed run, wherever the database is."""
    other = [name for name in names if any(point["outcome"] == "converged" and point["detail"] for point in kept[name]["points"])]
    if other:
        return f"\nNot at every point that converged is the tool's own journal what it was undisturbed: {', '.join(other)}.\n"
    return "\nAt every point that converged, the tool's own journal says the same as undisturbed, too.\n"


def on_mysql(kept, mysql):
    """The totals of the same run on MySQL, and each point at which a tool did something else there."""
    names = sorted((name for name in mysql if name != "missing" and name in kept), key=place)
    versions = sorted({mysql[name]["server"].partition("-")[0] for name in names})
    parts = [ON_MYSQL.format(server=" and ".join(versions)), totals(mysql, names)]
    rows = [row for name in names for row in differences(name, kept[name], mysql[name])]
    if rows:
        parts += ["\nWhere a tool did something else than on MariaDB:\n\n| tool | at | MariaDB | MySQL |\n| --- | --- | --- | --- |\n", *rows]
        parts.append("\nAt every other point each tool did the same.\n")
    else:
        parts.append("\nAt every point each tool did the same as on MariaDB.\n")
    return "".join(parts)


def differences(name, mariadb, mysql):
    if [point["kind"] for point in mariadb["points"]] != [point["kind"] for point in mysql["points"]]:
        return [f"| {name} | its statements | {mariadb['writes']} of them | {mysql['writes']} of them, of other kinds in part |\n"]
    return [
        f"| {name} | {point_name(here)} | {in_short(there)} | {in_short(here)}: {escape(here['detail'])} |\n"
        for there, here in zip(mariadb["points"], mysql["points"])
        if in_short(there) != in_short(here)
    ]


def in_short(point):
    remedied = point.get("remedied")
    return point["outcome"] if remedied is None else f"{point['outcome']}, then {remedied}"


def total(title, found, outcomes):
    counts = [str(outcomes.count(outcome)) for outcome in OUTCOMES]
    return f"| {title} | {found['version']} | {len(outcomes)} | " + " | ".join(counts) + " |"


def in_the_end(point):
    """The outcome after the manual's remedy, where there is one and it was needed."""
    return point.get("remedied", point["outcome"])


KIND_TEXT = """How many points converged, of how many there are, and what became of the others; for a tool with a lock that has to be
broken by hand, after that. Several statements that a tool sends as one packet are in the third table. The tool's own
statements are the journal, the lock, and what else it writes for itself.

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
    there = [in_the_end(point) for point in points if point["kind"] == kind and point["side"] == side]
    if not there:
        return ""
    others = [f"{there.count(outcome)} {outcome}" for outcome in OUTCOMES[1:] if outcome in there]
    return ", ".join([f"{there.count('converged')} of {len(there)}"] + others)


def section(name, kept):
    found = kept[name]
    text = [f"\n### {name}\n\n{found['version']}; {found['set_up']}. {found['writes']} statements to be killed at.\n"]
    if name in NOTES:
        text.append(f"\n{NOTES[name]}\n")
    bad = [point for point in found["points"] if point["outcome"] != "converged"]
    usual = name.partition(",")[0]
    if not bad:
        text.append("\nEvery point converged.\n")
    elif usual != name and usual in kept and windows(kept[usual]) == windows(found):
        text.append(f"\nThe same at every point as {usual} without the option.\n")
    else:
        cured = [point for point in bad if point.get("remedied") == "converged"]
        if cured:
            said = escape(cured[0]["detail"])
            text.append(f"\nAt {len(cured)} of {len(bad)} points that failed, only the lock was in the way (`{said}`). The others:\n")
        text.append("\n| killed from | to | second run |\n| --- | --- | --- |\n")
        text += [f"| {first} | {last} | {said} |\n" for first, last, said in windows(found)]
    return "".join(text)


def windows(found):
    """(first point, last point, what became of it) of each run of points with one fate."""
    rows = []
    for said, points in groupby(found["points"], key=fate):
        points = list(points)
        if said:
            rows.append((point_name(points[0]), point_name(points[-1]), said))
    return rows


def fate(point):
    if point["outcome"] == "converged":
        return ""
    said = f"**{point['outcome']}**: {escape(point['detail'])}"
    if "remedied" in point:
        if point["remedied"] == "converged":
            return ""
        said = f"locked, then **{point['remedied']}**: {escape(point['remedied_detail'])}"
    return said


def point_name(point):
    return f"{point['side']} {point['number']} `{short(point['statement'])}`"


def short(statement):
    statement = escape(statement).replace("`", "")
    return statement if len(statement) <= 60 else statement[:57] + "..."


def escape(text):
    text = " ".join(text.split()).replace("|", "\\|")
    # Numbers that differ from run to run.
    text = re.sub(r"Process \d+", "Process N", text)
    text = re.sub(r" ?\(conn=\d+\)", "", text)
    return text if len(text) <= 200 else text[:197] + "..."


def absent(kept, not_run):
    lines = ["\n## Not run\n"]
    lines += [f"- {name}: {reason}." for name, reason in list(not_run) + kept.get("missing", [])]
    return "\n".join(lines) + "\n"
