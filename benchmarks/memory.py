"""What profiles and a worker take: bytes of encoded profiles, megabytes of a process. Prints one JSON object.

``python benchmarks/memory.py`` takes about a minute; ``--products 1000000`` is the long run. Profiles are folded from
made-up visits by the code that serves, then encoded as SQLite and Redis keep them, and a SQLite file of them is
measured. The worker is a fresh process that opens a trained shop and answers visitors; the floor is a fresh process
with Flask and a route. Kernels are compiled before, as on any machine that ran once.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"  # before numpy: a thread has buffers of its own

sys.path.append(str(Path(__file__).parents[1]))

DAY_S = 86_400.0
NOW = 1_750_000_000.0
LIMITS = {"million_profiles_mb": 800, "worker_with_50000_products_beyond_flask_mb": 250}


def status_mb() -> dict[str, float]:
    """Memory of this process in megabytes: its own, that of mapped files, and the most it ever had of both."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    found = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.endswith(" kB")}
    names = {"own": "RssAnon", "mapped_files": "RssFile", "peak": "VmHWM"}
    return {name: round(found[field], 1) for name, field in names.items()}


def profiles(count: int, products: int) -> dict[str, Any]:
    """Sizes of profiles: half came once, a few very often."""
    import msgspec
    from _history import product

    from mtp_plugin.catalog.table import build_table
    from mtp_plugin.config import Settings
    from mtp_plugin.profile.fold import Fold
    from mtp_plugin.store.rows import packed, profile_bytes
    from mtp_plugin.track.imported import imported_event
    from mtp_plugin.track.products import products_of

    chance, table = random.Random(3), build_table(map(product, range(products)), 1)
    fold, bodies = Fold(Settings()), []
    for visitor in range(count):
        events, visits = [], min(40, int(chance.paretovariate(1.1)))
        for visit in range(visits):
            moment, kind = NOW - (visits - visit) * 9 * DAY_S * chance.random(), chance.randrange(10)
            for step in range(1 + int(chance.expovariate(1 / 3.5))):
                bought = chance.random() < 0.05
                name = "Order Completed" if bought else "Product Viewed"
                one = {"product_id": f"p{chance.randrange(products // 10) * 10 + kind}", "price": 20.0}
                named = {"order_id": f"o{visitor}-{visit}-{step}", "products": [one]} if bought else one
                events.append(
                    imported_event(
                        name, key=f"{visitor}-{visit}-{step}", timestamp=moment + 60.0 * step,
                        anonymous_id=f"{chance.getrandbits(128):032x}", products=products_of(name, named),
                        properties={"order_id": named["order_id"]} if bought else {},
                    )
                )  # fmt: skip
        profile = fold(None, tuple(sorted(events, key=lambda event: event.timestamp)), table.facts)
        profile = msgspec.structs.replace(profile, profile_id=f"a:{chance.getrandbits(128):032x}")
        bodies.append((profile.profile_id, len(events), profile_bytes(profile)))
    sizes = [len(body) for _, _, body in bodies]
    copies = [len(packed(body)) for _, _, body in bodies]
    return {
        "profiles": count,
        "encoded_bytes": {
            "mean": round(statistics.mean(sizes)),
            **{f"p{share}": statistics.quantiles(sizes, n=100)[share - 1] for share in (50, 90, 99)},
        },
        "million_encoded_mb": round(statistics.mean(sizes), 1),
        "million_in_sqlite_mb": round(_table_bytes(bodies) / count, 1),
        "million_packed_for_redis_mb": round(statistics.mean(copies), 1),
        "million_in_redis_mb": _redis_bytes(bodies),
    }


def _redis_bytes(bodies: list[tuple[str, int, bytes]]) -> dict[str, float]:
    """What a copy of a profile takes of a real server's memory, keys and all; nothing where there is no server."""
    from redis import Redis

    from mtp_plugin.store.batch import Stored
    from mtp_plugin.store.redis_state import RedisState
    from tests.servers import RedisServer, redis_binary

    binary = redis_binary()
    if not binary:
        print("no Redis or Valkey found: copies are not measured", file=sys.stderr)
        return {}
    found = {}
    for setting, longest in (("as_it_comes", 64), ("with_hash_max_listpack_value_4096", 4096)):
        server = RedisServer(binary)  # one of its own for each: a server that was emptied frees memory when it likes
        try:
            client = Redis.from_url(server.url)
            client.config_set("hash-max-listpack-value", longest)
            before = client.info("memory")["used_memory"]
            RedisState(client).fill({name: (Stored(number, body), []) for name, number, body in bodies})
            found[setting] = round((client.info("memory")["used_memory"] - before) / len(bodies), 1)
            client.close()
        finally:
            server.close()
    return found


def _table_bytes(bodies: list[tuple[str, int, bytes]]) -> int:
    """Size of a SQLite file with the profiles alone, in the plugin's own table."""
    from mtp_plugin.store.database import Database

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profiles.sqlite"
        database = Database(f"sqlite:///{path}", 1000.0)
        database.engine.dispose()
        empty = path.stat().st_size
        with sqlite3.connect(path) as connection:
            connection.executemany("INSERT INTO mtp_profile VALUES (?, ?, ?)", bodies)
        connection.close()
        return path.stat().st_size - empty


def shop(folder: Path, products: int, rows: int) -> None:
    """A database with a catalogue, and trained models."""
    from _history import catalogue, history
    from flask import Flask

    from mtp_plugin import MTP
    from mtp_plugin.candidates.train import train, train_content

    app = Flask("shop", instance_path=str(folder))
    app.secret_key = "benchmarks only, and long enough"
    MTP(app)
    state = app.extensions["mtp"]
    table = catalogue(products)
    state.catalog_store.import_products(table.products, hide_missing=True)
    content = train_content(table)
    state.registry.publish("content", content.arrays, content.strings, content.meta)
    learnt = train(history(rows, products), table=None)
    state.registry.publish("behaviour", learnt.arrays, learnt.strings, learnt.meta)
    state.close()


def worker_child(folder: Path) -> dict[str, Any]:
    """Memory of a worker after it answered visitors."""
    from flask import Flask

    from mtp_plugin import MTP

    app = Flask("shop", instance_path=str(folder))
    app.secret_key = "benchmarks only, and long enough"
    app.config.update(MTP_REGIME="opt-out", MTP_RATE_LIMIT="1000000 per second", MTP_LATENCY_BUDGET_MS=5000)
    MTP(app)
    mounted = status_mb()
    state = app.extensions["mtp"]
    serving = state.pipeline.live.get()
    opened = status_mb()
    headers = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140", "Sec-Fetch-Site": "same-origin"}
    products = len(serving.table)
    for visitor in range(200):
        client = app.test_client()
        for step in range(3):
            seen = {"event": "Product Viewed", "properties": {"product_id": f"p{(visitor * 37 + step) % products}"}}
            assert client.post("/mtp/v1/track", json=seen, headers=headers).status_code == 200
        answer = client.get("/mtp/v1/recommendations?placement=home-hero", headers=headers).json
        assert answer["items"], answer
    return {"products": products, "mounted": mounted, "opened": opened, "served": status_mb()}


def flask_child(folder: Path) -> dict[str, Any]:
    """Memory of a worker that has Flask and nothing else."""
    from flask import Flask, jsonify

    app = Flask("bare")
    app.add_url_rule("/", "home", lambda: jsonify(items=[]))
    for _ in range(200):
        app.test_client().get("/")
    return status_mb()


def numba_child(folder: Path) -> dict[str, Any]:
    """Memory of a process that has numpy and numba and nothing else."""
    import numba

    assert numba.njit
    return status_mb()


CHILDREN = {"worker": worker_child, "flask": flask_child, "numba": numba_child}


def child(what: str, folder: Path) -> Any:
    """What *what* answers from a fresh process."""
    print(f"-- {what}", file=sys.stderr)
    command = [sys.executable, __file__, "--child", what, "--folder", str(folder)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def main() -> None:
    """Make profiles and a shop, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=50_000)
    parser.add_argument("--rows", type=int, default=300_000, help="of the history that the shop is trained on")
    parser.add_argument("--profiles", type=int, default=5_000)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--child", choices=CHILDREN, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(CHILDREN[given.child](given.folder)))
        return
    print("folding profiles", file=sys.stderr)
    result: dict[str, Any] = {"benchmark": "memory", "limits": LIMITS}
    result["profiles"] = profiles(given.profiles, min(given.products, 50_000))
    with tempfile.TemporaryDirectory() as name:
        print("training a shop", file=sys.stderr)
        shop(Path(name), given.products, given.rows)
        child("worker", Path(name))  # compiles
        result["worker_mb"] = child("worker", Path(name))
        result["flask_mb"], result["numba_mb"] = child("flask", Path(name)), child("numba", Path(name))
    beyond = result["worker_mb"]["served"]["own"] - result["flask_mb"]["own"]
    result["worker_beyond_flask_mb"] = round(beyond, 1)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
