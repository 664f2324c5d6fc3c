"""A PostgreSQL server and a pgbouncer of our own: in a temporary folder, by a user without rights, on ports of 127.0.0.1.

The system's own cluster is left alone. PostgreSQL refuses to run as root, so root runs it as somebody else.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.patience import PATIENCE

SEARCH = os.pathsep.join([
    *sorted((str(path) for path in Path("/usr/lib/postgresql").glob("*/bin")), reverse=True),
    os.environ.get("PATH", ""), "/usr/sbin", "/sbin",
])  # fmt: skip
BOUNCER = """[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 12
max_client_conn = 500
ignore_startup_parameters = extra_float_digits
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
"""
USER = "watchword"


def program(name: str) -> str:
    """Where a program of the server is; raises, never skips."""
    path = shutil.which(name, path=SEARCH)
    if path is None:
        raise FileNotFoundError(f"{name} is not installed: run `make interop`, which installs it")
    return path


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A process in the temporary folder, of a user without rights; ended by its own id."""

    def __init__(self, command: list[str], folder: Path, ending: signal.Signals) -> None:
        self.folder, self._ending = folder, ending
        with (folder / "output").open("ab") as output:
            self.process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
                **somebody(),
            )  # fmt: skip

    def end(self) -> None:
        """Ends it, and waits until it has."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(self._ending)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def somebody() -> dict[str, Any]:
    """Options of Popen by which root runs a program as somebody without rights."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {
            "user": user.pw_uid,
            "group": user.pw_gid,
            "extra_groups": [],
            "env": {"PATH": SEARCH, "LC_ALL": "C.UTF-8"},
        }
    raise LookupError("there is nobody to run PostgreSQL as")


class Cluster:
    """A server: `url()` is a database's, by the port of the server itself or another one, as of pgbouncer."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.bouncer = 0
        self._server: Process | None = None

    def start(self, **settings: str) -> None:
        """Starts it, with these settings besides."""
        said = {
            "port": str(self.port), "listen_addresses": "127.0.0.1", "unix_socket_directories": str(self.folder),
            "max_connections": "150", "shared_buffers": "32MB", "log_min_messages": "fatal", **settings,
        }  # fmt: skip
        options = [part for name, value in said.items() for part in ("-c", f"{name}={value}")]
        # SIGINT is a fast shutdown: sessions are ended.
        command = [program("postgres"), "-D", str(self.folder / "data"), *options]
        self._server = Process(command, self.folder, signal.SIGINT)
        self._wait(self._server, self.port)

    def stop(self, ending: signal.Signals = signal.SIGINT) -> None:
        """Ends it; `start` begins it again."""
        assert self._server is not None
        self._server._ending = ending
        self._server.end()

    @property
    def pid(self) -> int:
        assert self._server is not None
        return self._server.process.pid

    def _wait(self, process: Process, port: int) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                psycopg.connect(self.conninfo("postgres", port), connect_timeout=5).close()
                return
            except psycopg.OperationalError:
                if process.process.poll() is not None or time.monotonic() > end:
                    raise AssertionError((process.folder / "output").read_text("utf-8", "replace")) from None
                time.sleep(0.05)

    def conninfo(self, database: str, port: int | None = None) -> str:
        return f"host=127.0.0.1 port={port or self.port} user={USER} dbname={database}"

    def url(self, database: str, port: int | None = None, **query: str) -> str:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return f"postgresql+psycopg://{USER}@127.0.0.1:{port or self.port}/{database}?{asked}".rstrip("?")

    def run(self, database: str, *statements: str) -> list[Any]:
        """What the last of the statements reads, each in a transaction of its own."""
        # Without waiting for a standby, where a test has said that there is one.
        local = "-csynchronous_commit=local"
        with psycopg.connect(self.conninfo(database), autocommit=True, options=local) as connection:
            rows: list[Any] = []
            for statement in statements:
                cursor = connection.execute(statement)
                rows = cursor.fetchall() if cursor.description else []
            return rows

    def create(self, database: str) -> str:
        """A new, empty database's URL."""
        self.run("postgres", f"DROP DATABASE IF EXISTS {database} WITH (FORCE)", f"CREATE DATABASE {database}")
        return self.url(database)


@contextmanager
def cluster(**settings: str) -> Iterator[Cluster]:
    """A server that ends with the block, and its folder with it."""
    folder = Path(tempfile.mkdtemp(prefix="watchword-pg-", dir="/tmp"))
    options = somebody()
    if "user" in options:
        os.chown(folder, options["user"], options["group"])
    try:
        subprocess.run(
            [program("initdb"), "-D", str(folder / "data"), "-U", USER, "--auth=trust", "-E", "UTF8", "--locale=C", "-N"],
            check=True, cwd=folder, stdout=subprocess.DEVNULL, **options,
        )  # fmt: skip
        made = Cluster(folder, free_port())
        made.start(**settings)
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def bouncer(server: Cluster) -> Iterator[int]:
    """The port of a pgbouncer in transaction mode, in front of the server."""
    port = free_port()
    folder = server.folder / "pgbouncer"
    folder.mkdir()
    (folder / "users").write_text(f'"{USER}" ""\n')
    (folder / "pgbouncer.ini").write_text(BOUNCER.format(server=server.port, port=port, folder=folder))
    options = somebody()
    if "user" in options:
        for path in (folder, *folder.iterdir()):
            os.chown(path, options["user"], options["group"])
    process = Process([program("pgbouncer"), str(folder / "pgbouncer.ini")], folder, signal.SIGINT)
    try:
        server._wait(process, port)
        yield port
    finally:
        process.end()
