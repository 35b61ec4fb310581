"""Reading events and files into a log."""

from __future__ import annotations

import numpy as np

from mtp_plugin.candidates.log import CART, PURCHASE, VIEW, TrainingLog, owner

from .shop import event


def test_idle_time_ends_a_session() -> None:
    found = [
        event("Product Viewed", "u:1", 100.0, "a"),
        event("Product Viewed", "u:1", 100.0 + 1800, "b"),
        event("Product Viewed", "u:1", 100.0 + 3601, "c"),
        event("Product Viewed", "u:2", 50.0, "a"),
    ]
    log = TrainingLog.from_events([found])
    sessions = {
        (log.owners[v], log.items[i]): int(s) for v, i, s in zip(log.visitor, log.item, log.session, strict=True)
    }
    one, two = owner("u:1"), owner("u:2")
    assert sessions[(one, "a")] == sessions[(one, "b")] != sessions[(one, "c")]
    assert sessions[(two, "a")] == 0  # numbered by start


def test_order_of_arrival_does_not_matter() -> None:
    found = [event("Product Viewed", "u:1", float(at), f"p{at}") for at in (3, 1, 2)]
    log = TrainingLog.from_events([found[:1], found[1:]])
    assert [log.items[item] for item in log.item] == ["p1", "p2", "p3"]


def test_actions_and_baskets() -> None:
    found = [
        event("Product Added", "u:1", 1.0, "a"),
        event("Order Completed", "u:1", 2.0, "a", "b"),
        event("Order Completed", "u:1", 3.0, "c"),
        event("Products Searched", "u:1", 4.0),
    ]
    log = TrainingLog.from_events([found])
    assert log.action.tolist() == [CART, PURCHASE, PURCHASE, PURCHASE]
    assert log.basket[0] == -1
    assert log.basket[1] == log.basket[2] != log.basket[3]


def test_sessions_of_a_file_without_clock_keep_their_order() -> None:
    log = TrainingLog.from_sessions([("s2", "a", 1), ("s2", "b", 0), ("s1", "c", 0)], timed=False)
    assert [log.items[item] for item in log.item] == ["b", "a", "c"]
    assert log.session.tolist() == [0, 0, 1]
    assert not log.timed
    assert set(log.action.tolist()) == {VIEW}


def test_sessions_with_a_clock_are_numbered_by_it() -> None:
    log = TrainingLog.from_sessions([("late", "a", 900.0), ("early", "b", 5.0)], timed=True)
    assert [log.items[item] for item in log.item] == ["b", "a"]


def test_rows_are_taken_by_mask_and_by_slice() -> None:
    log = TrainingLog.from_events([[event("Product Viewed", f"u:{one % 3}", float(one), "a") for one in range(9)]])
    theirs = log.take(log.visitor == 1)
    assert len(theirs) == 3
    assert np.all(theirs.visitor == 1)
    first = log.take(slice(0, 4))
    assert np.shares_memory(first.time, log.time)
    assert first.session.tolist() == log.session[:4].tolist()


def test_no_events_make_an_empty_log() -> None:
    log = TrainingLog.from_events([])
    assert len(log) == 0
    assert log.end == 0.0


def test_orders() -> None:
    log = TrainingLog.from_orders([("ann", "a", 1.0, "o1"), ("ann", "b", 1.0, "o1"), ("bob", "a", 2.0, "o2")])
    assert len(log.purchases()) == 3
    assert log.basket[0] == log.basket[1] != log.basket[2]
