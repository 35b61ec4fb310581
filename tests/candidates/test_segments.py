"""A segment's own popularity: its parent's where it did too little, and everybody's where it is unsure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtp_plugin.candidates.forget import forget
from mtp_plugin.candidates.learn.segment_rankings import FEWEST, smoothed
from mtp_plugin.candidates.log import TrainingLog
from mtp_plugin.candidates.membership import EVERYBODY, Membership
from mtp_plugin.candidates.recommender import BIT, Recommender
from mtp_plugin.candidates.train import Learnt, train
from mtp_plugin.records import Event, Query, SegmentRef, Strategy

from .shop import DAY, bundle, event, table

NOW = 29.1 * DAY
RANKED = (Strategy.TRENDING_ITEMS, Strategy.BEST_SELLERS, Strategy.RECOMMENDED_FOR_YOU)


def visit(visitor: str, kind: int, number: int) -> list[Event]:
    """Views and an order of products of one kind."""
    ids = [f"p{kind + 6 * ((number + step) % 5):03}" for step in range(3)]
    time = (26 + number % 4) * DAY
    seen = [event("Product Viewed", visitor, time + step, one) for step, one in enumerate(ids)]
    return [*seen, event("Order Completed", visitor, time + 100, ids[0])]


def history(lamps: int = 120, cups: int = 90, few: int = 5) -> tuple[list[Event], dict[str, str]]:
    """Lovers of lamps (kind 0), of cups (kind 2), of clocks (kind 5): the segment of each by visitor."""
    groups = (("lamps", 0, lamps), ("cups", 2, cups), ("clocks", 5, few))
    events, segment_of = [], {}
    for name, kind, count in groups:
        for number in range(count):
            visitor = f"u:{name}{number}"
            events += visit(visitor, kind, number)
            segment_of[visitor] = name
    return events, segment_of


def learnt(parent_of: Mapping[str, str] | None = None) -> Learnt:
    events, segment_of = history()
    log = TrainingLog.from_events([events])
    return train(log, table=table(), now=NOW, membership=Membership.of(log, segment_of, parent_of))


@pytest.fixture(scope="module")
def shop() -> Recommender:
    return Recommender(table(), bundle("behaviour", learnt()))


def ask(shop: Recommender, strategy: Strategy, segment: SegmentRef | None, k: int = 8) -> list[int]:
    rows: list[int] = shop.candidates(strategy, Query(now=NOW, segment=segment), k).rows.tolist()
    return rows


def kinds(rows: list[int]) -> list[int]:
    return [row % 6 for row in rows]


@pytest.mark.parametrize("strategy", RANKED)
def test_each_segment_has_its_own_order(shop: Recommender, strategy: Strategy) -> None:
    lamps = ask(shop, strategy, SegmentRef("lamps", "", 1.0), 5)
    cups = ask(shop, strategy, SegmentRef("cups", "", 1.0), 5)
    assert kinds(cups) == [2] * 5
    assert kinds(lamps) == [0] * 5


@pytest.mark.parametrize("strategy", RANKED)
def test_too_few_visitors_have_what_everybody_has(shop: Recommender, strategy: Strategy) -> None:
    plain = ask(shop, strategy, None) or ask(shop, strategy, SegmentRef("clocks", "", 0.0))
    found = shop.candidates(strategy, Query(now=NOW, segment=SegmentRef("clocks", "", 1.0)), 8)
    assert found.rows.tolist() == plain
    assert not (found.origins & BIT["segment-top"]).any(), "nothing is theirs, so nothing says so"


def test_too_few_visitors_have_what_their_parent_has() -> None:
    shop = Recommender(table(), bundle("behaviour", learnt({"clocks": "cups"})))
    for strategy in RANKED:
        assert ask(shop, strategy, SegmentRef("clocks", "", 1.0)) == ask(shop, strategy, SegmentRef("cups", "", 1.0))


@pytest.mark.parametrize("strategy", RANKED[:2])
@pytest.mark.parametrize("segment", [SegmentRef("never heard of", "", 1.0), SegmentRef("cups", "", 0.0)])
def test_unknown_or_unsure_is_everybody(shop: Recommender, strategy: Strategy, segment: SegmentRef) -> None:
    assert ask(shop, strategy, segment) == ask(shop, strategy, None)


def test_the_surer_the_more_of_the_segment(shop: Recommender) -> None:
    """What is popular with everybody gives way to the segment's step by step, and each says which it is."""
    of_cups = []
    for confidence in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        query = Query(now=NOW, segment=SegmentRef("cups", "", confidence))
        found = shop.candidates(Strategy.BEST_SELLERS, query, 8)
        of_cups.append(int((found.rows % 6 == 2).sum()))
        assert (np.diff(found.scores) <= 0).all()
        named = found.origins & BIT["segment-top"] > 0
        assert named.any() == (confidence > 0)
        assert not named[found.rows % 6 != 2].any()
    assert of_cups == sorted(of_cups)
    assert of_cups[0] < of_cups[-1]


def test_without_segments_nothing_changes() -> None:
    events, _ = history()
    log = TrainingLog.from_events([events])
    plain, with_segments = train(log, table=table(), now=NOW), learnt()
    assert set(plain.arrays) < set(with_segments.arrays)
    for name, values in plain.arrays.items():
        np.testing.assert_array_equal(values, with_segments.arrays[name])
    left, right = Recommender(table(), bundle("behaviour", plain)), Recommender(table(), bundle("behaviour", learnt()))
    for strategy in Strategy:
        one, other = (shop.candidates(strategy, Query(now=NOW, session=(0, 6)), 12) for shop in (left, right))
        np.testing.assert_array_equal(one.rows, other.rows)
        np.testing.assert_array_equal(one.scores, other.scores)


def test_forgetting_visitors_forgets_what_they_gave_their_segment() -> None:
    events, segment_of = history()
    gone = [name for name in segment_of if name.endswith("7")]
    forgot = forget(bundle("behaviour", learnt()), gone)
    rest = [one for one in events if one.profile_id not in gone]
    log = TrainingLog.from_events([rest], items=bundle("behaviour", learnt()).strings["items"])
    left = {name: segment for name, segment in segment_of.items() if name not in gone}
    fresh = train(log, table=table(), now=NOW, membership=Membership.of(log, left))
    for name in ("segment_popular", "segment_trending", "segment_sold", "segment_visitors"):
        np.testing.assert_allclose(forgot[name], fresh.arrays[name], rtol=1e-6)
    assert len(forgot["log_segment"]) == len(left)


counts = st.lists(st.lists(st.integers(0, 50), min_size=4, max_size=4), min_size=1, max_size=4)


@given(counts, st.floats(1.0, 1e6), st.data())
@settings(max_examples=100, deadline=None)
def test_laws_of_smoothing(rows: list[list[int]], prior: float, data: st.DataObject) -> None:
    """Shares lie between a segment's own and its parent's; no segment of too few visitors differs from its parent."""
    own = np.array(rows, dtype=np.float64)
    everybody = own.sum(axis=0) + 1.0
    parents = tuple(data.draw(st.integers(EVERYBODY, place - 1)) for place in range(len(rows)))
    visitors = np.array([data.draw(st.sampled_from((0, FEWEST - 1, FEWEST, 500))) for _ in rows])
    found = smoothed({"popular": own}, {"popular": everybody}, parents, visitors, prior)["popular"]
    for place, parent in enumerate(parents):
        above = everybody if parent == EVERYBODY else found[parent]
        shares, above = found[place] / found[place].sum(), above / above.sum()
        mine = own[place] / own[place].sum() if own[place].sum() and visitors[place] >= FEWEST else above
        assert (shares >= np.minimum(mine, above) - 1e-9).all()
        assert (shares <= np.maximum(mine, above) + 1e-9).all()


def test_a_parent_stands_before_its_children() -> None:
    none = np.zeros(0, dtype=np.int16)
    with pytest.raises(ValueError, match="before its children"):
        Membership(("a", "b"), (1, EVERYBODY), none)
    with pytest.raises(ValueError, match="2 segments have 1 parents"):
        Membership(("a", "b"), (EVERYBODY,), none)
    log = TrainingLog.from_events([[event("Product Viewed", "u:1", 1.0, "p001")]])
    found = Membership.of(log, {"u:1": "child", "u:2": "other"}, {"child": "parent"})
    assert found.segment_ids == ("other", "parent", "child") or found.segment_ids.index("parent") < 2
    assert found.segment_ids[int(found.of_owner[0])] == "child"
