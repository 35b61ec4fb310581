"""Events in server batches of 20, into SQLite and PostgreSQL: in process and over HTTP. Prints one JSON object.

Beside each figure stands its floor of the same run. In process it is the database alone: the same rows in the same
commits, by ``executemany`` with ``synchronous=FULL`` or by ``COPY`` into tables with the same indexes. Over HTTP it is
a Flask route that reads the same body and answers 200. Each event is parsed, de-duplicated, made durable and folded
into its visitor's profile before it counts.

``cpu_us`` is the processor time of an event in our process, without PostgreSQL's own. ``steps_us`` are the least that
it took for any of many groups of eight batches: what an undisturbed core takes. Where the machine is shared trust these
and ``ratio``, not events per second.
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from _serving import send_all, serving
from flask import Flask

from mtp_plugin import MTP, Product
from mtp_plugin.records import ConsentLevel
from mtp_plugin.store.batch import Batch
from mtp_plugin.store.engine import open_sqlite
from mtp_plugin.store.open import open_stores
from mtp_plugin.store.postgres_work import COPY_EVENTS, TYPES
from mtp_plugin.store.rows import COLUMNS, EventRow, event_row
from mtp_plugin.track.sender import Sender

sys.path.append(str(Path(__file__).parents[1]))

BATCH = 20
GROUP = 8
"""Batches of one commit when the steps are measured."""
PRODUCTS = 5000
KEY = "sk_benchmark"
NAMES = ("Product Viewed", "Product Viewed", "Product Viewed", "Product Added", "Page Viewed")
SERVERS = ("granian", "gthread")
SHOP = """
from flask import Flask, request
from mtp_plugin import MTP
app = Flask("shop", instance_path={folder!r})
app.secret_key = "benchmarks only, and long enough"
app.config.update({config!r})
MTP(app)

@app.post("/bare")
def bare():
    request.get_data()
    return "ok"
"""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def bodies(events: int, visitors: int) -> list[bytes]:
    """Bodies of ``v1/batch`` as Segment's libraries write them; each event is of some visitor or other."""
    chance, run = random.Random(1), secrets.token_hex(4)

    def call(number: int) -> dict[str, Any]:
        return {
            "type": "track",
            "event": chance.choice(NAMES),
            "messageId": f"{run}-{number:012d}",
            "userId": f"user-{chance.randrange(visitors)}",
            "timestamp": f"2026-01-05T12:30:{number % 60:02d}.123Z",
            "properties": {
                "product_id": f"p{chance.randrange(PRODUCTS)}",
                "price": 19.9,
                "quantity": 1,
                "category": "Shoes",
            },
            "context": {"page": {"path": "/p/1"}, "library": {"name": "analytics-python", "version": "2.2"}},
        }

    starts = range(0, events, BATCH)
    return [
        json.dumps({"batch": [call(n) for n in range(at, at + BATCH)], "sentAt": "2026-01-05T12:31:00Z"}).encode()
        for at in starts
    ]


def catalogue() -> list[Product]:
    return [
        Product(
            product_id=f"p{n}", title=f"Shoe {n}", brand=f"Brand {n % 40}", category_path=("All", f"Kind {n % 10}"),
            price=10.0 + n % 300,
        )
        for n in range(PRODUCTS)
    ]  # fmt: skip


def mounted(folder: Path, config: dict[str, Any]) -> Any:
    """A mounted plugin with a catalogue, as one worker has it."""
    app = Flask("bench", instance_path=str(folder))
    app.secret_key = "benchmarks only, and long enough"
    app.config.update(config)
    MTP(app)
    state = app.extensions["mtp"]
    state.catalog_store.import_products(catalogue(), hide_missing=False)
    state.pipeline.live.refresh()
    return state


# ------------------------------------------------------------------------------------------- in process


def in_process(folder: Path, config: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Parse and ingest in threads of this process, then the same rows by the database alone."""
    state, batches = mounted(folder, config), bodies(options.events, options.visitors)
    sender = Sender(kind="server", consent=ConsentLevel.FULL, key=KEY)
    commits: list[int] = []
    run = state.journal._turns._run

    def watched(group: Sequence[Batch]) -> Any:
        commits.append(sum(len(batch.events) for batch in group))
        return run(group)

    state.journal._turns._run = watched
    todo, lock = iter(batches), threading.Lock()

    def work() -> None:
        while True:
            with lock:
                body = next(todo, None)
            if body is None:
                return
            parsed = state.intake.segment("batch", body, sender, time.time())
            assert sum(state.pipeline.ingest(parsed.events)) == BATCH

    threads = [threading.Thread(target=work) for _ in range(options.threads)]

    def all_of_them() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    ours = timed(all_of_them, options.events)
    assert state.journal.count() == options.events
    state.close()
    events = (event for body in batches for event in state.intake.segment("batch", body, sender, time.time()).events)
    rows = (event_row(event)._replace(seq=number) for number, event in enumerate(events, 1))
    bare = floor_postgres if "MTP_DATABASE_URL" in config else floor_sqlite
    floor = timed(bare(folder, config, [list(islice(rows, size)) for size in commits]), options.events)
    return {
        "path": ours,
        "floor": floor,
        "ratio": round(ours["events_per_s"] / floor["events_per_s"], 3),
        "events_per_commit": round(options.events / len(commits), 1),
    }


def timed(run: Callable[[], object], events: int) -> dict[str, float]:
    began, cpu = time.perf_counter(), time.process_time()
    run()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {"events_per_s": round(events / seconds), "cpu_us": round(cpu / events * 1e6, 1)}


def floor_sqlite(folder: Path, config: dict[str, Any], groups: list[list[EventRow]]) -> Callable[[], None]:
    """Insert the rows into an empty database of the same form."""
    floor = folder / "floor"
    stores = open_stores(_settings({}), str(floor))
    assert stores.journal.count() == 0
    stores.close()
    connection = open_sqlite(str(floor / "mtp.sqlite"))
    add = f"INSERT INTO mtp_event ({COLUMNS}) VALUES ({', '.join('?' * len(TYPES))})"

    def run() -> None:
        for group in groups:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(add, group)
            connection.execute("COMMIT")
        connection.close()

    return run


def floor_postgres(folder: Path, config: dict[str, Any], groups: list[list[EventRow]]) -> Callable[[], None]:
    """Copy the rows into the emptied tables."""
    import psycopg

    connection = psycopg.connect(config["MTP_DATABASE_URL"])
    connection.execute("TRUNCATE mtp_event")
    connection.commit()

    def run() -> None:
        for group in groups:
            with connection.cursor() as cursor, cursor.copy(COPY_EVENTS) as copy:
                copy.set_types(TYPES)
                for row in group:
                    copy.write_row(row)
            connection.commit()
        connection.close()

    return run


def _settings(config: dict[str, Any]) -> Any:
    from mtp_plugin.config import Settings

    return Settings.read(config)


def steps(folder: Path, config: dict[str, Any], options: argparse.Namespace) -> dict[str, float]:
    """Least microseconds of processor time an event took in each step; ``commit`` is look-up, fold and write."""
    state, least = mounted(folder, config), dict[str, float]()
    sender = Sender(kind="server", consent=ConsentLevel.FULL, key=KEY)
    fold, window = state.pipeline.folding(state.pipeline.live.get().table), 48 * 3600.0

    def timed_step(name: str, run: Callable[[Any], Any], given: Any) -> Any:
        began = time.process_time()
        result = run(given)
        took = (time.process_time() - began) / (GROUP * BATCH) * 1e6
        least[name] = round(min(took, least.get(name, took)), 1)
        return result

    def parse(some: Sequence[bytes]) -> list[Any]:
        return [state.intake.segment("batch", body, sender, time.time()) for body in some]

    def make_rows(parsed: Sequence[Any]) -> list[Batch]:
        return [Batch(one.events, fold, window) for one in parsed]

    todo = bodies(options.events, options.visitors)
    for at in range(0, len(todo) - GROUP, GROUP):
        parsed = timed_step("parse", parse, todo[at : at + GROUP])
        group = timed_step("rows", make_rows, parsed)
        assert timed_step("commit", state.journal._commit_group, group) == [None] * GROUP
    state.close()
    least["all"] = round(sum(least.values()), 1)
    return least


# ------------------------------------------------------------------------------------------------ HTTP


def over_http(server: str, folder: Path, config: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Send batches to a server's process, and the same bodies to a bare route of the same application."""
    mounted(folder, config).close()
    (folder / "shop.py").write_text(SHOP.format(folder=str(folder), config=config))
    sent = bodies(options.http_events, options.visitors)
    with serving(server, folder, workers=options.workers, threads=options.threads) as running:

        def measure(path: str, some: Sequence[bytes]) -> dict[str, float]:
            cpu, count = running.cpu(), len(some) * BATCH
            seconds = send_all(running.port, [request(path, body) for body in some], options.connections)
            return {
                "events_per_s": round(count / seconds),
                "cpu_us": round((running.cpu() - cpu) / count * 1e6, 1),
            }

        send_all(running.port, [request("/mtp/v1/batch", body) for body in bodies(BATCH * 20, 50)], 4)
        ours, floor = measure("/mtp/v1/batch", sent), measure("/bare", sent)
    return {"path": ours, "floor": floor, "ratio": round(ours["events_per_s"] / floor["events_per_s"], 3)}


def request(path: str, body: bytes) -> bytes:
    key = b64encode(f"{KEY}:".encode()).decode()
    head = f"POST {path} HTTP/1.1\r\nHost: shop\r\nAuthorization: Basic {key}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


# ------------------------------------------------------------------------------------------------- all


def databases(options: argparse.Namespace) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Each database with what gives the settings of an empty one."""
    keys = {"MTP_SECRET_KEYS": [KEY]}
    if "sqlite" in options.databases:
        yield "sqlite", lambda: dict(keys)
    if "postgres" in options.databases:
        from tests.servers import PostgresServer, postgres_programs

        programs = postgres_programs()
        if programs is None:
            say("PostgreSQL is not installed, skipped: apt-get install postgresql")
            return
        say("starting PostgreSQL, with fsync")
        server = PostgresServer(programs, fsync="on", shared_buffers="256MB", max_wal_size="4GB")
        try:
            yield "postgres", lambda: {**keys, "MTP_DATABASE_URL": emptied(server.url("postgres"))}
        finally:
            server.close()


def emptied(url: str) -> str:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return url


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000, help="events in process (default %(default)s)")
    parser.add_argument("--http-events", type=int, default=5_000, help="events over HTTP (default %(default)s)")
    parser.add_argument("--visitors", type=int, default=5_000, help="visitors they are of (default %(default)s)")
    parser.add_argument("--threads", type=int, default=16, help="threads of a process (default %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes of a server (default %(default)s)")
    parser.add_argument("--connections", type=int, default=32, help="of the HTTP client (default %(default)s)")
    parser.add_argument("--databases", nargs="+", choices=("sqlite", "postgres"), default=("sqlite", "postgres"))
    parser.add_argument("--servers", nargs="*", choices=SERVERS, default=SERVERS)
    options = parser.parse_args()
    options.events -= options.events % BATCH
    options.http_events -= options.http_events % BATCH
    return options


def main() -> None:
    options = read_options()
    figures: dict[str, Any] = {}
    for name, fresh in databases(options):
        say(f"{name}: in process")
        with tempfile.TemporaryDirectory() as folder:
            figures[name] = {"in_process": in_process(Path(folder), fresh(), options)}
        with tempfile.TemporaryDirectory() as folder:
            figures[name]["steps_us"] = steps(Path(folder), fresh(), options)
        for server in options.servers:
            say(f"{name}: {server}")
            with tempfile.TemporaryDirectory() as folder:
                figures[name][server] = over_http(server, Path(folder), fresh(), options)
    sizes = {name: value for name, value in vars(options).items() if name not in ("databases", "servers")}
    print(json.dumps({"benchmark": "events", "batch": BATCH, **sizes, **figures}))


if __name__ == "__main__":
    main()
