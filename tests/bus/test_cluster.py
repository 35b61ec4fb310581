"""A real cluster of three masters: the stream, copies of profiles, cache and limits work on it as on one server."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mtp_plugin.bus.open import open_bus
from mtp_plugin.bus.worker import Worker
from mtp_plugin.config import Settings
from mtp_plugin.errors import UnavailableError
from mtp_plugin.store.redis_cluster import LateCluster, addresses
from mtp_plugin.store.redis_journal import RedisJournal
from tests.contract.events import make_event, note
from tests.servers import RedisCluster
from tests.web.shop import SECRET, Shop

from .conftest import drain, send, view

pytestmark = pytest.mark.redis

Make = Callable[..., Shop]


def test_a_url_names_nodes() -> None:
    assert addresses("redis+cluster://one:7000") == ["redis://one:7000"]
    assert addresses("redis+cluster://ada:s@one:7000,two:7001") == ["redis://ada:s@one:7000", "redis://ada:s@two:7001"]


def test_a_shop_on_a_cluster(make_shop: Make, cluster_url: str, redis_cluster: RedisCluster) -> None:
    shop = make_shop(redis_url=cluster_url, stream_url=cluster_url, rate_limit="5 per hour")
    send(shop, [view(number, f"user{number % 20}") for number in range(60)])
    drain(shop)
    journal = shop.state.journal
    assert isinstance(journal, RedisJournal)
    names = [f"u:user{number}" for number in range(20)]
    assert [profile.events for profile in journal.profiles(names) if profile] == [3] * 20
    copies = journal._state.read(names)
    assert all(copy.stored is not None for copy in copies.values()), "the copies are in the cluster"
    assert journal.erase("u:user1") == 3
    assert journal.profiles(["u:user1", "u:user2"])[0] is None

    browser = shop.browser().agree()
    browser.view("p003")
    assert "p003" in browser.get("/").text
    shop.state.cache.set("key", b"value", 60)
    shop.state.cache.delete("key")
    assert shop.state.cache.get("key") is None
    address = "/mtp/v1/recommendations?placement=home-hero"
    assert [shop.app.test_client().get(address).status_code for _ in range(6)][-1] == 429
    ready = shop.app.test_client().get("/mtp/health/ready").get_json()
    assert (ready["checks"]["redis"], ready["checks"]["stream"]) == ("ok", "ok")
    assert 'mtp_stream_events{app="shop"} 0.0' in shop.app.test_client().get("/mtp/metrics", auth=(SECRET, "")).text

    from redis import Redis

    used = 0
    for node in redis_cluster.nodes:
        with Redis.from_url(node.url) as client:
            used += bool(client.dbsize())
    assert used == 3, "all masters hold a part"


def test_stream_and_dead_letters_lie_together(cluster_url: str) -> None:
    bus = open_bus(Settings(stream_url=cluster_url), lambda events: [])
    try:
        bus.publish([make_event(number) for number in range(250)])
        bus.bury(1, b"x", "why")  # type: ignore[attr-defined]
        [letter] = bus.dead_letters()  # type: ignore[attr-defined]
        assert bus.revive(letter)  # type: ignore[attr-defined]
        assert bus.erase(["a:2"]) == 0
        assert "appendonly" in bus.durability()
        tally = Worker(bus, lambda events: [True] * len(events)).run(until_empty=True)  # type: ignore[arg-type]
        assert (tally.events, tally.dead) == (250, 1)
        lag = bus.lag()
        assert lag is not None
        assert (lag.events, lag.entries, lag.dead) == (0, 0, 1)
    finally:
        bus.close()


def test_a_cluster_that_is_away_degrades(make_shop: Make) -> None:
    away = "redis+cluster://127.0.0.1:1"
    shop = make_shop(redis_url=away, stream_url=away)
    browser = shop.browser().agree()
    browser.view("p003")
    assert "p003" in browser.get("/").text
    with pytest.raises(UnavailableError, match="cannot be reached"):
        shop.state.bus.publish([make_event(1)])
    assert shop.state.journal.record([make_event(1)], note) == [True]
    LateCluster(away, 0.1).close()
