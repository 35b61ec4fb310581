"""The map of segments: their middles on the two widest axes, as circles whose area is their size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...ports import Bundle
from ...records import FloatArray, Segment

WIDTH, HEIGHT, EDGE = 640.0, 400.0, 44.0
LARGEST, SMALLEST = 40.0, 9.0


@dataclass(frozen=True, slots=True)
class Spot:
    """A segment on the map; ``number`` is that of its row in the table beside it."""

    segment: Segment
    number: int
    x: float
    y: float
    radius: float


def spots(bundle: Bundle | None, segments: Sequence[Segment]) -> tuple[Spot, ...]:
    """The map of a bundle's leaves, the largest drawn first; empty where there is nothing to lay out.

    :param segments: in the order of the table
    """
    if bundle is None or "points" not in bundle.arrays or "labels" not in bundle.arrays:
        return ()
    numbers = {segment.segment_id: number for number, segment in enumerate(segments, 1)}
    by_id = {segment.segment_id: segment for segment in segments}
    places = _places(np.asarray(bundle.arrays["points"], dtype=float), np.asarray(bundle.arrays["labels"]))
    known = [(name, places[label]) for label, name in enumerate(bundle.strings["leaves"]) if label in places]
    known = [(name, place) for name, place in known if name in numbers]
    if not known:
        return ()
    scaled = _scaled(np.array([place for _, place in known]))
    most = max(by_id[name].size for name, _ in known) or 1
    found = [
        Spot(by_id[name], numbers[name], float(x), float(y), _radius(by_id[name].size / most))
        for (name, _), (x, y) in zip(known, scaled, strict=True)
    ]
    return tuple(sorted(found, key=lambda spot: -spot.radius))


def _places(points: FloatArray, labels: FloatArray) -> dict[int, FloatArray]:
    """The middle of each leaf, on two axes."""
    flat = np.zeros((len(points), 2))
    width = min(2, points.shape[1]) if points.ndim == 2 else 0
    flat[:, :width] = points[:, :width]
    return {int(label): flat[labels == label].mean(axis=0) for label in np.unique(labels) if label >= 0}


def _scaled(places: FloatArray) -> FloatArray:
    low, high = places.min(axis=0), places.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    inside = np.array([WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE])
    middle = np.where(high > low, 0.0, 0.5)
    scaled: FloatArray = EDGE + ((places - low) / span + middle) * inside
    return scaled


def _radius(share: float) -> float:
    return max(SMALLEST, LARGEST * math.sqrt(share))
