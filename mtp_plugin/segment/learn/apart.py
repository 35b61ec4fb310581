"""What sets a segment apart: each feature among its members against everyone, largest difference first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

MIN_KNOWN = 5
"""Members of whom a feature must be known before it says something of all."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One feature among a segment's members and among everyone.

    ``inside`` and ``everyone`` are means over those of whom it is known, ``known`` is the share of members of whom it
    is. ``lift`` is inside by everyone, ``None`` where that has no meaning (a feature that can be negative, or is zero
    for everyone). ``effect`` is the difference in standard deviations of everyone.
    """

    feature: str
    inside: float
    everyone: float
    lift: float | None
    effect: float
    known: float


def differences(
    names: Sequence[str], values: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], count: int
) -> list[list[Difference]]:
    """For each segment its features, the one that differs most first; features without any difference are left out.

    :param names: of the features, ``(f,)``
    :param values: ``(n, f)``, NaN where unknown
    :param labels: ``(n,)``, the segment of each visitor, -1 for none
    :param count: number of segments
    """
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0).astype(np.float64)
    totals, counts = filled.sum(axis=0), known.sum(axis=0)
    everyone = totals / np.maximum(counts, 1)
    spread = np.sqrt(np.maximum((filled**2).sum(axis=0) / np.maximum(counts, 1) - everyone**2, 0.0))
    signed: NDArray[np.bool_] = np.asarray((filled < 0).any(axis=0))
    found = []
    for segment in range(count):
        mine = labels == segment
        size, seen = max(int(mine.sum()), 1), known[mine].sum(axis=0)
        inside = filled[mine].sum(axis=0) / np.maximum(seen, 1)
        effect = np.divide(inside - everyone, spread, out=np.zeros_like(spread), where=spread > 1e-9)
        effect[seen < min(MIN_KNOWN, size)] = 0.0
        order = _by_size(names, effect)
        found.append(
            [
                Difference(
                    feature=names[at],
                    inside=float(inside[at]),
                    everyone=float(everyone[at]),
                    lift=None if signed[at] or everyone[at] <= 0 else float(inside[at] / everyone[at]),
                    effect=float(effect[at]),
                    known=float(seen[at] / size),
                )
                for at in order
            ]
        )
    return found


def _by_size(names: Sequence[str], effect: NDArray[np.floating[Any]]) -> list[int]:
    some = [at for at in range(len(names)) if abs(effect[at]) > 1e-6]
    return sorted(some, key=lambda at: (-abs(effect[at]), names[at]))
