"""What goes on from where it was: cursors, open carts, forwarding, and the tail of the journal."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from mtp_plugin.config import Settings
from mtp_plugin.ports import ForwardState
from mtp_plugin.store.open import Stores

from .conftest import DATABASES, settings_of
from .events import make_event, note


@pytest.fixture(params=DATABASES)
def stores(request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]) -> Stores:
    return open_again(settings_of(request.param, request))


def test_a_cursor_is_where_it_was_put(stores: Stores) -> None:
    assert stores.cursors.get("carts") == ""
    for position in ("5", "17"):
        stores.cursors.put("carts", position, 1.0)
    assert (stores.cursors.get("carts"), stores.cursors.get("orders")) == ("17", "")


def test_carts_left_alone_are_found_the_oldest_first(stores: Stores) -> None:
    carts = stores.carts
    carts.touch({})
    carts.touch({"a:1": 10.0, "a:2": 5.0, "a:3": 30.0})
    carts.touch({"a:1": 7.0, "a:2": 12.0})
    assert carts.idle(20.0) == ["a:1", "a:2"]
    assert carts.idle(40.0, 1) == ["a:1"]
    carts.touch({"a:1": 50.0})
    carts.close(["a:1", "a:2"], 20.0)
    assert carts.idle(100.0) == ["a:3", "a:1"]


def test_the_state_of_a_target_and_its_dead_letters(stores: Stores) -> None:
    book = stores.forwards
    assert book.get("crm") is None
    state = ForwardState(name="crm", number=7)
    book.put(state)
    later = msgspec.structs.replace(state, number=9, tries=2, next_try_at=5.0, sent=3, withheld=1, error="away")
    book.put(later)
    assert book.get("crm") == later
    book.refuse("crm", [(8, "u:1"), (9, "u:2")], "answered 400", 6.0)
    book.refuse("ga4", [(8, "u:1")], "answered 400", 7.0)
    assert [(one.target, one.number) for one in book.dead()] == [("ga4", 8), ("crm", 9), ("crm", 8)]
    assert book.erase("u:1") == 2
    (left,) = book.dead("crm")
    assert (left.profile_id, left.error, left.refused_at) == ("u:2", "answered 400", 6.0)
    book.remove([left.dead_id])
    assert book.dead() == []
    assert book.erase("u:\0") == 0


def test_the_tail_goes_on_from_a_number(stores: Stores) -> None:
    journal = stores.journal
    assert journal.last_number() == 0
    journal.record([make_event(number) for number in range(5)], note)
    last = journal.last_number()
    assert last == 5
    found, reached = journal.tail(0, limit=3)
    assert [number for number, _ in found] == [1, 2, 3]
    assert reached == 3
    found, reached = journal.tail(reached, limit=3)
    assert [event.dedupe_key for _, event in found] == [make_event(3).dedupe_key, make_event(4).dedupe_key]
    assert reached == 5
    assert journal.tail(5) == ([], 5)
    assert journal.tail(0, names=["Nobody Does This"]) == ([], 5)
