"""An event that was acknowledged survives ``kill -9``, and is there once."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from mtp_plugin.config import Settings
from mtp_plugin.store.open import Stores
from tests.servers import kill

from .conftest import REAL
from .events import make_event, note, noted

ROOT = Path(__file__).parents[2]
KILLS = 4


@pytest.fixture(params=REAL)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _accept_and_kill(folder: Path, settings: Settings, number: int, chance: random.Random) -> list[str]:
    """What a child acknowledged before it was killed."""
    command = [sys.executable, "-m", "tests.contract.child", "accept", str(folder), "30000", str(number)]
    config = msgspec.json.encode({"database_url": settings.database_url, "redis_url": settings.redis_url}).decode()
    child = subprocess.Popen([*command, config], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    lines = [child.stdout.readline()]
    time.sleep(chance.uniform(0.0, 0.4))  # any moment will do: the child is at work all the time
    kill(child)
    lines += child.stdout.readlines()
    child.stdout.close()
    # A line that was cut short was not acknowledged.
    return [key for line in lines if line.endswith("\n") for key in line.split()]


def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(
    kind: str, settings: Settings, stores: Stores, tmp_path: Path
) -> None:
    chance = random.Random(7)
    acknowledged: list[str] = []
    for number in range(KILLS):
        acknowledged += _accept_and_kill(tmp_path / "instance", settings, number, chance)
    assert len(acknowledged) >= 3 * KILLS

    stored = Counter(event.dedupe_key for some in stores.journal.scan() for event in some)
    assert set(acknowledged) <= set(stored)
    assert set(stored.values()) == {1}
    for profile_id in (f"a:{n}" for n in range(4)):
        events = [event.dedupe_key for event in stores.journal.events_of(profile_id)]
        assert noted(stores.journal.profiles([profile_id])[0]) == events


def test_what_was_not_acknowledged_can_be_sent_again(
    kind: str, settings: Settings, stores: Stores, tmp_path: Path
) -> None:
    _accept_and_kill(tmp_path / "instance", settings, 0, random.Random(8))
    batches = [[make_event(step * 3 + k, f"a:{(step + k) % 4}") for k in range(3)] for step in range(400)]
    for batch in batches:
        answers = stores.journal.record(batch, note)
        assert len(set(answers)) == 1, "a batch is recorded whole or not at all"
    stored = Counter(event.dedupe_key for some in stores.journal.scan() for event in some)
    assert {event.dedupe_key for batch in batches for event in batch} <= set(stored)
    assert set(stored.values()) == {1}
