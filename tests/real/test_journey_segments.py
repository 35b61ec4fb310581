"""Segments of real households: ids live on from refresh to refresh, rules hold on who was held out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mtp_plugin.segment.learn.describe import Described, Past, describe
from mtp_plugin.segment.learn.refresh import Before, Plan, find_segments, scaled_means
from mtp_plugin.segment.matrix import FeatureTable
from mtp_plugin.segmenting import WEIGHTS, groups_of

from .journey import WEEK, features, read_orders

HOUSEHOLDS = 500
SEGMENTS = 8


def refresh(
    table: FeatureTable, past: Past, now: float, seed: int, before: Before | None = None
) -> tuple[Described, dict[str, str], Before]:
    """Segments of a window, who is in which, and where the next refresh begins."""
    plan = Plan("kmeans", SEGMENTS, 20, WEIGHTS)
    found = find_segments(table, groups_of(table.names), plan=plan, seed=seed, before=before)
    count = found.partition.count
    alone = np.full(count, -1, dtype=np.int32)
    told = describe(table, found.labels, count, stability=None, parents=alone, past=past, now=now, seed=seed)
    return told, dict(told.members(table, found.labels)), Before(table.names, scaled_means(table, found))


@pytest.fixture(scope="module")
def windows(test_data: Path) -> list[tuple[FeatureTable, float]]:
    """Forty weeks, and the forty that begin a week later."""
    orders, products = read_orders(test_data, HOUSEHOLDS)
    start = min(events[0].timestamp for events in orders.values())
    spans = [(start + shift * WEEK, start + (40 + shift) * WEEK) for shift in (0, 1)]
    return [(features(orders, products, since, until), until) for since, until in spans]


@pytest.mark.data
def test_who_stays_with_the_group_keeps_its_id(windows: list[tuple[FeatureTable, float]]) -> None:
    (first, then), (second, later) = windows
    before, members, start = refresh(first, Past(), then, seed=0)
    past = Past(before.segments, members, tuple(members.values()))
    after, now, _ = refresh(second, past, later, seed=1, before=start)
    assert after.kept_id is not None
    assert after.kept_id >= 0.9
    names = {one.segment_id: one.name for one in before.segments}
    lasting = [one for one in after.segments if one.segment_id in names]
    assert len(lasting) >= len(before.segments) / 2
    # Households in the same segment a week later, those included who went over to another one: far above chance.
    same = np.mean([members[who] == now[who] for who in members.keys() & now.keys()])
    assert same > 0.5
    assert np.mean([names[one.segment_id] == one.name for one in lasting]) >= 0.5


@pytest.mark.data
def test_names_of_real_segments_are_all_different(windows: list[tuple[FeatureTable, float]]) -> None:
    told, *_ = refresh(windows[0][0], Past(), windows[0][1], seed=0)
    names = [one.name for one in told.segments]
    assert len(set(names)) == len(names)
    assert not any("no. " in name for name in names), "something true tells each from the others"
