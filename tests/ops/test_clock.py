"""A real shop whose clock is set, an hour back or a day forward: nobody is forgotten, nothing is counted twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from mtp_plugin import Product
from mtp_plugin.config import Settings
from mtp_plugin.store.open import open_stores

from ..core.shops import BROWSER
from ..servers import free_port, wait_until

WINDOW_S = 48 * 3600
"""Of de-duplication, by default; the time of the test begins half an hour after one ended."""
KEY = "sk_clock"
ROOT = Path(__file__).parents[2]
SHOP = """
from flask import Flask, render_template_string
from mtp_plugin import MTP
app = Flask("shop", instance_path={folder!r}, root_path={folder!r})
app.secret_key = "tests only, but long enough"
app.config.update(MTP_LATENCY_BUDGET_MS=10_000, MTP_SECRET_KEYS=[{key!r}])
MTP(app)

@app.get("/")
def page():
    return render_template_string("{{{{ mtp_block('recently-viewed') }}}}{{{{ mtp_block('home-hero') }}}}")
"""


CLOCK = """
import time

real = time.time


def set_clock():
    with open({file!r}) as offset:
        return real() + float(offset.read())


time.time = set_clock
"""
"""Is imported by each process of the shop before anything else: its clock is ahead by what the file says now."""


class Clocked:
    """A shop whose processes have a clock of their own, and one browser."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._file, port = folder, folder / "offset", free_port()
        self.offset = WINDOW_S - time.time() % WINDOW_S + 1800
        self.set(0)
        (folder / "sitecustomize.py").write_text(CLOCK.format(file=str(self._file)))
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}
        self.url = f"http://127.0.0.1:{port}"
        words = ["-m", "gunicorn", "-k", "gthread", "--threads", "4", "-b", f"127.0.0.1:{port}", "shop:app"]
        with (folder / "log").open("wb") as log:
            self.server = subprocess.Popen([sys.executable, *words], cwd=folder, stderr=log, env=self._environment)
        self.browser = requests.Session()
        self.browser.headers.update(BROWSER | {"Origin": self.url})

    def set(self, seconds: float) -> None:
        """Set the clock by so much."""
        self.offset += seconds
        new = self._file.with_suffix(".new")
        new.write_text(str(self.offset))
        new.replace(self._file)  # nobody reads half of it

    def shown(self) -> str:
        """The page as this browser gets it."""
        answer = self.browser.get(f"{self.url}/", timeout=60)
        assert answer.status_code == 200
        return answer.text.partition('data-mtp-placement="home-hero"')[0]

    def post(self, path: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
        answer = self.browser.post(f"{self.url}/mtp/v1/{path}", json=body, timeout=60, **more)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def view(self, product: str) -> None:
        """Look at a product, told twice."""
        called = {"event": "Product Viewed", "messageId": f"m-{product}", "properties": {"product_id": product}}
        for _ in range(2):
            assert self.post("track", called)["accepted"] == 1

    def jobs(self) -> list[str]:
        """The jobs that are due now, and run."""
        words = [sys.executable, "-m", "flask", "--app", "shop", "mtp", "jobs", "run-due", "--json"]
        done = subprocess.run(
            words, cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False
        )
        told: list[str] = [run["name"] for run in json.loads(done.stdout)["ran"]]
        return told


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Clocked]:
    stores = open_stores(Settings(latency_budget_ms=10_000), str(tmp_path))
    stores.catalog_store.import_products(
        [Product(product_id=f"p{n}", title=f"Cup {n}", price=5.0, stock=9, url=f"/p/{n}") for n in range(20)],
        hide_missing=True,
    )
    stores.close()
    (tmp_path / "shop.py").write_text(SHOP.format(folder=str(tmp_path), key=KEY))
    clocked = Clocked(tmp_path)
    try:
        wait_until(lambda: _answers(clocked), "an answer of the shop")
        yield clocked
    finally:
        clocked.server.terminate()
        clocked.server.wait()


def _answers(clocked: Clocked) -> bool:
    try:
        return requests.get(f"{clocked.url}/mtp/health/live", timeout=60).status_code == 200
    except requests.RequestException:
        return False


def count(folder: Path) -> int:
    stores = open_stores(Settings(), str(folder))
    found = stores.journal.count()
    stores.close()
    return found


@pytest.mark.parametrize("hours", [-1, 24])
def test_the_clock_is_set(shop: Clocked, tmp_path: Path, hours: int) -> None:
    shop.post("privacy/consent", {"choice": True})
    shop.view("p1")
    who = shop.browser.cookies["mtp_visitor"].split(".")[0]
    assert "/p/1" in shop.shown()
    ran = shop.jobs()
    assert {"feedback", "kpi", "retention"} <= set(ran)
    stores = open_stores(Settings(), str(tmp_path))
    stores.leases._clock = lambda: time.time() + shop.offset  # type: ignore[attr-defined]
    assert stores.leases.acquire("feedback", "a worker that died", 60)
    stores.close()

    shop.set(3600 * hours)
    assert "/p/1" in shop.shown(), "the visitor is known all the same"
    shop.view("p1")
    shop.view("p2")
    shown = shop.shown()
    assert "/p/1" in shown
    assert "/p/2" in shown
    assert shop.browser.cookies["mtp_visitor"].split(".")[0] == who
    assert count(tmp_path) == 2, "what came before is recognised"
    assert {"feedback", "kpi"} <= set(shop.jobs()), "neither a lease nor a run of another time keeps them"
