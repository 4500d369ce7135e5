"""A MariaDB or MySQL server of this run's own, on a socket in a private folder."""

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pymysql

# Where a server may be that is on no PATH: Debian's and Homebrew's folders.
FOLDERS = [
    "/usr/sbin",
    "/usr/local/sbin",
    "/opt/homebrew/opt/mariadb/bin",
    "/opt/homebrew/bin",
    "/usr/local/opt/mariadb/bin",
]

# Careless with the disk, which is not what is measured: the server itself is never killed here.
OPTIONS = [
    "--no-defaults",
    "--skip-networking",
    "--skip-name-resolve",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    "--innodb-buffer-pool-size=32M",
    "--innodb-use-native-aio=0",
    "--character-set-server=utf8mb4",
    "--max-connections=200",
]

# The proxy reads what the tool sends, so that there is no TLS.
MARIADB_OPTIONS = [
    "--skip-ssl",
    "--innodb-log-file-size=8M",
    "--innodb-undo-tablespaces=0",
    "--innodb-data-file-path=ibdata1:4M:autoextend",
    "--performance-schema=0",
]

MYSQL_OPTIONS = [
    "--tls-version=",
    "--innodb-redo-log-capacity=8M",
    "--skip-log-bin",
    "--mysqlx=0",
]

# Ends the server and removes its folder when the harness ends and its end of the pipe closes, however it ends.
KEEPER = 'f=$1; shift; "$@" >"$f/log" 2>&1 & s=$!; read -r _; kill -9 $s; wait $s 2>/dev/null; rm -rf "$f"'


@dataclass(frozen=True)
class Program:
    """A server's program."""

    path: str
    is_mysql: bool

    @property
    def product(self):
        return "MySQL" if self.is_mysql else "MariaDB"

    @property
    def process_list_schema(self):
        # MySQL's information schema cannot be asked while somebody runs a statement with binary data in it: error 3854.
        return "performance_schema" if self.is_mysql else "information_schema"

    def options(self):
        return OPTIONS + (MYSQL_OPTIONS if self.is_mysql else MARIADB_OPTIONS)

    def initialize(self, data):
        """Fills a data folder, which is not there yet."""
        user = ["--user=root"] if os.geteuid() == 0 else []
        if self.is_mysql:
            arguments, script = ["--initialize-insecure"], b""
        else:
            data.mkdir()
            arguments, script = ["--bootstrap", "--innodb-fast-shutdown=1", f"--tmpdir={data}"], system_tables(self.path)
        done = subprocess.run(
            [self.path, *self.options(), *user, *arguments, f"--datadir={data}"],
            input=script,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode != 0:
            raise SystemExit(f"{self.path} does not prepare its data folder:\n{done.stdout.decode('utf-8', 'replace')[-3000:]}")


class Server:
    """A running server. Leaving the `with` block ends it and removes its folder."""

    def __init__(self, program, options=None, hides_socket=True):
        self.program = program
        self.options = options or program.options()
        # Named relative to the data folder, the socket is not found by a driver which asks the server for it, to leave TCP
        # and the proxy for it (the crate `mysql`, in refinery).
        self.hides_socket = hides_socket

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="crash-matrix-"))
        data = self.folder / "data"
        self.program.initialize(data)
        self.socket = str(data / "socket")
        user = ["--user=root"] if os.geteuid() == 0 else []
        self.keeper = subprocess.Popen(
            ["sh", "-c", KEEPER, "sh", self.folder, self.program.path, *self.options, *user]
            + [f"--datadir={data}", f"--socket={'socket' if self.hides_socket else self.socket}", f"--tmpdir={self.folder}"]
            + [f"--pid-file={self.folder / 'pid'}"],
            stdin=subprocess.PIPE,
        )
        for _ in range(1200):
            try:
                self.version = self.connect().query("SELECT VERSION()")[0][0]
                return self
            except pymysql.err.OperationalError:
                time.sleep(0.05)
        raise SystemExit(f"the server did not start within a minute, see {self.folder / 'log'}")

    def __exit__(self, *_):
        self.keeper.stdin.close()
        self.keeper.wait()

    def connect(self, database=None):
        return Connection(self.socket, database)


class Connection:
    """A connection of the harness, past every proxy."""

    def __init__(self, socket, database):
        self.connection = pymysql.connect(unix_socket=socket, user="root", database=database, autocommit=True)

    def query(self, sql):
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def close(self):
        self.connection.close()


def find_program(wanted=None):
    """The program at a path, or else the MariaDB of this machine."""
    if wanted:
        said = subprocess.run([wanted, "--no-defaults", "--version"], capture_output=True, text=True, check=True).stdout
        return Program(str(Path(wanted).resolve()), "-MariaDB" not in said)
    path = os.environ.get("PATH", "").split(os.pathsep)
    for folder in path + FOLDERS:
        program = Path(folder) / "mariadbd"
        if program.is_file():
            return Program(str(program), False)
    raise SystemExit("mariadbd is not installed (Debian and Ubuntu: mariadb-server-core; macOS: brew install mariadb)")


def system_tables(program):
    """The statements that make MariaDB's own tables."""
    prefix = Path(program).resolve().parent.parent
    share = next(
        prefix / share
        for share in ["share/mysql", "share/mariadb"]
        if (prefix / share / "mysql_system_tables.sql").is_file()
    )
    script = b"create database mysql;\nuse mysql;\n"
    for file in ["mysql_system_tables.sql", "mysql_system_tables_data.sql"]:
        script += (share / file).read_bytes()
    return script
