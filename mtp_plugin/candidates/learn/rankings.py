"""Scores of products that depend on nobody in particular."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...records import FloatArray
from ..counts import LANDMARK_BITS, ONE, Counts
from ..log import TrainingLog

DAY_S = 86_400.0
FEWEST_PAUSES = 3
Arrays = dict[str, NDArray[np.generic]]


def half_life(log: TrainingLog) -> float:
    """Of popularity, in the log's unit of time: a fortnight, less for a short history, a share of it without clock."""
    return max(DAY_S, min(14 * DAY_S, log.span / 6)) if log.timed else max(1.0, log.span / 10)


def rankings(counts: Counts) -> Arrays:
    """``popular``, ``lately``, ``sold``: decayed sums; ``trending``: standard deviations above the usual rate, or 0.

    ``rhythm``: typical days (geometric mean) between two purchases of a product by one visitor, 0 with under three
    pauses.
    """
    popular, recent, base, sold = (
        values.astype(np.float64) / (1 << LANDMARK_BITS)
        for values in (counts.popular, counts.recent, counts.base, counts.sold)
    )
    expected = base / 10
    trending = np.maximum((recent - expected) / np.sqrt(expected + 3.0), 0.0)
    days = np.exp(counts.pause_logs / ONE / np.maximum(counts.pauses, 1))
    rhythm = np.where(counts.pauses >= FEWEST_PAUSES, days, 0.0)
    named = {"popular": popular, "trending": trending, "sold": sold, "lately": recent, "rhythm": rhythm}
    return {name: _f32(values) for name, values in named.items()}


def _f32(values: FloatArray) -> FloatArray:
    return values.astype(np.float32)
