"""From a page to outcomes: what a browser sees, clicks and buys, and the job that finds it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mtp_plugin import attributing
from mtp_plugin.attributing import attribute_new
from mtp_plugin.errors import UnavailableError
from mtp_plugin.records import Outcome

from ..web.shop import SECRET, Browser, Shop, build_shop

LATER = 60.0


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    shop = build_shop(tmp_path, currency="EUR", database_url=url)
    yield shop
    shop.state.close()


def slate_of(browser: Browser, placement: str = "home-trending") -> tuple[str, list[str]]:
    answer = browser.get(f"/mtp/v1/recommendations?placement={placement}").get_json()
    return answer["recommendation_id"], [item["product_id"] for item in answer["items"]]


def track(browser: Browser, name: str, slate: str = "", **properties: Any) -> None:
    if slate:
        properties["recommendation_id"] = slate
    answer = browser.post("/mtp/v1/track", json={"event": name, "properties": properties}).get_json()
    assert answer["accepted"] == 1, answer


def see(browser: Browser, slate: str, products: list[str]) -> None:
    listed = [{"product_id": name, "position": place} for place, name in enumerate(products, 1)]
    track(browser, "Product List Viewed", slate, products=listed)


def buy(shop: Shop, user: str, order_id: str, product: str, name: str = "Order Completed", **more: Any) -> None:
    line = {"product_id": product, "quantity": 2, "price": 20.0}
    with shop.app.app_context():
        receipt = shop.mtp.track(
            name, {"order_id": order_id, "currency": "EUR", "products": [line], **more}, user_id=user
        )
    assert receipt.accepted == 1


def run(shop: Shop, at: float = LATER) -> list[Outcome]:
    shop.state.slates.flush()
    attribute_new(shop.state, time.time() + at)
    return shop.state.outcomes.after(0)[0]


def kinds(outcomes: list[Outcome]) -> list[tuple[str, float, float]]:
    return [(one.kind, one.quantity, round(one.value, 2)) for one in outcomes]


def test_the_way_from_a_page_to_a_purchase_and_back(shop: Shop) -> None:
    browser = shop.browser().agree()
    browser.get("/sign-in/ada")
    slate, products = slate_of(browser)
    see(browser, slate, products)
    track(browser, "Product Clicked", slate, product_id=products[2], position=3)
    track(browser, "Product Added", product_id=products[2], price=20.0)
    buy(shop, "ada", "o1", products[2])
    found = run(shop)
    assert sorted(kinds(found)) == [
        ("cart", 1.0, 20.0),
        ("click", 1.0, 0.0),
        ("purchase", 2.0, 40.0),
        ("seen", 1.0, 0.0),
    ]
    assert {one.recommendation_id for one in found} == {slate}
    bought = next(one for one in found if one.kind == "purchase")
    assert (bought.product_id, bought.position, bought.order_id) == (products[2], 3, "o1")
    assert bought.margin == pytest.approx(0.31 * 40)
    assert run(shop) == found, "a second run finds nothing new"
    buy(shop, "ada", "o1", products[2], "Order Refunded")
    assert kinds(run(shop))[4:] == [("refund", -2.0, -40.0)]


def test_a_click_in_one_browser_and_an_order_of_the_account_are_one_persons(shop: Shop) -> None:
    browser = shop.browser().agree()
    slate, products = slate_of(browser)
    track(browser, "Product Clicked", slate, product_id=products[0])
    assert kinds(run(shop)) == [("click", 1.0, 0.0)]
    browser.get("/sign-in/ada")
    browser.view(products[1])
    buy(shop, "ada", "o1", products[0])
    assert kinds(run(shop)) == [("click", 1.0, 0.0), ("purchase", 2.0, 40.0)]


def test_what_another_visitor_was_shown_earns_nothing(shop: Shop) -> None:
    ada, ben = shop.browser().agree(), shop.browser().agree()
    ada.view("p001")
    slate, products = slate_of(ada, "home-hero")
    see(ben, slate, products)
    track(ben, "Product Clicked", slate, product_id=products[0])
    track(ben, "Product Clicked", "0" * 32, product_id=products[0])
    assert run(shop) == []


def test_young_events_wait_for_their_slates(shop: Shop) -> None:
    browser = shop.browser().agree()
    slate, products = slate_of(browser)
    see(browser, slate, products)
    assert run(shop, at=0.0) == []
    assert kinds(run(shop)) == [("seen", 1.0, 0.0)]


def test_a_crash_between_two_steps_counts_nothing_twice(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = shop.browser().agree()
    slate, products = slate_of(browser)
    see(browser, slate, products)
    track(browser, "Product Clicked", slate, product_id=products[0])
    shop.state.slates.flush()

    def away(*_: object) -> None:
        raise UnavailableError("away")

    with monkeypatch.context() as patch:
        patch.setattr(type(shop.state.cursors), "put", away)
        with pytest.raises(UnavailableError):
            attribute_new(shop.state, time.time() + LATER)
    assert len(shop.state.outcomes.after(0)[0]) == 2
    assert kinds(run(shop)) == [("seen", 1.0, 0.0), ("click", 1.0, 0.0)]


def test_many_events_are_read_in_batches(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attributing, "BATCH", 3)
    for _ in range(4):
        browser = shop.browser().agree()
        slate, products = slate_of(browser)
        see(browser, slate, products)
        for product in products[:2]:
            track(browser, "Product Clicked", slate, product_id=product)
    assert sorted(kinds(run(shop))) == [("click", 1.0, 0.0)] * 8 + [("seen", 1.0, 0.0)] * 4


def test_bots_and_who_did_not_agree_have_no_outcomes(shop: Shop) -> None:
    bot, stranger = shop.browser().agree(), shop.browser()
    slate, products = slate_of(bot)
    body = {"event": "Product Clicked", "properties": {"product_id": products[0], "recommendation_id": slate}}
    crawler = {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}
    assert bot.post("/mtp/v1/track", json=body, headers=crawler).get_json()["accepted"] == 0
    assert stranger.post("/mtp/v1/track", json=body).get_json()["accepted"] == 0
    assert run(shop) == []


def test_erasure_and_export_reach_outcomes(shop: Shop) -> None:
    ada, ben = shop.browser().agree(), shop.browser().agree()
    for browser, name in ((ada, "ada"), (ben, "ben")):
        browser.get(f"/sign-in/{name}")
        slate, products = slate_of(browser)
        track(browser, "Product Clicked", slate, product_id=products[0])
        buy(shop, name, f"o-{name}", products[0])
    assert len(run(shop)) == 4
    exported = shop.state.subjects.export(["u:ada"], "test")["outcomes"]
    assert sorted(one["kind"] for one in exported) == ["click", "purchase"]
    assert json.dumps(exported)
    assert shop.state.subjects.erase(["u:ada"], "test", models=False).steps["outcomes"] == 2
    assert {one.profile_id for one in shop.state.outcomes.after(0)[0]} == {"u:ben"}
    attribute_new(shop.state, time.time() + 2 * LATER)
    assert {one.profile_id for one in shop.state.outcomes.after(0)[0]} == {"u:ben"}


def test_a_server_may_tell_of_everything(shop: Shop) -> None:
    browser = shop.browser().agree()
    slate, products = slate_of(browser)
    body = {"userId": "ada", "event": "Product Clicked",
            "properties": {"product_id": products[0], "recommendation_id": slate}}  # fmt: skip
    answer = shop.app.test_client().post("/mtp/v1/track", json=body, auth=(SECRET, ""))
    assert answer.get_json()["accepted"] == 1
    shown = shop.state.slates
    shown.flush()
    entry = shown.get(slate)
    assert entry is not None
    shared = not entry.request.profile_ids
    assert len(run(shop)) == shared, "a slate of one visitor is not another's"
