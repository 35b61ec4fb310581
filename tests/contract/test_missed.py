"""A write that Redis could not be told of, while somebody else already renews what Redis missed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from mtp_plugin.config import Settings
from mtp_plugin.records import Event, Profile
from mtp_plugin.store.breaker import Breaker
from mtp_plugin.store.open import open_stores
from mtp_plugin.store.redis_client import open_redis
from mtp_plugin.store.redis_journal import RedisJournal
from mtp_plugin.store.redis_state import RedisState

from .events import make_event, note, noted


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.redis
@pytest.mark.parametrize("erased", [False, True])
def test_the_copy_of_a_write_that_began_without_redis_is_not_trusted(
    tmp_path: Path, redis_url: str, erased: bool
) -> None:
    stores, clock = open_stores(Settings(latency_budget_ms=10_000), str(tmp_path)), Clock()
    breaker = Breaker("Redis", clock=clock)
    journal = RedisJournal(stores.journal, RedisState(open_redis(redis_url, 10_000)), breaker)  # type: ignore[arg-type]
    journal.record([make_event(1)], note)
    assert noted(journal.profiles(["a:1"])[0]) == ["a:1|1"]

    def renewed_meanwhile() -> None:
        """Redis is back before what began without it is committed, and others read."""
        clock.now += 60
        assert journal.profiles(["a:2"]) == [None]
        assert not breaker.failing

    def fold(profile: Profile | None, events: Sequence[Event]) -> Profile:
        renewed_meanwhile()
        return note(profile, events)

    breaker.failed(ConnectionError("away"))
    if erased:
        erase = stores.journal.erase_all  # type: ignore[attr-defined]

        def late(profile_id: str, *, stale: bool) -> tuple[int, int]:
            renewed_meanwhile()
            found: tuple[int, int] = erase(profile_id, stale=stale)
            return found

        stores.journal.erase_all = late  # type: ignore[attr-defined]
        journal.erase("a:1")
        assert journal.profiles(["a:1"]) == [None]
    else:
        journal.record([make_event(2)], fold)
        assert noted(journal.profiles(["a:1"])[0]) == ["a:1|1", "a:1|2"]
    stores.close()
