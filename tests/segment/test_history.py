"""From refresh to refresh: ids go on, what happened is remembered, features that moved are named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.conditions import compile_condition
from mtp_plugin.profile.features import features_of
from mtp_plugin.records import Context
from mtp_plugin.segment.learn.drift import deciles, drift, index, portions
from mtp_plugin.segmenting import refresh_segments
from mtp_plugin.state import State

from ..core.shops import mounted
from .visitors import DAY, T0, products, visits

NOW = T0 + 3600


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """A shop whose segments were found, found again after more visits, and found with another number of them."""
    app, state = mounted(tmp_path_factory.mktemp("shop"), products(), MTP_SEGMENT_COUNT=3)
    with app.app_context():
        for events in visits(180):
            state.pipeline.ingest(events)
        _refresh(state, NOW)
        for events in visits(240, seed=2)[180:]:
            state.pipeline.ingest(events)
        _refresh(state, NOW + 7 * DAY, seed=3)
    yield state
    state.close()


def _refresh(state: State, now: float, seed: int = 0) -> None:
    parts: Any = (state.journal, state.registry, state.segments, state.settings)
    refresh_segments(*parts, now=now, seed=seed, progress=lambda text: None)
    state.pipeline.live.refresh()


def test_ids_go_on_and_moves_are_counted(state: State) -> None:
    second, first = state.segments.refreshes()
    assert {one.segment_id for one in second.segments} == {one.segment_id for one in first.segments}
    assert {change.kind for change in second.changes} == {"kept"}
    assert second.kept_id == 1.0
    assert (first.visitors, second.visitors) == (180, 240)
    assert sum(move.count for move in second.moves if not move.before) == 60
    assert sum(move.count for move in second.moves) == 240
    members = dict(pair for batch in state.segments.members() for pair in batch)
    sizes = {one.segment_id: one.size for one in second.segments}
    assert {name: list(members.values()).count(name) for name in sizes} == sizes


def test_what_is_remembered_is_what_serves(state: State) -> None:
    second, first = state.segments.refreshes()
    segments = state.pipeline.live.get().segments.all()
    assert [(one.segment_id, one.name, one.size) for one in segments] == [
        (one.segment_id, one.name, one.size) for one in second.segments
    ]
    assert {one.created_at for one in segments} == {first.refreshed_at}
    assert {one.refreshed_at for one in segments} == {second.refreshed_at}
    assert len({one.name for one in segments}) == len(segments)
    assert second.drift["recency_days"] > 0.25, "a week went by"


def test_rules_of_the_bundle_find_members_by_their_facts(state: State) -> None:
    """The rule alone, by compiled conditions on what a profile says online, against who is assigned where."""
    serving, now = state.pipeline.live.get().segments, NOW + 7 * DAY
    profiles = [p for ids in state.journal.profile_ids() for p in state.journal.profiles(ids) if p]
    assigned = [ref.segment_id if (ref := serving.assign(p, Context(), now)) else "" for p in profiles]
    facts = [{"profile": features_of(p, now)} for p in profiles]
    for segment in serving.all():
        condition = compile_condition(segment.rule)
        held = np.array([condition(one) for one in facts])
        mine = np.array([name == segment.segment_id for name in assigned])
        assert segment.precision is not None
        # Printed for the half held out: a share of about 40 people has a standard error of at most .08.
        assert abs((held & mine).sum() / held.sum() - segment.precision) < 0.25
        assert (held & mine).sum() / held.sum() > 0.7


@given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.integers(1, 4))
def test_what_did_not_move_is_not_said_to(seed: int, n: int, columns: int) -> None:
    values = np.random.default_rng(seed).normal(size=(n, columns)).astype(np.float32)
    values[np.random.default_rng(seed).random(values.shape) < 0.2] = np.nan
    edges = deciles(values)
    before = portions(values, edges)
    assert np.allclose(before.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(index(before, portions(values[::-1], edges)), 0)
    names = [f"f{at}" for at in range(columns)]
    assert drift((names, edges, before), names, values) == {}


def test_what_moved_comes_first() -> None:
    values = np.random.default_rng(0).normal(size=(2000, 3)).astype(np.float32)
    edges = deciles(values)
    later = values + np.array([0.0, 3.0, 0.7], dtype=np.float32)
    found = drift((("a", "b", "c"), edges, portions(values, edges)), ("c", "b", "new"), later[:, [2, 1, 0]])
    assert list(found) == ["b", "c"]
    assert found["b"] > 1 > found["c"] > 0.1
