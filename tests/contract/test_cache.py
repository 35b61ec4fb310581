"""What every cache promises; and that a shared one that is gone costs nothing but misses."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import redis

from mtp_plugin.config import Settings
from mtp_plugin.ports import Cache
from mtp_plugin.store.breaker import Breaker
from mtp_plugin.store.cache import EXPIRY, FRESH, Recent, SharedCache, redis_backend
from mtp_plugin.store.memory import NoCache
from mtp_plugin.store.open import Stores
from mtp_plugin.store.redis_client import open_redis
from tests.servers import RedisServer, wait_until

from .conftest import PATIENT_MS


class Clock:
    """Time that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=("process", pytest.param("redis", marks=pytest.mark.redis)))
def cache(request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]) -> Cache:
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    return open_again(Settings(redis_url=url, latency_budget_ms=PATIENT_MS)).cache


def test_what_is_set_is_there_until_it_is_deleted(cache: Cache) -> None:
    values = [b"", b"x", bytes(range(256)) * 400, pickle.dumps("as bytes it is welcome")]
    for number, value in enumerate(values):
        cache.set(f"key {number} Ω", value, 60)
    assert [cache.get(f"key {number} Ω") for number in range(4)] == values
    cache.set("key 1 Ω", b"other", 60)
    assert cache.get("key 1 Ω") == b"other"
    cache.delete("key 1 Ω")
    cache.delete("never there")
    assert cache.get("key 1 Ω") is None
    cache.clear()
    assert cache.get("key 0 Ω") is None


def test_it_takes_bytes_only(cache: Cache) -> None:
    wrong: Any
    for wrong in ("text", 1, None, {"a": 1}):
        with pytest.raises(TypeError, match="bytes"):
            cache.set("key", wrong, 60)
    assert cache.get("key") is None


def test_nothing_is_kept_for_no_time(cache: Cache) -> None:
    cache.set("key", b"x", 0)
    cache.set("key", b"x", -1)
    assert cache.get("key") is None


def test_it_forgets_after_its_seconds(cache: Cache) -> None:
    cache.set("key", b"x", 1)
    wait_until(lambda: cache.get("key") is None, "the end of the entry")


def test_no_cache_keeps_nothing() -> None:
    cache = NoCache()
    cache.set("key", b"x", 60)
    assert cache.get("key") is None
    cache.delete("key")
    cache.clear()


# ------------------------------------------------------------------------------------- in this process


def test_the_least_recently_used_go_first() -> None:
    near = Recent(2, Clock())
    near.set("a", b"1", 10)
    near.set("b", b"2", 10)
    assert near.get("a") == b"1"
    near.set("c", b"3", 10)
    assert [near.get(key) for key in "abc"] == [b"1", None, b"3"]


def test_each_entry_has_its_time() -> None:
    clock = Clock()
    near = Recent(9, clock)
    near.set("a", b"1", 10)
    near.set("b", b"2", 20)
    clock.now += 10
    assert [near.get(key) for key in "ab"] == [None, b"2"]


def test_limits_are_checked() -> None:
    with pytest.raises(ValueError, match="limit"):
        Recent(0)
    with pytest.raises(ValueError, match="pause"):
        Breaker("x", pause=0)


# ----------------------------------------------------------------------------------------------- shared


@pytest.mark.redis
def test_workers_share_it_and_flask_cachings_backend_holds_it(redis_url: str) -> None:
    client = open_redis(redis_url, PATIENT_MS)
    one, other = SharedCache(redis_backend(client)), SharedCache(redis_backend(client))
    one.set("key", b"value", 60)
    assert other.get("key") == b"value"
    stored = client.get("mtp:cache:key")
    assert isinstance(stored, bytes)
    assert stored[EXPIRY.size :] == b"value"
    assert 0 < client.ttl("mtp:cache:key") <= 60
    client.close()


@pytest.mark.redis
def test_clear_leaves_what_is_not_the_caches(redis_url: str) -> None:
    client = open_redis(redis_url, PATIENT_MS)
    cache = SharedCache(redis_backend(client))
    client.set("the shop's", b"own")
    for number in range(2500):
        cache.set(f"{number}", b"x", 60)
    cache.clear()
    assert client.keys("*") == [b"the shop's"]
    client.close()


@pytest.mark.redis
def test_what_another_wrote_into_redis_is_never_unpickled(redis_url: str) -> None:
    client = open_redis(redis_url, PATIENT_MS)
    cache = SharedCache(redis_backend(client))
    client.set("mtp:cache:short", b"!")
    client.set("mtp:cache:evil", b"!" + pickle.dumps(print))
    assert cache.get("short") is None
    assert not callable(cache.get("evil"))
    client.close()


@pytest.mark.redis
def test_a_copy_lives_no_longer_than_the_original(redis_url: str) -> None:
    client = open_redis(redis_url, PATIENT_MS)
    cache = SharedCache(redis_backend(client))
    cache.set("key", b"x", 2)
    other = SharedCache(redis_backend(client))
    assert other.get("key") == b"x"
    expires, _ = other._near._entries["key"]
    assert expires - other._near._clock() <= min(2, FRESH)
    client.close()


@pytest.mark.redis
def test_a_server_that_dies_costs_misses_and_comes_back(
    mortal_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = open_redis(mortal_redis.url, PATIENT_MS)
    cache = SharedCache(redis_backend(client))
    cache.set("key", b"x", 60)
    mortal_redis.kill()
    with caplog.at_level(logging.WARNING, logger="mtp_plugin"):
        for number in range(200):
            cache.set(f"{number}", b"y", 60)
            assert cache.get("unknown") is None
            cache.delete("unknown")
        cache.clear()
    assert len([record for record in caplog.records if "cannot be reached" in record.message]) == 1
    cache.set("near", b"z", 60)
    assert cache.get("near") == b"z"
    mortal_redis.start()

    def back() -> bool:
        cache.set("after", b"1", 60)
        with redis.Redis.from_url(mortal_redis.url) as direct:
            return direct.exists("mtp:cache:after") == 1

    wait_until(back, "the return of the shared cache")
    client.close()


def test_the_breaker_waits_longer_each_time_and_logs_once(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    breaker = Breaker("something", pause=1, longest=3, clock=clock)
    assert breaker.closed
    with caplog.at_level(logging.WARNING, logger="mtp_plugin"):
        for pause in (1, 2, 3, 3):
            breaker.failed(OSError("no"))
            clock.now += pause - 0.01
            assert not breaker.closed
            clock.now += 0.01
            assert breaker.closed
        assert breaker.failing
        breaker.succeeded()
        breaker.succeeded()
    assert not breaker.failing
    assert [record.message.split(" can")[0] for record in caplog.records] == ["something", "something"]
