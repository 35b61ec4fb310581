"""Simulated shoppers: seeded, consistent, and plainly simulated."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from demo_store.catalogue import Catalogue
from demo_store.personas import PERSONAS
from demo_store.simulate import DAY, DAYS, SOURCE, history_of, simulate
from mtp_plugin.records import Event
from tests.demo.conftest import NOW


@pytest.fixture(scope="module")
def events(catalogue: Catalogue) -> list[Event]:
    return simulate(catalogue, NOW, visitors=300, seed=5)


def test_same_seed_same_events(catalogue: Catalogue, events: list[Event]) -> None:
    assert simulate(catalogue, NOW, visitors=300, seed=5) == events
    other = simulate(catalogue, NOW, visitors=300, seed=6)
    assert {event.event_id for event in other}.isdisjoint(event.event_id for event in events)


def test_a_visitor_does_not_depend_on_how_many_there_are(catalogue: Catalogue, events: list[Event]) -> None:
    fewer = simulate(catalogue, NOW, visitors=40, seed=5)
    names = {event.profile_id for event in fewer}
    assert [event for event in events if event.profile_id in names] != []
    mine = defaultdict(list)
    for event in events:
        mine[event.profile_id].append(event)
    theirs = defaultdict(list)
    for event in fewer:
        theirs[event.profile_id].append(event)
    # Which persona a number gets is drawn for all at once; those that agree must agree in everything.
    assert any(mine[name] == theirs[name] for name in names)


def test_events_are_sorted_permanent_and_said_to_be_simulated(events: list[Event]) -> None:
    times = [event.timestamp for event in events]
    assert times == sorted(times)
    assert times[0] > NOW - (DAYS + 2) * DAY
    assert times[-1] <= NOW
    assert len({event.event_id for event in events}) == len(events)
    assert all(event.permanent and event.source == SOURCE for event in events)
    assert all(bool(event.user_id) != bool(event.anonymous_id) for event in events)


def test_orders_follow_baskets(events: list[Event]) -> None:
    baskets: dict[str, set[str]] = defaultdict(set)
    ordered: dict[str, set[str]] = defaultdict(set)
    for event in events:
        ids = {line.product_id for line in event.products}
        if event.name == "Product Added":
            baskets[event.profile_id] |= ids
        if event.name == "Order Completed":
            assert ids <= baskets[event.profile_id]
            ordered[event.profile_id] |= ids
            total = sum((line.price or 0) * line.quantity for line in event.products)
            assert event.properties["total"] == pytest.approx(total, abs=0.01)
        if event.name == "Order Refunded":
            assert ids <= ordered[event.profile_id]
    counts = Counter(event.name for event in events)
    assert counts["Product Viewed"] > counts["Product Added"] > counts["Order Completed"] > counts["Order Refunded"] > 0
    assert counts["Products Searched"] > 0


def test_nothing_is_seen_before_it_is_there(catalogue: Catalogue, events: list[Event]) -> None:
    for event in events:
        for line in event.products:
            product = catalogue.products[line.product_id]
            assert (product.created or 0) <= event.timestamp + DAY


def test_personas_look_at_what_they_like(catalogue: Catalogue) -> None:
    def share(persona: str, key: str) -> float:
        seen = [
            catalogue.products[line.product_id].attributes["range"]
            for event in history_of(catalogue, PERSONAS[persona], f"{persona}-1", NOW)
            for line in event.products
            if event.name == "Product Viewed"
        ]
        return seen.count(key) / len(seen)

    assert share("vera", "watches") > 0.4
    assert share("flora", "plants") > 0.25
    assert share("milo", "shoes") > 0.3
    assert share("vera", "plants") < share("flora", "plants")


def test_bargain_hunters_look_at_sales(catalogue: Catalogue) -> None:
    def reduced(persona: str) -> float:
        lines = [
            catalogue.products[line.product_id].on_sale(event.timestamp)
            for number in range(6)
            for event in history_of(catalogue, PERSONAS[persona], f"{persona}-{number}", NOW, seed=number)
            for line in event.products
            if event.timestamp > NOW - 5 * DAY
        ]
        return sum(lines) / len(lines)

    assert reduced("dora") > 2 * reduced("niko")


def test_shares_are_shares() -> None:
    assert sum(persona.share for persona in PERSONAS.values()) == pytest.approx(1.0)
    assert all("-" not in key for key in PERSONAS)
