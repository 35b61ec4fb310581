"""From a visitor to a segment to another slate; and a segment's slate for whoever asks for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtp_plugin.candidates.log import TrainingLog, owner
from mtp_plugin.candidates.mixture import evidence
from mtp_plugin.memberships import Sorter, membership_now, past_of
from mtp_plugin.records import ConsentLevel, Context, SegmentRef, Slate, SlateRequest
from mtp_plugin.state import State

from .sorted_shop import EACH, KINDS, sorted_shop, viewed


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """Made once: what these tests add is of visitors of their own."""
    found = sorted_shop(Path(tmp_path_factory.mktemp("sorted")))[1]
    yield found
    found.close()


def ask(state: State, visitor: str = "", placement: str = "home-trending", **more: Any) -> Slate:
    level = ConsentLevel.FULL if visitor else more.pop("level", ConsentLevel.NON_PERSONAL)
    ids = (f"a:{visitor}",) if visitor else ()
    return state.pipeline.recommend(
        SlateRequest(placement=placement, now=time.time(), consent_level=level, profile_ids=ids, **more)
    )


def ids(slate: Slate) -> list[str]:
    return [item.product_id for item in slate.items]


def kinds(slate: Slate) -> list[int]:
    return [int(name[1:]) % 3 for name in ids(slate)]


def segments_of(state: State) -> list[str]:
    """The segment that most of each kind are in."""
    found = []
    for name in KINDS:
        refs = [ask(state, f"{name}-{number}").segment for number in range(EACH)]
        named = [ref.segment_id for ref in refs if ref]
        found.append(max(set(named), key=named.count))
    return found


def test_each_kind_has_a_segment_and_a_slate_of_its_own(state: State) -> None:
    assert len(set(segments_of(state))) == 3
    for kind, name in enumerate(KINDS):
        slate = ask(state, f"{name}-1")
        assert slate.segment is not None
        assert 0.0 < slate.segment.confidence <= 1.0
        assert kinds(slate)[0] == kind
        assert "segment-popular" in slate.items[0].reason_codes


@pytest.mark.parametrize("placement", ["home-hero", "home-trending", "category-top"])
def test_a_segment_is_answered_alike_to_all_and_from_the_cache(state: State, placement: str) -> None:
    for kind, segment_id in enumerate(segments_of(state)):
        first = ask(state, placement=placement, segment_id=segment_id)
        assert first.segment is not None
        assert (first.segment.segment_id, first.segment.confidence) == (segment_id, 1.0)
        assert kinds(first)[0] == kind
        assert all(kinds(first).count(kind) >= kinds(first).count(other) for other in range(3))
        again = ask(state, placement=placement, segment_id=segment_id)
        assert again.recommendation_id == first.recommendation_id, "out of the cache"
        for other in KINDS:  # whoever asks: with a past, with a cart
            own = ask(state, f"{other}-2", placement, segment_id=segment_id)
            assert ids(own) == ids(first)
            assert own.recommendation_id != first.recommendation_id, "what a known visitor saw is told apart"


def test_a_segment_slate_leaves_out_what_is_in_the_cart(state: State) -> None:
    segment_id = segments_of(state)[0]
    first = ids(ask(state, segment_id=segment_id))
    with_cart = ask(state, level=ConsentLevel.CONTEXTUAL, segment_id=segment_id, cart_ids=tuple(first[:2]))
    assert not set(first[:2]) & set(ids(with_cart))
    assert kinds(with_cart)[0] == 0


def test_no_profile_no_segment(state: State) -> None:
    """Whatever is known of a request alone: answers below full consent are shared."""
    context = Context(device="mobile", daypart="evening", country="DE")
    for level in (ConsentLevel.NON_PERSONAL, ConsentLevel.CONTEXTUAL):
        assert ask(state, level=level, context=context).segment is None
    assert ask(state, "never-seen").segment is None


def test_segment_and_confidence_are_logged_and_replay(state: State) -> None:
    slate = ask(state, "lamps-3", "home-hero")
    state.slates.flush()
    entry = state.slates.get(slate.recommendation_id)
    assert entry is not None
    assert entry.slate.segment == slate.segment
    assert entry.versions["segments"] == state.pipeline.live.get().versions[3]
    again = state.pipeline.recommend(entry.request)
    assert again.segment == slate.segment
    assert [(item.product_id, item.score) for item in again.items] == [
        (item.product_id, item.score) for item in slate.items
    ]
    asked_for = ask(state, "bags-3", segment_id=slate.segment.segment_id if slate.segment else "")
    state.slates.flush()
    entry = state.slates.get(asked_for.recommendation_id)
    assert entry is not None
    assert entry.profile is None, "a segment's slate was not made of anybody's profile"


def test_who_is_little_known_leans_on_content(state: State) -> None:
    """One view leans on what things are like; a well known visitor on what people did. Both say so."""
    state.pipeline.ingest([viewed("newcomer", "p04", time.time() - 30)])
    codes = {}
    for visitor in ("newcomer", "lamps-4"):
        slate = ask(state, visitor, "home-hero")
        assert slate.segment is not None
        codes[visitor] = [code for item in slate.items for code in item.reason_codes if code.startswith("leans-on")]
        assert codes[visitor]
    shares = {name: found.count("leans-on-content") / len(found) for name, found in codes.items()}
    assert shares["newcomer"] > shares["lamps-4"]


def test_the_past_is_as_it_was(state: State) -> None:
    """What weights are learnt from knows nothing of what came after: neither profile nor segment."""
    log = TrainingLog.from_interactions(state.journal.interactions())
    sorter, table = Sorter.of(state.pipeline), state.pipeline.live.get().table
    today = membership_now(log, state.journal, sorter, time.time())
    past = past_of(log, state.journal, sorter, table, today, 0)
    assert len(past.choices) > 20
    for query, row in past.choices:
        profile = query.profile
        assert profile is not None
        assert profile.last_seen < query.now
        assert query.now >= past.cut
        assert query.segment == sorter.segment_of(profile, query.now)
        assert 0.0 <= evidence(query) <= 1.0
        seen = [event for event in state.journal.events_of(profile.profile_id) if event.timestamp == query.now]
        assert table.products[row].product_id in {one.product_id for event in seen for one in event.products}
    place = {int(number): at for at, number in enumerate(log.owners)}
    for profile_id in (f"a:{name}-{number}" for name in KINDS for number in range(0, EACH, 7)):
        then = int(past.membership.of_owner[place[owner(profile_id)]])
        before = tuple(e for e in state.journal.events_of(profile_id) if e.timestamp < past.cut)
        known = sorter.segment_of(sorter.fold(None, before), past.cut) if before else None
        if then >= 0:
            segment_id = past.membership.segment_ids[then]
            came = log.time[log.visitor == place[owner(profile_id)]].max() >= past.cut
            assert not came or (known is not None and segment_id == known.segment_id)
    assert np.array_equal(today.visitors.sum(), (today.of_owner >= 0).sum())


def test_whoever_is_asked_about_is_in_the_segment_of_just_before(state: State) -> None:
    """What trees learn from: the segments at the cut, and of who chooses, fold the events before and none after."""
    log = TrainingLog.from_interactions(state.journal.interactions())
    sorter, table = Sorter.of(state.pipeline), state.pipeline.live.get().table
    today = membership_now(log, state.journal, sorter, time.time())
    then = past_of(log, state.journal, sorter, table, today, 0).earlier
    assert then is not None
    name_of = {owner(name): name for names in state.journal.profile_ids() for name in names}

    def before(visitor: int, moment: float) -> SegmentRef | None:
        events = list(state.journal.events_of(name_of[int(log.owners[visitor])]))
        early = tuple(event for event in sorted(events, key=lambda one: one.timestamp) if event.timestamp < moment)
        return sorter.segment_of(sorter.fold(None, early), moment) if early else None

    rows = np.random.default_rng(0).permutation(len(log))[:200]
    told = then.segments(log, rows, arriving=False)
    assert sum(one is not None for one in told) > 100
    assert list(told) == [before(int(log.visitor[row]), float(log.time[row])) for row in rows]
    told = then.segments(log, rows, arriving=True)
    came = [float(log.time[log.session == log.session[row]].min()) for row in rows]
    assert list(told) == [before(int(log.visitor[row]), moment) for row, moment in zip(rows, came, strict=True)]
    cut = float(np.quantile(log.time, 0.6))
    members = then.membership(log.take(log.time < cut), cut)
    came = np.unique(log.visitor[log.time >= cut])
    known = [before(visitor, cut) for visitor in came.tolist()]
    ids = [today.segment_ids[place] if place >= 0 else None for place in members.of_owner[came].tolist()]
    assert ids == [one.segment_id if one else None for one in known]
    others = np.setdiff1d(np.arange(len(log.owners)), came)
    np.testing.assert_array_equal(members.of_owner[others], today.of_owner[others])
