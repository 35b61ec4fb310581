"""The parts of ``chaos.py``: servers, proxies, workers and a shop, and what can go wrong with them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _chaos_load import KEY, PRODUCTS, look_at

sys.path.append(str(Path(__file__).parents[1]))

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

def timed(answer, began):
    answer.headers["X-Began"], answer.headers["X-Took"] = str(began), str(time.monotonic() - began)
    return answer

@app.get("/")
def page():
    global usual
    began, worked = time.monotonic(), time.thread_time()
    answer = timed(make_response(render_template_string(PAGE)), began)
    usual += (time.thread_time() - worked - usual) / 16
    return answer

@app.get("/plain")
def plain():
    began, end = time.monotonic(), time.thread_time() + usual
    while time.thread_time() < end:
        sum(range(100))
    return timed(make_response("nothing of the plugin"), began)
"""
"""The page of three blocks, and one that works as long (processor time) and asks nobody: the floor."""


class Parts:
    """The servers, the proxies before two of them, and the shop on top."""

    def __init__(self, folder: Path, streamed: bool) -> None:
        from mtp_plugin.bus.open import open_bus
        from mtp_plugin.config import Settings
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
        self.stream = RedisServer(binary) if streamed else None
        if self.stream:
            config["MTP_STREAM_URL"] = self.stream.url
        self.folder, self.config = folder, config
        _fill(self.direct, folder)
        (folder / "shop.py").write_text(SHOP.format(folder=str(folder), config=config), encoding="utf-8")
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        options = ["-k", "gthread", "-w", "2", "--threads", "4", "-b", f"127.0.0.1:{port}", "-t", "120"]
        with (folder / "log").open("wb") as log:
            self.web = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", *options, "shop:app"], cwd=folder, stderr=log, start_new_session=True
            )
        wait_until(lambda: all(look_at(f"{self.url}/", 0).block for _ in range(20)), "pages of both workers")
        self.recorders = [self.recorder() for _ in range(2)] if streamed else []
        if self.stream:
            bus = open_bus(Settings(stream_url=self.stream.url), lambda events: [])
            wait_until(lambda: getattr(bus.lag(), "workers", 0) == len(self.recorders), "workers at the stream")
            bus.close()

    def recorder(self) -> subprocess.Popen[bytes]:
        """A worker of the stream."""
        words = [sys.executable, "-m", "flask", "--app", "shop", "mtp", "worker", "--take-over", "2"]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(words, cwd=self.folder, stdout=log, stderr=log)

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
        for recorder in self.recorders:
            recorder.kill()
            recorder.wait()
        for part in (self.to_postgres, self.to_redis, self.postgres, self.redis, self.stream):
            if part is not None:
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

    def kill_recorder() -> None:
        victim = parts.recorders.pop(dice.randrange(len(parts.recorders)))
        victim.kill()
        victim.wait()
        parts.recorders.append(parts.recorder())
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

    own = {"worker of the stream killed": kill_recorder} if parts.recorders else {}
    return own | {
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


def outages(parts: Parts, seconds: float) -> dict[str, Callable[[], None]]:
    """PostgreSQL away for long, stopped and out of reach."""

    def stopped() -> None:
        parts.postgres.stop()
        time.sleep(seconds)
        parts.postgres.start()

    def unreachable() -> None:
        parts.to_postgres.open.clear()
        time.sleep(seconds)
        parts.to_postgres.open.set()

    return {f"PostgreSQL stopped for {seconds:g} s": stopped, f"PostgreSQL out of reach for {seconds:g} s": unreachable}
