"""One browser that sends event after event weighs no more than a busy visitor."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtp_plugin.candidates.forget import forget
from mtp_plugin.candidates.learn.behaviour import learn_behaviour
from mtp_plugin.candidates.learn.cap import MOST_A_DAY, MOST_OF_ONE, capped
from mtp_plugin.candidates.learn.experts import history_before
from mtp_plugin.candidates.log import ACTION_CODES, PURCHASE, VIEW, TrainingLog
from mtp_plugin.candidates.train import train
from mtp_plugin.records import Event

from .shop import DAY, bundle, event, events

NOW = 100 * DAY


def flood(n: int, product: str = "p095", visitor: str = "u:flood") -> list[Event]:
    """One visitor who sends *n* views of a product within an hour."""
    return [event("Product Viewed", visitor, 25 * DAY + 3600.0 * place / n, product) for place in range(n)]


def test_a_flood_from_one_browser_weighs_as_much_as_a_few_views() -> None:
    """Views of one product count up to the limit; a thousand times as many change nothing."""
    few, many = flood(MOST_OF_ONE), flood(MOST_OF_ONE * 1_000)
    calm = train(TrainingLog.from_events([events() + few]), now=NOW)
    loud = train(TrainingLog.from_events([events() + many]), now=NOW)
    code = calm.strings["items"].index("p095")
    assert loud.meta["interactions"] == calm.meta["interactions"]
    for name in ("popular", "lately", "trending"):
        assert loud.arrays[name][code] == pytest.approx(calm.arrays[name][code], rel=0.1)


def test_a_flood_of_many_products_is_bounded_by_the_day() -> None:
    found = [event("Product Viewed", "u:flood", DAY + 40.0 * place, f"p{place % 96:03}") for place in range(2_000)]
    log = TrainingLog.from_events([found])
    assert len(capped(log)) == MOST_A_DAY
    assert capped(log).item.tolist() == log.item[:MOST_A_DAY].tolist(), "the earliest stay"


def test_orders_count_whole_whatever_else_the_day_brought() -> None:
    order = event("Order Completed", "u:flood", DAY + 80_000.0, *(f"p{one:03}" for one in range(60)))
    views = [event("Product Viewed", "u:flood", DAY + 40.0 * place, f"p{place % 96:03}") for place in range(1_000)]
    assert len(capped(TrainingLog.from_events([[*views, order]])).purchases()) == 60


def test_a_day_starts_anew() -> None:
    days = [event("Product Viewed", "u:1", day * DAY + 60.0 * turn, "p001") for day in range(3) for turn in range(20)]
    assert len(capped(TrainingLog.from_events([days]))) == 3 * MOST_OF_ONE


def test_a_log_within_the_limits_stays_as_it_is() -> None:
    log = TrainingLog.from_events([events()])
    assert capped(log) is log


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 3 * 24 * 60)),
        min_size=1,
        max_size=120,
        unique=True,
    )
)
@settings(max_examples=60, deadline=None)
def test_the_limits_look_at_one_visitor_at_a_time(history: list[tuple[int, int, int]]) -> None:
    """So that a bundle that kept a log within the limits can lose a visitor exactly."""
    found = [event("Product Viewed", f"u:{who}", at * 60.0, f"p{what}") for who, what, at in history]
    log = TrainingLog.from_events([found])
    whole = capped(log)
    for visitor in range(len(log.owners)):
        rest = capped(log.take(log.visitor != visitor))
        without = whole.take(whole.visitor != visitor)
        assert rest.item.tolist() == without.item.tolist()
        assert rest.time.tolist() == without.time.tolist()


def test_a_flood_is_forgotten_like_everybody_else() -> None:
    log = TrainingLog.from_events([events() + flood(500, "p001")])
    trained = bundle("behaviour", train(log, now=NOW))
    after = forget(trained, ["u:flood"])
    without = TrainingLog.from_events([events()], items=log.items)
    for name, array in learn_behaviour(without, now=NOW).items():
        assert np.array_equal(after[name], array), name


def test_what_the_limits_took_from_the_start_of_a_session_hides_no_other_session() -> None:
    """Weights are learnt from what was before a moment; a session may now begin later than one with a higher number."""
    busy = flood(MOST_OF_ONE)
    busy += [event("Product Viewed", "u:flood", 25 * DAY + 7200.0 + 1000.0 * place, "p095") for place in range(5)]
    busy += [event("Product Viewed", "u:flood", 25 * DAY + 13_000.0, "p001")]
    busy += [event("Product Viewed", f"u:{place}", 25 * DAY + 8000.0 + place, "p002") for place in range(4)]
    log, cut = capped(TrainingLog.from_events([busy])), 25 * DAY + 12_500.0
    starts = log.time[np.flatnonzero(np.diff(log.session, prepend=-1))]
    assert (np.diff(starts) < 0).any()
    before = history_before(log, cut)
    assert sorted(before.time[before.action == VIEW]) == sorted(log.time[log.time < cut])
    assert len(history_before(log, 0.0)) == 0


rows_of_anyone = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from(sorted(ACTION_CODES.values())), st.integers(0, 9)),
    max_size=120,
)


@given(rows_of_anyone, st.booleans())
def test_what_is_left_out_is_what_counting_says(rows: list[tuple[int, int, int, int]], timed: bool) -> None:
    """Row by row with dictionaries, whatever the order of days and the actions."""
    visitor, item, action, half_day = np.array(rows or [(0, 0, VIEW, 0)], dtype=np.int32).T.copy()
    none = np.full(len(item), -1, dtype=np.int32)
    log = TrainingLog(
        visitor, item, half_day * DAY / 2, action.astype(np.int8), np.arange(len(item), dtype=np.int32), none,
        np.arange(3), ("a", "b", "c"), timed,
    )  # fmt: skip
    of_one: Counter[tuple[int, ...]] = Counter()
    looked: Counter[tuple[int, int]] = Counter()
    kept = []
    for row in range(len(log)):
        day = int(half_day[row]) // 2 if timed else 0
        what = (int(visitor[row]), day, int(item[row]), int(action[row]))
        of_one[what] += 1
        if of_one[what] > MOST_OF_ONE:
            continue
        looked[what[:2]] += int(action[row]) != PURCHASE
        if looked[what[:2]] <= MOST_A_DAY or action[row] == PURCHASE:
            kept.append(row)
    found = capped(log)
    assert found.session.tolist() == kept
    assert (found is log) == (len(kept) == len(log))
