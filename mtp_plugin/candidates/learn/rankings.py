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
    """``popular``, ``lately``, ``sold``: decayed sums; ``trending``: standard deviations above the usual rate, or 0."""
    popular, recent, base, sold = (
        counts.items[name].astype(np.float64) / (1 << LANDMARK_BITS) for name in ("popular", "recent", "base", "sold")
    )
    expected = base / 10
    trending = np.maximum((recent - expected) / np.sqrt(expected + 3.0), 0.0)
    return {"popular": _f32(popular), "trending": _f32(trending), "sold": _f32(sold), "lately": _f32(recent)}


def rhythm(counts: Counts) -> FloatArray:
    """Typical days (geometric mean) between two purchases of a product by one visitor, 0 with under three pauses."""
    pauses = counts.items["pauses"]
    days = np.exp(counts.items["pause_logs"] / ONE / np.maximum(pauses, 1))
    return _f32(np.where(pauses >= FEWEST_PAUSES, days, 0.0))


def _f32(values: FloatArray) -> FloatArray:
    return values.astype(np.float32)
