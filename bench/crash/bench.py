"""Runs one tool undisturbed, then once for every point of that run at which it can be killed."""

import os
import re
import shutil
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pymysql

import judge
from migrations import FILES
from proxy import Proxy, strip_comments

# A second run that says nothing for so long is stuck.
PATIENCE_SECONDS = 120


def measure(server, tool, folder, name, workers, reads=False, points_max=None):
    """All that is known of one tool. The points are independent, so several workers share them, each with a database."""
    benches = [Bench(server, tool, folder / str(worker), f"{name}_{worker}", reads) for worker in range(workers)]
    undisturbed, writes = benches[0].undisturbed()
    print(f"{tool.name}: {len(writes)} writes", flush=True)
    sides = {1: ("before", "after")}
    points = [(number, side) for number in range(1, len(writes) + 1) for side in sides.get(number, tool.sides)]
    if points_max:
        points = points[:: max(1, len(points) // points_max)]

    def run(worker):
        return [benches[worker].point(number, side, undisturbed) for number, side in points[worker::workers]]

    with ThreadPoolExecutor(workers) as pool:
        found = [point for part in pool.map(run, range(workers)) for point in part]
    return {
        "version": tool.version,
        "set_up": tool.set_up,
        "server": server.version,
        "remedy": tool.remedy_name,
        "writes": len(writes),
        "points": sorted(found, key=lambda point: (point["number"], point["side"] == "after")),
    }


class Bench:
    """A folder, a database and a proxy for one tool."""

    def __init__(self, server, tool, folder, database, reads=False):
        self.server, self.tool, self.folder, self.database = server, tool, folder, database
        self.proxy = Proxy(server, reads)
        self.control = server.connect()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.tool.write(self.folder, self.prepare, FILES)

    def prepare(self, command, folder):
        subprocess.run(command, cwd=folder, env=self.tool.environ(), check=True, stdout=subprocess.DEVNULL)

    def fresh(self):
        self.control.query(f"DROP DATABASE IF EXISTS {self.database}")
        self.control.query(f"CREATE DATABASE {self.database}")
        self.control.query(f"USE {self.database}")

    def undisturbed(self):
        """(what the database has, the statements that wrote it) of a run that nothing disturbs."""
        self.fresh()
        self.proxy.disarm()
        code, output = self.complete(self.tool.command)
        if code != 0:
            raise SystemExit(f"{self.tool.name} fails undisturbed:\n{output}")
        if not self.proxy.writes:
            raise SystemExit(f"{self.tool.name} went past the proxy:\n{output}")
        return judge.dump(self.control, self.tool, self.database), self.proxy.writes

    def point(self, number, side, undisturbed):
        """Kills a run at one point, runs the tool again, and says what became of it."""
        self.fresh()
        hit, output = self.killed(number, side)
        if hit is None:
            detail = f"the run ended before it sent this statement: {output[-500:]}"
            return {"number": number, "side": side, "kind": "", "statement": "", "outcome": "not reached", "detail": detail}
        found = {
            "number": number,
            "side": side,
            "kind": judge.kind_of(hit, self.tool),
            "statement": self.clean(" ".join(strip_comments(hit).split())),
        }
        at_kill = judge.dump(self.control, self.tool, self.database)
        self.proxy.disarm()
        if self.is_locked():
            code, output = 1, self.tool.lock_message
        else:
            code, output = self.complete(self.tool.command)
        found |= self.outcome(code, output, undisturbed)
        if found["outcome"] != "converged":
            found["at_kill"] = at_kill
            found["output"] = output[-2000:]
        if code != 0 and self.tool.remedy:
            self.complete(self.tool.remedy)
            code, output = self.complete(self.tool.command)
            remedied = self.outcome(code, output, undisturbed)
            found["remedied"] = remedied["outcome"]
            found["remedied_detail"] = remedied["detail"]
        print(f"{self.tool.name}: {line(found)}", flush=True)
        return found

    def is_locked(self):
        try:
            return bool(self.tool.locked and self.control.query(self.tool.locked))
        except pymysql.err.ProgrammingError:
            return False

    def outcome(self, code, output, undisturbed):
        now = judge.dump(self.control, self.tool, self.database)
        if code is None:
            return {"outcome": "stuck", "detail": f"did not end within {PATIENCE_SECONDS} s"}
        if code != 0:
            return {"outcome": "stuck", "detail": self.clean(judge.last_error(output))}
        outcome, differences = judge.compare(undisturbed, now)
        return {"outcome": outcome, "detail": differences}

    def start(self, command):
        return subprocess.Popen(
            command(self.folder, self.proxy.port, self.database),
            cwd=self.folder,
            env=self.tool.environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def complete(self, command):
        process = self.start(command)
        try:
            output, _ = process.communicate(timeout=PATIENCE_SECONDS)
            code = process.returncode
        except subprocess.TimeoutExpired:
            kill(process)
            output, _ = process.communicate()
            code = None
        self.proxy.settle()
        return code, output.decode("utf-8", "replace")

    def killed(self, number, side):
        """(the statement, the output) of a run that is killed at one point."""
        started = threading.Event()
        holder = []

        def now():
            started.wait()
            kill(holder[0])

        self.proxy.arm(number, side, now)
        holder.append(self.start(self.tool.command))
        started.set()
        output, _ = holder[0].communicate()
        self.proxy.settle()
        return self.proxy.hit, output.decode("utf-8", "replace")

    def clean(self, line):
        line = line.replace(str(self.folder), "FOLDER").replace(str(self.proxy.port), "PORT")
        line = re.sub(rf"\b{self.database}\b", "blog", line)
        return re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.]+Z?", "TIME", line)


def kill(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def line(point):
    remedied = f" -> {point['remedied']} {point['remedied_detail']}" if "remedied" in point else ""
    return f"{point['number']} {point['side']} {point['kind']} [{point['statement'][:50]}] {point['outcome']} {point['detail'][:140]}{remedied}"
