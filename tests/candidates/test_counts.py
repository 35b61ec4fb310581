"""What lists are made of, against the plainest way to count it; and visitors can be taken out again, exactly."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtp_plugin.candidates.counts import ONE
from mtp_plugin.candidates.forget import forget
from mtp_plugin.candidates.learn.behaviour import learn_behaviour
from mtp_plugin.candidates.learn.cap import capped
from mtp_plugin.candidates.learn.related_lists import NEAREST, PATH, WINDOW, Orders, bought_lists, viewed_lists
from mtp_plugin.candidates.log import VIEW, TrainingLog, owner
from mtp_plugin.candidates.train import train
from mtp_plugin.records import Event

from .shop import DAY, bundle, event, events

NOW = 100 * DAY
NAMES = ("Product Viewed", "Product Added", "Order Completed")
Sums = dict[int, Counter[int]]


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(NAMES),
                st.integers(0, 4),
                st.integers(0, 90 * 24 * 60),
                st.lists(st.integers(0, 8), min_size=1, max_size=5, unique=True),
            ),
            min_size=1,
            max_size=60,
        )
    )
    return [event(name, f"u:{who}", at * 60.0, *(f"p{one}" for one in what)) for name, who, at, what in rows]


def starts_of(session: np.ndarray) -> np.ndarray:
    """Whether a row is the first of its session."""
    return np.append(True, session[1:] != session[:-1])


def best(sums: Sums, row: int, scale: np.ndarray | None, most: int) -> tuple[list[int], list[float]]:
    """The list of one product, from plain counts."""
    total = sum(sums[row].values())
    found = []
    for column, value in sums[row].items():
        worth = value / total if scale is None else scale[row] * value * scale[column]
        found.append((-worth, column))
    found.sort()
    return [column for _, column in found[:most]], [-worth for worth, _ in found[:most]]


def assert_lists(lists: dict[str, np.ndarray], name: str, sums: Sums, scale: np.ndarray | None, n: int) -> None:
    for row in range(n):
        near = slice(lists[f"{name}_indptr"][row], lists[f"{name}_indptr"][row + 1])
        columns, values = best(sums, row, scale, NEAREST)
        assert np.allclose(lists[f"{name}_values"][near], values, rtol=1e-6)
        assert sorted(lists[f"{name}_indices"][near].tolist()) == sorted(columns)


@given(histories())
@settings(max_examples=60, deadline=None)
def test_lists_of_sessions_hold_what_counting_by_hand_gives(history: list[Event]) -> None:
    log = TrainingLog.from_events([history])
    n, together, after, path = len(log.items), defaultdict(Counter), defaultdict(Counter), defaultdict(Counter)
    sessions: dict[int, list[int]] = defaultdict(list)
    for item, session, action in zip(log.item.tolist(), log.session.tolist(), log.action.tolist(), strict=True):
        if action == VIEW:
            sessions[session].append(item)
    for views in sessions.values():
        for here, one in enumerate(views):
            for distance in range(1, WINDOW + 1):
                other = views[here + distance] if here + distance < len(views) else one
                if other != one:
                    together[one][other] += ONE // distance
                    together[other][one] += ONE // distance
                    after[one][other] += ONE if distance == 1 else 0
                    path[one][other] += ONE // distance if distance <= PATH else 0
    views = np.bincount(log.item[log.action == VIEW], minlength=n)
    seen = log.action == VIEW
    lists = viewed_lists(log.item[seen], starts_of(log.session[seen]), n)
    assert_lists(lists, "viewed", together, 1 / np.sqrt(np.maximum(views, 1)), n)
    for name, sums in (("next", after), ("path", path)):
        assert_lists(lists, name, {row: +counter for row, counter in sums.items()} | _none(sums, n), None, n)


def _none(sums: Sums, n: int) -> Sums:
    return {row: Counter() for row in range(n) if row not in sums}


@given(histories())
@settings(max_examples=40, deadline=None)
def test_lists_of_orders_hold_what_counting_by_hand_gives(history: list[Event]) -> None:
    log = TrainingLog.from_events([history])
    purchases, n = log.purchases(), len(log.items)
    orders = Orders.of(purchases, NOW, 8 * DAY)
    weight: dict[int, int] = dict(zip(np.unique(purchases.basket).tolist(), orders.weight.tolist(), strict=True))
    baskets: dict[int, set[int]] = defaultdict(set)
    for item, basket in zip(purchases.item.tolist(), purchases.basket.tolist(), strict=True):
        baskets[basket].add(item)
    shared, total = defaultdict(Counter), np.zeros(n)
    for basket, items in baskets.items():
        for one in items:
            total[one] += weight[basket]
            for other in items - {one}:
                shared[one][other] += weight[basket]
    assert orders.totals().tolist() == total.tolist()
    assert_lists(bought_lists(orders), "bought", shared, 1 / np.sqrt(np.maximum(total, 1)), n)


@given(histories(), st.integers(0, 4))
@settings(max_examples=20, deadline=None)
def test_forgetting_is_like_never_having_been_there(history: list[Event], who: int) -> None:
    log = TrainingLog.from_events([history])
    learnt = train(log, now=NOW)
    after = forget(bundle("behaviour", learnt), [f"u:{who}"])
    others = TrainingLog.from_events([[one for one in history if one.profile_id != f"u:{who}"]], items=log.items)
    others = capped(others)
    expected = learn_behaviour(others, now=NOW)
    assert expected.keys() == after.keys() - log.arrays().keys()
    for name, array in expected.items():
        assert np.array_equal(after[name], array), name
    for name, array in others.arrays().items():
        if name not in ("log_session", "log_basket"):  # numbers of those that are gone are not given again
            assert np.array_equal(after[name], array), name


def test_a_visitor_leaves_a_trace_that_forgetting_removes() -> None:
    trained = bundle("behaviour", train(TrainingLog.from_events([events()]), now=NOW))
    after = forget(trained, ["u:7"])
    assert owner("u:7") in trained.arrays["log_owners"]
    assert owner("u:7") not in after["log_owners"]
    assert len(after["session_indptr"]) < len(trained.arrays["session_indptr"])
    again = forget(bundle("behaviour", train(TrainingLog.from_events([events()]), now=NOW)), ["u:nobody"])
    assert all(np.array_equal(again[name], array) for name, array in trained.arrays.items())


@pytest.mark.parametrize("rows", [1, 4097])
def test_the_log_survives_the_bundle(rows: int) -> None:
    log = TrainingLog.from_events([[event("Product Viewed", f"u:{one}", float(one), f"p{one}") for one in range(rows)]])
    read = TrainingLog.from_arrays(log.arrays(), log.items, log.timed)
    assert all(np.array_equal(array, read.arrays()[name]) for name, array in log.arrays().items())
    lists = viewed_lists(read.item, starts_of(read.session), len(read.items))
    assert len(lists["viewed_indptr"]) == rows + 1
