#!/usr/bin/env python3
"""Kills migration tools at every statement that they send, runs them again, and writes docs/crash-matrix.md.

See README.md beside this file.
"""

import argparse
import datetime
import json
import os
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def main():
    today = datetime.date.today().isoformat()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", help="only these, by the beginning of their names, with commas between")
    parser.add_argument("--date", default=today, help="the date that the page bears (today)")
    parser.add_argument("--dayspring", default=str(ROOT / "target/debug/dayspring"), help="the binary to measure")
    parser.add_argument("--mysqld", help="the server's program, MariaDB's or MySQL's, instead of this machine's mariadbd")
    parser.add_argument("--folder", default=str(ROOT / "target/crash"), help="where the tools are installed and results kept")
    parser.add_argument("--page", help="the page to write (docs/crash-matrix.md, if there are results of every tool; else page.md in the folder)")
    parser.add_argument("--jobs", type=int, default=2, help="how many tools to run at once")
    parser.add_argument("--workers", type=int, default=2, help="how many points of a tool to try at once")
    parser.add_argument("--points", type=int, help="try only so many of a tool's points, spread over its run: to see that the bench works")
    parser.add_argument("--reads", action="store_true", help="kill at statements that only read, too")
    parser.add_argument("--page-only", action="store_true", help="write the page from the results that are there")
    parser.add_argument("--as-it-is", action="store_true", help="run in this Python, which has PyMySQL; only for Dayspring itself")
    arguments = parser.parse_args()
    arguments.dayspring = str(Path(arguments.dayspring).resolve())
    folder = Path(arguments.folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)

    import install

    if not arguments.as_it_is:
        install.enter_venv(folder)
    results = {product: folder / name for product, name in [("MariaDB", "results.json"), ("MySQL", "results-mysql.json")]}
    kept = {product: json.loads(file.read_text()) if file.is_file() else {} for product, file in results.items()}
    if not arguments.page_only:
        import server

        program = server.find_program(arguments.mysqld)
        measure(arguments, program, folder, kept[program.product], results[program.product])

    import page

    is_whole = not arguments.points and all(name in kept["MariaDB"] for name in page.ORDER)
    written = Path(arguments.page or (ROOT / "docs/crash-matrix.md" if is_whole else folder / "page.md"))
    written.write_text(page.render(kept["MariaDB"], kept["MySQL"], arguments.date, install.NOT_RUN))
    print(f"wrote {os.path.relpath(written)}")


def measure(arguments, program, folder, kept, results):
    """Tries the tools on a server, and adds what it finds to what is kept."""
    import threading
    from concurrent.futures import ThreadPoolExecutor

    import install
    import bench
    from server import Server

    wanted = arguments.tools.split(",") if arguments.tools else [""]
    lock = threading.Lock()

    def keep():
        if not arguments.points:
            results.write_text(json.dumps(kept, indent=1))

    tools, missing = install.tools(folder, arguments.dayspring, wanted)
    with Server(program) as server:

        def run(tool):
            name = re.sub(r"\W+", "_", tool.name.lower())
            work = folder / "work" / program.product / name
            found = bench.measure(server, tool, work, name, arguments.workers, arguments.reads, arguments.points)
            with lock:
                kept[tool.name + (", reads as well" if arguments.reads else "")] = found
                keep()

        with ThreadPoolExecutor(arguments.jobs) as pool:
            for _ in pool.map(run, tools):
                pass
    earlier = [entry for entry in kept.get("missing", []) if not any(install.is_wanted(name, wanted) for name in entry[0].split(" and "))]
    kept["missing"] = missing + earlier
    keep()


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    main()
