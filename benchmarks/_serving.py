"""A server of its own process and a client that costs next to nothing, for benchmarks over HTTP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

START_S = 60.0
TICKS = os.sysconf("SC_CLK_TCK")


def command(server: str, port: int, workers: int, threads: int) -> list[str]:
    """How *server* is started on ``shop:app`` of the current folder."""
    python = [sys.executable, "-m"]
    if server == "granian":
        options = ["--interface", "wsgi", "--port", str(port), "--workers", str(workers)]
        return [*python, "granian", *options, "--blocking-threads", str(threads), "--no-ws", "shop:app"]
    options = ["-k", "gthread", "-w", str(workers), "--threads", str(threads), "-b", f"127.0.0.1:{port}"]
    return [*python, "gunicorn", *options, "--keep-alive", "60", "shop:app"]


class Server:
    """A running server; ``cpu()`` are the seconds of processor time that all its processes took so far."""

    def __init__(self, port: int, group: int) -> None:
        self.port, self._group = port, group

    def cpu(self) -> float:
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended meanwhile
            if int(fields[2]) == self._group:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS


@contextmanager
def serving(server: str, folder: Path, *, workers: int, threads: int) -> Iterator[Server]:
    """Serve ``shop:app`` in *folder* until the end of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / f"{server}.log").open("w") as log:
        process = subprocess.Popen(
            command(server, port, workers, threads), cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(port, process, folder / f"{server}.log")
        yield Server(port, process.pid)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the server did not start:\n{log.read_text()[-2000:]}") from None
            time.sleep(0.1)


def send_all(port: int, requests: Sequence[bytes], connections: int, waits: list[float] | None = None) -> float:
    """Send every request over so many connections, each answered before its next; gives the seconds it took.

    :param waits: the seconds that each answer took are added to it
    :raises SystemExit: an answer is not 200
    """
    todo, lock, wrong = iter(requests), threading.Lock(), list[bytes]()

    def work() -> None:
        with socket.create_connection(("127.0.0.1", port), 60) as connection:
            while not wrong:
                with lock:
                    request = next(todo, None)
                if request is None:
                    return
                asked = time.perf_counter()
                connection.sendall(request)
                answer = _answer(connection)
                if waits is not None:
                    waits.append(time.perf_counter() - asked)
                if not answer.startswith(b"HTTP/1.1 200"):
                    wrong.append(answer[:500])

    threads = [threading.Thread(target=work) for _ in range(connections)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise SystemExit(f"an answer was not 200: {wrong[0]!r}")
    return time.perf_counter() - began


def _answer(connection: socket.socket) -> bytes:
    received = b""
    while True:
        part = connection.recv(65536)
        if not part:
            raise SystemExit("the server closed a connection")
        received += part
        head, found, body = received.partition(b"\r\n\r\n")
        if found and len(body) >= int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]):
            return received
