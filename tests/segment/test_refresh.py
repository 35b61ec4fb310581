"""From events to segments in slates."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from mtp_plugin.records import ConsentLevel, Context, SlateRequest
from mtp_plugin.segmenting import TooFewVisitorsError, refresh_segments

from ..core.shops import mounted
from .visitors import KINDS, T0, products, view, visits

NOW = T0 + 3600


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A shop with 240 visitors and segments found."""
    app, state = mounted(tmp_path_factory.mktemp("shop"), products(), MTP_SEGMENT_COUNT=3)
    with app.app_context():
        for events in visits(240):
            state.pipeline.ingest(events)
        refresh_segments(state.journal, state.registry, state.segments, state.settings, now=NOW, seed=0, progress=print)
        state.pipeline.live.refresh()
    yield app, state
    state.close()


def segment_of(state, visitor):
    profile = state.journal.profiles([f"a:v{visitor}"])[0]
    return state.pipeline.live.get().segments.assign(profile, Context(), NOW)


def test_planted_kinds_are_kept_apart(shop):
    _, state = shop
    mixed = {kind: Counter() for kind in KINDS}
    for visitor in range(240):
        mixed[list(KINDS)[visitor % 3]][segment_of(state, visitor).segment_id] += 1
    owner = {name: max(mixed, key=lambda kind: mixed[kind][name]) for counts in mixed.values() for name in counts}
    right = sum(count for kind, counts in mixed.items() for name, count in counts.items() if owner[name] == kind)
    assert right / 240 > 0.97


def test_every_slate_says_its_segment(shop):
    _, state = shop
    request = SlateRequest(
        placement="home-hero", now=NOW, consent_level=ConsentLevel.FULL, profile_ids=("a:v3",), limit=3
    )
    slate = state.pipeline.recommend(request)
    assert slate.segment == segment_of(state, 3)
    assert 0 <= slate.segment.confidence <= 1


def test_a_segment_can_be_asked_for(shop):
    _, state = shop
    segments = state.pipeline.live.get().segments
    one = segments.all()[0]
    request = SlateRequest(placement="home-hero", now=NOW, segment_id=one.segment_id)
    assert state.pipeline.recommend(request).segment.name == one.name


def test_no_segment_is_smaller_than_the_floor(shop):
    _, state = shop
    assert all(one.size >= state.settings.segment_min_size for one in state.pipeline.live.get().segments.all())


def test_membership_follows_the_next_event(shop):
    _, state = shop
    segments, facts = state.pipeline.live.get().segments, state.pipeline.live.get().table.facts
    profile, found = None, []
    for number, kind in enumerate(("lamps", *["watches"] * 8)):
        viewed = view(kind, number, NOW - 600 + number, "Order Completed" if number == 8 else "Product Viewed")
        profile = state.pipeline.fold(profile, [viewed], facts)
        found.append(segments.assign(profile, Context(), NOW).segment_id)
    assert len(set(found)) == 2, "one kind of visitor, then another"
    assert found[0] != found[-1]


def test_the_same_seed_finds_the_same(shop):
    _, state = shop
    first, second = (
        state.registry.load(
            "segments",
            refresh_segments(
                state.journal, state.registry, state.segments, state.settings, now=NOW, seed=4, progress=print
            ),
        )
        for _ in range(2)
    )
    assert all((first.arrays[name] == second.arrays[name]).all() for name in ("points", "labels", "components"))


def test_a_shop_without_visitors_is_told_so(tmp_path):
    app, state = mounted(tmp_path, products())
    with app.app_context(), pytest.raises(TooFewVisitorsError, match="there are 0 visitors"):
        refresh_segments(state.journal, state.registry, state.segments, state.settings, now=NOW, seed=0, progress=print)
    state.close()


def test_the_command_refreshes(shop):
    app, _ = shop
    done = app.test_cli_runner().invoke(args=["mtp", "segments", "refresh", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["segments"]
