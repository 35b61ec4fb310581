"""A shop under load while its parts are killed, stopped, slowed down and cut off; afterwards everything is counted.

Prints one JSON object. Real parts: gunicorn with two workers, PostgreSQL (``fsync`` on), Redis for copies and cache,
each behind a TCP proxy that can be slow, hold everything back or break connections. Senders put batches of events of
known visitors to ``v1/batch`` until each is answered for, in any order, and some of them again; readers ask as such a
visitor for a page with three blocks. Faults come one after the other, in an order drawn from the seed, with calm
between.

- ``events``: ``lost`` were answered for and are not in the database, ``twice`` are there more than once;
  ``profiles_wrong`` do not hold as many events as the database has of their visitor; ``copies_wrong`` are those that
  Redis has otherwise.
- ``pages``: by the fault at the time of asking. ``broken`` are connections that a killed process took with it (a proxy
  before two machines would ask the other one), ``not_200`` must be 0, ``without_block`` have no block at all,
  ``with_own`` have the visitor's own past. ``page_ms`` is what the reader waited, ``floor_ms`` what the same reader
  waited, just before or after, for a page that works as long and asks nobody; ``late_ms`` the difference, and ``late``
  how many were later by more than the latency budget. ``blocks_ms`` is what the shop's own code measured around its
  three blocks.

Client, web, Redis and PostgreSQL share the machine's cores; ``load`` is its load average before.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import requests

sys.path.append(str(Path(__file__).parents[1]))

KEY, VISITORS, BATCH, PRODUCTS = "sk_chaos", 50, 10, 200
BUDGET_S = 0.05
"""The default of ``MTP_LATENCY_BUDGET_MS``."""
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140", "Sec-Fetch-Site": "same-origin"}
"""Without it readers are taken for robots, of whom nothing is known."""
SHOP = """
import time
from flask import Flask, make_response, render_template_string, request
from mtp_plugin import MTP
app = Flask("shop", instance_path={folder!r})
app.secret_key = "of the benchmark, and long enough"
app.config.update({config!r})
mtp = MTP(app)
mtp.user_loader(lambda: request.args.get("user"))
PAGE = "{{{{ mtp_block('home-hero') }}}}{{{{ mtp_block('home-trending') }}}}{{{{ mtp_block('recently-viewed') }}}}"
usual = 0.003

@app.get("/")
def page():
    global usual
    began, worked = time.perf_counter(), time.thread_time()
    answer = make_response(render_template_string(PAGE))
    answer.headers["X-Took"] = str(time.perf_counter() - began)
    usual += (time.thread_time() - worked - usual) / 16
    return answer

@app.get("/plain")
def plain():
    began, end = time.perf_counter(), time.thread_time() + usual
    while time.thread_time() < end:
        sum(range(100))
    answer = make_response("nothing of the plugin")
    answer.headers["X-Took"] = str(time.perf_counter() - began)
    return answer
"""
"""The page of three blocks, and one that works as long (processor time) and asks nobody: the floor."""


class Page(NamedTuple):
    """What a reader saw: ``status`` is 0 for a broken connection, ``made`` what the shop's own code measured.

    ``floor`` is what the page that asks nobody took, just before or just after, whichever took longer.
    """

    status: int
    block: bool
    own: bool
    seconds: float
    made: float
    floor: float = 0.0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Parts:
    """The servers, the proxies before two of them, and the shop on top."""

    def __init__(self, folder: Path) -> None:
        from tests.servers import PostgresServer, RedisServer, free_port, postgres_programs, redis_binary, wait_until
        from tests.slow_proxy import SlowProxy

        programs, binary = postgres_programs(), redis_binary()
        if programs is None or binary is None:
            raise SystemExit("PostgreSQL and Redis must be installed: sh deploy/system.sh")
        self.postgres = PostgresServer(programs, fsync="on")
        self.redis = RedisServer(binary)
        self.to_postgres, self.to_redis = SlowProxy(self.postgres.port), SlowProxy(self.redis.port)
        self.direct = self.postgres.url("postgres")
        config = {
            "MTP_SECRET_KEYS": [KEY],
            "MTP_REGIME": "opt-out",
            "MTP_RATE_LIMIT": "100000 per second",
            "MTP_DATABASE_URL": self.direct.replace(str(self.postgres.port), str(self.to_postgres.port)),
            "MTP_REDIS_URL": self.redis.url.replace(str(self.redis.port), str(self.to_redis.port)),
        }
        _fill(self.direct, folder)
        (folder / "shop.py").write_text(SHOP.format(folder=str(folder), config=config), encoding="utf-8")
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        options = ["-k", "gthread", "-w", "2", "--threads", "4", "-b", f"127.0.0.1:{port}", "-t", "120"]
        with (folder / "log").open("wb") as log:
            self.web = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", *options, "shop:app"], cwd=folder, stderr=log, start_new_session=True
            )
        wait_until(lambda: _page(f"{self.url}/", 0).status == 200, "a page of the shop")

    def workers(self) -> list[int]:
        """The processes that answer."""
        told = Path(f"/proc/{self.web.pid}/task/{self.web.pid}/children").read_text(encoding="ascii")
        return [int(pid) for pid in told.split()]

    def signal_postgres(self, number: int) -> None:
        """To all of its processes."""
        parent = self.postgres._process._pid
        for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split():
            os.kill(int(pid), number)
        os.kill(parent, number)

    def close(self) -> None:
        os.killpg(self.web.pid, signal.SIGKILL)
        self.web.wait()
        for part in (self.to_postgres, self.to_redis, self.postgres, self.redis):
            part.close()


def _fill(url: str, folder: Path) -> None:
    from mtp_plugin import Product
    from mtp_plugin.config import Settings
    from mtp_plugin.store.open import open_stores

    stores = open_stores(Settings(database_url=url, latency_budget_ms=10_000), str(folder))
    kinds = ("Cup", "Lamp", "Box", "Rug")
    stores.catalog_store.import_products(
        [
            Product(
                product_id=f"p{n}", title=f"{kinds[n % 4]} {n}", category_path=(kinds[n % 4],), price=5.0 + n, stock=9
            )
            for n in range(PRODUCTS)
        ],
        hide_missing=True,
    )
    stores.close()


def faults(parts: Parts, dice: random.Random, long_s: float) -> dict[str, Callable[[], None]]:
    """What can go wrong, each a function that is over when it is."""

    def last() -> None:
        time.sleep(dice.uniform(0.5, 1.0) * long_s)

    def kill_web() -> None:
        os.kill(dice.choice(parts.workers()), signal.SIGKILL)
        last()

    def kill_redis() -> None:
        parts.redis.kill()
        last()
        parts.redis.start()

    def stop_postgres() -> None:
        parts.postgres.stop()
        last()
        parts.postgres.start()

    def freeze_postgres() -> None:
        parts.signal_postgres(signal.SIGSTOP)
        last()
        parts.signal_postgres(signal.SIGCONT)

    def slow(proxy: Any) -> Callable[[], None]:
        def run() -> None:
            proxy.delay = 0.2
            last()
            proxy.delay = 0.0

        return run

    def held(proxy: Any) -> Callable[[], None]:
        def run() -> None:
            proxy.open.clear()
            last()
            proxy.open.set()

        return run

    def broken() -> None:
        for proxy in (parts.to_redis, parts.to_postgres):
            proxy.cut()
        last()

    return {
        "web worker killed": kill_web,
        "Redis killed, back empty": kill_redis,
        "Redis 200 ms late": slow(parts.to_redis),
        "Redis cut off": held(parts.to_redis),
        "PostgreSQL crashed": stop_postgres,
        "PostgreSQL frozen": freeze_postgres,
        "PostgreSQL 200 ms late": slow(parts.to_postgres),
        "PostgreSQL cut off": held(parts.to_postgres),
        "connections broken": broken,
    }


class Load:
    """Senders and readers, and what they saw."""

    def __init__(self, url: str) -> None:
        self.url, self.now, self.ended, self.calm = url, "calm", threading.Event(), threading.Event()
        self.answered: set[str] = set()
        self.sent: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.pages: dict[str, list[Page]] = defaultdict(list)
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(3)]
        self._threads += [threading.Thread(target=self._read, args=(number,)) for number in range(2)]
        for thread in self._threads:
            thread.start()

    def _send(self, worker: int) -> None:
        """Batches that are not answered for wait and come again in any order; one in five of the others comes twice."""
        dice, number = random.Random(worker), 0
        waiting: list[list[dict[str, Any]]] = []
        while not self.ended.is_set() or (waiting and not self.calm.is_set()):
            if not self.ended.is_set():
                waiting.append([_event(f"{worker}-{number}-{place}", dice) for place in range(BATCH)])
                number += 1
            batch = waiting.pop(dice.randrange(len(waiting)))
            if not self._deliver(batch):
                waiting.append(batch)
            elif dice.random() < 0.2:
                self._deliver(dice.sample(batch, len(batch)))
            time.sleep(0.05)

    def _deliver(self, batch: list[dict[str, Any]]) -> bool:
        ids = [event["messageId"] for event in batch]
        self.sent.update(ids)
        try:
            answer = requests.post(f"{self.url}/mtp/v1/batch", json={"batch": batch}, auth=(KEY, ""), timeout=60)
        except requests.RequestException:
            self.refused["no answer"] += 1
            return False
        if answer.status_code != 200 or answer.json()["accepted"] != len(batch):
            self.refused[str(answer.status_code)] += 1
            return False
        self.answered.update(ids)
        return True

    def _read(self, worker: int) -> None:
        dice = random.Random(100 + worker)
        before = _page(f"{self.url}/plain", 0)
        while not self.ended.is_set():
            fault = self.now
            page = _page(f"{self.url}/", dice.randrange(VISITORS))
            after = _page(f"{self.url}/plain", 0)
            self.pages[fault].append(page._replace(floor=max(before.seconds, after.seconds)))
            before = after
            time.sleep(0.02)

    def end(self) -> None:
        """Let what waits be sent, for a minute at most."""
        self.ended.set()
        threading.Timer(60.0, self.calm.set).start()
        for thread in self._threads:
            thread.join()


def _event(name: str, dice: random.Random) -> dict[str, Any]:
    shown = {"product_id": f"p{dice.randrange(PRODUCTS)}"}
    user = f"v{dice.randrange(VISITORS)}"
    return {"type": "track", "event": "Product Viewed", "messageId": name, "userId": user, "properties": shown}


def _page(url: str, visitor: int) -> Page:
    began = time.monotonic()
    try:
        answer = requests.get(f"{url}?user=v{visitor}", headers=BROWSER, timeout=120)
    except requests.RequestException:
        return Page(0, False, False, time.monotonic() - began, 0.0)
    text, took, made = answer.text, time.monotonic() - began, float(answer.headers.get("X-Took", 0))
    return Page(
        answer.status_code, "data-mtp-slate" in text, 'data-mtp-placement="recently-viewed"' in text, took, made
    )


def spread(seconds: list[float]) -> dict[str, float]:
    """Milliseconds: the median, 99 of 100, 999 of 1,000, the worst."""
    parts = np.percentile([1000 * one for one in seconds] or [0.0], [50, 99, 99.9, 100])
    return dict(zip(("p50", "p99", "p999", "max"), (round(float(part), 1) for part in parts), strict=True))


def told(pages: list[Page]) -> dict[str, Any]:
    """What readers saw under one fault."""
    whole = [page for page in pages if page.status]
    return {
        "asked": len(pages),
        "broken": len(pages) - len(whole),
        "not_200": sum(page.status != 200 for page in whole),
        "without_block": sum(not page.block for page in whole),
        "with_own": sum(page.own for page in whole),
        "page_ms": spread([page.seconds for page in whole]),
        "floor_ms": spread([page.floor for page in whole]),
        "blocks_ms": spread([page.made for page in whole]),
        "late": sum(page.seconds - page.floor > BUDGET_S for page in whole),
        "late_ms": spread([page.seconds - page.floor for page in whole]),
    }


def count(parts: Parts, load: Load, folder: Path) -> dict[str, Any]:
    """Everything that was answered for, in the database and in the profiles."""
    from mtp_plugin.config import Settings
    from mtp_plugin.store.open import open_stores

    patient = {"database_url": parts.direct, "latency_budget_ms": 10_000}
    bare = open_stores(Settings(**patient), str(folder))
    copied = open_stores(Settings(**patient, redis_url=parts.redis.url), str(folder))
    stored: Counter[str] = Counter()
    of_visitor: Counter[str] = Counter()
    for batch in bare.journal.scan():
        stored.update(event.message_id for event in batch)
        of_visitor.update(event.profile_id for event in batch)
    names = sorted(of_visitor)
    profiles, copies = bare.journal.profiles(names), copied.journal.profiles(names)
    found = {
        "sent": len(load.sent),
        "sent_again": sum(load.sent.values()) - len(load.sent),
        "answered_for": len(load.answered),
        "lost": len(load.answered - stored.keys()),
        "twice": sum(number > 1 for number in stored.values()),
        "profiles": len(names),
        "profiles_wrong": sum(
            profile is None or profile.events != of_visitor[name] for name, profile in zip(names, profiles, strict=True)
        ),
        "copies_wrong": sum(one != other for one, other in zip(profiles, copies, strict=True)),
        "refusals": dict(load.refused),
    }
    for stores in (bare, copied):
        stores.close()
    return found


def run(seconds: float, seed: int) -> dict[str, Any]:
    """The whole of it."""
    dice, before = random.Random(seed), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="mtp-chaos-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        parts = Parts(folder)
        try:
            load, happened = Load(parts.url), Counter[str]()
            known = faults(parts, dice, long_s=min(10.0, seconds / 20))
            end, waiting = time.monotonic() + seconds, list[str]()
            while time.monotonic() < end:
                waiting = waiting or dice.sample(sorted(known), len(known))
                load.now = waiting.pop()
                happened[load.now] += 1
                say(load.now)
                known[load.now]()
                load.now = "calm"
                time.sleep(min(3.0, seconds / 40))
            load.end()
            events = count(parts, load, folder)
        finally:
            parts.close()
    pages = {fault: told(load.pages[fault]) for fault in ["calm", *sorted(happened)] if load.pages[fault]}
    return {
        "seconds": seconds,
        "seed": seed,
        "load": round(before, 1),
        "faults": dict(sorted(happened.items())),
        "events": events,
        "pages": pages,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(json.dumps(run(options.seconds, options.seed), indent=2))
