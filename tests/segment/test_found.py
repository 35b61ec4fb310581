"""One visitor at a time gives what all at once give, compiled or not; who must not be sorted is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtp_plugin.errors import ModelError
from mtp_plugin.ports import Bundle
from mtp_plugin.records import Context, Profile, Segment
from mtp_plugin.segment.found import FoundSegments, is_minor
from mtp_plugin.segment.kernels import nearest, nearest_plain
from mtp_plugin.segment.learn.bundle import learnt_bundle
from mtp_plugin.segment.learn.partition import Partition
from mtp_plugin.segment.learn.refresh import Plan, find_segments, project

from .test_planted import planted, table_of

values = st.floats(-5, 50, width=32) | st.just(float("nan"))


@st.composite
def worlds(draw):
    """A row, a scale, axes and points."""
    count, axes, points = draw(st.integers(1, 6)), draw(st.integers(1, 3)), draw(st.integers(1, 7))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    row = np.array(draw(st.lists(values, min_size=count, max_size=count)), dtype=np.float32)
    inverse = random.uniform(0.1, 2, size=count) * (random.random(count) < 0.8)
    labels = np.unique(random.integers(0, 4, size=points), return_inverse=True)[1].astype(np.int32)
    return (
        row, random.random(count) < 0.5, random.normal(size=count), inverse, 4.0,
        random.normal(size=(count, axes)), random.normal(size=(points, axes)), labels,
    )  # fmt: skip


@settings(max_examples=50)
@given(worlds())
def test_compiled_and_plain_agree(world):
    one, other = nearest(*world), nearest_plain(*world)
    assert one[1:] == pytest.approx(other[1:], rel=1e-9, abs=1e-12)
    assert one[0] == other[0] or one[1] == pytest.approx(one[2])


def served(count=4, min_age=18, **plan):
    table = table_of(planted()[0])
    found = find_segments(table, table.names, plan=Plan("kmeans", count, 10, **plan), seed=0)
    names = [f"s{place}" for place in range(found.partition.count)]
    learnt = learnt_bundle(
        found, table, [Segment(segment_id=name, name=name.upper()) for name in names], names,
        excluded=(), min_age=min_age, now=0.0,
    )  # fmt: skip
    bundle = Bundle(kind="segments", version="1", arrays=learnt.arrays, strings=learnt.strings, meta=learnt.meta)
    return table, found, bundle


def test_one_at_a_time_is_all_at_once():
    table, found, bundle = served()
    segments = FoundSegments(bundle, lambda profile, now: table.values[0])
    labels, _ = found.partition.assign(project(table.values, found.scaling, found.components))
    placed = [segments.place(row) for row in table.values]
    assert [label for label, _ in placed] == labels.tolist()
    assert all(0 <= sure <= 1 for _, sure in placed)


def test_the_clear_are_surer_than_those_between():
    table, found, bundle = served()
    segments = FoundSegments(bundle, lambda profile, now: table.values[0])
    centre, other = (table.values[found.labels == label].mean(axis=0) for label in (0, 1))
    assert segments.place(centre)[1] > segments.place((centre + other) / 2)[1]
    assert segments.place(centre)[1] > segments.place(centre * 30)[1], "far from everybody nobody is sure"


def test_who_is_unknown_or_too_young_has_no_segment():
    table, _, bundle = served()
    segments = FoundSegments(bundle, lambda profile, now: table.values[0])
    grown = Profile(profile_id="a:1", events=1)
    assert segments.assign(grown, Context(), 0.0) is not None
    assert segments.assign(None, Context(), 0.0) is None
    assert segments.assign(Profile(profile_id="a:1"), Context(), 0.0) is None
    assert segments.assign(Profile(profile_id="a:1", events=1, traits={"age": 12}), Context(), 0.0) is None


@pytest.mark.parametrize(
    ("traits", "minor"),
    [
        ({}, False), ({"age": 17}, True), ({"age": 18}, False), ({"age_band": "13-17"}, True),
        ({"age_band": "18-24"}, False), ({"age_band": "65+"}, False), ({"age_band": "under 18"}, True),
        ({"age": "17"}, True), ({"age": "unknown"}, False), ({"minor": True}, True), ({"minor": False}, False),
        ({"age": True}, False),
    ],
)  # fmt: skip
def test_minors_are_told_by_their_traits(traits, minor):
    assert is_minor(traits, 18) is minor
    assert is_minor(traits, 0) is False


def test_a_bundle_of_another_format_is_refused():
    _, _, bundle = served()
    strange = Bundle(kind="segments", version="1", arrays={}, strings=bundle.strings, meta={"format": 99})
    with pytest.raises(ModelError, match="refresh"):
        FoundSegments(strange, lambda profile, now: np.zeros(1))


def test_without_points_nobody_is_sorted():
    nobody = Partition("kmeans", np.zeros((0, 2)), np.zeros(0, dtype=np.int32))
    assert nobody.assign(np.ones((3, 2)))[0].tolist() == [-1, -1, -1]
    assert nobody.count == 0
