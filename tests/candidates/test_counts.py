"""One visitor can be taken out of what models are learnt from, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtp_plugin.candidates.counts import Counts
from mtp_plugin.candidates.forget import forget
from mtp_plugin.candidates.learn.behaviour import learn_behaviour
from mtp_plugin.candidates.log import TrainingLog
from mtp_plugin.candidates.train import train
from mtp_plugin.errors import ModelError
from mtp_plugin.records import Event

from .shop import DAY, bundle, event, events

NOW = 100 * DAY
NAMES = ("Product Viewed", "Product Added", "Order Completed")


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


@given(histories())
@settings(max_examples=60, deadline=None)
def test_counts_lose_a_visitor_exactly(history: list[Event]) -> None:
    log = TrainingLog.from_events([history])
    whole = Counts.of(log, NOW, 14 * DAY)
    for visitor in range(len(log.visitors)):
        rest = Counts.of(log.without_visitor(visitor), NOW, 14 * DAY)
        assert (whole - Counts.of(log.of_visitor(visitor), NOW, 14 * DAY)).same(rest)


@given(histories())
@settings(max_examples=20, deadline=None)
def test_counts_survive_the_bundle(history: list[Event]) -> None:
    counts = Counts.of(TrainingLog.from_events([history]), NOW, 14 * DAY)
    assert Counts.from_arrays(counts.arrays(), len(counts.items["views"])).same(counts)


def test_different_counts_are_told_apart() -> None:
    log = TrainingLog.from_events([events()])
    assert not Counts.of(log, NOW, 14 * DAY).same(Counts.of(log.without_visitor(0), NOW, 14 * DAY))


def test_forgetting_is_like_never_having_been_there() -> None:
    found = events()
    log = TrainingLog.from_events([found])
    learnt = train(log, now=NOW)
    trained = bundle("behaviour", learnt)
    theirs = [one for one in found if one.profile_id == "u:7"]
    after = forget(trained, TrainingLog.from_events([theirs], items=trained.strings["items"]))

    others = TrainingLog.from_events([[one for one in found if one.profile_id != "u:7"]], items=log.items)
    without = Counts.of(others, NOW, trained.meta["half_life"])
    assert Counts.from_arrays(after, len(log.items)).same(without)
    expected = learn_behaviour(others, now=NOW)
    for name in ("session_indptr", "session_items", "item_sessions", "basket_session_items", "user_session_items"):
        assert np.array_equal(after[name], expected[name]), name
    for name in ("viewed_indices", "viewed_values", "bought_values", "next_values", "session_owners"):
        assert np.array_equal(after[name], expected[name]), name
    assert len(after["session_owners"]) < len(learnt.arrays["session_owners"])


def test_events_the_model_never_saw_are_refused() -> None:
    trained = bundle("behaviour", train(TrainingLog.from_events([events()]), now=NOW))
    strange = TrainingLog.from_events(
        [[event("Product Viewed", "u:7", 1.0, "unheard-of")]], items=trained.strings["items"]
    )
    with pytest.raises(ModelError, match="not trained on"):
        forget(trained, strange)
