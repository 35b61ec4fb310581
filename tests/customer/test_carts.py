"""Carts that nobody came back to."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.abandonment import notice
from mtp_plugin.profile.features import features_of
from mtp_plugin.records import Event, EventProduct
from mtp_plugin.track.carts import ABANDONED, cart_of

from ..web.shop import Browser, Shop, build_shop


def event(name: str, t: float, *products: str, quantity: float = 1.0) -> Event:
    return Event(
        event_id="0" * 32,
        name=name,
        profile_id="a:1",
        timestamp=t,
        received_at=t,
        dedupe_key=str(t),
        products=tuple(EventProduct(product, quantity, 5.0) for product in products),
    )


def test_a_cart_is_what_was_put_in_and_not_taken_out() -> None:
    cart = cart_of(
        [
            event("Product Removed", 1.0, "mug"),
            event("Product Added", 2.0, "mug", quantity=3),
            event("Product Added", 3.0, "tea"),
            event("Product Removed", 4.0, "mug", quantity=2),
        ]
    )
    assert {line.product_id: line.quantity for line in cart.products} == {"mug": 1.0, "tea": 1.0}
    assert (cart.value, cart.since, cart.touched_at, cart.told) == (10.0, 2.0, 4.0, False)


def test_an_order_ends_a_cart_and_the_next_is_a_new_one() -> None:
    events = [event("Product Added", 1.0, "mug"), event(ABANDONED, 2.0, "mug"), event("Product Added", 3.0, "tea")]
    assert cart_of(events).told
    bought = [*events, event("Order Completed", 4.0, "mug")]
    assert cart_of(bought).products == ()
    again = cart_of([*bought, event("Product Added", 5.0, "pot")])
    assert (again.told, again.since) == (False, 5.0)
    checkout = cart_of([*events, event("Checkout Started", 6.0, "pot")])
    assert [line.product_id for line in checkout.products] == ["pot"]


names = st.sampled_from(["Product Added", "Product Removed", "Order Completed", "Checkout Started", ABANDONED])
visits = st.lists(st.tuples(names, st.sampled_from("abc"), st.integers(1, 3)), max_size=20)


@given(visits)
def test_no_cart_holds_less_than_nothing(visit: list[tuple[str, str, int]]) -> None:
    cart = cart_of([event(name, float(t), what, quantity=q) for t, (name, what, q) in enumerate(visit)])
    assert all(line.quantity > 0 for line in cart.products)
    assert bool(cart.since) <= bool(cart.products) or cart.since == 0.0
    if not cart.products:
        assert not cart.told


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = build_shop(tmp_path)
    notice(shop.state)  # carts of the time before are not looked for
    yield shop  # type: ignore[misc]
    shop.state.close()


def put(browser: Browser, product_id: str, name: str = "Product Added") -> None:
    body = {"event": name, "properties": {"product_id": product_id, "price": 12.5, "currency": "EUR"}}
    assert browser.post("/mtp/v1/track", json=body).get_json()["accepted"] == 1


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets time pass for the job."""
    real = time.time

    def pass_by(minutes: float) -> None:
        monkeypatch.setattr("mtp_plugin.abandonment.time.time", lambda: real() + minutes * 60)

    return pass_by


def told(shop: Shop) -> list[Event]:
    return [event for events in shop.state.journal.scan(names=[ABANDONED]) for event in events]


def test_a_cart_left_alone_is_told_once(shop: Shop, later: Callable[[float], None]) -> None:
    browser = shop.browser().agree()
    put(browser, "p001")
    assert notice(shop.state) == "0 carts abandoned"
    later(61)
    assert notice(shop.state) == "1 carts abandoned"
    (one,) = told(shop)
    assert [line.product_id for line in one.products] == ["p001"]
    assert (one.properties["value"], one.properties["currency"], one.source) == (12.5, "EUR", "job")
    (profile,) = shop.state.journal.profiles([one.profile_id])
    assert profile is not None
    assert profile.events == 1, "what a visitor did not do is no activity"
    assert features_of(profile, time.time())["cart_abandoned"] == "yes"
    put(browser, "p002")
    later(130)
    assert notice(shop.state) == "0 carts abandoned", "it is the same cart"


def test_who_bought_or_emptied_it_is_left_in_peace(shop: Shop, later: Callable[[float], None]) -> None:
    buyer, other = shop.browser().agree(), shop.browser().agree()
    for browser in (buyer, other):
        browser.get(f"/sign-in/{id(browser)}")
        put(browser, "p001")
    put(other, "p001", "Product Removed")
    with shop.app.app_context():
        shop.mtp.track("Order Completed", {"order_id": "1", "product_id": "p001"}, user_id=str(id(buyer)))
    later(61)
    assert notice(shop.state) == "0 carts abandoned"
    assert told(shop) == []


def test_a_cart_begun_signed_out_and_bought_as_somebody_is_bought(shop: Shop, later: Callable[[float], None]) -> None:
    browser = shop.browser().agree()
    put(browser, "p001")
    browser.get("/sign-in/ada")
    browser.view("p001")
    with shop.app.app_context():
        shop.mtp.track("Order Completed", {"order_id": "1", "product_id": "p001"}, user_id="ada")
    later(61)
    assert notice(shop.state) == "0 carts abandoned"


def test_who_refused_meanwhile_is_not_spoken_of(shop: Shop, later: Callable[[float], None]) -> None:
    browser = shop.browser().agree()
    put(browser, "p001")
    browser.agree(False)
    later(61)
    assert notice(shop.state) == "0 carts abandoned"
