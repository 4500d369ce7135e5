#!/usr/bin/env python3
"""Times migration tools beside the server's plain client, on one server, in one run.

See README.md beside this file.
"""

import argparse
import os
import platform
import shutil
import socket
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# What the manual of a usual server says: every commit is on the disk before it is answered.
OPTIONS = [
    "--no-defaults",
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--innodb-flush-log-at-trx-commit=1",
    "--sync-binlog=0",
    "--skip-log-bin",
    "--innodb-buffer-pool-size=256M",
    "--performance-schema=0",
    "--character-set-server=utf8mb4",
    "--max-connections=50",
]

MARIADB_OPTIONS = ["--innodb-log-file-size=96M"]

# No TLS: a MariaDB that was given no certificate has none either.
MYSQL_OPTIONS = ["--innodb-redo-log-capacity=96M", "--tls-version=", "--mysqlx=0"]

# Set-ups that send the same statements as the tool without the option.
SAME = ["alembic, transaction_per_migration", "sqlx-cli, no-transaction"]

OURS = "Dayspring"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", help="only these, by the beginning of their names, with commas between")
    parser.add_argument("--dayspring", default=str(ROOT / "target/release/dayspring"), help="the binary to measure")
    parser.add_argument("--mysqld", help="the server's program, MariaDB's or MySQL's, instead of this machine's mariadbd")
    parser.add_argument("--folder", default=str(ROOT / "target/crash"), help="where the tools are, or are installed")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured")
    parser.add_argument("--scripts", type=int, default=500, help="scripts of one schema statement")
    parser.add_argument("--inserts", type=int, default=5000, help="INSERTs of the one script")
    parser.add_argument("--idle-runs", type=int, default=5, help="runs with nothing to do, in each round")
    parser.add_argument("--as-it-is", action="store_true", help="run in this Python, which has PyMySQL; only for Dayspring itself")
    arguments = parser.parse_args()
    arguments.dayspring = str(Path(arguments.dayspring).resolve())
    folder = Path(arguments.folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)

    import install

    if not arguments.as_it_is:
        install.enter_venv(folder)
    wanted = arguments.tools.split(",") if arguments.tools else [""]
    tools, missing = install.tools(folder, arguments.dayspring, wanted)
    tools = [tool for tool in tools if tool.name not in SAME]
    measure(arguments, tools, folder / "speed")
    for name, reason in missing + install.NOT_RUN:
        print(f"not run: {name}: {reason}")


def measure(arguments, tools, work):
    import table
    from contestant import Client, Contestant
    from server import Server, find_program
    from workloads import WORKLOADS, Sizes

    sizes = Sizes(arguments.scripts, arguments.inserts, arguments.idle_runs)
    shutil.rmtree(work, ignore_errors=True)
    port = free_port()
    program = find_program(arguments.mysqld)
    options = OPTIONS + (MYSQL_OPTIONS if program.is_mysql else MARIADB_OPTIONS)
    floor = Client(program, port)
    with Server(program, [*options, f"--port={port}"]) as server:
        control = server.connect()
        control.query("CREATE USER root@'%'")
        control.query("GRANT ALL ON *.* TO root@'%'")
        contestants = [floor, Client(program, port, transaction=True)]
        contestants += [Contestant(tool, port) for tool in tools]
        for number, contestant in enumerate(contestants):
            contestant.prepare(work / str(number), sizes)
        times = {}
        for round_number in range(1, arguments.rounds + 1):
            # Each begins a round in its turn, so that none has always the same neighbours.
            first = (round_number - 1) % len(contestants)
            for contestant in contestants[first:] + contestants[:first]:
                for workload, milliseconds in contestant.round(control, sizes):
                    times.setdefault(workload, {}).setdefault(contestant.name, []).append(milliseconds)
                    print(f"round {round_number}: {contestant.name}: {workload}: {milliseconds:.1f} ms", file=sys.stderr, flush=True)
        print(table.render(machine(server, options), contestants, times, sizes, WORKLOADS, OURS, floor.name))


def machine(server, options):
    processor = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []:
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            break
    load = ", load average {:.0f}".format(os.getloadavg()[0])
    return f"{processor}, {os.cpu_count()} cores{load}; {server.program.product} {server.version}, {' '.join(options[1:])}"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


if __name__ == "__main__":
    sys.path[:0] = [str(HERE), str(HERE.parent / "crash")]
    main()
