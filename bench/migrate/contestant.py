"""Those who are timed: a tool, and the plain client as the floor."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from migrations import script
from workloads import IDLE, INSERTS, SCHEMA, insert_check, insert_file, schema_check, schema_files, table_file

# The databases of a round, one after the other.
DATABASE = "bench"


class Contestant:
    """A tool of the crash matrix, in its set-up there."""

    def __init__(self, tool, port):
        self.tool, self.port = tool, port
        self.name, self.version, self.set_up = tool.name, tool.version, tool.set_up

    def prepare(self, folder, sizes):
        """Writes the migrations in the tool's own form, once."""
        self.folders = {}
        table = table_file()
        for name, files in [
            ("schema", schema_files(sizes.scripts)),
            ("table", [table]),
            ("inserts", [table, insert_file(sizes.inserts)]),
        ]:
            self.folders[name] = folder / name
            shutil.rmtree(self.folders[name], ignore_errors=True)
            self.folders[name].mkdir(parents=True)
            self.tool.write(self.folders[name], self.run, files)

    def round(self, control, sizes):
        """(workload, milliseconds) of each run of one round."""
        fresh(control)
        yield SCHEMA, self.time("schema")
        check(control, self.name, schema_check(sizes.scripts))
        for _ in range(sizes.idle_runs):
            yield IDLE, self.time("schema")
        check(control, self.name, schema_check(sizes.scripts))
        fresh(control)
        self.time("table")
        yield INSERTS, self.time("inserts")
        check(control, self.name, insert_check(sizes.inserts))

    def time(self, name):
        folder = self.folders[name]
        return timed(self.name, self.tool.command(folder, self.port, DATABASE), folder, self.tool.environ())

    def run(self, command, folder):
        subprocess.run(command, cwd=folder, env=self.tool.environ(), check=True, stdout=subprocess.DEVNULL)


class Client:
    """`mariadb < FILE`, and `mysql < FILE` for MySQL: it sends each statement when the one before is answered, and records nothing."""

    def __init__(self, server, port, transaction=False):
        self.transaction = transaction
        client, program = client_of(server)
        self.name = f"{client} client" + (", one transaction" if transaction else "")
        self.command = [program, "--protocol=tcp", "--host=127.0.0.1", f"--port={port}", "--user=root", DATABASE]
        self.version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        self.set_up = f"`{client} < FILE`, all statements in one file"
        self.set_up += ", between START TRANSACTION and COMMIT" if transaction else ""

    def prepare(self, folder, sizes):
        folder.mkdir(parents=True)
        self.folder = folder
        statements = [statement for _, statements in schema_files(sizes.scripts) for statement in statements]
        self.write("schema", statements)
        self.write("table", table_file()[1])
        self.write("inserts", insert_file(sizes.inserts)[1])
        self.write("idle", ["SELECT 1"])

    def write(self, name, statements):
        if self.transaction:
            statements = ["START TRANSACTION", *statements, "COMMIT"]
        (self.folder / name).write_text(script(statements))

    def round(self, control, sizes):
        if not self.transaction:
            fresh(control)
            yield SCHEMA, self.time("schema")
            check(control, self.name, schema_check(sizes.scripts))
            for _ in range(sizes.idle_runs):
                yield IDLE, self.time("idle")
        fresh(control)
        self.time("table")
        yield INSERTS, self.time("inserts")
        check(control, self.name, insert_check(sizes.inserts))

    def time(self, name):
        with (self.folder / name).open() as file:
            return timed(self.name, self.command, self.folder, os.environ, file)


def client_of(server):
    """(its name, what to run) of the client that belongs to a server: MySQL's is beside it, or in `bin` where it is in `sbin`."""
    if not server.is_mysql:
        return "mariadb", "mariadb"
    folder = Path(server.path).parent
    for program in [folder / "mysql", folder.parent / "bin" / "mysql"]:
        if program.is_file():
            return "mysql", str(program)
    raise SystemExit(f"the client `mysql` is not beside {server.path}")


def fresh(control):
    control.query(f"DROP DATABASE IF EXISTS {DATABASE}")
    control.query(f"CREATE DATABASE {DATABASE}")
    control.query(f"USE {DATABASE}")


def check(control, name, expected):
    for query, count in expected:
        found = control.query(query)[0][0]
        if found != count:
            raise SystemExit(f"{name}: {query}: {found} and not {count}")


def timed(name, command, folder, environment, stdin=subprocess.DEVNULL):
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    milliseconds = (time.perf_counter() - begun) * 1000
    if done.returncode != 0:
        raise SystemExit(f"{name} failed:\n{done.stdout.decode('utf-8', 'replace')[-3000:]}")
    return milliseconds
