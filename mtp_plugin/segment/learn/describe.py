"""Segments as people read them: identity, name, what sets them apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...records import BoolArray, FloatArray, IntArray, Segment
from ..matrix import FeatureTable


def describe(
    table: FeatureTable,
    labels: IntArray,
    count: int,
    *,
    stability: FloatArray | None,
    parents: IntArray,
    previous: Sequence[Segment],
    now: float,
    seed: int,
) -> tuple[tuple[Segment, ...], tuple[str, ...]]:
    """All segments, coarser ones first, and the ids of the leaves in the order of their labels.

    :param labels: int32 ``(n,)``, -1 for visitors that lie in no cluster
    :param count: number of leaves
    :param stability: of the leaves, shape ``(count,)``
    :param parents: int32 ``(count,)``, the number of the coarser segment that a leaf lies in, -1 for none
    :param previous: segments of the refresh before
    """
    ids = tuple(f"s{label}" for label in range(count))
    coarser = {int(parent): f"p{parent}" for parent in np.unique(parents[parents >= 0])}
    above = [_one(labels_of(labels, parents, parent), name, "", None, now) for parent, name in coarser.items()]
    leaves = [
        _one(
            labels == label,
            ids[label],
            coarser.get(int(parents[label]), ""),
            float(stability[label]) if stability is not None else None,
            now,
        )
        for label in range(count)
    ]
    return (*above, *leaves), ids


def labels_of(labels: IntArray, parents: IntArray, parent: int) -> BoolArray:
    """Mask ``(n,)`` of the visitors whose leaf lies in this coarser segment."""
    mask: BoolArray = (labels >= 0) & (parents[np.maximum(labels, 0)] == parent)
    return mask


def _one(mask: BoolArray, segment_id: str, parent_id: str, stability: float | None, now: float) -> Segment:
    return Segment(
        segment_id=segment_id,
        name=f"Segment {segment_id}",
        size=int(mask.sum()),
        share=float(mask.mean()) if len(mask) else 0.0,
        stability=stability,
        parent_id=parent_id,
        created_at=now,
        refreshed_at=now,
    )
