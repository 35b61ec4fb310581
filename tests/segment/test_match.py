"""New clusters and old segments: what goes on keeps its id, and what happened is told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mtp_plugin.segment.learn.match import Match, match

Labels = NDArray[np.int32]


def labels(*sizes: int) -> Labels:
    return np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)


def changes(found: Match, kind: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(change.before, change.after) for change in found.changes if change.kind == kind]


@given(st.lists(st.integers(5, 40), min_size=1, max_size=7), st.data())
def test_relabelled_clusters_keep_their_ids(sizes: list[int], data: st.DataObject) -> None:
    old = labels(*sizes)
    order = np.array(data.draw(st.permutations(range(len(sizes)))), dtype=np.int32)
    ids = tuple(f"s{7 * at + 3}" for at in range(len(sizes)))
    found = match(ids, old, order[old], len(sizes))
    assert [found.segment_ids[order[at]] for at in range(len(sizes))] == list(ids)
    assert found.kept_id == 1.0
    assert {change.kind for change in found.changes} == {"kept"}
    assert all(move.before == move.after for move in found.moves)


@given(st.data())
def test_no_id_is_given_twice_and_everybody_is_counted_once(data: st.DataObject) -> None:
    n, k, count = data.draw(st.integers(1, 60)), data.draw(st.integers(0, 5)), data.draw(st.integers(1, 6))
    old = np.array(data.draw(st.lists(st.integers(-1, k - 1), min_size=n, max_size=n)), dtype=np.int32)
    new = np.array(data.draw(st.lists(st.integers(-1, count - 1), min_size=n, max_size=n)), dtype=np.int32)
    ids = [f"s{at + 1}" for at in range(k)]
    found = match(ids, old, new, count, used=("s41", "s9", "mine"))
    assert len(set(found.segment_ids)) == count
    assert all(name in ids or int(name[1:]) > 41 for name in found.segment_ids)
    assert sum(move.count for move in found.moves) == int(((old >= 0) | (new >= 0)).sum())
    assert found == match(ids, old, new, count, used=("s41", "s9", "mine"))


def test_the_first_refresh_has_only_new_ones() -> None:
    found = match((), np.full(50, -1, dtype=np.int32), labels(30, 20), 2)
    assert found.segment_ids == ("s1", "s2")
    assert changes(found, "new") == [((), ("s1",)), ((), ("s2",))]
    assert found.kept_id is None


def test_a_split_is_told_and_the_larger_part_goes_on() -> None:
    found = match(("s1", "s2"), labels(100, 50), labels(65, 35, 50), 3)
    assert found.segment_ids == ("s1", "s3", "s2")
    assert changes(found, "split") == [(("s1",), ("s1", "s3"))]
    assert changes(found, "new") == [((), ("s3",))]


def test_a_merger_is_told_and_the_larger_part_goes_on() -> None:
    found = match(("s1", "s2", "s3"), labels(40, 90, 60), labels(130, 60), 2)
    assert found.segment_ids == ("s2", "s3")
    assert changes(found, "merged") == [(("s1", "s2"), ("s2",))]
    assert changes(found, "gone") == [(("s1",), ())]


def test_what_resembles_nothing_is_new() -> None:
    rng = np.random.default_rng(3)
    found = match([f"s{at}" for at in range(8)], labels(*[50] * 8), rng.integers(0, 8, 400).astype(np.int32), 8)
    assert len(changes(found, "kept")) <= 1
    assert len(changes(found, "gone")) >= 7


def test_new_visitors_make_no_group_another_one() -> None:
    old = np.concatenate([labels(30, 30), np.full(400, -1, dtype=np.int32)])
    new = np.concatenate([labels(30, 30), np.zeros(400, dtype=np.int32)])
    found = match(("s5", "s6"), old, new, 2)
    assert found.segment_ids == ("s5", "s6")
    assert ("", "s5", 400) in [(move.before, move.after, move.count) for move in found.moves]


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.3])
def test_ids_outlive_some_movement(noise: float) -> None:
    rng = np.random.default_rng(5)
    old = labels(*[60] * 10)
    wander = rng.random(len(old)) < noise
    new = np.where(wander, rng.integers(0, 10, len(old)), (old * 3) % 10).astype(np.int32)
    found = match([f"s{at}" for at in range(10)], old, new, 10)
    assert [found.segment_ids[(at * 3) % 10] for at in range(10)] == [f"s{at}" for at in range(10)]
    assert found.kept_id == 1.0
