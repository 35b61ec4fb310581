"""A server killed with -9 while it accepts events: every event it answered for is there afterwards, and only once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import requests

from mtp_plugin.config import Settings
from mtp_plugin.store.open import open_stores

SHOP = """
from flask import Flask
from mtp_plugin import MTP
app = Flask("shop", instance_path={folder!r})
app.secret_key = "tests only, but long enough"
app.config.update({config!r})
MTP(app)
"""
KEY = "sk_crash"
KILLS = 3
BATCH = 20


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_what_was_answered_survives(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    config: dict[str, object] = {"MTP_SECRET_KEYS": [KEY]}
    if database == "postgres":
        config["MTP_DATABASE_URL"] = request.getfixturevalue("postgres_url")
    (tmp_path / "shop.py").write_text(SHOP.format(folder=str(tmp_path), config=config))
    answered: list[str] = []
    for round_ in range(KILLS):
        send_until_killed(tmp_path, round_, answered)
    stores = open_stores(Settings.read(config), str(tmp_path))
    try:
        stored = Counter(event.message_id for batch in stores.journal.scan() for event in batch)
        profile = stores.journal.profiles(["u:ada"])[0]
    finally:
        stores.close()
    assert len(answered) >= KILLS * BATCH
    assert set(answered) <= stored.keys(), "an event that was answered for is lost"
    assert set(stored.values()) == {1}, "an event counted twice"
    assert profile is not None
    assert profile.events == sum(stored.values()), "the profile has seen what the journal holds"


def send_until_killed(folder: Path, round_: int, answered: list[str]) -> None:
    """Start the shop, send batches and repeat each one unanswered, kill it in the middle of one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["-k", "gthread", "-w", "1", "--threads", "4", "-b", f"127.0.0.1:{port}"]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *options, "shop:app"],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(port)
        kill_after = time.monotonic() + 0.5 + 0.2 * round_
        batch = 0
        while True:
            ids = [f"{round_}-{batch}-{place}" for place in range(BATCH)]
            if time.monotonic() > kill_after:
                threading.Timer(0.001 * (round_ + 1), os.killpg, (server.pid, signal.SIGKILL)).start()
                kill_after = float("inf")
            try:
                answer = requests.post(
                    f"http://127.0.0.1:{port}/mtp/v1/batch", json=body(ids), auth=(KEY, ""), timeout=10
                )
            except requests.RequestException:
                return
            assert answer.json()["accepted"] == BATCH, answer.text
            answered += ids
            batch += 1
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def body(ids: list[str]) -> dict[str, object]:
    call = {"type": "track", "event": "Product Viewed", "userId": "ada", "properties": {"product_id": "p1"}}
    return {"batch": [{**call, "messageId": name} for name in ids]}


def wait_for(port: int) -> None:
    for _ in range(300):
        try:
            if requests.get(f"http://127.0.0.1:{port}/mtp/health/live", timeout=1).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise AssertionError("the shop did not start")
