"""Answers given out again: only what would be answered now, to those of whom nothing is in it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from flask import render_template_string
from jinja2 import ChoiceLoader, DictLoader
from markupsafe import Markup

from mtp_plugin.records import Product
from mtp_plugin.signals import slate_served
from mtp_plugin.web import slates
from mtp_plugin.web.written import digest

from .shop import SECRET, Shop

HERO = '{{ mtp_block("home-hero") }}'
GPC = {"Sec-GPC": "1"}
API = "/mtp/v1/recommendations?placement=home-hero"

Make = Callable[..., Shop]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Placements for which the pipeline was asked, one entry each time."""
    names: list[str] = []

    def spy(state: Any, placement: str, *others: Any, **more: Any) -> Any:
        names.append(placement)
        return slates.slate_for(state, placement, *others, **more)

    for module in ("blocks", "recommendations"):
        monkeypatch.setattr(f"mtp_plugin.web.{module}.slate_for", spy)
    return names


def render(shop: Shop, template: str = HERO, headers: dict[str, str] = GPC, **variables: Any) -> str:
    with shop.app.test_request_context("/", headers=headers):
        return render_template_string(template, **variables)


def shown(html: str) -> list[str]:
    return re.findall(r'data-mtp-item="([^"]+)"', html)


def test_a_block_for_everybody_is_written_once(shop: Shop, asked: list[str]) -> None:
    first = render(shop)
    assert len(shown(first)) == 6
    assert render(shop) == first
    assert asked == ["home-hero"]
    assert render(shop, '{{ mtp_block("home-hero", heading_level=3) }}') != first
    assert render(shop, '{{ mtp_block("home-hero", limit=2) }}') != first
    assert render(shop, '{{ mtp_block("home-hero", exclude_ids=ids) }}', ids=shown(first)[:1]) != first


def test_levels_are_kept_apart(shop: Shop, asked: list[str]) -> None:
    nobody, undecided = render(shop), render(shop, headers={})
    assert "Nothing about you is used" in nobody
    assert "Nothing about you is kept" in undecided
    assert (render(shop), render(shop, headers={})) == (nobody, undecided)
    assert len(asked) == 2


def test_who_agreed_or_has_a_cart_is_answered_alone(shop: Shop, asked: list[str]) -> None:
    page = shop.browser()
    for _ in range(2):
        page.get("/")
    before = len(asked)
    page.get("/put/p001")
    for _ in range(2):
        page.get("/")
    assert len(asked) == before + 4
    agreed = shop.browser().agree()
    for _ in range(2):
        agreed.get("/")
    assert len(asked) == before + 8


def test_what_is_sold_out_leaves_at_once(shop: Shop) -> None:
    first = shown(render(shop))
    shop.state.catalog_store.set_stock({first[0]: 0})
    assert first[0] not in shown(render(shop))
    assert shown(render(shop))[:5] == first[1:]
    assert first[0] not in shop.browser().get(API, headers=GPC).text


def test_what_is_switched_off_is_refused_at_once(shop: Shop) -> None:
    browser, placements = shop.browser(), shop.state.pipeline.placements
    assert browser.get(API, headers=GPC).status_code == 200
    off = msgspec.structs.replace(placements["home-hero"], enabled=False)
    shop.state.pipeline.placements = {**placements, "home-hero": off}
    assert browser.get(API, headers=GPC).get_json()["error"]["code"] == "switched-off"


def test_a_new_catalogue_is_a_new_block(shop: Shop) -> None:
    first = shown(render(shop))
    newest = Product(product_id="new", title="New", price=1.0, stock=1, created=2e9, rating=5.0)
    shop.state.catalog_store.import_products([newest], hide_missing=False)
    shop.state.pipeline.live.refresh()
    assert "new" in shown(render(shop))
    assert "new" not in first


def test_a_sale_that_ends_is_not_shown_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    start = 1_900_000_000.0
    now = [start]
    for module in ("blocks", "written", "slates", "recommendations"):
        monkeypatch.setattr(f"mtp_plugin.web.{module}.time.time", lambda: now[0])
    sale = Product(
        product_id="sale", title="Sale", price=9.0, sale_price=5.0, sale_until=start + 2, stock=1, created=2e9
    )
    shop.state.catalog_store.import_products([sale], hide_missing=True)
    shop.state.pipeline.live.refresh()
    assert "5.00" in render(shop)
    now[0] = start + 1.9
    assert "5.00" in render(shop)
    now[0] = start + 2
    assert "5.00" not in render(shop)


def test_it_is_written_anew_after_a_few_seconds(shop: Shop, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("mtp_plugin.web.written.time.monotonic", lambda: now[0])
    for later, times in ((0.0, 1), (4.9, 1), (0.2, 2)):
        now[0] += later
        render(shop)
        assert len(asked) == times


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_a_clock_that_is_set_changes_nothing_of_that(
    shop: Shop, asked: list[str], monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    now, wall = [1000.0], time.time()
    monkeypatch.setattr("mtp_plugin.web.written.time.monotonic", lambda: now[0])
    render(shop)
    monkeypatch.setattr("mtp_plugin.web.written.time.time", lambda: wall + step)
    render(shop)
    assert len(asked) == 1
    now[0] += 5.1
    render(shop)
    assert len(asked) == 2, "not only when the clock has caught up"


def test_without_a_cache_nothing_is_kept(make_shop: Make, asked: list[str]) -> None:
    shop = make_shop(cache_seconds=0)
    render(shop), render(shop)
    assert len(asked) == 2


def test_what_the_shop_writes_itself_is_written_each_time(make_shop: Make) -> None:
    """Its templates and prices may depend on the request."""
    shop = make_shop()
    prices = iter(range(1000))
    shop.mtp.price_formatter(lambda amount, currency: f"price {next(prices)}")
    assert render(shop) != render(shop)
    other = make_shop()
    own = DictLoader({"mtp/_card.html": "{{ request.args.get('who') }}"})
    other.app.jinja_loader = ChoiceLoader([own, other.app.jinja_loader])
    for name in ("ada", "ben"):
        with other.app.test_request_context(f"/?who={name}", headers=GPC):
            assert name in render_template_string(HERO)


def test_each_time_is_counted_and_told(shop: Shop) -> None:
    told: list[Any] = []
    slate_served.connect(lambda app, slate: told.append(slate), shop.app, weak=False)
    for _ in range(3):
        render(shop)
    metrics = shop.app.test_client().get("/mtp/metrics", auth=(SECRET, "")).text
    rung, level = told[0].fallback_level, told[0].consent_level.value
    for cache, times in (("miss", 1.0), ("answer", 2.0)):
        labels = f'cache="{cache}",consent_level="{level}",fallback_level="{rung}",placement="home-hero"'
        assert f'mtp_slates_total{{app="shop",{labels}}} {times}' in metrics
    assert len({slate.recommendation_id for slate in told}) == 1
    assert told[0].created_at < told[2].created_at


def test_the_api_gives_the_same_bytes_and_headers(shop: Shop, asked: list[str]) -> None:
    first, again = (shop.browser().get(API, headers=GPC) for _ in range(2))
    assert again.data == first.data
    assert dict(again.headers) == dict(first.headers)
    assert again.headers["Cache-Control"] == "public, max-age=60"
    assert asked == ["home-hero"]
    assert shop.browser().get(f"{API}&limit=2", headers=GPC).data != first.data
    assert "took_us" in shop.browser().get(f"{API}&explain=true", headers=GPC).json
    assert "took_us" in shop.browser().get(f"{API}&explain=true", headers=GPC).json
    assert len(asked) == 4


def test_servers_and_visitors_are_answered_alone(shop: Shop, asked: list[str]) -> None:
    for _ in range(2):
        shop.app.test_client().get(API, auth=(SECRET, ""))
    agreed = shop.browser().agree()
    for _ in range(2):
        agreed.get(API)
    assert len(asked) == 4


def test_whatever_a_page_may_ask_with_is_answered_twice_alike(shop: Shop, asked: list[str]) -> None:
    """Views of a dictionary, marked-up text, records and generators, as shops' templates have them."""
    cart = {"p001": 1, "p002": 2}
    for template in (
        "{{ mtp_block('home-hero', exclude_ids=cart.keys()) }}",
        "{{ mtp_block('home-hero', exclude_ids=[text]) }}",
        "{{ mtp_block('product-similar', product=product) }}",
        "{{ mtp_block('home-hero', exclude_ids=cart|map('upper')) }}",
        "{{ mtp_block('home-hero', query='what somebody searched for') }}",
    ):
        given = {"cart": cart, "text": Markup("p003"), "product": Product(product_id="p004", title="P")}
        before = len(asked)
        first = render(shop, template, **given)
        assert shown(first)
        assert render(shop, template, **given) == first
        assert len(asked) == before + 1, template
    written = shop.app.extensions["mtp_web"].written
    assert not any(b"searched" in repr(key).encode() for key in written._entries)


def test_what_cannot_be_written_out_is_asked_each_time(shop: Shop, asked: list[str]) -> None:
    assert digest(object()) is None
    template = "{{ mtp_block('home-hero', filter={'price': {'$lt': big}}) }}"
    assert shown(render(shop, template, big=2**70)) == shown(render(shop, template, big=2**70)) != []
    assert len(asked) == 2


def test_what_changed_while_it_was_written_is_not_kept(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def swapped(state: Any, placement: str, *others: Any, **more: Any) -> Any:
        slate = slates.slate_for(state, placement, *others, **more)
        state.catalog_store.set_stock({"p001": 77})
        state.pipeline.live.refresh()
        return slate

    monkeypatch.setattr("mtp_plugin.web.blocks.slate_for", swapped)
    assert render(shop)
    assert len(shop.app.extensions["mtp_web"].written) == 0


def test_the_cart_is_asked_for_once_a_question(shop: Shop) -> None:
    calls: list[int] = []
    shop.mtp.cart_loader(lambda: calls.append(1) or ())
    for visitor in (shop.browser(), shop.browser().agree()):
        calls.clear()
        visitor.get(API)
        assert len(calls) == 1


def test_an_accounts_refusal_is_its_own(make_shop: Make) -> None:
    """Two visitors with the same browser: what one of them decided elsewhere says nothing of the other."""
    shop = make_shop(regime="opt-out")
    phone = shop.browser()
    phone.get("/sign-in/ann")
    phone.agree(False)
    laptop, stranger = shop.browser(), shop.browser()
    laptop.get("/sign-in/ann")
    for _ in range(2):
        assert laptop.get(API).json["consent_level"] == "non-personal"
        assert stranger.get(API).json["consent_level"] == "full"
    assert stranger.view("p001")["accepted"] == 1
    assert stranger.cookie("mtp_visitor")
