"""Values as small numbers, for growing trees: of each feature up to 255 bins of about as much weight each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...records import FloatArray, IntArray

BINS = 255
ENOUGH = 200_000
"""Rows that bins are found from, drawn by weight where there are more."""
Bins = NDArray[np.uint8]


def thresholds(rows: FloatArray, weights: FloatArray, seed: int) -> list[FloatArray]:
    """The upper ends of each feature's bins but the last, float64, ascending; empty for what never varies.

    Midpoints between values where there are few; else weighted quantiles, the mean of two rows where one ends at a
    quantile (Hyndman and Fan, 1996, definition 2).

    :param rows: shape ``(n, features)``, float32, nothing unknown
    :param weights: of the rows, ``(n,)``, above 0
    :param seed: of the rows drawn
    """
    if len(rows) > ENOUGH:
        random = np.random.RandomState(np.random.RandomState(seed).randint(2**32 - 1, dtype=np.uint64))
        drawn = random.choice(len(rows), ENOUGH, p=weights / weights.sum())
        return [_ends(np.sort(rows[drawn, feature]), np.ones(ENOUGH)) for feature in range(rows.shape[1])]
    found = []
    for column in rows.T:
        order = np.argsort(column)
        found.append(_ends(column[order], weights[order]))
    return found


def _ends(ordered: FloatArray, weights: FloatArray) -> FloatArray:
    """Of one feature.

    :param ordered: its values, ascending, with their *weights*
    """
    ordered = ordered.astype(np.float64)
    distinct = ordered[np.append(True, ordered[1:] != ordered[:-1])]
    if len(distinct) <= BINS:
        middle: FloatArray = (distinct[:-1] + distinct[1:]) / 2
        return middle
    so_far = np.cumsum(weights)
    wanted = np.linspace(0, 100, num=BINS + 1)[1:-1] / 100 * so_far[-1]
    at = np.minimum(np.searchsorted(so_far, wanted), len(ordered) - 1)
    after = np.minimum(at + 1, len(ordered) - 1)
    beyond = so_far[at] - wanted > np.finfo(np.float64).eps
    return np.unique(np.where(beyond, ordered[at], (ordered[at] + ordered[after]) / 2))


@dataclass(frozen=True, slots=True, eq=False)
class Binned:
    """Rows as bins, twice: feature by feature, and of each row those that are not the commonest of their feature.

    ``bins`` uint8 ``(features, n)``; ``ends`` of the bins and how many there are, ``sizes``; ``common``, ``starts`` and
    ``codes`` as :func:`.tree_kernels.sparse` has them.
    """

    bins: Bins
    ends: list[FloatArray]
    sizes: IntArray
    common: IntArray
    starts: IntArray
    codes: IntArray

    def __len__(self) -> int:
        return len(self.starts) - 1

    @classmethod
    def of(cls, rows: FloatArray, ends: list[FloatArray], sparse: Callable[..., IntArray]) -> Binned:
        """Put rows into bins.

        :param rows: shape ``(n, features)``, float32
        :param ends: as :func:`thresholds` gives them
        :param sparse: :func:`.tree_kernels.sparse`, or what stands for it
        """
        bins = np.empty(rows.shape[::-1], dtype=np.uint8)
        for feature, end in enumerate(ends):
            bins[feature] = np.searchsorted(end, rows[:, feature])
        common = np.array([np.bincount(column).argmax() for column in bins])
        starts = np.zeros(len(rows) + 1, dtype=np.int64)
        codes = sparse(bins, common, starts)
        return cls(bins, ends, np.array([len(end) + 1 for end in ends]), common, starts, codes)
