"""Runs one tool undisturbed, then once for every point of that run at which it can be killed."""

import os
import re
import shutil
import signal
import subprocess
import threading

import judge
from proxy import Proxy, strip_comments

# A second run that says nothing for so long is stuck.
PATIENCE_SECONDS = 120


class Bench:
    def __init__(self, server, tool, folder, database):
        self.server, self.tool, self.folder, self.database = server, tool, folder, database
        self.proxy = Proxy(server)
        self.control = server.connect()

    def run(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.tool.write(self.folder, self.prepare)
        code, output, undisturbed, writes = self.undisturbed()
        if code != 0:
            raise SystemExit(f"{self.tool.name} fails undisturbed:\n{output}")
        print(f"{self.tool.name}: {len(writes)} writes", flush=True)
        points = []
        for number in range(1, len(writes) + 1):
            for side in ("before", "after"):
                points.append(self.point(number, side, undisturbed))
                print(f"{self.tool.name}: {json_line(points[-1])}", flush=True)
        return {
            "version": self.tool.version,
            "set_up": self.tool.set_up,
            "server": self.server.version,
            "remedy": self.tool.remedy_name,
            "writes": len(writes),
            "points": points,
        }

    def prepare(self, command, folder):
        subprocess.run(command, cwd=folder, env=self.tool.environ(), check=True, stdout=subprocess.DEVNULL)

    def fresh(self):
        self.control.query(f"DROP DATABASE IF EXISTS {self.database}")
        self.control.query(f"CREATE DATABASE {self.database}")
        self.control.query(f"USE {self.database}")

    def undisturbed(self):
        self.fresh()
        self.proxy.disarm()
        code, output = self.complete(self.tool.command)
        return code, output, judge.dump(self.control, self.tool, self.database), self.proxy.writes

    def point(self, number, side, undisturbed):
        """Kills a run at one point, runs the tool again, and says what became of it."""
        self.fresh()
        hit, output = self.killed(number, side)
        if hit is None:
            return {"number": number, "side": side, "kind": "journal", "statement": "", "outcome": "not reached", "detail": output}
        found = {
            "number": number,
            "side": side,
            "kind": judge.kind_of(hit, self.tool),
            "statement": " ".join(strip_comments(hit).split()),
        }
        at_kill = judge.dump(self.control, self.tool, self.database)
        self.proxy.disarm()
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
        return found

    def outcome(self, code, output, undisturbed):
        now = judge.dump(self.control, self.tool, self.database)
        if code is None:
            return {"outcome": "stuck", "detail": f"did not end within {PATIENCE_SECONDS} s"}
        if code != 0:
            return {"outcome": "stuck", "detail": self.clean(judge.last_error(output))}
        outcome, differences = judge.compare(undisturbed, now)
        return {"outcome": outcome, "detail": "; ".join(differences[:3])}

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


def json_line(point):
    remedied = f" -> {point['remedied']} {point['remedied_detail']}" if "remedied" in point else ""
    return f"{point['number']} {point['side']} {point['kind']} [{point['statement'][:50]}] {point['outcome']} {point['detail'][:140]}{remedied}"
