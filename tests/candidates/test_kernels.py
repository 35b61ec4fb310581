"""The compiled kernels and their numpy twins say the same."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.candidates import (
    affinity,
    best_kernels,
    blend,
    feature_kernels,
    loudest,
    neighbours,
    personal,
    plain,
    recommender,
    related,
    scratch,
    session_expert,
)
from mtp_plugin.candidates.learn.session_index import last_view, session_index
from mtp_plugin.candidates.log import TrainingLog
from mtp_plugin.candidates.neighbours import SessionNeighbours
from mtp_plugin.candidates.origins import BIT
from mtp_plugin.candidates.recommender import Recommender
from mtp_plugin.candidates.related import Related, Vocabulary
from mtp_plugin.candidates.scratch import Scratch
from mtp_plugin.candidates.sources import USERS
from mtp_plugin.compiled import HAS_NUMBA
from mtp_plugin.records import Profile, Purchase, Query, SegmentRef

from . import test_segments
from .shop import bundle, events, learnt, table

N = 40


@pytest.fixture(params=["compiled", "plain"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "compiled" and not HAS_NUMBA:
        pytest.skip("numba can't be imported")
    _choose(monkeypatch, compiled=request.param == "compiled")
    return str(request.param)


def _choose(monkeypatch: pytest.MonkeyPatch, *, compiled: bool) -> None:
    for module in (loudest, neighbours, related, scratch, session_expert):
        monkeypatch.setattr(module, "HAS_NUMBA", compiled)
    for module in (affinity, blend, session_expert):
        monkeypatch.setattr(module, "how", feature_kernels if compiled else plain)
    for module in (personal, recommender):
        monkeypatch.setattr(module, "how", best_kernels if compiled else plain)


def _sessions() -> TrainingLog:
    random = np.random.default_rng(5)
    rows = [(f"s{one}", f"p{random.integers(N):02}", float(step)) for one in range(300) for step in range(6)]
    return TrainingLog.from_sessions(rows, timed=False)


def _by_hand(log: TrainingLog, index: SessionNeighbours, way: list[int], k: int) -> dict[int, float]:
    """Votes by the definition, session by session."""
    settings = neighbours.DEFAULTS[""]
    sessions: dict[int, list[int]] = {}
    for session, item in zip(log.session.tolist(), log.item.tolist(), strict=True):
        own = sessions.setdefault(session, [])
        if item in own:
            own.remove(item)
        own.append(item)
    kept = {one: items for one, items in sessions.items() if len(items) > 1}
    latest = list(dict.fromkeys(reversed(way)))
    steps = {item: list(reversed(way)).index(item) for item in latest}
    seen = {item: sum(item in items for items in kept.values()) for item in latest}
    age = {one: place / (len(kept) - 1) - 1 for place, one in enumerate(kept)}
    votes = {}
    for one, items in kept.items():
        common = [item for item in latest if item in items]
        weight = len(items) ** -settings["norm"] * np.exp(settings["age"] * age[one])
        worth = sum(np.exp(-steps[i] / settings["decay"]) * np.log1p(len(kept) / seen[i]) for i in common)
        if common:
            votes[one] = (weight * worth, items.index(common[0]))
    best = sorted(votes, key=lambda one: -votes[one][0])[:k]
    total: dict[int, float] = {}
    for one in best:
        vote, match = votes[one]
        for place, item in enumerate(kept[one]):
            total[item] = total.get(item, 0.0) + vote * np.exp(-abs(place - match) / settings["reach"])
    return total


def test_neighbours_vote_as_defined(way: str) -> None:
    log = _sessions()
    vocabulary = Vocabulary(log.items, {item: row for row, item in enumerate(log.items)}, len(log.items))
    found = SessionNeighbours(
        session_index(log.item, last_view(log), log.session, len(log.items)), vocabulary, {"neighbours": 25}
    )
    scratch = Scratch(len(log.items), found.n_sessions, 2)
    scratch.begin()
    found.vote(scratch, np.array([3, 7, 1], dtype=np.int32), np.array([0, 1, 3]), 0)
    votes = dict(zip(scratch.rows[: scratch.count].tolist(), scratch.columns[: scratch.count, 0].tolist(), strict=True))
    expected = _by_hand(log, found, [1, 3, 7, 3], 25)
    assert votes.keys() == expected.keys()
    assert [votes[item] for item in expected] == pytest.approx(list(expected.values()), rel=1e-4)


def test_spreading_adds_up_and_remembers_because_of_what(way: str) -> None:
    arrays = {
        "near_indptr": np.array([0, 2, 4, 4, 4]),
        "near_indices": np.array([1, 2, 2, 3], dtype=np.int32),
        "near_values": np.array([0.5, 0.25, 0.75, 0.1], dtype=np.float32),
    }
    vocabulary = Vocabulary(("a", "b", "c", "gone"), {"c": 0, "b": 1, "a": 2}, 3)
    near = Related("near", arrays, vocabulary)
    scratch = Scratch(3, 1, 2)
    scratch.begin()
    near.spread(scratch, np.array([2, 1], dtype=np.int32), np.array([1.0, 2.0], dtype=np.float32), 1)
    said = {
        int(row): (float(scratch.columns[at, 1]), int(scratch.anchor[at]))
        for at, row in enumerate(scratch.rows[: scratch.count])
    }
    assert said == {1: (0.5, 2), 0: (1.75, 1)}


def test_customers_vote_the_same_whatever_session_is_at_hand(way: str) -> None:
    """Sessions and customers are numbered from 0 each, and both are looked for in one query."""
    sources = Recommender(table(), bundle("behaviour", learnt(events()))).sources
    own, no_steps = np.arange(0, 96, 5, dtype=np.int32), np.zeros(20, dtype=np.int64)
    assert sources.users is not None

    def votes(session: tuple[int, ...]) -> dict[int, float]:
        scratch = sources.scratch()
        if session:
            session_expert.gather(sources, scratch, session)
        sources.users.vote(scratch, own, no_steps, USERS)
        said = scratch.columns[: scratch.count, USERS].tolist()
        return {row: vote for row, vote in zip(scratch.rows.tolist(), said, strict=False) if vote}

    assert votes((0, 6, 3, 4, 5)) == votes(())


def test_whole_recommendations_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Recommender(table(), bundle("behaviour", learnt(events())))
    queries = [Query(now=0.0, session=(one, (one * 7) % 96, one)) for one in range(0, 96, 5)]
    compiled = [found.candidates("recommended-for-you", query, 12) for query in queries]
    _choose(monkeypatch, compiled=False)
    for query, before in zip(queries, compiled, strict=True):
        after = found.candidates("recommended-for-you", query, 12)
        assert after.scores == pytest.approx(before.scores, rel=1e-3)
        assert after.origins.tolist() == before.origins.tolist()


def test_whole_recommendations_of_a_segment_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tastes, segments, purchases and what a score leans on, one product more and one less known at a time."""
    found = Recommender(test_segments.table(), bundle("behaviour", test_segments.learnt()))
    tastes = Profile(profile_id="u:1", affinities={"category": {"Home > Lamp": 3.0, "Home > Cup": 1.0}})
    buyer = msgspec.structs.replace(tastes, purchases=(Purchase("p3", 1, 2, 0.0, 9.0),), orders=2)
    queries = [
        Query(now=test_segments.NOW, session=(one, 5)[:known], history=(2, 8) * known, profile=profile, segment=segment)
        for one in range(0, 20, 3)
        for known in (0, 1, 2)
        for profile in (tastes, buyer)
        for segment in (None, SegmentRef("cups", "", 0.7))
    ]
    compiled = [found.candidates("recommended-for-you", query, 12) for query in queries]
    _choose(monkeypatch, compiled=False)
    for query, before in zip(queries, compiled, strict=True):
        after = found.candidates("recommended-for-you", query, 12)
        assert after.scores == pytest.approx(before.scores, rel=1e-3)
        same = np.diff(before.scores, prepend=np.inf) < -1e-6  # equals may stand either way
        assert after.rows[same[: len(after.rows)]].tolist() == before.rows[same].tolist()
        assert after.origins[same].tolist() == before.origins[same].tolist()
        assert after.anchors[same].tolist() == before.anchors[same].tolist()
    assert any((one.origins & BIT["segment-top"]).any() for one in compiled)
    assert any((one.origins & BIT["affinity"]).any() for one in compiled)


@given(
    st.lists(st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=30),
    st.integers(1, 12),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_the_best_places_are_those_of_a_full_sort(scores, k, masked, random):
    rows = random.sample(range(60), len(scores))
    allowed = [random.random() < 0.7 for _ in range(60)] if masked else []
    fit = [at for at, row in enumerate(rows) if scores[at] > -0.5 and (not masked or allowed[row])]
    expected = sorted(fit, key=lambda at: (-scores[at], rows[at]))[:k]
    arrays = np.array(scores, np.float32), np.array(rows, np.int32), np.array(allowed, np.bool_)
    for way in (best_kernels, plain):
        assert way.best_places(*arrays, -0.5, k).tolist() == expected
