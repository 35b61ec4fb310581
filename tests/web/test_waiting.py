"""What the thread of a visitor waits for while stores are away: never longer than the budget, and never to connect."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis.connection import Connection

from mtp_plugin.store.bounded_connection import BoundedConnection
from mtp_plugin.store.engine import PAGE_GRACE_S

from ..servers import wait_until
from ..slow_proxy import SlowProxy
from .shop import Shop

pytestmark = [pytest.mark.postgres, pytest.mark.redis]
Make = Callable[..., Shop]
BUDGET_S = 0.5


class Waits:
    """What the thread of the visitor does to servers: the longest silence it would bear, and what it connects to."""

    def __init__(self) -> None:
        self.longest = 0.0
        self.connected: list[str] = []

    def note(self, seconds: float | None) -> None:
        if threading.current_thread() is threading.main_thread():
            self.longest = max(self.longest, float("inf") if seconds is None else seconds)

    def connects(self, what: str) -> None:
        if threading.current_thread() is threading.main_thread():
            self.connected.append(what)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    noted = Waits()
    wait, connect, of_redis = BoundedConnection.wait, BoundedConnection.connect.__func__, Connection._connect  # type: ignore[attr-defined]
    read = Connection.read_response

    def waited(self: BoundedConnection, *args: Any, **named: Any) -> Any:
        noted.note(self.patience)
        return wait(self, *args, **named)

    def connected(cls: type, *args: Any, **named: Any) -> Any:
        noted.connects("PostgreSQL")
        return connect(cls, *args, **named)

    def connected_to_redis(self: Connection) -> Any:
        noted.connects("Redis")
        return of_redis(self)

    def read_of_redis(self: Connection, *args: Any, **named: Any) -> Any:
        noted.note(self._sock.gettimeout())
        return read(self, *args, **named)

    monkeypatch.setattr(BoundedConnection, "wait", waited)
    monkeypatch.setattr(BoundedConnection, "connect", classmethod(connected))
    monkeypatch.setattr(Connection, "_connect", connected_to_redis)
    monkeypatch.setattr(Connection, "read_response", read_of_redis)
    return noted


@pytest.fixture
def proxies(postgres_url: str, redis_url: str) -> Iterator[dict[str, SlowProxy]]:
    ports = (int(re.search(r":(\d+)/", url).group(1)) for url in (postgres_url, redis_url))  # type: ignore[union-attr]
    between = dict(zip(("postgres", "redis"), map(SlowProxy, ports), strict=True))
    yield between
    for proxy in between.values():
        proxy.close()


@pytest.fixture
def config(postgres_url: str, redis_url: str, proxies: dict[str, SlowProxy]) -> dict[str, Any]:
    return {
        "database_url": re.sub(r":\d+/", f":{proxies['postgres'].port}/", postgres_url),
        "redis_url": re.sub(r":\d+/", f":{proxies['redis'].port}/", redis_url),
        "latency_budget_ms": 1000 * BUDGET_S,
    }


def hold(proxy: SlowProxy) -> None:
    proxy.open.clear()


def cut(proxy: SlowProxy) -> None:
    proxy.refuses = True
    proxy.cut()


def mend(proxy: SlowProxy) -> None:
    proxy.refuses = False
    proxy.open.set()


@pytest.mark.parametrize("fault", [hold, cut])
@pytest.mark.parametrize("away", [("postgres",), ("redis",), ("postgres", "redis")])
def test_pages_bear_no_longer_silence_than_the_budget_and_do_not_connect(
    make_shop: Make,
    config: dict[str, Any],
    proxies: dict[str, SlowProxy],
    waits: Waits,
    away: tuple[str, ...],
    fault: Callable[[SlowProxy], None],
) -> None:
    shop = make_shop(**config)
    browser = shop.browser().agree()
    browser.view("p001")
    wait_until(lambda: "p001" in browser.get("/").text, "a page with the visitor's own")
    for name in away:
        fault(proxies[name])
    waits.longest, waits.connected = 0.0, []
    for number in range(12):
        for cached in (shop.state.placements._lookout, shop.state.subjects.suppressed._lookout):  # type: ignore[attr-defined]
            cached._due = float("-inf")  # time to look again
        if not number % 3:  # the other way than by copies
            shop.state.people.identity._copies.forget(("u:ada",))  # type: ignore[attr-defined]
            browser.get("/sign-in/ada" if number % 2 else "/")
        page = browser.get("/")
        assert page.status_code == 200
        assert 'data-mtp-placement="home-hero"' in page.text
    for name in away:
        mend(proxies[name])
    assert waits.longest <= BUDGET_S + PAGE_GRACE_S
    assert not waits.connected
    wait_until(lambda: "p001" in browser.get("/").text, "the return of all")


def test_a_process_that_starts_while_all_is_away_answers_and_waits_for_nothing(
    make_shop: Make, config: dict[str, Any], proxies: dict[str, SlowProxy], waits: Waits
) -> None:
    make_shop(**config)  # fills the database
    for proxy in proxies.values():
        cut(proxy)
    shop = make_shop(**config, mount=False)
    shop.mtp.init_app(shop.app)
    waits.longest, waits.connected = 0.0, []
    browser = shop.browser()
    for _ in range(5):
        assert browser.get("/").status_code == 200
    assert waits.longest <= BUDGET_S + PAGE_GRACE_S
    assert not waits.connected
    for proxy in proxies.values():
        mend(proxy)
    wait_until(lambda: 'data-mtp-placement="home-hero"' in browser.get("/").text, "a block")
