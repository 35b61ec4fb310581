"""What slates are owed: the last touch within a window, once, whatever the order of arrival."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtp_plugin.feedback.attribution import Policy, Shown, Touch, attribute
from mtp_plugin.feedback.settle import settle
from mtp_plugin.records import Event, EventProduct, Outcome

SLATES = {
    "r1": Shown(0.0, {"a": 1, "b": 2}, frozenset({"a:1"})),
    "r2": Shown(50.0, {"a": 3, "c": 1}),
    "foreign": Shown(0.0, {"a": 1}, frozenset({"a:9"})),
}
PRICES = {"a": (10.0, 0.5), "b": (20.0, None), "c": (30.0, 0.1)}


def event(name: str, t: float, *products: str, slate: str = "", **properties: Any) -> Event:
    number = properties.pop("number", 0)
    quantity, price = properties.pop("quantity", 1.0), properties.pop("price", None)
    return Event(
        event_id=f"{int(t * 1000):012x}{number:020x}",
        name=name,
        profile_id=properties.pop("whose", "a:1"),
        timestamp=t,
        received_at=t,
        dedupe_key=f"{t}{number}",
        products=tuple(EventProduct(product, quantity, price) for product in products),
        properties=properties,
        recommendation_id=slate,
    )


def seen(t: float, slate: str) -> Event:
    return event("Product List Viewed", t, *SLATES[slate].positions, slate=slate)


def click(t: float, slate: str, product: str) -> Event:
    return event("Product Clicked", t, product, slate=slate)


def order(t: float, order_id: str, *products: str, **more: Any) -> Event:
    return event("Order Completed", t, *products, order_id=order_id, **more)


def found(events: Iterable[Event], recorded: Sequence[Outcome] = (), **policy: Any) -> list[Outcome]:
    known = {
        (one.order_id, one.product_id): Touch(one.at, True, one.recommendation_id, one.product_id, one.position)
        for one in recorded
        if one.kind == "purchase" and one.quantity > 0
    }
    credits = attribute(
        events,
        ["a:1"],
        find=SLATES.get,
        price=lambda product, at: PRICES.get(product, (None, None)),
        currency="EUR",
        policy=Policy(**{"window": 1000.0} | policy),
        known=known,
    )
    return settle(credits, recorded)


Net = dict[tuple[str, str, str, str], tuple[float, float, float]]


def net(outcomes: Iterable[Outcome]) -> Net:
    """What outcomes add up to, by kind, order or time, product and slate; what cancels out is left out."""
    sums: Net = {}
    for one in outcomes:
        source = "" if one.kind in ("seen", "click") else one.order_id or str(one.at)
        key = (one.kind, source, one.product_id, one.recommendation_id)
        quantity, value, margin = sums.get(key, (0.0, 0.0, 0.0))
        sums[key] = (quantity + one.quantity, value + one.value, margin + one.margin)
    rounded = {key: tuple(round(part, 6) + 0.0 for part in sums[key]) for key in sums}
    return {key: value for key, value in rounded.items() if any(value)}  # type: ignore[misc]


def short(outcomes: Iterable[Outcome]) -> list[tuple[Any, ...]]:
    return sorted((o.kind, o.recommendation_id, o.product_id, o.position, o.quantity, o.value) for o in outcomes)


def test_seen_clicked_put_into_the_cart_bought() -> None:
    events = [
        seen(10, "r1"),
        seen(11, "r1"),
        click(12, "r1", "a"),
        click(13, "r1", "a"),
        event("Product Added", 14, "a", quantity=2, price=9.0),
        order(20, "o1", "a", "b", quantity=2, price=9.0, currency="EUR"),
    ]
    assert short(found(events)) == [
        ("cart", "r1", "a", 1, 2.0, 18.0),
        ("click", "r1", "a", 1, 1.0, 0.0),
        ("purchase", "r1", "a", 1, 2.0, 18.0),
        ("seen", "r1", "", 0, 1.0, 0.0),
    ]
    (bought,) = (one for one in found(events) if one.kind == "purchase")
    assert (bought.margin, bought.order_id, bought.at) == (9.0, "o1", 20.0)


def test_the_last_touch_counts_and_only_within_the_window() -> None:
    clicks = [click(60, "r1", "a"), click(70, "r2", "a")]
    assert [one[1] for one in short(found([*clicks, order(100, "o1", "a")])) if one[0] == "purchase"] == ["r2"]
    assert [one[1] for one in short(found([*clicks, order(65, "o1", "a")])) if one[0] == "purchase"] == ["r1"]
    assert not [one for one in found([*clicks, order(2000, "o1", "a")]) if one.kind == "purchase"]
    assert not [one for one in found([*clicks, order(59, "o1", "a")]) if one.kind == "purchase"]


def test_what_was_merely_seen_counts_if_the_shop_says_so() -> None:
    events = [seen(60, "r2"), order(100, "o1", "c")]
    assert not [one for one in found(events) if one.kind == "purchase"]
    assert short(found(events, seen=True))[0][:4] == ("purchase", "r2", "c", 1)


def test_another_product_counts_if_the_shop_says_so() -> None:
    events = [click(60, "r2", "c"), order(100, "o1", "b")]
    assert not [one for one in found(events) if one.kind == "purchase"]
    assert short(found(events, match="any"))[1][:4] == ("purchase", "r2", "b", 0)


@pytest.mark.parametrize("slate", ["foreign", "forged"])
def test_slates_of_others_and_of_nobody_earn_nothing(slate: str) -> None:
    assert found([click(60, slate, "a"), order(100, "o1", "a")]) == []


def test_a_product_that_the_slate_did_not_show_earns_nothing() -> None:
    assert found([click(60, "r1", "c"), order(100, "o1", "c")]) == []


def test_a_slate_is_not_touched_before_it_was_made() -> None:
    assert found([click(-20, "r2", "a")]) == []


def test_returns_are_negative_outcomes_and_never_more_than_was_bought() -> None:
    events = [click(60, "r1", "a"), order(100, "o1", "a", quantity=4, price=10.0, currency="EUR")]
    back = event("Order Refunded", 120, "a", quantity=1, order_id="o1")
    assert short(found([*events, back]))[-1] == ("refund", "r1", "a", 1, -1.0, -10.0)
    half = event("Order Refunded", 120, order_id="o1", total=20.0)
    assert short(found([*events, half]))[-1] == ("refund", "r1", "a", 1, -2.0, -20.0)
    cancelled = event("Order Cancelled", 130, order_id="o1")
    assert short(found([*events, back, half, cancelled]))[-1] == ("refund", "r1", "a", 1, -4.0, -40.0)
    assert short(found([*events, event("Order Refunded", 120, "a", order_id="other")]))[-1][0] == "purchase"


def test_money_of_another_currency_is_the_catalogues() -> None:
    events = [click(60, "r1", "a"), order(100, "o1", "a", quantity=2, price=999.0, currency="JPY")]
    assert short(found(events))[-1] == ("purchase", "r1", "a", 1, 2.0, 20.0)


def test_what_is_recorded_stays_when_old_events_are_deleted() -> None:
    bought, touched = order(100, "o1", "a", price=10.0), click(60, "r1", "a")
    recorded = found([touched, bought])
    assert found([bought], recorded) == []
    assert found([], recorded) == []
    back = event("Order Refunded", 120, order_id="o1")
    assert short(found([bought, back], recorded)) == [("refund", "r1", "a", 1, -1.0, -10.0)]


def test_a_changed_price_of_the_catalogue_corrects_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [click(60, "r1", "a"), order(100, "o1", "a")]
    recorded = found(events)
    monkeypatch.setitem(PRICES, "a", (77.0, 0.9))
    assert found(events, recorded) == []


# ------------------------------------------------------------------------------------- the order of arrival

times = st.integers(1, 1500).map(float)
products = st.sampled_from(["a", "b", "c"])
clicks = st.builds(click, times, st.sampled_from(list(SLATES)), products)
views = st.builds(seen, times, st.sampled_from(list(SLATES)))
carts = st.builds(
    lambda t, p, q, slate: event("Product Added", t, p, quantity=q, price=3.0, slate=slate),
    times, products, st.integers(1, 3), st.sampled_from(["", "r1", "r2"]),
)  # fmt: skip
orders = st.builds(
    lambda t, i, p, q, price: order(t, i, *p, quantity=q, price=price),
    times, st.sampled_from(["o1", "o2", "o3"]), st.lists(products, min_size=1, max_size=3), st.integers(1, 4),
    st.sampled_from([5.0, 8.0]),
)  # fmt: skip
returns = st.builds(
    lambda name, t, i, p, q: event(name, t, *p, quantity=q, order_id=i),
    st.sampled_from(["Order Refunded", "Order Cancelled"]), times, st.sampled_from(["o1", "o2", "o3"]),
    st.lists(products, max_size=2), st.integers(1, 3),
)  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events of one person, each with an id of its own."""
    drawn = draw(st.lists(st.one_of(clicks, views, carts, orders, returns), max_size=14))
    return [
        Event(**{name: getattr(one, name) for name in one.__struct_fields__} | {"event_id": f"{place:032x}"})
        for place, one in enumerate(drawn)
    ]


policies = st.fixed_dictionaries({"seen": st.booleans(), "match": st.sampled_from(["product", "any"])})


@settings(max_examples=300, deadline=None)
@given(histories(), st.randoms(use_true_random=False), policies)
def test_the_order_of_arrival_makes_no_difference(events: list[Event], chance: Any, policy: dict[str, Any]) -> None:
    """Delivered one by one in any order, settled after each, and some delivered twice: the same sums as at once."""
    arrival = [*events]
    chance.shuffle(arrival)
    recorded: list[Outcome] = []
    for place in range(len(arrival)):
        new = found(arrival[: place + 1], recorded, **policy)
        ids = {one.outcome_id for one in recorded}
        assert not ids & {one.outcome_id for one in new}, "an id is never given to two entries"
        recorded += new
    assert found(arrival, recorded, **policy) == [], "settling again changes nothing"
    assert net(recorded) == net(found(events, **policy))


@settings(max_examples=200, deadline=None)
@given(histories(), policies)
def test_nothing_is_owed_twice(events: list[Event], policy: dict[str, Any]) -> None:
    outcomes = found(events, **policy)
    assert len({one.outcome_id for one in outcomes}) == len(outcomes)
    told: dict[tuple[str, str], float] = {}
    for one in sorted(events, key=lambda e: (e.timestamp, e.event_id), reverse=True):
        if one.name == "Order Completed":
            order_id = str(one.properties["order_id"])
            told = {key: value for key, value in told.items() if key[0] != order_id}
            for line in one.products:
                told[order_id, line.product_id] = told.get((order_id, line.product_id), 0.0) + line.quantity
    owed: dict[tuple[str, str], float] = {}
    kept: dict[tuple[str, str], float] = {}
    for one in outcomes:
        if one.kind in ("purchase", "refund"):
            key = (one.order_id, one.product_id)
            kept[key] = kept.get(key, 0.0) + one.quantity
            if one.kind == "purchase":
                owed[key] = owed.get(key, 0.0) + one.quantity
    assert all(quantity == told[key] for key, quantity in owed.items())
    assert all(quantity >= -1e-9 for quantity in kept.values())
