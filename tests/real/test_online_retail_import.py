"""The real Online Retail file, counted here without the code under test."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from mtp_plugin.config import Settings
from mtp_plugin.profile.fold import Fold
from mtp_plugin.records import Event, RowError
from mtp_plugin.track.files import read_events

pytestmark = pytest.mark.data
GIFTS = ("DCGSSBOY", "DCGSSGIRL")


@pytest.fixture(scope="module")
def path(test_data):
    found = test_data / "online_retail" / "online_retail.csv.gz"
    assert found.is_file(), f"{found} is missing"
    return found


@pytest.fixture(scope="module")
def read(path):
    rows = list(read_events(path, time_zone="Europe/London"))
    return SimpleNamespace(
        events=[row for row in rows if isinstance(row, Event)],
        errors=[row for row in rows if isinstance(row, RowError)],
    )


def is_product(code):
    letters = code[5:]
    shelf = code[:5].isdigit() and len(code) >= 5 and (not letters or letters.isalpha())
    return (
        shelf or code in GIFTS or (code.startswith("DCGS") and code[4:].rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ").isdigit())
    )


@pytest.fixture(scope="module")
def counted(path):
    """Lines by what must become of them, and the pieces of each invoice."""
    reasons, lines = defaultdict(int), 0
    pieces, value = defaultdict(lambda: defaultdict(float)), defaultdict(float)
    customer, first = {}, {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for number, code, _, quantity, date, price, who, _ in list(csv.reader(file))[1:]:
            lines += 1
            code = code.upper()
            if not is_product(code):
                reasons["not a product"] += 1
            elif int(quantity) <= 0 and not number.startswith("C"):
                reasons["stock adjustment"] += 1
            elif float(price) <= 0:
                reasons["no price"] += 1
            else:
                pieces[number][code] += abs(int(quantity))
                value[number] += abs(int(quantity)) * float(price)
                customer[number] = who.split(".")[0]
                first[number] = min(first.get(number, date), date)
    return SimpleNamespace(
        lines=lines, reasons=dict(reasons), pieces=pieces, value=value, customer=customer, first=first
    )


def test_the_file_is_the_whole_one(counted):
    assert counted.lines == 541_909


def test_every_line_is_in_an_order_or_named(read, counted):
    reasons = defaultdict(int)
    for error in read.errors:
        reasons[error.reason] += 1
    assert reasons == counted.reasons
    assert sum(len(event.products) for event in read.events) + len(read.errors) == counted.lines
    places = [error.line for error in read.errors]
    assert len(set(places)) == len(places)
    assert 2 <= min(places) <= max(places) <= counted.lines + 1


def test_invoices_and_cancellations(read, counted):
    found = {event.properties["order_id"]: event for event in read.events}
    assert len(found) == len(read.events) == len(counted.pieces)
    assert found.keys() == counted.pieces.keys()
    cancelled = {number for number in found if number.startswith("C")}
    assert {n for n, event in found.items() if event.name == "Order Refunded"} == cancelled
    assert {n for n, event in found.items() if event.name == "Order Completed"} == found.keys() - cancelled
    assert len(cancelled) > 3000


def test_pieces_worth_customers_and_times(read, counted):
    for event in read.events:
        number = event.properties["order_id"]
        pieces = defaultdict(float)
        for product in event.products:
            pieces[product.product_id] += product.quantity
        assert pieces == counted.pieces[number]
        worth = sum(product.quantity * product.price for product in event.products)
        assert worth == pytest.approx(counted.value[number])
        assert event.user_id == counted.customer[number]
        assert event.anonymous_id == ("" if event.user_id else f"invoice-{number}")
        # The shop's winter has UTC's time, its summer is an hour ahead.
        ahead = datetime.fromisoformat(counted.first[number]).replace(tzinfo=UTC).timestamp() - event.timestamp
        assert ahead in (0, 3600)


def test_events_come_in_the_order_of_their_times(read):
    times = [event.timestamp for event in read.events]
    assert times == sorted(times)


def test_read_twice_gives_the_same_ids(path, read):
    again = [row.event_id for row in read_events(path, time_zone="Europe/London") if isinstance(row, Event)]
    assert again == [event.event_id for event in read.events]
    assert len(set(again)) == len(again)


def test_profiles_net_what_was_given_back(read, counted):
    """The pieces of the customer with most invoices, folded, against those counted."""
    by_customer = defaultdict(list)
    for event in read.events:
        by_customer[event.profile_id].append(event)
    regular = max((who for who in by_customer if who.startswith("u:")), key=lambda who: len(by_customer[who]))
    events = by_customer[regular]
    profile = Fold(Settings())(None, events, lambda product_id, t: None)
    bought = {event.properties["order_id"] for event in events if event.name == "Order Completed"}
    assert (profile.orders, profile.events) == (len(bought), len(events))
    worth = sum(
        counted.value[event.properties["order_id"]] * (1 if event.name == "Order Completed" else -1) for event in events
    )
    assert profile.revenue == pytest.approx(worth)
