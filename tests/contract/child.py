"""A worker process of its own: ``python -m tests.contract.child record|learn|... FOLDER COUNT NUMBER CONFIG``."""

from __future__ import annotations

import os
import signal
import sys

import msgspec

from mtp_plugin.config import Settings
from mtp_plugin.ports import Advance, BanditSum, Journal
from mtp_plugin.store.open import Stores, open_stores
from mtp_plugin.store.redis_journal import RedisJournal

from .events import make_event, note


def record(journal: Journal, number: int, count: int) -> None:
    """Record *count* events of one visitor that others record, too."""
    for step in range(count):
        assert journal.record([make_event(number * 100_000 + step)], note) == [True]


def accept(journal: Journal, number: int, count: int) -> None:
    """Record batches until killed; each that is acknowledged is said on stdout, line by line."""
    for step in range(count):
        batch = [make_event(number * 100_000 + step * 3 + k, f"a:{(step + k) % 4}") for k in range(3)]
        journal.record(batch, note)
        sys.stdout.write(" ".join(event.dedupe_key for event in batch) + "\n")
        sys.stdout.flush()


def die_after_commit(journal: Journal, number: int, count: int) -> None:
    """Record one event and be killed after its commit, before the copy of the profile is renewed."""
    assert isinstance(journal, RedisJournal)

    def die(profiles: object, token: str) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    journal._state.publish = die  # type: ignore[method-assign]
    journal.record([make_event(number)], note)


def learn(stores: Stores, count: int) -> None:
    """Add so many, one after the other, among others who do the same; each that is acknowledged is said on stdout."""
    while count:
        before = stores.cursors.get("bandit:hero")
        after = str(int(before or 0) + 1)
        step = Advance("bandit:hero", before, after)
        if stores.bandits.add([BanditSum("hero", "", "a", 1, 0, 1.0)], advance=step):
            count -= 1
            sys.stdout.write(f"{after}\n")
            sys.stdout.flush()


def main(job: str, folder: str, count: str, number: str, config: str) -> None:
    """Run one job on the stores that *config* asks for."""
    settings = Settings(**msgspec.json.decode(config), latency_budget_ms=5000)
    stores = open_stores(settings, folder)
    if job == "learn":
        return learn(stores, int(count))
    {"record": record, "accept": accept, "die-after-commit": die_after_commit}[job](
        stores.journal, int(number), int(count)
    )
    stores.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
