"""Workers killed with -9 at any moment: nothing of the stream is lost, nothing is there twice, the profiles agree."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from mtp_plugin.bus.open import open_bus
from mtp_plugin.config import Settings
from mtp_plugin.errors import UnavailableError
from mtp_plugin.store.open import open_stores
from tests.contract.events import make_event
from tests.servers import PostgresServer, wait_until

SHOP = """
from flask import Flask
from mtp_plugin import MTP
app = Flask("shop", instance_path={folder!r})
app.secret_key = "tests only, but long enough"
app.config.update({config!r})
mtp = MTP(app)
"""
DIES = """
import os, signal
app.extensions["mtp"].people.observe = lambda events, now: os.kill(os.getpid(), signal.SIGKILL)
"""
"""Ends the process after the commit, before anybody is linked."""
KILLS = 5
EVENTS = 6000
VISITORS = 37


def start_worker(folder: Path, *options: str) -> subprocess.Popen[str]:
    """A worker that has begun."""
    words = [sys.executable, "-m", "flask", "--app", "shop", "mtp", "worker", "--take-over", "0.3", *options]
    worker = subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert worker.stderr is not None
    while "began" not in (line := worker.stderr.readline()):
        assert line, "the worker ended before it began"
    return worker


def end(worker: subprocess.Popen[str], how: int) -> str:
    worker.send_signal(how)
    return worker.communicate()[0]


@pytest.mark.redis
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_counts_are_right_whatever_happens_to_workers(
    database: str, tmp_path: Path, redis_url: str, request: pytest.FixtureRequest
) -> None:
    config: dict[str, object] = {"MTP_STREAM_URL": redis_url}
    if database == "postgres":
        config["MTP_DATABASE_URL"] = request.getfixturevalue("postgres_url")
    (tmp_path / "shop.py").write_text(SHOP.format(folder=str(tmp_path), config=config))
    settings, chance = Settings.read(config), random.Random(11)
    stores, bus = open_stores(settings, str(tmp_path)), open_bus(settings, lambda events: [])
    try:
        events = [make_event(number, f"u:{number % VISITORS}") for number in range(EVENTS)]
        workers = [start_worker(tmp_path) for _ in range(2)]
        for part in range(KILLS):
            for start in range(part * EVENTS // KILLS, (part + 1) * EVENTS // KILLS, 20):
                bus.publish(events[start : start + 20])
                if chance.random() < 0.1:
                    bus.publish(events[start : start + 20])  # a sender that got no answer
            victim = workers.pop(chance.randrange(2))
            time.sleep(chance.uniform(0.0, 0.2))  # any moment will do: it is at work all the time
            end(victim, signal.SIGKILL)
            workers.append(start_worker(tmp_path))
        wait_until(lambda: getattr(bus.lag(), "entries", 1) == 0, "recording all")
        told = [end(worker, signal.SIGTERM) for worker in workers]
        assert all("events recorded" in text for text in told), "they end as asked"

        stored = Counter(event.dedupe_key for some in stores.journal.scan() for event in some)
        assert set(stored) == {event.dedupe_key for event in events}
        assert set(stored.values()) == {1}
        profiles = stores.journal.profiles([f"u:{number}" for number in range(VISITORS)])
        assert sum(profile.events for profile in profiles if profile) == EVENTS
        lag = bus.lag()
        assert lag is not None
        assert (lag.events, lag.taken, lag.dead) == (0, 0, 0)
    finally:
        for worker in workers:
            if worker.poll() is None:
                os.kill(worker.pid, signal.SIGKILL)
                worker.communicate()
        stores.close()
        bus.close()


@pytest.mark.redis
@pytest.mark.postgres
def test_a_database_that_is_away_costs_nothing_but_time(
    tmp_path: Path, redis_url: str, mortal_postgres: PostgresServer
) -> None:
    config = {"MTP_STREAM_URL": redis_url, "MTP_DATABASE_URL": mortal_postgres.url("postgres")}
    (tmp_path / "shop.py").write_text(SHOP.format(folder=str(tmp_path), config=config))
    settings = Settings.read(config)
    stores, bus = open_stores(settings, str(tmp_path)), open_bus(settings, lambda events: [])
    worker = start_worker(tmp_path)
    try:
        bus.publish([make_event(number) for number in range(50)])
        wait_until(lambda: stores.journal.count() == 50, "recording the first")
        mortal_postgres.stop()
        bus.publish([make_event(number) for number in range(50, 90)])
        with pytest.raises(UnavailableError):
            stores.journal.count()
        mortal_postgres.start()
        wait_until(lambda: getattr(bus.lag(), "entries", 1) == 0, "recording the rest")
        end(worker, signal.SIGTERM)
        assert worker.returncode == 0
    finally:
        if worker.poll() is None:
            end(worker, signal.SIGKILL)
        bus.close()
    wait_until(lambda: counted(settings, tmp_path) == 90, "the database to answer again")
    stores.close()


@pytest.mark.redis
def test_who_dies_between_commit_and_links_leaves_them_to_the_next(tmp_path: Path, redis_url: str) -> None:
    config = {"MTP_STREAM_URL": redis_url}
    shop = SHOP.format(folder=str(tmp_path), config=config)
    settings = Settings.read(config)
    stores, bus = open_stores(settings, str(tmp_path)), open_bus(settings, lambda events: [])
    bus.publish([make_event(1, "u:ada", user_id="ada", anonymous_id="b1")])
    (tmp_path / "shop.py").write_text(shop + DIES)
    words = [sys.executable, "-m", "flask", "--app", "shop", "mtp", "worker", "--take-over", "0.3", "--until-empty"]
    assert subprocess.run(words, cwd=tmp_path, capture_output=True, check=False).returncode == -signal.SIGKILL
    assert stores.journal.count() == 1
    assert stores.identity.cluster("u:ada") == ("u:ada",)
    (tmp_path / "shop.py").write_text(shop)
    worker = start_worker(tmp_path)
    wait_until(lambda: getattr(bus.lag(), "entries", 1) == 0, "taking over")
    end(worker, signal.SIGTERM)
    assert stores.identity.cluster("u:ada") == ("a:b1", "u:ada")
    assert stores.journal.count() == 1
    stores.close()
    bus.close()


def counted(settings: Settings, folder: Path) -> int:
    stores = open_stores(settings, str(folder))
    try:
        return stores.journal.count()
    except UnavailableError:
        return -1
    finally:
        stores.close()
