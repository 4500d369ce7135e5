"""The tools, each set up as its manual says, and what each one's journal is."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from migrations import script


@dataclass
class Tool:
    """One tool in one set-up."""

    name: str
    version: str
    # What of the manual's choices was taken, for the page.
    set_up: str
    # The tables that are the tool's own; their names mark a statement as the journal's.
    journal: list
    # What the journal says, as a query whose answer does not depend on times or on counters.
    says: str
    # (folder, run, files): writes the migrations into a folder. `run` carries out a command there.
    write: object
    # (folder, port, database) -> command line
    command: object
    # What the manual says to do where the tool itself says that it is locked or dirty, as a command line, or None.
    remedy: object = None
    remedy_name: str = ""
    environment: dict = field(default_factory=dict)
    # Finds a lock that a killed run left and that makes each further run fail after a long wait; and what it then says.
    locked: str = ""
    lock_message: str = ""
    # A slow tool is killed after each statement only, and before the first: before a later one nothing else has happened
    # than after the one in front of it.
    sides: tuple = ("before", "after")

    def environ(self):
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "JAVA_HOME") if key in os.environ}
        return {**kept, "NO_COLOR": "1", **self.environment}


def url(port, database):
    return f"mysql://root@127.0.0.1:{port}/{database}"


def write_files(folder, files, name, text):
    folder.mkdir(parents=True, exist_ok=True)
    for number, (title, statements) in enumerate(files, 1):
        (folder / name(number, title)).write_text(text(statements))


def dayspring(program, version):
    return Tool(
        name="Dayspring",
        version=version,
        set_up="`dayspring migrate up`",
        journal=["dayspring_script", "dayspring_statement", "dayspring_lease"],
        says="SELECT version, phase, position, state FROM dayspring_statement ORDER BY 1, 2, 3",
        write=lambda folder, _, files: write_files(folder, files, lambda n, t: f"v{n}_{t}.sql", script),
        command=lambda folder, port, database: [
            *[program, "migrate", "up", "--scripts", str(folder)],
            *["--database-url", url(port, database)],
        ],
    )


def sqlx(program, version, transaction=True):
    head = "" if transaction else "-- no-transaction\n"
    return Tool(
        name="sqlx-cli" if transaction else "sqlx-cli, no-transaction",
        version=version,
        set_up="`sqlx migrate run`" + ("" if transaction else ", `-- no-transaction` in every file"),
        journal=["_sqlx_migrations"],
        says="SELECT version, success FROM _sqlx_migrations ORDER BY 1",
        write=lambda folder, _, files: write_files(folder, files, lambda n, t: f"{n:04}_{t}.sql", lambda s: head + script(s)),
        command=lambda folder, port, database: [
            *[program, "migrate", "run", "--source", str(folder)],
            *["--database-url", url(port, database)],
        ],
    )


def refinery(program, version, grouped=False):
    def command(folder, port, database):
        config = folder / f"{database}.toml"
        config.write_text(
            '[main]\ndb_type = "Mysql"\ndb_host = "127.0.0.1"\ndb_user = "root"\ndb_pass = ""\n'
            f'db_port = "{port}"\ndb_name = "{database}"\n'
        )
        return [program, "migrate", "-c", str(config), "-p", str(folder / "migrations")] + ["-g"] * grouped

    return Tool(
        name="refinery_cli, grouped" if grouped else "refinery_cli",
        version=version,
        set_up="`refinery migrate" + (" -g`" if grouped else "`"),
        journal=["refinery_schema_history"],
        says="SELECT version, name FROM refinery_schema_history ORDER BY 1",
        write=lambda folder, _, files: write_files(folder / "migrations", files, lambda n, t: f"V{n}__{t}.sql", script),
        command=command,
    )


def dbmate(program, version, transaction=True):
    up = "-- migrate:up" + ("" if transaction else " transaction:false")
    return Tool(
        name="dbmate" if transaction else "dbmate, transaction:false",
        version=version,
        set_up="`dbmate --no-dump-schema migrate`" + ("" if transaction else ", `transaction:false` in every file"),
        journal=["schema_migrations"],
        says="SELECT version FROM schema_migrations ORDER BY 1",
        write=lambda folder, _, files: write_files(
            folder,
            files,
            lambda n, t: f"{20260101000000 + n}_{t}.sql",
            lambda s: f"{up}\n{script(s)}\n-- migrate:down\n",
        ),
        command=lambda folder, port, database: [
            *[program, "--url", url(port, database), "--migrations-dir", str(folder)],
            *["--no-dump-schema", "migrate"],
        ],
    )


def yoyo(program, version):
    def command(verb):
        return lambda folder, port, database: [program, verb, "--batch", "--no-config-file"] + [
            *["--database", url(port, database)],
            *([str(folder)] if verb == "apply" else []),
        ]

    return Tool(
        name="yoyo-migrations",
        version=version,
        set_up="`yoyo apply --batch`, SQL files, PyMySQL",
        journal=["_yoyo_log", "_yoyo_migration", "_yoyo_version", "yoyo_lock", "yoyo_tmp_"],
        says="SELECT migration_id FROM _yoyo_migration ORDER BY 1",
        write=lambda folder, _, files: write_files(folder, files, lambda n, t: f"{n:04}.{t}.sql", script),
        command=command("apply"),
        remedy=command("break-lock"),
        remedy_name="`yoyo break-lock`",
    )


ALEMBIC_REVISION = '''from alembic import op

revision = "{revision}"
down_revision = {down}
branch_labels = None
depends_on = None


def upgrade():
{body}


def downgrade():
    pass
'''


def alembic(program, version, per_migration=False):
    def write(folder, run, files):
        run([program, "init", str(folder / "alembic")], folder)
        if per_migration:
            env = folder / "alembic" / "env.py"
            text = env.read_text()
            changed = text.replace(
                "connection=connection, target_metadata=target_metadata",
                "connection=connection, target_metadata=target_metadata, transaction_per_migration=True",
            )
            assert changed != text, "env.py of alembic's template has the call"
            env.write_text(changed)
        down = "None"
        for number, (title, statements) in enumerate(files, 1):
            revision = f"{number:04}"
            body = "\n".join(f'    op.execute("{statement}")' for statement in statements)
            text = ALEMBIC_REVISION.format(revision=revision, down=down, body=body)
            (folder / "alembic" / "versions" / f"{revision}_{title}.py").write_text(text)
            down = f'"{revision}"'

    def command(folder, port, database):
        ini = folder / f"{database}.ini"
        lines = (folder / "alembic.ini").read_text().splitlines()
        address = url(port, database).replace("mysql:", "mysql+pymysql:")
        changed = [f"sqlalchemy.url = {address}" if line.startswith("sqlalchemy.url") else line for line in lines]
        ini.write_text("\n".join(changed))
        return [program, "-c", str(ini), "upgrade", "head"]

    return Tool(
        name="alembic, transaction_per_migration" if per_migration else "alembic",
        version=version,
        set_up="`alembic upgrade head`, `env.py` of its template, `op.execute` for each statement, PyMySQL"
        + (", `transaction_per_migration=True`" if per_migration else ""),
        journal=["alembic_version"],
        says="SELECT version_num FROM alembic_version",
        write=write,
        command=command,
    )


def liquibase(program, version, driver):
    def write(folder, _, files):
        folder.mkdir(parents=True, exist_ok=True)
        changesets = [
            f"--changeset bench:{number}-{title}\n{script(statements)}"
            for number, (title, statements) in enumerate(files, 1)
        ]
        (folder / "changelog.sql").write_text("--liquibase formatted sql\n\n" + "\n".join(changesets))

    def command(*verb):
        return lambda folder, port, database: [
            *[program, f"--classpath={driver}", f"--search-path={folder}"],
            f"--url=jdbc:mariadb://127.0.0.1:{port}/{database}",
            *["--username=root", "--password=", *verb],
        ]

    return Tool(
        name="liquibase",
        version=version,
        set_up="`liquibase update`, formatted SQL, one changeset a file, MariaDB's JDBC driver",
        journal=["DATABASECHANGELOG", "DATABASECHANGELOGLOCK"],
        says="SELECT id, exectype FROM DATABASECHANGELOG ORDER BY orderexecuted, id",
        write=write,
        command=command("update", "--changelog-file=changelog.sql"),
        remedy=command("release-locks"),
        remedy_name="`liquibase release-locks`",
        environment={
            # Two hundred starts of a virtual machine are most of this bench's time.
            "JAVA_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto",
        },
        locked="SELECT * FROM DATABASECHANGELOGLOCK WHERE locked = 1",
        lock_message="Could not acquire change log lock",
        sides=("after",),
    )
