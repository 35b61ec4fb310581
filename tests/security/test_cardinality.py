"""A hundred thousand made-up ids of every kind: memory, labels, keys and rows stay within bounds that are known."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from mtp_plugin.config import Settings
from mtp_plugin.filters import MOST_BYTES, FilterMasks
from mtp_plugin.profile.enrich.browser import BrowserEnricher
from mtp_plugin.records import Event, EventProduct, ProductTable, Signals
from mtp_plugin.track.bots import _found, is_bot
from mtp_plugin.track.identifiers import dedupe_key, time_ordered_id
from mtp_plugin.track.limits import kept_name
from mtp_plugin.web.context import _locale
from mtp_plugin.web.cookies import REMEMBERED, Cookies
from mtp_plugin.web.limits import Limits
from mtp_plugin.web.windows import MOST_KEYS

from ..web.shop import BLOG, PUBLIC, SECRET, Shop, build_shop

MANY = 100_000
MEGABYTE = 1_000_000


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = build_shop(tmp_path, regime="opt-out")
    yield shop
    shop.state.close()


def grown(do: Callable[[], object]) -> int:
    """Bytes that Python holds after something more than before it."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        do()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return after - before


def test_addresses_and_visitors_that_are_counted() -> None:
    limits = Limits(Settings())

    def flood() -> None:
        for number in range(MANY + MANY // 2):
            limits.hit(f"visitor:{number:032x}")

    # Two small objects and a key of 60 characters each: about 300 bytes.
    assert grown(flood) < MOST_KEYS * 400
    assert len(limits._windows._windows) <= MOST_KEYS


def test_cookies_user_agents_and_languages_that_are_remembered() -> None:
    cookies = Cookies(Settings(), ["a key of the tests"])

    def flood() -> None:
        for number in range(MANY // 5):
            cookies.visitor_id(f"{number:032x}.AAAA.{'x' * 900}")
            cookies.decision(f"{number}.{'x' * 900}")
            cookies.visitor_id(f"{number}{'x' * 8000}")

    assert grown(flood) < REMEMBERED * 2 * 1500
    assert cookies._stamped.cache_info().currsize <= REMEMBERED

    def more() -> None:
        for number in range(100):
            is_bot(f"Mozilla/5.0 {number} {'x' * 8000}")
        for number in range(20_000):
            _locale(f"de-{number}")
            kept_name(f"trait {number}")

    assert grown(more) < 10 * MEGABYTE
    assert _found.cache_info().maxsize == 4096


def test_user_agents_that_are_read() -> None:
    enricher = BrowserEnricher()

    def flood() -> None:
        for number in range(6000):
            agent = f"Mozilla/5.0 (X11; {number}) {'x' * 8000}"
            enricher.enrich(Signals(at=1.0, user_agent=agent, host=""), {})

    assert grown(flood) < 20 * MEGABYTE


def test_filters_that_anybody_may_send(shop: Shop) -> None:
    masks, table = FilterMasks(), shop.state.pipeline.live.get().table
    for number in range(5000):
        masks.mask({"brand": f"b{number}", "price": {"$lt": number}}, table, 1.0)
    assert len(masks._masks) <= 256
    # As many products as make a mask of a megabyte: all masks together hold no more than they may.
    for number in range(300):
        masks._keep((b"%d" % number, 1, -1), np.zeros(MEGABYTE, dtype=np.bool_))
    assert sum(mask.nbytes for mask in masks._masks.values()) <= MOST_BYTES
    assert isinstance(table, ProductTable)


def events(start: int, count: int) -> list[Event]:
    """Of one visitor, with everything in them made up."""
    now = time.time() - MANY + start
    made = []
    for number in range(start, start + count):
        name = ("Product Viewed", "Product Added", "Products Searched", f"Made up {number}")[number % 4]
        product = EventProduct(product_id=f"made-up-{number}", quantity=1, price=float(number))
        at = now + number - start
        made.append(
            Event(
                event_id=time_ordered_id(at),
                name=name,
                profile_id="a:1",
                anonymous_id="1",
                timestamp=at,
                received_at=at,
                dedupe_key=dedupe_key("browser", "a:1", str(number)),
                source="browser",
                products=(product,) if number % 4 < 2 else (),
                properties={"query": f"word{number}", "category": f"Made > Up {number}", f"key{number}": number},
                traits={f"trait{number}": number} if number % 50 == 0 else {},
            )
        )
    return made


def test_the_profile_of_a_visitor_who_makes_everything_up(shop: Shop) -> None:
    sizes = []
    for start in range(0, MANY, 2000):
        shop.state.pipeline.ingest(events(start, 2000))
        if start % 20_000 == 0:
            (profile,) = shop.state.journal.profiles(["a:1"])
            sizes.append(len(msgspec.msgpack.encode(profile)))
    assert shop.state.journal.count() == MANY
    assert max(sizes) < 64_000, sizes
    assert sizes[-1] < 2 * sizes[0], sizes  # the first is of 2,000 events, the last of 100,000


def series(shop: Shop) -> set[str]:
    text = shop.app.test_client().get("/mtp/metrics", headers={"Authorization": f"Bearer {SECRET}"}).text
    return {line.rpartition(" ")[0] for line in text.splitlines() if line and not line.startswith("#")}


def test_labels_of_metrics(shop: Shop) -> None:
    client = shop.app.test_client()

    def flood(start: int, count: int) -> None:
        for number in range(start, start + count):
            body = {
                "event": f"Made up {number}",
                "properties": {"product_id": f"x{number}"},
                "anonymousId": f"v{number}",
            }
            client.get(f"/mtp/v1/blocks/made-up-{number}")
            client.get(f"/mtp/v1/recommendations?placement=home-hero&segment_id=s{number}&product_ids=p{number}")
            client.post("/mtp/v1/track", json=body, headers={"Sec-Fetch-Site": "same-origin"})
            client.get(f"/mtp/made/up/{number}")
            consent = {"choice": bool(number % 2), "source": f"manager-{number}"}
            client.post("/mtp/v1/privacy/consent", json=consent, headers={"Origin": "http://localhost"})
            with shop.app.test_request_context("/"):
                shop.app.jinja_env.from_string("{{ mtp_block(name) }}").render(name=f"made-up-{number}")

    flood(0, 20)
    series(shop)  # which counts itself
    before = series(shop)
    flood(20, 300)
    assert series(shop) == before


def test_strangers_leave_no_rows(shop: Shop, tmp_path: Path) -> None:
    other = build_shop(tmp_path / "other")
    client = other.app.test_client()
    before = other.state.journal.last_number()
    for number in range(1000):
        body = {
            "batch": [{"type": "track", "event": f"e{number}", "anonymousId": f"v{number}-{one}"} for one in range(100)]
        }
        assert client.post("/mtp/v1/batch", json=body).get_json()["accepted"] == 0
    assert other.state.journal.last_number() == before
    assert not any(other.state.journal.profiles([f"a:v{number}-0" for number in range(100)]))
    other.state.close()


def test_guessing_keys_is_counted(tmp_path: Path) -> None:
    shop = build_shop(tmp_path, rate_limit="5 per hour")
    client = shop.app.test_client()
    for path in ("/mtp/v1/rules", "/mtp/metrics"):
        statuses = [client.get(path, headers={"Authorization": f"Bearer guess{one}"}).status_code for one in range(7)]
        assert statuses[-1] == 429, path
        assert client.get(path, headers={"Authorization": f"Bearer {SECRET}"}).status_code == 200
    shop.state.close()


def test_a_public_key_has_a_limit_of_its_own(tmp_path: Path) -> None:
    shop = build_shop(tmp_path, key_rate_limit="3 per hour")
    headers = {"Origin": BLOG, "Authorization": f"Bearer {PUBLIC}"}
    statuses = [
        shop.app.test_client()
        .get(
            "/mtp/v1/recommendations?placement=home-hero",
            headers=headers,
            environ_base={"REMOTE_ADDR": f"10.0.0.{one}"},
        )
        .status_code
        for one in range(5)
    ]
    assert statuses == [200, 200, 200, 429, 429]
    assert shop.app.test_client().get("/mtp/v1/recommendations?placement=home-hero").status_code == 200
    shop.state.close()
