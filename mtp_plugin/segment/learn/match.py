"""New clusters matched to old segments by the visitors they share, so that ids, names and history live on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ...ports import SegmentChange, SegmentMove

SAME = 0.25
"""Jaccard from which a new cluster can be an old segment that goes on."""
PART = 0.5
"""Share of a segment's visitors that must go along for it to count as split off or merged in."""

Labels = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Match:
    """What became of segments.

    ``segment_ids`` are those of the new clusters, ``(count,)``. ``kept_id`` is the share, of visitors who went on
    with a group that did, whose id is the one before; ``None`` without a refresh before.
    """

    segment_ids: tuple[str, ...]
    changes: tuple[SegmentChange, ...]
    moves: tuple[SegmentMove, ...]
    kept_id: float | None


def overlap(left: Labels, right: Labels, rows: int, columns: int) -> NDArray[np.int64]:
    """How many visitors are in each pair of segments, ``(rows, columns)``; those in none of one side count nowhere."""
    both = (left >= 0) & (right >= 0)
    pairs = left[both].astype(np.int64) * columns + right[both]
    return np.bincount(pairs, minlength=rows * columns).reshape(rows, columns)


def match(
    old_ids: Sequence[str], old: Labels, new: Labels, count: int, used: Collection[str] = (), letter: str = "s"
) -> Match:
    """Give each new cluster the id of the old segment that it continues, else a new id.

    The assignment is the one with the most visitors in common (Kuhn 1955), among pairs that are alike enough.

    :param old_ids: of the old segments, ``(k,)``
    :param old: ``(n,)``, the old segment of each visitor, -1 for none or a new visitor
    :param new: ``(n,)``, the new cluster of the same visitors, -1 for none
    :param count: number of new clusters
    :param used: every id that was ever given: none is given twice
    :param letter: first of a new id, before its number
    """
    shared = overlap(old, new, len(old_ids), count)
    pairs = _pairs(shared, old, new)
    ids = _ids(pairs, old_ids, count, used, letter)
    return Match(
        ids, _changes(shared, old_ids, ids, pairs), _moves(shared, old, new, old_ids, ids), _kept(shared, pairs)
    )


def _pairs(shared: NDArray[np.int64], old: Labels, new: Labels) -> dict[int, int]:
    """New cluster by old segment, one to one."""
    if not shared.size:
        return {}
    # Both sides among visitors of both refreshes: new visitors make no group another one.
    mine, theirs = shared.sum(axis=1), shared.sum(axis=0)
    alike = shared / np.maximum(mine[:, None] + theirs[None, :] - shared, 1)
    most = shared >= PART * np.maximum(np.minimum(mine[:, None], theirs[None, :]), 1)
    allowed = (shared > 0) & ((alike >= SAME) | (most & (shared >= PART * mine[:, None])))
    rows, columns = linear_sum_assignment(np.where(allowed, shared, 0), maximize=True)
    return {int(a): int(b) for a, b in zip(rows, columns, strict=True) if allowed[a, b]}


def _ids(
    pairs: dict[int, int], old_ids: Sequence[str], count: int, used: Collection[str], letter: str
) -> tuple[str, ...]:
    by_new = {new: old_ids[old] for old, new in pairs.items()}
    number = max((int(known[1:]) for known in (*used, *old_ids) if _is_ours(known, letter)), default=0)
    ids = []
    for cluster in range(count):
        if cluster not in by_new:
            number += 1
        ids.append(by_new.get(cluster, f"{letter}{number}"))
    return tuple(ids)


def _is_ours(segment_id: str, letter: str) -> bool:
    return segment_id[:1] == letter and segment_id[1:].isdecimal() and segment_id.isascii()


def _changes(
    shared: NDArray[np.int64], old_ids: Sequence[str], ids: Sequence[str], pairs: dict[int, int]
) -> tuple[SegmentChange, ...]:
    mine, theirs = np.maximum(shared.sum(axis=1), 1), np.maximum(shared.sum(axis=0), 1)
    found = []
    for old, name in enumerate(old_ids):
        heirs = [new for new in range(len(ids)) if shared[old, new] >= PART * theirs[new] and shared[old, new] > 0]
        if len(heirs) > 1:
            share = float(shared[old, heirs].sum() / mine[old])
            found.append(SegmentChange(kind="split", before=(name,), after=tuple(ids[at] for at in heirs), share=share))
    for new, name in enumerate(ids):
        parents = [old for old in range(len(old_ids)) if shared[old, new] >= PART * mine[old] and shared[old, new] > 0]
        if len(parents) > 1:
            share = float(shared[parents, new].sum() / theirs[new])
            before = tuple(old_ids[at] for at in parents)
            found.append(SegmentChange(kind="merged", before=before, after=(name,), share=share))
    for old, new in sorted(pairs.items()):
        share = float(shared[old, new] / mine[old])
        found.append(SegmentChange(kind="kept", before=(old_ids[old],), after=(ids[new],), share=share))
    found += [
        SegmentChange(kind="gone", before=(name,), after=()) for old, name in enumerate(old_ids) if old not in pairs
    ]
    came = set(range(len(ids))) - set(pairs.values())
    return (*found, *(SegmentChange(kind="new", before=(), after=(ids[new],)) for new in sorted(came)))


def _moves(
    shared: NDArray[np.int64], old: Labels, new: Labels, old_ids: Sequence[str], ids: Sequence[str]
) -> tuple[SegmentMove, ...]:
    """Every way that somebody went, the most trodden first."""
    newly = np.bincount(new[(old < 0) & (new >= 0)], minlength=len(ids))
    left = np.bincount(old[(new < 0) & (old >= 0)], minlength=len(old_ids))
    moves = [
        SegmentMove(one, other, int(shared[row, column]))
        for row, one in enumerate(old_ids)
        for column, other in enumerate(ids)
        if shared[row, column]
    ]
    moves += [SegmentMove("", name, int(newly[at])) for at, name in enumerate(ids) if newly[at]]
    moves += [SegmentMove(name, "", int(left[at])) for at, name in enumerate(old_ids) if left[at]]
    return tuple(sorted(moves, key=lambda move: (-move.count, move.before, move.after)))


def _kept(shared: NDArray[np.int64], pairs: dict[int, int]) -> float | None:
    """Of the visitors who went on with a group that did, the share who are where its id is.

    A group goes on where a cluster holds most of the old segment (more than any other cluster) and most of the cluster
    came from it.
    """
    if not shared.size or not shared.sum():
        return None
    heir, parent = shared.argmax(axis=1), shared.argmax(axis=0)
    lasting = [old for old in range(len(shared)) if parent[heir[old]] == old and shared[old, heir[old]]]
    stayed = sum(int(shared[old, heir[old]]) for old in lasting)
    kept = sum(int(shared[old, heir[old]]) for old in lasting if pairs.get(old) == heir[old])
    return kept / stayed if stayed else None
