"""Gets the tools, pinned, into folders under target/crash."""

import os
import subprocess
import sys
from pathlib import Path

import tools as sets

PYTHON = ["alembic==1.20.1", "yoyo-migrations==9.0.0", "PyMySQL==1.2.4", "SQLAlchemy==2.1.9", "setuptools==65.5.0"]
NPM = ["dbmate@2.36.0", "liquibase@4.28.1"]
CARGO = [
    ("sqlx-cli", "sqlx", "0.9.0", "mysql,rustls"),
    ("refinery_cli", "refinery", "0.10.0", "mysql"),
]

# Peers that this bench does not run, each with the reason.
NOT_RUN = [
    ("golang-migrate", "binaries at GitHub only; on none of the registries that the bench installs from (PyPI, npm, crates.io)"),
    ("goose", "binaries at GitHub only, likewise"),
    ("Atlas", "binaries at its own site only; its npm package fetches them from there when installed, and carries none"),
    ("Flyway", "jars at Maven Central; its npm packages fetch it from there when installed, and carry none"),
]


def enter_venv(folder):
    """Goes on in a venv that has the harness's driver and the Python tools."""
    venv = folder / "venv"
    python = venv / "bin" / "python"
    stamp = venv / "installed"
    if not stamp.is_file() or stamp.read_text() != " ".join(PYTHON):
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PYTHON], check=True)
        stamp.write_text(" ".join(PYTHON))
    if Path(sys.prefix).resolve() != venv.resolve():
        os.execv(python, [str(python), *sys.argv])


def tools(folder, dayspring, wanted=("",)):
    """(the tools that are there, the names and reasons of those that are not), of those whose names begin as is wanted"""
    found, missing = [], []
    for names, get in [
        (["Dayspring"], lambda: [sets.dayspring(dayspring, version(dayspring, "--version"))]),
        (["alembic", "yoyo-migrations"], lambda: python_tools(folder)),
        (["dbmate", "liquibase"], lambda: npm_tools(folder)),
        (["sqlx-cli"], lambda: cargo_tools(folder, 0)),
        (["refinery_cli"], lambda: cargo_tools(folder, 1)),
    ]:
        if not any(is_wanted(name, wanted) for name in names):
            continue
        try:
            found += [tool for tool in get() if is_wanted(tool.name, wanted)]
        except (OSError, subprocess.CalledProcessError) as error:
            missing.append((" and ".join(names), f"could not be installed: {error}"))
    return found, missing


def is_wanted(name, wanted):
    return any(name.lower().startswith(part.lower()) for part in wanted)


def python_tools(folder):
    bin_folder = folder / "venv" / "bin"
    alembic, yoyo = str(bin_folder / "alembic"), str(bin_folder / "yoyo")
    return [
        sets.alembic(alembic, version_of("alembic")),
        sets.alembic(alembic, version_of("alembic"), per_migration=True),
        sets.yoyo(yoyo, version_of("yoyo-migrations")),
    ]


def version_of(package):
    return next(pin.partition("==")[2] for pin in PYTHON if pin.startswith(f"{package}=="))


def npm_tools(folder):
    home = folder / "npm"
    home.mkdir(exist_ok=True)
    stamp = home / "installed"
    if not stamp.is_file() or stamp.read_text() != " ".join(NPM):
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", home, *NPM], check=True)
        stamp.write_text(" ".join(NPM))
    modules = home / "node_modules"
    dbmate = str(next(modules.glob("@dbmate/*/bin/dbmate")))
    jars = modules / "liquibase" / "dist"
    liquibase = str(jars / "liquibase" / "liquibase")
    os.chmod(liquibase, 0o755)
    driver = str(jars / "liquibase" / "internal" / "lib" / "mariadb-java-client.jar")
    return [
        sets.dbmate(dbmate, version(dbmate, "--version")),
        sets.dbmate(dbmate, version(dbmate, "--version"), transaction=False),
        sets.liquibase(liquibase, "4.28.1 (npm)", driver),
    ]


def cargo_tools(folder, index):
    package, name, pinned, features = CARGO[index]
    program = folder / "cargo" / "bin" / name
    if not program.is_file():
        command = ["cargo", "install", package, "--version", pinned, "--locked", "--no-default-features"]
        command += ["--features", features, "--root", folder / "cargo", "--target-dir", folder / "cargo-target"]
        subprocess.run(command, check=True)
    if name == "refinery":
        return [sets.refinery(str(program), pinned), sets.refinery(str(program), pinned, grouped=True)]
    return [sets.sqlx(str(program), pinned), sets.sqlx(str(program), pinned, transaction=False)]


def version(program, flag):
    output = subprocess.run([program, flag], capture_output=True, text=True, check=True).stdout
    return output.split()[-1]
