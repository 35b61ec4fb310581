"""How often one may ask, and who is counted together."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.config import Settings
from mtp_plugin.errors import SettingError
from mtp_plugin.web.limits import PAUSE_S, Limits, RateLimitedError
from mtp_plugin.web.windows import WindowStorage

from .shop import SECRET, Shop

URL = "/mtp/v1/recommendations?placement=home-hero"


def test_one_too_many(make_shop: Callable[..., Shop]) -> None:
    client = make_shop(rate_limit="3 per hour").app.test_client()
    assert [client.get(URL).status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = client.get(URL)
    assert answer.get_json()["error"]["code"] == "rate-limited"
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    for free in ("/mtp/health/live", "/mtp/widget.js", "/mtp/openapi.json", "/"):
        assert client.get(free).status_code == 200


def test_visitors_count_apart_and_dropping_cookies_does_not_help(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(rate_limit="3 per hour", regime="opt-out")
    ada, ben = shop.browser(), shop.browser()
    for browser in (ada, ben):
        browser.get("/")
    assert [ada.get(URL).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert ben.get(URL).status_code == 200
    assert [shop.browser().get(URL).status_code for _ in range(4)] == [200, 200, 200, 429]


def test_servers_are_not_counted(make_shop: Callable[..., Shop]) -> None:
    client = make_shop(rate_limit="1 per hour").app.test_client()
    headers = {"Authorization": f"Bearer {SECRET}"}
    assert {client.get(URL, headers=headers).status_code for _ in range(5)} == {200}


def test_several_limits(make_shop: Callable[..., Shop]) -> None:
    client = make_shop(rate_limit="100 per hour; 2 per day").app.test_client()
    assert [client.get(URL).status_code for _ in range(3)] == [200, 200, 429]


def test_a_limit_that_cannot_be_read_stops_the_start() -> None:
    with pytest.raises(SettingError, match=r"MTP_RATE_LIMIT.*600 per minute"):
        Limits(Settings(rate_limit="often"))


def test_a_shops_own_limiter_is_let_be(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(mount=False, rate_limit="3 per hour")
    Limiter(get_remote_address, app=shop.app, default_limits=["2 per hour"], storage_uri="memory://")
    shop.mtp.init_app(shop.app)
    client = shop.app.test_client()
    assert [client.get("/plain").status_code for _ in range(3)] == [200, 200, 429]
    assert shop.app.extensions["limiter"]


def test_redis_that_is_away_counts_here() -> None:
    limits = Limits(Settings(rate_limit="2 per hour", redis_url="redis://127.0.0.1:1/0"))
    limits.hit("a")
    limits.hit("a")
    with pytest.raises(RateLimitedError):
        limits.hit("a")


def test_redis_that_hangs_is_asked_once_and_again_after_a_pause(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        limits = Limits(Settings(rate_limit="5 per hour", redis_url=f"redis://127.0.0.1:{silent.getsockname()[1]}/0"))
        for _ in range(5):
            limits.hit("a")
        with pytest.raises(RateLimitedError):
            limits.hit("a")
        assert len(caplog.records) == 1
        later = time.monotonic() + PAUSE_S + 60
        monkeypatch.setattr("mtp_plugin.web.limits.time.monotonic", lambda: later)
        for who in "bcd":
            limits.hit(who)
        assert len(caplog.records) == 2


class TestWindowStorage:
    @given(hits=st.lists(st.sampled_from("abc"), max_size=60))
    def test_it_counts(self, hits: list[str]) -> None:
        storage = WindowStorage()
        for place, key in enumerate(hits):
            assert storage.incr(key, 3600) == hits[: place + 1].count(key)
        for key in "abc":
            assert storage.get(key) == hits.count(key)

    def test_a_window_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = time.monotonic()
        storage = WindowStorage()
        storage.incr("a", 10)
        assert storage.get_expiry("a") == pytest.approx(time.time() + 10, abs=5)
        monkeypatch.setattr(time, "monotonic", lambda: now + 20)
        assert storage.get("a") == 0
        assert storage.incr("a", 10) == 1

    def test_memory_is_bounded(self) -> None:
        storage = WindowStorage(most=10)
        for number in range(1000):
            storage.incr(str(number), 3600)
        assert storage.reset() <= 10
        with pytest.raises(ValueError, match="most must be at least 1"):
            WindowStorage(most=0)

    def test_forgetting(self) -> None:
        storage = WindowStorage()
        storage.incr("a", 3600, 5)
        storage.clear("a")
        assert (storage.get("a"), storage.check()) == (0, True)


@pytest.mark.parametrize(("budget_ms", "seconds"), [(20.0, 0.02), (5000.0, 0.25)])
def test_it_waits_for_redis_no_longer_than_a_page_may(budget_ms: float, seconds: float) -> None:
    limits = Limits(Settings(redis_url="redis://127.0.0.1:1/0", latency_budget_ms=budget_ms))
    pool = limits._limiter.storage.storage.connection_pool  # type: ignore[union-attr, attr-defined]
    assert pool.connection_kwargs["socket_timeout"] == pool.connection_kwargs["socket_connect_timeout"] == seconds
