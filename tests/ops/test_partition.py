"""The shop in a network of its own, whose line to PostgreSQL and Redis goes dead: packets vanish, nobody is told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from mtp_plugin import Product
from mtp_plugin.config import Settings
from mtp_plugin.store.open import open_stores

from ..core.shops import BROWSER
from ..servers import PostgresServer, RedisServer, missing, wait_until
from ..slow_proxy import SlowProxy

pytestmark = [pytest.mark.postgres, pytest.mark.redis]
KEY = "sk_partition"
SPACE = f"mtp-{os.getpid()}"
LINES = {"front": "10.213.77", "back": "10.213.78"}
"""Two lines: visitors come by the one, the stores are behind the other."""
SHOP = """
from flask import Flask, render_template_string, request
from mtp_plugin import MTP
app = Flask("shop", instance_path={folder!r})
app.secret_key = "of the tests, and long enough"
app.config.update({config!r})
mtp = MTP(app)
mtp.user_loader(lambda: request.args.get("user"))

@app.get("/")
def page():
    return render_template_string("{{{{ mtp_block('recently-viewed') }}}}{{{{ mtp_block('home-trending') }}}}")
"""


def ip(*words: str) -> bool:
    try:
        return subprocess.run(["ip", *words], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def name_of(line: str, end: int) -> str:
    return f"m{line[0]}{end}{os.getpid() % 1_000_000}"


@pytest.fixture
def space() -> Iterator[str]:
    """A network namespace with both lines; ends them."""
    try:
        if os.geteuid() or not ip("netns", "add", SPACE):
            missing("there are no network namespaces here: run as root, with iproute2")
        for line, network in LINES.items():
            here, there = name_of(line, 0), name_of(line, 1)
            assert ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", SPACE)
            assert ip("addr", "add", f"{network}.1/30", "dev", here)
            assert ip("link", "set", here, "up")
            assert ip("-n", SPACE, "addr", "add", f"{network}.2/30", "dev", there)
            assert ip("-n", SPACE, "link", "set", there, "up")
        yield SPACE
    finally:
        for line in LINES:
            ip("link", "del", name_of(line, 0))
        ip("netns", "del", SPACE)


class Shop:
    """The shop in its namespace, as visitors and servers meet it."""

    def __init__(self, space: str, folder: Path, config: dict[str, Any]) -> None:
        folder.joinpath("shop.py").write_text(SHOP.format(folder=str(folder), config=config), encoding="utf-8")
        self.url = f"http://{LINES['front']}.2:8000"
        options = ["-k", "gthread", "-w", "1", "--threads", "4", "-b", f"{LINES['front']}.2:8000", "-t", "120"]
        self._log = (folder / "log").open("wb")
        self.server = subprocess.Popen(
            ["ip", "netns", "exec", space, sys.executable, "-m", "gunicorn", *options, "shop:app"],
            cwd=folder, stderr=self._log, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def page(self) -> str:
        try:
            answer = requests.get(f"{self.url}/?user=ada", headers=BROWSER, timeout=60)
        except requests.RequestException:
            return ""
        assert answer.status_code == 200
        return answer.text

    def send(self, number: int) -> int:
        event = {"type": "track", "event": "Product Viewed", "messageId": f"m{number}", "userId": "ada"}
        body = {"batch": [{**event, "properties": {"product_id": "p1"}}]}
        return requests.post(f"{self.url}/mtp/v1/batch", json=body, auth=(KEY, ""), timeout=60).status_code

    def close(self) -> None:
        self.server.terminate()
        self.server.wait()
        self._log.close()


def test_pages_are_answered_and_nothing_is_lost(
    space: str, mortal_postgres: PostgresServer, mortal_redis: RedisServer, tmp_path: Path
) -> None:
    direct = Settings(database_url=mortal_postgres.url("postgres"), latency_budget_ms=10_000)
    stores = open_stores(direct, str(tmp_path))
    stores.catalog_store.import_products(
        [Product(product_id=f"p{number}", title=f"Cup {number}", price=5.0, stock=9) for number in range(30)],
        hide_missing=True,
    )
    host = f"{LINES['back']}.1"
    doors = [SlowProxy(server.port, host) for server in (mortal_postgres, mortal_redis)]
    config = {
        "MTP_SECRET_KEYS": [KEY],
        "MTP_REGIME": "opt-out",
        "MTP_LATENCY_BUDGET_MS": 500,
        "MTP_DATABASE_URL": f"postgresql://mtp@{host}:{doors[0].port}/postgres",
        "MTP_REDIS_URL": f"redis://{host}:{doors[1].port}/0",
    }
    shop = Shop(space, tmp_path, config)
    try:
        wait_until(lambda: "home-trending" in shop.page(), "a page")
        wait_until(lambda: shop.send(0) == 200, "an event that is kept")
        wait_until(lambda: "recently-viewed" in shop.page(), "a page with the visitor's own")
        answered = {"m0"}
        assert ip("link", "set", name_of("back", 0), "down")
        refused = [shop.send(number) for number in range(1, 4)]
        pages = [shop.page() for _ in range(10)]
        assert refused == [503] * 3
        assert all("home-trending" in page for page in pages)
        assert ip("link", "set", name_of("back", 0), "up")
        for number in range(1, 4):
            wait_until(lambda number=number: shop.send(number) == 200, "the event sent again")
            answered.add(f"m{number}")
        wait_until(lambda: "recently-viewed" in shop.page(), "the visitor's own is back")
    finally:
        shop.close()
        for door in doors:
            door.close()
    stored = Counter(event.message_id for batch in stores.journal.scan() for event in batch)
    profile = stores.journal.profiles(["u:ada"])[0]
    stores.close()
    assert dict(stored) == dict.fromkeys(answered, 1)
    assert profile is not None
    assert profile.events == len(answered)
