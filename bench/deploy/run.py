#!/usr/bin/env python3
"""Measures `dayspring synth` beside the CDK's, and deploys to the local cloud, by whole processes.

See README.md beside this file.
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PYTHON_PACKAGES = ["aws-cdk-lib==2.275.0", "constructs==10.8.1"]
CLI = "aws-cdk@2.1148.1"

# Aims: how many times less, and milliseconds.
LESS_CPU, LESS_MEMORY = 500, 50
NO_CHANGE, CHANGED_SCRIPT, FIRST = 150, 300, 2000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dayspring", default=str(ROOT / "target/release/dayspring"), help="the binary to measure")
    parser.add_argument("--folder", default=str(ROOT / "target/bench-deploy"), help="where the CDK is, or is installed")
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    folder = Path(arguments.folder)
    folder.mkdir(parents=True, exist_ok=True)
    cpu = os.cpu_count()
    print(f"{platform.machine()}, {cpu} cores, load {os.getloadavg()[0]:.0f}, medians (and spread) of whole processes\n")
    with tempfile.TemporaryDirectory() as work:
        project = Project(Path(work), arguments.dayspring)
        synth(arguments, project, folder)
        deploy(arguments, project)


def synth(arguments, project, folder):
    """CPU and memory of making the template, ours and the CDK's."""
    written = project.path / "cdk.out"
    ours = [
        ("dayspring synth, a binary packed before", project.binary(), lambda: None),
        ("dayspring synth, a script instead of a binary", project.stand_in(), lambda: shutil.rmtree(written)),
        ("dayspring synth, a new binary to pack", project.binary(), lambda: shutil.rmtree(written)),
    ]
    # So that the first of them finds it packed.
    project.timed(["synth", "--bootstrap", project.binary()])
    environment = cdk_environment(folder)
    app = HERE / "cdk"
    output = project.path / "cdk.out"
    cdk = [
        ("cdk synth", [str(folder / "npm/node_modules/.bin/cdk"), "synth", "-q", "--no-notices", "-o", str(output)]),
        ("python3 app.py", ["python3", "app.py"]),
    ]
    rows = []
    for name, command in cdk:
        found = [measured(command, app, environment | {"CDK_OUTDIR": str(output)}) for _ in range(3)]
        rows.append((name, found))
    for name, binary, prepare in ours:
        found = []
        for _ in range(arguments.runs):
            command = [project.dayspring, "synth", "--bootstrap", binary]
            found.append(measured(command, project.path, project.environment, prepare))
        rows.append((name, found))
    print(f"{'synth':48} {'CPU':>22} {'peak memory':>12} {'wall':>10} {'less CPU':>9} {'memory':>7}")
    base = rows[0][1]
    for name, found in rows:
        cpu, memory, wall = (median(found, index) for index in range(3))
        spread = f"({min(f[0] for f in found) * 1000:.0f} to {max(f[0] for f in found) * 1000:.0f})"
        less = f"{median(base, 0) / cpu:8.0f}x {median(base, 1) / memory:6.0f}x"
        print(f"{name:48} {cpu * 1000:8.1f} ms {spread:>10} {memory / 1024:8.1f} MiB {wall * 1000:7.0f} ms {less}")
    print(f"{'aims':48} {'':22} {'':12} {'':10} {LESS_CPU:9}x {LESS_MEMORY:6}x\n")


def deploy(arguments, project):
    """Wall time of deploys to a local cloud that runs already."""
    first, unchanged, unchanged_built, changed = [], [], [], []
    binary = ["--bootstrap", project.binary()]
    for _ in range(3):
        with project.cloud() as endpoint:
            deploy = ["deploy", "--yes", "--endpoint-url", endpoint]
            # Built: cargo finds nothing to do.
            first.append(project.timed([*deploy, "--profile", "dev"]))
            for _ in range(arguments.runs):
                unchanged.append(project.timed([*deploy, "--profile", "dev"]))
                unchanged_built.append(project.timed([*deploy, *binary]))
            for _ in range(arguments.runs):
                project.add_script()
                changed.append(project.timed([*deploy, *binary]))
    cargo = [project.timed_cargo() for _ in range(arguments.runs)]
    rows = [
        ("first deploy, built", first, FIRST),
        ("nothing changed, with cargo's look at the sources", unchanged, NO_CHANGE),
        ("nothing changed, with a binary that is named", unchanged_built, NO_CHANGE),
        ("a new script with one INSERT, until it is live", changed, CHANGED_SCRIPT),
        ("  (cargo build alone, with nothing to do)", cargo, None),
    ]
    print(f"{'deploy to the local cloud':52} {'wall':>10} {'spread':>16} {'aim':>9} {'CPU':>10}")
    for name, found, aim in rows:
        wall, cpu = (median(found, index) * 1000 for index in range(2))
        spread = f"({min(f[0] for f in found) * 1000:.0f} to {max(f[0] for f in found) * 1000:.0f})"
        print(f"{name:52} {wall:7.0f} ms {spread:>16} {f'{aim} ms' if aim else '':>9} {cpu:7.1f} ms")


class Project:
    """A project that `dayspring new` wrote."""

    def __init__(self, work, dayspring):
        self.dayspring = str(Path(dayspring).resolve())
        self.path = work / "shop"
        self.scripts = 1
        # One build folder for all runs of the bench.
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        self.environment["CARGO_TARGET_DIR"] = str(ROOT / "target/e2e")
        run = [self.dayspring, "new", "shop", "--dayspring-path", str(ROOT / "crates/dayspring")]
        subprocess.run(run, cwd=work, check=True, capture_output=True)
        shutil.copy(ROOT / "Cargo.lock", self.path)
        subprocess.run(["cargo", "build", "-q"], cwd=self.path, env=self.environment, check=True)
        shutil.copy(ROOT / "target/e2e/debug/bootstrap", work / "bootstrap")

    def stand_in(self):
        path = self.path.parent / "stand-in"
        path.write_text("#!/bin/sh\n")
        return str(path)

    def binary(self):
        return str(self.path.parent / "bootstrap")

    def cloud(self):
        return Cloud(self)

    def add_script(self):
        self.scripts += 1
        script = self.path / f"scripts/schema/v{self.scripts}.sql"
        script.write_text(f"INSERT INTO posts (title) VALUES ('number {self.scripts}');\n")

    def timed(self, arguments):
        return self.timed_command([self.dayspring, *arguments])

    def timed_cargo(self):
        return self.timed_command(["cargo", "build", "-q", "--bin", "bootstrap"])

    def timed_command(self, command):
        """Seconds, and seconds of CPU of the process and its children."""
        cpu, _, wall = run(command, self.path, self.environment)
        return wall, cpu


class Cloud:
    """`dayspring cloud` with a state of its own, for as long as it is used."""

    def __init__(self, project):
        self.project = project
        for script in (project.path / "scripts/schema").glob("v*.sql"):
            if script.name != "v1.sql":
                script.unlink()
        project.scripts = 1

    def __enter__(self):
        self.state = tempfile.mkdtemp()
        command = [self.project.dayspring, "cloud", "--port", "0", "--api-port", "0", "--state", self.state]
        environment = self.project.environment
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
        return self.process.stdout.readline().decode().split()[1]

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.state)


def measured(command, folder, environment, prepare=lambda: None):
    """Seconds of CPU of the process and its children, KiB of the largest of them, and seconds."""
    prepare()
    cpu, _, wall = run(command, folder, environment)
    # A process counts the memory of the one that it was forked from, until it executes its program: the memory of this
    # interpreter. That of `time` is small.
    prepare()
    with tempfile.NamedTemporaryFile() as said:
        run(["time", "-f", "%M", "-o", said.name, *command], folder, environment)
        memory = int(said.read().split()[-1])
    return cpu, memory, wall


def run(command, folder, environment):
    begun = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    problem = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command}: {problem.decode()}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss, time.monotonic() - begun


def median(found, index):
    return statistics.median(values[index] for values in found)


def cdk_environment(folder):
    """Installs the CDK, pinned, beside the repository's own build, and gives the environment that finds it."""
    venv, npm = folder / "venv", folder / "npm"
    if not (venv / "bin/python3").exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin/pip", "install", "-q", *PYTHON_PACKAGES], check=True)
    if not (npm / "node_modules/.bin/cdk").exists():
        npm.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--prefix", npm, CLI], check=True, cwd=npm)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return environment | {
        "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    }


if __name__ == "__main__":
    main()
